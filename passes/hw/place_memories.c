/* place_memories.c: LUTs, block RAM or UltraRAM for the memories of layers, by the room there is.
 *
 *     price of a resource = its LUT equivalents (hw_score), more where too much is asked for
 *     each memory of ram_style auto takes the style of the lowest sum of prices
 *
 * Where a resource overflows, its price rises until what is cheapest to have elsewhere has moved
 * there (Lagrangian relaxation). Prices move all memories of a kind at once, too many or too few:
 * where that does not fit, single ones move as long as the fullest resource gets emptier; where it
 * does, what still fits in its first style goes back there, the dearest move first. Weights are not
 * placed in UltraRAM, which starts empty: who wants that says so.
 */
#include "hw.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rounds of prices, and how much they rise. */
#define ROUNDS 40
#define RISE   1.1

static const char *const styles[] = {"auto", "distributed", "block", "ultra"};

enum { N_STYLES = NASHC_COUNT(styles) };
enum { BRAM = 2, URAM = 3 }; /* of the demands on a device */

/* A layer with a choice: what it costs in each style. */
typedef struct memory {
    nashc_node *n;
    nashc_cost cost[N_STYLES];
    bool can[N_STYLES];
    int first, taken, best; /* at the first prices, at the last ones, and at the best ones */
} memory;

typedef struct placing {
    const nashc_device *dev;
    const nashc_backend *backend;
    nashc_diag *d;
    memory *all;
    int n;
    const nashc_cost *const *known; /* as hw_placed_cost has it */
    nashc_cost fixed;               /* layers without a choice, and what stands beside them */
    double fill;                    /* of each resource, at most; 1: all of it */
    double overflow;                /* of the best, as a share of what may be filled; 0: it fits */
    double price[NASHC_DEMANDS];
} placing;

static bool
differs(const nashc_cost *a, const nashc_cost *b)
{
    return a->lut != b->lut || a->bram18 != b->bram18 || a->uram != b->uram;
}

/* Devices of 4-input LUTs have small distributed RAMs or none. */
static bool
can_be(const placing *z, const nashc_node *n, int attr, const char *style)
{
    nashc_weights w;

    if (strcmp(style, "distributed") == 0 && z->dev->lut_inputs < 6)
        return false;
    if (strcmp(style, "ultra") == 0 && nashc_flow_weights(n, &w))
        return false;
    return strstr(nashc_node_op(n)->attrs[attr].domain, style) != NULL;
}

/* Costs of n in every style; n keeps its style. */
static nashc_status
collect(placing *z, nashc_node *n)
{
    memory *m = &z->all[z->n];
    int attr = nashc_attr_index(n, "ram_style");
    bool choice = false;
    nashc_status s = NASHC_OK;

    *m = (memory){.n = n};
    for (int i = 0; i < N_STYLES && s == NASHC_OK; i++) {
        if (!can_be(z, n, attr, styles[i]))
            continue;
        s = nashc_node_set_attr(n, "ram_style", styles[i], z->d);
        m->can[i] = s == NASHC_OK && nashc_layer_cost(n, z->backend, z->dev, &m->cost[i]);
        choice = choice || (m->can[i] && differs(&m->cost[i], &m->cost[0]));
    }
    z->n += choice;
    return s == NASHC_OK ? nashc_node_set_attr(n, "ram_style", styles[0], z->d) : s;
}

static uint64_t
need_of(const nashc_cost *c, int resource)
{
    const uint64_t need[NASHC_DEMANDS] = {c->lut, c->ff, c->bram18, c->uram, c->dsp};

    return need[resource];
}

/* Prices to begin with: LUT equivalents; an UltraRAM is worth half the block RAMs that the device
 * has for each, as only memories placed here can use it. What a device does not have has no price.
 */
static void
first_prices(placing *z)
{
    const nashc_cost one[NASHC_DEMANDS] = {
        {.lut = 4}, {.ff = 4}, {.bram18 = 4}, {.uram = 4}, {.dsp = 4}};

    for (int i = 0; i < NASHC_DEMANDS; i++)
        z->price[i] = (double)hw_score(&one[i]) / 4;
    z->price[URAM] = z->price[BRAM] * (double)z->dev->bram18 / (2 * (double)z->dev->uram + 1e-9);
    if (z->dev->bram18 == 0)
        z->price[BRAM] = INFINITY;
    if (z->dev->uram == 0)
        z->price[URAM] = INFINITY;
}

