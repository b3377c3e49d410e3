/* onnx.h: how operators of ONNX files become IR and IR becomes them: the interface "onnx".
 *
 * A table of rows, one for each form of an operator. A row with an IR operator and without a
 * function is 1:1: it serves reading and writing alike. Any other one has a function that looks at
 * the node of the file, builds what it means, and says which value each output is:
 *
 *     static const nashc_onnx_row rows[] = {
 *         {"com.example", "Scale2", 1, "example.scale2", "gain:f", 1, 1, 1, 0, NULL},
 *         {"com.example", "Twice", 1, NULL, "", 1, 1, 1, 0, read_twice},
 *         {0}};
 *     static const nashc_impl table = NASHC_IMPL_ONNX("com.example", rows);
 *
 * The operators of the standard, of QONNX, of FINN and of onnxruntime are registered just so.
 */
#ifndef NASHC_ONNX_H
#define NASHC_ONNX_H

#include <nashc/diag.h>
#include <nashc/io.h>

NASHC_BEGIN

/* The node being read, and the file around it. Valid while read runs. */
typedef struct nashc_onnx_in nashc_onnx_in;

#define NASHC_ONNX_INF  1u /* constant operands may hold infinities */
#define NASHC_ONNX_SAME 2u /* all operands must have one element type */
#define NASHC_ONNX_REFUSE                                                                          \
    4u                      /* known and not supported; attrs holds the reason: "is control flow" */
#define NASHC_ONNX_FILE 8u  /* attribute "model" names another file, which may be out of reach */
#define NASHC_ONNX_MORE 16u /* attributes that attrs does not list are no cause for a warning */
#define NASHC_ONNX_KEEP 32u /* kept for inspection as unknown.NAME, which nothing can run */

/* One form of one operator.
 *
 * attrs lists the attributes, with blanks between: "alpha:f" is copied to the IR attribute of that
 * name, "epsilon>eps:f" to eps, "axis-:i" is left to read. Behind the colon the kind in the file: f
 * float, i integer, s string, F and I lists of them, and for read only: S strings, t tensor, * any.
 * An attribute of another kind is an error, one that is not listed a warning. Copied are f, i, s, F
 * and I; i is true or false where the IR attribute is NASHC_P_BOOL. Without the attribute in the
 * file the default of the IR operator holds.
 *
 * A file that imports version v of the domain gets the row of the highest since <= v. Two rows of
 * one domain, name and since are an error, unless the later table has NASHC_F_OVERRIDE.
 *
 * An IR operator with a row (op set) is written by it: by one of the standard domain if there is
 * one, else by the first registered; of one domain by that of the highest since, which the written
 * file imports. */
typedef struct nashc_onnx_row {
    const char *domain; /* "com.example"; "" and "ai.onnx": the standard's */
    const char *name;   /* "LeakyRelu"; "*": every operator of the domain that has no row */
    int32_t since;      /* first version of the domain with this form, >= 1 */
    const char *op;     /* IR operator that it is 1:1; NULL: read makes several */
    const char *attrs;  /* see above; "" for none */
    int16_t min_in;     /* operands that must be there */
    int16_t max_in;     /* -1: any number */
    int16_t max_out;    /* >= 1; more outputs are an error */
    uint32_t flags;     /* NASHC_ONNX_* */

    /* NULL: operands and attributes as they are, output k is result k of op. Counts and kinds have
     * been checked before. Returns NASHC_OK only if every output that is read has been set. */
    nashc_status (*read)(nashc_onnx_in *r);
    void *reserved[2];
} nashc_onnx_row; /* frozen at 80 bytes: arrays of it keep their stride; they end with {0} */

/* Table name: the domain, or the author's name where a domain has several tables. */
#define NASHC_IMPL_ONNX(table_name, rows)                                                          \
    {                                                                                              \
        NASHC_DESC(nashc_impl), .iface = "onnx", .op = table_name,                                 \
                                .rule = 1 ? (rows) : (const nashc_onnx_row *)0                     \
    }

/* --- elements --------------------------------------------------------------------------------- */

/* TensorProto.DataType. */
typedef enum nashc_onnx_elem {
    NASHC_ONNX_UNDEFINED,
    NASHC_ONNX_FLOAT,
    NASHC_ONNX_UINT8,
    NASHC_ONNX_INT8,
    NASHC_ONNX_UINT16,
    NASHC_ONNX_INT16,
    NASHC_ONNX_INT32,
    NASHC_ONNX_INT64,
    NASHC_ONNX_STRING,
    NASHC_ONNX_BOOL,
    NASHC_ONNX_FLOAT16,
    NASHC_ONNX_DOUBLE,
    NASHC_ONNX_UINT32,
    NASHC_ONNX_UINT64,
    NASHC_ONNX_COMPLEX64,
    NASHC_ONNX_COMPLEX128,
    NASHC_ONNX_BFLOAT16,
    NASHC_ONNX_FLOAT8E4M3FN,
    NASHC_ONNX_FLOAT8E4M3FNUZ,
    NASHC_ONNX_FLOAT8E5M2,
    NASHC_ONNX_FLOAT8E5M2FNUZ,
    NASHC_ONNX_UINT4,
    NASHC_ONNX_INT4,
    NASHC_ONNX_FLOAT4E2M1,
    NASHC_ONNX_FLOAT8E8M0,
    NASHC_ONNX_UINT2,
    NASHC_ONNX_INT2,
    NASHC_ONNX_ELEM_COUNT
} nashc_onnx_elem;

