/* build.c: the network of a genotype: stem, groups, head, in a module of its own. */
#include "frontends/genotype/net.h"
#include "frontends/genotype/reader.h"

/* Of the stem, the head, and three of each group: q4, q and q3 of cells.c. A baseline has no
 * states, and may have the other two for each block. */
int
nashc_genotype_scales(const nashc_genotype *g)
{
    int n = 1; /* of the stem */
    int size[GENO_MAX_GROUPS + 1][2];
    geno_map_sizes(g, size);
    if (NASHC_HAS(g->head.rule, scales) && g->head.rule->scales)
        n += g->head.rule->scales(g, (const int(*)[2])size);
    for (int i = 0; i < g->n_groups; i++) {
        int blocks = g->backbone->block_scales ? g->backbone->group[i].blocks : 1;
        n += g->version == NASHC_GENO_BASELINE ? 2 * blocks : 3;
    }
    return n;
}

/* map[i + 1] is the result of group i: heads may read several. A NULL value runs through the calls,
 * the cause is in n->status or the builder's. */
static nashc_status
network(nashc_geno_net *n)
{
    const nashc_geno_input *p = &n->g->input;
    int64_t dim[] = {1, p->c, p->h, p->w};
    nashc_type t = nashc_type_shaped(nashc_type_f32(), 4, dim);
    int channels = n->g->width;
    nashc_value *map[GENO_MAX_GROUPS + 1] = {0};
    nashc_value *x = nashc_graph_add_input(n->graph, "global_in", &t);
    map[0] = x = x ? geno_stem(n, x) : NULL;
    for (int i = 0; i < n->g->n_groups && x; i++) {
        map[i + 1] = x = geno_group(n, i, channels, x);
        channels = n->g->group[i].channels;
    }
    x = x ? n->g->head.rule->build(n, n->g, map) : NULL;
    if (n->status == NASHC_OK)
        n->status = nashc_build_status(n->b);
    if (n->status == NASHC_OK && !x)
        n->status = nashc_enomem(n->d);
    if (n->status != NASHC_OK)
        return n->status;
    nashc_graph_add_output(n->graph, "global_out", x);
    return nashc_verify(n->module, 3, n->d);
}

/* *out only on success. The network is verified here, since its parts were built apart; the seed
 * makes parameters where no file has them. */
nashc_status
nashc_genotype_build(nashc_ctx *c, const nashc_genotype *g, uint64_t seed, const char *weights,
                     nashc_module **out, nashc_diag *d)
{
    nashc_geno_net n = {.ctx = c, .d = d, .g = g, .seed = seed};
    n.status = weights ? geno_arrays_read(c, weights, &n.weights, d) : NASHC_OK;
    n.module = n.status == NASHC_OK ? nashc_module_create(c) : NULL;
    n.graph = n.module ? nashc_module_add_graph(n.module, "main") : NULL;
    n.b = n.graph ? nashc_build_create(n.graph, d) : NULL;
    n.arena = n.module ? nashc_module_arena(n.module) : NULL;
    const char *text = n.b ? nashc_genotype_print(g, n.arena) : NULL;
    if (n.status == NASHC_OK && !text)
        n.status = nashc_enomem(d);
    if (n.status == NASHC_OK) {
        nashc_module_set_meta(n.module, "genotype", text);
        n.status = network(&n);
    }
    geno_arrays_free(&n.weights);
    if (n.status == NASHC_OK)
        *out = n.module;
    else
        nashc_module_free(n.module);
    return n.status;
}
