/* fmpadding.c: hw.fmpadding to its module. */
#include "model.h"

static nashc_status
emit_fmpadding(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    static const char *const names[] = {"HEIGHT", "WIDTH", "TOP", "LEFT", "BOTTOM", "RIGHT"};
    static const char *const between[] = {"ROW_GAP", "COL_GAP"};
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    const nashc_tensor *p = nashc_value_const(nashc_node_in(n, 1));
    int64_t c = y->dim[1], simd = nashc_node_int(n, "simd"), rows = nashc_tensor_count(p);
    int64_t cells = rows > 1 ? c : simd;
    int count;
    const int64_t *dim = nashc_node_ints(n, "dim", &count);
    const int64_t *pads = nashc_node_ints(n, "pads", &count);
    const int64_t *gaps = nashc_node_ints(n, "gaps", &count);

    (void)d;
    nashc_vlog_mem *m = nashc_vlog_memory(v, cells / simd, simd * y->bits);
    for (int64_t i = 0; i < cells; i++)
        nashc_vlog_put(m, i / simd, i % simd * y->bits, y->bits,
                       emit_code(y, nashc_tensor_get_int(p, i % rows)));
    nashc_vlog_core(v, "nashc_fmpadding");
    nashc_vlog_int(v, "C", c);
    nashc_vlog_int(v, "SIMD", simd);
    for (int i = 0; i < 6; i++)
        nashc_vlog_int(v, names[i], i < 2 ? dim[i] : pads[i - 2]);
    for (int i = 0; i < 2; i++)
        nashc_vlog_int(v, between[i], gaps[i]);
    emit_element(v, "X", x, y);
    nashc_vlog_int(v, "OUT_W", y->bits);
    nashc_vlog_int(v, "SHARED", rows == 1);
    nashc_vlog_file(v, "FILE", "params", m);
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_fmpadding =
    NASHC_IMPL_VERILOG("hw.fmpadding", emit_fmpadding);

/* --- model --------------------------------------------------------------------------------------
 */

/* Rows and columns: of the input, before it, from one of it to the next, of the result. */
typedef struct border {
    int64_t in[2], first[2], unit[2], out[2], folds;
} border;

static border
border_of(const nashc_node *n)
{
    int count;
    const int64_t *dim = nashc_node_ints(n, "dim", &count);
    const int64_t *pads = nashc_node_ints(n, "pads", &count);
    const int64_t *gaps = nashc_node_ints(n, "gaps", &count);
    border b = {.folds = model_out(n, 0)->dim[1] / nashc_node_int(n, "simd")};

    for (int a = 0; a < 2; a++) {
        b.in[a] = dim[a];
        b.first[a] = pads[a];
        b.unit[a] = gaps[a] + 1;
        b.out[a] = pads[a] + (dim[a] - 1) * b.unit[a] + 1 + pads[2 + a];
    }
    return b;
}

/* Are all constants one? Then they need no memory. */
static bool
is_uniform(const nashc_tensor *t)
{
    for (int64_t i = 1; i < nashc_tensor_count(t); i++)
        if (nashc_tensor_get_int(t, i) != nashc_tensor_get_int(t, 0))
            return false;
    return true;
}

static nashc_status
pad_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    uint64_t simd = (uint64_t)nashc_node_int(n, "simd"), bits = model_out(n, 0)->bits;
    border b = border_of(n);
    uint64_t x = model_in(n, 0)->bits;
    const nashc_tensor *p = nashc_value_const(nashc_node_in(n, 1));
    uint64_t places = 0;
    nashc_cost c = {.ff = simd * x + 1, COST_START};

    for (int a = 0; a < 2; a++) {
        places += (uint64_t)cost_clog2((uint64_t)b.out[a] + 1);
        cost_counter(&c, (uint64_t)b.unit[a]);
    }
    cost_counter(&c, (uint64_t)b.folds);
    c.ff += places;
    COST_LUTS(&c, COST_PADDING, 1, (double)places, (double)(simd * bits));
    cost_rom(&c, dev, COST_AUTO, is_uniform(p) ? 1 : (uint64_t)b.folds, simd * bits);
    cost_pipe(&c, 1, 1, simd * bits);
    cost_fit(&c, dev);
    *out = c;
    return NASHC_OK;
}

/* arg: beats of a pixel; of rows, then of columns: in, first, unit, out. */
static nashc_status
pad_timing(const nashc_node *n, nashc_timing *out)
{
    border b = border_of(n);

    *out = (nashc_timing){.steps = model_beats_out(n), .latency = 1, .depth = 2};
    out->arg[0] = (uint64_t)b.folds;
    for (int a = 0; a < 2; a++) {
        uint64_t *axis = out->arg + 1 + 4 * a;
        axis[0] = (uint64_t)b.in[a];
        axis[1] = (uint64_t)b.first[a];
        axis[2] = (uint64_t)b.unit[a];
        axis[3] = (uint64_t)b.out[a];
    }
    return NASHC_OK;
}

/* Is place i along an axis one of the input's? */
static bool
from_input(const uint64_t *axis, uint64_t i)
{
    return i >= axis[1] && (i - axis[1]) % axis[2] == 0 && (i - axis[1]) / axis[2] < axis[0];
}

static void
pad_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    const uint64_t *rows = t->arg + 1, *columns = t->arg + 5;
    uint64_t pixel = i / t->arg[0];

    *reads =
        from_input(rows, pixel / columns[3] % rows[3]) && from_input(columns, pixel % columns[3]);
    *writes = 1;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .cycles = model_beats_out,
    .timing = pad_timing,
    .step = pad_step,
    .cost = pad_cost,
};

const nashc_impl nashc_impl_verilog_model_hw_fmpadding = MODEL("hw.fmpadding", model);
