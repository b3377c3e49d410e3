/* mac.c: parameters of nashc_mac, which hw.mvau and hw.vvau share.
 *
 * Two bipolar operands accumulate the number of equal bits, pop = (acc + N) / 2 of N products;
 * thresholds move along: acc >= t  <=>  pop >= ceil((t + N) / 2).
 */
#include "mac.h"
#include <stdlib.h>

enum { XNOR, PM1_W, PRODUCT, PM1_X };

static int
arithmetic(const nashc_type *x, const nashc_type *w)
{
    if (x->kind == NASHC_K_BIP)
        return w->kind == NASHC_K_BIP ? XNOR : PM1_X;
    return w->kind == NASHC_K_BIP ? PM1_W : PRODUCT;
}

/* Type that holds every accumulator of the layer. */
static nashc_type
accumulator(const nashc_type *x, const nashc_tensor *w, int64_t mw, int64_t mh)
{
    int64_t lo = 0, hi = 0;

    for (int64_t r = 0; r < mh; r++) {
        int64_t a = 0, b = 0;
        for (int64_t c = 0; c < mw; c++) {
            int64_t v = nashc_tensor_get_int(w, c * mh + r);
            int64_t p = v * x->lo, q = v * x->hi;
            a += p < q ? (p < 0 ? p : 0) : (q < 0 ? q : 0);
            b += p > q ? (p > 0 ? p : 0) : (q > 0 ? q : 0);
        }
        lo = a < lo ? a : lo;
        hi = b > hi ? b : hi;
    }
    return nashc_type_for_range(lo, hi);
}

void
emit_weights(const nashc_node *n, nashc_vlog *v, const char *style, nashc_vlog_mem *m)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 1));

    nashc_vlog_int(v, "WW", t->bits);
    nashc_vlog_int(v, "W_SIGNED", emit_signed(t));
    nashc_vlog_str(v, "W_STYLE", style);
    nashc_vlog_file(v, "W_FILE", "weights", m);
}

static nashc_status
emit_activation(const nashc_node *n, nashc_vlog *v, int mode, nashc_diag *d)
{
    const nashc_type *w = nashc_value_type(nashc_node_in(n, 1));
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, 2));
    const nashc_type *tt = nashc_tensor_type(t);
    int64_t count = nashc_tensor_count(t), style = emit_int(n, "act_style");
    int64_t *values = malloc((size_t)count * sizeof *values);
    emit_steps s = {.t = values,
                    .rows = tt->dim[0],
                    .n = tt->dim[1],
                    .channels = w->dim[1],
                    .pe = emit_int(n, "pe"),
                    .bits = tt->bits,
                    .is_signed = emit_signed(tt),
                    .hash = t,
                    .ram_style = emit_text(n, "ram_style_thresholds")};

    if (!values)
        return nashc_enomem(d);
    for (int64_t i = 0; i < count; i++)
        values[i] = nashc_tensor_get_int(t, i);
    if (mode == XNOR) {
        for (int64_t i = 0; i < count; i++) {
            int64_t pop = values[i] + w->dim[0];
            pop = pop <= 0 ? 0 : (pop + 1) / 2;
            values[i] = pop > w->dim[0] + 1 ? w->dim[0] + 1 : pop;
        }
        nashc_type u = nashc_type_for_range(0, w->dim[0] + 1);
        s.bits = u.bits;
        s.is_signed = 0;
    }
    if (nashc_node_in(n, 3))
        s.dir = nashc_value_const(nashc_node_in(n, 3));
    s.parallel = style == 1 || (style == 0 && s.n <= 3);
    nashc_vlog_int(v, "ACT", s.parallel ? 1 : 2);
    nashc_vlog_int(v, "ACTVAL", emit_int(n, "act_bias"));
    emit_thresholds(v, &s);
    free(values);
    return NASHC_OK;
}

static int
multiplier_style(const nashc_node *n, const nashc_type *x, const nashc_type *w)
{
    int64_t res = emit_int(n, "res_type");

    return res == 1 || (res == 0 && x->bits + w->bits <= 9);
}

nashc_status
emit_mac(const nashc_node *n, nashc_vlog *v, int64_t pipe, nashc_diag *d)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_tensor *w = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *wt = nashc_tensor_type(w), *y = nashc_value_type(nashc_node_out(n, 0));
    bool act = nashc_node_in(n, 2) != NULL;
    int mode = arithmetic(x, wt);
    nashc_type acc = act ? accumulator(x, w, wt->dim[0], wt->dim[1]) : *y;

    if (mode == XNOR && act)
        acc = nashc_type_for_range(0, wt->dim[0]);
    nashc_vlog_int(v, "PE", emit_int(n, "pe"));
    nashc_vlog_int(v, "MODE", mode);
    nashc_vlog_int(v, "XW", x->bits);
    nashc_vlog_int(v, "X_SIGNED", emit_signed(x));
    nashc_vlog_int(v, "ACC_W", acc.bits);
    nashc_vlog_int(v, "ACC_SIGNED", emit_signed(&acc));
    nashc_vlog_int(v, "DOT", mode == XNOR && !act);
    nashc_vlog_int(v, "MUL_STYLE", multiplier_style(n, x, wt));
    nashc_vlog_int(v, "PIPE", pipe);
    nashc_vlog_int(v, "OUT_W", y->bits);
    return act ? emit_activation(n, v, mode, d) : NASHC_OK;
}
