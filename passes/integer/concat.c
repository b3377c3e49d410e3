/* concat.c: concatenations of the model on integers: scales, offsets and intervals behind each
 * other, too.
 */
#include "integer.h"

typedef struct concat {
    int n, axis;
    nashc_value **v; /* operands in the model */
    si_value **x;    /* what they are */
    nashc_value **integer;
    const nashc_type *type; /* of the result */
} concat;

/* Shape of the operands' arrays behind each other: that of the result, where one of them varies. */
static bool
joined_shape(si_job *job, const concat *c, const si_array *const *a, si_array *out)
{
    int64_t dim[NASHC_MAX_RANK];
    for (int k = 0; k < c->type->rank; k++) {
        dim[k] = k == c->axis ? c->type->dim[k] : 1;
        for (int i = 0; i < c->n; i++)
            if (k != c->axis && si_varies(a[i], nashc_value_type(c->v[i]), k))
                dim[k] = c->type->dim[k];
    }
    return si_shape_array(job, out, c->type->rank, dim);
}

static bool
all_equal(const si_array *const *a, int n)
{
    for (int i = 0; i < n; i++)
        if (a[i]->n != 1 || a[i]->v[0] != a[0]->v[0])
            return false;
    return true;
}

/* The arrays of the operands, one behind the other along the axis. */
static bool
join_arrays(si_job *job, const concat *c, const si_array *const *a, si_array *out)
{
    if (all_equal(a, c->n)) {
        *out = *a[0];
        return true;
    }
    if (!joined_shape(job, c, a, out))
        return false;
    nashc_type full = nashc_type_shaped(nashc_type_f64(), out->rank, out->dim);
    int64_t inner = 1, length = out->dim[c->axis];
    for (int k = c->axis + 1; k < out->rank; k++)
        inner *= out->dim[k];
    for (int64_t e = 0; e < out->n; e++) {
        int64_t at = e / inner % length, rest = e % inner, outer = e / inner / length;
        int i = 0;
        while (at >= nashc_value_type(c->v[i])->dim[c->axis])
            at -= nashc_value_type(c->v[i++])->dim[c->axis];
        nashc_type part = full;
        part.dim[c->axis] = nashc_value_type(c->v[i])->dim[c->axis];
        out->v[e] = si_at(a[i], &part, (outer * part.dim[c->axis] + at) * inner + rest);
    }
    si_squeeze(out);
    return true;
}

/* All operands as affine forms. */
static bool
set_operands(si_walk *walk, const nashc_node *n, concat *c)
{
    c->n = nashc_node_n_in(n);
    c->type = nashc_value_type(nashc_node_out(n, 0));
    c->axis = (int)nashc_node_int(n, "axis");
    c->axis += c->axis < 0 ? c->type->rank : 0;
    c->v = si_alloc(walk->job, c->n, sizeof(*c->v));
    c->x = si_alloc(walk->job, c->n, sizeof(*c->x));
    c->integer = si_alloc(walk->job, c->n, sizeof(*c->integer));
    if (!c->v || !c->x || !c->integer)
        return false;
    for (int i = 0; i < c->n; i++) {
        c->v[i] = nashc_node_in(n, i);
        if (!(c->x[i] = si_affine(walk, c->v[i])))
            return si_no(walk->job, "an operand is not on an integer grid");
        c->integer[i] = c->x[i]->tensor->integer;
    }
    return true;
}

/* Scales need not agree: the result has one for each position along the axis, if need be. */
static bool
rebuild_concat(si_walk *walk, nashc_node *n)
{
    enum { SCALE, BIAS, LO, HI, ARRAYS };
    concat c;
    si_array joined[ARRAYS];
    if (!set_operands(walk, n, &c))
        return false;
    const si_array **a = si_alloc(walk->job, c.n, sizeof(*a));
    for (int k = 0; k < ARRAYS; k++) {
        for (int i = 0; a && i < c.n; i++) {
            const si_value *x = c.x[i];
            a[i] = k == SCALE  ? &x->scale
                   : k == BIAS ? &x->bias
                   : k == LO   ? &x->tensor->lo
                               : &x->tensor->hi;
        }
        if (!a || !join_arrays(walk->job, &c, a, &joined[k]))
            return false;
    }
    nashc_value *integer =
        si_emit(walk, "nn.concat", c.integer, c.n, nashc_node_attr_text(n, walk->job->arena));
    return integer && si_anchor(walk, nashc_node_out(n, 0), integer, &joined[SCALE], &joined[BIAS],
                                &joined[LO], &joined[HI], NULL, NULL);
}

static const nashc_integer_rule rule = {NASHC_DESC(nashc_integer_rule), .rebuild = rebuild_concat};

extern const nashc_impl nashc_impl_scaled_integer_nn_concat;
const nashc_impl nashc_impl_scaled_integer_nn_concat =
    NASHC_IMPL_SCALED_INTEGER("nn.concat", &rule);
