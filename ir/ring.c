/* ring.c: a nest of loops over the elements of a frame as a ring, or a line, of beats
 * (nashc/model.h).
 *
 * Outer loops whose address never falls back tell which elements are no longer needed: of the first
 * p loops, s_j >= sum of (n_k - 1) s_k over the inner ones k < p. The ring holds what the loops
 * inside those span. If the address always rises, s_j > that sum, each address comes once, in the
 * order in which beats come: a line of them that moves on with each beat shows at some time all
 * that the loops inside ask for.
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

/* Does the address of loops from..to-1 rise by `least` or more whenever one of them goes on? */
static bool
rises(const nest *z, int from, int to, int64_t least)
{
    for (int j = from; j < to; j++)
        if (z->stride[j] - span(z, j + 1, to) < least)
            return false;
    return true;
}

/* How many outer loops do. */
static int
rising(const nest *z, int64_t least)
{
    int p = z->n;

    while (!rises(z, 0, p, least))
        p--;
    return p;
}

/* By how many beats a window must have come in before its first one is given, if it shares none
 * with the window before it, from whose end on it can come in: beat x of it, counted from 0, comes
 * x cycles after the first, and is given in step u. The most of x - u over the loops inside. */
static int64_t
head_start(const nest *z, int p)
{
    int64_t most = 0, steps = 1;

    for (int k = z->n - 1; k >= p; k--) {
        most += z->stride[k] > steps ? (z->dim[k] - 1) * (z->stride[k] - steps) : 0;
        steps *= z->dim[k];
    }
    return most;
}

/* Depth with which neither side waits for the other within a frame: what a window spans, and what
 * has to come in before it starts (docs/layers.md, hw.window); of the next frame, behind the last
 * window, but for some cycles a frame. words: a frame. */
static int64_t
good_depth(const nest *z, int p, int64_t words)
{
    int64_t least = span(z, p, z->n) + 1, window = 1, more = 0;

    for (int i = p; i < z->n; i++)
        window *= z->dim[i];
    for (int i = 0; i <= p; i++) { /* the last one is to the next frame */
        int64_t jump = i == p ? words - span(z, 0, p) : z->stride[i] - span(z, i + 1, p);
        int64_t ahead = jump - window;
        if (i < p && jump >= least)
            ahead = jump - least + 1 + head_start(z, p);
        more = ahead > more ? ahead : more;
    }
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
    int p = rising(&b, 0);
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

/* The line of a frame of `words` beats from beat `first` on whose first p loops are outer ones. */
static nashc_status
line_of_nest(const nest *b, int p, int64_t words, int64_t first, nashc_line *out)
{
    int inner = b->n - p;

    if (p > NASHC_LINE_LOOPS || inner > NASHC_LINE_LOOPS || !rises(b, p, b->n, 1))
        return NASHC_EUNSUP;
    *out = (nashc_line){
        .words = words, .newest = first + span(b, p, b->n), .loops = p, .inner = inner, .taps = 1};
    for (int k = 0; k < p; k++) {
        out->count[k] = b->dim[k];
        out->stride[k] = b->stride[k];
        out->move[k] = b->stride[k] - span(b, k + 1, p);
    }
    out->move[p] = words - span(b, 0, p);
    for (int k = 0; k < inner; k++) {
        out->tap_count[k] = b->dim[p + k];
        out->tap_stride[k] = b->stride[p + k];
        out->held[k] = b->stride[p + k] - span(b, p + k + 1, b->n) - 1;
        out->rows[k] = (b->dim[p + k] - 1) * out->taps;
        if (!nashc_mul_size(out->taps, b->dim[p + k], &out->taps) || out->taps > NASHC_LINE_TAPS)
            return NASHC_EUNSUP;
    }
    return NASHC_OK;
}

nashc_status
nashc_line_of(const nashc_loops *l, bool parallel, nashc_line *out)
{
    nest b;

    in_beats(l, &b);
    int p = rising(&b, 1);
    if (!parallel && p < b.n)
        return NASHC_EUNSUP;
    return line_of_nest(&b, p, l->count / l->lanes, l->first / l->lanes, out);
}

static int64_t
gcd(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

/* A loop of the nest of beats, left out if it has one iteration. False: it does not go by whole
 * beats. */
static bool
add_loop(nest *z, int64_t dim, int64_t stride, int64_t positions)
{
    if (dim > 1) {
        z->dim[z->n] = dim;
        z->stride[z->n++] = stride / positions;
    }
    return dim == 1 || stride % positions == 0;
}

/* Windows of loops b in positions, p of them outer ones, the last of which goes from window to
 * window of a row. The last loop counts the columns of a window, or they have one. */
static nashc_status
windows_of_nest(const nest *b, int p, bool columns, int64_t positions, nashc_windows *w,
                int64_t words, int64_t first)
{
    int rows = b->n - columns, outer = 0;
    nest z = {.n = 0};
    bool whole = true;

    for (int k = 0; k < p - 1; k++)
        whole = whole && add_loop(&z, b->dim[k], b->stride[k], positions);
    w->step = b->stride[p - 1];
    w->windows = positions / gcd(positions, w->step);
    whole = whole && b->dim[p - 1] % w->windows == 0 &&
            add_loop(&z, b->dim[p - 1] / w->windows, w->windows * w->step, positions);
    outer = z.n;
    w->rows = 1;
    for (int k = p; k < rows; k++) {
        whole = whole && add_loop(&z, b->dim[k], b->stride[k], positions);
        w->rows *= b->dim[k];
    }
    w->columns = columns ? b->dim[b->n - 1] : 1;
    w->apart = columns ? b->stride[b->n - 1] : 1;
    w->first = first % positions;
    w->span = (w->first + (w->windows - 1) * w->step + (w->columns - 1) * w->apart) / positions + 1;
    whole = whole && add_loop(&z, w->span, positions, positions) && words % positions == 0;
    if (!whole || !rises(&z, 0, outer, 1))
        return NASHC_EUNSUP;
    return line_of_nest(&z, outer, words / positions, first / positions, &w->line);
}

nashc_status
nashc_windows_of(const nashc_loops *l, int64_t positions, nashc_windows *out)
{
    int64_t words = l->count / l->lanes, first = l->first / l->lanes;
    nest b;

    in_beats(l, &b);
    int p = rising(&b, 1);
    if (p == 0)
        return NASHC_EUNSUP;
    if (windows_of_nest(&b, p, false, positions, out, words, first) == NASHC_OK)
        return NASHC_OK;
    return p < b.n ? windows_of_nest(&b, p, true, positions, out, words, first) : NASHC_EUNSUP;
}

bool
nashc_line_gives(const nashc_line *z, int64_t place)
{
    int64_t rest = place - z->newest;

    for (int k = 0; k < z->loops && rest >= 0; k++) {
        int64_t i = rest / z->stride[k];
        rest -= (i < z->count[k] ? i : z->count[k] - 1) * z->stride[k];
    }
    return rest == 0;
}
