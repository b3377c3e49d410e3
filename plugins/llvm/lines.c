/* lines.c: reductions, greatest elements and softmax: plain loops, one element at a time and in the
 * order in which the reference takes them, so that sums have its bits. */
#include "lines.h"
#include "elt.h"
#include <math.h>
#include <string.h>

#define MOST_PICKED 16 /* of nn.topk, which are kept in registers */

typedef enum kind { SUM, MEAN, MAX, MIN, SOFTMAX, LOG_SOFTMAX, TOPK, ARGMAX } kind;

static const struct line_op {
    const char *name;
    kind kind;
    int axis; /* attribute that names it */
} line_ops[] = {
    {"nn.reduce_sum", SUM, 0}, {"nn.reduce_mean", MEAN, 0}, {"nn.reduce_max", MAX, 0},
    {"nn.reduce_min", MIN, 0}, {"nn.softmax", SOFTMAX, 0},  {"nn.log_softmax", LOG_SOFTMAX, 0},
    {"nn.topk", TOPK, 1},      {"nn.argmax", ARGMAX, 0},
};

static const struct line_op *
op_of(const nashc_node *n)
{
    for (size_t i = 0; i < NASHC_COUNT(line_ops); i++)
        if (nashc_node_is(n, line_ops[i].name))
            return &line_ops[i];
    return NULL;
}

static bool
plain(const nashc_type *t)
{
    return (nashc_type_is_int(t) && t->lo > INT64_MIN && t->hi < INT64_MAX) ||
           t->kind == NASHC_K_F32 || t->kind == NASHC_K_F64;
}

bool
cpu_lines_can(const nashc_node *n)
{
    const struct line_op *op = op_of(n);

    if (!op || nashc_value_const(nashc_node_in(n, 0)) ||
        !plain(nashc_value_type(nashc_node_in(n, 0))))
        return false;
    for (int i = 0; i < nashc_node_n_out(n); i++)
        if (!plain(nashc_value_type(nashc_node_out(n, i))) ||
            nashc_type_count(nashc_value_type(nashc_node_out(n, i))) < 1)
            return false;
    return op->kind != TOPK || nashc_attr_int(n, 0) <= MOST_PICKED;
}

/* --- loops ----------------------------------------------------------------------------------- */

/* What is looked at, and how: the operand's elements along some axes, for each place on the others.
 */
typedef struct lines {
    cpu_cg *g;
    const nashc_node *node;
    const struct line_op *op;
    const nashc_type *x;
    bool along[NASHC_MAX_RANK];
    cpu_class cls; /* to compute with */
} lines;

static void
axes_of(lines *l)
{
    int n = 0, rank = l->x->rank;
    bool list = l->op->kind <= MIN;
    const int64_t *axes = list ? nashc_attr_ints(l->node, l->op->axis, &n) : NULL;

    for (int a = 0; a < rank; a++)
        l->along[a] = list && n == 0;
    for (int i = 0; i < n; i++)
        l->along[axes[i] < 0 ? axes[i] + rank : axes[i]] = true;
    if (!list) {
        int64_t a = nashc_attr_int(l->node, l->op->axis);
        l->along[a < 0 ? a + rank : a] = true;
    }
}

/* The first axis across, whose places are the units of the step; -1: none. */
static int
shared_axis(const lines *l)
{
    for (int a = 0; a < l->x->rank; a++)
        if (!l->along[a] && l->x->dim[a] > 1)
            return a;
    return -1;
}

/* One loop an axis, over those along or those across; at: index of the element so far. */
static LLVMValueRef
loops_begin(lines *l, cpu_loop *loop, bool along, LLVMValueRef at, LLVMValueRef *carry, int n)
{
    int64_t step = nashc_type_count(l->x);

    for (int a = 0; a < l->x->rank; a++) {
        step /= l->x->dim[a];
        if (l->along[a] != along)
            continue;
        bool shared = a == shared_axis(l);
        cpu_loop_begin(l->g, &loop[a], shared ? l->g->from : cpu_int(l->g, 0),
                       shared ? l->g->to : cpu_int(l->g, l->x->dim[a]), 1, carry, n);
        at = cpu_addi(l->g, at, cpu_muli(l->g, loop[a].i, step));
    }
    return at;
}

static void
loops_end(lines *l, cpu_loop *loop, bool along, LLVMValueRef *carry)
{
    for (int a = l->x->rank - 1; a >= 0; a--)
        if (l->along[a] == along)
            cpu_loop_end(l->g, &loop[a], carry);
}

