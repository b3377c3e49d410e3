/* move_choice_past_quantiser.c
 *
 *     a, b -- max -- f -- quant -- y      ==>     a -- f -- quant --,
 *                                                 b -- f -- quant -- max -- y
 *     c, a, b -- where -- f -- quant      ==>     the same with where
 *     a, b -- add -- maxpool -- f -- quant   ==>  a, b -- add -- f -- quant -- maxpool
 *     a, b -- concat -- f -- quant        ==>     a -- f -- quant, b -- f -- quant -- concat
 *     a, b -- max -- f -- sign -- g       ==>     a -- f -- sign -- g --,    (round, floor, ceil)
 *                                                 b -- f -- sign -- g -- max
 *
 * What chooses one of several numbers commutes with what never falls: f, element-wise ops with
 * constants, and the quantiser; with what never rises, the smallest takes the largest one's place.
 * A choice by a condition, or a place in a concat, commutes with any function. Behind it all codes
 * have one scale, which a and b need not have: the choice is exact then whatever their scales are,
 * and works on few bits. A quantiser written by hand is what rounds, with the ops g behind it that
 * never fall. Where both are codes of one scale already, where a pool's operand is no sum and rises
 * or falls alike everywhere, or where all that a concat puts together has a grid, nothing is
 * gained. Terminates: a choice only ever moves towards the outputs.
 */
#include "passes/support/match.h"
#include <nashc/op.h>
#include <string.h>

#define MAX_CHAIN    16
#define MAX_BACK     64
#define MAX_OPERANDS 64

/* The choice in front of a quantiser, and the nodes behind it, the quantiser last. */
typedef struct chain {
    nashc_node *choice, *node[MAX_CHAIN];
    nashc_node *reshape; /* right behind the choice; NULL: none */
    int n, direction;    /* of all nodes together */
} chain;

/* --- which functions ---------------------------------------------------------------------------
 */

/* 1: no element of v is below 0, -1: none is above, 0: neither. */
static int
sign_of(const nashc_value *v)
{
    const nashc_tensor *t = nashc_value_const(v);
    bool up = t, down = t;

    for (int64_t i = 0; t && i < nashc_tensor_count(t); i++) {
        up = up && nashc_tensor_get(t, i) >= 0;
        down = down && nashc_tensor_get(t, i) <= 0;
    }
    return up ? 1 : down ? -1 : 0;
}

/* 1: n, a function of operand 0 with constants, never falls; -1: it never rises; 0: neither. */
static int
direction(const nashc_node *n)
{
    static const char *const by_sign[] = {"nn.mul",          "nn.div",       "q.quant", "q.dequant",
                                          "q.bipolar_quant", "nn.batchnorm", NULL};

    if (nashc_node_is_any(n, by_sign))
        return sign_of(nashc_node_in(n, 1));
    if (nashc_node_is(n, "nn.neg"))
        return -1;
    if (nashc_node_is(n, "nn.add") || nashc_node_is(n, "nn.sub"))
        return 1;
    return nashc_node_op(n)->flags & NASHC_OP_MONOTONE ? 1 : 0;
}

static bool
never_falls(const nashc_node *n)
{
    return direction(n) > 0;
}

/* Is n element-wise in operand 0, with constants beside it that suit any shape of it? A row for
 * each position would not suit what a pool reads. */
static bool
suits(const nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    static const char *const quantisers[] = {"q.quant", "q.bipolar_quant", NULL};

    if (nashc_node_n_out(n) != 1 || nashc_value_const(nashc_node_in(n, 0)) ||
        !nashc_type_same_shape(x, nashc_value_type(nashc_node_out(n, 0))))
        return false;
    if (!(nashc_node_op(n)->flags & NASHC_OP_ELTWISE) && !nashc_node_is(n, "nn.batchnorm") &&
        !nashc_node_is_any(n, quantisers))
        return false;
    for (int i = 1; i < nashc_node_n_in(n); i++) {
        const nashc_value *c = nashc_node_in(n, i);
        if (c && !nashc_value_const(c))
            return false;
        if (c && !nashc_node_is(n, "nn.batchnorm") && !match_channelwise(nashc_value_const(c), x))
            return false;
    }
    return true;
}

