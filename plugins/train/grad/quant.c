/* quant.c: gradients of quantisers, straight through the rounding.
 *
 *     q.quant          code q = clamp(round(x / s + z)), y = (q - z) s;  m: the rounded code is in
 * range dx = g m                   ds = sum g (q - z - m x / s) q.quant rounding=sign,
 * q.bipolar_quant      q = +-1, y = q s dx = g s m, m: weight, or |x| <= s      ds = sum g q
 *     q.trunc          S = round(x / s + z), y = (q - z) s, q = R(S / cut)
 *         dx = g / cut               ds = sum g (q - z - x / (s cut))
 *
 * Scales are learned or measured by the network around (net/scale.h); zero points are constant.
 */
#include "plugins/train/grad/quant.h"
#include "plugins/train/grad/fused.h"
#include "plugins/train/grad/rules.h"
#include <math.h>
#include <nashc/clones.h>
#include <string.h>

/* Nearest, with halves away from zero or toward it. */
static float
round_half(float u, bool up)
{
    float down = truncf(u), rest = fabsf(u - down);

    return (up ? rest >= 0.5f : rest > 0.5f) ? down + copysignf(1.0f, u) : down;
}

float
train_round(train_rounding mode, float u)
{
    switch (mode) {
    case TRAIN_ROUND:
        return nearbyintf(u);
    case TRAIN_CEIL:
        return ceilf(u);
    case TRAIN_FLOOR:
        return floorf(u);
    case TRAIN_UP:
        return u < 0.0f ? floorf(u) : ceilf(u);
    case TRAIN_DOWN:
        return truncf(u);
    case TRAIN_HALF_UP:
        return round_half(u, true);
    case TRAIN_HALF_DOWN:
        return round_half(u, false);
    case TRAIN_DPU:
        return u < 0.0f && u - floorf(u) == 0.5f ? ceilf(u) : nearbyintf(u);
    case TRAIN_SIGN:
        break;
    }
    return u >= 0.0f ? 1.0f : -1.0f;
}

nashc_status
train_quant_of(const nashc_grad_call *c, train_quant *q)
{
    const nashc_node *n = c->node;
    bool bipolar = nashc_node_is(n, "q.bipolar_quant");
    train_axis z = {0};

    *q = (train_quant){.mode = bipolar ? TRAIN_SIGN : (train_rounding)nashc_node_int(n, "rounding"),
                       .weight = !c->in[0].batched,
                       .qmin = bipolar ? -1.0f : (float)nashc_node_int(n, "qmin"),
                       .qmax = bipolar ? 1.0f : (float)nashc_node_int(n, "qmax")};
    if (nashc_node_int(n, "codes"))
        return nashc_node_unsup(c->diag, n, "training needs quantisers that give values");
    if (!bipolar && nashc_node_int(n, "round_before_zp"))
        q->before = true;
    if (!train_axis_of(c, &c->in[0], &c->in[1], &q->axis) ||
        (!bipolar && !train_axis_of(c, &c->in[0], &c->in[2], &z)))
        return nashc_node_unsup(c->diag, n, "training needs one scale, or one a channel");
    q->z_per_scale = !bipolar && c->in[2].n > 1;
    if (q->z_per_scale && (z.n != q->axis.n || z.inner != q->axis.inner))
        return nashc_node_unsup(c->diag, n, "training needs zero points as many as scales");
    return NASHC_OK;
}

/* Value and gradient factors of one element. */
static inline float
quantise(const train_quant *q, float x, float s, float z, float *m)
{
    float u = x / s, r;

    if (q->mode == TRAIN_SIGN) {
        *m = q->weight || fabsf(x) <= fabsf(s) ? 1.0f : 0.0f;
        return u + z >= 0.0f ? 1.0f : -1.0f;
    }
    r = q->before ? train_round(q->mode, u) + z : train_round(q->mode, u + z);
    *m = r >= q->qmin && r <= q->qmax ? 1.0f : 0.0f;
    return (r < q->qmin ? q->qmin : r > q->qmax ? q->qmax : r) - z;
}

/* --- many elements --------------------------------------------------------------------------- */

