/* layers.c: convolutions, batch normalisations and their parameters in a supernet. */
#include "plugins/train/data/data.h"
#include "plugins/train/search/space.h"
#include <math.h>
#include <stdarg.h>

const char *
search_name(search_build *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    const char *s = nashc_arena_vprintf(b->a, fmt, ap);
    va_end(ap);
    return s ? s : "";
}

/* NULL operands are those that an earlier failure left. */
nashc_value *
search_put_op(search_build *b, const char *op, nashc_value *const *in, int n, const char *attrs,
              ...)
{
    va_list ap;

    for (int i = 0; i < n; i++)
        if (!in[i])
            return NULL;
    va_start(ap, attrs);
    const char *text = nashc_arena_vprintf(b->a, attrs, ap);
    va_end(ap);
    return text ? nashc_build_op(b->b, op, in, n, "%s", text) : NULL;
}

nashc_value *
search_sign(search_build *b, search_state *s)
{
    if (!s->sign)
        s->sign = search_put_op(b, "search.sign", &s->x, 1, "%s", "");
    return s->sign;
}

nashc_value *
search_tanh(search_build *b, search_state *s)
{
    if (!s->tanh)
        s->tanh = search_put_op(b, "nn.tanh", &s->x, 1, "%s", "");
    return s->tanh;
}

/* --- parameters ------------------------------------------------------------------------------ */

/* A normal number (Box and Muller 1958) of parameter `which`, element i. */
static double
normal(uint64_t seed, uint64_t which, uint64_t i)
{
    double u = ((double)(train_random(seed, which, 2 * i) >> 11) + 1.0) * 0x1p-53;
    double v = (double)(train_random(seed, which, 2 * i + 1) >> 11) * 0x1p-53;

    return sqrt(-2.0 * log(u)) * cos(6.28318530717958647692 * v);
}

nashc_value *
search_put_param(search_build *b, const char *name, int rank, const int64_t *dim, double mean,
                 double deviation)
{
    nashc_type t = nashc_type_shaped(nashc_type_f32(), rank, dim);
    nashc_buf buf;

    b->made++;
    if (!nashc_buf_alloc(&buf, &t))
        return nashc_build_const(b->b, name, NULL);
    for (int64_t i = 0; i < buf.n; i++)
        ((float *)buf.data)[i] =
            (float)(mean +
                    (deviation != 0.0 ? deviation * normal(b->seed, b->made, (uint64_t)i) : 0.0));
    nashc_value *v = nashc_build_const(b->b, name, nashc_tensor_take(&buf));
    nashc_buf_free(&buf);
    return v;
}

/* --- layers ---------------------------------------------------------------------------------- */

static nashc_value *
conv_op(search_build *b, nashc_value *x, nashc_value *w, const search_conv *c)
{
    nashc_value *in[] = {x, w};

    return search_put_op(
        b, "nn.conv", in, 2, "stride=[%d,%d] pads=[%d,%d,%d,%d] dilation=[%d,%d] group=%d",
        c->stride, c->stride, c->pad, c->pad, c->pad, c->pad, c->dilation, c->dilation, c->group);
}

/* Behind the quantiser that the trained network has; training measures the scales. */
static nashc_value *
quantised(search_build *b, nashc_value *w, const search_conv *c)
{
    int64_t dim[] = {c->out, 1, 1, 1};
    int code = (1 << (c->wbits - 1)) - 1;

    if (!b->zero)
        b->zero = nashc_build_f32(b->b, 0.0f);
    nashc_value *scale =
        search_put_param(b, search_name(b, "%s.weight.scale", c->name), 4, dim, 1.0, 0.0);
    nashc_value *in[] = {w, scale, b->zero};
    if (c->wbits == 1)
        return search_put_op(b, "q.bipolar_quant", in, 2, "%s", "");
    return search_put_op(b, "q.quant", in, 3, "qmin=%d qmax=%d", -code, code);
}

nashc_value *
search_put_conv(search_build *b, nashc_value *x, const search_conv *c, search_weights kind)
{
    if (!x)
        return NULL;
    int64_t in = nashc_value_type(x)->dim[1];
    int64_t dim[] = {c->out, in / c->group, c->kernel, c->kernel};
    /* He et al., "Delving deep into rectifiers" (2015), for what goes out. */
    double fan = (double)c->out / c->group * c->kernel * c->kernel;
    nashc_value *w =
        search_put_param(b, search_name(b, "%s.weight", c->name), 4, dim, 0.0, sqrt(2.0 / fan));
    if (kind == SEARCH_DEPLOY)
        return conv_op(b, x, quantised(b, w, c), c);
    if (kind == SEARCH_FLOAT)
        return conv_op(b, x, w, c);
    nashc_value *sign = search_put_op(b, "search.sign", &w, 1, "slope=identity");
    nashc_value *y[] = {conv_op(b, x, sign, c),
                        search_put_op(b, "search.mean_abs", &w, 1, "%s", "")};
    return search_put_op(b, "nn.mul", y, 2, "%s", "");
}

nashc_value *
search_put_bn(search_build *b, nashc_value *x, const char *scope)
{
    static const char *const names[] = {"weight", "bias", "running_mean", "running_var"};
    static const double start[] = {1.0, 0.0, 0.0, 1.0};
    nashc_value *in[5] = {x};

    for (int i = 0; x && i < 4; i++)
        in[i + 1] = search_put_param(b, search_name(b, "%s.bn.%s", scope, names[i]), 1,
                                     &nashc_value_type(x)->dim[1], start[i], 0.0);
    return x ? search_put_op(b, "nn.batchnorm", in, 5, "eps=1e-05") : NULL;
}
