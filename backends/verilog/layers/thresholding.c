/* thresholding.c: hw.thresholding to nashc_thresholding_parallel or nashc_thresholding_search. */
#include "emit.h"
#include <stdlib.h>
#include <string.h>

/* A bipolar input is compared as 0 or 1: -1 >= t <=> t <= -1, +1 >= t <=> t <= 1. */
static int64_t
bipolar_threshold(int64_t t)
{
    return t <= -1 ? 0 : t <= 1 ? 1 : 2;
}

static nashc_status
emit_thresholding(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *tt = nashc_tensor_type(t);
    int64_t count = nashc_tensor_count(t), style = emit_int(n, "style");
    int64_t *values = malloc((size_t)count * sizeof *values);
    bool bip = x->kind == NASHC_K_BIP;
    emit_steps s = {.t = values,
                    .rows = tt->dim[0],
                    .n = tt->dim[1],
                    .channels = emit_channels(n),
                    .pe = emit_int(n, "pe"),
                    .bits = bip ? 2 : tt->bits,
                    .is_signed = bip ? 0 : emit_signed(tt),
                    .hash = t,
                    .ram_style = emit_text(n, "ram_style")};

    if (!values)
        return nashc_enomem(d);
    for (int64_t i = 0; i < count; i++) {
        values[i] = nashc_tensor_get_int(t, i);
        values[i] = bip ? bipolar_threshold(values[i]) : values[i];
    }
    if (nashc_node_in(n, 2))
        s.dir = nashc_value_const(nashc_node_in(n, 2));
    s.parallel = style == 1 || (style == 0 && s.n <= 3);
    nashc_vlog_core(v, s.parallel ? "nashc_thresholding_parallel" : "nashc_thresholding_search");
    emit_common(n, v);
    nashc_vlog_int(v, "ACTVAL", emit_int(n, "act_bias"));
    emit_thresholds(v, &s);
    free(values);
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_thresholding =
    NASHC_IMPL_VERILOG("hw.thresholding", emit_thresholding);
