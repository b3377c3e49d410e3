/* sign_to_threshold.c
 *
 *     sign(x)     ==>     multithreshold(x; 0, smallest positive) - 1
 *
 * sign(0) is 0, so two steps and three levels are needed. With zero=plus there is one step at 0 and
 * the levels -1 and +1, which is what binary networks mean; it changes the value at x = 0.
 * An integer x that is never 0 gets the binary form in either case.
 * Terminates: each rewrite removes a sign.
 */
#include "passes/support/number.h"
#include <string.h>

static bool
sign_to_threshold(nashc_rw *rw, nashc_node *n)
{
    nashc_value *x = nashc_node_in(n, 0);
    const nashc_type *type = nashc_value_type(x);
    bool integer = nashc_type_is_int(type);
    bool never = type->kind == NASHC_K_BIP || (integer && (type->lo > 0 || type->hi < 0));
    bool binary = never || !strcmp(nashc_opts_str(nashc_rw_opts(rw), "zero"), "plus");

    if (type->rank < 1)
        return nashc_rw_miss(rw, n, "a scalar has no channel axis");
    nashc_type shape = nashc_type_f64();
    shape = nashc_type_shaped(shape, 2, (int64_t[]){1, binary ? 1 : 2});
    number t = number_new(rw, &shape, integer);
    if (t.v && !binary)
        t.v[1] = integer ? 1.0 : 0x1p-1074;
    nashc_value *y =
        nashc_rw_opf(rw, "q.multithreshold", (nashc_value *[]){x, number_const(rw, &t)}, 2,
                     "out_bias=-1 out_scale=%d", binary ? 2 : 1);
    nashc_rw_replace(rw, nashc_node_out(n, 0), y);
    return true;
}

static const nashc_pattern sign_to_threshold_pattern = {"nn.sign", sign_to_threshold};

static const nashc_param sign_to_threshold_options[] = {
    {.name = "zero",
     .def = "exact",
     .domain = "exact|plus",
     .help = "sign of 0: 0 as defined, or +1 as binary networks mean it",
     .kind = NASHC_P_ENUM},
    {0},
};

const nashc_pass nashc_pass_sign_to_threshold = {
    NASHC_DESC(nashc_pass),
    .name = "sign-to-threshold",
    .alias = "ConvertSignToThres",
    .help = "sign as a multithreshold",
    .options = sign_to_threshold_options,
    .patterns = (const nashc_pattern *const[]){&sign_to_threshold_pattern, NULL},
};
