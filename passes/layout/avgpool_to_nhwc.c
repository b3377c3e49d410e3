/* avgpool_to_nhwc.c
 *
 *     x -- avgpool | sumpool -- y     ==>     x -- to channels-last -- pool -- to channels-first --
 * y
 *
 * Terminates: the new pool is channels-last.
 */
#include "layout.h"

static const nashc_pattern patterns[] = {
    {"nn.avgpool", layout_channels_last},
    {"nn.sumpool", layout_channels_last},
    {"nn.global_avgpool", layout_channels_last},
    {"nn.global_sumpool", layout_channels_last},
};

const nashc_pass nashc_pass_avgpool_to_nhwc = {
    NASHC_DESC(nashc_pass),
    .name = "avgpool-to-nhwc",
    .alias = "ChangeDataLayoutQuantAvgPool2d",
    .help = "run average and sum pools channels-last, between two transposes",
    .patterns = (const nashc_pattern *const[]){&patterns[0], &patterns[1], &patterns[2],
                                               &patterns[3], NULL},
};
