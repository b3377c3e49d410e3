/* scale.c: where scales of quantisers come from, and where their gradients go.
 *
 *     learned   s = 2^v / thr                dv = ds s ln 2
 *     max       s = max |w| / thr            dw += ds sign(w) / thr at the largest element: the
 * first of a channel; shared by equal ones of a whole tensor mean      s = mean |w| dw += ds
 * sign(w) / n, sign(0) = 0 ratio     s = r s'                     ds' += r ds
 *
 * A threshold below the least one is that, without gradient; channels of zeros that the graph has
 * say which it is.
 */
#include "plugins/train/net/net.h"
#include <math.h>
#include <nashc/clones.h>
#include <string.h>

#define LN2              0.69314718055994530942
#define LEAST_OF_CHANNEL 2e-16f
#define LEAST_OF_TENSOR  1e-10f

/* --- which kind ------------------------------------------------------------------------------ */

static bool
has_suffix(const char *s, const char *suffix)
{
    size_t n = strlen(s), k = strlen(suffix);

    return n >= k && strcmp(s + n - k, suffix) == 0;
}

/* NAME.v for the scale NAME.scale. */
static const char *
threshold_name(train_net *n, const char *scale)
{
    size_t len = strlen(scale) - (has_suffix(scale, ".scale") ? 6 : 0);

    return nashc_arena_printf(n->arena, "%.*s.v", (int)len, scale);
}

/* The code that the threshold has: a full signed range is symmetric at its lower end. */
static float
threshold_code(const nashc_node *q)
{
    if (nashc_node_is(q, "q.bipolar_quant"))
        return 1.0f;
    double lo = (double)nashc_node_int(q, "qmin");
    double hi = (double)nashc_node_int(q, "qmax");
    return (float)(-lo > hi ? -lo : hi);
}

static bool
is_bipolar(const nashc_node *q)
{
    return nashc_node_is(q, "q.bipolar_quant") ||
           (nashc_node_is(q, "q.quant") && strcmp(nashc_node_str(q, "rounding"), "sign") == 0);
}

static nashc_status
learn(train_net *n, const nashc_node *q, train_slot *s, train_scale *out)
{
    const char *name = threshold_name(n, nashc_value_name(s->value));
    int p = name ? train_param_add(n, name, s->value, true) : -1;

    if (p < 0)
        return nashc_enomem(n->diag);
    out->kind = TRAIN_SCALE_LEARNED;
    out->param = p;
    out->thr = threshold_code(q);
    s->wants = true;
    for (int64_t i = 0; i < n->param[p].n; i++)
        n->param[p].v[i] = (float)log2((double)n->param[p].v[i] * (double)out->thr);
    return NASHC_OK;
}

#define PARTS 16 /* of a sum or a maximum, so that they are independent */

NASHC_CLONES static float
largest(const float *w, int64_t n)
{
    float part[PARTS] = {0.0f}, most = 0.0f;
    int64_t whole = n / PARTS * PARTS;

    for (int64_t i = 0; i < whole; i += PARTS)
        for (int k = 0; k < PARTS; k++)
            part[k] = fabsf(w[i + k]) > part[k] ? fabsf(w[i + k]) : part[k];
    for (int64_t i = whole; i < n; i++)
        most = fabsf(w[i]) > most ? fabsf(w[i]) : most;
    for (int k = 0; k < PARTS; k++)
        most = part[k] > most ? part[k] : most;
    return most;
}

/* Weights: measured, but for one constant scale of signs. */
static void
measure_weights(train_net *n, const nashc_node *q, int weights, train_slot *s, train_scale *out)
{
    bool signs = is_bipolar(q);
    const train_slot *w = &n->slot[weights];

    out->from = weights;
    out->thr = threshold_code(q);
    if (signs && s->count == 1 && nashc_value_type(n->slot[weights].value)->dim[0] > 1) {
        out->bound = fabsf(s->v[0]);
        return;
    }
    out->kind = signs ? TRAIN_SCALE_MEAN : TRAIN_SCALE_MAX;
    out->least = s->count > 1 ? LEAST_OF_CHANNEL : LEAST_OF_TENSOR;
    for (int64_t k = 0, each = w->count / s->count; k < s->count; k++)
        if (largest(w->v + k * each, each) == 0.0f)
            out->least = s->v[k] * out->thr;
    s->wants = true;
}

