/* primitives.c: the built-in branches: what one step adds to the backbone. */
#include <nashc/nashc.h>
#include <stdio.h>
#include <string.h>

/* --- by name --------------------------------------------------------------------------------- */

/* "conv_5x5": 5, and the length before "_5x5"; 0: no such end. */
static int
kernel_of(const char *name, size_t *base)
{
    char want[16];
    const char *end = strrchr(name, '_');
    for (int k = 1; end && k <= NASHC_GENO_MAX_KERNEL; k += 2) {
        snprintf(want, sizeof want, "_%dx%d", k, k);
        *base = (size_t)(end - name);
        if (strcmp(end, want) == 0)
            return k;
    }
    return 0;
}

/* The exact name first, then the family "conv_KxK" with its kernel: an entry of a plugin for one
 * kernel wins. */
const nashc_primitive *
nashc_geno_primitive(nashc_ctx *c, const char *name, int *kernel)
{
    char key[64];
    size_t base = 0;
    *kernel = kernel_of(name, &base);
    if (strlen(name) >= sizeof key - 4 || strstr(name, "KxK"))
        return NULL;
    const nashc_primitive *p = nashc_impl_rule(c, "primitive", name);
    if (p || !*kernel)
        return p;
    snprintf(key, sizeof key, "%.*s_KxK", (int)base, name);
    return nashc_impl_rule(c, "primitive", key);
}

/* --- convolutions ---------------------------------------------------------------------------- */

/* pad -1: as much as keeps the size. */
static nashc_value *
conv_and_bn(nashc_geno_net *n, const nashc_branch *b, int dilation, bool depthwise)
{
    nashc_geno_conv c = {.name = "conv",
                         .kernel = b->kernel,
                         .stride = b->stride,
                         .dilation = dilation,
                         .out = b->out,
                         .wbits = b->wbits ? b->wbits : b->nas,
                         .pad = -1,
                         .depthwise = depthwise};
    return nashc_geno_net_bn(n, b->scope, nashc_geno_net_conv(n, b->scope, b->x, &c));
}

static nashc_value *
conv(nashc_geno_net *n, const nashc_branch *b)
{
    return conv_and_bn(n, b, 1, false);
}

static nashc_value *
dil_conv(nashc_geno_net *n, const nashc_branch *b)
{
    return conv_and_bn(n, b, 2, false);
}

static nashc_value *
dw_conv(nashc_geno_net *n, const nashc_branch *b)
{
    return conv_and_bn(n, b, 1, true);
}

/* --- pooling --------------------------------------------------------------------------------- */

/* Channels are multiplied by putting the map beside itself. */
static nashc_value *
pool_and_bn(nashc_geno_net *n, const nashc_branch *b, const char *op)
{
    enum { MOST = 64 };
    nashc_value *x = b->x, *copies[MOST];
    nashc_geno_net_at(n, b->scope, "pool");
    nashc_value *y = nashc_geno_net_op(n, op, &x, 1, "kernel=[3,3] pads=[1,1,1,1]%s",
                                       b->stride == 2 ? " stride=[2,2]" : "");
    int times = b->out / b->in;
    for (int i = 0; i < times && i < MOST; i++)
        copies[i] = y;
    if (times > 1)
        y = nashc_geno_net_op(n, "nn.concat", copies, times < MOST ? times : MOST, "axis=1");
    return nashc_geno_net_bn(n, b->scope, y);
}

static nashc_value *
max_pool(nashc_geno_net *n, const nashc_branch *b)
{
    return pool_and_bn(n, b, "nn.maxpool");
}

static nashc_value *
avg_pool(nashc_geno_net *n, const nashc_branch *b)
{
    return pool_and_bn(n, b, "nn.avgpool");
}

/* --- skip ------------------------------------------------------------------------------------ */

/* Half of the channels from the even points, half from those one down and to the right. Weights
 * have one scale for each half, not one a channel. */
static nashc_value *
skip_connect(nashc_geno_net *n, const nashc_branch *b)
{
    nashc_value *x = b->x, *half[2];
    nashc_geno_conv c = {.name = "conv_a",
                         .kernel = 1,
                         .stride = b->stride,
                         .dilation = 1,
                         .out = b->out / 2,
                         .wbits = b->wbits ? b->wbits : 4,
                         .per_tensor = true};
    if (b->stride == 1 && b->in == b->out)
        return x;
    const nashc_type *t = nashc_value_type(x);
    half[0] = nashc_geno_net_conv(n, b->scope, x, &c);
    nashc_geno_net_at(n, b->scope, "shift");
    if (b->stride > 1)
        x = nashc_geno_net_op(n, "nn.slice", &x, 1,
                              "starts=[1,1] ends=[%d,%d] axes=[2,3] steps=[1,1]", (int)t->dim[2],
                              (int)t->dim[3]);
    c.name = "conv_b";
    half[1] = nashc_geno_net_conv(n, b->scope, x, &c);
    nashc_geno_net_at(n, b->scope, "concat");
    return nashc_geno_net_bn(n, b->scope, nashc_geno_net_op(n, "nn.concat", half, 2, "axis=1"));
}

/* --- descriptors ----------------------------------------------------------------------------- */

#define PRIMITIVE(id, op_, conv_, pool_, build_, help_)                                            \
    static const nashc_primitive rule_##id = {NASHC_DESC(nashc_primitive), .help = (help_),        \
                                              .conv = (conv_), .pool = (pool_),                    \
                                              .build = (build_)};                                  \
    extern const nashc_impl nashc_impl_primitive_##id;                                             \
    const nashc_impl nashc_impl_primitive_##id = {NASHC_DESC(nashc_impl), .iface = "primitive",    \
                                                  .op = (op_), .rule = &rule_##id}

PRIMITIVE(none, "none", false, false, NULL, "no branch");
PRIMITIVE(skip_connect, "skip_connect", false, true, skip_connect, "the state itself");
PRIMITIVE(max_pool_3x3, "max_pool_3x3", false, true, max_pool, "3x3 maximum");
PRIMITIVE(avg_pool_3x3, "avg_pool_3x3", false, true, avg_pool, "3x3 mean without the padding");
PRIMITIVE(conv_KxK, "conv_KxK", true, false, conv, "convolution");
PRIMITIVE(dil_conv_KxK, "dil_conv_KxK", true, false, dil_conv, "convolution of dilation 2");
PRIMITIVE(dw_conv_KxK, "dw_conv_KxK", true, false, dw_conv, "depthwise convolution");
