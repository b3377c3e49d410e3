/* reader.h: what the files of the ONNX reader share: tensor names, operator rows, the node at hand.
 */
#ifndef NASHC_ONNX_READER_H
#define NASHC_ONNX_READER_H

#include "frontends/onnx/names.h"
#include "frontends/onnx/wire.h"
#include <nashc/io.h>
#include <nashc/plugin.h>

enum { ONNX_IR_MIN = 3, ONNX_IR_MAX = 14, ONNX_OPSET_MIN = 7, ONNX_OPSET_MAX = 28 };

/* Known contents up to this size are evaluated while reading, for shapes and parameters. */
enum { ONNX_SMALL = 4096 };

typedef enum onnx_elem { /* TensorProto.DataType */
                         ONNX_UNDEFINED,
                         ONNX_FLOAT,
                         ONNX_UINT8,
                         ONNX_INT8,
                         ONNX_UINT16,
                         ONNX_INT16,
                         ONNX_INT32,
                         ONNX_INT64,
                         ONNX_STRING,
                         ONNX_BOOL,
                         ONNX_FLOAT16,
                         ONNX_DOUBLE,
                         ONNX_UINT32,
                         ONNX_UINT64,
                         ONNX_COMPLEX64,
                         ONNX_COMPLEX128,
                         ONNX_BFLOAT16,
                         ONNX_FLOAT8E4M3FN,
                         ONNX_FLOAT8E4M3FNUZ,
                         ONNX_FLOAT8E5M2,
                         ONNX_FLOAT8E5M2FNUZ,
                         ONNX_UINT4,
                         ONNX_INT4,
                         ONNX_FLOAT4E2M1,
                         ONNX_FLOAT8E8M0,
                         ONNX_UINT2,
                         ONNX_INT2,
                         ONNX_ELEM_COUNT
} onnx_elem;

/* "float", "int8"; never NULL. */
const char *onnx_elem_name(int elem);
bool onnx_elem_is_float(int elem);
bool onnx_elem_is_int(int elem); /* BOOL too */

/* IR element of rank 0; false for strings, complex numbers and unknown codes. */
bool onnx_elem_type(int elem, nashc_type *out);

/* One tensor name of the file. */
typedef struct onnx_sym {
    const char *name;
    nashc_value *value;             /* NULL: a constant that no node reads yet */
    nashc_tensor *tensor;           /* the content, if known while reading; else NULL */
    const Onnx__TensorProto *proto; /* initialiser; NULL: none */
    const nashc_type *note;         /* element said by quantization_annotation; NULL: none */
    int layout;                     /* nashc_layout said by quantization_annotation */
    int elem;                       /* onnx_elem of the file; 0: not known yet */
    int node;                       /* index of the node that writes it; -1: none */
    bool used;                      /* a node or a graph output reads it */
    bool input, loaded, empty;      /* empty: known content of no elements */
} onnx_sym;

typedef enum onnx_domain {
    ONNX_STD,    /* ai.onnx */
    ONNX_QONNX,  /* qonnx.custom_op.general and its aliases */
    ONNX_CL,     /* qonnx.custom_op.channels_last */
    ONNX_MS,     /* com.microsoft */
    ONNX_FPGA,   /* finn.custom_op.fpgadataflow */
    ONNX_VENDOR, /* nashc */
    ONNX_OTHER
} onnx_domain;

typedef struct onnx_in onnx_in;
typedef struct onnx_out onnx_out;

/* One form of one ONNX operator. Used for reading and, where op is set, for writing. */
typedef struct onnx_row {
    uint8_t domain;        /* onnx_domain */
    const char *name;      /* "LeakyRelu" */
    int16_t since;         /* first opset of this form */
    const char *op;        /* IR op that it is 1:1; NULL: read makes several */
    const char *attrs;     /* see onnx_attrs_check */
    int8_t min_in, max_in; /* max_in -1: variadic */
    int8_t max_out;
    uint8_t flags;                    /* ONNX_R_* */
    nashc_status (*read)(onnx_in *r); /* NULL: attributes and operands as they are */
} onnx_row;

