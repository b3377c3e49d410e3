/* qcdq_to_quant.c
 *
 *     quant(x; s, z, codes) -- clip lo, hi -- dequant s, z     ==>     quant(x; s, z) limited to
 * lo..hi
 *
 * The clip may be missing; its bounds are kept as they are, whatever width they fit. Scale and zero
 * point of both ends must be equal. QuantizeLinear adds the zero point after rounding, which the
 * quantiser says in round_before_zp and keeps. Several dequants of one quant each get a quantiser.
 * Terminates: each rewrite removes a dequant.
 */
#include "passes/support/number.h"
#include <math.h>
#include <nashc/rewrite.h>

static bool
equal(nashc_rw *rw, const nashc_value *a, const nashc_value *b)
{
    if (a == b)
        return true;
    if (!a || !b || !nashc_value_const(a) || !nashc_value_const(b))
        return false;
    number x = number_of(rw, nashc_value_const(a)), y = number_of(rw, nashc_value_const(b));
    return number_equal(rw, &x, &y);
}

static bool
to_quant(nashc_rw *rw, nashc_node *dq)
{
    nashc_node *clip = nashc_value_def_by(nashc_node_in(dq, 0), "nn.clip");
    nashc_node *q = nashc_value_def_by(nashc_node_in(clip ? clip : dq, 0), "q.quant");

    if (!q || !nashc_node_int(q, "codes"))
        return false;
    for (int i = 1; i < 3; i++)
        if (!equal(rw, nashc_node_in(q, i), nashc_node_in(dq, i)))
            return nashc_rw_miss(rw, dq, "scale or zero point differs from that of the quantiser");

    int64_t lo = nashc_node_int(q, "qmin"), hi = nashc_node_int(q, "qmax");
    if (clip) {
        double a = nashc_node_float(clip, "min");
        double b = nashc_node_float(clip, "max");
        lo = ceil(a) > (double)lo ? (int64_t)fmin(ceil(a), (double)hi) : lo;
        hi = floor(b) < (double)hi ? (int64_t)fmax(floor(b), (double)lo) : hi;
        if (a != ceil(a) || b != floor(b))
            return nashc_rw_miss(rw, clip, "its bounds are not integers");
    }

    nashc_value *in[] = {nashc_node_in(q, 0), nashc_node_in(q, 1), nashc_node_in(q, 2)};
    nashc_value *y = nashc_rw_opf(
        rw, "q.quant", in, 3, "qmin=%" PRId64 " qmax=%" PRId64 " rounding=%s round_before_zp=%s",
        lo, hi, nashc_node_str(q, "rounding"),
        nashc_node_int(q, "round_before_zp") ? "true" : "false");
    nashc_rw_replace(rw, nashc_node_out(dq, 0), y);
    return true;
}

static const nashc_pattern to_quant_pattern = {"q.dequant", to_quant};

const nashc_pass nashc_pass_qcdq_to_quant = {
    NASHC_DESC(nashc_pass),
    .name = "qcdq-to-quant",
    .alias = "QCDQToQuant",
    .help = "quantise, clip and dequantise as one quantiser",
    .patterns = (const nashc_pattern *const[]){&to_quant_pattern, NULL},
};
