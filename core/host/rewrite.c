/* rewrite.c: the worklist driver of patterns, and the edits a pattern may make.
 *
 * The worklist is seeded with the roots in topological order. After an edit only the new nodes, the
 * users of replaced values and the producers that lost or gained a use are queued again, so the
 * cost follows the edits and not passes x nodes. Stale entries are harmless: dead nodes are
 * skipped.
 */
#include "host.h"
#include "ir/impl.h"
#include <string.h>

/* of nodes at the begin: far above what patterns that get smaller need, low enough to end soon */
#define MAX_FIRES_PER_NODE 64

struct nashc_rw {
    nashc_run *run;
    nashc_graph *graph;
    nashc_build *build;
    nashc_node *root;
    nashc_node **queue; /* FIFO over a growing array */
    size_t head, tail, cap;
    uint8_t *queued; /* by node id */
    size_t n_queued;
    int64_t fires, max_fires;
    bool edited; /* in the rewrite now running */
    nashc_status status;
};

/* The first cause is kept; patterns go on with NULL values until they return. */
static void
fail(nashc_rw *rw, nashc_status s)
{
    if (rw->status == NASHC_OK)
        rw->status = s;
}

static void
fail_memory(nashc_rw *rw)
{
    if (rw->status == NASHC_OK)
        rw->status = nashc_enomem(rw->run->diag);
}

/* --- worklist -------------------------------------------------------------------------------- */

/* A byte for each node id, zero for new ones; ids grow while the pass makes nodes. */
static bool
side_table(uint8_t **table, size_t *n, uint32_t id)
{
    size_t old = *n;
    if (id < old)
        return true;
    if (!nashc_mem_grow((void **)table, n, (size_t)id + 1, 1))
        return false;
    memset(*table + old, 0, *n - old);
    return true;
}

/* Each node at most once in the queue, however many edits touch it. */
static void
push(nashc_rw *rw, nashc_node *n)
{
    if (!n || nashc_node_dead(n))
        return;
    uint32_t id = nashc_node_id(n);
    if (!side_table(&rw->queued, &rw->n_queued, id)) {
        fail_memory(rw);
        return;
    }
    if (rw->queued[id])
        return;
    if (rw->tail == rw->cap && rw->head > rw->cap / 2) { /* reuse the front */
        memmove(rw->queue, rw->queue + rw->head, (rw->tail - rw->head) * sizeof *rw->queue);
        rw->tail -= rw->head;
        rw->head = 0;
    }
    if (!nashc_mem_grow((void **)&rw->queue, &rw->cap, rw->tail + 1, sizeof *rw->queue)) {
        fail_memory(rw);
        return;
    }
    rw->queued[id] = 1;
    rw->queue[rw->tail++] = n;
}

static nashc_node *
pop(nashc_rw *rw)
{
    if (rw->head == rw->tail)
        return NULL;
    nashc_node *n = rw->queue[rw->head++];
    rw->queued[nashc_node_id(n)] = 0;
    return n;
}

static void
push_users(nashc_rw *rw, const nashc_value *v)
{
    int n;
    nashc_node **users = nashc_value_users(v, rw->run->arena, &n);
    for (int i = 0; users && i < n; i++)
        push(rw, users[i]);
}

/* A node without readers is dead code: patterns are not shown it, or they would rewrite what is
 * thrown away. */
static bool
is_read(const nashc_node *n)
{
    for (int i = 0; i < nashc_node_n_out(n); i++)
        if (nashc_value_n_uses(nashc_node_out(n, i)) > 0)
            return true;
    return false;
}

/* Erases n, whose results are unused, and every producer that becomes unused by it; producers that
 * stay are queued. */
static void
erase_dead(nashc_rw *rw, nashc_node *n)
{
    nashc_node **stack = NULL;
    size_t depth = 0, cap = 0;
    for (nashc_node *now = n; now; now = depth > 0 ? stack[--depth] : NULL) {
        if (nashc_node_dead(now))
            continue;
        if (is_read(now)) {
            push(rw, now);
            continue;
        }
        size_t n_in = (size_t)nashc_node_n_in(now);
        if (!nashc_mem_grow((void **)&stack, &cap, depth + n_in + 1, sizeof *stack)) {
            fail_memory(rw);
            break;
        }
        for (size_t i = 0; i < n_in; i++) {
            nashc_value *v = nashc_node_in(now, (int)i);
            if (v && nashc_value_def(v))
                stack[depth++] = nashc_value_def(v);
        }
        nashc_node_erase(now, false);
    }
    nashc_mem_free(stack);
}

