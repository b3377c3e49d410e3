/* backbones.c: the built-in backbones, a table each. After the published residual networks,
 * MobileNet v1 and v2 and EfficientNet-Lite; every block ends in a quantiser here. */
#include "frontends/genotype/reader.h"

/* --- blocks ---------------------------------------------------------------------------------- */

#define CONV_OUT(k, s)                                                                             \
    {                                                                                              \
        .kernel = (k), .strided = (s), .mul = 1, .div = 1                                          \
    }
#define CONV_MID(part)                                                                             \
    {                                                                                              \
        .kernel = 1, .mul = 1, .div = (part)                                                       \
    }
#define CONV_WIDE(times)                                                                           \
    {                                                                                              \
        .kernel = 1, .of_input = true, .mul = (times), .div = 1                                    \
    }
#define CONV_DEPTH(k)                                                                              \
    {                                                                                              \
        .kernel = (k), .strided = true, .depthwise = true, .mul = 1, .div = 1                      \
    }

static const nashc_backbone_block basic = {2, {CONV_OUT(3, true), CONV_OUT(3, false)}, true};
static const nashc_backbone_block bottleneck = {
    3,
    {CONV_MID(4), {.kernel = 3, .strided = true, .mul = 1, .div = 4}, CONV_OUT(1, false)},
    false};
static const nashc_backbone_block separable = {2, {CONV_DEPTH(3), CONV_OUT(1, false)}, false};
static const nashc_backbone_block inverted3 = {
    3, {CONV_WIDE(6), CONV_DEPTH(3), CONV_OUT(1, false)}, false};
static const nashc_backbone_block inverted5 = {
    3, {CONV_WIDE(6), CONV_DEPTH(5), CONV_OUT(1, false)}, false};
static const nashc_backbone_block pointwise = {1, {CONV_OUT(1, true)}, false};

/* --- groups: channels, stride, blocks, shortcut of the first and of the other blocks -----------
 */

#define CONV NASHC_DOWN_CONV
#define SAME NASHC_DOWN_IDENTITY
#define NONE NASHC_DOWN_NONE

static const nashc_backbone_group resnet18[] = {
    {64, 1, 2, CONV, SAME, &basic},
    {128, 2, 2, CONV, SAME, &basic},
    {256, 2, 2, CONV, SAME, &basic},
    {512, 2, 2, CONV, SAME, &basic},
};

/* The stages of 3, 4, 6, 3 blocks as groups of 3, 2, 2, 3, 3, 3. */
static const nashc_backbone_group resnet34[] = {
    {64, 1, 3, CONV, SAME, &basic},  {128, 2, 2, CONV, SAME, &basic},
    {128, 1, 2, SAME, SAME, &basic}, {256, 2, 3, CONV, SAME, &basic},
    {256, 1, 3, SAME, SAME, &basic}, {512, 2, 3, CONV, SAME, &basic},
};

static const nashc_backbone_group resnet50[] = {
    {256, 1, 3, CONV, SAME, &bottleneck},
    {512, 2, 4, CONV, SAME, &bottleneck},
    {1024, 2, 6, CONV, SAME, &bottleneck},
    {2048, 2, 3, CONV, SAME, &bottleneck},
};

static const nashc_backbone_group mobilenet_v1[] = {
    {64, 1, 1, NONE, NONE, &separable},   {128, 2, 2, NONE, NONE, &separable},
    {256, 2, 2, NONE, NONE, &separable},  {512, 2, 6, NONE, NONE, &separable},
    {1024, 2, 2, NONE, NONE, &separable},
};

static const nashc_backbone_group mobilenet_v2[] = {
    {16, 1, 1, NONE, NONE, &separable},  {24, 2, 2, NONE, SAME, &inverted3},
    {32, 2, 3, NONE, SAME, &inverted3},  {64, 2, 4, NONE, SAME, &inverted3},
    {96, 1, 3, NONE, SAME, &inverted3},  {160, 2, 3, NONE, SAME, &inverted3},
    {320, 1, 1, NONE, SAME, &inverted3}, {1280, 1, 1, NONE, NONE, &pointwise},
};

static const nashc_backbone_group efficientnet_lite0[] = {
    {16, 1, 1, NONE, NONE, &separable},  {24, 2, 2, NONE, SAME, &inverted3},
    {40, 2, 2, NONE, SAME, &inverted5},  {80, 2, 3, NONE, SAME, &inverted3},
    {112, 1, 3, NONE, SAME, &inverted5}, {192, 2, 4, NONE, SAME, &inverted5},
    {320, 1, 1, NONE, SAME, &inverted3}, {1280, 1, 1, NONE, NONE, &pointwise},
};

#undef CONV
#undef SAME
#undef NONE

/* --- backbones ---------------------------------------------------------------------------------
 */

#define STEM_LARGE                                                                                 \
    {                                                                                              \
        .kernel = 7, .stride = 2, .pad = 3, .pool = 3, .pool_stride = 2, .wbits = 8                \
    }
#define STEM_SMALL                                                                                 \
    {                                                                                              \
        .kernel = 3, .stride = 2, .pad = 1, .wbits = 8                                             \
    }

#define BACKBONE(id, width_, stem_, by_block, help_)                                               \
    static const nashc_backbone rule_##id = {NASHC_DESC(nashc_backbone),                           \
                                             .name = #id,                                          \
                                             .help = (help_),                                      \
                                             .width = (width_),                                    \
                                             .stem = stem_,                                        \
                                             .group = id,                                          \
                                             .n_groups = NASHC_COUNT(id),                          \
                                             .block_scales = (by_block)};                          \
    extern const nashc_impl nashc_impl_backbone_##id;                                              \
    const nashc_impl nashc_impl_backbone_##id = NASHC_BACKBONE(&rule_##id, #id)

BACKBONE(resnet18, 64, STEM_LARGE, true, "residual network of 2, 2, 2, 2 basic blocks");
BACKBONE(resnet34, 64, STEM_LARGE, false, "residual network of 3, 4, 6, 3 basic blocks");
BACKBONE(resnet50, 64, STEM_LARGE, false, "residual network of 3, 4, 6, 3 bottleneck blocks");
BACKBONE(mobilenet_v1, 32, STEM_SMALL, false, "depthwise separable convolutions");
BACKBONE(mobilenet_v2, 32, STEM_SMALL, false, "inverted residual blocks");
BACKBONE(efficientnet_lite0, 32, STEM_SMALL, false, "inverted residual blocks of kernel 3 and 5");

int
nashc_backbone_steps(const nashc_backbone *b, int g)
{
    const nashc_backbone_group *p = &b->group[g];
    return p->blocks * (p->block->conv_is_step ? p->block->n_convs : 1);
}
