/* cancel_transposes.c
 *
 *     x -- transpose p -- transpose q -- y     ==>     x      where q undoes p
 *
 * x is relabelled by a reshape where the layouts differ. Only the second transpose is replaced:
 * other readers of the first keep it. Terminates: each rewrite removes a transpose.
 */
#include "layout.h"
#include <nashc/rewrite.h>

static bool
cancel(nashc_rw *rw, nashc_node *n)
{
    nashc_node *first = nashc_value_def_by(nashc_node_in(n, 0), "nn.transpose");
    int n_p, n_q;

    if (!first)
        return false;
    const int64_t *p = nashc_node_ints(first, "perm", &n_p);
    const int64_t *q = nashc_node_ints(n, "perm", &n_q);
    for (int i = 0; i < n_q; i++)
        if (p[q[i]] != i)
            return nashc_rw_miss(rw, n, "it does not undo the transpose in front of it");
    nashc_value *x = nashc_node_in(first, 0);
    nashc_rw_replace(rw, nashc_node_out(n, 0),
                     layout_relabelled(rw, x, nashc_value_type(nashc_node_out(n, 0))));
    return true;
}

static const nashc_pattern cancel_pattern = {"nn.transpose", cancel};

const nashc_pass nashc_pass_cancel_transposes = {
    NASHC_DESC(nashc_pass),
    .name = "cancel-transposes",
    .alias = "AbsorbConsecutiveTransposes|RemoveConsecutiveChanFirstAndChanLastTrafos",
    .help = "drop pairs of transposes that undo each other",
    .patterns = (const nashc_pattern *const[]){&cancel_pattern, NULL},
};
