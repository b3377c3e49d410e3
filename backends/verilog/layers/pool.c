/* pool.c: hw.pool to nashc_pool. */
#include "model.h"
#include <string.h>

/* Results of a row in a copy of the unit: rows of one beat a result need not be told apart. */
static int64_t
row_of(const nashc_node *n)
{
    int count;
    const int64_t *w = nashc_node_ints(n, "window", &count);
    int64_t m = nashc_hw_positions(n);

    return m == 1 ? w[1] : w[0] == 1 ? 1 : w[1] / m;
}

static nashc_status
emit_pool(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    static const char *const names[] = {"KH", "OW", "KW"};
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *y = nashc_value_type(nashc_node_out(n, 0));
    int count;
    const int64_t *window = nashc_node_ints(n, "window", &count);

    (void)d;
    nashc_vlog_core(v, "nashc_pool");
    nashc_vlog_copies(v, nashc_hw_positions(n));
    nashc_vlog_int(v, "C", y->dim[y->rank - 1]);
    nashc_vlog_int(v, "PE", nashc_node_int(n, "pe"));
    nashc_vlog_int(v, "SIMD", nashc_node_int(n, "simd"));
    emit_func(n, v);
    for (int i = 0; i < count; i++)
        nashc_vlog_int(v, names[i], i == 1 ? row_of(n) : window[i]);
    emit_element(v, "X", x, y); /* the largest of bip is bip: 0 < 1 as -1 < +1 */
    nashc_vlog_int(v, "OUT_W", y->bits);
    nashc_vlog_str(v, "RAM_STYLE", nashc_node_str(n, "ram_style"));
    return NASHC_OK;
}

const nashc_impl nashc_impl_verilog_hw_pool = NASHC_IMPL_VERILOG("hw.pool", emit_pool);

/* --- model --------------------------------------------------------------------------------------
 */

static uint64_t
folds_of(const nashc_node *n)
{
    const nashc_type *y = model_out(n, 0);

    return (uint64_t)(y->dim[y->rank - 1] / nashc_node_int(n, "pe"));
}

/* Counters and addresses, and of each lane an adder, or a comparison with a choice; as much for
 * each other row of a beat. */
static nashc_status
pool_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    int count;
    const int64_t *w = nashc_node_ints(n, "window", &count);
    uint64_t a = model_in(n, 0)->bits, b = model_out(n, 0)->bits, folds = folds_of(n);
    uint64_t pe = (uint64_t)nashc_node_int(n, "pe"), simd = (uint64_t)nashc_node_int(n, "simd");
    bool many = (uint64_t)w[0] * (uint64_t)w[2] > simd; /* beats a result */
    uint64_t row = (uint64_t)row_of(n), accs = many ? row * folds : 1,
             address = (uint64_t)cost_clog2(accs);
    bool adds = strcmp(nashc_node_str(n, "func"), "sum") == 0;
    nashc_cost c = {COST_START};

    cost_counter(&c, folds);
    cost_counter(&c, (uint64_t)w[2] / simd);
    cost_counter(&c, (uint64_t)w[0]);
    cost_counter(&c, row > 1 ? accs : 1);
    uint64_t rows = pe * (simd - 1) * b, kept = many ? pe * b : 0;
    if (adds) {
        if (!emit_signed(model_in(n, 0)) && a + (uint64_t)cost_clog2(simd) < b)
            rows = pe * (simd - 1) * (a + (uint64_t)cost_clog2(simd)); /* above it is zero */
        /* what a sign extends stands in front of the kept word, whose start has LUTs then */
        bool start = accs > 1 && simd == 1 && a < b && emit_signed(model_in(n, 0));
        COST_LUTS(&c, COST_POOL, (double)(rows + kept * (1 + start)));
    } else { /* one word that is kept is loaded or not; one of a beat before comes past the memory
              */
        bool past = accs > 1 && folds == 1 && (uint64_t)w[2] > simd;
        COST_LUTS(&c, COST_POOL, 0, b > 2 ? (double)(rows + kept) : 0,
                  (double)(rows + (accs > 1 ? kept : 0)), past ? (double)kept : 0,
                  accs > 1 && b > 2 && b < 8 ? (double)kept : 0);
    }
    c.ff += pe * simd * a + 2 + pe * b;
    if (simd > 1)
        c.ff += pe * b + 2 + address;
    if (accs > 1) {
        c.ff += address;
        c.ff += cost_ram(&c, dev, nashc_node_int(n, "ram_style"), accs, pe * b) ? 0 : pe * b;
    }
    cost_pipe(&c, simd > 1 ? 3 : 2, 1, pe * b);
    cost_fit(&c, dev);
    model_copies(n, &c);
    *out = c;
    return NASHC_OK;
}

/* arg: beats of a row, kh, ow, beats of kw. */
static nashc_status
pool_timing(const nashc_node *n, nashc_timing *out)
{
    int count;
    const int64_t *w = nashc_node_ints(n, "window", &count), simd = nashc_node_int(n, "simd");

    *out = (nashc_timing){
        .steps = beats_in(n),
        .latency = simd > 1 ? 3 : 2,
        .depth = 2,
        .arg = {folds_of(n), (uint64_t)w[0], (uint64_t)row_of(n), (uint64_t)(w[2] / simd)}};
    return NASHC_OK;
}

/* A result is given while both loops over its window are last. */
static void
pool_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    uint64_t kh = t->arg[1], ow = t->arg[2], kw = t->arg[3], row = i / t->arg[0];

    *reads = 1;
    *writes = row % kw == kw - 1 && row / kw / ow % kh == kh - 1;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .flags = NASHC_MODEL_POSITIONS,
    .cycles = beats_in,
    .timing = pool_timing,
    .step = pool_step,
    .cost = pool_cost,
};

const nashc_impl nashc_impl_verilog_model_hw_pool = MODEL("hw.pool", model);
