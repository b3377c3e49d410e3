/* heads.c: what stands behind the groups: a classifier, a grid of detectors, a decoder. */
#include "frontends/genotype/net.h"
#include "frontends/genotype/reader.h"
#include <math.h>

#define HEAD(id, ...)                                                                              \
    static const nashc_head rule_##id = {NASHC_DESC(nashc_head), __VA_ARGS__};                     \
    extern const nashc_impl nashc_impl_head_##id;                                                  \
    const nashc_impl nashc_impl_head_##id = NASHC_HEAD(&rule_##id, #id)

/* The deviation of uniform weights of +-1 / sqrt(features). */
static double
deviation(int64_t features)
{
    return 1 / sqrt(3.0 * (double)features);
}

/* A parameter of zeros, if the head has it. */
static nashc_value *
bias(nashc_geno_net *n, const char *name, int64_t channels)
{
    nashc_tensor *b = n->g->head.bias ? geno_parameter(n, name, 1, &channels, GENO_VALUE, 0) : NULL;
    return b ? nashc_build_const(n->b, name, b) : NULL;
}

/* --- classify: mean over the map, one product ---------------------------------------------------
 */

/* Sum of the codes of a window, its low bits dropped so that poolbits are left: shift = width of
 * the largest sum - poolbits. A largest sum that is a power of two takes one bit more. */
static nashc_value *
drop_bits(nashc_geno_net *n, nashc_value *x, int64_t window, double scale, int bits)
{
    const nashc_geno_head *h = &n->g->head;
    int64_t most = ((int64_t)1 << bits) * window - window;
    int width = 0, power;
    while (((int64_t)1 << width) < most)
        width++;
    power = most == (int64_t)1 << width;
    int shift = width - h->poolbits;
    double fine = (double)((float)scale / (float)window), unit = ldexp(fine, shift);
    double back = ldexp((double)window, -shift); /* from the scale of the output to that of x */
    nashc_geno_net_at(n, "head", "trunc");
    if (shift >= 0) {
        nashc_value *in[] = {x, geno_f32(n, "head.fine", fine), geno_f32(n, "head.zero", 0),
                             geno_f32(n, "head.unit", unit)};
        x = nashc_geno_net_op(n, "q.trunc", in, 4,
                              "in_bits=%d out_bits=%d signed=false rounding=%s", width + power,
                              h->poolbits + power, h->round ? "round" : "floor");
    }
    if (h->round)
        return x;
    nashc_geno_net_at(n, "head", "rescale");
    nashc_value *in[] = {x, geno_f32(n, "head.rescale", back)};
    return nashc_geno_net_op(n, "nn.mul", in, 2, "%s", "");
}

/* Sums of codes need the scale of the quantiser in front: without it there is nothing to count
 * in. */
static nashc_value *
head_pool(nashc_geno_net *n, nashc_value *x)
{
    const nashc_genotype *g = n->g;
    const nashc_type *t = nashc_value_type(x);
    int kh = g->head.pool ? g->head.pool : (int)t->dim[2];
    int kw = g->head.pool ? g->head.pool : (int)t->dim[3];
    nashc_node *quant = nashc_value_def(x);
    const nashc_tensor *scale = quant ? nashc_value_const(nashc_node_in(quant, 1)) : NULL;
    if (!scale)
        return NULL;
    nashc_geno_net_at(n, "head", "pool");
    nashc_value *y =
        nashc_geno_net_op(n, "nn.avgpool", &x, 1, "kernel=[%d,%d] count_include_pad=true", kh, kw);
    return drop_bits(n, y, (int64_t)kh * kw, nashc_tensor_get(scale, 0),
                     g->group[g->n_groups - 1].bits.act);
}

static nashc_value *
classify(nashc_geno_net *n, const nashc_genotype *g, nashc_value *const *map)
{
    nashc_value *y = head_pool(n, map[g->n_groups]);
    if (!y)
        return NULL;
    const nashc_type *t = nashc_value_type(y);
    int64_t features = t->dim[1] * t->dim[2] * t->dim[3], dim[] = {g->classes, features};
    nashc_geno_net_at(n, "head", "flatten");
    y = nashc_geno_net_op(n, "nn.reshape", &y, 1, "shape=[1,%d]", (int)features);
    nashc_geno_net_at(n, "head", "fc");
    nashc_value *w =
        geno_weights(n, "head.fc.weight", 2, dim, g->head.wbits, true, deviation(features));
    nashc_value *in[] = {y, w, bias(n, "head.fc.bias", g->classes)};
    return nashc_geno_net_op(n, "nn.gemm", in, 2 + g->head.bias, "trans_b=true");
}
HEAD(classify, .help = "one score a class", .pools = true, .build = classify);

/* --- grid: one box a cell of the last map -------------------------------------------------------
 */

