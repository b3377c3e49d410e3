/* writer.h: what the files of the ONNX writer share: tensors of the file, nodes, attributes. */
#ifndef NASHC_ONNX_WRITER_H
#define NASHC_ONNX_WRITER_H

#include "frontends/onnx/reader.h"

/* Growing array of pointers in the arena. */
typedef struct onnx_list {
    void **items;
    size_t n, size;
} onnx_list;

/* One IR value in the file. */
typedef struct onnx_value {
    const char *name;  /* NULL: not there yet */
    int elem;          /* container */
    const char *as[4]; /* in float32, float64, int64, float16, once asked for */
} onnx_value;

/* Values of the graph being written; a called graph has a scope of its own. */
typedef struct onnx_scope {
    const nashc_graph *graph;
    onnx_value *values; /* by value id */
    const char *prefix; /* of new names */
    struct onnx_scope *caller;
} onnx_scope;

/* A domain that nodes of the file may be of, in the order in which the file imports them. */
typedef struct onnx_domain {
    const char *name;
    int version;
    bool used;
} onnx_domain;

/* What is known of a name: the container of its tensor, 0 for none, and how many names were made of
 * it by a number. */
typedef struct onnx_taken {
    int elem, n;
} onnx_taken;

typedef struct onnx_out {
    const nashc_module *module;
    const onnx_rows *rows;
    nashc_diag *d;
    nashc_arena *arena;
    onnx_scope *scope;
    onnx_names *taken;   /* tensor names, to onnx_taken */
    onnx_names *scalars; /* names of scalar initialisers by container and value */
    onnx_list nodes, initialisers, infos, notes;
    const nashc_node *node; /* the IR node being written */
    int n_parts;            /* ONNX nodes written for it */
    int opset;
    int trunc_version; /* of QONNX's domain */
    onnx_list domains; /* onnx_domain: all but the standard's */
    bool no_memory;
    _Alignas(16) char spare[4096]; /* written to, never read, once memory is out */
} onnx_out;

/* Zeroed memory of the file, and a copy of a string. When memory is out they give what may be
 * written to, and no_memory says so at the end. */
void *onnx_grab(onnx_out *o, size_t size);
char *onnx_text(onnx_out *o, const char *s);
void onnx_push(onnx_out *o, onnx_list *l, void *item);

/* name, made unique among the tensors; the container that a tensor has; a value's name with that of
 * the called graph it is in. */
const char *onnx_unique(onnx_out *o, const char *name);
void onnx_set_elem(onnx_out *o, const char *name, int elem);
const char *onnx_scoped(onnx_out *o, const char *name);

/* The file imports the domain, in that version at least; used: a node is of it. */
void onnx_add_domain(onnx_out *o, const char *name, int version, bool used);

/* Container that values of type t have if nothing else is asked: integers are in float32. */
int onnx_container(const nashc_type *t);

/* Tensor of operand value v in container elem (0: its own), through a Cast if need be. */
const char *onnx_use(onnx_out *o, const nashc_value *v, int elem);
int onnx_elem_of(onnx_out *o, const nashc_value *v);

/* Names the result v, in container elem. */
const char *onnx_define(onnx_out *o, const nashc_value *v, int elem);

/* A tensor between the parts of a node, of the shape of its result, in container elem; datatype by
 * type, NULL: none is noted. */
const char *onnx_between(onnx_out *o, const nashc_type *type, int elem);
const char *onnx_between_like(onnx_out *o, const nashc_value *shape, const nashc_type *type,
                              int elem);

/* A node; out NULL: a new tensor of type (see onnx_between) for its only result. Returns the name
 * of result 0; last node: onnx_last. */
const char *onnx_emit(onnx_out *o, const char *domain, const char *op, const char *const *in,
                      int n_in, const char *const *out, int n_out);
const char *onnx_emit1(onnx_out *o, const char *op, const char *a, const char *b,
                       const nashc_type *type, const char *out);

/* A Cast of a to container elem; out NULL: a tensor between. */
const char *onnx_emit_cast(onnx_out *o, const char *a, int elem, const char *out);
Onnx__NodeProto *onnx_last(onnx_out *o);
void onnx_put_int(onnx_out *o, const char *name, int64_t v);
void onnx_put_float(onnx_out *o, const char *name, double v);
void onnx_put_str(onnx_out *o, const char *name, const char *v);
void onnx_put_ints(onnx_out *o, const char *name, const int64_t *v, int n);
void onnx_put_floats(onnx_out *o, const char *name, const double *v, int n);

/* New initialisers. */
const char *onnx_put_tensor(onnx_out *o, const char *name, const nashc_tensor *t, int elem);
const char *onnx_put_shape(onnx_out *o, const int64_t *v, int n); /* INT64 vector */
/* one for each value */
const char *onnx_put_scalar(onnx_out *o, double v, int elem);
const char *onnx_put_array(onnx_out *o, const double *v, const nashc_type *shape, int elem);

/* Annotates tensor name with the datatype and layout of type. */
void onnx_put_note(onnx_out *o, const char *name, const nashc_type *type);

/* Lists tensor name with shape and container among the values. */
void onnx_put_info(onnx_out *o, const char *name, const nashc_type *t, int elem);

/* Every element of t is a float32 number? */
bool onnx_fits_float(const nashc_tensor *t);

/* Attribute of the node being written. */
int64_t onnx_get_int(const onnx_out *o, const char *name);
bool onnx_get_bool(const onnx_out *o, const char *name);
double onnx_get_float(const onnx_out *o, const char *name);
const char *onnx_get_str(const onnx_out *o, const char *name);
const int64_t *onnx_get_ints(const onnx_out *o, const char *name, int *n);

/* The container in which the node is computed: its result's, or DOUBLE where an operand does not
 * fit float32: a constant that is no float32 number, integers beyond 2^24. */
int onnx_work_elem(onnx_out *o);

/* The name for result 0 computed in container work: onnx_finish adds the Cast to its own. */
const char *onnx_begin(onnx_out *o, int work);
nashc_status onnx_finish(onnx_out *o, int work, const char *name);

/* Operands of the node in container work (0: each in its own); left-out ones "". */
const char **onnx_operands(onnx_out *o, int work, int *n);

/* plain.c: 1:1 by a row of the tables; or under the name of the IR in the domain nashc. */
nashc_status onnx_write_row(onnx_out *o, const nashc_onnx_row *row);
nashc_status onnx_write_vendor(onnx_out *o);

/* How IR operators that are not 1:1 are written; tables end with {0}. */
typedef struct onnx_writer {
    const char *op;
    nashc_status (*write)(onnx_out *o);
} onnx_writer;
extern const onnx_writer onnx_arithmetic_writers[];
extern const onnx_writer onnx_shape_writers[];
extern const onnx_writer onnx_quant_writers[];
extern const onnx_writer onnx_threshold_writers[];

/* ir.c */
nashc_status onnx_write_node(onnx_out *o, const nashc_node *n);

#endif
