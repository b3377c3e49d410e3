/* hw.h: what the passes on graphs of hardware layers share. */
#ifndef NASHC_PASSES_HW_H
#define NASHC_PASSES_HW_H

#include <nashc/flow.h>
#include <nashc/io.h>
#include <nashc/pass.h>
#include <nashc/plugin.h>

/* LUT equivalents of a cost: what foldings are compared by. */
uint64_t hw_score(const nashc_cost *c);

/* Takes c, which is a part of *sum, out of it. */
void hw_cost_subtract(nashc_cost *sum, const nashc_cost *c);

/* Row of an option schema: whose layer models count; and the backend that the option names. */
#define HW_BACKEND_OPTION                                                                          \
    {                                                                                              \
        .name = "backend", .def = NASHC_MODEL_BACKEND,                                             \
        .help = "backend whose layers are meant: their cycles and costs", .kind = NASHC_P_STRING   \
    }
const nashc_backend *hw_backend(nashc_run *r);

/* Cost of converting elements of bits each from `from` to `to` lanes, and its score; 0 if equal. */
nashc_cost hw_dwc_cost(int64_t from, int64_t to, uint32_t bits);
uint64_t hw_dwc_score(int64_t from, int64_t to, uint32_t bits);

/* Adds to *c, what stands beside them, the layers of f with memories as place-memories would put
 * them on dev, of which `fill` (above 0, at most 1) may be taken. Leaves f as it was. known: by
 * node id, costs of layers without such memories that need not be asked for; NULL: not known.
 * O(rounds layers + layers^2). */
nashc_status hw_placed_cost(nashc_run *r, nashc_graph *f, const nashc_backend *backend,
                            const nashc_device *dev, double fill, const nashc_cost *const *known,
                            nashc_cost *c);

/* Folds layer n so. */
nashc_status hw_set_fold(nashc_node *n, const nashc_fold *f, nashc_diag *d);

/* Types of f and of the rest of its module after layers were told that their weights may change:
 * sums of any weights of their type are wider. Warns (-Wruntime-weights) where thresholds or tables
 * were made for the sums of the weights there are. EINPUT: a layer behind relies on those. */
nashc_status hw_free_weights(nashc_graph *f, const char *const *names, nashc_diag *d);

/* Gives layer n of f its weights in the integer type of a FINN name, as others may be written that
 * need it. EINPUT: no such type, one of another kind (bipolar or not), or one that does not hold
 * the weights there are. O(weights). */
nashc_status hw_widen_weights(nashc_graph *f, nashc_node *n, const char *finn_name, nashc_diag *d);

/* Graphs of additions become products again: they are chosen for one folding. */
nashc_status hw_forget_adders(nashc_graph *f, nashc_diag *d);

/* Says with -v that a unit is a graph of additions, by what both ways score. */
void hw_tell_adders(nashc_diag *d, const char *name, uint64_t sums, uint64_t products);

/* Splices a new layer into the stream from v to its only reader (a node or graph outputs). */
nashc_status hw_splice(nashc_build *b, nashc_value *v, const char *op, const char *attrs,
                       nashc_value **out);

#endif