/* The scale of the quantiser that x comes from, through ops that keep what an element means. */
static int
scale_before(const train_net *n, const nashc_value *x)
{
    static const char *const through[] = {"nn.avgpool", "nn.sumpool",        "nn.global_avgpool",
                                          "nn.maxpool", "nn.global_sumpool", "nn.global_maxpool",
                                          "nn.reshape", "nn.transpose",      NULL};
    const nashc_node *d = nashc_value_def(x);

    while (d && nashc_node_is_any(d, through))
        d = nashc_value_def(nashc_node_in(d, 0));
    if (!d || !nashc_node_is(d, "q.quant"))
        return -1;
    return (int)(train_net_slot(n, nashc_node_in(d, 1)) - n->slot);
}

static void
tie(const train_net *n, int base, train_slot *s, train_scale *out)
{
    double ratio = (double)s->v[0] / (double)n->slot[base].v[0], whole = nearbyint(1.0 / ratio);

    out->kind = TRAIN_SCALE_RATIO;
    out->from = base;
    /* A mean's scale is a whole part of the other; float32 knows that only nearly. */
    out->ratio = fabs(whole * ratio - 1.0) < 1e-5 ? 1.0 / whole : ratio;
    s->wants = n->slot[base].wants;
}

/* The scale operand `at` of node q. */
static nashc_status
find_one(train_net *n, const nashc_node *q, int at)
{
    int i = (int)(train_net_slot(n, nashc_node_in(q, at)) - n->slot);
    int x = (int)(train_net_slot(n, nashc_node_in(q, 0)) - n->slot);
    train_slot *s = &n->slot[i];
    nashc_status status = NASHC_OK;

    if (s->scale >= 0 || s->batched || !nashc_value_const(s->value))
        return NASHC_OK;
    train_scale *out = &n->scale[n->n_scales];
    *out = (train_scale){.slot = i, .from = -1, .param = -1, .collected = -1};
    s->scale = n->n_scales++;
    if (nashc_node_is(q, "q.trunc")) {
        int base = scale_before(n, nashc_node_in(q, 0));
        if (base >= 0)
            tie(n, base, s, out);
    } else if (!n->slot[x].wants) {
        return NASHC_OK; /* of an input */
    } else if (n->slot[x].param >= 0) {
        measure_weights(n, q, x, s, out);
    } else if (!is_bipolar(q)) {
        status = learn(n, q, s, out);
    }
    return status;
}

nashc_status
train_scales_find(train_net *n)
{
    nashc_status s = NASHC_OK;

    n->scale = NASHC_NEW_N(n->arena, train_scale, n->n_slots);
    if (!n->scale)
        return nashc_enomem(n->diag);
    for (int i = 0; s == NASHC_OK && i < n->n_steps; i++) {
        const train_step *t = &n->step[i];
        bool wants = false;
        for (int k = 0; s == NASHC_OK && k < t->n_in && k < 32; k++)
            if ((t->rule->scales >> k & 1u) && t->in_slot[k] >= 0)
                s = find_one(n, t->node, k);
        if (s == NASHC_OK && nashc_node_is(t->node, "q.trunc") && t->n_in > 3 && t->in_slot[3] >= 0)
            s = find_one(n, t->node, 3);
        /* What depends on a parameter has a gradient; steps are in order. */
        for (int k = 0; k < t->n_in; k++)
            wants |= t->in_slot[k] >= 0 && n->slot[t->in_slot[k]].wants;
        for (int k = 0; k < t->n_out; k++)
            n->slot[t->out_slot[k]].wants =
                wants && (t->rule->backward || (t->rule->flags & NASHC_GRAD_VIEW));
    }
    return s;
}

/* --- forward --------------------------------------------------------------------------------- */

NASHC_CLONES static float
mean(const float *w, int64_t n)
{
    double part[PARTS] = {0.0}, sum = 0.0;
    int64_t whole = n / PARTS * PARTS;

    for (int64_t i = 0; i < whole; i += PARTS)
        for (int k = 0; k < PARTS; k++)
            part[k] += (double)fabsf(w[i + k]);
    for (int64_t i = whole; i < n; i++)
        sum += (double)fabsf(w[i]);
    for (int k = 0; k < PARTS; k++)
        sum += part[k];
    return (float)(sum / (double)n);
}

/* Channels are divided between threads. */
typedef struct measured {
    const train_net *n;
    const train_scale *c;
} measured;

static void
set_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const measured *m = arg;
    const train_scale *c = m->c;
    const train_slot *s = &m->n->slot[c->slot], *w = &m->n->slot[c->from];
    int64_t each = w->count / s->count;

    (void)thread;
    for (int64_t k = lo; k < hi; k++) {
        const float *v = w->v + k * each;
        float t = c->kind == TRAIN_SCALE_MEAN ? mean(v, each) : largest(v, each);
        s->v[k] = (t > c->least ? t : c->least) / c->thr;
    }
}

