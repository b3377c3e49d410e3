/* job.c: what a computation of this folder is handed: memory, and where it says what went wrong. */
#include "job.h"

#include <stdlib.h>

bool
si_failed(const si_job *job)
{
    return job->status != NASHC_OK;
}

/* The first failure is the cause of those that follow. */
bool
si_fail(si_job *job, nashc_status status)
{
    if (!si_failed(job))
        job->status = status;
    return false;
}

bool
si_no_memory(si_job *job)
{
    return si_fail(job, job->diag ? nashc_enomem(job->diag) : NASHC_ENOMEM);
}

/* So is the first reason: callers that give up say less. */
bool
si_no(si_job *job, const char *why)
{
    if (!job->why)
        job->why = why;
    return false;
}

void *
si_alloc(si_job *job, int64_t n, size_t size)
{
    int64_t bytes;
    if (!nashc_mul_size(n > 0 ? n : 1, (int64_t)size, &bytes)) {
        si_fail(job, NASHC_ENOMEM);
        return NULL;
    }
    void *p = nashc_arena_alloc(job->arena, (size_t)bytes);
    if (!p)
        si_no_memory(job);
    return p;
}

/* Tensors are counted references on the heap, which an arena does not release. */
nashc_tensor *
si_keep(si_job *job, nashc_tensor *t)
{
    if (!t) {
        si_no_memory(job);
        return NULL;
    }
    if (job->n_owned == job->cap_owned) {
        int cap = job->cap_owned ? 2 * job->cap_owned : 64;
        nashc_tensor **p = realloc(job->owned, (size_t)cap * sizeof(*p));
        if (!p) {
            nashc_tensor_unref(t);
            si_no_memory(job);
            return NULL;
        }
        job->owned = p;
        job->cap_owned = cap;
    }
    return job->owned[job->n_owned++] = t;
}

void
si_job_end(si_job *job)
{
    for (int i = 0; i < job->n_owned; i++)
        nashc_tensor_unref(job->owned[i]);
    free(job->owned);
    job->owned = NULL;
    job->n_owned = job->cap_owned = 0;
}

void
si_warn_rounded(si_job *job, const nashc_node *n, const char *what, int bits, int least,
                const char *help)
{
    nashc_loc loc = nashc_node_loc(n) ? *nashc_node_loc(n) : (nashc_loc){0};
    int n_errors = nashc_diag_count(job->diag, NASHC_ERROR);
    if (!loc.name)
        loc.name = nashc_arena_printf(job->arena, "%%%s", nashc_value_name(nashc_node_out(n, 0)));
    if (bits < least)
        nashc_error(job->diag, &loc,
                    "%s: only %d bits are left for the smallest multiplier, %d are "
                    "needed",
                    what, bits < 0 ? 0 : bits, least);
    else
        nashc_warning(job->diag, &loc, "rounded-scales", "%s: multipliers are rounded to %d bits",
                      what, bits);
    nashc_help(job->diag, "%s", help);
    if (nashc_diag_count(job->diag, NASHC_ERROR) > n_errors)
        si_fail(job, NASHC_EUNSUP);
}