/* Does n choose by the order of the numbers? */
static bool
orders(const nashc_node *n)
{
    return !nashc_node_is(n, "nn.where") && !nashc_node_is(n, "nn.concat");
}

/* Are the constants beside these nodes single numbers, which suit any shape? */
static bool
shapeless(nashc_node *const *node, int n)
{
    for (int i = 0; i < n; i++)
        for (int k = 1; k < nashc_node_n_in(node[i]); k++) {
            const nashc_value *c = nashc_node_in(node[i], k);
            if (nashc_node_is(node[i], "nn.batchnorm"))
                return false;
            if (c && nashc_tensor_count(nashc_value_const(c)) != 1)
                return false;
        }
    return true;
}

/* The chain from the quantiser back to a choice. False: there is none, or somebody else reads it.
 */
static bool
find_chain(nashc_rw *rw, nashc_node *quantiser, chain *c)
{
    static const char *const choices[] = {
        "nn.max", "nn.min", "nn.where", "nn.maxpool", "nn.global_maxpool", "nn.concat", NULL};
    nashc_node *back[MAX_CHAIN], *n = quantiser;

    c->n = 0;
    c->direction = 1;
    c->reshape = NULL;
    while (c->n < MAX_CHAIN && suits(n)) {
        c->direction *= direction(n);
        back[c->n++] = n;
        n = nashc_value_def(nashc_node_in(n, 0));
        if (n && nashc_node_is(n, "nn.reshape") && shapeless(back, c->n)) {
            c->reshape = n;
            n = nashc_value_one_use(nashc_node_out(n, 0)) ? nashc_value_def(nashc_node_in(n, 0))
                                                          : NULL;
        }
        if (!n || !nashc_value_one_use(nashc_node_out(n, 0)))
            return false;
        if (nashc_node_is_any(n, choices) && !suits(n))
            break;
    }
    if (c->n == 0 || !nashc_node_is_any(n, choices) || suits(n))
        return false;
    for (int i = 0; i < c->n; i++)
        c->node[i] = back[c->n - 1 - i];
    c->choice = n;
    return c->direction || !orders(n) ||
           nashc_rw_miss(rw, n, "what lies between it and the quantiser rises and falls");
}

/* --- when --------------------------------------------------------------------------------------
 */

/* The quantiser whose codes v has, moved, chosen or cut off at most. */
static const nashc_node *
codes_of(const nashc_value *v)
{
    static const char *const keeps[] = {"nn.maxpool", "nn.relu",  "nn.identity", "nn.resize",
                                        "nn.pad",     "nn.slice", NULL};
    for (int i = 0; i < MAX_BACK; i++) {
        const nashc_node *n = nashc_value_def(v);
        if (!n || nashc_node_is(n, "q.quant"))
            return n;
        if (!nashc_node_is_any(n, keeps) && !(nashc_node_op(n)->flags & NASHC_OP_SHAPE))
            return NULL;
        v = nashc_node_in(n, 0);
    }
    return NULL;
}

/* Have a and b codes of one scale and zero point? */
static bool
have_one_grid(const nashc_value *a, const nashc_value *b)
{
    const nashc_node *p = codes_of(a), *q = codes_of(b);

    for (int i = 1; p && q && i < 3; i++) {
        const nashc_tensor *s = nashc_value_const(nashc_node_in(p, i)),
                           *t = nashc_value_const(nashc_node_in(q, i));
        if (!s || !t || nashc_tensor_count(s) != 1 || nashc_tensor_count(t) != 1 ||
            nashc_tensor_get(s, 0) != nashc_tensor_get(t, 0))
            return false;
    }
    return p && q;
}

