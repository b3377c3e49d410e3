/* stem.c: what stands before the groups. */
#include "frontends/genotype/net.h"
#include <math.h>
#include <string.h>

#define MAX_CHANNELS 65536

/* --- input ----------------------------------------------------------------------------------- */

/* One number a channel, shape [1,C,1,1]. */
static nashc_value *
per_channel(nashc_geno_net *n, const char *name, const double *v, int count, bool rounded)
{
    int64_t c = n->g->input.c, dim[] = {1, c, 1, 1};
    nashc_type t = nashc_type_shaped(nashc_type_f32(), 4, dim);
    nashc_buf b;
    if (!nashc_buf_alloc(&b, &t)) {
        n->status = nashc_enomem(n->d);
        return NULL;
    }
    for (int64_t i = 0; i < c; i++) {
        double x = v[count > 1 ? i : 0];
        ((float *)b.data)[i] = (float)(rounded ? nearbyint(x) : x);
    }
    nashc_value *made = nashc_build_const(n->b, name, nashc_tensor_take(&b));
    nashc_buf_free(&b);
    return made;
}

/* Codes minus the code of zero, times the power of two nearest to 1 / deviation: exact in integers,
 * and the zeros that a convolution pads with are the codes of the mean. */
static nashc_value *
normalise(nashc_geno_net *n, nashc_value *x)
{
    const nashc_geno_input *p = &n->g->input;
    double log_sum = 0;
    nashc_geno_net_at(n, "input", "normalise");
    if (p->n_mean) {
        nashc_value *in[] = {x, per_channel(n, "input.mean", p->mean, p->n_mean, true)};
        x = nashc_geno_net_op(n, "nn.sub", in, 2, "%s", "");
    }
    for (int i = 0; i < p->n_std; i++)
        log_sum += log2(p->std[i]);
    if (p->n_std) {
        double scale = exp2(-nearbyint(log_sum / p->n_std));
        nashc_value *in[] = {x, geno_f32(n, "input.std", scale)};
        x = nashc_geno_net_op(n, "nn.mul", in, 2, "%s", "");
    }
    return x;
}

/* The input as the codes that hardware receives, times their scale. */
static nashc_value *
input(nashc_geno_net *n, nashc_value *x)
{
    const nashc_geno_input *p = &n->g->input;
    bool sign = strcmp(p->dtype, "int8") == 0, codes = p->n_mean || p->n_std;
    double scale = p->n_scale ? p->scale[0] : codes ? 1 : exp2(sign ? -7 : -8);
    if (strcmp(p->dtype, "float") != 0) {
        nashc_geno_net_at(n, "input", "quant");
        nashc_value *in[] = {x, geno_f32(n, "input.scale", scale), geno_f32(n, "input.zero", 0)};
        x = nashc_geno_net_op(n, "q.quant", in, 3, sign ? "qmin=-128 qmax=127" : "qmin=0 qmax=255");
    }
    return codes ? normalise(n, x) : x;
}

/* --- stem ------------------------------------------------------------------------------------ */

static nashc_value *
stem_pool(nashc_geno_net *n, nashc_value *x)
{
    const nashc_geno_stem *s = &n->g->stem;
    int pad = (s->pool - 1) / 2;
    nashc_geno_net_at(n, "stem", "pool");
    return nashc_geno_net_op(n, "nn.maxpool", &x, 1,
                             "kernel=[%d,%d] stride=[%d,%d] pads=[%d,%d,%d,%d]", s->pool, s->pool,
                             s->pool_stride, s->pool_stride, pad, pad, pad, pad);
}

/* Two orders, as published networks differ: pooling before or behind batch normalisation. */
nashc_value *
geno_stem(nashc_geno_net *n, nashc_value *x)
{
    const nashc_geno_stem *s = &n->g->stem;
    geno_scale q3 = {NULL, "stem.q3", n->g->bits.act, false, n->g->act_max};
    nashc_geno_conv c = {.name = "conv",
                         .kernel = s->kernel,
                         .stride = s->stride,
                         .dilation = 1,
                         .out = n->g->width,
                         .wbits = s->wbits,
                         .pad = s->pad};
    x = nashc_geno_net_conv(n, "stem", input(n, x), &c);
    if (s->pool && !s->bn_first)
        x = stem_pool(n, x);
    x = nashc_geno_net_bn(n, "stem", x);
    if (s->pool && s->bn_first)
        x = stem_pool(n, x);
    return geno_quant(n, &q3, x, "stem.q3");
}
