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

/* --- constants among the operands --------------------------------------------------------------
 *
 *     concat(x, c, y)    ==>    concat(pad(x), y) + [0, c, 0]
 *
 * A layer joins streams, and a constant is none: it is room that a computed operand makes, filled
 * by an addition.
 */

/* Room at both ends of the computed operands, and what fills it. */
typedef struct room {
    int64_t *before, *behind; /* by operand, along the axis */
    double *fill;             /* by operand: the integer that it is padded with */
    int n;                    /* computed operands */
} room;

/* A constant in front of the first computed operand is in front of it, any other one behind the
 * one before. */
static bool
find_room(si_walk *walk, const concat *c, room *r)
{
    int64_t front = 0;
    int last = -1;
    r->before = si_alloc(walk->job, c->n, sizeof(*r->before));
    r->behind = si_alloc(walk->job, c->n, sizeof(*r->behind));
    r->fill = si_alloc(walk->job, c->n, sizeof(*r->fill));
    if (!r->before || !r->behind || !r->fill)
        return false;
    for (int i = 0; i < c->n; i++) {
        const nashc_type *t = nashc_value_type(c->integer[i]);
        if (si_is_const(walk, c->v[i])) {
            *(last < 0 ? &front : &r->behind[last]) += t->dim[c->axis];
            continue;
        }
        r->before[i] = last < 0 ? front : 0;
        r->fill[i] = t->kind == NASHC_K_BIP || t->hi < 0 ? (double)t->hi
                     : t->lo > 0                         ? (double)t->lo
                                                         : 0.0;
        last = i;
        r->n++;
    }
    return true;
}

/* The integers of computed operand i with room. */
static nashc_value *
padded(si_walk *walk, const concat *c, const room *r, int i)
{
    int64_t pads[2 * NASHC_MAX_RANK] = {0};
    si_array fill = si_scalar(walk->job, r->fill[i]);
    if (!r->before[i] && !r->behind[i])
        return c->integer[i];
    pads[c->axis] = r->before[i];
    pads[c->axis + c->type->rank] = r->behind[i];
    nashc_value *in[2] = {c->integer[i], r->fill[i] != 0 ? si_const_int(walk, &fill) : NULL};
    return si_emit(walk, "nn.pad", in, in[1] ? 2 : 1,
                   nashc_arena_printf(walk->job->arena, "pads=%s",
                                      nashc_build_ints(walk->build, pads, 2 * c->type->rank)));
}

/* What fills the room: constants minus what they are padded with, 0 elsewhere. */
static bool
filling(si_walk *walk, const concat *c, const room *r, si_array *out)
{
    int64_t inner = 1, outer = 1, at = 0;
    int first = 0, last;
    if (!si_shape_array(walk->job, out, c->type->rank, c->type->dim))
        return false;
    for (int k = 0; k < c->type->rank; k++)
        *(k < c->axis ? &outer : &inner) *= k == c->axis ? 1 : c->type->dim[k];
    while (si_is_const(walk, c->v[first]))
        first++;
    last = first;
    for (int i = 0; i < c->n; i++) {
        int64_t size = nashc_value_type(c->v[i])->dim[c->axis];
        const nashc_tensor *codes = nashc_value_const(c->integer[i]);
        last = codes ? last : i;
        for (int64_t o = 0; codes && o < outer; o++)
            for (int64_t k = 0; k < size * inner; k++)
                out->v[(o * c->type->dim[c->axis] + at) * inner + k] =
                    (double)nashc_tensor_get_int(codes, o * size * inner + k) - r->fill[last];
        at += size;
    }
    si_squeeze(out);
    return true;
}

static nashc_value *
emit_concat(si_walk *walk, const nashc_node *n, const concat *c)
{
    const char *attrs = nashc_node_attr_text(n, walk->job->arena);
    room r = {0};
    si_array fill;
    int k = 0;
    if (!find_room(walk, c, &r))
        return NULL;
    if (r.n == c->n)
        return si_emit(walk, "nn.concat", c->integer, c->n, attrs);
    nashc_value **v = si_alloc(walk->job, c->n, sizeof(*v)), *y;
    for (int i = 0; v && i < c->n; i++)
        if (!si_is_const(walk, c->v[i]) && !(v[k++] = padded(walk, c, &r, i)))
            return NULL;
    if (!v || !filling(walk, c, &r, &fill))
        return NULL;
    y = k == 1 ? v[0] : si_emit(walk, "nn.concat", v, k, attrs);
    if (!y || si_zero(&fill))
        return y;
    return si_emit(walk, "nn.add", (nashc_value *[]){y, si_const_int(walk, &fill)}, 2, NULL);
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
    nashc_value *integer = emit_concat(walk, n, &c);
    return integer && si_anchor(walk, nashc_node_out(n, 0), integer, &joined[SCALE], &joined[BIAS],
                                &joined[LO], &joined[HI], NULL, NULL);
}

static const nashc_integer_rule rule = {NASHC_DESC(nashc_integer_rule), .rebuild = rebuild_concat};

extern const nashc_impl nashc_impl_scaled_integer_nn_concat;
const nashc_impl nashc_impl_scaled_integer_nn_concat =
    NASHC_IMPL_SCALED_INTEGER("nn.concat", &rule);