/* Is v, through element-wise ops with constants, a sum of two tensors? */
static bool
is_sum(const nashc_value *v)
{
    for (int i = 0; i < MAX_CHAIN; i++) {
        const nashc_node *n = nashc_value_def(v);
        if (n && !suits(n))
            return (nashc_node_is(n, "nn.add") || nashc_node_is(n, "nn.sub")) &&
                   !nashc_value_const(nashc_node_in(n, 0)) &&
                   !nashc_value_const(nashc_node_in(n, 1));
        if (!n)
            return false;
        v = nashc_node_in(n, 0);
    }
    return false;
}

/* Is v a function that rises and falls, or does something moved lie in it, so that a pool may meet
 * functions of several channels, or of several positions, as offsets behind a transposed
 * convolution are? Codes have one order, which what they stand for has not. */
static bool
is_curved(const nashc_value *v)
{
    static const char *const lines[] = {"nn.neg", "nn.mul",    "nn.div",       "nn.add",
                                        "nn.sub", "q.dequant", "nn.batchnorm", NULL};
    for (int i = 0; i < MAX_CHAIN; i++) {
        const nashc_node *n = nashc_value_def(v);
        if (!n)
            return false;
        if (nashc_node_op(n)->flags & NASHC_OP_SHAPE || nashc_node_is(n, "nn.conv_transpose"))
            return !nashc_value_const(nashc_node_in(n, 0));
        if (!suits(n) || nashc_node_is(n, "q.quant"))
            return false;
        if (!never_falls(n) && !nashc_node_is_any(n, lines))
            return true;
        v = nashc_node_in(n, 0);
    }
    return false;
}

/* Is v a function of what is in front of it that has no grid, unless a quantiser gives it one? */
static bool
has_no_grid(const nashc_value *v)
{
    static const char *const lines[] = {"nn.neg", "nn.mul",    "nn.div",       "nn.add",
                                        "nn.sub", "q.dequant", "nn.batchnorm", NULL};
    static const char *const grids[] = {"nn.round", "nn.floor",        "nn.ceil", "nn.sign",
                                        "q.quant",  "q.bipolar_quant", NULL};
    for (int i = 0; i < MAX_CHAIN; i++) {
        const nashc_node *n = nashc_value_def(v);
        if (!n || !suits(n) || nashc_node_is_any(n, grids))
            return false;
        if (!nashc_node_is_any(n, lines))
            return !nashc_type_is_int(nashc_value_type(v));
        v = nashc_node_in(n, 0);
    }
    return false;
}

static bool
is_worth_it(const nashc_node *choice)
{
    int first = nashc_node_is(choice, "nn.where");

    if (nashc_node_is(choice, "nn.concat")) {
        for (int i = 0; i < nashc_node_n_in(choice); i++)
            if (has_no_grid(nashc_node_in(choice, i)))
                return true;
        return false;
    }
    if (nashc_node_n_in(choice) == 1)
        return is_sum(nashc_node_in(choice, 0)) || is_curved(nashc_node_in(choice, 0));
    return !have_one_grid(nashc_node_in(choice, first), nashc_node_in(choice, first + 1));
}

/* Does the chain mean the same in front of the choice, where v is broadcast? Constants that vary
 * would broadcast it there. */
static bool
fits(const chain *c, const nashc_value *v)
{
    if (nashc_node_n_in(c->choice) == 1 ||
        nashc_type_same_shape(nashc_value_type(v), nashc_value_type(nashc_node_out(c->choice, 0))))
        return true;
    return shapeless(c->node, c->n);
}

/* --- the rewrite -------------------------------------------------------------------------------
 */