NASHC_CLONES static void
clamp(float *w, int64_t n, float bound)
{
    for (int64_t i = 0; i < n; i++)
        w[i] = w[i] > bound ? bound : w[i] < -bound ? -bound : w[i];
}

/* Weights are divided between threads. */
static void
clamp_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const measured *m = arg;

    (void)thread;
    clamp(m->n->slot[m->c->from].v + lo, hi - lo, m->c->bound);
}

void
train_scales_set(train_net *n)
{
    for (int i = 0; i < n->n_scales; i++) {
        const train_scale *c = &n->scale[i];
        train_slot *s = &n->slot[c->slot];
        if (c->kind == TRAIN_SCALE_LEARNED && train_collecting(n, c))
            s->v[0] = train_collected(n, c) > 0.0f ? train_collected(n, c) : s->v[0];
        else if (c->kind == TRAIN_SCALE_LEARNED)
            for (int64_t k = 0; k < s->count; k++)
                s->v[k] = (float)exp2((double)n->param[c->param].v[k]) / c->thr;
        else if (c->kind == TRAIN_SCALE_MAX || c->kind == TRAIN_SCALE_MEAN)
            thread_pool_share(n->pool, s->count, set_part, &(measured){n, c});
        else if (c->kind == TRAIN_SCALE_RATIO)
            s->v[0] = (float)((double)n->slot[c->from].v[0] * c->ratio);
        else if (c->bound > 0.0f)
            thread_pool_share(n->pool, n->slot[c->from].count, clamp_part, &(measured){n, c});
    }
}

/* --- backward -------------------------------------------------------------------------------- */

static float
sign(float x)
{
    return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : 0.0f;
}

NASHC_CLONES static int64_t
count_of(const float *w, int64_t n, float most)
{
    int64_t count = 0;

    for (int64_t i = 0; i < n; i++)
        count += fabsf(w[i]) == most;
    return count;
}

static void
back_max(void *arg, int thread, int64_t lo, int64_t hi)
{
    const train_scale *c = ((const measured *)arg)->c;
    const train_net *n = ((const measured *)arg)->n;
    const train_slot *s = &n->slot[c->slot], *w = &n->slot[c->from];
    int64_t each = w->count / s->count;

    (void)thread;
    for (int64_t k = lo; k < hi; k++) {
        const float *v = w->v + k * each;
        float most = largest(v, each), share = s->g[k] / c->thr;
        int64_t ties = count_of(v, each, most);
        share /= s->count > 1 ? 1.0f : (float)ties;
        for (int64_t i = 0; i < each && ties > 0; i++)
            if (fabsf(v[i]) == most) {
                w->g[k * each + i] += share * sign(v[i]);
                ties = s->count > 1 ? 0 : ties;
            }
    }
}

NASHC_CLONES static void
add_signs(const float *w, int64_t n, float g, float *dw)
{
    for (int64_t i = 0; i < n; i++)
        dw[i] += g * sign(w[i]) / (float)n;
}

static void
back_mean(void *arg, int thread, int64_t lo, int64_t hi)
{
    const train_scale *c = ((const measured *)arg)->c;
    const train_net *n = ((const measured *)arg)->n;
    const train_slot *s = &n->slot[c->slot], *w = &n->slot[c->from];
    int64_t each = w->count / s->count;

    (void)thread;
    for (int64_t k = lo; k < hi; k++)
        add_signs(w->v + k * each, each, s->g[k], w->g + k * each);
}

void
train_scales_back(train_net *n)
{
    for (int i = n->n_scales - 1; i >= 0; i--) { /* those that follow others first */
        const train_scale *c = &n->scale[i];
        const train_slot *s = &n->slot[c->slot];
        if (!s->wants)
            continue;
        if (c->kind == TRAIN_SCALE_RATIO)
            n->slot[c->from].g[0] += (float)((double)s->g[0] * c->ratio);
        else if (c->kind == TRAIN_SCALE_MAX)
            thread_pool_share(n->pool, s->count, back_max, &(measured){n, c});
        else if (c->kind == TRAIN_SCALE_MEAN)
            thread_pool_share(n->pool, s->count, back_mean, &(measured){n, c});
        else if (c->kind == TRAIN_SCALE_LEARNED)
            for (int64_t k = 0; k < s->count; k++)
                n->param[c->param].g[k] += (float)((double)s->g[k] * (double)s->v[k] * LN2);
    }
}
