/* layers.c: convolution, batch normalisation and quantisers of a network; scales after
 * docs/genotypes.md. */
#include "frontends/genotype/net.h"
#include <math.h>
#include <stdarg.h>

#define LEAST_SCALE 2e-16 /* of a channel of zeros */

const char *
geno_name(nashc_geno_net *n, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *s = nashc_arena_vprintf(n->arena, fmt, ap);
    va_end(ap);
    return s;
}

/* A NULL operand, or an earlier failure, gives NULL: callers build on and the first cause is told
 * at the end. */
nashc_value *
nashc_geno_net_op(nashc_geno_net *n, const char *op, nashc_value *const *in, int n_in,
                  const char *attrs, ...)
{
    va_list ap;
    for (int i = 0; i < n_in; i++)
        if (!in[i] || n->status != NASHC_OK)
            return NULL;
    va_start(ap, attrs);
    const char *text = nashc_arena_vprintf(n->arena, attrs, ap);
    va_end(ap);
    return text ? nashc_build_op(n->b, op, in, n_in, "%s", text) : NULL;
}

void
nashc_geno_net_at(nashc_geno_net *n, const char *scope, const char *what)
{
    nashc_loc loc = {.name = geno_name(n, what ? "%s.%s" : "%s", scope, what)};
    nashc_build_loc(n->b, &loc);
}

/* t is taken over in any case. */
static nashc_value *
constant(nashc_geno_net *n, const char *name, nashc_tensor *t)
{
    if (t && n->status == NASHC_OK)
        return nashc_build_const(n->b, name, t);
    nashc_tensor_unref(t);
    return NULL;
}

nashc_value *
geno_f32(nashc_geno_net *n, const char *name, double v)
{
    nashc_type t = nashc_type_f32();
    float f = (float)v;
    return constant(n, name, nashc_tensor_create(&t, &f));
}

static nashc_value *
zero(nashc_geno_net *n)
{
    if (!n->zero)
        n->zero = geno_f32(n, "zero", 0);
    return n->zero;
}

/* --- activations ----------------------------------------------------------------------------- */

/* q and q3 of one sum share it: the graph has one relu for two quantisers. */
static nashc_value *
relu(nashc_geno_net *n, nashc_value *x)
{
    if (n->relu_of != x) {
        n->relu = nashc_geno_net_op(n, "nn.relu", &x, 1, "%s", "");
        n->relu_of = x;
    }
    return n->relu;
}

/* scale = 2^v / largest code, v the parameter. */
static nashc_value *
scale_value(nashc_geno_net *n, geno_scale *s, int code)
{
    if (s->value)
        return s->value;
    nashc_tensor *v =
        geno_parameter(n, geno_name(n, "%s.v", s->name), 0, NULL, GENO_VALUE, log2(s->max));
    if (!v)
        return NULL;
    double most = exp2(nashc_tensor_get(v, 0));
    nashc_tensor_unref(v);
    if (!(most >= LEAST_SCALE && most < 1e30)) {
        n->status = nashc_error(n->d, &(nashc_loc){.file = n->weights.file},
                                "parameter \"%s.v\" makes no scale", s->name);
        return NULL;
    }
    s->value = geno_f32(n, geno_name(n, "%s.scale", s->name), (double)((float)most / (float)code));
    return s->value;
}

/* Signed ones are narrow, -code..code, so that sums of two are symmetric; unsigned ones stand
 * behind a relu. */
nashc_value *
geno_quant(nashc_geno_net *n, geno_scale *s, nashc_value *x, const char *where)
{
    int code = s->sign ? (1 << (s->bits - 1)) - 1 : (1 << s->bits) - 1;
    nashc_geno_net_at(n, where, NULL);
    nashc_value *in[] = {s->sign ? x : relu(n, x), scale_value(n, s, code), zero(n)};
    return nashc_geno_net_op(n, "q.quant", in, 3, "qmin=%d qmax=%d", s->sign ? -code : 0, code);
}

/* --- weights --------------------------------------------------------------------------------- */

/* Scale of a run of weights: largest magnitude over the largest code, or the mean magnitude at one
 * bit. */
static float
scale_of(const float *w, int64_t n, int bits)
{
    double sum = 0, most = 0;
    for (int64_t i = 0; i < n; i++) {
        double a = fabs((double)w[i]);
        sum += a;
        most = a > most ? a : most;
    }
    if (bits == 1)
        return (float)fmax(sum / (double)n, LEAST_SCALE);
    return (float)fmax(most, LEAST_SCALE) / (float)((1 << (bits - 1)) - 1);
}

