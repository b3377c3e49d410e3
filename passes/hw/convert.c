/* convert.c: one node of the integer graph to hardware layers (hardware.md C.2): the table of
 * rules, and what they share.
 */
#include "convert.h"
#include <string.h>

int64_t
hw_attr(const nashc_node *n, const char *name)
{
    return nashc_attr_int(n, nashc_attr_index(n, name));
}

bool
hw_is_int(const nashc_value *v)
{
    return v && nashc_type_is_int(nashc_value_type(v));
}

bool
hw_relabels(const nashc_node *n)
{
    const nashc_type *x;
    int64_t last = -1;
    int count;

    if (nashc_node_is(n, "nn.reshape") || nashc_node_is(n, "nn.identity"))
        return true;
    if (!nashc_node_is(n, "nn.transpose"))
        return false;
    x = nashc_value_type(nashc_node_in(n, 0));
    const int64_t *perm = nashc_attr_ints(n, nashc_attr_index(n, "perm"), &count);
    for (int i = 0; i < count; i++) {
        if (x->dim[perm[i]] == 1)
            continue;
        if (perm[i] < last)
            return false;
        last = perm[i];
    }
    return true;
}

nashc_value *
hw_matrix(hw_conv *c, const int64_t *v, int64_t rows, int64_t cols, const nashc_type *elem)
{
    nashc_type t;

    if (elem) {
        t = *elem;
    } else {
        int64_t lo = v[0], hi = v[0];
        for (int64_t i = 1; i < rows * cols; i++) {
            lo = v[i] < lo ? v[i] : lo;
            hi = v[i] > hi ? v[i] : hi;
        }
        t = nashc_type_for_range(lo, hi);
    }
    t = nashc_type_shaped(t, 2, (int64_t[]){rows, cols});
    return nashc_build_const(c->b, NULL, nashc_tensor_from_i64(&t, v));
}

nashc_value *
hw_directions(hw_conv *c, const hw_thresholds *s, int64_t channels)
{
    nashc_type bip = nashc_type_bip(), t = nashc_type_shaped(bip, 1, (int64_t[]){channels});

    return s->dir ? nashc_build_const(c->b, NULL, nashc_tensor_from_i64(&t, s->dir)) : NULL;
}

/* Result of the layer in the place of result 0 of n, with its name. */
nashc_status
hw_put(hw_conv *c, const nashc_node *n, nashc_value *v)
{
    const nashc_value *old = nashc_node_out(n, 0);

    if (!v)
        return nashc_build_status(c->b);
    c->map[nashc_value_id(old)] = v;
    nashc_value_set_name(v, nashc_value_name(old));
    return NASHC_OK;
}

const char *
hw_thresholds_text(hw_conv *c, const hw_thresholds *s)
{
    return s->bipolar ? "bipolar=true" : nashc_arena_printf(c->a, "act_bias=%" PRId64, s->bias);
}

int64_t
hw_columns(const nashc_value *x, int64_t columns)
{
    const nashc_type *t = nashc_value_type(x);

    return t->dim[t->rank - 1] == columns ? 0 : columns;
}

static const hw_rule *const tables[] = {hw_matmul_rules,     hw_conv_rules,   hw_threshold_rules,
                                        hw_arithmetic_rules, hw_reduce_rules, hw_pad_rules,
                                        hw_move_rules};

static const hw_rule *
rule_of(const nashc_node *n)
{
    for (size_t i = 0; i < NASHC_COUNT(tables); i++)
        for (const hw_rule *r = tables[i]; r->op; r++)
            if (nashc_node_is(n, r->op))
                return r;
    return NULL;
}

const char *
hw_why_not(const nashc_node *n, nashc_arena *a)
{
    const hw_rule *r = rule_of(n);

    return r ? r->why_not(n, a) : "there is no layer for this operator";
}

nashc_status
hw_convert(hw_conv *c, nashc_node *n)
{
    nashc_build_loc(c->b, nashc_node_loc(n));
    return rule_of(n)->convert(c, n);
}
