/* const_fold.c: nodes of which all operands are constant: what is known of their results.
 *
 * Where an operand has codes, the result keeps them if it can: a layer wants weights as integers
 * with a scale, not as the floats that they stand for.
 */
#include "integer.h"

#include <math.h>

#define MAX_ZERO_POINT 1e9

/* Codes minus zero point; offset NULL: none. */
static nashc_tensor *
without_offset(si_job *job, const nashc_tensor *t, const si_array *offset)
{
    const nashc_type *type = nashc_tensor_type(t);
    if (type->kind == NASHC_K_BIP && !offset)
        return si_keep(job, si_ref(t));
    int64_t *v = nashc_buf_to_i64(nashc_tensor_buf(t)), n = nashc_tensor_count(t);
    if (!v) {
        si_no_memory(job);
        return NULL;
    }
    for (int64_t i = 0; offset && i < n; i++)
        v[i] -= (int64_t)si_at(offset, type, i);
    nashc_type shape = *type;
    if (offset && shape.kind == NASHC_K_BIP)
        shape = nashc_type_shaped(nashc_type_int(2), type->rank, type->dim);
    nashc_tensor *r = si_int_tensor(job, &shape, v);
    nashc_mem_free(v);
    return r;
}

/* Zero points that are no small integers have no codes without them. */
static bool
is_integral(const si_array *a)
{
    for (int64_t i = 0; i < a->n; i++)
        if (a->v[i] != nearbyint(a->v[i]) || fabs(a->v[i]) > MAX_ZERO_POINT)
            return false;
    return true;
}

/* v = scale * codes from here on. */
static void
set_codes(si_walk *walk, nashc_value *v, nashc_tensor *codes, const si_array *scale)
{
    si_value *r = si_of(walk, v);
    r->kind = SI_CONST;
    r->codes = codes;
    r->scale = *scale;
    r->bias = si_scalar(walk->job, 0.0);
}

/* Real values of all operands (NULL: left out). False: one is not known. */
static bool
known_operands(si_walk *walk, const nashc_node *n, const nashc_tensor **in)
{
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        nashc_value *v = nashc_node_in(n, i);
        in[i] = v ? si_known(walk, v) : NULL;
        if (v && !in[i])
            return false;
    }
    return true;
}

/* Codes that the quantiser itself gives, and their scale and zero point. */
static const nashc_tensor *
codes_of(si_walk *walk, nashc_node *n, const nashc_tensor *const *in, si_array *scale,
         si_array *zero)
{
    nashc_tensor *codes = NULL;
    const char *attrs = NULL;
    if (nashc_node_is(n, "q.dequant"))
        return nashc_type_is_int(nashc_tensor_type(in[0])) ? in[0] : NULL;
    if (nashc_node_bool(n, "codes")) {
        *scale = si_scalar(walk->job, 1.0);
        *zero = si_scalar(walk->job, 0.0);
    } else {
        attrs = nashc_arena_printf(walk->job->arena, "%s codes=true",
                                   nashc_node_attr_text(n, walk->job->arena));
    }
    return si_eval(walk->job, n, NULL, attrs, in, nashc_node_n_in(n), 1, &codes) ? codes : NULL;
}

/* Weights: quant(float weights) are codes with the scale of the quantiser. */
static bool
quantised_const(si_walk *walk, nashc_node *n)
{
    const nashc_tensor *in[3] = {0}, *codes;
    si_array scale, zero;
    if (nashc_node_n_in(n) > 3 || !known_operands(walk, n, in) || !in[0] || !in[1] ||
        !si_from_tensor(walk->job, in[1], &scale) ||
        !si_known_array(walk, nashc_node_is(n, "q.bipolar_quant") ? NULL : nashc_node_in(n, 2), 0.0,
                        &zero) ||
        !is_integral(&zero) || !(codes = codes_of(walk, n, in, &scale, &zero)))
        return false;
    nashc_tensor *narrow = without_offset(walk->job, codes, si_zero(&zero) ? NULL : &zero);
    if (narrow)
        set_codes(walk, nashc_node_out(n, 0), narrow, &scale);
    return narrow != NULL;
}

/* Moving ops move codes and scales alike. */
static bool
moved_const(si_walk *walk, nashc_node *n)
{
    si_value *x = si_of(walk, nashc_node_in(n, 0));
    nashc_value *y = nashc_node_out(n, 0);
    const nashc_type *in = nashc_value_type(nashc_node_in(n, 0));
    const nashc_tensor *codes = x->codes;
    nashc_tensor *moved;
    si_array scale = x->scale;
    if (scale.n > 1) {
        int64_t *map = si_map_of(walk, n, 0);
        bool ok = map && si_gather(walk->job, &x->scale, in, nashc_value_type(y), map, &scale);
        nashc_mem_free(map);
        if (!ok)
            return false;
    }
    if (!si_eval(walk->job, n, NULL, NULL, &codes, 1, 1, &moved))
        return false;
    set_codes(walk, y, moved, &scale);
    return true;
}

/* Products and quotients with a factor: the codes stay, the scale changes. */
static bool
scaled_const(si_walk *walk, nashc_node *n)
{
    bool div = nashc_node_is(n, "nn.div");
    int at_factor = si_of(walk, nashc_node_in(n, 0))->codes ? 1 : 0;
    nashc_value *x = nashc_node_in(n, 1 - at_factor), *y = nashc_node_out(n, 0);
    const si_value *coded = si_of(walk, x);
    si_array factor, scale;
    if (!coded->codes || (div && at_factor == 0) ||
        !nashc_type_same_shape(nashc_value_type(x), nashc_value_type(y)) ||
        !si_known_array(walk, nashc_node_in(n, at_factor), 1.0, &factor) ||
        !si_zip(walk->job, &coded->scale, &factor, div ? si_div : si_mul, &scale))
        return false;
    set_codes(walk, y, coded->codes, &scale);
    return true;
}

/* Results with codes. False: the op keeps none, or failed. */
static bool
coded_const(si_walk *walk, nashc_node *n)
{
    if (nashc_node_is(n, "q.quant") || nashc_node_is(n, "q.bipolar_quant") ||
        nashc_node_is(n, "q.dequant"))
        return quantised_const(walk, n);
    if ((nashc_node_op(n)->flags & NASHC_OP_SHAPE) && nashc_node_n_in(n) == 1 &&
        nashc_node_n_out(n) == 1 && si_of(walk, nashc_node_in(n, 0))->codes)
        return moved_const(walk, n);
    return (nashc_node_is(n, "nn.mul") || nashc_node_is(n, "nn.div")) && scaled_const(walk, n);
}

/* Without codes, what the op itself computes: real values, in double. */
bool
si_const_node(si_walk *walk, nashc_node *n)
{
    int n_in = nashc_node_n_in(n), n_out = nashc_node_n_out(n);
    if (n_in == 0)
        return false;
    bool done = coded_const(walk, n);
    if (done || si_failed(walk->job))
        return done;
    const nashc_tensor **in = si_alloc(walk->job, n_in, sizeof(*in));
    nashc_tensor **out = si_alloc(walk->job, n_out, sizeof(*out));
    if (!in || !out || !known_operands(walk, n, in) || !in[0] || !nashc_node_op(n)->eval ||
        !si_eval(walk->job, n, NULL, NULL, in, n_in, n_out, out))
        return false;
    for (int i = 0; i < n_out; i++) {
        si_value *r = si_of(walk, nashc_node_out(n, i));
        r->kind = SI_CONST;
        r->known = out[i];
    }
    return true;
}