/* Adding and taking away 1.5 * 2^23 rounds to the nearest, halves to even, what is below 2^22. */
#define ROUNDER  12582912.0f
#define MOST_FOR 4094.0f

static bool
is_plain(const train_quant *q)
{
    return q->mode == TRAIN_ROUND && !q->before && q->qmin > -MOST_FOR && q->qmax < MOST_FOR;
}

/* x / s, or its product with 1 / s, which is wrong in the last places. */
static inline float
ratio(float x, float s, bool divide)
{
    return divide ? x / s : x * s;
}

/* The code before it is clamped; beyond the range one is as good as another. *off is how far u is
 * from it. */
static inline float
plain_code(const train_quant *q, float u, float *off)
{
    float lo = q->qmin - 2.0f, hi = q->qmax + 2.0f, r;

    u = u < lo ? lo : u;
    u = u > hi ? hi : u;
    r = (u + ROUNDER) - ROUNDER;
    *off = fabsf(u - r);
    return r;
}

/* How far from a code is certain to round to it, whatever the last places of u. */
static float
certain(const train_quant *q, float z)
{
    return 0.5f - (fmaxf(q->qmax, -q->qmin) + 2.0f + 2.0f * fabsf(z)) * 4e-7f;
}

/* Elements of a block; s is 1 / s unless `divide`. False: some could round to either side. */
static inline bool
plain_values(const train_quant *q, const float *x, int64_t n, float s, float of_code, float z,
             bool divide, float *y)
{
    float limit = certain(q, z), off;
    int near = 0;

    for (int64_t i = 0; i < n; i++) {
        float v = q->relu && !(x[i] > 0.0f) ? 0.0f : x[i];
        float r = plain_code(q, ratio(v, s, divide) + z, &off);
        near |= off > limit;
        r = r < q->qmin ? q->qmin : r;
        r = r > q->qmax ? q->qmax : r;
        y[i] = (r - z) * of_code;
    }
    return divide || !near;
}

/* Whether x / s + z >= 0 where x >= 0: no quotient vanishes that is not 0. */
static bool
has_sign_of(float s, float z)
{
    return z == 0.0f && s > 0.0f && s <= 1.0f;
}

NASHC_CLONES void
train_quant_values(const train_quant *q, const float *x, int64_t n, float s, float z, float *y)
{
    const train_quant p = *q;
    float m, inverse = 1.0f / s, block[TRAIN_QUANT_BLOCK];
    bool plain = is_plain(&p), sign = p.mode == TRAIN_SIGN && !p.relu;

    if (sign && has_sign_of(s, z))
        for (int64_t i = 0; i < n; i++)
            y[i] = x[i] >= 0.0f ? s : -s;
    else if (sign)
        for (int64_t i = 0; i < n; i++)
            y[i] = x[i] / s + z >= 0.0f ? s : -s;
    for (int64_t i = 0; i < n && !plain && !sign; i++)
        y[i] = quantise(&p, p.relu && !(x[i] > 0.0f) ? 0.0f : x[i], s, z, &m) * s;
    for (int64_t i = 0; i < n && plain; i += TRAIN_QUANT_BLOCK) {
        int64_t some = n - i < TRAIN_QUANT_BLOCK ? n - i : TRAIN_QUANT_BLOCK;
        if (!isnormal(inverse) || !plain_values(&p, x + i, some, inverse, s, z, false, block))
            plain_values(&p, x + i, some, s, s, z, true, block);
        for (int64_t k = 0; k < some; k++)
            y[i + k] = block[k];
    }
}

/* As above: slopes, and for each element ds over g. */
static inline bool
plain_slopes(const train_quant *q, const float *x, int64_t n, float s, float z, bool divide,
             float *slope, float *ds)
{
    float limit = certain(q, z), off;
    bool relu = q->relu;
    int near = 0;

    for (int64_t i = 0; i < n; i++) {
        float v = relu && !(x[i] > 0.0f) ? 0.0f : x[i], live = relu && !(x[i] > 0.0f) ? 0.0f : 1.0f;
        float u = ratio(v, s, divide), r = plain_code(q, u + z, &off);
        float m = r < q->qmin ? 0.0f : r > q->qmax ? 0.0f : 1.0f;
        near |= off > limit;
        r = r < q->qmin ? q->qmin : r;
        r = r > q->qmax ? q->qmax : r;
        slope[i] = m * live;
        ds[i] = m != 0.0f ? (r - z) - u : r - z;
    }
    return divide || !near;
}