NASHC_API const char *nashc_onnx_elem_name(int elem); /* "float32", "int8"; never NULL */
NASHC_API bool nashc_onnx_elem_is_float(int elem);
NASHC_API bool nashc_onnx_elem_is_int(int elem); /* BOOL too */

/* IR element of rank 0; false for strings, complex numbers and unknown codes. */
NASHC_API bool nashc_onnx_elem_type(int elem, nashc_type *out);

/* --- the node ----------------------------------------------------------------------------------
 *
 * Errors are sticky: once one is reported, functions that build return NULL, and read ends with
 * `return nashc_onnx_status(r)`. So several values can be made before one of them is looked at.
 */

/* As the file has them; never NULL. */
NASHC_API const char *nashc_onnx_op_type(const nashc_onnx_in *r);
NASHC_API const char *nashc_onnx_domain(const nashc_onnx_in *r);
NASHC_API int64_t nashc_onnx_version(const nashc_onnx_in *r); /* of the domain, as imported */

/* What the reader works with. Memory of the arena lasts until the file is read. */
NASHC_API nashc_diag *nashc_onnx_diag(const nashc_onnx_in *r);
NASHC_API nashc_arena *nashc_onnx_arena(const nashc_onnx_in *r);
NASHC_API nashc_build *nashc_onnx_build(const nashc_onnx_in *r);
NASHC_API const nashc_loc *nashc_onnx_loc(const nashc_onnx_in *r); /* the file */

/* Errors that name the node: `node "conv" (Conv): ...`; NASHC_EINPUT and NASHC_EUNSUP. */
NASHC_API nashc_status nashc_onnx_error(nashc_onnx_in *r, const char *fmt, ...) NASHC_PRINTF(2, 3);
NASHC_API nashc_status nashc_onnx_unsup(nashc_onnx_in *r, const char *fmt, ...) NASHC_PRINTF(2, 3);

/* Has an error of this node been reported? The status of what failed. */
NASHC_API bool nashc_onnx_failed(const nashc_onnx_in *r);
NASHC_API nashc_status nashc_onnx_status(const nashc_onnx_in *r);

/* --- operands ----------------------------------------------------------------------------------
 *
 * i counts from 0; beyond the last one an operand is left out. */

NASHC_API int nashc_onnx_n_in(const nashc_onnx_in *r); /* without those left out at the end */
NASHC_API bool nashc_onnx_given(const nashc_onnx_in *r, int i); /* not left out */
NASHC_API bool nashc_onnx_has(const nashc_onnx_in *r, int i);   /* given, and not of zero size */
NASHC_API const char *nashc_onnx_in_name(const nashc_onnx_in *r, int i); /* quoted, for messages */
NASHC_API int nashc_onnx_in_elem(const nashc_onnx_in *r, int i); /* nashc_onnx_elem; 0: not known */

/* NULL: left out, or failed and reported. in_value of an operand without elements is an error. */
NASHC_API nashc_value *nashc_onnx_in_value(nashc_onnx_in *r, int i);
NASHC_API const nashc_type *nashc_onnx_in_type(nashc_onnx_in *r, int i);

/* The same, labelled channels-first: transposes label their results channels-last where they fit,
 * but standard operators take axis 1 for the channels whatever came before. */
NASHC_API nashc_value *nashc_onnx_in_plain(nashc_onnx_in *r, int i);

/* Content of operand i if known: a constant, or computed from constants of up to 4096 elements.
 * NULL: not known, left out or empty. Owned by the reader. */
NASHC_API const nashc_tensor *nashc_onnx_in_const(nashc_onnx_in *r, int i);

/* The same of a parameter, which must be known: through any chain of operators, and from constants
 * of any size, evaluated now if nobody did before. The second gives it as a constant of the graph.
 */
NASHC_API const nashc_tensor *nashc_onnx_in_param(nashc_onnx_in *r, int i);
NASHC_API nashc_value *nashc_onnx_in_param_value(nashc_onnx_in *r, int i);

/* Content of operand i as integers: array in the arena, and count, at most 4096. An operand that is
 * not known is an error that names it as what; left out gives NASHC_OK, *v NULL and *n 0. */
NASHC_API nashc_status nashc_onnx_in_ints(nashc_onnx_in *r, int i, const char *what,
                                          const int64_t **v, int *n);

/* Content of operand i as one number; def if it is left out or empty. */
NASHC_API nashc_status nashc_onnx_in_number(nashc_onnx_in *r, int i, const char *what, double def,
                                            double *out);

