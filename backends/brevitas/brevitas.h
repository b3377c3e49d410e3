/* brevitas.h: what the files of the backend "brevitas" share: a graph as a class of PyTorch
 * modules.
 *
 * A node becomes a module in __init__ or a call in forward; quantisers of weights belong to the
 * layer that reads them. Every emitter says one of three things, by what is written at the moment.
 */
#ifndef BREVITAS_H
#define BREVITAS_H

#include <nashc/nashc.h>

typedef struct brev {
    nashc_outfile *f;
    nashc_arena *a;
    nashc_diag *d;
    const nashc_graph *g;
    bool *trained;       /* by id of value: depends on parameters */
    const char **name;   /* by id of value: its name in Python */
    const char **module; /* by id of node: its module in Python; NULL: none */
} brev;

typedef struct brev_emitter {
    const char *op;
    nashc_status (*check)(brev *b, const nashc_node *n); /* what cannot be said in Brevitas */
    void (*module)(brev *b, const nashc_node *n);        /* a line of __init__; NULL: no module */
    void (*call)(brev *b, const nashc_node *n);  /* an expression in forward; NULL: no line */
    void (*table)(brev *b, const nashc_node *n); /* lines of NAMES; NULL: no parameters */
} brev_emitter;

/* Emitters of a file, ended by {0}. */
extern const brev_emitter brev_layers[], brev_quantisers[], brev_plain[];

/* Operand k in Python: a value, or a constant that is not a parameter. */
const char *brev_in(brev *b, const nashc_node *n, int k);

/* Module of the node. */
const char *brev_module(const brev *b, const nashc_node *n);

/* "3" for equal numbers, else "(3, 5)". */
const char *brev_tuple(brev *b, const int64_t *v, int n);

/* "(3, 3)" */
const char *brev_list(brev *b, const int64_t *v, int n);

/* Numbers before an image and behind it, by axis; *even: they are equal. */
const int64_t *brev_pads(const nashc_node *n, int *n_axes, bool *even);

/* The quantiser of a layer's weights, NULL: there is none, or it is none of Brevitas'. */
const nashc_node *brev_weights(const nashc_node *n, int k);

/* ", weight_quant=..." of it. */
const char *brev_weight_text(brev *b, const nashc_node *q, int64_t channels);

/* Whether the node is said by another one: a quantiser of weights, a pool in front of a truncation.
 */
bool brev_is_part(const nashc_node *n);

/* The node whose module this one uses: itself, or the first quantiser with its scale. */
const nashc_node *brev_module_of(const brev *b, const nashc_node *n);

/* What the module is called after. */
const char *brev_module_name(brev *b, const nashc_node *n);

nashc_status brev_refuse(brev *b, const nashc_node *n, const char *why);

/* Bits of codes lo..hi: *sign, *narrow; 0: no such datatype. */
int brev_bits(int64_t lo, int64_t hi, bool *sign, bool *narrow);

double brev_scalar(const nashc_value *v); /* first element of a constant */

#endif
