/* golden.c: compares rules of training with stored values: `golden FOLDER [FILTER]`; FOLDER has a
 * folder with an index.json for each suite, files whose name holds FILTER are tested. */
#include "tests/train/golden.h"
#include "plugins/train/gemm.h"
#include "plugins/train/grad/rules.h"
#include "plugins/train/lanes/kernel.h"
#include "plugins/train/search/ops.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- arrays ---------------------------------------------------------------------------------- */

void
golden_fault(golden *t, const char *fmt, ...)
{
    va_list ap;

    if (t->faults++ < 6) {
        printf("%s/%s: ", t->folder, t->file);
        va_start(ap, fmt);
        vprintf(fmt, ap);
        va_end(ap);
        printf("\n");
    }
}

const tool_array *
golden_find(const golden *t, const char *name)
{
    return tool_arrays_find(&t->arrays, name);
}

const tool_array *
golden_array(golden *t, const char *name)
{
    const tool_array *a = golden_find(t, name);

    if (!a)
        golden_fault(t, "there is no array %s", name);
    return a;
}

double
golden_at(const tool_array *a, int64_t i)
{
    return nashc_buf_get(&a->buf, i);
}

int
golden_integer(const tool_array *a, int64_t i)
{
    return a ? (int)golden_at(a, i) : 0;
}

void
golden_numbers(golden *t, const char *name, int64_t at, int64_t n, float *to)
{
    const tool_array *a = golden_array(t, name);

    for (int64_t i = 0; a && i < n && at + i < a->buf.n; i++)
        to[i] = (float)golden_at(a, at + i);
}

void
golden_compare_at(golden *t, const char *name, int64_t at, const float *got, int64_t n,
                  golden_bound b)
{
    char wide[192];
    double largest = 0.0, worst = 0.0;
    int64_t where = -1;

    bool exact = b.absolute == 0.0 && b.relative == 0.0 && b.of_largest == 0.0;
    snprintf(wide, sizeof wide, "%s_f64", name);
    const tool_array *a =
        golden_find(t, wide) && !exact ? golden_find(t, wide) : golden_array(t, name);
    if (!a || !got || at + n > a->buf.n || (at == 0 && n != a->buf.n && a->buf.n % n != 0)) {
        golden_fault(t, "%s cannot be compared", name);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(golden_at(a, at + i)));
    for (int64_t i = 0; i < n; i++) {
        double want = golden_at(a, at + i), off = fabs((double)got[i] - want);
        double room = b.absolute + b.relative * fabs(want) + b.of_largest * largest;
        if (!(off <= room) && !(off - room <= worst)) {
            worst = off - room;
            where = i;
        }
    }
    if (where >= 0)
        golden_fault(t, "%s[%d] is %.9g, not %.9g (largest %.3g)", name, (int)(at + where),
                     (double)got[where], golden_at(a, at + where), largest);
}

void
golden_compare(golden *t, const char *name, const float *got, int64_t n, golden_bound b)
{
    golden_compare_at(t, name, 0, got, n, b);
}

/* --- graphs ---------------------------------------------------------------------------------- */

bool
golden_begin(golden *t, golden_graph *g)
{
    *g = (golden_graph){.module = nashc_module_create(t->ctx), .batch = 1};
    g->graph = g->module ? nashc_module_add_graph(g->module, "main") : NULL;
    g->b = g->graph ? nashc_build_create(g->graph, t->diag) : NULL;
    return g->b != NULL;
}

/* The first axis is that of samples; a plain row of numbers is as many samples of one. */
nashc_value *
golden_input(golden *t, golden_graph *g, const char *array)
{
    const tool_array *a = golden_array(t, array);
    int64_t dim[TOOL_MAX_RANK];

    if (!a)
        return NULL;
    memcpy(dim, a->dim, sizeof dim);
    g->batch = dim[0];
    dim[0] = 1;
    dim[1] = a->rank == 1 ? 1 : dim[1];
    nashc_type type = nashc_type_shaped(nashc_type_f32(), a->rank == 1 ? 2 : a->rank, dim);
    return nashc_graph_add_input(g->graph, array, &type);
}

nashc_value *
golden_const(golden *t, golden_graph *g, const char *array, const char *name)
{
    const tool_array *a = golden_array(t, array);
    double *v = a ? nashc_buf_to_f64(&a->buf) : NULL;
    nashc_type type = a ? nashc_type_shaped(nashc_type_f32(), a->rank, a->dim) : nashc_type_f32();
    nashc_tensor *tensor = v ? nashc_tensor_from_f64(&type, v) : NULL;

    nashc_mem_free(v);
    return tensor ? nashc_build_const(g->b, name, tensor) : NULL;
}

nashc_value *
golden_number(golden_graph *g, const char *name, double v)
{
    nashc_type type = nashc_type_f32();

    return nashc_build_const(g->b, name, nashc_tensor_from_f64(&type, &v));
}

bool
golden_make(golden *t, golden_graph *g, nashc_value *y, bool grads)
{
    train_net_options o = {.batch = g->batch,
                           .backward = grads,
                           .input_grad = grads,
                           .collect = g->collect,
                           .pool = t->pool};

    if (nashc_build_status(g->b) != NASHC_OK || !y) {
        golden_fault(t, "the graph cannot be built");
        return false;
    }
    nashc_graph_add_output(g->graph, "y", y);
    if (train_net_create(g->graph, &o, false, &g->net, t->diag) != NASHC_OK) {
        golden_fault(t, "the graph cannot be trained");
        return false;
    }
    for (int i = 0; i < nashc_graph_n_inputs(g->graph); i++) {
        nashc_value *v = nashc_graph_input(g->graph, i);
        golden_set(t, g, v, nashc_value_name(v));
    }
    return true;
}

