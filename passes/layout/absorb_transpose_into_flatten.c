/* absorb_transpose_into_flatten.c
 *
 *     x -- transpose -- reshape -- y     ==>     x -- reshape -- y
 *
 * for a transpose that moves only axes of extent 1, as after a pool over the whole image.
 * Terminates: each rewrite removes a transpose in front of a reshape.
 */
#include <nashc/rewrite.h>

static bool
absorb(nashc_rw *rw, nashc_node *flat)
{
    nashc_node *t = nashc_value_def_by(nashc_node_in(flat, 0), "nn.transpose");
    int64_t last = -1;
    int count;

    if (!t)
        return false;
    const nashc_type *x = nashc_value_type(nashc_node_in(t, 0));
    const int64_t *perm = nashc_node_ints(t, "perm", &count);
    for (int i = 0; i < count; i++)
        if (x->dim[perm[i]] != 1) {
            if (perm[i] < last)
                return nashc_rw_miss(rw, t, "it moves axes of more than one element");
            last = perm[i];
        }
    nashc_value *in = nashc_node_in(t, 0);
    nashc_rw_replace(rw, nashc_node_out(flat, 0), nashc_rw_like(rw, flat, &in, 1));
    return true;
}

static const nashc_pattern absorb_pattern = {"nn.reshape", absorb};

const nashc_pass nashc_pass_absorb_transpose_into_flatten = {
    NASHC_DESC(nashc_pass),
    .name = "absorb-transpose-into-flatten",
    .alias = "AbsorbTransposeIntoFlatten",
    .help = "drop a transpose of unit axes in front of a reshape",
    .patterns = (const nashc_pattern *const[]){&absorb_pattern, NULL},
};
