/* rows.h: the tables of ONNX operators that a context has, in one index for reading and writing. */
#ifndef NASHC_ONNX_ROWS_H
#define NASHC_ONNX_ROWS_H

#include <nashc/onnx.h>
#include <nashc/plugin.h>

#define ONNX_DOMAIN_STD   "ai.onnx"
#define ONNX_DOMAIN_QONNX "qonnx.custom_op.general"
#define ONNX_DOMAIN_CL    "qonnx.custom_op.channels_last"
#define ONNX_DOMAIN_FINN  "finn.custom_op.fpgadataflow"
#define ONNX_DOMAIN_OWN   "nashc"

typedef struct onnx_rows onnx_rows;

/* Index of all tables of the context, in arena a. A row that is not legal, and two rows for one
 * form of an operator, are errors that name who brought them. O(rows). */
nashc_status onnx_rows_build(nashc_ctx *c, nashc_arena *a, nashc_diag *d, const onnx_rows **out);

/* The name under which rows of a domain are found: older names of a domain are aliases of it. */
const char *onnx_domain_of(const char *name);

/* The row of the highest version that is not above version, or the row "*" of the domain; NULL: no
 * such operator or version; *since is then the first version that has it (0: none has). */
const nashc_onnx_row *onnx_rows_find(const onnx_rows *m, const char *domain, const char *name,
                                     int64_t version, int *since);

/* Has the domain any row? */
bool onnx_rows_has_domain(const onnx_rows *m, const char *domain);

/* The row to write IR operator op by; NULL: none. */
const nashc_onnx_row *onnx_rows_for_op(const onnx_rows *m, const char *op);

/* The i-th row of all tables in order of registration, and who brought it; NULL: beyond the last.
 * O(i). */
const nashc_onnx_row *onnx_rows_at(nashc_ctx *c, int i, const char **origin);

/* One attribute of a row's list. *at moves from one to the next; false at the end. What is not
 * legal ends the list with an entry of kind 0. */
typedef struct onnx_attr_spec {
    char name[32], ir[32];
    char kind;   /* f i s t F I S or * */
    bool copied; /* goes to the IR by name */
} onnx_attr_spec;
bool onnx_attr_next(const char **at, onnx_attr_spec *out);

#endif
