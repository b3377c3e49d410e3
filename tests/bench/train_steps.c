/* train_steps.c: rate of training steps of one model on made-up images, and the machine's rate of
 * sgemm, both in processor time of this process, with several threads on the clock.
 *
 *     train_steps MODEL BATCH SECONDS THREADS [KERNEL]
 *
 * prints one JSON object: images/s, GFLOP/s of all convolutions and products (6 a multiply-add),
 * and what runs them. sgemm of N threads is taken
 * as N times that of one. */
#include "plugins/train/gemm.h"
#include "plugins/train/grad/rules.h"
#include "plugins/train/lanes/kernel.h"
#include "plugins/train/net/loss.h"
#include "plugins/train/net/net.h"
#include "plugins/train/optim/optim.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct bench {
    nashc_ctx *ctx;
    nashc_diag *diag;
    nashc_module *module;
    train_net *net;
    thread_pool *pool;
    int64_t batch, step;
    int32_t *label;
    float **m, **u;
} bench;

static clockid_t timer = CLOCK_PROCESS_CPUTIME_ID;

static double
now(void)
{
    struct timespec t;

    clock_gettime(timer, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool
make(bench *b, const char *path)
{
    static const nashc_plugin rules = {
        NASHC_DESC(nashc_plugin),        .abi = NASHC_ABI,    .name = "rules", .version = "1.0",
        .help = "the rules of training", .impls = train_impls};
    train_net_options o = {.batch = b->batch, .backward = true, .pool = b->pool};

    if (nashc_register(b->ctx, &rules, "bench", b->diag) != NASHC_OK ||
        train_gemm_setup(b->diag) != NASHC_OK ||
        nashc_read_model(b->ctx, path, NULL, &b->module, b->diag) != NASHC_OK ||
        train_net_create(nashc_module_main(b->module), &o, true, &b->net, b->diag) != NASHC_OK)
        return false;
    const train_slot *in = train_net_slot(b->net, nashc_graph_input(b->net->graph, 0));
    int64_t classes = b->net->slot[b->net->output].count;
    b->label = calloc((size_t)b->batch, sizeof *b->label);
    b->m = calloc((size_t)b->net->n_params, sizeof *b->m);
    b->u = calloc((size_t)b->net->n_params, sizeof *b->u);
    for (int64_t i = 0; i < b->batch * in->count; i++)
        in->v[i] = (float)(i * 2654435761u % 256u) / 256.0f;
    for (int64_t i = 0; i < b->batch; i++)
        b->label[i] = (int32_t)(i % classes);
    for (int i = 0; i < b->net->n_params; i++) {
        b->m[i] = calloc((size_t)b->net->param[i].n, sizeof(float));
        b->u[i] = calloc((size_t)b->net->param[i].n, sizeof(float));
    }
    return true;
}

static void
update_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    static const train_optim adam = {TRAIN_ADAM, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
    const bench *b = arg;

    (void)thread;
    for (int64_t i = lo; i < hi; i++) {
        train_param *p = &b->net->param[i];
        if (p->trains)
            train_optim_step(&adam, b->step, 1e-3, 1.0, p->n, p->v, p->g, b->m[i], b->u[i]);
    }
}

static bool
step(bench *b)
{
    const train_slot *out = &b->net->slot[b->net->output];
    double square = 0.0;

    b->step++;
    if (train_net_forward(b->net, b->batch, true) != NASHC_OK)
        return false;
    train_cross_entropy(out->v, b->label, b->batch, out->count, 0.0, out->g);
    if (train_net_backward(b->net) != NASHC_OK)
        return false;
    for (int i = 0; i < b->net->n_params; i++)
        if (b->net->param[i].trains)
            square += train_square_sum(b->net->param[i].g, b->net->param[i].n);
    thread_pool_share(b->pool, b->net->n_params, update_part, b);
    return isfinite(square);
}

static double
sgemm_rate(void)
{
    enum { N = 1024 };
    float *a = calloc(3 * N * N, sizeof *a);
    double best = 0.0;

    for (int i = 0; a && i < 2 * N * N; i++)
        a[i] = (float)(i % 17);
    for (int r = 0; a && r < 8; r++) {
        double t = now();
        train_gemm(N, N, N, (train_matrix){a, N, false}, (train_matrix){a + N * N, N, false}, false,
                   a + 2 * N * N, N);
        best = fmax(best, 2.0 * N * N * N * 1e-9 / (now() - t));
    }
    free(a);
    return best;
}

static void
release(bench *b)
{
    for (int i = 0; b->net && b->m && b->u && i < b->net->n_params; i++) {
        free(b->m[i]);
        free(b->u[i]);
    }
    free(b->m);
    free(b->u);
    free(b->label);
    train_net_free(b->net);
    if (b->module)
        nashc_module_free(b->module);
    thread_pool_free(b->pool);
    nashc_ctx_free(b->ctx);
}

/* The inner loops of that name, if they are built and this processor can run them. */
static bool
choose(const char *name)
{
    const train_kernel *kernel[TRAIN_KERNELS];
    int n = train_kernels(kernel);

    for (int i = 0; i < n; i++)
        if (strcmp(kernel[i]->name, name) == 0) {
            train_kernel_choose(kernel[i]);
            return true;
        }
    return false;
}

int
main(int argc, char **argv)
{
    if (argc < 5 || argc > 6 || (argc == 6 && !choose(argv[5]))) {
        fprintf(stderr, "usage: train_steps MODEL BATCH SECONDS THREADS [KERNEL]\n");
        return 2;
    }
    int threads = atoi(argv[4]);
    if (threads > 1)
        timer = CLOCK_MONOTONIC;
    bench b = {
        .ctx = nashc_ctx_create(), .batch = atoi(argv[2]), .pool = thread_pool_open(threads, 1)};
    b.diag = nashc_ctx_diag(b.ctx);
    bool good = make(&b, argv[1]) && step(&b);
    double best = 1e30, began = now();
    int steps = 0;
    do { /* the best: other work on the machine only ever adds to it */
        double t = now();
        good = good && step(&b);
        best = fmin(best, now() - t);
        steps++;
    } while (good && now() - began < atof(argv[3]));
    nashc_diag_flush(b.diag);
    if (good)
        printf("{\"images_per_s\": %.2f, \"mean_images_per_s\": %.2f, \"steps\": %d, "
               "\"sgemm_gflops\": %.1f, \"blas_kernel\": \"%s\", \"kernel\": \"%s\"}\n",
               (double)b.batch / best, (double)b.batch * steps / (now() - began), steps,
               threads * sgemm_rate(), train_gemm_kernel(), train_kernel_best()->name);
    release(&b);
    return good ? 0 : 1;
}
