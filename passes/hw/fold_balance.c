/* fold_balance.c: multipliers moved between DSP blocks and LUTs where a device has too few of one.
 *
 *     too many DSPs   what gets by with the fewest LUTs for each DSP given back leaves them
 *     too many LUTs   what saves most LUTs for each DSP takes them, as long as there are any
 *
 * Foldings stay. Layers move whole, one at a time; layers of which somebody has said what
 * multiplies do not. A graph of additions stands for the LUTs of its layer.
 */
#include "fold.h"

enum { LUT, DSP = 4 }; /* of the demands on a device */

/* A layer in LUTs and in DSPs, as it is folded. */
typedef struct choice {
    nashc_cost cost[2];
} choice;

static const char *const res_types[] = {"lut", "dsp"};

static nashc_status
weigh_both(fold_problem *z, fold_item *it, choice *out)
{
    nashc_status s = hw_set_fold(it->n, &it->points[it->chosen].fold, z->d);

    out->cost[0] = it->cost;
    for (int k = it->points[it->chosen].adds; k < 2 && s == NASHC_OK; k++) {
        s = nashc_node_set_attr(it->n, "res_type", res_types[k], z->d);
        if (s == NASHC_OK)
            nashc_layer_cost(it->n, z->backend, z->dev, &out->cost[k]);
    }
    return s;
}

/* LUTs for each DSP that moving from one cost to the other takes or saves; negative: it moves
 * nothing. */
static double
price(const nashc_cost *lut, const nashc_cost *dsp)
{
    if (dsp->dsp <= lut->dsp || lut->lut <= dsp->lut)
        return -1;
    return (double)(lut->lut - dsp->lut) / (double)(dsp->dsp - lut->dsp);
}

/* Has nobody said what multiplies? */
static bool
movable(const fold_problem *z, const fold_item *it)
{
    return it->open && !(z->add_always && it->points[it->chosen].adds);
}

/* The layer to be moved to DSPs, or from them; -1: none. room: DSPs that are left. */
static int
next_move(const fold_problem *z, const choice *all, bool to_dsp, uint64_t room)
{
    double best = 0;
    int found = -1;

    for (int i = 0; i < z->n; i++) {
        const fold_item *it = &z->items[i];
        double p = movable(z, it) ? price(&all[i].cost[0], &all[i].cost[1]) : -1;
        bool there = it->cost.dsp >= all[i].cost[1].dsp;
        if (p < 0 || it->moved || there == to_dsp ||
            (to_dsp && all[i].cost[1].dsp - it->cost.dsp > room))
            continue;
        if (found < 0 || (to_dsp ? p > best : p < best)) {
            best = p;
            found = i;
        }
    }
    return found;
}

static void
move(fold_item *it, const choice *c, bool to_dsp, nashc_cost *sum)
{
    hw_cost_subtract(sum, &it->cost);
    it->cost = c->cost[to_dsp];
    it->moved = res_types[to_dsp];
    nashc_cost_add(sum, &it->cost);
}

/* Both costs of every layer that may move. */
static nashc_status
weigh_all(fold_problem *z, choice **out)
{
    nashc_status s = NASHC_OK;

    if (!(*out = NASHC_NEW_N(nashc_run_arena(z->r), choice, z->n + 1)))
        return nashc_enomem(z->d);
    for (int i = 0; i < z->n && s == NASHC_OK; i++)
        if (movable(z, &z->items[i]))
            s = weigh_both(z, &z->items[i], &(*out)[i]);
    return s;
}

nashc_status
fold_balance(fold_problem *z, double fill, fold_result *r)
{
    choice *all = NULL;
    nashc_status s = NASHC_OK;

    for (int k = 0; z->dev && k >= 0;) {
        nashc_demand use[NASHC_DEMANDS];
        nashc_device_demand(z->dev, &r->cost, use);
        double lut = (double)use[LUT].have * fill, dsp = (double)use[DSP].have * fill;
        bool to_dsp = (double)use[LUT].need > lut;
        if (to_dsp == ((double)use[DSP].need > dsp))
            break; /* all is well, or nothing helps */
        if (!all && (s = weigh_all(z, &all)) != NASHC_OK)
            break;
        k = next_move(z, all, to_dsp, to_dsp ? (uint64_t)dsp - use[DSP].need : 0);
        if (k >= 0)
            move(&z->items[k], &all[k], to_dsp, &r->cost);
    }
    return s;
}