void
golden_set(golden *t, golden_graph *g, nashc_value *v, const char *array)
{
    const tool_array *a = golden_array(t, array);
    train_slot *s = train_net_slot(g->net, v);

    for (int64_t i = 0; a && i < a->buf.n; i++)
        s->v[i] = (float)golden_at(a, i);
}

bool
golden_run(golden *t, golden_graph *g, bool training, const char *upstream)
{
    const tool_array *a = upstream ? golden_array(t, upstream) : NULL;
    bool good = train_net_forward(g->net, g->batch, training) == NASHC_OK;

    for (int64_t i = 0; good && a && i < a->buf.n; i++)
        g->net->slot[g->net->output].g[i] = (float)golden_at(a, i);
    if (good && a)
        good = train_net_backward(g->net) == NASHC_OK;
    if (!good)
        golden_fault(t, "the step fails");
    return good;
}

void
golden_end(golden_graph *g)
{
    train_net_free(g->net);
    nashc_module_free(g->module);
}

/* --- suites ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    golden_test *test;
} suites[] = {{"layers", golden_layer},
              {"quantisers", golden_quantiser},
              {"optimisers", golden_optimiser},
              {"search", golden_searching}};

static void
run_file(golden *t, const char *root, const char *file, golden_test *test)
{
    char path[512], name[128];

    snprintf(path, sizeof path, "%s/%s/%s", root, t->folder, file);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(file, "."), file);
    if (strchr(file, '.') && strstr(file, "_ls")) /* "cross_entropy_ls0.1.npz" */
        snprintf(name, sizeof name, "%s", file);
    t->file = file;
    t->faults = 0;
    if (tool_arrays_read(path, &t->arrays, t->diag) != NASHC_OK)
        golden_fault(t, "the file cannot be read");
    else
        test(t, name);
    tool_arrays_free(&t->arrays);
    *(t->faults ? &t->failed : &t->passed) += 1;
    nashc_diag_flush(t->diag);
}

static bool
run_suite(golden *t, const char *root, int k, const char *filter)
{
    char path[512];
    const char *file;
    json_t *entry;

    t->folder = suites[k].name;
    snprintf(path, sizeof path, "%s/%s/index.json", root, t->folder);
    json_t *index = json_load_file(path, 0, NULL);
    if (!index) {
        printf("skip %s: there is no %s\n", t->folder, path);
        t->skipped++;
        return false;
    }
    json_object_foreach(json_object_get(index, "files"), file, entry)
    {
        t->entry = entry;
        if (!filter || strstr(file, filter))
            run_file(t, root, file, suites[k].test);
    }
    json_decref(index);
    return true;
}

static void
run_networks(golden *t, const char *root, const char *filter)
{
    char path[512];
    const char *name;
    json_t *entry;

    t->folder = "networks";
    snprintf(path, sizeof path, "%s/networks/index.json", root);
    json_t *index = json_load_file(path, 0, NULL);
    snprintf(path, sizeof path, "%s/networks", root);
    json_object_foreach(json_object_get(index, "networks"), name, entry)
    {
        t->file = name;
        t->faults = 0;
        if (filter && !strstr(name, filter))
            continue;
        bool ran = golden_network(t, path, name);
        *(!ran ? &t->skipped : t->faults ? &t->failed : &t->passed) += 1;
        nashc_diag_flush(t->diag);
    }
    json_decref(index);
}

static void
print(void *user, nashc_severity s, const char *text)
{
    (void)user, (void)s;
    printf("%s\n", text);
}

/* Products with every kernel that this processor can run. */
static void
each_kernel(golden *t, const char *filter)
{
    const train_kernel *kernel[TRAIN_KERNELS];
    int n = train_kernels(kernel);

    for (int i = 0; i < n; i++) {
        int failed = t->failed;
        train_kernel_choose(kernel[i]);
        golden_codes(t, filter);
        golden_winograd(t, filter);
        if (t->failed > failed)
            fprintf(stderr, "these are of the kernel %s\n", kernel[i]->name);
    }
    train_kernel_choose(NULL);
}

int
main(int argc, char **argv)
{
    golden t = {.ctx = nashc_ctx_create(), .pool = thread_pool_open(2, 1)};

    if (argc < 2 || !t.ctx || !t.pool) {
        fprintf(stderr, "usage: golden FOLDER [FILTER]\n");
        return 2;
    }
    t.diag = nashc_ctx_diag(t.ctx);
    nashc_diag_set_sink(t.diag, print, NULL, false);
    static const nashc_plugin rules = {
        NASHC_DESC(nashc_plugin),        .abi = NASHC_ABI,  .name = "rules",     .version = "1.0",
        .help = "the rules of training", .ops = search_ops, .impls = train_impls};
    if (nashc_register(t.ctx, &rules, "test", t.diag) != NASHC_OK ||
        train_gemm_setup(t.diag) != NASHC_OK) {
        nashc_diag_flush(t.diag);
        return 1;
    }
    golden_operators(&t, argc > 2 ? argv[2] : NULL);
    each_kernel(&t, argc > 2 ? argv[2] : NULL);
    golden_tasks(&t, argc > 2 ? argv[2] : NULL);
    for (size_t k = 0; k < NASHC_COUNT(suites); k++)
        run_suite(&t, argv[1], (int)k, argc > 2 ? argv[2] : NULL);
    run_networks(&t, argv[1], argc > 2 ? argv[2] : NULL);
    thread_pool_free(t.pool);
    nashc_ctx_free(t.ctx);
    printf("%d passed, %d failed, %d skipped\n", t.passed, t.failed, t.skipped);
    return t.failed ? 1 : 0;
}
