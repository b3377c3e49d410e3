/* fused.c: y = quant(relu(batchnorm(x))), relu or not, in one pass over memory behind the
 * statistics.
 *
 * Backward computes what stood between anew, with the same roundings, and leaves the gradient
 * behind the normalisation in the place of that of y, which nobody reads any more. */
#include "plugins/train/grad/fused.h"
#include "plugins/train/grad/norm.h"
#include "plugins/train/grad/quant.h"
#include <nashc/clones.h>
#include <string.h>

enum { SCALE = 5, ZERO = 6 };

const nashc_node *
train_fused_quantiser(const nashc_node *bn, const nashc_node **relu)
{
    static const char *const quantisers[] = {"q.quant", "q.bipolar_quant", NULL};
    const nashc_node *n =
        nashc_node_is(bn, "nn.batchnorm") ? nashc_value_one_user(nashc_node_out(bn, 0)) : NULL;

    *relu = n && nashc_node_is(n, "nn.relu") ? n : NULL;
    if (*relu)
        n = nashc_value_one_user(nashc_node_out(n, 0));
    if (!n || !nashc_node_is_any(n, quantisers) || nashc_node_int(n, "codes"))
        return NULL;
    for (int i = 1; i < nashc_node_n_in(n); i++)
        if (!nashc_value_const(nashc_node_in(n, i)) ||
            nashc_type_count(nashc_value_type(nashc_node_in(n, i))) != 1)
            return NULL;
    return n;
}

typedef struct job {
    const nashc_grad_call *c;
    train_norm s;
    train_quant q;
    float scale, zero;
    double *sum; /* of ds, a thread */
} job;

static nashc_status
setup(const nashc_grad_call *c, job *j)
{
    const nashc_node *relu, *node = train_fused_quantiser(c->node, &relu);
    bool zero = c->n_in > ZERO; /* signs have none */
    nashc_grad_arg in[3] = {c->out[0], c->in[SCALE]};
    nashc_grad_call q = *c;

    if (zero)
        in[2] = c->in[ZERO];
    q.node = node;
    q.in = in;
    q.n_in = zero ? 3 : 2;
    *j = (job){.c = c, .sum = c->scratch};
    if (c->in[SCALE].v) {
        j->scale = c->in[SCALE].v[0];
        j->zero = zero ? c->in[ZERO].v[0] : 0.0f;
    }
    train_norm_of(c, &j->s);
    nashc_status s = train_quant_of(&q, &j->q);
    j->q.relu = relu != NULL;
    return s;
}

static nashc_status
sizes(const nashc_grad_call *c, size_t *saved, size_t *scratch)
{
    job j;

    *saved = 2 * (size_t)nashc_type_channels(c->in[0].type) * sizeof(double);
    *scratch = (size_t)c->n_threads * sizeof(double);
    nashc_status s = train_norm_check(c);
    return s == NASHC_OK ? setup(c, &j) : s;
}

/* Part of a line that stays in the first cache between normalisation and quantiser. */
static int64_t
part_of(int64_t size, int64_t at)
{
    return size - at < TRAIN_QUANT_BLOCK ? size - at : TRAIN_QUANT_BLOCK;
}

static void
forward_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const job *j = arg;
    int64_t size = j->s.size * NASHC_GRAD_BLOCK;
    float z[TRAIN_QUANT_BLOCK];

    (void)thread;
    for (int64_t ch = lo; ch < hi; ch++) {
        train_norm_statistics(j->c, &j->s, ch);
        for (int64_t b = 0; b < j->s.blocks; b++) {
            const float *x = train_norm_line(&j->s, j->c->in[0].v, b, ch);
            float *y = train_norm_line(&j->s, j->c->out[0].v, b, ch);
            for (int64_t i = 0; i < size; i += TRAIN_QUANT_BLOCK) {
                int64_t n = part_of(size, i);
                train_norm_values(j->c, &j->s, ch, x + i, n, z);
                train_quant_values(&j->q, z, n, j->scale, j->zero, y + i);
            }
        }
    }
}

/* Turns n gradients of y into those of the normalisation; the sum of ds. */
NASHC_CLONES static double
back_part(const job *j, int64_t ch, const float *x, int64_t n, float *g)
{
    float z[TRAIN_QUANT_BLOCK], slope[TRAIN_QUANT_BLOCK];

    train_norm_values(j->c, &j->s, ch, x, n, z);
    double ds =
        train_quant_slopes(&j->q, z, j->c->in[SCALE].g ? g : NULL, n, j->scale, j->zero, slope);
    for (int64_t i = 0; i < n; i++)
        g[i] *= slope[i];
    return ds;
}

static void
backward_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const job *j = arg;
    int64_t size = j->s.size * NASHC_GRAD_BLOCK;

    for (int64_t ch = lo; ch < hi; ch++) {
        train_norm_sums sums = {0};
        for (int64_t b = 0; b < j->s.blocks; b++) {
            const float *x = train_norm_line(&j->s, j->c->in[0].v, b, ch);
            float *g = train_norm_line(&j->s, j->c->out[0].g, b, ch);
            for (int64_t i = 0; i < size; i += TRAIN_QUANT_BLOCK) {
                int64_t n = part_of(size, i);
                j->sum[thread] += back_part(j, ch, x + i, n, g + i);
                train_norm_add(x + i, g + i, n, j->s.mean[ch], &sums);
            }
        }
        train_norm_back(j->c, &j->s, ch, &sums, j->c->out[0].g);
    }
}

static nashc_status
forward(const nashc_grad_call *c)
{
    job j;
    nashc_status s = setup(c, &j);

    if (s == NASHC_OK)
        nashc_grad_parallel(c, j.s.channels, forward_part, &j);
    return s;
}

static nashc_status
backward(const nashc_grad_call *c)
{
    job j;
    nashc_status s = setup(c, &j);

    if (s != NASHC_OK)
        return s;
    memset(j.sum, 0, (size_t)c->n_threads * sizeof *j.sum);
    nashc_grad_parallel(c, j.s.channels, backward_part, &j);
    double ds = 0.0;
    for (int t = 0; t < c->n_threads; t++)
        ds += j.sum[t];
    if (c->in[SCALE].g)
        c->in[SCALE].g[0] += (float)ds;
    return NASHC_OK;
}

const nashc_grad train_fused_rule = {
    NASHC_DESC(nashc_grad), .keeps_in = 3,          .sizes = sizes, .forward = forward,
    .backward = backward,   .blocks = train_blocks, .sets = 1,      .in_place = 1};