/* Shape [channels, 1, ...], or a scalar. */
static nashc_value *
weight_scales(nashc_geno_net *n, const char *name, const nashc_tensor *w, int bits, bool per_tensor)
{
    nashc_type t = nashc_type_f32(), whole = *nashc_tensor_type(w);
    int64_t dim[NASHC_MAX_RANK] = {whole.dim[0], 1, 1, 1, 1, 1, 1, 1};
    int64_t channels = per_tensor ? 1 : whole.dim[0], each = nashc_tensor_count(w) / channels;
    const float *v = nashc_tensor_data(w);
    nashc_buf b;
    if (!per_tensor)
        t = nashc_type_shaped(t, whole.rank, dim);
    if (!nashc_buf_alloc(&b, &t)) {
        n->status = nashc_enomem(n->d);
        return NULL;
    }
    for (int64_t c = 0; c < channels; c++)
        ((float *)b.data)[c] = scale_of(v + c * each, each, bits);
    nashc_value *s = constant(n, geno_name(n, "%s.scale", name), nashc_tensor_take(&b));
    nashc_buf_free(&b);
    return s;
}

/* The scale follows from the weights at build time: it is a constant of the graph, not a
 * parameter. */
nashc_value *
geno_weights(nashc_geno_net *n, const char *name, int rank, const int64_t *dim, int bits,
             bool per_tensor, double deviation)
{
    nashc_tensor *w = geno_parameter(n, name, rank, dim, GENO_NORMAL, deviation);
    if (!w)
        return NULL;
    nashc_value *scale = weight_scales(n, name, w, bits, per_tensor);
    nashc_value *in[] = {constant(n, name, w), scale, zero(n)};
    int code = (1 << (bits - 1)) - 1;
    if (bits == 1)
        return nashc_geno_net_op(n, "q.bipolar_quant", in, 2, "%s", "");
    return nashc_geno_net_op(n, "q.quant", in, 3, "qmin=%d qmax=%d", -code, code);
}

/* --- layers ---------------------------------------------------------------------------------- */

/* " key=[v,v]", or nothing where v is the default. */
static const char *
each(nashc_geno_net *n, const char *key, int times, int v, int normal)
{
    if (v == normal)
        return "";
    return times == 2 ? geno_name(n, " %s=[%d,%d]", key, v, v)
                      : geno_name(n, " %s=[%d,%d,%d,%d]", key, v, v, v, v);
}

nashc_value *
nashc_geno_net_conv(nashc_geno_net *n, const char *scope, nashc_value *x, const nashc_geno_conv *c)
{
    if (!x)
        return NULL;
    int64_t in = nashc_value_type(x)->dim[1], group = c->depthwise ? in : 1;
    int64_t dim[] = {c->out, in / group, c->kernel, c->kernel};
    int pad = c->pad >= 0 ? c->pad : (c->kernel - 1) / 2 * c->dilation;
    /* Kaiming's for what goes out: He et al., "Delving deep into rectifiers" (2015). */
    double fan = (double)c->out / (double)group * c->kernel * c->kernel;
    nashc_geno_net_at(n, scope, c->name);
    nashc_value *w = geno_weights(n, geno_name(n, "%s.%s.weight", scope, c->name), 4, dim, c->wbits,
                                  c->per_tensor, sqrt(2 / fan));
    nashc_value *operands[] = {x, w};
    return nashc_geno_net_op(n, "nn.conv", operands, 2, "%s%s%s%s",
                             each(n, "stride", 2, c->stride, 1), each(n, "pads", 4, pad, 0),
                             each(n, "dilation", 2, c->dilation, 1),
                             group > 1 ? geno_name(n, " group=%d", (int)group) : "");
}

nashc_value *
nashc_geno_net_bn(nashc_geno_net *n, const char *scope, nashc_value *x)
{
    static const char *const names[] = {"weight", "bias", "running_mean", "running_var"};
    static const double start[] = {1, 0, 0, 1};
    nashc_value *in[5] = {x};
    if (!x)
        return NULL;
    nashc_geno_net_at(n, scope, "bn");
    for (int i = 0; i < 4; i++) {
        const char *name = geno_name(n, "%s.bn.%s", scope, names[i]);
        in[i + 1] = constant(
            n, name,
            geno_parameter(n, name, 1, &nashc_value_type(x)->dim[1], GENO_VALUE, start[i]));
    }
    return nashc_geno_net_op(n, "nn.batchnorm", in, 5, "eps=1e-05");
}
