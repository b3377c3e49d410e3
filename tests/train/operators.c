/* operators.c: rules of operators against the reference executor: values, and gradients against
 * differences of values, in double. Needs no files. */
#include "tests/train/golden.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE "34"
enum { MAX_IN = 3, BATCH = 34 }; /* one block of samples and a part of one */

/* Shapes are those of the graph, with one sample; batched operands get BATCH. */
typedef struct operand {
    bool batched;
    int rank;
    int64_t dim[4];
} operand;

typedef struct operation {
    const char *op, *attrs;
    operand in[MAX_IN]; /* rank 0 and unbatched: a number; dim[3] = -1: none */
    int n_in;
    const char *whole; /* attrs of all samples together; NULL: as attrs */
} operation;

#define SAMPLE(...)                                                                                \
    {                                                                                              \
        true, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),                           \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define FIXED(...)                                                                                 \
    {                                                                                              \
        false, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),                          \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const operation operations[] = {
    {"nn.conv", "pads=[1,1]", {SAMPLE(1, 3, 9), FIXED(4, 3, 3), FIXED(4)}, 3},
    {"nn.conv",
     "pads=[0,1,2,1] dilation=[2,1] stride=[1,2]",
     {SAMPLE(1, 2, 7, 6), FIXED(3, 2, 3, 2)},
     2},
    {"nn.conv", "group=2", {SAMPLE(1, 4, 5, 5), FIXED(6, 2, 2, 3), FIXED(6)}, 3},
    {"nn.conv_transpose",
     "stride=[2,2] pads=[1,1,1,1] output_padding=[1,1]",
     {SAMPLE(1, 4, 4, 3), FIXED(4, 3, 3, 3), FIXED(3)},
     3},
    {"nn.conv_transpose", "group=2 dilation=[2,1]", {SAMPLE(1, 4, 3, 3), FIXED(4, 2, 2, 3)}, 2},
    {"nn.conv_transpose", "stride=[3]", {SAMPLE(1, 2, 4), FIXED(2, 3, 2)}, 2},
    {"nn.matmul", "", {SAMPLE(1, 3, 5), FIXED(5, 4)}, 2},
    {"nn.matmul", "", {SAMPLE(1, 3, 4), SAMPLE(1, 4, 5)}, 2},
    {"nn.matmul", "", {SAMPLE(1, 6), FIXED(6, 3)}, 2},
    {"nn.gemm", "trans_b=true beta=0.5", {SAMPLE(1, 6), FIXED(4, 6), FIXED(4)}, 3},
    {"nn.gemm", "", {SAMPLE(1, 6), FIXED(6, 4)}, 2},
    {"nn.add", "", {SAMPLE(1, 3, 4, 4), FIXED(1, 3, 1, 1)}, 2},
    {"nn.sub", "", {FIXED(3, 1, 1), SAMPLE(1, 3, 4, 4)}, 2},
    {"nn.sub", "", {SAMPLE(1, 3, 4), SAMPLE(1, 3, 4)}, 2},
    {"nn.mul", "", {SAMPLE(1, 3, 4, 4), SAMPLE(1, 3, 1, 1)}, 2},
    {"nn.mul", "", {SAMPLE(1, 3, 4, 4), SAMPLE(1, 3, 4, 4)}, 2},
    {"nn.maxpool", "kernel=[2,3] dilation=[2,1] pads=[1,1,0,1] ceil=true", {SAMPLE(1, 2, 6, 7)}, 1},
    {"nn.maxpool", "kernel=[3] stride=[2]", {SAMPLE(1, 2, 9)}, 1},
    {"nn.avgpool", "kernel=[3,2] stride=[2,2] pads=[1,0,1,1]", {SAMPLE(1, 2, 6, 7)}, 1},
    {"nn.avgpool",
     "kernel=[3,3] stride=[2,2] pads=[1,1,1,1] count_include_pad=true ceil=true",
     {SAMPLE(1, 2, 6, 6)},
     1},
    {"nn.sumpool", "kernel=[2,2] stride=[2,1]", {SAMPLE(1, 2, 5, 5)}, 1},
    {"nn.global_maxpool", "", {SAMPLE(1, 3, 4, 5)}, 1},
    {"nn.global_avgpool", "", {SAMPLE(1, 3, 4, 5)}, 1},
    {"nn.global_sumpool", "", {SAMPLE(1, 3, 4, 5)}, 1},
    {"nn.transpose", "perm=[0,2,3,1]", {SAMPLE(1, 2, 3, 4)}, 1},
    {"nn.concat", "axis=2", {SAMPLE(1, 2, 3, 4), SAMPLE(1, 2, 1, 4)}, 2},
    {"nn.concat", "axis=1", {SAMPLE(1, 2, 3, 4), SAMPLE(1, 1, 3, 4), SAMPLE(1, 2, 3, 4)}, 3},
    {"nn.resize",
     "coord=asymmetric nearest=floor sizes=[1,2,6,8]",
     {SAMPLE(1, 2, 3, 4)},
     1,
     "coord=asymmetric nearest=floor sizes=[" WHOLE ",2,6,8]"},
    {"nn.resize",
     "nearest=ceil sizes=[1,2,5,3]",
     {SAMPLE(1, 2, 3, 7)},
     1,
     "nearest=ceil sizes=[" WHOLE ",2,5,3]"},
    {"nn.slice", "starts=[3,0] ends=[-1,4] axes=[2,3] steps=[-2,3]", {SAMPLE(1, 2, 4, 4)}, 1},
    {"nn.pad", "pads=[0,0,1,2,0,1,0,-1]", {SAMPLE(1, 2, 3, 4)}, 1},
    {"nn.reshape", "shape=[1,24]", {SAMPLE(1, 2, 3, 4)}, 1, "shape=[" WHOLE ",24]"},
    {"nn.sigmoid", "", {SAMPLE(1, 12)}, 1},
    {"nn.leaky_relu", "alpha=0.25", {SAMPLE(1, 12)}, 1},
    {"nn.neg", "", {SAMPLE(1, 12)}, 1},
    {"nn.clip", "min=-0.5 max=1", {SAMPLE(1, 12)}, 1},
    {"nn.softmax", "", {SAMPLE(1, 3, 5)}, 1},
    {"nn.log_softmax", "", {SAMPLE(1, 7)}, 1},
};

