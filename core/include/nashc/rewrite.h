/* rewrite.h: what a pattern may do to the graph. */
#ifndef NASHC_REWRITE_H
#define NASHC_REWRITE_H

#include <nashc/pass.h>

NASHC_BEGIN

/* Patterns are tried at nodes of which something reads a result. All edits go through these; the
 * graph is read-only otherwise. Match first, edit last. New nodes inherit the location of the root;
 * result types come from infer; dead producers are removed by the driver; NULL operands give NULL
 * results and the failure is sticky. */

NASHC_API nashc_diag *nashc_rw_diag(nashc_rw *rw);
NASHC_API nashc_arena *nashc_rw_arena(nashc_rw *rw); /* scratch of the pass run */
NASHC_API const nashc_opts *nashc_rw_opts(nashc_rw *rw);
NASHC_API nashc_run *nashc_rw_run(nashc_rw *rw);
NASHC_API nashc_graph *nashc_rw_graph(nashc_rw *rw);
NASHC_API void nashc_rw_stat(nashc_rw *rw, int i, int64_t by);

/* Explains a near miss under --explain; costs nothing otherwise. Returns false. */
NASHC_API bool nashc_rw_miss(nashc_rw *rw, const nashc_node *n, const char *fmt, ...)
    NASHC_PRINTF(3, 4);

/* Insert before n (at first: before the root). The second: right after n. */
NASHC_API void nashc_rw_at(nashc_rw *rw, nashc_node *n);
NASHC_API void nashc_rw_after(nashc_rw *rw, nashc_node *n);

/* Take over location of n for the next nodes. */
NASHC_API void nashc_rw_loc(nashc_rw *rw, const nashc_node *n);

/* Result 0 of a new node; opf with attributes as IR text. */
NASHC_API nashc_value *nashc_rw_op(nashc_rw *rw, const char *op, nashc_value *const *in, int n_in);
NASHC_API nashc_value *nashc_rw_opf(nashc_rw *rw, const char *op, nashc_value *const *in, int n_in,
                                    const char *attrs, ...) NASHC_PRINTF(5, 6);
NASHC_API nashc_node *nashc_rw_node(nashc_rw *rw, const char *op, nashc_value *const *in, int n_in,
                                    int n_out, const char *attrs, ...) NASHC_PRINTF(6, 7);

/* Result 0 of a new node with op and attributes of like. */
NASHC_API nashc_value *nashc_rw_like(nashc_rw *rw, const nashc_node *like, nashc_value *const *in,
                                     int n_in);

/* The node itself, with the attributes that attrs, IR text, gives changed. */
NASHC_API nashc_node *nashc_rw_like_with(nashc_rw *rw, const nashc_node *like,
                                         nashc_value *const *in, int n_in, const char *attrs);

/* const_ consumes the reference of t. */
NASHC_API nashc_value *nashc_rw_const(nashc_rw *rw, nashc_tensor *t);
NASHC_API nashc_value *nashc_rw_f64(nashc_rw *rw, double v);
NASHC_API nashc_value *nashc_rw_int(nashc_rw *rw, int64_t v);
NASHC_API const char *nashc_rw_ints(nashc_rw *rw, const int64_t *v, int n);

/* All uses of old read v; old's node dies if nothing reads it any more. Types may differ in element
 * and interval (users are inferred again), not in shape. */
NASHC_API void nashc_rw_replace(nashc_rw *rw, nashc_value *old, nashc_value *v);
NASHC_API void nashc_rw_set_in(nashc_rw *rw, nashc_node *n, int i, nashc_value *v);
NASHC_API void nashc_rw_set_attr(nashc_rw *rw, nashc_node *n, const char *name, const char *text);
NASHC_API void nashc_rw_erase(nashc_rw *rw, nashc_node *n);

NASHC_END
#endif
