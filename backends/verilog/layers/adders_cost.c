/* adders_cost.c: the unit of hw.mvau with res_type=adders: its graph, stages and cost.
 *
 *     operand register -- ADDERS_LEVELS additions -- register -- .. -- word -- register
 *
 * Every way through the graph has as many stages, known from the digits of the weights alone; a
 * term that is read in a later stage than the one behind it is kept until then.
 */
#include "adders.h"

bool
adders_used(const nashc_node *n)
{
    return nashc_node_int(n, "res_type") == 3;
}

/* Sizes of n. */
static adders
sizes_of(const nashc_node *n)
{
    const nashc_type *t = model_in(n, 1), *x = model_in(n, 0);
    adders z = {.pe = nashc_node_int(n, "pe"),
                .simd = nashc_node_int(n, "simd"),
                .groups = nashc_node_int(n, "groups")};

    z.sf = t->dim[0] / z.simd;
    z.nf = t->dim[1] / z.groups / z.pe;
    z.words = z.sf * z.nf * z.groups;
    z.m = (adder_matrix){
        .n_in = (int)z.simd, .n_out = (int)(z.words * z.pe), .lo = x->lo, .hi = x->hi};
    return z;
}

/* Weight of column s of a beat in output o. */
static int64_t
weight_at(const adders *z, const nashc_tensor *w, int64_t s, int64_t o)
{
    int64_t word = o / z->pe, line = word / z->sf, sf = word % z->sf;
    int64_t rows = nashc_tensor_type(w)->dim[1];

    return nashc_tensor_get_int(w, (sf * z->simd + s) * rows + line * z->pe + o % z->pe);
}

/* The weights of n, of those sizes. */
static bool
take_matrix(const nashc_node *n, nashc_arena *a, adders *z)
{
    const nashc_tensor *w = nashc_value_const(nashc_node_in(n, 1));
    int64_t *to = NASHC_NEW_N(a, int64_t, z->simd * z->m.n_out + 1);

    z->m.w = to;
    for (int64_t s = 0; to && s < z->simd; s++)
        for (int64_t o = 0; o < z->m.n_out; o++)
            *to++ = weight_at(z, w, s, o);
    return to != NULL;
}

/* Are there more than ADDER_GRAPH_PAIRS pairs of digits within outputs? Of large matrices the
 * first outputs tell. */
static bool
too_many_pairs(const nashc_node *n, const adders *z)
{
    const nashc_tensor *w = nashc_value_const(nashc_node_in(n, 1));
    int64_t pairs = 0;

    for (int64_t o = 0; o < z->m.n_out && pairs <= ADDER_GRAPH_PAIRS; o++) {
        int64_t digits = 0;
        for (int64_t s = 0; s < z->simd; s++)
            digits += adder_graph_digits(weight_at(z, w, s, o));
        pairs += digits * (digits - 1) / 2;
    }
    return pairs > ADDER_GRAPH_PAIRS;
}

static int
stages_of(const adders *z)
{
    int levels = adder_graph_levels(&z->m) + (z->words > 1);

    return (levels + ADDERS_LEVELS - 1) / ADDERS_LEVELS;
}

uint32_t
adders_stages(const nashc_node *n)
{
    nashc_arena *a = nashc_arena_create();
    adders z = sizes_of(n);
    uint32_t stages = a && take_matrix(n, a, &z) ? (uint32_t)stages_of(&z) : 1;

    nashc_arena_free(a);
    return stages;
}

int
adders_stage(const adders *z, int t)
{
    return t < z->g.n_in ? -1 : (z->g.terms[t].level - 1) / ADDERS_LEVELS;
}

static void
read_in(adders *z, int term, int stage)
{
    if (term >= 0 && z->need[term] < stage)
        z->need[term] = stage;
}

