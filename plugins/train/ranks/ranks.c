/* ranks.c: the group of ranks, over the engine that is opened when there is one to join.
 *
 * When a rank dies the launcher ends the others with SIGTERM, and their sums never come to an end:
 * waiting looks for both, so that there is time to write down what was reached. */
#define _GNU_SOURCE /* dladdr */
#include "plugins/train/ranks/ranks.h"
#include "plugins/train/ranks/engine.h"
#include <dlfcn.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ENGINE "train/mpi.so" /* beside the plugin */

/* A wait looks this often, giving way to others; then others have more to do, and it looks after
 * pauses, of nanoseconds. */
#define TRIES 200
#define PAUSE 50000

struct train_ranks {
    const train_ranks_engine *engine;
    int rank, n, local;
    bool lost, ends;
    struct sigaction old;
};

static volatile sig_atomic_t told_to_end;

static void
on_term(int signal_)
{
    (void)signal_;
    told_to_end = 1;
}

/* --- joining --------------------------------------------------------------------------------- */

/* What launchers set: Open MPI; MPICH and Intel's under their own launcher; srun. */
static bool
is_launched(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMI_RANK",
                                        "PMIX_RANK"};

    for (size_t i = 0; i < NASHC_COUNT(names); i++)
        if (getenv(names[i]))
            return true;
    return false;
}

/* Path of the engine, to be freed. */
static char *
engine_path(void)
{
    union { /* ISO C has no conversion from function pointer to object */
        bool (*fn)(void);
        void *object;
    } here = {is_launched};
    Dl_info where;

    if (!dladdr(here.object, &where) || !where.dli_fname)
        return NULL;
    const char *slash = strrchr(where.dli_fname, '/');
    size_t n = slash ? (size_t)(slash - where.dli_fname) + 1 : 0;
    char *path = malloc(n + sizeof ENGINE);
    if (path) {
        memcpy(path, where.dli_fname, n);
        memcpy(path + n, ENGINE, sizeof ENGINE);
    }
    return path;
}

static const train_ranks_engine *
find_engine(nashc_diag *d)
{
    char *path = engine_path();
    void *so = path ? dlopen(path, RTLD_NOW | RTLD_GLOBAL) : NULL; /* MPI opens parts of its own */
    const train_ranks_engine *(*entry)(void) = NULL;

    if (so)
        *(void **)&entry = dlsym(so, TRAIN_RANKS_ENTRY);
    if (!entry) {
        nashc_io_error(d, NULL, "started as one of several ranks, but MPI cannot be loaded: %s",
                       path ? dlerror() : "its place is not known");
        nashc_help(d, "install libopenmpi-dev, then build nashc anew; or start it alone");
    }
    free(path);
    return entry ? entry() : NULL;
}

nashc_status
train_ranks_join(train_ranks **out, nashc_diag *d)
{
    *out = NULL;
    if (!is_launched())
        return NASHC_OK;
    const train_ranks_engine *engine = find_engine(d);
    if (!engine)
        return NASHC_EIO;
    train_ranks *r = calloc(1, sizeof *r);
    if (!r)
        return nashc_enomem(d);
    r->engine = engine;
    if (!engine->join(&r->rank, &r->n, &r->local)) {
        free(r);
        return nashc_io_error(d, NULL, "%s: the ranks do not come together", engine->name);
    }
    struct sigaction term = {.sa_handler = on_term};
    sigaction(SIGTERM, &term, &r->old);
    *out = r;
    return NASHC_OK;
}

void
train_ranks_leave(train_ranks *r)
{
    if (!r)
        return;
    sigaction(SIGTERM, &r->old, NULL);
    if (r->ends && !r->lost)
        r->engine->leave();
    free(r);
}

int
train_ranks_rank(const train_ranks *r)
{
    return r ? r->rank : 0;
}

int
train_ranks_count(const train_ranks *r)
{
    return r ? r->n : 1;
}

int
train_ranks_local(const train_ranks *r)
{
    return r ? r->local : 1;
}

const char *
train_ranks_library(const train_ranks *r)
{
    return r ? r->engine->name : "";
}

/* --- sums ------------------------------------------------------------------------------------ */

void
train_ranks_sum(train_ranks *r, const train_sum_part *part, int n_parts)
{
    if (r && n_parts && !r->engine->start_f32(part, n_parts))
        r->lost = true;
}

void
train_ranks_sum_double(train_ranks *r, double *v, int64_t n)
{
    if (r && n && !r->engine->start_f64(v, n))
        r->lost = true;
}

void
train_ranks_progress(train_ranks *r)
{
    if (r && !r->lost)
        r->lost = r->engine->test() < 0;
}

nashc_status
train_ranks_wait(train_ranks *r, nashc_diag *d)
{
    int done = 0;

    if (!r)
        return NASHC_OK;
    for (int64_t tries = 0; !r->lost && (done = r->engine->test()) == 0; tries++) {
        r->lost = told_to_end;
        if (tries < TRIES)
            sched_yield();
        else
            nanosleep(&(struct timespec){.tv_nsec = PAUSE}, NULL);
    }
    r->lost |= done < 0;
    if (!r->lost)
        return NASHC_OK;
    nashc_io_error(d, NULL, "rank %d of %d: another rank was lost, or the job is being ended",
                   r->rank, r->n);
    nashc_help(
        d,
        "what the launcher or the other ranks say tells why; --resume goes on from the checkpoint");
    return NASHC_EIO;
}

nashc_status
train_ranks_agree(train_ranks *r, nashc_status s, nashc_diag *d)
{
    double failed = s != NASHC_OK;

    train_ranks_sum_double(r, &failed, 1);
    nashc_status w = train_ranks_wait(r, d);
    if (w != NASHC_OK || failed == 0.0)
        return s != NASHC_OK ? s : w;
    if (r)
        r->ends = true;
    return s != NASHC_OK
               ? s
               : nashc_error(d, NULL, "rank %d ends, as another rank cannot go on: see its message",
                             r->rank);
}

void
train_ranks_agreed(train_ranks *r)
{
    if (r)
        r->ends = true;
}

bool
train_ranks_lost(const train_ranks *r)
{
    return r && r->lost;
}
