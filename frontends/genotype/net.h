/* net.h: a network while it is built from a genotype; never installed. */
#ifndef GENOTYPE_NET_H
#define GENOTYPE_NET_H

#include <nashc/nashc.h>

typedef struct geno_array {
    const char *name;
    nashc_tensor *tensor; /* f32 */
} geno_array;

/* Arrays of a file of weights. */
typedef struct geno_arrays {
    const char *file; /* NULL: there is none, parameters are made */
    nashc_arena *arena;
    geno_array *at;
    int n, cap;
} geno_arrays;

struct nashc_geno_net {
    nashc_ctx *ctx;
    nashc_diag *d;
    nashc_arena *arena; /* of the module */
    const nashc_genotype *g;
    nashc_module *module;
    nashc_graph *graph;
    nashc_build *b;
    uint64_t seed;
    geno_arrays weights;
    int64_t n_weights;   /* so far */
    nashc_status status; /* failure outside the builder */
    nashc_value *zero;
    nashc_value *relu_of, *relu; /* the last one: q and q3 share it */
};

/* --- parameters.c ------------------------------------------------------------------------------
 */

typedef enum geno_fill {
    GENO_NORMAL, /* normal numbers of standard deviation `size` */
    GENO_VALUE   /* all elements are `size` */
} geno_fill;

/* Parameter of that name: from the file of weights, or made. NULL: failed, which is reported. The
 * caller owns a reference. */
nashc_tensor *geno_parameter(nashc_geno_net *n, const char *name, int rank, const int64_t *dim,
                             geno_fill fill, double size);

/* Reads the file of weights. */
nashc_status geno_arrays_read(nashc_ctx *c, const char *path, geno_arrays *out, nashc_diag *d);
void geno_arrays_free(geno_arrays *a);

/* --- layers.c ----------------------------------------------------------------------------------
 */

/* A learned scale, shared by every place that uses it. */
typedef struct geno_scale {
    nashc_value *value; /* NULL: not made yet */
    const char *name;   /* "group0.q4" */
    int bits;
    bool sign;  /* signed, narrow; else behind a relu */
    double max; /* where it starts */
} geno_scale;

nashc_value *geno_quant(nashc_geno_net *n, geno_scale *s, nashc_value *x, const char *where);

/* Weights behind their quantiser. per_tensor: one scale for all, else one a channel. */
nashc_value *geno_weights(nashc_geno_net *n, const char *name, int rank, const int64_t *dim,
                          int bits, bool per_tensor, double deviation);

nashc_value *geno_f32(nashc_geno_net *n, const char *name, double v);

/* name as printf, in the module's arena. */
const char *geno_name(nashc_geno_net *n, const char *fmt, ...) NASHC_PRINTF(2, 3);

/* --- stem.c, cells.c ---------------------------------------------------------------------------
 */

nashc_value *geno_stem(nashc_geno_net *n, nashc_value *x);
nashc_value *geno_group(nashc_geno_net *n, int i, int channels, nashc_value *x);

#endif
