/* const.c: constants of the model: their real values, and their integer codes with a scale. */
#include "integer.h"

#include <math.h>
#include <stdlib.h>

#define GRID_BITS    16      /* of codes of a constant that no quantiser gave */
#define MAX_MULTIPLE 65536.0 /* where they are multiples of no power of two */
#define MAX_ELEMENTS 4096    /* of a constant whose elements are compared for that */

si_value *
si_of(const si_walk *walk, const nashc_value *v)
{
    return &walk->value[nashc_value_id(v)];
}

bool
si_is_const(const si_walk *walk, const nashc_value *v)
{
    return nashc_value_const(v) || si_of(walk, v)->kind == SI_CONST;
}

/* Codes come first, as weights are large; their real values only if someone asks. */
const nashc_tensor *
si_known(si_walk *walk, nashc_value *v)
{
    if (nashc_value_const(v))
        return nashc_value_const(v);
    si_value *x = si_of(walk, v);
    if (x->kind != SI_CONST)
        return NULL;
    if (x->known)
        return x->known;
    nashc_buf real;
    const nashc_buf *codes = nashc_tensor_buf(x->codes);
    nashc_type f64 = nashc_type_f64(), t = nashc_type_with_elem(nashc_value_type(v), &f64);
    if (!nashc_buf_alloc(&real, &t)) {
        si_no_memory(walk->job);
        return NULL;
    }
    for (int64_t i = 0; i < real.n; i++)
        nashc_buf_set(&real, i, nashc_buf_get(codes, i) * si_at(&x->scale, &t, i));
    return x->known = si_keep(walk->job, nashc_tensor_take(&real));
}

bool
si_known_array(si_walk *walk, nashc_value *v, double absent, si_array *out)
{
    const nashc_tensor *t = v ? si_known(walk, v) : NULL;
    if (v)
        return t && si_from_tensor(walk->job, t, out);
    *out = si_scalar(walk->job, absent);
    return true;
}

/* v = m 2^e with m in 0.5..1: e, and how many bits m has (53 at most). */
static void
mantissa(double v, int *e, int *bits)
{
    double m = frexp(fabs(v), e);
    *bits = 0;
    while (m != floor(m)) {
        m *= 2;
        (*bits)++;
    }
}

/* A power of two of which all values are multiples, such that the codes stay below 2^max_bits. */
static bool
dyadic_unit(const nashc_tensor *t, int max_bits, double *unit)
{
    int least = 2000, most = -2000; /* exponents of the lowest and of the highest bit of all */
    for (int64_t i = 0, n = nashc_tensor_count(t); i < n; i++) {
        double v = nashc_tensor_get(t, i);
        int e, bits;
        if (!isfinite(v))
            return false;
        if (v == 0.0)
            continue;
        mantissa(v, &e, &bits);
        most = e > most ? e : most;
        least = e - bits < least ? e - bits : least;
        if (most - least > max_bits)
            return false;
    }
    /* whole numbers stay what they are, even where all of them are even */
    *unit = least == 2000 || (least >= 0 && most <= max_bits) ? 1.0 : ldexp(1.0, least);
    return true;
}

/* Are all elements small multiples of the least one? So is a constant that a quantiser gave. */
static bool
few_multiples(si_job *job, const nashc_tensor *t, double *unit)
{
    int64_t n = nashc_tensor_count(t);
    if (n < 1 || n > MAX_ELEMENTS)
        return false;
    double *v = nashc_buf_to_f64(nashc_tensor_buf(t));
    bool ok = v ? si_common_unit(v, n, MAX_MULTIPLE, unit) : si_no_memory(job);
    nashc_mem_free(v);
    return ok;
}

/* t / unit, in the smallest type. */
static nashc_tensor *
codes_in(si_job *job, const nashc_tensor *t, double unit)
{
    int64_t n = nashc_tensor_count(t), *code = malloc((size_t)n * sizeof(*code) + 1);
    if (!code) {
        si_no_memory(job);
        return NULL;
    }
    for (int64_t i = 0; i < n; i++)
        code[i] = (int64_t)nearbyint(nashc_tensor_get(t, i) / unit);
    nashc_type shape = *nashc_tensor_type(t);
    if (shape.kind != NASHC_K_BIP)
        nashc_type_set_range(&shape, 0, 1);
    nashc_tensor *r = si_int_tensor(job, &shape, code);
    free(code);
    return r;
}

/* Kept with the value: a constant that several layers read is coded once. */
bool
si_const_codes(si_walk *walk, nashc_value *v, nashc_tensor **codes, si_array *scale)
{
    si_value *x = si_of(walk, v);
    if (!x->codes) {
        const nashc_tensor *t = si_known(walk, v);
        double unit = 1.0;
        if (!t)
            return false;
        if (!nashc_type_is_int(nashc_tensor_type(t)) && !dyadic_unit(t, GRID_BITS, &unit) &&
            !few_multiples(walk->job, t, &unit))
            return !si_failed(walk->job) &&
                   si_no(walk->job, "its weights are float, not quantised");
        x->codes = codes_in(walk->job, t, unit);
        x->scale = si_scalar(walk->job, unit);
        x->bias = si_scalar(walk->job, 0.0);
        if (!x->codes)
            return false;
    }
    *codes = x->codes;
    *scale = x->scale;
    return true;
}