/* Stages in which terms are read; bits of a step's result. */
static bool
schedule(adders *z, nashc_arena *a)
{
    const adder_graph *g = &z->g;
    int64_t lo = 0, hi = 0;

    z->need = NASHC_NEW_N(a, int, g->n_terms + 1);
    for (int i = 0; z->need && i < g->n_terms; i++)
        z->need[i] = -1;
    for (int i = g->n_in; z->need && i < g->n_terms; i++) {
        read_in(z, g->terms[i].node.a, adders_stage(z, i));
        read_in(z, g->terms[i].node.b, adders_stage(z, i));
    }
    for (int o = 0; z->need && o < g->n_out; o++) {
        if (g->out[o].term < 0)
            continue;
        const adder_term *t = &g->terms[g->out[o].term];
        int64_t unit = (int64_t)1 << g->out[o].shift;
        read_in(z, g->out[o].term, z->stages - 1);
        lo = t->lo * unit < lo ? t->lo * unit : lo;
        hi = t->hi * unit > hi ? t->hi * unit : hi;
    }
    const adder_term sum = {.lo = lo, .hi = hi};
    z->sum_bits = adder_term_bits(&sum);
    z->sum_signed = lo < 0;
    if (z->sf == 1 || z->sum_bits > z->acc.bits)
        z->sum_bits = z->acc.bits;
    return z->need != NULL;
}

/* What keeps a unit from being built, or NULL. */
static const char *
obstacle(const nashc_node *n, const adders *z, nashc_arena *a)
{
    if (nashc_node_int(n, "mem_mode") == 2 || nashc_node_bool(n, "runtime_writeable_weights"))
        return "weights that are no constants";
    if (z->words > ADDERS_WORDS)
        return nashc_arena_printf(a, "%" PRId64 " weight words, at most %d", z->words,
                                  ADDERS_WORDS);
    if (mac_accumulator(n, true).bits > 48)
        return "sums of more than 48 bits";
    if (too_many_pairs(n, z))
        return nashc_arena_printf(a, "more than %d pairs of digits to compare", ADDER_GRAPH_PAIRS);
    return NULL;
}

/* The unit of n but for the graph. EUNSUP as with adders_open. */
static nashc_status
take_unit(const nashc_node *n, nashc_arena *a, adders *out, nashc_diag *d)
{
    if (!a)
        return nashc_enomem(d);
    *out = sizes_of(n);
    const char *why = obstacle(n, out, a);
    if (why && d) {
        nashc_node_unsup(d, n, "res_type=adders: %s", why);
        nashc_help(d, "fold the layer otherwise, or set res_type=auto");
    }
    if (why)
        return NASHC_EUNSUP;
    if (!take_matrix(n, a, out))
        return nashc_enomem(d);
    out->acc = nashc_node_in(n, 2) ? mac_accumulator(n, true) : *model_out(n, 0);
    out->stages = stages_of(out);
    out->sum_bits = out->sf == 1 ? (int)out->acc.bits : 0; /* else the graph tells */
    return NASHC_OK;
}

nashc_status
adders_open(const nashc_node *n, nashc_arena *a, adders *out, nashc_diag *d)
{
    nashc_status s = take_unit(n, a, out, d);

    if (s != NASHC_OK)
        return s;
    return adder_graph_build(&out->m, a, &out->g) && schedule(out, a) ? NASHC_OK : nashc_enomem(d);
}

/* --- cost ---------------------------------------------------------------------------------------
 */

/* Registers behind terms, from the stage that adds them up to the last one that reads them. */
static uint64_t
registers(const adders *z)
{
    uint64_t bits = 0;

    for (int i = 0; i < z->g.n_terms; i++) {
        int from = i < z->g.n_in ? 0 : adders_stage(z, i);
        if (z->need[i] > from)
            bits += (uint64_t)((z->need[i] - from) * adder_term_bits(&z->g.terms[i]));
    }
    return bits;
}

nashc_status
adders_cost(const nashc_node *n, const mac_shape *shape, const nashc_device *dev, bool bare,
            nashc_cost *c)
{
    nashc_arena *a = nashc_arena_create();
    adders z;
    nashc_status s = bare ? take_unit(n, a, &z, NULL) : adders_open(n, a, &z, NULL);

    if (s == NASHC_OK) {
        uint64_t sums = (uint64_t)(z.pe * z.sum_bits);
        c->ff += (bare ? 0 : registers(&z)) + sums;
        for (int i = z.g.n_in; i < z.g.n_terms; i++)
            c->lut += (uint64_t)adder_graph_luts(&z.g, i);
        if (z.words > 1) { /* a word of up to 4 takes a LUT a bit, one of up to 8 two */
            c->lut += sums * (z.words > 4 ? 2 : 1);
            c->ff += (uint64_t)(z.stages * cost_clog2((uint64_t)z.words));
        }
        mac_cost_results(n, shape, dev, z.acc.bits, 1 + (uint64_t)z.stages, c);
    }
    nashc_arena_free(a);
    return s;
}