static double
price_of(const placing *z, const nashc_cost *c)
{
    double sum = 0;

    for (int i = 0; i < NASHC_DEMANDS; i++)
        sum += need_of(c, i) > 0 ? (double)need_of(c, i) * z->price[i] : 0; /* 0 times infinity */
    return sum;
}

/* Everything in its cheapest style; the first of equals, which is auto, wins. */
static nashc_cost
choose(placing *z)
{
    nashc_cost sum = z->fixed;

    for (int k = 0; k < z->n; k++) {
        memory *m = &z->all[k];
        m->taken = 0;
        for (int i = 1; i < N_STYLES; i++)
            if (m->can[i] && price_of(z, &m->cost[i]) < price_of(z, &m->cost[m->taken]))
                m->taken = i;
        nashc_cost_add(&sum, &m->cost[m->taken]);
    }
    return sum;
}

/* The worst overflow of a resource as a share of what may be filled of it, 0: all fits. Raises
 * prices by `rise`. */
static double
overflow(placing *z, const nashc_cost *sum, double rise)
{
    nashc_demand use[NASHC_DEMANDS];
    double worst = 0;

    nashc_device_demand(z->dev, sum, use);
    for (int i = 0; i < NASHC_DEMANDS; i++) {
        double over = use[i].percent / 100 / z->fill - 1;
        z->price[i] *= over > 0 ? rise : 1;
        worst = over > worst ? over : worst;
    }
    return worst;
}

/* Rounds of prices go on until all fits; the one with the least overflow counts. */
static void
search(placing *z)
{
    double over = 1;

    first_prices(z);
    for (int round = 0; round < ROUNDS && over > 0; round++) {
        nashc_cost sum = choose(z);
        over = overflow(z, &sum, RISE);
        for (int k = 0; k < z->n && (round == 0 || over < z->overflow); k++)
            z->all[k].best = z->all[k].taken;
        for (int k = 0; k < z->n && round == 0; k++)
            z->all[k].first = z->all[k].taken;
        z->overflow = round == 0 || over < z->overflow ? over : z->overflow;
    }
}

static double
saving(const memory *m)
{
    return (double)hw_score(&m->cost[m->best]) - (double)hw_score(&m->cost[m->first]);
}

static int
dearest_move(const void *a, const void *b)
{
    double x = saving(a), y = saving(b);

    return (x < y) - (x > y);
}

static nashc_cost
best_cost(const placing *z)
{
    nashc_cost sum = z->fixed;

    for (int k = 0; k < z->n; k++)
        nashc_cost_add(&sum, &z->all[k].cost[z->all[k].best]);
    return sum;
}

/* Moves m to the style that leaves the least overflow; *sum is the cost of all. */
static bool
relieve(placing *z, memory *m, nashc_cost *sum)
{
    const int before = m->best;
    nashc_cost others = *sum;

    hw_cost_subtract(&others, &m->cost[before]);
    for (int i = 0; i < N_STYLES; i++) {
        nashc_cost c = others;
        if (!m->can[i])
            continue;
        nashc_cost_add(&c, &m->cost[i]);
        double over = overflow(z, &c, 1);
        if (over >= z->overflow)
            continue;
        z->overflow = over;
        m->best = i;
        *sum = c;
    }
    return m->best != before;
}

/* Single moves, the dearest memories first, until all fits or none helps. */
static void
repair(placing *z)
{
    nashc_cost sum = best_cost(z);
    bool moved = true;

    while (moved && z->overflow > 0) {
        moved = false;
        for (int k = 0; k < z->n && z->overflow > 0; k++)
            moved = relieve(z, &z->all[k], &sum) || moved;
    }
}

static void
give_back(placing *z)
{
    nashc_cost sum = best_cost(z);

    for (int k = 0; k < z->n; k++) {
        memory *m = &z->all[k];
        nashc_cost c = sum;
        hw_cost_subtract(&c, &m->cost[m->best]);
        nashc_cost_add(&c, &m->cost[m->first]);
        if (overflow(z, &c, 1) > z->overflow)
            continue;
        m->best = m->first;
        sum = c;
    }
}

