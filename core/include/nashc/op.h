/* op.h: descriptors of options, operators and what makes them layers. */
#ifndef NASHC_OP_H
#define NASHC_OP_H

#include <inttypes.h>
#include <nashc/device.h>
#include <nashc/diag.h>
#include <nashc/eval.h>
#include <nashc/ir.h>

NASHC_BEGIN

typedef enum nashc_param_kind {
    NASHC_P_BOOL = 1, /* true|false (options: also 1|0|yes|no, and a bare name means true) */
    NASHC_P_INT,      /* domain "1..64"; "0.." is open above */
    NASHC_P_FLOAT,
    NASHC_P_STRING,
    NASHC_P_ENUM,   /* domain "floor|ceil", required */
    NASHC_P_INTS,   /* "[1,2]"; domain "len=2" or a range for each item, or both "len=2;0.." */
    NASHC_P_FLOATS, /* "[0.5,1.0]" */
    NASHC_P_TYPE,   /* "u2[1,4]" in the IR; a QONNX name is accepted too */
    NASHC_P_PATH,   /* options only */
    NASHC_P_GRAPH   /* "@part0" */
} nashc_param_kind;

#define NASHC_P_REPEAT 1u /* flag: an option that may be given several times */
#define NASHC_P_OPTIONAL                                                                           \
    2u /* flag of a command option: given without value it means reserved[0]                       \
        */

/* Every knob of the program: op attributes, pass, frontend, backend and command options. */
struct nashc_param {
    const char *name;   /* "kernel" */
    const char *def;    /* default as text; NULL: required */
    const char *domain; /* see the kinds; NULL: any */
    const char *help;   /* one line, no capital, no full stop */
    uint32_t kind;      /* nashc_param_kind */
    uint32_t flags;
    void *reserved[3];
}; /* frozen at 64 bytes: arrays of it keep their stride; they end with {0} */

/* Values of an option schema. Unknown names give the type's zero (a bug of the caller). */
NASHC_API bool nashc_opts_bool(const nashc_opts *o, const char *name);
NASHC_API int64_t nashc_opts_int(const nashc_opts *o, const char *name);
NASHC_API double nashc_opts_float(const nashc_opts *o, const char *name);
NASHC_API const char *nashc_opts_str(const nashc_opts *o, const char *name); /* "" if def is "" */
NASHC_API const int64_t *nashc_opts_ints(const nashc_opts *o, const char *name, int *count);
NASHC_API bool nashc_opts_given(const nashc_opts *o, const char *name);
NASHC_API int nashc_opts_n(const nashc_opts *o, const char *name); /* times given, REPEAT */
NASHC_API const char *nashc_opts_str_at(const nashc_opts *o, const char *name, int i);

/* A new set with all defaults, owned by a; set parses and checks one value, reporting to d as where
 * (NULL: no place). Required ones are checked by nashc_opts_check. */
NASHC_API nashc_opts *nashc_opts_create(nashc_arena *a, const nashc_param *schema);
NASHC_API nashc_status nashc_opts_set(nashc_opts *o, const char *name, const char *value,
                                      const nashc_loc *where, nashc_diag *d);
NASHC_API nashc_status nashc_opts_check(const nashc_opts *o, const nashc_loc *where, nashc_diag *d);

/* Sets pairs "KEY=VALUE" ("KEY" alone: true), NULL-terminated (NULL: none), then checks that
 * nothing required is missing. owner is who has the options, `backend "verilog"`, for messages: an
 * unknown KEY is EUSAGE with the nearest names and the list of all. */
NASHC_API nashc_status nashc_opts_set_pairs(nashc_opts *o, const char *const *pairs,
                                            const char *owner, nashc_diag *d);

/* --- operators ---------------------------------------------------------------------------------
 */

#define NASHC_F_OVERRIDE                                                                           \
    0x80000000u /* any descriptor: replaces a built-in of the name on purpose */

#define NASHC_OP_ELTWISE  1u /* result element i depends on operand elements i (broadcast) only */
#define NASHC_OP_COMMUTES 2u /* operands 0 and 1 may be exchanged */
#define NASHC_OP_MONOTONE 4u /* with ELTWISE, rest constant: never decreasing in operand 0 */
#define NASHC_OP_SHAPE    8u /* moves elements, computes none: result values are operand values */
#define NASHC_OP_STATEFUL 16u
#define NASHC_OP_OPAQUE   32u /* meaning unknown: no eval, any types */