/* Index in a result that has count elements along, of which this is number k. */
static LLVMValueRef
result_index(lines *l, const cpu_loop *loop, int64_t count, LLVMValueRef k)
{
    LLVMValueRef at = cpu_int(l->g, 0);
    int64_t step = 1;

    for (int a = l->x->rank - 1; a >= 0; a--) {
        LLVMValueRef i = l->along[a] ? k : loop[a].i;
        if (i)
            at = cpu_addi(l->g, at, cpu_muli(l->g, i, step));
        step *= l->along[a] ? count : l->x->dim[a];
    }
    return at;
}

static LLVMValueRef
element(lines *l, LLVMValueRef at)
{
    int id = cpu_id(nashc_node_in(l->node, 0));

    return cpu_fetch(l->g, cpu_ptr_value(l->g, id), l->g->p->value[id].cell, at, 1, l->cls).v;
}

static void
put(lines *l, int out, LLVMValueRef at, LLVMValueRef v, cpu_class cls)
{
    int id = cpu_id(nashc_node_out(l->node, out));

    cpu_put(l->g, (cpu_vec){v, cls}, cpu_ptr_value(l->g, id), l->g->p->value[id].cell, at);
}

static LLVMValueRef
splat(lines *l, double f, int64_t i)
{
    return l->cls == CPU_F64 ? cpu_splat_f64(l->g, f).v : cpu_splat_int(l->g, CPU_I64, i);
}

static LLVMValueRef
compare(lines *l, LLVMRealPredicate f, LLVMIntPredicate i, LLVMValueRef a, LLVMValueRef b)
{
    return l->cls == CPU_F64 ? LLVMBuildFCmp(l->g->b, f, a, b, "")
                             : LLVMBuildICmp(l->g->b, i, a, b, "");
}

/* --- reductions ------------------------------------------------------------------------------ */

static LLVMValueRef
fold(lines *l, LLVMValueRef acc, LLVMValueRef v)
{
    bool f = l->cls == CPU_F64;

    if (l->op->kind <= MEAN)
        return f ? LLVMBuildFAdd(l->g->b, acc, v, "") : LLVMBuildAdd(l->g->b, acc, v, "");
    LLVMValueRef wins = l->op->kind == MAX ? compare(l, LLVMRealOGT, LLVMIntSGT, v, acc)
                                           : compare(l, LLVMRealOLT, LLVMIntSLT, v, acc);
    if (f) /* a NaN wins, and stays but for another */
        wins = LLVMBuildOr(l->g->b, wins, cpu_is_nan(l->g, v), "");
    return LLVMBuildSelect(l->g->b, wins, v, acc, "");
}

static void
reduce(lines *l)
{
    cpu_loop across[NASHC_MAX_RANK], along[NASHC_MAX_RANK];
    LLVMValueRef carry[1];
    const nashc_type *y = nashc_value_type(nashc_node_out(l->node, 0));
    int64_t count = nashc_type_count(l->x) / nashc_type_count(y);

    LLVMValueRef at = loops_begin(l, across, false, cpu_int(l->g, 0), NULL, 0);
    carry[0] = l->op->kind == MAX   ? splat(l, -INFINITY, INT64_MIN)
               : l->op->kind == MIN ? splat(l, INFINITY, INT64_MAX)
                                    : splat(l, 0, 0);
    at = loops_begin(l, along, true, at, carry, 1);
    carry[0] = fold(l, carry[0], element(l, at));
    loops_end(l, along, true, carry);
    if (l->op->kind == MEAN)
        carry[0] = LLVMBuildFDiv(l->g->b, carry[0], splat(l, (double)count, 0), "");
    put(l, 0, result_index(l, across, 1, NULL), carry[0], l->cls);
    loops_end(l, across, false, NULL);
}

/* --- the greatest or least ones -------------------------------------------------------------- */

/* Does v go in front of b? As insertion by nashc_buf_cmp decides, of NaN too. */
static LLVMValueRef
in_front(lines *l, LLVMValueRef v, LLVMValueRef b)
{
    if (l->op->kind == TOPK && !nashc_attr_bool(l->node, 2))
        return compare(l, LLVMRealULT, LLVMIntSLT, v, b);
    if (l->op->kind == ARGMAX && nashc_attr_bool(l->node, 2)) /* of equals the last */
        return compare(l, LLVMRealOGE, LLVMIntSGE, v, b);
    return compare(l, LLVMRealOGT, LLVMIntSGT, v, b);
}

/* Element v with number j takes its place among the best k; best: values, then numbers, -1: none.
 */
