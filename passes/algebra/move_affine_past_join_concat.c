/* move_affine_past_join_concat.c
 *
 *     concat(x * a, y * b, ...; axis)     ==>     concat(x, y, ...) * c
 *     concat(x + a, y + b, ...; axis)     ==>     concat(x, y, ...) + c
 *
 * Each constant is a scalar or varies along axis only; c is the scalar if all are one and the same,
 * else their elements one behind the other along axis.
 * Terminates: each rewrite leaves one linear op for several.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"

/* Elements of all constants along axis as one vector; v NULL when memory is out. */
static number
joined(nashc_rw *rw, const affine *a, int n, const nashc_type *y, int axis)
{
    nashc_type shape = match_vector(y, axis, y->dim[axis]);
    number c = number_new(rw, &shape, true);
    int64_t at = 0;

    for (int i = 0; i < n; i++) {
        number part = number_of(rw, a[i].t);
        c.integer = c.integer && part.integer;
        if (!part.v || !c.v)
            return (number){0};
        for (int64_t k = 0; k < nashc_value_type(a[i].x)->dim[axis]; k++)
            c.v[at++] = part.v[part.n == 1 ? 0 : k];
    }
    bool same = true;
    for (int64_t i = 1; i < c.n; i++)
        same = same && c.v[i] == c.v[0];
    if (same && c.n > 0) {
        c.type.rank = 0;
        c.n = 1;
    }
    return c;
}

static bool
move_affine(nashc_rw *rw, nashc_node *n, const char *op)
{
    int n_in = nashc_node_n_in(n);
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    int axis = (int)nashc_node_int(n, "axis");
    affine *a = NASHC_NEW_N(nashc_rw_arena(rw), affine, n_in + 1);
    nashc_value **in = NASHC_NEW_N(nashc_rw_arena(rw), nashc_value *, n_in + 1);

    axis += axis < 0 ? y->rank : 0;
    if (!a || !in || n_in < 2)
        return false;
    for (int i = 0; i < n_in; i++)
        if (!nashc_value_def_by(nashc_node_in(n, i), op))
            return false;
    for (int i = 0; i < n_in; i++) {
        if (!affine_before(rw, nashc_node_in(n, i), op, &a[i]))
            return false;
        if (match_axes(a[i].t, nashc_value_type(a[i].x)) & ~(1u << axis))
            return nashc_rw_miss(rw, a[i].node, "the constant varies along another axis");
        in[i] = a[i].x;
    }
    number c = joined(rw, a, n_in, y, axis);
    if (!c.v)
        return nashc_rw_miss(rw, n, "a constant exceeds 2^53");

    nashc_value *v = nashc_rw_like(rw, n, in, n_in);
    nashc_rw_loc(rw, a[0].node);
    nashc_rw_replace(rw, nashc_node_out(n, 0),
                     nashc_rw_op(rw, op, (nashc_value *[]){v, number_const(rw, &c)}, 2));
    return true;
}

static bool
move_either(nashc_rw *rw, nashc_node *n)
{
    return move_affine(rw, n, "nn.mul") || move_affine(rw, n, "nn.add");
}

static const nashc_pattern move_pattern = {"nn.concat", move_either};

const nashc_pass nashc_pass_move_affine_past_join_concat = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "move-affine-past-join-concat",
    .alias = "MoveAffinePastJoinConcat|MoveMulPastJoinConcat|MoveAddPastJoinConcat",
    .help = "move muls, or adds, of all branches below a concat",
    .patterns = (const nashc_pattern *const[]){&move_pattern, NULL},
};
