/* reader.h: what the files of the ONNX reader share: tensor names, the file and the node at hand.
 */
#ifndef NASHC_ONNX_READER_H
#define NASHC_ONNX_READER_H

#include "frontends/onnx/names.h"
#include "frontends/onnx/rows.h"
#include "frontends/onnx/wire.h"
#include <nashc/onnx.h>
#include <nashc/tensor.h>

enum { ONNX_IR_MIN = 3, ONNX_IR_MAX = 14, ONNX_OPSET_MIN = 7, ONNX_OPSET_MAX = 28 };

/* Known contents up to this size are evaluated while reading, for shapes and parameters. */
enum { ONNX_SMALL = 4096 };

/* What a parameter follows from may be larger: weights that a scale is computed from. */
enum { ONNX_LARGE = 1 << 26 };

/* One tensor name of the file. */
typedef struct onnx_sym {
    const char *name;
    nashc_value *value;                    /* NULL: a constant that no node reads yet */
    nashc_tensor *tensor;                  /* the content, if known while reading; else NULL */
    const Onnx__TensorProto *proto;        /* initialiser; NULL: none */
    const Onnx__SparseTensorProto *sparse; /* it is stored so: proto has type and sizes alone */
    const nashc_type *note;                /* element said by quantization_annotation; NULL: none */
    int layout;                            /* nashc_layout said by quantization_annotation */
    nashc_value **part;                    /* of a sequence: its n_part tensors; NULL: a tensor */
    int n_part;
    int elem;                  /* nashc_onnx_elem of the file; 0: not known yet */
    int node;                  /* index of the node that writes it; -1: none */
    bool used;                 /* a node or a graph output reads it */
    bool input, loaded, empty; /* empty: known content of no elements */
} onnx_sym;

/* What a model that another one names is given by the node that does it, and gives back. */
typedef struct onnx_bound {
    int n_in, n_out;
    nashc_type *in;     /* types of the operands, which its inputs take over */
    int *in_elem;       /* nashc_onnx_elem of the operands; 0: not known */
    int *out_elem;      /* of its outputs */
    nashc_graph *graph; /* made by whoever binds */
} onnx_bound;

/* A branch of an If (branches.c). Its nodes are read if the condition chooses it. */
typedef struct onnx_guard {
    struct onnx_guard *up; /* of the branch that the If is in; NULL: none */
    const char *condition; /* name */
    size_t chooser;        /* node that is the If */
    bool then;             /* taken where the condition holds */
    enum { ONNX_GUARD_UNKNOWN, ONNX_GUARD_OPEN, ONNX_GUARD_CLOSED } state;
} onnx_guard;

typedef struct onnx_parts onnx_parts; /* the files read so far, partition.c */

/* Reading one file. */
struct nashc_onnx_in {
    nashc_ctx *ctx;
    const onnx_rows *rows; /* of all tables of ctx */
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
    const Onnx__FunctionProto **origin; /* by node of g: the function it comes from; NULL: none */
    onnx_guard **guard;                 /* by node of g: the branch that it is of; NULL: none */
    onnx_names *names;                  /* to onnx_sym */
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
    const nashc_onnx_row *row;
    int64_t version;
};

onnx_sym *onnx_sym_find(const nashc_onnx_in *r, const char *name);

/* Reads a tensor: elements from raw, typed or external data. what names it in messages
 * (`initialiser "w"`). Tensors without elements give NASHC_OK and NULL. note: element by
 * annotation, or NULL. NaN is refused. The result has one reference. */
nashc_status onnx_tensor_read(nashc_onnx_in *r, const Onnx__TensorProto *t, const char *what,
                              const nashc_type *note, nashc_tensor **out);

/* The same of a sparse tensor, dense: what it leaves out is 0. */
nashc_status onnx_sparse_read(nashc_onnx_in *r, const Onnx__SparseTensorProto *t, const char *what,
                              const nashc_type *note, nashc_tensor **out);

/* The content of an initialiser. */
nashc_status onnx_sym_read(nashc_onnx_in *r, const onnx_sym *s, const char *what,
                           nashc_tensor **out);

/* `node "conv" (Conv)`, or by number and output where it has no name. */
const char *onnx_node_title(nashc_onnx_in *r);

onnx_sym *onnx_in_sym(const nashc_onnx_in *r, int i); /* NULL: left out */

/* Content of v if it follows from constants, through any chain of operators: what is not known yet
 * is evaluated. NULL: it depends on an input of the graph, or would be too much work. Owned by the
 * reader. */
const nashc_tensor *onnx_find_out(nashc_onnx_in *r, nashc_value *v);

/* Attribute of the node; NULL: not there. */
const Onnx__AttributeProto *onnx_attr(const nashc_onnx_in *r, const char *name);

/* Text of the attributes that the row copies by name, as the IR operator has them. */
const char *onnx_copied_attrs(nashc_onnx_in *r);

#endif
