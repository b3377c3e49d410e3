/* resize.c: nn.resize by nearest elements: the gradient of an element is the sum over the places
 * that it went to. */
#include "plugins/train/grad/rules.h"
#include <string.h>

static int64_t
elements(const nashc_type *t)
{
    return nashc_type_count(t);
}

/* scratch: for each element of a sample of the result, that of x which it is; and one axis. */
static nashc_status
sizes(const nashc_grad_call *c, size_t *saved, size_t *scratch)
{
    const nashc_type *x = c->in[0].type, *y = c->out[0].type;
    int64_t axis = 1;

    for (int a = 0; a < y->rank; a++)
        axis = y->dim[a] > axis ? y->dim[a] : axis;
    *saved = 0;
    *scratch = (size_t)(elements(y) + axis) * sizeof(int64_t);
    if (strcmp(nashc_node_str(c->node, "mode"), "nearest") != 0)
        return nashc_node_unsup(c->diag, c->node, "training resizes by nearest elements only");
    if (c->in[0].batched && x->dim[0] != y->dim[0])
        return nashc_node_unsup(c->diag, c->node, "training needs samples along the first axis");
    return NASHC_OK;
}

static const int64_t *
places(const nashc_grad_call *c)
{
    const nashc_type *x = c->in[0].type, *y = c->out[0].type;
    int64_t *from = c->scratch, *at = from + elements(y), inner = elements(y), step = elements(x);

    memset(from, 0, (size_t)elements(y) * sizeof *from);
    for (int a = 0; a < y->rank; a++) {
        inner /= y->dim[a];
        step /= x->dim[a];
        nashc_resize_nearest(c->node, a, at);
        for (int64_t i = 0; i < elements(y); i++)
            from[i] += at[i / inner % y->dim[a]] * step;
    }
    return from;
}

typedef struct job {
    const nashc_grad_call *c;
    const int64_t *from;
    int64_t lanes; /* samples side by side */
} job;

static void
copy(void *arg, int thread, int64_t lo, int64_t hi)
{
    const job *j = arg;
    int64_t nx = elements(j->c->in[0].type), ny = elements(j->c->out[0].type);

    (void)thread;
    for (int64_t b = lo; b < hi; b++)
        for (int64_t i = 0; i < ny; i++)
            memcpy(j->c->out[0].v + (b * ny + i) * j->lanes,
                   j->c->in[0].v + (b * nx + j->from[i]) * j->lanes,
                   (size_t)j->lanes * sizeof(float));
}

static void
give_back(void *arg, int thread, int64_t lo, int64_t hi)
{
    const job *j = arg;
    int64_t nx = elements(j->c->in[0].type), ny = elements(j->c->out[0].type);

    (void)thread;
    for (int64_t b = lo; b < hi; b++)
        for (int64_t i = 0; i < ny; i++) {
            float *dx = j->c->in[0].g + (b * nx + j->from[i]) * j->lanes;
            const float *dy = j->c->out[0].g + (b * ny + i) * j->lanes;
            for (int64_t k = 0; k < j->lanes; k++)
                dx[k] += dy[k];
        }
}

static void
run(const nashc_grad_call *c, nashc_grad_job *each)
{
    job j = {
        .c = c, .from = places(c), .lanes = c->flags & NASHC_GRAD_BLOCKS ? NASHC_GRAD_BLOCK : 1};

    nashc_grad_parallel(c, c->in[0].n / elements(c->in[0].type) / j.lanes, each, &j);
}

static nashc_status
forward(const nashc_grad_call *c)
{
    run(c, copy);
    return NASHC_OK;
}

static nashc_status
backward(const nashc_grad_call *c)
{
    if (c->in[0].g)
        run(c, give_back);
    return NASHC_OK;
}

static const nashc_grad rule = {NASHC_DESC(nashc_grad), .sizes = sizes, .forward = forward,
                                .backward = backward, .blocks = train_blocks};
const nashc_impl train_grad_resize = NASHC_IMPL_GRAD("nn.resize", &rule);