/* Content of v if known, as for in_const. */
NASHC_API const nashc_tensor *nashc_onnx_known(const nashc_onnx_in *r, const nashc_value *v);

/* --- attributes --------------------------------------------------------------------------------
 *
 * By the name in the file; def, or NULL, if it is not there. Lists are cut after 4096 entries; an
 * empty one is not NULL. */

NASHC_API bool nashc_onnx_has_attr(const nashc_onnx_in *r, const char *name);
NASHC_API int64_t nashc_onnx_attr_int(const nashc_onnx_in *r, const char *name, int64_t def);
NASHC_API double nashc_onnx_attr_float(const nashc_onnx_in *r, const char *name, double def);
NASHC_API const char *nashc_onnx_attr_str(const nashc_onnx_in *r, const char *name,
                                          const char *def);
NASHC_API const int64_t *nashc_onnx_attr_ints(const nashc_onnx_in *r, const char *name, int *n);
NASHC_API const float *nashc_onnx_attr_floats(const nashc_onnx_in *r, const char *name, int *n);

/* A tensor attribute: *out has one reference, NULL if the attribute is not there or has no
 * elements; *elem is its nashc_onnx_elem, left alone if it is not there. NaN is refused. */
NASHC_API nashc_status nashc_onnx_attr_tensor(nashc_onnx_in *r, const char *name,
                                              nashc_tensor **out, int *elem);

/* axis made non-negative; an error outside [-rank, rank-1]. */
NASHC_API nashc_status nashc_onnx_axis(nashc_onnx_in *r, int64_t axis, int rank, int *out);

/* Axes made non-negative, checked to be distinct, sorted ascending, in an array of the arena. */
NASHC_API nashc_status nashc_onnx_axes(nashc_onnx_in *r, const int64_t *axes, int n, int rank,
                                       int64_t **out);

/* --- building ----------------------------------------------------------------------------------
 *
 * NULL on failure, and for a NULL operand that op needs. Where all operands are known and small the
 * result is computed at once; an integer result is then a constant in place of the node. */

/* Result 0 of a new node; attrs is IR text as for nashc_build_op. op1, op2: of one operand, two. */
NASHC_API nashc_value *nashc_onnx_op(nashc_onnx_in *r, const char *op, nashc_value *const *in,
                                     int n_in, const char *attrs, ...) NASHC_PRINTF(5, 6);
NASHC_API nashc_value *nashc_onnx_op1(nashc_onnx_in *r, const char *op, nashc_value *a,
                                      const char *attrs, ...) NASHC_PRINTF(4, 5);
NASHC_API nashc_value *nashc_onnx_op2(nashc_onnx_in *r, const char *op, nashc_value *a,
                                      nashc_value *b);

/* A node of several results; attrs is whole text, "" or NULL for none. It always stays a node. */
NASHC_API nashc_node *nashc_onnx_node(nashc_onnx_in *r, const char *op, nashc_value *const *in,
                                      int n_in, int n_out, const char *attrs);

/* Constants. name NULL: derived. nashc_onnx_const takes the reference of t; NULL t fails. */
NASHC_API nashc_value *nashc_onnx_f32(nashc_onnx_in *r, double v); /* rank 0, rounded to f32 */
NASHC_API nashc_value *nashc_onnx_const(nashc_onnx_in *r, const char *name, nashc_tensor *t);

/* f32 tensor of values, row-major; NULL when memory is out. */
NASHC_API nashc_tensor *nashc_onnx_tensor_f32(const double *v, int rank, const int64_t *dim);

NASHC_API nashc_value *nashc_onnx_reshape(nashc_onnx_in *r, nashc_value *x, const int64_t *dim,
                                          int rank);
NASHC_API nashc_value *nashc_onnx_transpose(nashc_onnx_in *r, nashc_value *x, const int64_t *perm);
NASHC_API nashc_value *nashc_onnx_cast(nashc_onnx_in *r, nashc_value *x, const char *type);

/* "[1,2]" for attribute text; "[]" if n is 0. */
NASHC_API const char *nashc_onnx_ints(nashc_onnx_in *r, const int64_t *v, int n);

/* --- results -----------------------------------------------------------------------------------
 */

NASHC_API int nashc_onnx_n_out(const nashc_onnx_in *r);

/* Is output k read by a node, or a graph output? Setting one that is not does nothing. */
NASHC_API bool nashc_onnx_out_used(const nashc_onnx_in *r, int k);

/* Element that a quantization_annotation of the file says of output k; NULL: none. */
NASHC_API const nashc_type *nashc_onnx_out_note(const nashc_onnx_in *r, int k);

/* Output k is v, of element elem (nashc_onnx_elem). A NULL v gives the status of what failed. */
NASHC_API nashc_status nashc_onnx_set(nashc_onnx_in *r, int k, nashc_value *v, int elem);

/* Output k is the constant t, whose reference is taken; NULL: memory is out. */
NASHC_API nashc_status nashc_onnx_set_tensor(nashc_onnx_in *r, int k, nashc_tensor *t, int elem);

NASHC_END
#endif
