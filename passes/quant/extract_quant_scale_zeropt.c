/* extract_quant_scale_zeropt.c
 *
 *     quant(x; s, z)     ==>     x -- div s -- add z -- quant(1, 0) -- sub z -- mul s
 *
 * which is the definition of the quantiser, step by step; so it is exact. Steps by 1 and 0 are left
 * out. A quantiser that rounds before it adds z, or gives codes, is left alone.
 * Terminates: the new quantiser has scale 1 and zero point 0.
 */
#include <nashc/rewrite.h>

static nashc_value *
f32(nashc_rw *rw, float v)
{
    nashc_type t = nashc_type_f32();

    return nashc_rw_const(rw, nashc_tensor_create(&t, &v));
}

static bool
extract(nashc_rw *rw, nashc_node *q)
{
    nashc_value *x = nashc_node_in(q, 0), *s = nashc_node_in(q, 1), *z = nashc_node_in(q, 2);

    if (nashc_node_int(q, "codes"))
        return nashc_rw_miss(rw, q, "it gives codes");
    if (!nashc_value_const(s) || !nashc_value_const(z))
        return false; /* which the verifier refuses */
    bool scaled = !nashc_tensor_all_eq(nashc_value_const(s), 1.0);
    bool shifted = !nashc_tensor_all_eq(nashc_value_const(z), 0.0);
    if (!scaled && !shifted)
        return false;
    if (shifted && nashc_node_int(q, "round_before_zp"))
        return nashc_rw_miss(rw, q, "it rounds before it adds the zero point");

    if (scaled)
        x = nashc_rw_op(rw, "nn.div", (nashc_value *[]){x, s}, 2);
    if (shifted)
        x = nashc_rw_op(rw, "nn.add", (nashc_value *[]){x, z}, 2);
    nashc_value *in[] = {x, scaled ? f32(rw, 1.0f) : s, shifted ? f32(rw, 0.0f) : z};
    nashc_value *y = nashc_rw_like(rw, q, in, 3);
    if (shifted)
        y = nashc_rw_op(rw, "nn.sub", (nashc_value *[]){y, z}, 2);
    if (scaled)
        y = nashc_rw_op(rw, "nn.mul", (nashc_value *[]){y, s}, 2);
    nashc_rw_replace(rw, nashc_node_out(q, 0), y);
    return true;
}

static const nashc_pattern extract_pattern = {"q.quant", extract};

const nashc_pass nashc_pass_extract_quant_scale_zeropt = {
    NASHC_DESC(nashc_pass),
    .name = "extract-quant-scale-zeropt",
    .alias = "ExtractQuantScaleZeroPt",
    .help = "scale and zero point of a quantiser as ops around it",
    .patterns = (const nashc_pattern *const[]){&extract_pattern, NULL},
};