/* Sum of a[i] b[i] in double, in parts that are independent. */
NASHC_CLONES static double
product_sum(const float *a, const float *b, int64_t n)
{
    double sum[NASHC_GRAD_BLOCK] = {0.0}, all = 0.0;
    int64_t whole = n / NASHC_GRAD_BLOCK * NASHC_GRAD_BLOCK;

    for (int64_t i = 0; i < whole; i += NASHC_GRAD_BLOCK)
        for (int k = 0; k < NASHC_GRAD_BLOCK; k++)
            sum[k] += (double)a[i + k] * (double)b[i + k];
    for (int64_t i = whole; i < n; i++)
        all += (double)a[i] * (double)b[i];
    for (int k = 0; k < NASHC_GRAD_BLOCK; k++)
        all += sum[k];
    return all;
}

NASHC_CLONES double
train_quant_slopes(const train_quant *q, const float *x, const float *g, int64_t n, float s,
                   float z, float *slope)
{
    const train_quant p = *q;
    float ds[TRAIN_QUANT_BLOCK], inverse = 1.0f / s;

    if (is_plain(&p)) {
        if (!isnormal(inverse) || !plain_slopes(&p, x, n, inverse, z, false, slope, ds))
            plain_slopes(&p, x, n, s, z, true, slope, ds);
        return g ? product_sum(ds, g, n) : 0.0;
    }
    if (p.mode == TRAIN_SIGN && !p.relu) {
        float most = p.weight ? INFINITY : fabsf(s);
        for (int64_t i = 0; i < n; i++)
            slope[i] = fabsf(x[i]) <= most ? s : 0.0f;
        for (int64_t i = 0; g && i < n; i++)
            ds[i] = x[i] / s + z >= 0.0f ? 1.0f : -1.0f;
        return g ? product_sum(ds, g, n) : 0.0;
    }
    for (int64_t i = 0; i < n; i++) {
        bool live = !p.relu || x[i] > 0.0f;
        float v = live ? x[i] : 0.0f;
        ds[i] = quantise(&p, v, s, z, &slope[i]);
        if (p.mode == TRAIN_SIGN)
            slope[i] *= s;
        else
            ds[i] -= slope[i] * (v / s);
        slope[i] = live ? slope[i] : 0.0f;
    }
    return g ? product_sum(ds, g, n) : 0.0;
}

/* --- the op ---------------------------------------------------------------------------------- */

/* The calls of an op, or of nn.relu and the op as one step: the node is that of the op. */
typedef struct job {
    const nashc_grad_call *c;
    train_quant q;
    double *sum; /* of ds, a row of axis.n a thread */
} job;

static nashc_status
sizes(const nashc_grad_call *c, size_t *saved, size_t *scratch)
{
    train_quant q;
    nashc_status s = train_quant_of(c, &q);

    *saved = 0;
    *scratch = (size_t)(c->n_threads * q.axis.n) * sizeof(double);
    return s;
}

/* Scale and zero point of line i of [outer * n][inner]. */
static void
parameters(const job *j, int64_t line, float *s, float *z)
{
    const nashc_grad_arg *in = j->c->in;
    int64_t k = line % j->q.axis.n;

    *s = in[1].v[k];
    *z = j->c->n_in > 2 ? in[2].v[j->q.z_per_scale ? k : 0] : 0.0f;
}

/* Items are elements; a part may begin and end inside a line. */
static void
forward_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const job *j = arg;
    int64_t inner = j->q.axis.inner;
    float s, z;

    (void)thread;
    for (int64_t line = lo / inner; line * inner < hi; line++) {
        int64_t a = line * inner < lo ? lo : line * inner;
        int64_t b = (line + 1) * inner > hi ? hi : (line + 1) * inner;
        parameters(j, line, &s, &z);
        train_quant_values(&j->q, j->c->in[0].v + a, b - a, s, z, j->c->out[0].v + a);
    }
}

