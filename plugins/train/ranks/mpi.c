/* mpi.c: the engine on MPI's non-blocking collectives; the only file that knows MPI. */
#include "plugins/train/ranks/engine.h"
#include <limits.h>
#include <mpi.h>
#include <stdlib.h>

static MPI_Request *request;
static int n_requests, cap_requests;

static bool
good(int code)
{
    return code == MPI_SUCCESS;
}

static bool
join(int *rank, int *n, int *local)
{
    int got;
    MPI_Comm here;

    if (!good(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &got)) || got < MPI_THREAD_FUNNELED)
        return false;
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if (!good(MPI_Comm_rank(MPI_COMM_WORLD, rank)) || !good(MPI_Comm_size(MPI_COMM_WORLD, n)) ||
        !good(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &here)))
        return false;
    bool known = good(MPI_Comm_size(here, local));
    MPI_Comm_free(&here);
    return known;
}

static bool
start(void *v, int64_t n, MPI_Datatype type)
{
    if (n > INT_MAX)
        return false;
    if (n_requests == cap_requests) {
        int cap = cap_requests ? 2 * cap_requests : 32;
        MPI_Request *grown = realloc(request, (size_t)cap * sizeof(MPI_Request));
        if (!grown)
            return false;
        request = grown;
        cap_requests = cap;
    }
    return good(MPI_Iallreduce(MPI_IN_PLACE, v, (int)n, type, MPI_SUM, MPI_COMM_WORLD,
                               &request[n_requests++]));
}

static bool
start_f32(float *v, int64_t n)
{
    return start(v, n, MPI_FLOAT);
}

static bool
start_f64(double *v, int64_t n)
{
    return start(v, n, MPI_DOUBLE);
}

static int
test(void)
{
    int all = 0;

    if (!good(MPI_Testall(n_requests, request, &all, MPI_STATUSES_IGNORE)))
        return -1;
    n_requests = all ? 0 : n_requests;
    return all != 0;
}

static void
leave(void)
{
    free(request);
    request = NULL;
    cap_requests = 0;
    MPI_Finalize();
}

const train_ranks_engine *train_ranks_engine_entry(void);

__attribute__((visibility("default"))) const train_ranks_engine *
train_ranks_engine_entry(void)
{
    static char version[MPI_MAX_LIBRARY_VERSION_STRING];
    static const train_ranks_engine engine = {version, join, start_f32, start_f64, test, leave};
    int n = 0;

    MPI_Get_library_version(version, &n);
    for (int i = 0; i < n; i++) /* the first words only */
        if (version[i] == ',' || version[i] == '\n')
            version[i] = 0;
    return &engine;
}