/* --- types after an edit --------------------------------------------------------------------- */

/* Infers n and onwards as far as types change, so that a local edit stays local. Users are visited
 * in a queue of their own; those whose operand types changed are queued for the patterns, too. */
static void
infer_from(nashc_rw *rw, nashc_node **list, int n)
{
    nashc_node **todo = NULL;
    size_t head = 0, tail = 0, cap = 0;
    bool ok = nashc_mem_grow((void **)&todo, &cap, (size_t)n + 1, sizeof *todo);
    for (int i = 0; ok && i < n; i++)
        todo[tail++] = list[i];
    while (ok && head < tail && rw->status == NASHC_OK) {
        nashc_node *now = todo[head++];
        int n_out = nashc_node_n_out(now);
        nashc_type *types = NASHC_NEW_N(rw->run->arena, nashc_type, n_out + 1);
        if (!types) {
            ok = false;
            break;
        }
        nashc_status s = nashc_node_infer(now, types, rw->run->diag);
        if (s != NASHC_OK) {
            fail(rw, s);
            break;
        }
        for (int i = 0; ok && i < n_out; i++) {
            nashc_value *v = nashc_node_out(now, i);
            if (nashc_type_eq(&types[i], nashc_value_type(v)))
                continue;
            nashc_value_set_type(v, &types[i]);
            int n_users;
            nashc_node **users = nashc_value_users(v, rw->run->arena, &n_users);
            ok = (users || n_users == 0) &&
                 nashc_mem_grow((void **)&todo, &cap, tail + (size_t)n_users + 1, sizeof *todo);
            for (int u = 0; ok && u < n_users; u++) {
                todo[tail++] = users[u];
                push(rw, users[u]);
            }
        }
    }
    if (!ok)
        fail_memory(rw);
    nashc_mem_free(todo);
}

/* --- driver ---------------------------------------------------------------------------------- */

/* "nn.*" fits all ops that begin so. */
static bool
root_fits(const char *root, const char *op)
{
    size_t len = strlen(root);
    if (len > 0 && root[len - 1] == '*')
        return strncmp(root, op, len - 1) == 0;
    return strcmp(root, op) == 0;
}

static bool
has_pattern(const nashc_pass *p, const nashc_node *n)
{
    for (int i = 0; p->patterns[i]; i++)
        if (root_fits(p->patterns[i]->root, nashc_node_opname(n)))
            return true;
    return false;
}

/* Far more rewrites than nodes: the patterns undo each other. */
static bool
fires_too_often(nashc_rw *rw, const nashc_node *n)
{
    if (++rw->fires <= rw->max_fires)
        return false;
    nashc_loc loc = *nashc_node_loc(n);
    fail(rw,
         nashc_bug(rw->run->diag, &loc,
                   "pass \"%s\" does not come to an end: %" PRId64 " rewrites, the last at a %s",
                   rw->run->pass->name, rw->fires, nashc_node_opname(n)));
    return true;
}

/* The patterns in their order, the first that fires ends it: the root is queued again and meets all
 * of them anew. A pattern that edits must say so, else the bisect limit and the counters would lie;
 * that is checked. */
static void
try_root(nashc_rw *rw, nashc_node *n)
{
    const nashc_pass *p = rw->run->pass;
    for (int i = 0; p->patterns[i] && !nashc_node_dead(n) && rw->status == NASHC_OK; i++) {
        if (!root_fits(p->patterns[i]->root, nashc_node_opname(n)))
            continue;
        if (rw->run->pm && rw->run->pm->o.bisect_limit >= 0 &&
            rw->run->pm->n_edits >= rw->run->pm->o.bisect_limit) {
            rw->run->pm->stopped = true;
            return;
        }
        rw->root = n;
        rw->edited = false;
        nashc_build_before(rw->build, n);
        nashc_build_loc(rw->build, nashc_node_loc(n));
        const char *opname = nashc_node_opname(n);
        /* for crash reports */
        rw->run->frame.node = n;
        bool changed = p->patterns[i]->rewrite(rw, n);
        rw->run->frame.node = NULL;
        if (rw->status == NASHC_OK)
            rw->status = nashc_build_status(rw->build);
        if (rw->status != NASHC_OK)
            return;
        if (!changed) {
            if (rw->edited)
                fail(rw, nashc_bug(rw->run->diag, NULL,
                                   "pass \"%s\" edited at a node %s and then declined", p->name,
                                   opname));
            continue;
        }
        nashc_run_edit(rw->run, "rewrite", n);
        if (!fires_too_often(rw, n))
            push(rw, n);
        return;
    }
}