typedef struct bench {
    golden *t;
    const operation *o;
    nashc_module *reference; /* all operands are inputs, BATCH samples */
    nashc_buf in[MAX_IN];
    double *g; /* upstream */
    int64_t n_y;
    golden_graph g1;
    nashc_value *value[MAX_IN];
} bench;

static nashc_type
type_of(const operand *p, bool whole)
{
    nashc_type t = nashc_type_shaped(nashc_type_f32(), p->rank, p->dim);

    if (whole && p->batched)
        t.dim[0] *= BATCH;
    return t;
}

/* Odd multiples of 2^-11 within (-1, 1), different ones within any window: no difference of values
 * steps over a maximum's change or another kink. */
static void
fill(nashc_buf *b, int64_t from)
{
    for (int64_t i = 0; i < b->n; i++)
        nashc_buf_set(b, i, ((double)((from + i) * 1597 % 2048) + 0.5) / 1024.0 - 1.0);
}

static bool
make_reference(bench *b)
{
    nashc_value *in[MAX_IN];
    nashc_graph *g;

    b->reference = nashc_module_create(b->t->ctx);
    g = b->reference ? nashc_module_add_graph(b->reference, "main") : NULL;
    for (int i = 0; g && i < b->o->n_in; i++) {
        nashc_type t = type_of(&b->o->in[i], true);
        in[i] = nashc_graph_add_input(g, NULL, &t);
        if (!nashc_buf_alloc(&b->in[i], &t))
            return false;
        fill(&b->in[i], 977 * i);
    }
    nashc_build *build = g ? nashc_build_create(g, b->t->diag) : NULL;
    nashc_value *y = build ? nashc_build_op(build, b->o->op, in, b->o->n_in, "%s",
                                            b->o->whole ? b->o->whole : b->o->attrs)
                           : NULL;
    if (y)
        nashc_graph_add_output(g, "y", y);
    return y != NULL;
}

/* Values of the reference; freed by nashc_mem_free. */
static double *
values(bench *b)
{
    const nashc_buf *in[MAX_IN] = {&b->in[0], &b->in[1], &b->in[2]};
    nashc_buf out = {0};

    if (nashc_run_module(b->reference, in, &out, b->t->diag) != NASHC_OK)
        return NULL;
    double *y = nashc_buf_to_f64(&out);
    b->n_y = out.n;
    nashc_buf_free(&out);
    return y;
}

static double
weighted(bench *b)
{
    double *y = values(b), sum = 0.0;

    for (int64_t i = 0; y && i < b->n_y; i++)
        sum += y[i] * b->g[i];
    nashc_mem_free(y);
    return sum;
}

