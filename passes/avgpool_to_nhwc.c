/* avgpool_to_nhwc.c
 *
 *     x -- avgpool | sumpool -- y     ==>     x -- to channels-last -- pool -- to channels-first --
 * y
 *
 * Terminates: the new pool is channels-last.
 */
#include "match.h"

static bool
to_nhwc(nashc_rw *rw, nashc_node *n)
{
    nashc_value *x = nashc_node_in(n, 0);
    const nashc_type *type = nashc_value_type(x);

    if (type->layout != NASHC_LAYOUT_DEFAULT)
        return false;
    if (type->rank != 3 && type->rank != 4)
        return nashc_rw_miss(rw, n, "there is no channels-last layout of rank %d", type->rank);
    if (nashc_layout_none(x))
        return nashc_rw_miss(rw, n, "its operand is constant");
    int rank = type->rank;
    nashc_value *last = nashc_layout_last(rw, x, rank);
    nashc_value *y = nashc_rw_like(rw, n, &last, 1);
    nashc_rw_replace(rw, nashc_node_out(n, 0), nashc_layout_first(rw, y, rank));
    return true;
}

static const nashc_pattern patterns[] = {
    {"nn.avgpool", to_nhwc},
    {"nn.sumpool", to_nhwc},
    {"nn.global_avgpool", to_nhwc},
    {"nn.global_sumpool", to_nhwc},
};

const nashc_pass nashc_pass_avgpool_to_nhwc = {
    NASHC_DESC(nashc_pass),
    .name = "avgpool-to-nhwc",
    .alias = "ChangeDataLayoutQuantAvgPool2d",
    .help = "run average and sum pools channels-last, between two transposes",
    .patterns = (const nashc_pattern *const[]){&patterns[0], &patterns[1], &patterns[2],
                                               &patterns[3], NULL},
};
