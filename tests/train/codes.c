/* codes.c: products of what quantisers made against the reference executor, in double: sums of
 * codes are exact, so that results are right to the last places. */
#include "plugins/train/lanes/kernel.h"
#include "tests/train/golden.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 34 }; /* one block of samples and a part of one */

typedef struct coded_case {
    const char *name, *text;
    int32_t two; /* largest sum of two products, where a kernel may not have it */
} coded_case;

/* An input and weights behind quantisers. */
#define X(shape, range)                                                                            \
    "nashc 1\ngraph @main(%x: f32[" shape "]) -> (%y) {\n  %z: f32[] = [0]\n"                      \
    "  %xs: f32[] = [0.0625]\n  %xq: f32[" shape "] = q.quant(%x, %xs, %z) " range "\n"
#define W(shape, scale, range)                                                                     \
    "  %w: f32[" shape "] = rand 1\n  %ws: " scale "\n"                                            \
    "  %wq: f32[" shape "] = q.quant(%w, %ws, %z) " range "\n"

#define ONES  "1,1,1,1,1,1,1,1,1,1"
#define TEN   "[" ONES "]"
#define FORTY "[" ONES "," ONES "," ONES "," ONES "]"

static const coded_case cases[] = {
    {"bytes",
     X("1,10,5,6", "qmin=0 qmax=255")
         W("12,10,3,3", "f32[] = [1]",
           "qmin=-127 qmax=127") "  %y: f32[1,12,5,6] = nn.conv(%xq, %wq) pads=[1,1,1,1]\n}\n",
     2 * 255 * 127},
    {"signed, padded, a scale a channel, a bias",
     X("1,8,7,5", "qmin=-128 qmax=127")
         W("10,8,3,3", "f32[10,1,1,1] = " TEN,
           "qmin=-7 qmax=7") "  %b: f32[10] = rand 2\n"
                             "  %y: f32[1,10,4,3] = nn.conv(%xq, %wq, %b) pads=[1,1,1,1] "
                             "stride=[2,2]\n}\n"},
    {"groups", X("1,12,6,6", "qmin=-1 qmax=3")
                   W("24,6,3,3", "f32[] = [1]",
                     "qmin=-1 qmax=1") "  %y: f32[1,24,4,4] = nn.conv(%xq, %wq) group=2\n}\n"},
    {"signs behind a maximum",
     X("1,8,6,6", "qmin=-1 qmax=1 rounding=sign")
         W("16,8,3,3", "f32[] = [1]",
           "qmin=-1 qmax=1 rounding=sign") "  %p: f32[1,8,3,3] = nn.maxpool(%xq) kernel=[2,2] "
                                           "stride=[2,2]\n"
                                           "  %y: f32[1,16,3,3] = nn.conv(%p, %wq) "
                                           "pads=[1,1,1,1]\n}\n"},
    {"many signs in groups, padded, a bias",
     X("1,96,5,4", "qmin=-1 qmax=1 rounding=sign")
         W("20,48,3,3", "f32[] = [1]",
           "qmin=-1 qmax=1 rounding=sign") "  %b: f32[20] = rand 2\n"
                                           "  %y: f32[1,20,5,4] = nn.conv(%xq, %wq, %b) group=2 "
                                           "pads=[1,1,1,1]\n}\n"},
    {"a matrix of signs",
     X("1,30,70", "qmin=-1 qmax=1 rounding=sign")
         W("70,40", "f32[] = [1]",
           "qmin=-1 qmax=1 rounding=sign") "  %y: f32[1,30,40] = nn.matmul(%xq, %wq)\n}\n"},
    {"a matrix of rows, a scale a column",
     X("1,40,30", "qmin=-8 qmax=7")
         W("30,40", "f32[40] = " FORTY,
           "qmin=-127 qmax=127") "  %y: f32[1,40,40] = nn.matmul(%xq, %wq)\n}\n"},
    {"a matrix that is turned",
     X("1,40,30", "qmin=0 qmax=3")
         W("40,30", "f32[] = [1]",
           "qmin=-1 qmax=1") "  %wt: f32[30,40] = nn.transpose(%wq) perm=[1,0]\n"
                             "  %y: f32[1,40,40] = nn.matmul(%xq, %wt)\n}\n"},
};