#define ONNX_R_INF    1u /* constant operands may hold infinities */
#define ONNX_R_SAME   2u /* all operands have one element type */
#define ONNX_R_REFUSE 4u /* known, not supported; attrs holds the reason */
#define ONNX_R_FILE   8u /* names a model in another file */

extern const onnx_row onnx_rows[]; /* ends with a row without name */

/* The row of the highest version that is not above version; NULL: no such operator or version;
 * *since is then the first version that has it (0: none has). */
const onnx_row *onnx_row_find(onnx_domain domain, const char *name, int64_t version, int *since);

/* A row to write IR op by; NULL: none. */
const onnx_row *onnx_row_for(const char *op);

/* attrs of a row: "alpha:f epsilon>eps:f momentum-:f", ONNX name, IR name where it differs ('-':
 * read by code or of no effect), kind f i s t F I S. *at moves from field to field; false at the
 * end. */
typedef struct onnx_attr_spec {
    char name[32], ir[32];
    char kind;
    bool copied; /* goes to the IR by name */
} onnx_attr_spec;
bool onnx_attr_next(const char **at, onnx_attr_spec *out);

/* What a model that another one names is given by the node that does it, and gives back. */
typedef struct onnx_bound {
    int n_in, n_out;
    nashc_type *in;     /* types of the operands, which its inputs take over */
    int *in_elem;       /* onnx_elem of the operands; 0: not known */
    int *out_elem;      /* of its outputs */
    nashc_graph *graph; /* made by whoever binds */
} onnx_bound;

typedef struct onnx_parts onnx_parts; /* the files read so far, partition.c */

/* Reading one file. */
struct onnx_in {
    nashc_ctx *ctx;
    nashc_diag *d;
    const nashc_opts *opts;
    nashc_arena *arena;
    nashc_module *module;
    nashc_graph *graph;
    nashc_build *build;
    nashc_loc file; /* without name */
    const char *path;
    int64_t opset;
    const Onnx__ModelProto *model;
    const Onnx__GraphProto *g;
    onnx_names *names; /* to onnx_sym */
    bool allow_unknown;
    bool failed; /* an error of the node at hand is reported: nothing more is built */

    /* models that models name */
    int depth;         /* 0: the model that the user named */
    int folder;        /* depth > 0: descriptor of the folder that the file is in */
    onnx_bound *bound; /* depth > 0 */
    onnx_parts *parts; /* shared by all; NULL: none named yet */

    /* contents of results that are known though they stay nodes, by value id */
    nashc_tensor **known;
    size_t n_known;
    int64_t eval_left; /* work that evaluating may still take: a hostile file asks for more */

    /* the node being read */
    uint32_t first_id; /* values from here on are made for it */
    const Onnx__NodeProto *node;
    int node_i;
    const onnx_row *row;
    int64_t version;
};

onnx_sym *onnx_sym_find(const onnx_in *r, const char *name);

/* Reads a tensor: elements from raw, typed or external data. what names it in messages
 * (`initialiser "w"`). Tensors without elements give NASHC_OK and NULL. note: element by
 * annotation, or NULL. NaN is refused. The result has one reference. */
nashc_status onnx_tensor_read(onnx_in *r, const Onnx__TensorProto *t, const char *what,
                              const nashc_type *note, nashc_tensor **out);

/* --- for the operators' functions
 * --------------------------------------------------------------- */

/* Errors that name the node: `node "conv" (Conv): ...`. */
nashc_status onnx_err(onnx_in *r, const char *fmt, ...) NASHC_PRINTF(2, 3);
nashc_status onnx_unsup(onnx_in *r, const char *fmt, ...) NASHC_PRINTF(2, 3);

/* `node "conv" (Conv)`. */
const char *onnx_node_title(onnx_in *r);

/* Operands. has: present and not of zero size. */
int onnx_n_in(const onnx_in *r);
bool onnx_has(const onnx_in *r, int i);
const char *onnx_in_name(const onnx_in *r, int i); /* quoted, for messages */
onnx_sym *onnx_in_sym(const onnx_in *r, int i);    /* NULL: left out */
nashc_value *onnx_in_value(onnx_in *r, int i);     /* NULL: left out, or failed and reported */
const nashc_type *onnx_in_type(onnx_in *r, int i);
int onnx_in_elem(const onnx_in *r, int i);

