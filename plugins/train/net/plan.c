/* plan.c: one block of memory for all values, gradients and what rules save, laid out beforehand.
 *
 * Time: step i runs forward at i, backward at 2 N - i, the loss at N. Two things share memory if
 * their times do not meet, or if they belong to different candidates of a choice (choice.h). Large
 * ones are placed first, each at the lowest place that is free.
 */
#define _DEFAULT_SOURCE /* madvise */
#include "plugins/train/net/choice.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGN 64
#define PAGE  (2 * 1024 * 1024) /* a large one; squares of a map lie on many small ones */

typedef struct piece {
    size_t size, at;
    int from, to; /* times, inclusive */
    int owner;    /* candidate */
    int index;    /* order of requests, for equal sizes */
    void **where;
} piece;

typedef struct planner {
    train_net *n;
    piece *piece;
    int n_pieces;
} planner;

static void
ask(planner *p, size_t size, int from, int to, int owner, void **where)
{
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    p->piece[p->n_pieces] = (piece){size ? size : ALIGN, 0, from, to, owner, p->n_pieces, where};
    p->n_pieces++;
}

static int
larger_first(const void *a, const void *b)
{
    const piece *x = a, *y = b;

    return x->size != y->size ? (x->size < y->size ? 1 : -1) : x->index - y->index;
}

/* May both be in use at a time? */
static bool
meet(const piece *p, const piece *q)
{
    bool alternatives = p->owner >= 0 && q->owner >= 0 && p->owner != q->owner &&
                        p->owner / TRAIN_MAX_CANDIDATES == q->owner / TRAIN_MAX_CANDIDATES;

    return !alternatives && q->to >= p->from && p->to >= q->from;
}

/* Lowest offset where p meets none of the `count` placed pieces; they are sorted by offset. */
static size_t
lowest(const piece *p, piece *const *placed, int count)
{
    size_t at = 0;

    for (int i = 0; i < count; i++) {
        const piece *q = placed[i];
        if (!meet(p, q))
            continue;
        if (at + p->size <= q->at)
            return at;
        at = at > q->at + q->size ? at : q->at + q->size;
    }
    return at;
}

static bool
place(planner *p, size_t *total)
{
    piece **placed = calloc((size_t)p->n_pieces + 1, sizeof *placed);

    if (!placed)
        return false;
    qsort(p->piece, (size_t)p->n_pieces, sizeof *p->piece, larger_first);
    *total = 0;
    for (int i = 0; i < p->n_pieces; i++) {
        piece *q = &p->piece[i];
        int k = i;
        q->at = lowest(q, placed, i);
        for (; k > 0 && placed[k - 1]->at > q->at; k--)
            placed[k] = placed[k - 1];
        placed[k] = q;
        *total = *total > q->at + q->size ? *total : q->at + q->size;
    }
    free(placed);
    return true;
}

/* --- lifetimes ------------------------------------------------------------------------------- */

static void
use(train_net *n, int slot, int time)
{
    train_slot *r = &n->slot[n->slot[slot].root];

    r->last_v = time > r->last_v ? time : r->last_v;
}

/* The time until when what step t reads and makes is looked at: candidates are run again for the
 * gradients of their gates. */
static int
needed_until(const train_net *n, const train_step *t, int time)
{
    int c = t->choice >= 0 ? t->choice : t->owner >= 0 ? t->owner / TRAIN_MAX_CANDIDATES : -1;
    int end = c < 0 || !n->backward ? time : train_choice_end(n, &n->choice[c]);

    return end > time ? end : time;
}

