/* quant_to_qcdq.c
 *
 *     quant(x; s, z)     ==>     quant(x; s, z, codes) -- dequant s, z
 *
 * The codes are those of the quantiser, so a clip between the two is part of its bounds; a writer
 * of QuantizeLinear makes it explicit again where the container is wider.
 * Rounding must be to nearest, the zero point an integer, the codes of at most 8 bits.
 * Terminates: each rewrite turns a quantiser into one with codes=true.
 */
#include <nashc/rewrite.h>
#include <string.h>

static bool
to_qcdq(nashc_rw *rw, nashc_node *q)
{
    const nashc_tensor *z = nashc_value_const(nashc_node_in(q, 2));
    int64_t lo = nashc_node_int(q, "qmin"), hi = nashc_node_int(q, "qmax");

    if (nashc_node_int(q, "codes"))
        return false;
    if (!nashc_value_const(nashc_node_in(q, 1)) || !z)
        return false; /* which the verifier refuses */
    if (strcmp(nashc_node_str(q, "rounding"), "round"))
        return nashc_rw_miss(rw, q, "its rounding is not to nearest");
    if (!nashc_tensor_all_integral(z))
        return nashc_rw_miss(rw, q, "its zero point is not an integer");
    if (!nashc_node_int(q, "round_before_zp") && !nashc_tensor_all_eq(z, 0.0))
        return nashc_rw_miss(rw, q, "it adds its zero point before rounding");
    if (lo < -128 || hi > 255 || (lo < 0 && hi > 127))
        return nashc_rw_miss(rw, q, "its codes exceed 8 bits");

    nashc_value *in[] = {nashc_node_in(q, 0), nashc_node_in(q, 1), nashc_node_in(q, 2)};
    nashc_value *codes = nashc_rw_opf(
        rw, "q.quant", in, 3, "qmin=%" PRId64 " qmax=%" PRId64 " round_before_zp=%s codes=true", lo,
        hi, nashc_node_int(q, "round_before_zp") ? "true" : "false");
    nashc_rw_replace(rw, nashc_node_out(q, 0),
                     nashc_rw_op(rw, "q.dequant", (nashc_value *[]){codes, in[1], in[2]}, 3));
    return true;
}

static const nashc_pattern to_qcdq_pattern = {"q.quant", to_qcdq};

const nashc_pass nashc_pass_quant_to_qcdq = {
    NASHC_DESC(nashc_pass),
    .name = "quant-to-qcdq",
    .alias = "QuantToQCDQ",
    .help = "quantisers as quantise and dequantise",
    .patterns = (const nashc_pattern *const[]){&to_qcdq_pattern, NULL},
};