/* Content of operand i if known; NULL: not constant, left out or empty. */
const nashc_tensor *onnx_in_const(onnx_in *r, int i);

/* Content of operand i as integers: arena array and count. An operand that is not constant is an
 * error that names it; left out gives NASHC_OK and *v NULL, and n 0. */
nashc_status onnx_in_ints(onnx_in *r, int i, const char *what, const int64_t **v, int *n);

/* Content of operand i as one finite number; def if it is left out. */
nashc_status onnx_in_number(onnx_in *r, int i, const char *what, double def, double *out);

/* Attributes of the node; their kinds have been checked. */
const Onnx__AttributeProto *onnx_attr(const onnx_in *r, const char *name);
int64_t onnx_attr_int(const onnx_in *r, const char *name, int64_t def);
double onnx_attr_float(const onnx_in *r, const char *name, double def);
const char *onnx_attr_str(const onnx_in *r, const char *name, const char *def);
const int64_t *onnx_attr_ints(const onnx_in *r, const char *name, int *n); /* NULL: absent */

/* Text "[1,2]" of integers; "" if n is 0 */
const char *onnx_ints(onnx_in *r, const int64_t *v, int n);

/* Result 0 of a new IR node. All-constant integer results become constants at once. */
nashc_value *onnx_op(onnx_in *r, const char *op, nashc_value *const *in, int n_in,
                     const char *attrs, ...) NASHC_PRINTF(5, 6);
nashc_value *onnx_op1(onnx_in *r, const char *op, nashc_value *a, const char *attrs, ...)
    NASHC_PRINTF(4, 5);
nashc_value *onnx_op2(onnx_in *r, const char *op, nashc_value *a, nashc_value *b);
nashc_node *onnx_node(onnx_in *r, const char *op, nashc_value *const *in, int n_in, int n_out,
                      const char *attrs);
nashc_value *onnx_f32(onnx_in *r, double v);
nashc_value *onnx_const(onnx_in *r, const char *name, nashc_tensor *t); /* takes the reference */
nashc_value *onnx_reshape(onnx_in *r, nashc_value *x, const int64_t *dim, int rank);
nashc_value *onnx_transpose(onnx_in *r, nashc_value *x, const int64_t *perm);

/* Operand i labelled channels-first: transposes label their results channels-last where they fit,
 * but standard operators take axis 1 for the channels whatever came before. */
nashc_value *onnx_in_plain(onnx_in *r, int i);
nashc_value *onnx_cast(onnx_in *r, nashc_value *x, const char *type);

/* Text of the attributes that the row copies by name. */
const char *onnx_copied_attrs(onnx_in *r);

/* Content of v if known: constant, or computed from constants. */
const nashc_tensor *onnx_known(const onnx_in *r, const nashc_value *v);

/* f32 tensor of values, shape given; NULL when memory is out. */
nashc_tensor *onnx_tensor_f32(const double *v, int rank, const int64_t *dim);

/* Output k of the node is the constant t (its reference is taken); NULL: memory is out. */
nashc_status onnx_set_tensor(onnx_in *r, int k, nashc_tensor *t, int elem);

/* Output k of the node is v, of ONNX element elem. A NULL v gives the builder's status. */
nashc_status onnx_set(onnx_in *r, int k, nashc_value *v, int elem);

/* Output k is read by a node or is a graph output? */
bool onnx_out_used(const onnx_in *r, int k);

/* axis made non-negative; error outside [-rank, rank-1]. */
nashc_status onnx_axis(onnx_in *r, int64_t axis, int rank, int *out);

/* Axes made non-negative, checked to be distinct, sorted ascending, in an arena array. */
nashc_status onnx_axes(onnx_in *r, const int64_t *axes, int n, int rank, int64_t **out);

nashc_status onnx_build_status(const onnx_in *r);

#endif
