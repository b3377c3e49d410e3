/* move_transpose_past_scalar_mul.c
 *
 *     x -- transpose p -- mul c -- y     ==>     x -- mul c' -- transpose p -- y
 *
 * c' is c with its axes permuted back, so vectors move as well.
 * Terminates: a transpose only ever moves towards the outputs.
 */
#include "passes/support/match.h"

static bool
move_transpose(nashc_rw *rw, nashc_node *n)
{
    affine mul;

    if (!affine_of(n, "nn.mul", &mul))
        return false;
    nashc_node *t = nashc_value_def_by(mul.x, "nn.transpose");
    if (!t || !match_sole(rw, t))
        return false;

    int count, back[NASHC_MAX_RANK] = {0};
    const int64_t *perm = nashc_node_ints(t, "perm", &count);
    nashc_value *x = nashc_node_in(t, 0), *c = mul.c;
    if (!nashc_tensor_is_scalar(mul.t)) {
        int64_t dim[NASHC_MAX_RANK];
        const nashc_type *ct = nashc_tensor_type(mul.t);
        for (int i = 0; i < count; i++) {
            int j = i - (count - ct->rank);
            dim[i] = j < 0 ? 1 : ct->dim[j];
            back[perm[i]] = i;
        }
        nashc_tensor *full = nashc_tensor_reshaped((nashc_tensor *)mul.t, count, dim);
        c = nashc_rw_const(rw, full ? nashc_tensor_transposed(full, back) : NULL);
        nashc_tensor_unref(full);
    }
    nashc_value *m = nashc_rw_op(rw, "nn.mul", (nashc_value *[]){x, c}, 2);
    nashc_rw_loc(rw, t);
    nashc_rw_replace(rw, nashc_node_out(n, 0), nashc_rw_like(rw, t, (nashc_value *[]){m}, 1));
    return true;
}

static const nashc_pattern move_transpose_pattern = {"nn.mul", move_transpose};

const nashc_pass nashc_pass_move_transpose_past_scalar_mul = {
    NASHC_DESC(nashc_pass),
    .name = "move-transpose-past-scalar-mul",
    .alias = "MoveTransposePastScalarMul",
    .help = "move a transpose below a mul by a constant",
    .patterns = (const nashc_pattern *const[]){&move_transpose_pattern, NULL},
};