typedef struct nashc_hw nashc_hw;

struct nashc_op {
    uint32_t struct_size, flags;
    const char *name, *help;                  /* "nn.maxpool" */
    int16_t min_in, max_in, min_out, max_out; /* -1: variadic */
    const nashc_param *attrs;                 /* ends with {0}; NULL: none */

    /* Rules between attributes and operand types that infer does not need. NULL: none. */
    nashc_status (*verify)(const nashc_node *n, nashc_diag *d);

    /* Types of all results from operand types, constants and attributes. */
    nashc_status (*infer)(const nashc_node *n, nashc_type *out, nashc_diag *d);

    /* The definition of the op's meaning. */
    nashc_status (*eval)(nashc_eval *e, const nashc_node *n);

    const nashc_hw *hw; /* NULL unless it maps to hardware */
};

/* --- hardware side ------------------------------------------------------------------------------
 */

/* One AXI stream of a layer: lanes elements of elem a beat, element 0 in the low bits. */
typedef struct nashc_stream {
    nashc_type elem; /* rank 0 */
    int64_t lanes;   /* elements a beat */
    int64_t beats;   /* beats a frame */
    uint32_t width;  /* bits a beat = lanes * bits; the port is padded to bytes at the top only */
} nashc_stream;

/* One way to fold a layer: values of the attributes that say how parallel it is. */
#define NASHC_FOLD_KNOBS 4
typedef struct nashc_fold {
    int n;
    const char *name[NASHC_FOLD_KNOBS]; /* "pe"; static */
    int64_t value[NASHC_FOLD_KNOBS];
} nashc_fold;

/* A constant operand as a layer reads it: a line of lanes elements each step, all lines in order,
 * rounds times a frame. Element e, counted over all lines, is element sum of digit[k] * stride[k]
 * of the operand, digit[0] the lowest digit of e with as many values as count[0]. */
#define NASHC_WEIGHT_LOOPS 4
typedef struct nashc_weights {
    int operand;
    int64_t count[NASHC_WEIGHT_LOOPS], stride[NASHC_WEIGHT_LOOPS]; /* innermost first */
    int64_t lanes, lines, rounds;
    nashc_type elem; /* rank 0, with all values of it */
    bool written;    /* they can be written while the design is there: AXI-Lite */
    bool streamed;   /* they come from outside, a line a beat */
    bool empty;      /* written, and not there before that */
} nashc_weights;

/* What makes an operator a layer, whoever builds it. How many cycles that takes and what it costs
 * is up to the backend: nashc/model.h. */
struct nashc_hw {
    uint32_t struct_size, flags;

    /* in and out have one entry for each dynamic operand and each result. */
    nashc_status (*streams)(const nashc_node *n, nashc_stream *in, nashc_stream *out,
                            nashc_diag *d);

    /* The k-th legal folding, ascending in parallelism; false beyond the last. *out with n = -1:
     * memory is short. NULL: nothing to fold. */
    bool (*fold)(const nashc_node *n, int64_t k, nashc_fold *out);

    /* FINN's op type with its style, "MVAU_hls": names in reports and folding files. NULL: derived
     * from the op's name. */
    const char *(*layer_kind)(const nashc_node *n);

    /* How the layer reads its weights. NULL: it has none. */
    void (*weights)(const nashc_node *n, nashc_weights *out);

    /* May a beat hold m > 1 adjacent positions, all channels of each, where n has its widest
     * folding? EINPUT, reported to d, else. The op has an attribute `positions` then. NULL: one. */
    nashc_status (*positions)(const nashc_node *n, int64_t m, nashc_diag *d);
};

/* Positions in a beat of layer n: its attribute `positions`, 1 without it. */
NASHC_API int64_t nashc_hw_positions(const nashc_node *n);

/* Checks the attribute `positions` of n, whose other attributes are verified: beats of several
 * positions are whole, so the layer is folded widest, and its descriptor allows them. */
NASHC_API nashc_status nashc_hw_check_positions(const nashc_node *n, nashc_diag *d);

NASHC_END
#endif