/* 1x1 convolution to scores: weights of one scale, no quantiser behind. */
static nashc_value *
scores(nashc_geno_net *n, nashc_value *x, int64_t channels)
{
    if (!x)
        return NULL;
    int64_t features = nashc_value_type(x)->dim[1], dim[] = {channels, features, 1, 1};
    nashc_geno_net_at(n, "head", "conv");
    nashc_value *w =
        geno_weights(n, "head.conv.weight", 4, dim, n->g->head.wbits, true, deviation(features));
    nashc_value *in[] = {x, w, bias(n, "head.conv.bias", channels)};
    return nashc_geno_net_op(n, "nn.conv", in, 2 + n->g->head.bias, "%s", "");
}

/* One box a cell: object, four numbers of the box, then the classes. */
static nashc_value *
grid(nashc_geno_net *n, const nashc_genotype *g, nashc_value *const *map)
{
    return scores(n, map[g->n_groups], 5 + (int64_t)g->classes); /* object, box, classes */
}
HEAD(grid, .help = "a box and its class for each cell of the last map", .build = grid);

/* --- unet: back up to the input's size ----------------------------------------------------------
 */

/* The deepest of the maps larger than that of `from`, in front of it; -1: there is none. */
static int
level_above(const int (*size)[2], int from)
{
    int i = from - 1;
    while (i >= 0 && size[i][0] == size[from][0] && size[i][1] == size[from][1])
        i--;
    return i;
}

/* Conv, batch normalisation, quantiser; then the nearest element, to h x w. */
static nashc_value *
up(nashc_geno_net *n, nashc_value *x, const char *scope, geno_scale *q, int channels, int h, int w)
{
    nashc_geno_conv c = {.name = "conv",
                         .kernel = 3,
                         .stride = 1,
                         .dilation = 1,
                         .out = channels,
                         .wbits = n->g->bits.weight,
                         .pad = -1};
    x = nashc_geno_net_bn(n, scope, nashc_geno_net_conv(n, scope, x, &c));
    x = x ? geno_quant(n, q, x, q->name) : NULL;
    if (!x || (nashc_value_type(x)->dim[2] == h && nashc_value_type(x)->dim[3] == w))
        return x;
    nashc_geno_net_at(n, scope, "resize");
    return nashc_geno_net_op(n, "nn.resize", &x, 1,
                             "sizes=[1,%d,%d,%d] mode=nearest coord=asymmetric nearest=floor",
                             channels, h, w);
}

/* Both have one scale, so that they may be added, or lie side by side. */
static nashc_value *
level(nashc_geno_net *n, const nashc_genotype *g, nashc_value *x, nashc_value *skip, int k)
{
    const nashc_type *t = nashc_value_type(skip);
    const char *scope = geno_name(n, "head.up%d", k);
    geno_scale q = {NULL, geno_name(n, "%s.q", scope), g->bits.act, false, g->act_max};
    x = up(n, x, scope, &q, (int)t->dim[1], (int)t->dim[2], (int)t->dim[3]);
    nashc_value *in[] = {x, geno_quant(n, &q, skip, geno_name(n, "%s.skip", scope))};
    nashc_geno_net_at(n, scope, "join");
    return g->head.add ? nashc_geno_net_op(n, "nn.add", in, 2, "%s", "")
                       : nashc_geno_net_op(n, "nn.concat", in, 2, "axis=1");
}

/* From the last map up: at each level to the size of the next larger one, joined with it. */
static nashc_value *
unet(nashc_geno_net *n, const nashc_genotype *g, nashc_value *const *map)
{
    int size[GENO_MAX_GROUPS + 1][2], k = 0;
    nashc_value *x = map[g->n_groups];
    geno_scale q = {NULL, "head.out.q", g->bits.act, false, g->act_max};
    geno_map_sizes(g, size);
    for (int i = level_above((const int(*)[2])size, g->n_groups); i >= 0 && x;
         i = level_above((const int(*)[2])size, i))
        x = level(n, g, x, map[i], k++);
    if (!x)
        return NULL;
    x = up(n, x, "head.out", &q, g->width, g->input.h, g->input.w);
    return scores(n, x, g->classes);
}

/* Nearest elements of a map are taken a whole number of times. */
static const char *
unet_why_not(const nashc_genotype *g, const int (*size)[2], nashc_arena *a)
{
    for (int from = g->n_groups; from >= 0; from = level_above(size, from)) {
        int to = level_above(size, from);
        int h = to < 0 ? g->input.h : size[to][0], w = to < 0 ? g->input.w : size[to][1];
        if (h % size[from][0] || w % size[from][1])
            return nashc_arena_printf(
                a,
                "a head of kind unet wants sizes that are halved without rest: "
                "a map of %dx%d does not go up to %dx%d",
                size[from][0], size[from][1], h, w);
    }
    return NULL;
}

/* As many levels as unet() walks, the last one included. */
static int
unet_scales(const nashc_genotype *g, const int (*size)[2])
{
    int n = 0;
    for (int i = g->n_groups; i >= 0; i = level_above(size, i))
        n++;
    return n;
}
HEAD(unet, .help = "one score a class and pixel: a decoder with the maps of the backbone",
     .skips = true, .why_not = unet_why_not, .scales = unet_scales, .build = unet);
