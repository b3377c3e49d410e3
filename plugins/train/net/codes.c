/* codes.c: which operands of a step are what a quantiser made, as it was or moved about: their
 * values are whole numbers times a scale, which rules may use. */
#include "plugins/train/grad/fused.h"
#include "plugins/train/grad/quant.h"
#include "plugins/train/lanes/convert.h"
#include "plugins/train/net/net.h"
#include <math.h>

/* Operands of a quantiser's step, alone or at the end of a fused one. */
typedef struct maker {
    const nashc_node *node;
    int scale, zero; /* slots; -1: none */
} maker;

/* Steps whose result has elements of their first operand only. */
static bool
moves(const train_step *t)
{
    static const char *const ops[] = {"nn.maxpool",   "nn.global_maxpool", "nn.reshape",
                                      "nn.transpose", "nn.identity",       NULL};

    return t->rule == &train_to_blocks || t->rule == &train_to_rows ||
           (t->node && nashc_node_is_any(t->node, ops));
}

/* The step whose quantiser made a slot; NULL: none did. */
static const train_step *
origin(const train_net *n, int slot)
{
    while (slot >= 0 && n->slot[slot].def >= 0) {
        const train_step *t = &n->step[n->slot[slot].def];
        if (!moves(t))
            return t;
        slot = t->in_slot[0];
    }
    return NULL;
}

static bool
maker_of(const train_step *t, maker *m)
{
    static const char *const ops[] = {"q.quant", "q.bipolar_quant", NULL};
    const nashc_node *relu;

    if (!t || !t->node)
        return false;
    if (t->rule == &train_fused_rule)
        *m = (maker){train_fused_quantiser(t->node, &relu), t->in_slot[5],
                     t->n_in > 6 ? t->in_slot[6] : -1};
    else if (nashc_node_is_any(t->node, ops))
        *m = (maker){t->node, t->in_slot[1], t->n_in > 2 ? t->in_slot[2] : -1};
    else
        return false;
    return m->node != NULL;
}

static bool
gives_signs(const nashc_node *q)
{
    return nashc_node_is(q, "q.bipolar_quant") ||
           (train_rounding)nashc_node_int(q, "rounding") == TRAIN_SIGN;
}

/* The range of codes behind the zero point. */
static bool
range(const train_net *n, const maker *m, nashc_grad_codes *c)
{
    bool sign = gives_signs(m->node);
    float zero = 0.0f;

    c->lo = sign ? -1 : (int32_t)nashc_node_int(m->node, "qmin");
    c->hi = sign ? 1 : (int32_t)nashc_node_int(m->node, "qmax");
    if (m->zero >= 0 && !sign) {
        if (n->slot[m->zero].batched || n->slot[m->zero].count != 1)
            return false;
        zero = n->slot[m->zero].v[0];
    }
    if (zero != nearbyintf(zero) || fabsf(zero) > 256.0f || c->lo < -256 || c->hi > 256)
        return false;
    c->lo -= (int32_t)zero;
    c->hi -= (int32_t)zero;
    return true;
}

/* One scale, or one of weights along an axis. */
static bool
spread(const train_slot *s, const train_slot *scale, nashc_grad_codes *c)
{
    nashc_grad_arg x = {.type = nashc_value_type(s->value)};
    nashc_grad_arg small = {.type = nashc_value_type(scale->value)};
    nashc_grad_call call = {NASHC_DESC(nashc_grad_call)};
    train_axis a;

    *c = (nashc_grad_codes){.scale = scale->v, .n_scales = 1, .inner = s->count};
    if (scale->batched || !nashc_value_const(scale->value))
        return false;
    if (scale->count == 1)
        return true;
    if (s->batched || !train_axis_of(&call, &x, &small, &a))
        return false;
    c->n_scales = a.n;
    c->inner = a.inner;
    return true;
}

static bool
find(const train_net *n, int slot, nashc_grad_codes *c, bool *signs)
{
    const train_step *t = slot < 0 ? NULL : origin(n, slot);
    maker m;

    if (!maker_of(t, &m) || !spread(&n->slot[slot], &n->slot[m.scale], c) || !range(n, &m, c))
        return false;
    *signs = gives_signs(m.node);
    return c->n_scales == 1 || n->slot[slot].def == t - n->step;
}

nashc_status
train_codes_find(train_net *n)
{
    for (int i = 0; i < n->n_steps; i++) {
        train_step *t = &n->step[i];
        t->codes = NASHC_NEW_N(n->arena, nashc_grad_codes, t->n_in + 1);
        if (!t->codes)
            return nashc_enomem(n->diag);
        for (int k = 0; k < t->n_in; k++) {
            bool signs = false;
            if (!find(n, t->in_slot[k], &t->codes[k], &signs))
                t->codes[k] = (nashc_grad_codes){0};
            else if (signs && k < 32)
                t->signs |= 1u << k;
        }
    }
    return NASHC_OK;
}