/* Elements a .. b-1, of one scale; the sum of ds. */
NASHC_CLONES static double
backward_line(const job *j, int64_t a, int64_t b, float s, float z)
{
    const float *x = j->c->in[0].v, *g = j->c->out[0].g;
    float slope[TRAIN_QUANT_BLOCK], *dx = j->c->in[0].g;
    bool set = j->c->sets & 1u, scale = j->c->in[1].g;
    double sum = 0.0;

    for (; a < b; a += TRAIN_QUANT_BLOCK) {
        int64_t n = b - a < TRAIN_QUANT_BLOCK ? b - a : TRAIN_QUANT_BLOCK;
        sum += train_quant_slopes(&j->q, x + a, scale ? g + a : NULL, n, s, z, slope);
        for (int64_t i = 0; dx && i < n; i++)
            slope[i] *= g[a + i];
        if (dx && set) /* dx may be g */
            memcpy(dx + a, slope, (size_t)n * sizeof *dx);
        for (int64_t i = 0; dx && !set && i < n; i++)
            dx[a + i] += slope[i];
    }
    return sum;
}

static void
backward_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const job *j = arg;
    int64_t inner = j->q.axis.inner;
    float s, z;

    for (int64_t line = lo / inner; line * inner < hi; line++) {
        int64_t a = line * inner < lo ? lo : line * inner;
        int64_t b = (line + 1) * inner > hi ? hi : (line + 1) * inner;
        parameters(j, line, &s, &z);
        j->sum[thread * j->q.axis.n + line % j->q.axis.n] += backward_line(j, a, b, s, z);
    }
}

void
train_quant_add_scale(const nashc_grad_call *c, const double *sum, int64_t n)
{
    for (int64_t k = 0; c->in[1].g && k < n; k++) {
        double all = 0.0;
        for (int t = 0; t < c->n_threads; t++)
            all += sum[t * n + k];
        c->in[1].g[k] += (float)all;
    }
}

static nashc_status
run_forward(const nashc_grad_call *c, bool relu)
{
    job j = {.c = c};
    nashc_status s = train_quant_of(c, &j.q);

    j.q.relu = relu;
    if (s == NASHC_OK)
        nashc_grad_parallel(c, c->in[0].n, forward_part, &j);
    return s;
}

static nashc_status
run_backward(const nashc_grad_call *c, bool relu)
{
    job j = {.c = c, .sum = c->scratch};
    nashc_status s = train_quant_of(c, &j.q);

    j.q.relu = relu;
    if (s != NASHC_OK)
        return s;
    for (int64_t i = 0; i < c->n_threads * j.q.axis.n; i++)
        j.sum[i] = 0.0;
    nashc_grad_parallel(c, c->in[0].n, backward_part, &j);
    train_quant_add_scale(c, j.sum, j.q.axis.n);
    return NASHC_OK;
}

static nashc_status
forward(const nashc_grad_call *c)
{
    return run_forward(c, false);
}

static nashc_status
backward(const nashc_grad_call *c)
{
    return run_backward(c, false);
}

static nashc_status
relu_forward(const nashc_grad_call *c)
{
    return run_forward(c, true);
}

static nashc_status
relu_backward(const nashc_grad_call *c)
{
    return run_backward(c, true);
}

const nashc_grad train_relu_quant_rule = {NASHC_DESC(nashc_grad),
                                          .keeps_in = 1,
                                          .scales = 2,
                                          .sizes = sizes,
                                          .forward = relu_forward,
                                          .backward = relu_backward,
                                          .blocks = train_blocks,
                                          .sets = 1,
                                          .in_place = 1};
static const nashc_grad rule = {NASHC_DESC(nashc_grad),
                                .keeps_in = 1,
                                .trains = 1,
                                .scales = 2,
                                .sizes = sizes,
                                .forward = forward,
                                .backward = backward,
                                .blocks = train_blocks,
                                .sets = 1,
                                .in_place = 1};