/* dL/d element i of operand k, by differences. */
static double
slope(bench *b, int k, int64_t i)
{
    double x = nashc_buf_get(&b->in[k], i), up, down, lo, hi;

    nashc_buf_set(&b->in[k], i, x + 0x1p-12);
    hi = nashc_buf_get(&b->in[k], i);
    up = weighted(b);
    nashc_buf_set(&b->in[k], i, x - 0x1p-12);
    lo = nashc_buf_get(&b->in[k], i);
    down = weighted(b);
    nashc_buf_set(&b->in[k], i, x);
    return (up - down) / (hi - lo);
}

static bool
make_trained(bench *b)
{
    nashc_value *in[MAX_IN];

    if (!golden_begin(b->t, &b->g1))
        return false;
    b->g1.batch = BATCH;
    for (int i = 0; i < b->o->n_in; i++) {
        nashc_type t = type_of(&b->o->in[i], false);
        char name[8];
        snprintf(name, sizeof name, "x%d", i);
        if (b->o->in[i].batched) {
            in[i] = nashc_graph_add_input(b->g1.graph, name, &t);
        } else {
            double *v = nashc_buf_to_f64(&b->in[i]);
            in[i] = nashc_build_const(b->g1.b, name, nashc_tensor_from_f64(&t, v));
            nashc_mem_free(v);
        }
        b->value[i] = in[i];
    }
    nashc_value *y = nashc_build_op(b->g1.b, b->o->op, in, b->o->n_in, "%s", b->o->attrs);
    train_net_options o = {
        .batch = BATCH, .backward = true, .input_grad = true, .pool = b->t->pool};
    if (!y)
        return false;
    nashc_graph_add_output(b->g1.graph, "y", y);
    if (train_net_create(b->g1.graph, &o, false, &b->g1.net, b->t->diag) != NASHC_OK)
        return false;
    for (int i = 0; i < b->o->n_in; i++)
        for (int64_t k = 0; b->o->in[i].batched && k < b->in[i].n; k++)
            train_net_slot(b->g1.net, in[i])->v[k] = (float)nashc_buf_get(&b->in[i], k);
    return true;
}

static void
compare_gradients(bench *b)
{
    for (int k = 0; k < b->o->n_in; k++) {
        const train_slot *s = train_net_slot(b->g1.net, b->value[k]);
        for (int64_t i = 0; s->wants && i < b->in[k].n; i++) {
            double want = slope(b, k, i), off = fabs((double)s->g[i] - want);
            if (!(off <= 2e-4 * fmax(1.0, fabs(want)))) {
                golden_fault(b->t, "gradient of operand %d, element %d: %.6g, not %.6g", k, (int)i,
                             (double)s->g[i], want);
                break;
            }
        }
    }
}

static void
compare(bench *b)
{
    const train_slot *out = &b->g1.net->slot[b->g1.net->output];
    double *y = values(b);

    b->g = calloc((size_t)b->n_y + 1, sizeof *b->g);
    if (!y || !b->g || out->count * BATCH != b->n_y ||
        train_net_forward(b->g1.net, BATCH, true) != NASHC_OK) {
        golden_fault(b->t, "it does not run");
    } else {
        for (int64_t i = 0; i < b->n_y; i++) {
            if (!(fabs((double)out->v[i] - y[i]) <= 1e-5 * fmax(1.0, fabs(y[i]))))
                golden_fault(b->t, "y[%d] is %.6g, not %.6g", (int)i, (double)out->v[i], y[i]);
            b->g[i] = 0.25 * (double)(i % 7) - 0.6;
            out->g[i] = (float)b->g[i];
        }
        if (train_net_backward(b->g1.net) != NASHC_OK)
            golden_fault(b->t, "it does not run backward");
        compare_gradients(b);
    }
    nashc_mem_free(y);
    free(b->g);
}

void
golden_operators(golden *t, const char *filter)
{
    t->folder = "operators";
    for (size_t i = 0; i < NASHC_COUNT(operations); i++) {
        bench b = {.t = t, .o = &operations[i]};
        t->file = b.o->op;
        t->faults = 0;
        if (filter && !strstr(b.o->op, filter))
            continue;
        if (make_reference(&b) && make_trained(&b))
            compare(&b);
        else
            golden_fault(t, "the graph cannot be built");
        golden_end(&b.g1);
        nashc_module_free(b.reference);
        for (int k = 0; k < MAX_IN; k++)
            nashc_buf_free(&b.in[k]);
        *(t->faults ? &t->failed : &t->passed) += 1;
        nashc_diag_flush(t->diag);
    }
}
