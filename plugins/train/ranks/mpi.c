/* mpi.c: the engine: ranks of several machines by MPI's non-blocking collectives, those of one
 * through shared memory. */
#include "plugins/train/ranks/engine.h"
#include "plugins/train/ranks/shared.h"
#include <limits.h>
#include <mpi.h>
#include <stdlib.h>
#include <string.h>

/* Parts that travel as one, in a buffer that is kept for later ones. */
typedef struct message {
    train_sum_part *part; /* to be set; none: what is summed is the caller's own memory */
    int n_parts, cap_parts;
    float *buffer;
    int64_t room;
    MPI_Request request;
} message;

static bool shared; /* all ranks are on this machine */
static message *messages;
static int n_messages, cap_messages;

static bool
good(int code)
{
    return code == MPI_SUCCESS;
}

/* Somebody whose shared memory is too small can do without it. */
static bool
wants_shared(void)
{
    const char *told = getenv("NASHC_TRAIN_SHARED");

    return !told || strcmp(told, "0") != 0;
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
    shared = known && *local == *n && *n <= SHARED_RANKS && wants_shared() &&
             shared_open(MPI_COMM_WORLD);
    return known;
}

/* --- messages -------------------------------------------------------------------------------- */

/* The next one, which counts only when it has been sent. */
static message *
new_message(void)
{
    if (n_messages == cap_messages) {
        int more = cap_messages ? 2 * cap_messages : 32;
        message *grown = realloc(messages, (size_t)more * sizeof *grown);
        if (!grown)
            return NULL;
        memset(grown + cap_messages, 0, (size_t)(more - cap_messages) * sizeof *grown);
        messages = grown;
        cap_messages = more;
    }
    messages[n_messages].n_parts = 0;
    return &messages[n_messages];
}

static bool
make_room(message *m, int n_parts, int64_t n)
{
    if (n_parts > m->cap_parts) {
        train_sum_part *part = realloc(m->part, (size_t)n_parts * sizeof *part);
        if (!part)
            return false;
        m->part = part;
        m->cap_parts = n_parts;
    }
    if (n > m->room) {
        float *buffer = realloc(m->buffer, (size_t)n * sizeof *buffer);
        if (!buffer)
            return false;
        m->buffer = buffer;
        m->room = n;
    }
    return true;
}

/* Parts to the buffer, or its sums to the parts. */
static void
copy_parts(const message *m, bool back)
{
    float *at = m->buffer;

    for (int i = 0; i < m->n_parts; i++) {
        const train_sum_part *p = &m->part[i];
        memcpy(back ? p->v : at, back ? at : p->v, (size_t)p->n * sizeof(float));
        at += p->n;
    }
}

static bool
send(message *m, void *v, int64_t n, MPI_Datatype type)
{
    if (n > INT_MAX ||
        !good(MPI_Iallreduce(MPI_IN_PLACE, v, (int)n, type, MPI_SUM, MPI_COMM_WORLD, &m->request)))
        return false;
    n_messages++;
    return true;
}

static bool
start_f32(const train_sum_part *part, int n_parts)
{
    int64_t n = 0;
    bool fine = true;

    for (int i = 0; shared && fine && i < n_parts; i++)
        fine = shared_start(part[i].v, part[i].n, false);
    if (shared)
        return fine;
    for (int i = 0; i < n_parts; i++)
        n += part[i].n;
    message *m = new_message();
    if (!m || !make_room(m, n_parts, n))
        return false;
    memcpy(m->part, part, (size_t)n_parts * sizeof *part);
    m->n_parts = n_parts;
    copy_parts(m, false);
    return send(m, m->buffer, n, MPI_FLOAT);
}

static bool
start_f64(double *v, int64_t n)
{
    if (shared)
        return shared_start(v, n, true);
    message *m = new_message();
    return m && send(m, v, n, MPI_DOUBLE);
}

static int
test(void)
{
    if (shared)
        return shared_test();
    for (int i = 0, done; i < n_messages; i++) {
        message *m = &messages[i];
        if (!good(MPI_Test(&m->request, &done, MPI_STATUS_IGNORE)))
            return -1;
        if (!done)
            return 0;
    }
    for (int i = 0; i < n_messages; i++)
        copy_parts(&messages[i], true);
    n_messages = 0;
    return 1;
}

static void
leave(void)
{
    if (shared)
        shared_close();
    for (int i = 0; i < cap_messages; i++) {
        free(messages[i].part);
        free(messages[i].buffer);
    }
    free(messages);
    messages = NULL;
    n_messages = cap_messages = 0;
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
