/* eval.h: running graphs: what op->eval sees, and the executors. */
#ifndef NASHC_EVAL_H
#define NASHC_EVAL_H

#include <nashc/diag.h>
#include <nashc/ir.h>

NASHC_BEGIN

/* --- inside op->eval -----------------------------------------------------------------------------
 */

NASHC_API const nashc_buf *nashc_eval_in(nashc_eval *e, int i); /* NULL: operand left out */
NASHC_API nashc_buf *nashc_eval_out(nashc_eval *e, int i);      /* zeroed, typed as inferred */
NASHC_API nashc_diag *nashc_eval_diag(nashc_eval *e);
NASHC_API uint32_t nashc_eval_flags(const nashc_eval *e); /* NASHC_EVAL_WIDE, of this run */

/* Operand i as doubles (exact for integers below 2^53), as 64-bit integers or mantissas; scratch of
 * this evaluation. NULL when memory is out (return NASHC_ENOMEM). */
NASHC_API const double *nashc_eval_f64(nashc_eval *e, int i);
NASHC_API const int64_t *nashc_eval_i64(nashc_eval *e, int i);

/* Zeroed scratch, freed after the node. */
NASHC_API void *nashc_eval_scratch(nashc_eval *e, size_t size);

/* Runs graph g of the same module (the op `call`). */
NASHC_API nashc_status nashc_eval_graph(nashc_eval *e, const nashc_graph *g,
                                        const nashc_buf *const *in, nashc_buf *out);

/* Maps index i of a result of type out to the index into an operand of type in that is broadcast to
 * it. */
NASHC_API int64_t nashc_broadcast_index(const nashc_type *in, const nashc_type *out, int64_t i);

/* Evaluates one node on given buffers: operand buffers (NULL: left out) to result buffers,
 * allocated here, freed by the caller. flags: 0, or NASHC_EVAL_WIDE, with which f32 results have
 * DOUBLE cells (nashc_tensor_take makes constants of them). Constant folding uses it. */
NASHC_API nashc_status nashc_eval_node(const nashc_node *n, const nashc_buf *const *in,
                                       nashc_buf *out, uint32_t flags, nashc_diag *d);

/* Multiply-accumulates of a convolution or matrix product, by its shapes; 0 for any other node and
 * where a shape is not known, INT64_MAX where they are more. */
NASHC_API int64_t nashc_node_macs(const nashc_node *n);

/* About the steps that evaluating n takes: multiply-accumulates, elements read and written,
 * elements of pooling windows. A core of the last ten years does a billion of them a second, or
 * more. */
NASHC_API double nashc_node_steps(const nashc_node *n);

/* Which element of operand 0 each element of result out is, for an n that only moves elements: n
 * evaluated on the numbers of the elements. constant[i]: what operand i > 0 is (NULL array, or NULL
 * there: the constant that it is in the graph). On the heap, freed by nashc_mem_free; NULL: memory
 * is out, or n cannot be evaluated so, reported to d. */
NASHC_API int64_t *nashc_index_map(const nashc_node *n, const nashc_tensor *const *constant,
                                   int out, nashc_diag *d);

/* --- running a graph
 * ------------------------------------------------------------------------------- */

/* Runs the entry graph once, in real-number meaning (NASHC_EVAL_WIDE): in[i] for graph input i,
 * with its type; out[i] are allocated for the outputs and freed by the caller; those of f32 outputs
 * have DOUBLE cells. Intermediate buffers die after their last use. */
NASHC_API nashc_status nashc_run_module(const nashc_module *m, const nashc_buf *const *in,
                                        nashc_buf *out, nashc_diag *d);

/* Called with each node result as it is computed; for range checks, dumps and tests. It may change
 * the elements before their readers see them. */
typedef void (*nashc_eval_watch)(void *user, const nashc_value *v, nashc_buf *b);

/* As nashc_run_module, on one graph. NASHC_EVAL_WIDE keeps f32 results in double without rounding
 * them: the real-number meaning of the graph. Without it, ties that only the rounding of a float32
 * sum makes are decided as float32 arithmetic happens to. */
#define NASHC_EVAL_WIDE 1u

/* Without NASHC_EVAL_WIDE: the sums of convolutions and matrix products, and nn.batchnorm, in
 * float32 too, in the order in which onnxruntime takes them on processors with fused
 * multiplication and addition (docs/numerics.md). */
#define NASHC_EVAL_FLOAT_SUMS 2u
NASHC_API nashc_status nashc_run_graph(const nashc_graph *g, const nashc_buf *const *in,
                                       nashc_buf *out, uint32_t flags, nashc_eval_watch watch,
                                       void *user, nashc_diag *d);

/* Fills b (allocated, typed) for check runs: k = 0 all low, 1 all high, 2 alternating, 3 one-hot,
 * from 4 on uniform from seed + k, over the type's interval; floats: over [-4, 4], k = 0 and 1 the
 * ends. lo and hi (NULL: as said) replace the range of floats. */
NASHC_API void nashc_fill(nashc_buf *b, int k, uint64_t seed, const double *lo, const double *hi);

/* An executor answers the same question as nashc_run_module. Where it has this option, f32 results
 * can be rounded to float32 operator by operator instead, as onnxruntime and qonnx do. Include
 * nashc/op.h for it. */
#define NASHC_FLOATS_OPTION                                                                        \
    {                                                                                              \
        .name = "floats", .def = "real", .domain = "real|f32",                                     \
        .help = "f32: results rounded operator by operator, as onnxruntime does; real: where "     \
                "they leave the graph",                                                            \
        .kind = NASHC_P_ENUM                                                                       \
    }

/* What that option says, as flags of nashc_run_graph. */
NASHC_API uint32_t nashc_floats_flags(const nashc_opts *o);

/* Of an nn.resize of mode nearest with known shapes: which element of its operand's axis each of
 * the result's is. from has room for them. */
NASHC_API void nashc_resize_nearest(const nashc_node *n, int axis, int64_t *from);

typedef struct nashc_executor {
    uint32_t struct_size, flags;
    const char *name, *help; /* "reference", "cpu" */
    const nashc_param *options;
    nashc_status (*prepare)(const nashc_module *m, const nashc_opts *o, void **program,
                            nashc_diag *d);
    nashc_status (*run)(void *program, const nashc_buf *const *in, nashc_buf *out, nashc_diag *d);
    void (*free)(void *program);

    /* n samples in one call, maybe on several threads: in[k * inputs + i] and out[k * outputs + i]
     * are those of sample k; results do not depend on how they are shared out. On failure nothing
     * of out is allocated. NULL: they are run one by one. */
    nashc_status (*run_many)(void *program, int64_t n, const nashc_buf *const *in, nashc_buf *out,
                             nashc_diag *d);
} nashc_executor;

NASHC_END
#endif
