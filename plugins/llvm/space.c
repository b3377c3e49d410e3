/* space.c: where the operands of an element-wise result lie, and fetching them. */
#include "elt.h"
#include <string.h>

/* Step of operand type t along each axis of out, 0 where it is broadcast. */
static void
steps_of(const nashc_type *t, const nashc_type *out, int64_t *step)
{
    int lead = out->rank - t->rank;
    int64_t size = 1;

    memset(step, 0, NASHC_MAX_RANK * sizeof *step);
    for (int a = t->rank - 1; a >= 0; a--) {
        step[a + lead] = t->dim[a] == 1 ? 0 : size;
        size *= t->dim[a];
    }
}

static void
channel_steps(const nashc_type *out, int64_t *step)
{
    int axis = nashc_type_channel_axis(out);

    memset(step, 0, NASHC_MAX_RANK * sizeof *step);
    if (axis >= 0 && out->dim[axis] > 1)
        step[axis] = 1;
}

/* Can axis a of out be merged with the next axis of size > 1, which is b? */
static bool
mergeable(const int64_t *step, const nashc_type *out, int a, int b)
{
    return step[a] == step[b] * out->dim[b];
}

/* Does n read tables by channel? */
static bool
has_channels(const nashc_node *n)
{
    static const char *const ops[] = {"q.multithreshold", "q.requant", "q.lut", "nn.batchnorm",
                                      NULL};

    return nashc_node_is_any(n, ops);
}

/* Calls f with the steps of everything n reads but operand chain; false as soon as f is. */
static bool
each_view(const nashc_node *n, int chain, const nashc_type *out,
          bool (*f)(void *user, const int64_t *step), void *user)
{
    int64_t step[NASHC_MAX_RANK];

    if (has_channels(n)) {
        channel_steps(out, step);
        if (!f(user, step))
            return false;
    }
    for (int i = 0; i < (has_channels(n) ? 1 : nashc_node_n_in(n)); i++) {
        if (i == chain || !nashc_node_in(n, i))
            continue;
        steps_of(nashc_value_type(nashc_node_in(n, i)), out, step);
        if (!f(user, step))
            return false;
    }
    return true;
}

typedef struct merge {
    const nashc_type *out;
    int a, b;
} merge;

static bool
merge_allows(void *user, const int64_t *step)
{
    const merge *m = user;

    return mergeable(step, m->out, m->a, m->b);
}

void
cpu_space_of(cpu_space *s, const nashc_node *const *nodes, int n, const nashc_type *out)
{
    memset(s, 0, sizeof *s);
    for (int a = 0; a < out->rank; a++) {
        if (out->dim[a] == 1)
            continue;
        merge m = {out, s->rank ? s->axis[s->rank - 1] : 0, a};
        bool fits = s->rank > 0;
        for (int k = 0; fits && k < n; k++)
            fits = each_view(nodes[k], -1, out, merge_allows, &m);
        if (!fits)
            s->dim[s->rank++] = 1;
        s->dim[s->rank - 1] *= out->dim[a];
        s->axis[s->rank - 1] = a;
    }
    if (!s->rank) {
        s->rank = 1;
        s->dim[0] = 1;
        s->axis[0] = out->rank ? out->rank - 1 : 0;
    }
}

typedef struct rows {
    const nashc_type *out;
} rows;

/* Are all axes but the last one line under this step? */
static bool
rows_allow(void *user, const int64_t *step)
{
    const nashc_type *out = ((const rows *)user)->out;
    int before = -1;

    for (int a = 0; a < out->rank - 1; a++) {
        if (out->dim[a] == 1)
            continue;
        if (before >= 0 && !mergeable(step, out, before, a))
            return false;
        before = a;
    }
    return true;
}

bool
cpu_space_rows(cpu_space *s, const nashc_node *n, int chain, const nashc_type *out)
{
    rows r = {out};

    *s = (cpu_space){.rank = 2, .dim = {1, out->dim[out->rank - 1]}, .axis = {0, out->rank - 1}};
    for (int a = 0; a < out->rank - 1; a++) {
        s->dim[0] *= out->dim[a];
        s->axis[0] = out->dim[a] > 1 ? a : s->axis[0];
    }
    return !n || each_view(n, chain, out, rows_allow, &r);
}

/* Index of the element at pt under step, and the distance of lanes. */
static LLVMValueRef
index_at(cpu_cg *g, const cpu_point *pt, const int64_t *step, int64_t *lane)
{
    const cpu_space *s = pt->space;
    LLVMValueRef sum = cpu_int(g, 0);

    for (int k = 0; k < s->rank; k++) {
        int64_t by = step[s->axis[k]];
        if (pt->at[k] && by)
            sum = cpu_addi(g, sum, cpu_muli(g, pt->at[k], by));
    }
    *lane = step[s->axis[s->rank - 1]];
    return sum;
}

cpu_vec
cpu_operand(cpu_cg *g, const cpu_point *pt, const nashc_value *v, const nashc_type *out,
            cpu_class want)
{
    const nashc_tensor *t = nashc_value_const(v);
    int64_t step[NASHC_MAX_RANK], lane;

    if (t && nashc_tensor_is_scalar(t))
        return want == CPU_F64
                   ? cpu_splat_f64(g, nashc_tensor_get(t, 0))
                   : (cpu_vec){cpu_splat_int(g, want, nashc_tensor_get_int(t, 0)), want};
    steps_of(nashc_value_type(v), out, step);
    LLVMValueRef at = index_at(g, pt, step, &lane);
    if (t)
        return cpu_fetch(g, cpu_ptr_const(g, nashc_tensor_data(t)), nashc_tensor_buf(t)->cell, at,
                         lane, want);
    return cpu_fetch(g, cpu_ptr_value(g, cpu_id(v)), g->p->value[cpu_id(v)].cell, at, lane, want);
}

cpu_vec
cpu_channels(cpu_cg *g, const cpu_point *pt, const void *table, nashc_cell cell,
             const nashc_type *out, cpu_class want)
{
    int64_t step[NASHC_MAX_RANK], lane;

    channel_steps(out, step);
    LLVMValueRef at = index_at(g, pt, step, &lane);
    return cpu_fetch(g, cpu_ptr_const(g, table), cell, at, lane, want);
}

cpu_class
cpu_class_of(int64_t lo, int64_t hi)
{
    return lo >= INT32_MIN && hi <= INT32_MAX ? CPU_I32 : CPU_I64;
}

cpu_class
cpu_class_of_type(const nashc_type *t)
{
    return nashc_type_is_int(t) ? cpu_class_of(t->lo, t->hi) : CPU_F64;
}
