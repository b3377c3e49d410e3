/* integer_operands.c: sums of integers that float32 containers cannot hold.
 *
 * QONNX keeps integers in float32, which is exact up to 2^24. Where quantised codes (scale 1, zero
 * point 0) meet constant integer weights and the sum can be larger, the product is built on
 * integers, so that the model means what its datatypes say.
 */
#include "frontends/onnx/ops/family.h"
#include <inttypes.h>
#include <math.h>

/* The quantiser behind v if v holds its codes though typed as float; *max: largest magnitude. */
static nashc_node *
unit_quantiser(const nashc_value *v, double *max)
{
    nashc_node *q = nashc_value_def_by(v, "q.quant");

    if (!q)
        return NULL;
    const nashc_tensor *s = nashc_value_const(nashc_node_in(q, 1));
    const nashc_tensor *z = nashc_value_const(nashc_node_in(q, 2));
    if (!s || !z || !nashc_tensor_all_eq(s, 1) || !nashc_tensor_all_eq(z, 0))
        return NULL;
    double lo = (double)nashc_node_int(q, "qmin");
    double hi = (double)nashc_node_int(q, "qmax");
    *max = fmax(fabs(lo), fabs(hi));
    return q;
}

/* Largest sum of magnitudes over the weights of one output, which axis runs along. */
static double
largest_sum(const nashc_tensor *w, int axis)
{
    const nashc_type *t = nashc_tensor_type(w);
    int64_t inner = 1, outputs = t->dim[axis], count = nashc_tensor_count(w);
    double worst = 0;

    for (int i = axis + 1; i < t->rank; i++)
        inner *= t->dim[i];
    for (int64_t o = 0; o < outputs; o++) {
        double sum = 0;
        for (int64_t block = o * inner; block < count; block += outputs * inner)
            for (int64_t i = 0; i < inner; i++)
                sum += fabs(nashc_tensor_get(w, block + i));
        worst = fmax(worst, sum);
    }
    return worst;
}

static nashc_tensor *
as_integers(const nashc_tensor *w)
{
    double lo, hi, *v = nashc_buf_to_f64(nashc_tensor_buf(w));
    nashc_type t = *nashc_tensor_type(w);

    nashc_tensor_min_max(w, &lo, &hi);
    nashc_type_set_range(&t, (int64_t)lo, (int64_t)hi);
    nashc_tensor *out = v ? nashc_tensor_from_f64(&t, v) : NULL;
    nashc_mem_free(v);
    return out;
}

void
onnx_integer_operands(nashc_onnx_in *r, nashc_value **x, nashc_value **w, int axis)
{
    const nashc_tensor *wt = *w ? nashc_value_const(*w) : NULL;
    double max, lo, hi;
    nashc_node *q = *x ? unit_quantiser(*x, &max) : NULL;

    if (!q || !wt || nashc_tensor_type(wt)->kind != NASHC_K_F32 ||
        nashc_tensor_type(wt)->rank < 2 || !nashc_tensor_all_integral(wt))
        return;
    nashc_tensor_min_max(wt, &lo, &hi);
    if (lo < -2147483648.0 || hi > 2147483647.0 || max * largest_sum(wt, axis) <= 16777216.0)
        return;
    nashc_value *in[3] = {nashc_node_in(q, 0), nashc_node_in(q, 1), nashc_node_in(q, 2)};
    const char *rounding = nashc_node_str(q, "rounding");
    nashc_value *codes = nashc_onnx_op(
        r, "q.quant", in, 3, "qmin=%" PRId64 " qmax=%" PRId64 " rounding=%s codes=true",
        nashc_node_int(q, "qmin"), nashc_node_int(q, "qmax"), rounding);
    nashc_value *ints = nashc_onnx_const(r, NULL, as_integers(wt));
    if (codes && ints) {
        *x = codes;
        *w = ints;
    }
}
