/* hw.h: what the passes on graphs of hardware layers share. */
#ifndef NASHC_PASSES_HW_H
#define NASHC_PASSES_HW_H

#include <nashc/flow.h>
#include <nashc/io.h>
#include <nashc/pass.h>
#include <nashc/plugin.h>

/* LUT equivalents of a cost: what foldings are compared by. */
uint64_t hw_score(const nashc_cost *c);

/* Cost of layer n of backend b on dev as a score; 0 if that is not known. */
uint64_t hw_node_score(const nashc_node *n, const nashc_backend *b, const nashc_device *dev);

/* Row of an option schema: whose layer models count; and the backend that the option names. */
#define HW_BACKEND_OPTION                                                                          \
    {                                                                                              \
        .name = "backend", .def = NASHC_MODEL_BACKEND,                                             \
        .help = "backend whose layers are meant: their cycles and costs", .kind = NASHC_P_STRING   \
    }
const nashc_backend *hw_backend(nashc_run *r);

/* Lanes that layer n reads and writes on its first stream. */
bool hw_lanes(const nashc_node *n, int64_t *in, int64_t *out);

/* Score of converting count lanes of bits each from `from` to `to` lanes; 0 if equal. */
uint64_t hw_dwc_score(int64_t from, int64_t to, uint32_t bits);

/* Folds layer n so. */
nashc_status hw_set_fold(nashc_node *n, const nashc_fold *f, nashc_diag *d);

/* Splices a new layer into the stream from v to its only reader (a node or graph outputs). */
nashc_status hw_splice(nashc_build *b, nashc_value *v, const char *op, const char *attrs,
                       nashc_value **out);

#endif
