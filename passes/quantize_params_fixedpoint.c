/* quantize_params_fixedpoint.c
 *
 *     op(x, c)     ==>     op(x, round(c * 2^f) * 2^-f clipped to FIXED<t,i>)
 *
 * for the constants of add and mul (option ops), which become fixed point typed. Changes values on
 * purpose; --stats counts the elements, and those that had to be clipped.
 * Terminates: each rewrite makes a float constant a fixed point one.
 */
#include "match.h"
#include <math.h>

static bool
quantize(nashc_rw *rw, nashc_node *n)
{
    const nashc_opts *o = nashc_rw_opts(rw);
    nashc_type to;

    if (!nashc_match_listed(nashc_opts_str(o, "ops"), nashc_node_opname(n)) ||
        !nashc_type_from_finn_name(nashc_opts_str(o, "datatype"), &to))
        return false;
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        nashc_value *v = nashc_node_in(n, i);
        const nashc_tensor *t = v ? nashc_value_const(v) : NULL;
        int64_t lo, hi, clipped = 0;
        if (!t || !nashc_type_is_float(nashc_tensor_type(t)))
            continue;
        if (!nashc_type_is_fixed(&to) || !nashc_type_limits(&to, &lo, &hi))
            return nashc_rw_miss(rw, n, "the datatype asked for is not fixed point");
        nashc_num c = nashc_num_of(rw, t);
        if (!nashc_num_finite(&c))
            return nashc_rw_miss(rw, n, "the constant is not finite");
        double ulp = nashc_type_ulp(&to);
        for (int64_t k = 0; k < c.n; k++) {
            double m = nearbyint(c.v[k] / ulp);
            clipped += m < (double)lo || m > (double)hi;
            c.v[k] = fmin(fmax(m, (double)lo), (double)hi) * ulp;
        }
        nashc_rw_stat(rw, 0, c.n);
        nashc_rw_stat(rw, 1, clipped);
        to = nashc_type_with_elem(&c.type, &to);
        nashc_rw_set_in(rw, n, i, nashc_rw_const(rw, nashc_tensor_from_f64(&to, c.v)));
        return true;
    }
    return false;
}

static const nashc_pattern quantize_pattern = {"*", quantize};

static const nashc_param quantize_options[] = {
    {.name = "datatype", .def = NULL, .help = "FIXED<t,i>", .kind = NASHC_P_STRING},
    {.name = "ops", .def = "nn.add,nn.mul", .help = "ops to look at", .kind = NASHC_P_STRING},
    {0},
};

const nashc_pass nashc_pass_quantize_params_fixedpoint = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "quantize-params-fixedpoint",
    .alias = "FixedPointQuantizeParams",
    .help = "round constants to a fixed point type (changes values)",
    .options = quantize_options,
    .stats = (const char *const[]){"elements rounded", "elements clipped", NULL},
    .patterns = (const nashc_pattern *const[]){&quantize_pattern, NULL},
};
