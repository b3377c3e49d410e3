/* cost_terms.c: what the LUT estimates of layers are made of: `cost_terms model.nashir`.
 *
 * Prints a line of JSON a layer: its name and operator, the estimate, and the terms of each part
 * (backends/verilog/layers/cost.h). These are seen by estimating with coefficients that are all 0
 * but one, so the coefficients here replace those of cost_table.c. Read by estimates.py.
 */
#include "backends/verilog/layers/cost.h"
#include <inttypes.h>
#include <nashc/nashc.h>
#include <nashc/running.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNIT = 1000 }; /* as estimates are whole */

static double table[COST_PARTS_N][COST_TERMS];

const double *
cost_coefficients(enum cost_part part)
{
    return table[part];
}

static uint64_t
luts(const nashc_node *n)
{
    nashc_cost c = {0};

    nashc_layer_cost(n, NULL, NULL, &c);
    return c.lut;
}

static void
print_layer(const nashc_node *n, const char *name)
{
    uint64_t fixed = luts(n);
    nashc_cost c = {0};

    nashc_layer_cost(n, NULL, NULL, &c);
    printf("{\"layer\": \"%s\", \"op\": \"%s\", \"FF\": %" PRIu64 ", \"BRAM_18K\": %" PRIu64
           ", \"DSP\": %" PRIu64 ", \"fixed\": %" PRIu64 ", \"terms\": [",
           name, nashc_node_op(n)->name, c.ff, c.bram18, c.dsp, fixed);
    for (int k = 0; k < COST_PARTS_N * COST_TERMS; k++) {
        double *term = &table[k / COST_TERMS][k % COST_TERMS];
        *term = UNIT;
        printf("%s%g", k > 0 ? ", " : "", (double)(luts(n) - fixed) / UNIT);
        *term = 0;
    }
    printf("]}\n");
}

int
main(int argc, char **argv)
{
    nashc_ctx *c = nashc_ctx_create();
    nashc_arena *a = nashc_arena_create();
    nashc_diag *d = c ? nashc_ctx_diag(c) : NULL;
    nashc_module *m = NULL;
    const nashc_graph *f = NULL;
    const char *const *names = NULL;

    if (d && a && argc == 2 && nashc_read_nashir(c, argv[1], &m, d) == NASHC_OK)
        f = nashc_flow_graph(m, d);
    if (f)
        names = nashc_flow_names(f, a);
    if (names)
        NASHC_EACH_NODE(f, n)
    print_layer(n, names[nashc_node_id(n)]);
    else fprintf(stderr, "cost_terms: no layers, or no model.nashir given\n");
    nashc_module_free(m);
    nashc_arena_free(a);
    nashc_ctx_free(c);
    return names ? 0 : 1;
}
