/* mvau.c: hw.mvau to nashc_mvau, without zero words to nashc_mvau_sparse (sparse.c), or with
 * res_type=adders to modules of its own (adders.c). */
#include "adders.h"
#include "sparse.h"

/* Steps of a layer: sf for each group of pe rows, nf of those for each vector, or round of them. */
typedef struct sizes {
    uint64_t pe, simd, sf, nf, groups, vectors, round; /* round 0: all words take steps */
} sizes;

static sizes
sizes_of(const nashc_node *n)
{
    const nashc_type *w = model_in(n, 1);
    sizes z = {.pe = (uint64_t)nashc_node_int(n, "pe"),
               .simd = (uint64_t)nashc_node_int(n, "simd"),
               .groups = (uint64_t)nashc_node_int(n, "groups")};

    z.sf = (uint64_t)w->dim[0] / z.simd;
    z.nf = (uint64_t)w->dim[1] / z.groups / z.pe;
    z.vectors =
        (uint64_t)(nashc_type_count(model_in(n, 0)) / w->dim[0]) / (uint64_t)nashc_hw_positions(n);
    z.round = (uint64_t)sparse_round(n);
    return z;
}

/* The products of n, in its usual unit. */
static mac_shape
shape_of(const nashc_node *n, const sizes *z)
{
    return (mac_shape){.pe = z->pe,
                       .simd = z->simd,
                       .blocks = 1,
                       .accs = z->sf > 1,
                       .folds = z->groups * z->nf,
                       .piped = 1,
                       .lines = z->round ? z->round * z->groups : mac_lines(n),
                       .lanes = products_lanes(model_in(n, 0), model_in(n, 1), (int64_t)z->pe)};
}

static nashc_status
emit_mvau(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    const nashc_type *w = nashc_value_type(nashc_node_in(n, 1));
    nashc_status s;

    nashc_vlog_copies(v, nashc_hw_positions(n));
    if (adders_used(n))
        return emit_adders(n, v, d);
    const sizes z = sizes_of(n);
    const mac_shape shape = shape_of(n, &z);
    if (z.round == 0)
        nashc_vlog_core(v, "nashc_mvau");
    nashc_vlog_int(v, "MW", w->dim[0]);
    nashc_vlog_int(v, "MH", w->dim[1]);
    nashc_vlog_int(v, "GROUPS", nashc_node_int(n, "groups"));
    nashc_vlog_int(v, "SIMD", nashc_node_int(n, "simd"));
    nashc_vlog_int(v, "LANES", shape.lanes);
    s = z.round > 0 ? emit_sparse(n, v, (int64_t)z.round, d) : emit_weights(n, v, d);
    if (s != NASHC_OK)
        return s;
    return emit_mac(n, v, &shape, d);
}

const nashc_impl nashc_impl_verilog_hw_mvau = NASHC_IMPL_VERILOG("hw.mvau", emit_mvau);

/* --- model --------------------------------------------------------------------------------------
 */

static uint64_t
mvau_cycles(const nashc_node *n)
{
    sizes z = sizes_of(n);

    return z.vectors * (z.round ? z.round : z.sf * z.nf);
}

/* A vector of several beats is kept for the other rounds: read behind the register of the address
 * in nashc_mvau, in front of one of the beat where it is long, and in nashc_adder_steps. */
static void
cost_replay(const sizes *z, const nashc_device *dev, uint64_t width, bool graph, nashc_cost *c)
{
    bool kept = z->nf > 1 && z->sf > 1, behind = kept && z->sf <= 64 && !graph;

    COST_LUTS(c, COST_REPLAY, 1, kept && !behind ? (double)width : 0);
    c->ff += behind ? (uint64_t)cost_clog2(z->sf) : width;
    if (!kept)
        return;
    if (!cost_ram(c, dev, z->sf <= 64 ? COST_DISTRIBUTED : COST_AUTO, z->sf, width))
        c->ff += z->sf > 64 ? width : 0;
    c->ff += z->sf > 64;
}

/* bare: without the graph of additions, which takes long to build. */
static nashc_status
count(const nashc_node *n, const nashc_device *dev, bool bare, nashc_cost *out)
{
    const nashc_type *x = model_in(n, 0);
    nashc_cost c = {COST_START};
    const sizes z = sizes_of(n);
    const mac_shape shape = shape_of(n, &z);
    nashc_status s = NASHC_OK;

    if (!z.round) {
        cost_counter(&c, z.sf);
        cost_counter(&c, z.nf);
        cost_replay(&z, dev, z.simd * x->bits, adders_used(n), &c);
    }
    if (adders_used(n)) {
        cost_counter(&c, z.groups * z.nf * z.sf);
        s = adders_cost(n, &shape, dev, bare, &c);
    } else {
        if (z.round)
            sparse_cost(n, (int64_t)z.round, dev, &c);
        else
            mac_cost_weights(n, dev, &c);
        mac_cost(n, &shape, dev, &c);
    }
    if (s != NASHC_OK)
        return s;
    cost_fit(&c, dev);
    model_copies(n, &c);
    *out = c;
    return NASHC_OK;
}

static nashc_status
mvau_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    return count(n, dev, false, out);
}

static nashc_status
mvau_least(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    return count(n, dev, true, out);
}

/* Steps of the vectors of all groups as bytes: does a result leave? */
static nashc_status
take_steps(const nashc_node *n, const sizes *z, nashc_timing *out)
{
    sparse_step *steps = sparse_steps(n, (int64_t)z->round);
    uint8_t *last = nashc_mem_alloc(z->groups * z->round);

    for (uint64_t i = 0; steps && last && i < z->groups * z->round; i++)
        last[i] = steps[i].last;
    if (!steps) {
        nashc_mem_free(last);
        last = NULL;
    }
    nashc_mem_free(steps);
    out->table = last;
    return last ? NASHC_OK : NASHC_ENOMEM;
}

/* nashc_mvau or nashc_mvau_sparse with PIPE = 1 and DEEP = 1 (docs/timing.md), or the unit of
 * adders.c. */
static nashc_status
mvau_timing(const nashc_node *n, nashc_timing *out)
{
    sizes z = sizes_of(n);
    uint32_t sum = adders_used(n) ? 1 + adders_stages(n) : 3; /* stages up to the sum of a step */

    *out = (nashc_timing){.steps = z.vectors * (z.round ? z.round : z.sf * z.nf),
                          .latency = sum + (z.round > 0) + (z.sf > 1) + mac_latency(n),
                          .depth = 2,
                          .arg = {z.sf, z.nf, z.round, z.groups * z.round}};
    return z.round ? take_steps(n, &z, out) : NASHC_OK;
}

/* The vector is read with the first rows, or in the first steps; a beat is given with the last
 * columns, or as the table says. */
static void
mvau_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    uint64_t sf = t->arg[0], nf = t->arg[1];
    const uint8_t *last = t->table;

    *reads = last ? i % t->arg[2] < sf : i / sf % nf == 0;
    *writes = last ? last[i % t->arg[3]] : i % sf == sf - 1;
}

static void
mvau_end(nashc_timing *t)
{
    nashc_mem_free(t->table);
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .flags = NASHC_MODEL_POSITIONS,
    .cycles = mvau_cycles,
    .timing = mvau_timing,
    .step = mvau_step,
    .cost = mvau_cost,
    .end = mvau_end,
    .least = mvau_least,
};

const nashc_impl nashc_impl_verilog_model_hw_mvau = MODEL("hw.mvau", model);