const nashc_impl train_grad_quant = NASHC_IMPL_GRAD("q.quant", &rule);
const nashc_impl train_grad_bipolar_quant = NASHC_IMPL_GRAD("q.bipolar_quant", &rule);

/* --- q.trunc --------------------------------------------------------------------------------- */

typedef struct cutter {
    float s, z, so, cut, qmin, qmax;
    train_rounding mode;
    bool second; /* four operands: another scale, codes clamped */
} cutter;

static nashc_status
cutter_of(const nashc_grad_call *c, cutter *t)
{
    const nashc_node *n = c->node;
    bool is_signed = nashc_node_int(n, "signed"), narrow = nashc_node_int(n, "narrow");
    float levels = ldexpf(1.0f, (int)nashc_node_int(n, "out_bits") - is_signed);

    *t = (cutter){.mode = (train_rounding)nashc_node_int(n, "rounding"),
                  .second = c->n_in > 3 && c->in[3].type,
                  .qmin = is_signed ? (float)narrow - levels : 0.0f,
                  .qmax = levels - 1.0f - (!is_signed && narrow ? 1.0f : 0.0f)};
    if (c->in[1].n != 1 || c->in[2].n != 1)
        return nashc_node_unsup(c->diag, n, "training truncates with one scale only");
    if (!c->in[1].v)
        return NASHC_OK;
    t->s = c->in[1].v[0];
    t->z = c->in[2].v[0];
    t->so = t->second ? c->in[3].v[0] : t->s;
    t->cut =
        t->second
            ? exp2f(nearbyintf(log2f(t->so / t->s)))
            : ldexpf(1.0f, (int)(nashc_node_int(n, "in_bits") - nashc_node_int(n, "out_bits")));
    return NASHC_OK;
}

static nashc_status
trunc_sizes(const nashc_grad_call *c, size_t *saved, size_t *scratch)
{
    cutter t;

    *saved = *scratch = 0;
    return cutter_of(c, &t);
}

static float
cut(const cutter *t, float x, float *m)
{
    float r = train_round(t->mode, nearbyintf(x / t->s + t->z) / t->cut);

    *m = !t->second || (r >= t->qmin && r <= t->qmax) ? 1.0f : 0.0f;
    return *m > 0.0f ? r : r < t->qmin ? t->qmin : t->qmax;
}

static nashc_status
trunc_forward(const nashc_grad_call *c)
{
    cutter t;
    float m;
    nashc_status s = cutter_of(c, &t);

    for (int64_t i = 0; s == NASHC_OK && i < c->in[0].n; i++)
        c->out[0].v[i] = (cut(&t, c->in[0].v[i], &m) - (t.second ? t.z / t.cut : t.z)) * t.so;
    return s;
}

/* With an output scale of its own that is a constant multiple of s, as it is exported, the gradient
 * of s gets the factor so / s. */
static nashc_status
trunc_backward(const nashc_grad_call *c)
{
    cutter t;
    float m;
    double sum = 0.0;
    nashc_status s = cutter_of(c, &t);

    if (s != NASHC_OK)
        return s;
    for (int64_t i = 0; i < c->in[0].n; i++) {
        float x = c->in[0].v[i], g = c->out[0].g[i], q = cut(&t, x, &m);
        if (c->in[0].g)
            c->in[0].g[i] += g * m * (t.so / t.s) / t.cut;
        sum += (double)g * (double)(q - (t.second ? t.z / t.cut : t.z) - m * x / (t.s * t.cut));
    }
    if (c->in[1].g)
        c->in[1].g[0] += (float)(sum * (double)(t.so / t.s));
    return NASHC_OK;
}

static const nashc_grad trunc_rule = {NASHC_DESC(nashc_grad),
                                      .keeps_in = 1,
                                      .scales = 2,
                                      .sizes = trunc_sizes,
                                      .forward = trunc_forward,
                                      .backward = trunc_backward,
                                      .blocks = train_blocks};
const nashc_impl train_grad_trunc = NASHC_IMPL_GRAD("q.trunc", &trunc_rule);