/* The chain on v instead of the result of the choice. */
static nashc_value *
behind(nashc_rw *rw, const chain *c, nashc_value *v)
{
    nashc_value *in[8];

    for (int i = 0; v && i < c->n; i++) {
        int n_in = nashc_node_n_in(c->node[i]);
        for (int k = 0; k < n_in; k++)
            in[k] = k == 0 ? v : nashc_node_in(c->node[i], k);
        nashc_rw_loc(rw, c->node[i]);
        v = nashc_rw_like(rw, c->node[i], in, n_in);
    }
    return v;
}

static nashc_value *
negated(nashc_rw *rw, nashc_value *v)
{
    return nashc_rw_opf(rw, "nn.neg", &v, 1, NULL);
}

/* The choice between in, which the chain has turned round if it falls: the largest one becomes the
 * smallest. */
static nashc_value *
choose(nashc_rw *rw, const chain *c, nashc_value **in, int n_in)
{
    bool max = nashc_node_is(c->choice, "nn.max");

    if (c->direction >= 0 || !orders(c->choice))
        return nashc_rw_like(rw, c->choice, in, n_in);
    if (max || nashc_node_is(c->choice, "nn.min"))
        return nashc_rw_opf(rw, max ? "nn.min" : "nn.max", in, n_in, NULL);
    in[0] = negated(rw, in[0]);
    return negated(rw, nashc_rw_like(rw, c->choice, in, 1));
}

/* The last of the ops behind n, which rounds, that still belong to the quantiser written by hand.
 */
static nashc_node *
end_of_hand_written(nashc_node *n)
{
    for (int i = 0; i < MAX_CHAIN; i++) {
        nashc_node *next = nashc_value_one_user(nashc_node_out(n, 0));
        if (!next || nashc_node_in(next, 0) != nashc_node_out(n, 0) || !suits(next) ||
            !never_falls(next))
            break;
        n = next;
    }
    return n;
}

static bool
move_choice(nashc_rw *rw, nashc_node *quantiser)
{
    nashc_value *in[MAX_OPERANDS] = {NULL};
    chain c;

    if (!nashc_node_is(quantiser, "q.quant") && !nashc_node_is(quantiser, "q.bipolar_quant"))
        quantiser = end_of_hand_written(quantiser);
    if (!find_chain(rw, quantiser, &c) || !is_worth_it(c.choice))
        return false;
    if (nashc_node_n_in(c.choice) > MAX_OPERANDS)
        return nashc_rw_miss(rw, c.choice, "it has more than 64 operands");
    int n_in = nashc_node_n_in(c.choice), first = nashc_node_is(c.choice, "nn.where");
    for (int k = first; k < n_in; k++)
        if (!fits(&c, nashc_node_in(c.choice, k)))
            return nashc_rw_miss(rw, c.choice, "an operand is broadcast, constants behind it vary");
    in[0] = nashc_node_in(c.choice, 0);
    for (int k = first; k < n_in; k++)
        in[k] = behind(rw, &c, nashc_node_in(c.choice, k));
    nashc_rw_loc(rw, c.choice);
    nashc_value *y = choose(rw, &c, in, n_in);
    if (c.reshape)
        y = nashc_rw_like(rw, c.reshape, &y, 1);
    nashc_rw_replace(rw, nashc_node_out(quantiser, 0), y);
    return true;
}

static const nashc_pattern quant = {"q.quant", move_choice};
static const nashc_pattern bipolar = {"q.bipolar_quant", move_choice};
static const nashc_pattern sign = {"nn.sign", move_choice};
static const nashc_pattern nearest = {"nn.round", move_choice};
static const nashc_pattern down = {"nn.floor", move_choice};
static const nashc_pattern up = {"nn.ceil", move_choice};

const nashc_pass nashc_pass_move_choice_past_quantiser = {
    NASHC_DESC(nashc_pass),
    .name = "move-choice-past-quantiser",
    .help = "move what chooses between tensors of unlike scales below the quantiser behind it",
    .patterns = (const nashc_pattern *const[]){&quant, &bipolar, &sign, &nearest, &down, &up, NULL},
};
