/* move_flatten_past_affine.c
 *
 *     x [N,1,1,C] -- reshape [N,C] -- mul | add c | matmul W -- y
 *     ==>  x -- mul | add c' | matmul W -- reshape -- y
 *
 * for a reshape that only drops axes of extent 1. mul and add may then vary along the last axis,
 * which must be the last axis of x, or be scalars; matmul contracts it.
 * Terminates: a reshape only ever moves towards the outputs.
 */
#include "passes/support/match.h"

/* The reshape that defines v, if all it does is to drop unit axes in front of the last. */
static nashc_node *
flatten_before(nashc_rw *rw, const nashc_value *v)
{
    nashc_node *f = v ? nashc_value_def_by(v, "nn.reshape") : NULL;

    if (!f || nashc_value_const(nashc_node_in(f, 0)))
        return NULL;
    const nashc_type *x = nashc_value_type(nashc_node_in(f, 0)), *y = nashc_value_type(v);
    if (y->rank >= x->rank || y->rank != 2 || x->dim[0] != y->dim[0])
        return NULL;
    if (x->dim[x->rank - 1] != y->dim[1]) {
        nashc_rw_miss(rw, f, "it merges axes, or the channels are not last");
        return NULL;
    }
    return match_sole(rw, f) ? f : NULL;
}

static bool
move_flatten(nashc_rw *rw, nashc_node *n)
{
    bool matmul = nashc_node_is(n, "nn.matmul");
    affine a = {.node = n, .x = nashc_node_in(n, 0), .c = nashc_node_in(n, 1)};

    if (!matmul && !affine_of(n, nashc_node_opname(n), &a))
        return false;
    nashc_node *f = flatten_before(rw, a.x);
    if (!f)
        return false;
    if (!nashc_value_const(a.c))
        return nashc_rw_miss(rw, n, "the second operand is not a constant");
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    const nashc_type *ct = nashc_value_type(a.c);
    if (matmul ? ct->rank != 2 : ct->rank == 2 && ct->dim[0] != 1)
        return nashc_rw_miss(rw, n, "the constant varies along the batch, or is no matrix");

    nashc_value *in[] = {nashc_node_in(f, 0), a.c};
    nashc_value *v = nashc_rw_like(rw, n, in, 2);
    nashc_rw_loc(rw, f);
    nashc_rw_replace(rw, nashc_node_out(n, 0),
                     nashc_rw_opf(rw, "nn.reshape", (nashc_value *[]){v}, 1, "shape=%s",
                                  nashc_rw_ints(rw, y->dim, y->rank)));
    return true;
}

static const nashc_pattern move_mul_pattern = {"nn.mul", move_flatten};
static const nashc_pattern move_add_pattern = {"nn.add", move_flatten};
static const nashc_pattern move_matmul_pattern = {"nn.matmul", move_flatten};

const nashc_pass nashc_pass_move_flatten_past_affine = {
    NASHC_DESC(nashc_pass),
    .name = "move-flatten-past-affine",
    .alias = "MoveFlattenPastAffine",
    .help = "move a reshape that drops unit axes below mul, add and matmul",
    .patterns = (const nashc_pattern *const[]){&move_mul_pattern, &move_add_pattern,
                                               &move_matmul_pattern, NULL},
};
