/* product.c: what hw.mvau and hw.vvau share: products, accumulators, results.
 *
 * A bipolar operand chooses a sign, two of them tell equal from different: no multiplication.
 */
#include "product.h"
#include "backends/support/accumulator.h"

nashc_status
hls_need_constants(const nashc_node *n, nashc_diag *d)
{
    if (!nashc_flow_weights_free(n))
        return NASHC_OK;
    nashc_node_unsup(d, n, "the hls backend builds weights in: no %s",
                     nashc_node_bool(n, "runtime_writeable_weights") ? "runtime_writeable_weights"
                                                                     : "mem_mode external");
    nashc_help(d, "use the verilog backend, or leave the weights of this layer constant");
    return NASHC_EUNSUP;
}

nashc_type
hls_accumulator(const nashc_node *n)
{
    return mac_accumulator(n, true);
}

const char *
hls_product(const nashc_node *n, nashc_hls *h, const char *x, const char *w)
{
    bool bx = hls_in(n, 0)->kind == NASHC_K_BIP, bw = hls_in(n, 1)->kind == NASHC_K_BIP;
    nashc_type acc = hls_accumulator(n);
    const char *t = nashc_hls_type(h, &acc), *sign = bx ? x : w, *value = bx ? w : x;

    if (bx && bw)
        return nashc_hls_text(h, "(%s)(%s == %s ? 1 : -1)", t, x, w);
    if (bx || bw)
        return nashc_hls_text(h, "(%s ? (%s)%s : (%s)-(%s)%s)", sign, t, value, t, t, value);
    return nashc_hls_text(h, "(%s)%s * %s", t, x, w);
}

const char *
hls_result(const nashc_node *n, nashc_hls *h, const char *acc, const char *f)
{
    nashc_type type = hls_accumulator(n);

    if (!nashc_node_in(n, 2))
        return nashc_hls_text(h, "(%s)%s", nashc_hls_type(h, hls_out(n, 0)), acc);
    const hls_count c = {.t = nashc_value_const(nashc_node_in(n, 2)),
                         .dir = nashc_node_in(n, 3) ? nashc_value_const(nashc_node_in(n, 3)) : NULL,
                         .x = &type,
                         .y = hls_out(n, 0),
                         .pe = nashc_node_int(n, "pe"),
                         .bias = nashc_node_int(n, "act_bias"),
                         .style = nashc_node_int(n, "act_style"),
                         .ram_style = nashc_node_str(n, "ram_style_thresholds")};
    return nashc_hls_text(h, "%s(%s, %s, p)", hls_count_function(h, &c), acc, f);
}

uint32_t
hls_result_depth(const nashc_node *n)
{
    if (!nashc_node_in(n, 2))
        return 1;
    int64_t k = hls_in(n, 2)->dim[1];
    return hls_parallel(nashc_node_int(n, "act_style"), k) ? 2 : 1 + (uint32_t)hls_stages(k);
}