/* Ends when the queue is empty. Roots that died or lost their readers while they waited are passed
 * over. */
nashc_status
nashc_rewrite_graph(nashc_run *r, nashc_graph *g)
{
    nashc_rw rw = {.run = r, .graph = g};
    rw.max_fires = MAX_FIRES_PER_NODE * ((int64_t)nashc_graph_n_nodes(g) + 1);
    rw.build = nashc_build_create(g, r->diag);
    if (!rw.build)
        return nashc_enomem(r->diag);
    NASHC_EACH_NODE(g, n)
    {
        if (has_pattern(r->pass, n))
            push(&rw, n);
    }
    for (nashc_node *n; rw.status == NASHC_OK && (n = pop(&rw));)
        if (!nashc_node_dead(n) && is_read(n) && has_pattern(r->pass, n))
            try_root(&rw, n);
    nashc_mem_free(rw.queue);
    nashc_mem_free(rw.queued);
    return rw.status;
}

/* --- what patterns call ---------------------------------------------------------------------- */

nashc_diag *
nashc_rw_diag(nashc_rw *rw)
{
    return rw->run->diag;
}

nashc_arena *
nashc_rw_arena(nashc_rw *rw)
{
    return rw->run->arena;
}

const nashc_opts *
nashc_rw_opts(nashc_rw *rw)
{
    return rw->run->opts;
}

nashc_run *
nashc_rw_run(nashc_rw *rw)
{
    return rw->run;
}

nashc_graph *
nashc_rw_graph(nashc_rw *rw)
{
    return rw->graph;
}

void
nashc_rw_stat(nashc_rw *rw, int i, int64_t by)
{
    nashc_stat(rw->run, i, by);
}

bool
nashc_rw_miss(nashc_rw *rw, const nashc_node *n, const char *fmt, ...)
{
    if (!rw->run->explain)
        return false;
    va_list ap;
    va_start(ap, fmt);
    const char *text = nashc_arena_vprintf(rw->run->arena, fmt, ap);
    va_end(ap);
    return nashc_run_miss(rw->run, n, "%s", text ? text : "");
}

void
nashc_rw_at(nashc_rw *rw, nashc_node *n)
{
    if (n)
        nashc_build_before(rw->build, n);
}

void
nashc_rw_after(nashc_rw *rw, nashc_node *n)
{
    if (n)
        nashc_build_before(rw->build, nashc_node_next(n));
}

void
nashc_rw_loc(nashc_rw *rw, const nashc_node *n)
{
    if (n)
        nashc_build_loc(rw->build, nashc_node_loc(n));
}

/* Queues n if the pass looks at such nodes at all. */
static void
push_rooted(nashc_rw *rw, nashc_node *n)
{
    if (n && has_pattern(rw->run->pass, n))
        push(rw, n);
}

/* NULL from the builder fails the rewrite; the builder has told why. */
static nashc_node *
made(nashc_rw *rw, nashc_node *n)
{
    rw->edited = true;
    if (!n) {
        nashc_status s = nashc_build_status(rw->build);
        fail(rw, s == NASHC_OK ? NASHC_EBUG : s);
        return NULL;
    }
    push(rw, n);
    for (int i = 0; i < nashc_node_n_in(n); i++) { /* these gained a reader */
        const nashc_value *v = nashc_node_in(n, i);
        if (v)
            push_rooted(rw, nashc_value_def(v));
    }
    return n;
}

static nashc_value *
result(nashc_node *n)
{
    return n ? nashc_node_out(n, 0) : NULL;
}

nashc_value *
nashc_rw_op(nashc_rw *rw, const char *op, nashc_value *const *in, int n_in)
{
    return result(made(rw, nashc_build_node(rw->build, op, in, n_in, 1, NULL)));
}

nashc_value *
nashc_rw_opf(nashc_rw *rw, const char *op, nashc_value *const *in, int n_in, const char *attrs, ...)
{
    va_list ap;
    va_start(ap, attrs);
    const char *text = attrs ? nashc_arena_vprintf(rw->run->arena, attrs, ap) : "";
    va_end(ap);
    if (!text)
        fail_memory(rw);
    return result(made(rw, nashc_build_node(rw->build, op, in, n_in, 1, "%s", text ? text : "")));
}

