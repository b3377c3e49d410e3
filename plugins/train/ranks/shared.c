/* shared.c: each rank has a ring in memory that all of them see. What is to be summed is cut into
 * pieces, which every rank writes to its own ring in the same order and at the same places; a piece
 * that all have written each rank sums for itself, in the order of the ranks. A rank tells up to
 * where it has written, and up to where it has taken, so that nobody writes over what another one
 * still has to read. */
#include "plugins/train/ranks/shared.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define RING  ((uint64_t)4 << 20) /* bytes of a rank */
#define PIECE (64 * 1024)         /* bytes, at most */
#define LINE  64

/* Places count on from the begin; in the ring they are modulo its size. */
typedef struct ring {
    _Alignas(LINE) _Atomic uint64_t written;
    _Alignas(LINE) _Atomic uint64_t taken;
    _Alignas(LINE) unsigned char bytes[];
} ring;

typedef struct piece {
    void *v;
    int64_t n;
    bool wide;
    uint64_t begin, end;
} piece;

static MPI_Win window = MPI_WIN_NULL;
static ring *rings[SHARED_RANKS];
static int mine, n_ranks;
static piece *queue;
static int n_pieces, cap, n_written, n_summed;
static uint64_t next; /* place of the next piece */

/* --- set-up ---------------------------------------------------------------------------------- */

static bool
open_window(MPI_Comm comm)
{
    int here = MPI_Win_allocate_shared((MPI_Aint)(sizeof(ring) + RING), 1, MPI_INFO_NULL, comm,
                                       &rings[mine], &window) == MPI_SUCCESS;
    MPI_Aint size;
    int unit;

    for (int r = 0; here && r < n_ranks; r++)
        here = MPI_Win_shared_query(window, r, &size, &unit, &rings[r]) == MPI_SUCCESS;
    if (here) {
        atomic_init(&rings[mine]->written, 0);
        atomic_init(&rings[mine]->taken, 0);
    }
    return here;
}

bool
shared_open(MPI_Comm comm)
{
    int here, all;

    MPI_Comm_rank(comm, &mine);
    MPI_Comm_size(comm, &n_ranks);
    here = open_window(comm);
    if (MPI_Allreduce(&here, &all, 1, MPI_INT, MPI_MIN, comm) == MPI_SUCCESS && all)
        return true;
    if (window != MPI_WIN_NULL)
        MPI_Win_free(&window);
    return false;
}

void
shared_close(void)
{
    MPI_Win_free(&window);
    free(queue);
    queue = NULL;
    cap = 0;
}

/* --- sums ------------------------------------------------------------------------------------ */

static uint64_t
bytes_of(int64_t n, bool wide)
{
    return (uint64_t)n * (wide ? sizeof(double) : sizeof(float));
}

static bool
add_piece(void *v, int64_t n, bool wide)
{
    uint64_t bytes = (bytes_of(n, wide) + LINE - 1) / LINE * LINE;

    if (n_pieces == cap) {
        int more = cap ? 2 * cap : 256;
        piece *grown = realloc(queue, (size_t)more * sizeof *grown);
        if (!grown)
            return false;
        queue = grown;
        cap = more;
    }
    if (next % RING + bytes > RING) /* a piece does not wrap */
        next += RING - next % RING;
    queue[n_pieces++] = (piece){v, n, wide, next, next + bytes};
    next += bytes;
    return true;
}

bool
shared_start(void *v, int64_t n, bool wide)
{
    const int64_t most = PIECE / (int64_t)bytes_of(1, wide);
    bool good = true;

    for (int64_t i = 0; good && i < n; i += most)
        good = add_piece((char *)v + bytes_of(i, wide), n - i < most ? n - i : most, wide);
    return good;
}

static const void *
place(const piece *p, int r)
{
    return rings[r]->bytes + p->begin % RING;
}

/* To v what the ranks have, in their order: two first, then the others one by one. */
#define SUM(type, p)                                                                               \
    do {                                                                                           \
        type *v = (p)->v;                                                                          \
        const type *a = place(p, 0), *b = place(p, n_ranks > 1);                                   \
        for (int64_t i = 0; i < (p)->n; i++)                                                       \
            v[i] = n_ranks > 1 ? a[i] + b[i] : a[i];                                               \
        for (int r = 2; r < n_ranks; r++) {                                                        \
            const type *c = place(p, r);                                                           \
            for (int64_t i = 0; i < (p)->n; i++)                                                   \
                v[i] += c[i];                                                                      \
        }                                                                                          \
    } while (0)

/* The least of what the ranks tell. */
static uint64_t
least(bool written)
{
    uint64_t all = UINT64_MAX;

    for (int r = 0; r < n_ranks; r++) {
        uint64_t at = atomic_load_explicit(written ? &rings[r]->written : &rings[r]->taken,
                                           memory_order_acquire);
        all = at < all ? at : all;
    }
    return all;
}

bool
shared_test(void)
{
    const uint64_t room = least(false) + RING;

    while (n_written < n_pieces && queue[n_written].end <= room) {
        const piece *p = &queue[n_written++];
        memcpy((void *)place(p, mine), p->v, bytes_of(p->n, p->wide));
        atomic_store_explicit(&rings[mine]->written, p->end, memory_order_release);
    }
    const uint64_t there = least(true);
    while (n_summed < n_written && queue[n_summed].end <= there) {
        const piece *p = &queue[n_summed++];
        if (p->wide)
            SUM(double, p);
        else
            SUM(float, p);
        atomic_store_explicit(&rings[mine]->taken, p->end, memory_order_release);
    }
    if (n_summed < n_pieces)
        return false;
    n_pieces = n_written = n_summed = 0;
    return true;
}