static void
insert(lines *l, LLVMValueRef *best, int k, LLVMValueRef v, LLVMValueRef j)
{
    LLVMBuilderRef b = l->g->b;
    LLVMValueRef moves[MOST_PICKED + 1], none = cpu_splat_int(l->g, CPU_I64, 0);

    for (int p = k - 1; p >= 0; p--) {
        moves[p] = LLVMBuildOr(b, LLVMBuildICmp(b, LLVMIntSLT, best[k + p], none, ""),
                               in_front(l, v, best[p]), "");
        if (p < k - 1)
            moves[p] = LLVMBuildAnd(b, moves[p], moves[p + 1], "");
    }
    for (int p = k - 1; p >= 0; p--) {
        LLVMValueRef value = v, number = j;
        if (p > 0) {
            value = LLVMBuildSelect(b, moves[p - 1], best[p - 1], v, "");
            number = LLVMBuildSelect(b, moves[p - 1], best[k + p - 1], j, "");
        }
        best[p] = LLVMBuildSelect(b, moves[p], value, best[p], "");
        best[k + p] = LLVMBuildSelect(b, moves[p], number, best[k + p], "");
    }
}

static void
pick(lines *l)
{
    cpu_loop across[NASHC_MAX_RANK], along[NASHC_MAX_RANK];
    LLVMValueRef best[2 * MOST_PICKED];
    bool topk = l->op->kind == TOPK;
    int k = topk ? (int)nashc_attr_int(l->node, 0) : 1, axis = 0;

    while (!l->along[axis])
        axis++;
    LLVMValueRef at = loops_begin(l, across, false, cpu_int(l->g, 0), NULL, 0);
    for (int p = 0; p < k; p++) {
        best[p] = splat(l, 0, 0);
        best[k + p] = cpu_splat_int(l->g, CPU_I64, -1);
    }
    at = loops_begin(l, along, true, at, best, 2 * k);
    insert(l, best, k, element(l, at), cpu_splat(l->g, along[axis].i));
    loops_end(l, along, true, best);
    for (int p = 0; p < k; p++) {
        LLVMValueRef to = result_index(l, across, k, cpu_int(l->g, p));
        if (topk)
            put(l, 0, to, best[p], l->cls);
        put(l, topk, to, best[k + p], CPU_I64);
    }
    loops_end(l, across, false, NULL);
}

/* --- softmax --------------------------------------------------------------------------------- */

static void
softmax(lines *l)
{
    LLVMBuilderRef b = l->g->b;
    cpu_loop across[NASHC_MAX_RANK], along[NASHC_MAX_RANK];
    LLVMValueRef max[1] = {NULL}, sum[1], first, at, v;

    first = loops_begin(l, across, false, cpu_int(l->g, 0), NULL, 0);
    max[0] = splat(l, -INFINITY, 0);
    at = loops_begin(l, along, true, first, max, 1);
    v = element(l, at);
    max[0] = LLVMBuildSelect(b, LLVMBuildFCmp(b, LLVMRealOGT, v, max[0], ""), v, max[0], "");
    loops_end(l, along, true, max);
    sum[0] = splat(l, 0, 0);
    at = loops_begin(l, along, true, first, sum, 1);
    v = cpu_f64_call(l->g, "llvm.exp", LLVMBuildFSub(b, element(l, at), max[0], ""));
    sum[0] = LLVMBuildFAdd(b, sum[0], v, "");
    loops_end(l, along, true, sum);
    if (l->op->kind == LOG_SOFTMAX)
        sum[0] = cpu_f64_call(l->g, "llvm.log", sum[0]);
    at = loops_begin(l, along, true, first, NULL, 0);
    v = LLVMBuildFSub(b, element(l, at), max[0], "");
    v = l->op->kind == LOG_SOFTMAX
            ? LLVMBuildFSub(b, v, sum[0], "")
            : LLVMBuildFDiv(b, cpu_f64_call(l->g, "llvm.exp", v), sum[0], "");
    put(l, 0, at, v, CPU_F64);
    loops_end(l, along, true, NULL);
    loops_end(l, across, false, NULL);
}

void
cpu_lines_emit(cpu_cg *g, cpu_step *s)
{
    const nashc_node *n = s->node;
    lines l = {.g = g, .node = n, .op = op_of(n), .x = nashc_value_type(nashc_node_in(n, 0))};

    axes_of(&l);
    int axis = shared_axis(&l);
    bool exp = l.op->kind == SOFTMAX || l.op->kind == LOG_SOFTMAX;
    l.cls = nashc_type_is_int(l.x) && l.op->kind != MEAN && !exp ? CPU_I64 : CPU_F64;
    s->units = axis >= 0 ? l.x->dim[axis] : 1;
    s->cost = (exp ? 60.0 : 4.0) * (double)nashc_type_count(l.x);
    cpu_fn_begin(g, s);
    g->lanes = 1;
    if (l.op->kind <= MIN)
        reduce(&l);
    else if (l.op->kind == TOPK || l.op->kind == ARGMAX)
        pick(&l);
    else
        softmax(&l);
    cpu_fn_end(g);
}