static bool
undecided(const nashc_node *n)
{
    int res = nashc_attr_index(n, "res_type");

    if (res >= 0 && strcmp(nashc_attr_str(n, res), "adders") == 0)
        return false; /* its weights lie in no memory */
    return nashc_attr_index(n, "ram_style") >= 0 && nashc_node_int(n, "ram_style") == 0;
}

/* The memories of f that have a choice, and what all else costs. */
static nashc_status
collect_all(placing *z, nashc_graph *f)
{
    nashc_status s = NASHC_OK;

    NASHC_EACH_NODE(f, n)
    {
        int before = z->n;
        nashc_cost c;
        if (z->known && z->known[nashc_node_id(n)]) {
            nashc_cost_add(&z->fixed, z->known[nashc_node_id(n)]);
            continue;
        }
        if (s == NASHC_OK && undecided(n))
            s = collect(z, n);
        if (z->n == before && nashc_layer_cost(n, z->backend, z->dev, &c))
            nashc_cost_add(&z->fixed, &c);
    }
    return s;
}

static nashc_status
solve(placing *z, nashc_run *r, nashc_graph *f)
{
    if (!(z->all = NASHC_NEW_N(nashc_run_arena(r), memory, nashc_graph_n_nodes(f) + 1)))
        return nashc_enomem(z->d);
    nashc_status s = collect_all(z, f);
    if (s != NASHC_OK)
        return s;
    search(z);
    qsort(z->all, (size_t)z->n, sizeof *z->all, dearest_move);
    repair(z);
    give_back(z);
    return NASHC_OK;
}

nashc_status
hw_placed_cost(nashc_run *r, nashc_graph *f, const nashc_backend *backend, const nashc_device *dev,
               double fill, const nashc_cost *const *known, nashc_cost *c)
{
    placing z = {.d = nashc_run_diag(r),
                 .backend = backend,
                 .dev = dev,
                 .fill = fill,
                 .known = known,
                 .fixed = *c};
    nashc_status s = solve(&z, r, f);

    if (s == NASHC_OK)
        *c = best_cost(&z);
    return s;
}

static nashc_status
run(nashc_run *r, nashc_graph *g)
{
    const char *device = nashc_opts_str(nashc_run_opts(r), "device");
    placing z = {.d = nashc_run_diag(r), .fill = 1};
    const nashc_opts *o = nashc_run_opts(r);
    nashc_graph *f = nashc_flow_graph(nashc_graph_module(g), z.d);

    if (!f)
        return NASHC_EINPUT;
    if (!(z.backend = hw_backend(r)))
        return NASHC_EUNSUP;
    if (!(z.dev = nashc_lookup(nashc_run_ctx(r), NASHC_D_DEVICE, device, z.d)))
        return NASHC_EINPUT;
    if (nashc_opts_bool(o, "fit"))
        z.fill = nashc_device_room(z.dev, nashc_opts_float(o, "fill"));
    nashc_status s = solve(&z, r, f);
    for (int k = 0; k < z.n && s == NASHC_OK; k++)
        s = nashc_node_set_attr(z.all[k].n, "ram_style", styles[z.all[k].best], z.d);
    return s;
}

static const nashc_param options[] = {
    {.name = "device", .help = "whose memories there are", .kind = NASHC_P_STRING},
    {.name = "fit",
     .def = "false",
     .help = "keep to what planners may fill, not to the whole device",
     .kind = NASHC_P_BOOL},
    {.name = "fill",
     .def = "0",
     .domain = "0..100",
     .help = "fit: per cent of each resource; 0: what the device allows planners",
     .kind = NASHC_P_FLOAT},
    HW_BACKEND_OPTION,
    {0},
};

const nashc_pass nashc_pass_place_memories = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_MODULE,
    .name = "place-memories",
    .help = "put each memory into LUTs, block RAM or UltraRAM, as the device has room",
    .options = options,
    .needs = "hw-only",
    .run = run,
};