/* Whether a step's backward runs, and until when values are read. */
static void
values_live(train_net *n)
{
    for (int i = 0; i < n->n_steps; i++) {
        train_step *t = &n->step[i];
        int back = 2 * n->n_steps - i;
        t->back = n->backward && t->rule->backward && n->slot[t->out_slot[0]].wants;
        for (int k = 0; k < t->n_in; k++) {
            if (t->in_slot[k] < 0)
                continue;
            bool keeps = k < 32 ? t->rule->keeps_in >> k & 1u : t->rule->keeps_in == ~0u;
            use(n, t->in_slot[k], needed_until(n, t, t->back && keeps ? back : i));
        }
        for (int k = 0; k < t->n_out; k++) {
            bool keeps = k < 32 ? t->rule->keeps_out >> k & 1u : t->rule->keeps_out == ~0u;
            use(n, t->out_slot[k], needed_until(n, t, t->back && keeps ? back : i));
        }
    }
    /* Callers look at these when they like. */
    use(n, n->output, 2 * n->n_steps + 1);
    for (int i = 0; i < n->n_slots; i++)
        if (nashc_value_is_input(n->slot[i].value))
            use(n, i, 2 * n->n_steps + 1);
}

/* A gradient lives from the first backward that adds to it to that of the step that made it. */
static void
gradients_live(train_net *n)
{
    for (int i = 0; i < n->n_slots; i++) {
        train_slot *s = &n->slot[i];
        s->last_g = 2 * n->n_steps - s->def;
        s->first_g = s->last_g;
    }
    for (int i = 0; i < n->n_steps; i++)
        for (int k = 0; n->step[i].back && k < n->step[i].n_in; k++)
            if (n->step[i].in_slot[k] >= 0) {
                train_slot *r = &n->slot[n->slot[n->step[i].in_slot[k]].root];
                r->first_g = 2 * n->n_steps - i < r->first_g ? 2 * n->n_steps - i : r->first_g;
            }
    n->slot[n->slot[n->output].root].first_g = n->n_steps;
    for (int c = 0; c < n->n_choices; c++) /* gates have gradients as long as candidates are run */
        n->slot[n->step[n->choice[c].step].out_slot[0]].last_g = train_choice_end(n, &n->choice[c]);
}

/* A gradient that a rule may write over that of its result is in its place: the same memory lives
 * until the last of such a row is read. */
static void
share_gradients(train_net *n)
{
    for (int i = 0; i < n->n_slots; i++)
        n->slot[i].g_root = i;
    for (int i = n->n_steps - 1; i >= 0; i--) {
        const train_step *t = &n->step[i];
        int y = t->out_slot[0];
        bool mine = n->slot[y].root == y && y != n->output && NASHC_HAS(t->rule, in_place);
        for (int z = 0; mine && z < t->n_fresh; z++) {
            int k = t->fresh[z].operand, x = t->fresh[z].slot;
            if (k < 0 || !(t->rule->in_place >> k & 1u) || n->slot[x].param >= 0 ||
                n->slot[x].owner != n->slot[y].owner ||
                train_slot_size(&n->slot[x], n->max_batch) !=
                    train_slot_size(&n->slot[y], n->max_batch))
                continue;
            train_slot *whole = &n->slot[n->slot[y].g_root];
            n->slot[x].g_root = n->slot[y].g_root;
            whole->last_g = whole->last_g > n->slot[x].last_g ? whole->last_g : n->slot[x].last_g;
            break;
        }
    }
}

/* --- the block ------------------------------------------------------------------------------- */

static nashc_status
ask_steps(planner *p)
{
    train_net *n = p->n;

    for (int i = 0; i < n->n_steps; i++) {
        train_step *t = &n->step[i];
        nashc_grad_call c;
        size_t saved = 0, scratch = 0;
        train_step_call(n, t, &c, true);
        nashc_status s = t->rule->sizes ? t->rule->sizes(&c, &saved, &scratch) : NASHC_OK;
        if (s != NASHC_OK)
            return s;
        n->scratch_size = scratch > n->scratch_size ? scratch : n->scratch_size;
        if (saved)
            ask(p, saved, i, needed_until(n, t, t->back ? 2 * n->n_steps - i : i), t->owner,
                &t->saved);
    }
    return NASHC_OK;
}

static void
ask_slots(planner *p)
{
    train_net *n = p->n;

    for (int i = 0; i < n->n_slots; i++) {
        train_slot *s = &n->slot[i];
        size_t size = (size_t)train_slot_size(s, n->max_batch) * sizeof(float);
        if (s->root != i || nashc_value_const(s->value))
            continue;
        ask(p, size, s->def, s->last_v, s->owner, (void **)&s->v);
        if (n->backward && s->wants && s->g_root == i)
            ask(p, size, s->first_g, s->last_g, s->owner, (void **)&s->g);
    }
}

