/* net.h: a graph as a list of steps that are run forward and backward, and its parameters. */
#ifndef TRAIN_NET_H
#define TRAIN_NET_H

#include "plugins/threads/pool.h"
#include <nashc/grad.h>
#include <nashc/nashc.h>

/* --- parameters ------------------------------------------------------------------------------ */

/* Parameter or running value, under the name of its constant; a learned scale NAME.scale is the
 * parameter NAME.v, the base-2 logarithm of the threshold. */
typedef struct train_param {
    const char *name;
    int rank;
    int64_t dim[NASHC_MAX_RANK], n;
    bool trains;  /* else a running value */
    float *v, *g; /* g: NULL for running values */
    bool begins;  /* g begins with a step (train_fresh), else it is cleared before all */
} train_param;

/* --- values ---------------------------------------------------------------------------------- */

typedef struct train_slot {
    const nashc_value *value;
    int64_t count;       /* elements of the graph's tensor */
    bool batched, wants; /* depends on a graph input; has a gradient */
    bool blocks;         /* in blocks of samples (layout.c) */
    int root;            /* slot whose memory it shares: itself, or what it is a view of */
    int g_root;          /* root whose gradient has the memory of this one's (plan.c) */
    int param;           /* -1: none */
    int scale;           /* -1: none */
    int owner;           /* candidate that it is a value of, see choice.c; -1: none */
    float *v, *g;
    int def, last_v, first_g, last_g; /* steps, and times (plan.c) */
} train_slot;

/* --- scales of quantisers (scale.c) ---------------------------------------------------------- */

typedef enum train_scale_kind {
    TRAIN_SCALE_FIXED,
    TRAIN_SCALE_LEARNED, /* 2^v / thr */
    TRAIN_SCALE_MAX,     /* max |w| / thr of the weights, by channel or all together */
    TRAIN_SCALE_MEAN,    /* mean |w| */
    TRAIN_SCALE_RATIO    /* another scale times a constant */
} train_scale_kind;

typedef struct train_scale {
    train_scale_kind kind;
    int slot;
    int from;        /* slot of the weights; of the other scale */
    int param;       /* v */
    float thr;       /* code of the threshold */
    float least;     /* threshold of weights that are all zero */
    double ratio;    /* to the other scale */
    float bound;     /* weights are kept within +- bound: 0: no */
    int collected;   /* parameter with what was measured, -1: nothing is (collect.c) */
    int64_t element; /* that gave the scale in this step */
    bool measured;   /* in this step */
} train_scale;

/* --- the network ----------------------------------------------------------------------------- */

/* A gradient that begins: the rule sets that of its operand, or it starts at 0 (operand -1). */
typedef struct train_fresh {
    int slot, operand;
} train_fresh;

typedef struct train_step {
    const nashc_node *node;
    const nashc_grad *rule;
    nashc_grad_arg *in, *out;
    int *in_slot, *out_slot; /* -1: operand left out */
    nashc_grad_codes *codes; /* of operands (codes.c); NULL: nothing is known */
    uint32_t signs;          /* operands whose codes are -1 and 1 only */
    int n_in, n_out;
    int owner;   /* candidate that it belongs to, see choice.c; -1: none */
    int choice;  /* the step makes this choice; -1: none */
    bool back;   /* backward is called */
    bool blocks; /* batched operands and results are in blocks */
    size_t saved_size;
    void *saved;
    int n_fresh; /* slots whose gradients begin with backward of this step */
    train_fresh *fresh;
} train_step;

/* Who looks on while backward runs; all NULL: nobody. */
typedef struct train_net_watch {
    void *arg;
    void (*begins)(void *arg);
    void (*step_done)(void *arg, int step);
    nashc_status (*steps_done)(void *arg); /* before gradients of scales go on to v and weights */
} train_net_watch;

typedef struct train_choice train_choice; /* choice.h */