static float
input_at(int64_t i)
{
    return (float)(i * 1597 % 4096 - 2048) / 100.0f;
}

/* The reference's values of one sample against ours. */
static void
compare_sample(golden *t, const nashc_module *m, int64_t sample, int64_t n_x, const float *got)
{
    nashc_type type = *nashc_value_type(nashc_graph_input(nashc_module_main((nashc_module *)m), 0));
    bool biased = strstr(t->file, "bias");
    const double bound = 0x1.01p-23; /* two roundings; sums of floats have more where they cancel */
    nashc_buf x = {0}, y = {0};
    const nashc_buf *in[] = {&x};

    if (!nashc_buf_alloc(&x, &type))
        return;
    for (int64_t i = 0; i < n_x; i++)
        nashc_buf_set(&x, i, (double)input_at(sample * n_x + i));
    if (nashc_run_module(m, in, &y, t->diag) != NASHC_OK)
        golden_fault(t, "the reference does not run");
    for (int64_t i = 0; i < y.n; i++) {
        double want = nashc_buf_get(&y, i);
        if (!(fabs((double)got[i] - want) <= bound * fabs(want) + (biased ? 1e-5 : 0.0)))
            golden_fault(t, "sample %d: y[%d] is %.8g, not %.8g", (int)sample, (int)i,
                         (double)got[i], want);
    }
    nashc_buf_free(&x);
    nashc_buf_free(&y);
}

/* Whether the network knows that both operands of the product are codes. */
static bool
known(const train_net *n)
{
    for (int i = 0; i < n->n_steps; i++)
        if (n->step[i].node &&
            nashc_node_is_any(n->step[i].node, (const char *const[]){"nn.conv", "nn.matmul", NULL}))
            return n->step[i].codes[0].scale && n->step[i].codes[1].scale;
    return false;
}

static void
run(golden *t, train_net *n, bool signs)
{
    train_slot *x = train_net_slot(n, nashc_graph_input(n->graph, 0));
    const train_slot *y = &n->slot[n->output];
    nashc_module *now = NULL;

    for (int64_t i = 0; i < BATCH * x->count; i++)
        x->v[i] = input_at(i);
    if (!known(n))
        golden_fault(t, "its operands are not known as codes");
    if (train_net_forward(n, BATCH, true) != NASHC_OK ||
        train_net_module(n, &now, t->diag) != NASHC_OK) {
        golden_fault(t, "it does not run");
        return;
    }
    for (int64_t k = 0; k < BATCH; k++)
        compare_sample(t, now, k, x->count, y->v + k * y->count);
    nashc_module_free(now);
    x->v[x->count] = NAN; /* of the second sample; it has a sign */
    if (!signs && (train_net_forward(n, BATCH, true) != NASHC_OK || !isnan(y->v[y->count])))
        golden_fault(t, "what is no number is lost");
}

void
golden_codes(golden *t, const char *filter)
{
    const train_kernel *kernel = train_kernel_best();

    t->folder = "codes";
    for (size_t i = 0; i < NASHC_COUNT(cases); i++) {
        train_net_options o = {.batch = BATCH, .backward = true, .pool = t->pool};
        nashc_module *m = NULL;
        train_net *n = NULL;
        t->file = cases[i].name;
        t->faults = 0;
        if ((filter && !strstr("codes", filter)) || !kernel->mac_codes ||
            cases[i].two > kernel->two_codes)
            continue;
        if (nashc_parse(t->ctx, "codes", cases[i].text, strlen(cases[i].text), NULL, &m, t->diag) ==
                NASHC_OK &&
            train_net_create(nashc_module_main(m), &o, false, &n, t->diag) == NASHC_OK)
            run(t, n, strstr(cases[i].text, "rounding=sign"));
        else
            golden_fault(t, "the graph cannot be built");
        train_net_free(n);
        nashc_module_free(m);
        *(t->faults ? &t->failed : &t->passed) += 1;
        nashc_diag_flush(t->diag);
    }
}
