/* ops.c: the operators of a supernet, their meaning and their gradients.
 *
 *     search.sign(x)           sign(x), sign(0) = 0
 *         slope=bireal         dx = g (2 - 2x) on [0,1), g (2 + 2x) on [-1,0), else 0 (Bi-Real Net)
 *         slope=identity       dx = g: weights
 *     search.mean_abs(w)       mean |w| of the whole tensor; no gradient
 *     search.choice(x, c...)   candidate number `active`; zeros if it is none or left out. Training
 *                              takes another one at every step (net/choice.c).
 *
 * A binary convolution is E * conv(sign(x), sign(w)), E = mean |w|: the products of +-1 are added
 * first, so that a sum that is zero stays zero. The gradient that sign(w) gets is then that of the
 * weights E sign(w) times E, which is what w gets (straight through).
 */
#include "plugins/train/search/ops.h"
#include "plugins/train/grad/rules.h"
#include <math.h>
#include <nashc/grad.h>
#include <string.h>

/* --- search.sign ----------------------------------------------------------------------------- */

static nashc_status
need_float(const nashc_node *n, nashc_diag *d)
{
    return nashc_type_is_float(nashc_value_type(nashc_node_in(n, 0)))
               ? NASHC_OK
               : nashc_node_error(d, n, "the operand must be of floats");
}

static nashc_status
infer_same(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    *out = *nashc_value_type(nashc_node_in(n, 0));
    return need_float(n, d);
}

static nashc_status
sign_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0);
    nashc_buf *y = nashc_eval_out(e, 0);

    (void)n;
    for (int64_t i = 0; i < y->n; i++) {
        double v = nashc_buf_get(x, i);
        nashc_buf_set(y, i, (double)((v > 0.0) - (v < 0.0)));
    }
    return NASHC_OK;
}

static const nashc_param sign_attrs[] = {
    {.name = "slope",
     .def = "bireal",
     .domain = "bireal|identity",
     .help = "gradient in training",
     .kind = NASHC_P_ENUM},
    {0},
};

static const nashc_op sign_op = {NASHC_DESC(nashc_op), .name = "search.sign", .help = "-1, 0 or 1",
                                 .min_in = 1,          .max_in = 1,           .min_out = 1,
                                 .max_out = 1,         .attrs = sign_attrs,   .infer = infer_same,
                                 .eval = sign_eval};

static void
sign_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const nashc_grad_call *c = arg;
    const float *x = c->in[0].v;

    (void)thread;
    for (int64_t i = lo; i < hi; i++)
        c->out[0].v[i] = (float)((x[i] > 0.0f) - (x[i] < 0.0f));
}

static void
sign_back_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const nashc_grad_call *c = arg;
    const float *x = c->in[0].v, *g = c->out[0].g;
    bool identity = strcmp(nashc_node_str(c->node, "slope"), "identity") == 0;

    (void)thread;
    for (int64_t i = lo; i < hi; i++) {
        float slope = x[i] >= 1.0f || x[i] < -1.0f ? 0.0f
                      : x[i] >= 0.0f               ? 2.0f - 2.0f * x[i]
                                                   : 2.0f + 2.0f * x[i];
        c->in[0].g[i] += g[i] * (identity ? 1.0f : slope);
    }
}

static nashc_status
sign_forward(const nashc_grad_call *c)
{
    nashc_grad_parallel(c, c->out[0].n, sign_part, (void *)c);
    return NASHC_OK;
}

static nashc_status
sign_backward(const nashc_grad_call *c)
{
    nashc_grad_parallel(c, c->out[0].n, sign_back_part, (void *)c);
    return NASHC_OK;
}

static const nashc_grad sign_rule = {
    NASHC_DESC(nashc_grad),    .keeps_in = 1,         .trains = 1, .forward = sign_forward,
    .backward = sign_backward, .blocks = train_blocks};
extern const nashc_impl train_grad_sign;
const nashc_impl train_grad_sign = NASHC_IMPL_GRAD("search.sign", &sign_rule);

/* --- search.mean_abs ------------------------------------------------------------------------- */

static nashc_status
infer_number(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    *out = nashc_type_f32();
    return need_float(n, d);
}

static nashc_status
mean_abs_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0);
    double sum = 0.0;

    (void)n;
    for (int64_t i = 0; i < x->n; i++)
        sum += fabs(nashc_buf_get(x, i));
    nashc_buf_set(nashc_eval_out(e, 0), 0, sum / (double)x->n);
    return NASHC_OK;
}

