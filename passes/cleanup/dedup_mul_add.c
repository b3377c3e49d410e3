/* dedup_mul_add.c
 *
 *     mul(x, c), mul(x, c)     ==>     one mul(x, c), read by the readers of both
 *
 * for mul and add with equal constants. The reverse of move-linear-past-fork.
 * Terminates: each rewrite removes a node.
 */
#include "passes/support/match.h"
#include "passes/support/number.h"

static bool
dedup(nashc_rw *rw, nashc_node *n)
{
    affine a, b;
    int n_users;

    if (!affine_of(n, nashc_node_opname(n), &a))
        return false;
    nashc_node **users = nashc_value_users(a.x, nashc_rw_arena(rw), &n_users);
    number ca = number_of(rw, a.t);
    for (int i = 0; i < n_users; i++) {
        if (!nashc_node_before(n, users[i]) || !affine_of(users[i], nashc_node_opname(n), &b) ||
            a.x != b.x)
            continue;
        number cb = number_of(rw, b.t);
        if (!nashc_type_same_elem(nashc_value_type(nashc_node_out(n, 0)),
                                  nashc_value_type(nashc_node_out(users[i], 0))) ||
            !number_equal(rw, &ca, &cb)) {
            nashc_rw_miss(rw, users[i], "its constant differs from that of its twin");
            continue;
        }
        nashc_rw_replace(rw, nashc_node_out(users[i], 0), nashc_node_out(n, 0));
        return true;
    }
    return false;
}

static const nashc_pattern dedup_mul_pattern = {"nn.mul", dedup};
static const nashc_pattern dedup_add_pattern = {"nn.add", dedup};

const nashc_pass nashc_pass_dedup_mul_add = {
    NASHC_DESC(nashc_pass),
    .name = "dedup-mul-add",
    .alias = "DeduplicateForkingMulAdd",
    .help = "merge muls, or adds, of one value by equal constants",
    .patterns = (const nashc_pattern *const[]){&dedup_mul_pattern, &dedup_add_pattern, NULL},
};
