/* job.h: what a computation of this folder is handed: memory, and where it says what went wrong. */
#ifndef NASHC_PASSES_INTEGER_JOB_H
#define NASHC_PASSES_INTEGER_JOB_H

#include <nashc/ir.h>
#include <nashc/op.h>

/* Functions that return bool or a pointer and take a job answer false or NULL either because they
 * refuse, which is no fault (why says the reason, if it is worth a word), or because the job has
 * failed: memory was out, or the user made a warning an error. */
typedef struct si_job {
    nashc_arena *arena;   /* all that is computed lives until the end of the job */
    nashc_diag *diag;     /* NULL: failures are not reported */
    nashc_tensor **owned; /* tensors to release at the end */
    int n_owned, cap_owned;
    const char *why;     /* first reason of a refusal since it was cleared; NULL: none */
    nashc_status status; /* of the first failure */
} si_job;

/* n elements of so many bytes from the arena, zeroed. NULL: the job has failed. */
void *si_alloc(si_job *job, int64_t n, size_t size);

/* One more tensor to release at the end; t itself. NULL t: memory is out. */
nashc_tensor *si_keep(si_job *job, nashc_tensor *t);

/* Releases the tensors. */
void si_job_end(si_job *job);

bool si_failed(const si_job *job);
/* These return false. */
bool si_fail(si_job *job, nashc_status status);
bool si_no_memory(si_job *job);
bool si_no(si_job *job, const char *why); /* a refusal; why NULL: nothing worth a word */

/* The warning `rounded-scales`: multipliers of what stands at n have no more than so many bits, for
 * the reason that the clause what says. Fails the job where the user made it an error, and where
 * they have fewer than least. */
#define SI_LEAST_BITS 16 /* of a sum: fewer change results */
void si_warn_rounded(si_job *job, const nashc_node *n, const char *what, int bits, int least,
                     const char *help);

#endif