nashc_node *
nashc_rw_node(nashc_rw *rw, const char *op, nashc_value *const *in, int n_in, int n_out,
              const char *attrs, ...)
{
    va_list ap;
    va_start(ap, attrs);
    const char *text = attrs ? nashc_arena_vprintf(rw->run->arena, attrs, ap) : "";
    va_end(ap);
    if (!text)
        fail_memory(rw);
    return made(rw, nashc_build_node(rw->build, op, in, n_in, n_out, "%s", text ? text : ""));
}

nashc_value *
nashc_rw_like(nashc_rw *rw, const nashc_node *like, nashc_value *const *in, int n_in)
{
    return result(made(rw, nashc_build_like(rw->build, like, in, n_in)));
}

nashc_node *
nashc_rw_like_with(nashc_rw *rw, const nashc_node *like, nashc_value *const *in, int n_in,
                   const char *attrs)
{
    if (!attrs)
        fail_memory(rw);
    return made(rw, nashc_build_like_with(rw->build, like, in, n_in, attrs ? attrs : ""));
}

/* t is taken over. Constants are no nodes: nothing is queued. */
nashc_value *
nashc_rw_const(nashc_rw *rw, nashc_tensor *t)
{
    rw->edited = true;
    return nashc_build_const(rw->build, NULL, t);
}

nashc_value *
nashc_rw_f64(nashc_rw *rw, double v)
{
    rw->edited = true;
    return nashc_build_f64(rw->build, v);
}

nashc_value *
nashc_rw_int(nashc_rw *rw, int64_t v)
{
    rw->edited = true;
    return nashc_build_int(rw->build, v);
}

const char *
nashc_rw_ints(nashc_rw *rw, const int64_t *v, int n)
{
    return nashc_build_ints(rw->build, v, n);
}

/* Users are listed before the replacement, while they still are old's. They are looked at again, as
 * is the producer of v, which gained readers; what only old kept alive goes. */
void
nashc_rw_replace(nashc_rw *rw, nashc_value *old, nashc_value *v)
{
    rw->edited = true;
    if (!old || !v || rw->status != NASHC_OK) {
        nashc_status s = nashc_build_status(rw->build);
        fail(rw, s == NASHC_OK ? NASHC_EBUG : s);
        return;
    }
    if (old == v)
        return;
    int n;
    nashc_node **users = nashc_value_users(old, rw->run->arena, &n);
    if (!users && n > 0) {
        fail_memory(rw);
        return;
    }
    /* the elements of a constant say more than its type */
    bool retype =
        nashc_value_const(v) || !nashc_type_eq(nashc_value_type(old), nashc_value_type(v));
    nashc_node *def = nashc_value_def(old);
    nashc_value_replace(old, v);
    for (int i = 0; i < n; i++)
        push(rw, users[i]);
    if (nashc_value_def(v))
        push(rw, nashc_value_def(v));
    if (retype)
        infer_from(rw, users, n);
    if (def)
        erase_dead(rw, def);
}

void
nashc_rw_set_in(nashc_rw *rw, nashc_node *n, int i, nashc_value *v)
{
    rw->edited = true;
    if (!n || rw->status != NASHC_OK) {
        fail(rw, NASHC_EBUG);
        return;
    }
    nashc_value *old = nashc_node_in(n, i);
    nashc_node_set_in(n, i, v);
    push(rw, n);
    infer_from(rw, &n, 1);
    if (v)
        push_users(rw, v);
    if (old && old != v && nashc_value_def(old))
        erase_dead(rw, nashc_value_def(old));
}

void
nashc_rw_set_attr(nashc_rw *rw, nashc_node *n, const char *name, const char *text)
{
    rw->edited = true;
    if (!n || rw->status != NASHC_OK) {
        fail(rw, NASHC_EBUG);
        return;
    }
    nashc_status s = nashc_node_set_attr(n, name, text, rw->run->diag);
    if (s != NASHC_OK) {
        fail(rw, s);
        return;
    }
    push(rw, n);
    infer_from(rw, &n, 1);
}

void
nashc_rw_erase(nashc_rw *rw, nashc_node *n)
{
    rw->edited = true;
    if (n && !nashc_node_dead(n))
        erase_dead(rw, n);
}
