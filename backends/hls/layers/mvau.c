/* mvau.c: hw.mvau to C: for each vector NF rounds of SF steps, PE x SIMD products a step.
 *
 * The vector is read in the first round and replayed in the others. Element (p, s) of
 * weights[l][sf] is w[sf * SIMD + s][l * PE + p], line l counting rounds through the groups.
 */
#include "product.h"
#include <stdlib.h>

/* Sizes of the layer: sf steps for each round of pe rows, nf rounds for each vector. */
typedef struct sizes {
    int64_t pe, simd, sf, nf, groups, vectors;
} sizes;

static sizes
sizes_of(const nashc_node *n)
{
    const nashc_type *w = hls_in(n, 1);
    sizes z = {.pe = nashc_node_int(n, "pe"),
               .simd = nashc_node_int(n, "simd"),
               .groups = nashc_node_int(n, "groups")};

    z.sf = w->dim[0] / z.simd;
    z.nf = w->dim[1] / z.groups / z.pe;
    z.vectors = nashc_type_count(hls_in(n, 0)) / w->dim[0];
    return z;
}

static const char *
weights(const nashc_node *n, nashc_hls *h, const sizes *z)
{
    const nashc_tensor *w = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *t = nashc_tensor_type(w);
    const int64_t dim[] = {z->groups * z->nf, z->sf, z->pe, z->simd}, mh = t->dim[1];
    int64_t *values = malloc((size_t)nashc_tensor_count(w) * sizeof *values), at = 0;

    if (!values)
        return NULL;
    for (int64_t l = 0; l < dim[0]; l++)
        for (int64_t sf = 0; sf < z->sf; sf++)
            for (int64_t p = 0; p < z->pe; p++)
                for (int64_t s = 0; s < z->simd; s++)
                    values[at++] = hls_code(
                        t, nashc_tensor_get_int(w, (sf * z->simd + s) * mh + l * z->pe + p));
    const char *name = nashc_hls_table(h, "weights", t, 4, dim, values);
    free(values);
    return name;
}

/* Constants and memories. */
static void
declare(const nashc_node *n, nashc_hls *h, const sizes *z, const char *w, const char *acc)
{
    const char *x = nashc_hls_beat(h, true, 0);
    bool embedded = nashc_node_int(n, "mem_mode") == 1;

    nashc_hls_int(h, "VECTORS", z->vectors);
    nashc_hls_int(h, "NF", z->nf);
    nashc_hls_int(h, "SF", z->sf);
    nashc_hls_int(h, "PE", z->pe);
    nashc_hls_int(h, "SIMD", z->simd);
    if (z->groups > 1)
        nashc_hls_int(h, "GROUPS", z->groups);
    if (z->nf > 1)
        nashc_hls_line(h, "%s vector[SF]; /* for the rounds after the first */", x);
    nashc_hls_line(h, "%s acc[PE];", acc);
    hls_memory(h, nashc_hls_line, w, 2, 4, "rom_1p",
               embedded ? "distributed" : nashc_node_str(n, "ram_style"));
    nashc_hls_line(h, "#pragma HLS array_partition variable=acc complete");
    nashc_hls_line(h, "%s", "");
}

/* One step: a beat of the vector, PE x SIMD products. */
static void
accumulate(const nashc_node *n, nashc_hls *h, const sizes *z, const char *w, const char *acc)
{
    const char *x = nashc_hls_beat(h, true, 0), *line = z->groups > 1 ? "line" : "nf";

    if (z->groups > 1)
        nashc_hls_line(h, "const int line = v %% GROUPS * NF + nf;");
    nashc_hls_line(h, "%s x;", x);
    if (z->nf > 1) {
        nashc_hls_line(h, "if (nf == 0) {");
        nashc_hls_line(h, "x = NASHC_READ(%s, in);", x);
        nashc_hls_line(h, "vector[sf] = x;");
        nashc_hls_line(h, "} else {");
        nashc_hls_line(h, "x = vector[sf];");
        nashc_hls_line(h, "}");
    } else {
        nashc_hls_line(h, "x = NASHC_READ(%s, in);", x);
    }
    hls_open_lanes(h);
    nashc_hls_line(h, "%s sum = sf == 0 ? (%s)0 : acc[p];", acc, acc);
    nashc_hls_line(h, "for (int s = 0; s < SIMD; s++) {");
    nashc_hls_line(h, "#pragma HLS unroll");
    nashc_hls_line(h, "sum = (%s)(sum + %s);", acc,
                   hls_product(n, h, "x.lane[s]", nashc_hls_text(h, "%s[%s][sf][p][s]", w, line)));
    hls_close(h);
    nashc_hls_line(h, "acc[p] = sum;");
    hls_close(h);
}

static nashc_status
emit_mvau(const nashc_node *n, nashc_hls *h, nashc_diag *d)
{
    nashc_type type = hls_accumulator(n);
    const char *acc = nashc_hls_type(h, &type);
    nashc_status s = hls_need_constants(n, d);
    sizes z = sizes_of(n);

    if (s != NASHC_OK)
        return s;
    const char *w = weights(n, h, &z);

    if (!w)
        return nashc_enomem(d);
    declare(n, h, &z, w, acc);
    nashc_hls_line(h, "for (int v = 0; v < VECTORS; v++) {");
    nashc_hls_line(h, "for (int nf = 0; nf < NF; nf++) {");
    nashc_hls_line(h, "for (int sf = 0; sf < SF; sf++) {");
    nashc_hls_line(h, "#pragma HLS pipeline II=1");
    accumulate(n, h, &z, w, acc);
    nashc_hls_line(h, "if (sf == SF - 1) {");
    nashc_hls_line(h, "%s y;", nashc_hls_beat(h, false, 0));
    hls_open_lanes(h);
    nashc_hls_line(h, "y.lane[p] = %s;", hls_result(n, h, "acc[p]", z.groups > 1 ? "line" : "nf"));
    hls_close(h);
    hls_give(h, 0, "out", "y");
    for (int i = 0; i < 4; i++)
        hls_close(h);
    return NASHC_OK;
}

const nashc_impl nashc_impl_hls_hw_mvau = NASHC_IMPL_HLS("hw.mvau", emit_mvau);

/* --- model --------------------------------------------------------------------------------------
 */

/* Read, multiply, a tree of additions, accumulate, result. */
static nashc_status
mvau_timing(const nashc_node *n, nashc_timing *out)
{
    sizes z = sizes_of(n);
    uint32_t tree = (uint32_t)hls_stages(z.simd - 1);

    *out = hls_loop((uint64_t)(z.vectors * z.sf * z.nf), 3 + tree + hls_result_depth(n));
    out->arg[0] = (uint64_t)z.sf;
    out->arg[1] = (uint64_t)z.nf;
    return NASHC_OK;
}

static uint64_t
mvau_cycles(const nashc_node *n)
{
    nashc_timing t;

    mvau_timing(n, &t);
    return t.steps;
}

static void
mvau_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    if (hls_idle(t, i, reads, writes))
        return;
    *reads = i / t->arg[0] % t->arg[1] == 0;
    *writes = i % t->arg[0] == t->arg[0] - 1;
}

static const nashc_layer_model model = {
    NASHC_DESC(nashc_layer_model),
    .cycles = mvau_cycles,
    .timing = mvau_timing,
    .step = mvau_step,
};

const nashc_impl nashc_impl_hls_model_hw_mvau = MODEL("hw.mvau", model);