/* Operand k as a gradient that begins with step t: the rule sets it if it can and no other operand
 * is of the same slot. */
static train_fresh
fresh(const train_net *n, const train_step *t, int k)
{
    int root = n->slot[t->in_slot[k]].root, times = 0;
    bool can = k < 32 && NASHC_HAS(t->rule, sets) && (t->rule->sets >> k & 1u);

    for (int i = 0; i < t->n_in; i++)
        times += t->in_slot[i] >= 0 && n->slot[t->in_slot[i]].root == root;
    return (train_fresh){root, can && times == 1 ? k : -1};
}

/* Whether the gradient of operand k begins with step t, at that time, and is not yet known to. Of
 * constants those of parameters that the rule sets: others are cleared beforehand. */
static bool
begins(const train_net *n, const train_step *t, int k, int time)
{
    int r = t->in_slot[k] < 0 ? -1 : n->slot[t->in_slot[k]].root;
    bool known = false;

    for (int z = 0; z < t->n_fresh; z++)
        known |= t->fresh[z].slot == r;
    if (r < 0 || known || !n->slot[r].wants || n->slot[r].first_g != time)
        return false;
    return !nashc_value_const(n->slot[r].value) ||
           (n->slot[r].param >= 0 && fresh(n, t, k).operand >= 0);
}

/* Slots whose gradients begin with the backward of step i. */
static nashc_status
find_fresh(train_net *n)
{
    for (int i = 0; i < n->n_steps; i++) {
        train_step *t = &n->step[i];
        t->fresh = NASHC_NEW_N(n->arena, train_fresh, t->n_in + 1);
        if (!t->fresh)
            return nashc_enomem(n->diag);
        for (int k = 0; t->back && k < t->n_in; k++)
            if (begins(n, t, k, 2 * n->n_steps - i))
                t->fresh[t->n_fresh++] = fresh(n, t, k);
        for (int z = 0; z < t->n_fresh; z++)
            if (n->slot[t->fresh[z].slot].param >= 0)
                n->param[n->slot[t->fresh[z].slot].param].begins = true;
    }
    return NASHC_OK;
}

static void
link_views(train_net *n)
{
    for (int i = 0; i < n->n_slots; i++) {
        train_slot *s = &n->slot[i];
        s->v = n->slot[s->root].v;
        s->g = n->slot[n->slot[s->root].g_root].g;
    }
}

/* Memory of at least `size` bytes, on large pages where the system has them; NULL: none left. */
static void *
reserve(size_t size)
{
    bool large = size >= PAGE;
    size_t unit = large ? PAGE : ALIGN;
    void *at;

    if (posix_memalign(&at, unit, (size / unit + 1) * unit) != 0)
        return NULL;
#if defined(MADV_HUGEPAGE)
    if (large)
        (void)madvise(at, (size / unit + 1) * unit, MADV_HUGEPAGE); /* only faster */
#endif
    return at;
}

nashc_status
train_plan(train_net *n)
{
    planner p = {.n = n};
    nashc_status s;

    values_live(n);
    gradients_live(n);
    s = find_fresh(n);
    share_gradients(n);
    p.piece = calloc((size_t)(2 * n->n_slots + n->n_steps + 1), sizeof *p.piece);
    if (s == NASHC_OK)
        s = p.piece ? ask_steps(&p) : nashc_enomem(n->diag);
    if (s == NASHC_OK) {
        ask_slots(&p);
        s = place(&p, &n->block_size) ? NASHC_OK : nashc_enomem(n->diag);
    }
    if (s == NASHC_OK &&
        (!(n->block = reserve(n->block_size)) || !(n->scratch = reserve(n->scratch_size))))
        s = nashc_enomem(n->diag);
    for (int i = 0; s == NASHC_OK && i < p.n_pieces; i++)
        *p.piece[i].where = n->block + p.piece[i].at;
    free(p.piece);
    link_views(n);
    return s;
}
