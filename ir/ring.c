/* ring.c: a nest of loops over the elements of a frame as a ring of beats (nashc/model.h).
 *
 * Outer loops whose address never falls back tell which elements are no longer needed: of the first
 * p loops, s_j >= sum of (n_k - 1) s_k over the inner ones k < p. The ring holds what the loops
 * inside those span.
 */
#include <nashc/model.h>

typedef struct nest {
    int n;
    int64_t dim[NASHC_MAX_RANK * 2], stride[NASHC_MAX_RANK * 2]; /* in beats */
} nest;

static void
swap(int64_t *a, int64_t *b)
{
    int64_t t = *a;

    *a = *b;
    *b = t;
}

/* Loops over beats: without those of one iteration, and with loops in one that follow each other.
 */
static void
in_beats(const nashc_loops *l, nest *out)
{
    out->n = 0;
    for (int i = l->n - 1; i >= 0; i--) {
        int64_t dim = i == l->n - 1 ? l->dim[i] / l->lanes : l->dim[i];
        int64_t stride = i == l->n - 1 ? 1 : l->stride[i] / l->lanes;
        int k = out->n;
        if (dim == 1)
            continue;
        if (k > 0 && stride == out->dim[k - 1] * out->stride[k - 1]) {
            out->dim[k - 1] *= dim;
            continue;
        }
        out->dim[k] = dim;
        out->stride[k] = stride;
        out->n++;
    }
    for (int i = 0; i < out->n / 2; i++) { /* outermost first */
        swap(&out->dim[i], &out->dim[out->n - 1 - i]);
        swap(&out->stride[i], &out->stride[out->n - 1 - i]);
    }
}

/* How far loops from..to-1 move the address in all. */
static int64_t
span(const nest *z, int from, int to)
{
    int64_t sum = 0;

    for (int i = from; i < to; i++)
        sum += (z->dim[i] - 1) * z->stride[i];
    return sum;
}

/* How many outer loops never fall back. */
static int
rising(const nest *z)
{
    for (int p = z->n; p > 0; p--) {
        bool good = true;
        for (int j = 0; j < p; j++)
            good = good && z->stride[j] >= span(z, j + 1, p);
        if (good)
            return p;
    }
    return 0;
}

/* Depth with which neither side waits for the other: what a window spans, and what has to come in
 * while one is given (docs/layers.md, hw.window), of the next frame behind the last one. words: a
 * frame. */
static int64_t
good_depth(const nest *z, int p, int64_t words)
{
    int64_t least = span(z, p, z->n) + 1, window = 1, more = words - span(z, 0, p);

    for (int i = p; i < z->n; i++)
        window *= z->dim[i];
    for (int i = 0; i < p; i++) {
        int64_t jump = z->stride[i] - span(z, i + 1, p);
        more = jump > more ? jump : more;
    }
    more = more > window ? more - window : 0;
    return least + more < 2 ? 2 : least + more;
}

nashc_status
nashc_ring_of(const nashc_loops *l, nashc_ring *out)
{
    int64_t words = l->count / l->lanes;
    nest b;

    in_beats(l, &b);
    if (b.n > NASHC_RING_LOOPS)
        return NASHC_EUNSUP;
    int p = rising(&b);
    *out = (nashc_ring){.words = words,
                        .depth = l->depth ? l->depth : good_depth(&b, p, words),
                        .least = span(&b, p, b.n) + 1,
                        .first = l->first / l->lanes,
                        .loops = b.n};
    for (int k = 0; k < b.n; k++) {
        out->count[k] = b.dim[k];
        out->move[k] = b.stride[k] - span(&b, k + 1, b.n);
        out->release[k] = k < p ? b.stride[k] - span(&b, k + 1, p) : 0;
    }
    out->move[b.n] = words - span(&b, 0, b.n);
    out->release[b.n] = words - span(&b, 0, p);
    return NASHC_OK;
}