typedef struct train_net {
    const nashc_graph *graph;
    nashc_arena *arena;
    nashc_diag *diag;
    thread_pool *pool;
    int64_t max_batch, batch;
    bool training; /* of the last forward */
    bool backward, input_grad;
    bool data_only; /* backward leaves gradients of parameters out */
    double bn_momentum;
    int64_t collect; /* steps in which scales of activations are measured */
    train_slot *slot;
    int n_slots, *slot_of; /* by id of the value */
    train_step *step;
    int n_steps;
    train_param *param;
    int n_params, cap_params;
    train_scale *scale;
    int n_scales;
    train_choice *choice; /* of candidates, in the order of the graph */
    int n_choices;
    double choice_momentum; /* weight of the batch in running statistics of candidates that are run
                             * for the gradients of gates only, then the taken one again too */
    int output;             /* slot */
    char *block;
    size_t block_size;
    void *scratch;
    size_t scratch_size;
    train_net_watch watch;
} train_net;

typedef struct train_net_options {
    int64_t batch;   /* the largest */
    bool backward;   /* else forward only */
    bool input_grad; /* gradients of the graph's inputs too */
    int64_t collect; /* training steps that measure scales of activations before they are learned */
    thread_pool *pool;
} train_net_options;

/* The graph's first output (what stands before a last softmax or arg max, if `logits`) as a
 * network. g outlives it. EUNSUP names a node that has no gradient, or whose batch axis is not the
 * first. */
nashc_status train_net_create(const nashc_graph *g, const train_net_options *o, bool logits,
                              train_net **out, nashc_diag *d);
void train_net_free(train_net *n);

/* Slot of a value of the graph. */
train_slot *train_net_slot(const train_net *n, const nashc_value *v);

/* Runs `batch` samples, which are in the slots of the inputs, to the output's slot. */
nashc_status train_net_forward(train_net *n, int64_t batch, bool training);

/* From the gradient in the output's slot to those of all parameters, which are set. */
nashc_status train_net_backward(train_net *n);

train_param *train_net_param(const train_net *n, const char *name); /* NULL: none */

/* Runs `batch` samples again, and names the first result of a node, or else parameter or gradient,
 * that is not finite; NULL: all are. */
const char *train_net_not_finite(train_net *n, int64_t batch);

/* A module like that of the graph, with the parameters as they are now. */
nashc_status train_net_module(const train_net *n, nashc_module **out, nashc_diag *d);

/* --- inside ---------------------------------------------------------------------------------- */

/* params.c: a new parameter with the values of a constant; its index, -1: memory is out. */
int train_param_add(train_net *n, const char *name, const nashc_value *value, bool trains);

/* A running value of n zeros that the graph does not have. */
int train_param_add_numbers(train_net *n, const char *name, int64_t count);

/* collect.c: which scales are measured; before forward and after backward of each step. */
nashc_status train_collect_find(train_net *n);
void train_collect_step(train_net *n, const train_step *t);
void train_collect_back(const train_net *n, const train_step *t);
bool train_collecting(const train_net *n, const train_scale *c);
float train_collected(const train_net *n, const train_scale *c);

/* scale.c */
nashc_status train_scales_find(train_net *n);
void train_scales_set(train_net *n);  /* before forward */
void train_scales_back(train_net *n); /* after backward: to v and to weights */

/* steps.c: slots, steps, parameters. */
nashc_status train_steps_make(train_net *n, const nashc_value *output);

/* fuse.c: after the scales are known. */
nashc_status train_fuse(train_net *n);

/* layout.c: which values are in blocks of samples. */
nashc_status train_layout(train_net *n);

/* Elements of a slot in memory, for a batch. */
int64_t train_slot_size(const train_slot *s, int64_t batch);

/* codes.c: which operands are whole numbers times a scale; after the layout is known. */
nashc_status train_codes_find(train_net *n);

/* plan.c: memory of values, gradients and what rules save. */
nashc_status train_plan(train_net *n);

/* Fills c for a call of the step. */
void train_step_call(const train_net *n, const train_step *s, nashc_grad_call *c, bool training);

#endif