static const nashc_op mean_abs_op = {NASHC_DESC(nashc_op),
                                     .name = "search.mean_abs",
                                     .help = "mean magnitude of all elements",
                                     .min_in = 1,
                                     .max_in = 1,
                                     .min_out = 1,
                                     .max_out = 1,
                                     .infer = infer_number,
                                     .eval = mean_abs_eval};

static nashc_status
mean_abs_forward(const nashc_grad_call *c)
{
    double sum = 0.0;

    for (int64_t i = 0; i < c->in[0].n; i++)
        sum += (double)fabsf(c->in[0].v[i]);
    c->out[0].v[0] = (float)(sum / (double)c->in[0].n);
    return NASHC_OK;
}

static const nashc_grad mean_abs_rule = {NASHC_DESC(nashc_grad), .trains = 1,
                                         .forward = mean_abs_forward};
extern const nashc_impl train_grad_mean_abs;
const nashc_impl train_grad_mean_abs = NASHC_IMPL_GRAD("search.mean_abs", &mean_abs_rule);

/* --- search.choice --------------------------------------------------------------------------- */

static nashc_status
choice_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    const nashc_type *first = NULL;

    for (int i = 1; i < nashc_node_n_in(n); i++) {
        const nashc_type *t = nashc_node_in(n, i) ? nashc_value_type(nashc_node_in(n, i)) : NULL;
        if (t && first && !nashc_type_eq(t, first))
            return nashc_node_error(d, n, "candidates are %s and %s", nashc_type_str(d, first),
                                    nashc_type_str(d, t));
        first = first ? first : t;
    }
    if (!first)
        return nashc_node_error(d, n, "all candidates are left out");
    *out = *first;
    return NASHC_OK;
}

static nashc_status
choice_eval(nashc_eval *e, const nashc_node *n)
{
    int64_t at = nashc_node_int(n, "active") + 1;
    const nashc_buf *x = at > 0 && at < nashc_node_n_in(n) ? nashc_eval_in(e, (int)at) : NULL;
    nashc_buf *y = nashc_eval_out(e, 0);

    for (int64_t i = 0; x && i < y->n; i++)
        nashc_buf_set(y, i, nashc_buf_get(x, i));
    return NASHC_OK;
}

static const nashc_param choice_attrs[] = {
    {.name = "active",
     .def = "-1",
     .domain = "-1..63",
     .help = "candidate from 0; -1: none",
     .kind = NASHC_P_INT},
    {0},
};

static const nashc_op choice_op = {NASHC_DESC(nashc_op),
                                   .name = "search.choice",
                                   .help = "one of several candidates that read x",
                                   .min_in = 1,
                                   .max_in = -1,
                                   .min_out = 1,
                                   .max_out = 1,
                                   .attrs = choice_attrs,
                                   .infer = choice_infer,
                                   .eval = choice_eval};

/* The candidate that is taken: the others have no values in the call; NULL: none. */
static const nashc_grad_arg *
taken(const nashc_grad_call *c)
{
    for (int i = 1; i < c->n_in; i++)
        if (c->in[i].v)
            return &c->in[i];
    return NULL;
}

static nashc_status
choice_forward(const nashc_grad_call *c)
{
    const nashc_grad_arg *x = taken(c);
    size_t size = (size_t)c->out[0].n * sizeof(float);

    if (x)
        memcpy(c->out[0].v, x->v, size);
    else
        memset(c->out[0].v, 0, size);
    return NASHC_OK;
}

static nashc_status
choice_backward(const nashc_grad_call *c)
{
    const nashc_grad_arg *x = taken(c);

    for (int64_t i = 0; x && x->g && i < x->n; i++)
        x->g[i] += c->out[0].g[i];
    return NASHC_OK;
}

static const nashc_grad choice_rule = {NASHC_DESC(nashc_grad), .keeps_out = 1,
                                       .forward = choice_forward, .backward = choice_backward,
                                       .blocks = train_blocks};
extern const nashc_impl train_grad_choice;
const nashc_impl train_grad_choice = NASHC_IMPL_GRAD("search.choice", &choice_rule);

const nashc_op *const search_ops[] = {&sign_op, &mean_abs_op, &choice_op, NULL};
