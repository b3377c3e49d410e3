/* cmd_eval.c: nashc eval: how well a network, a run or a design does on labelled images. */
#include "plugins/train/gemm.h"
#include "plugins/train/run/commands.h"
#include "plugins/train/run/eval.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const nashc_param options[] = {
    {.name = "data",
     .def = "",
     .help = "images and labels: KIND:PATH[,key=value...]",
     .kind = NASHC_P_STRING},
    {.name = "executor",
     .def = "float",
     .help = "float (that of training), reference, cpu; see `nashc list executors`",
     .kind = NASHC_P_STRING},
    {.name = "simulator",
     .def = "icarus",
     .help = "of a compiled design: icarus, verilator or cc",
     .kind = NASHC_P_STRING},
    {.name = "compare",
     .def = "",
     .help = "another model, run or design; exit status 3 if a prediction differs",
     .kind = NASHC_P_PATH},
    {.name = "compare-executor",
     .def = "",
     .help = "executor of the other; as --executor if not given",
     .kind = NASHC_P_STRING},
    {.name = "images",
     .def = "",
     .help = ".npy or .npz for the images as the model's input, for run and sim",
     .kind = NASHC_P_PATH},
    {.name = "confusion", .def = "", .help = ".svg for the confusion matrix", .kind = NASHC_P_PATH},
    {.name = "batch",
     .def = "256",
     .domain = "1..65536",
     .help = "images at a time",
     .kind = NASHC_P_INT},
    {.name = "threads",
     .def = "0",
     .domain = "0..256",
     .help = "0: as many as there are processors",
     .kind = NASHC_P_INT},
    {.name = "json",
     .def = "false",
     .help = "the result as one JSON document",
     .kind = NASHC_P_BOOL},
    TRAIN_TASK_OPTION,
    TRAIN_MODEL_OPTIONS,
    {0},
};

/* Two-sided exact test of b against c discordant images (McNemar 1947): sum of the binomial tail.
 */
static double
mcnemar(int64_t b, int64_t c)
{
    int64_t n = b + c, k = b < c ? b : c;
    double sum = 0.0;

    for (int64_t i = 0; i <= k; i++)
        sum += exp(lgamma((double)n + 1) - lgamma((double)i + 1) - lgamma((double)(n - i) + 1) -
                   (double)n * log(2.0));
    return 2.0 * sum < 1.0 ? 2.0 * sum : 1.0;
}

typedef struct difference {
    int64_t differ, only_a,
        only_b; /* images; right in one only, where there is one class an image */
    double p;
} difference;

/* By what was found, not by scores: two executors may differ in the last bit of a score and still
 * agree. */
static bool
differs(const train_eval *a, const train_eval *b, int64_t i)
{
    int64_t n = a->count.n_found;

    return b->count.n_found != n || memcmp(a->count.found + i * n, b->count.found + i * n,
                                           (size_t)n * sizeof *a->count.found) != 0;
}

/* McNemar's test is of one class an image; other tasks have the number of images that differ. */
static difference
compare(const train_eval *a, const train_eval *b)
{
    difference d = {0};

    for (int64_t i = 0; i < a->count.n; i++) {
        d.differ += differs(a, b, i);
        if (a->images->target != NASHC_TARGET_LABEL)
            continue;
        int32_t x = a->count.found[i], y = b->count.found[i], t = a->images->label[i];
        d.only_a += x == t && y != t;
        d.only_b += x != t && y == t;
    }
    d.p = mcnemar(d.only_a, d.only_b);
    return d;
}

/* Numbers of the images on which two models differ, as --images has them. */
static json_t *
differing(const train_eval *a, const train_eval *b)
{
    json_t *list = json_array();

    for (int64_t i = 0; i < a->count.n; i++)
        if (differs(a, b, i))
            json_array_append_new(list, json_integer(i));
    return list;
}

static json_t *
matrix_of(const double *m, int n)
{
    json_t *rows = json_array();

    for (int i = 0; i < n; i++) {
        json_t *row = json_array();
        for (int k = 0; k < n; k++)
            json_array_append_new(row, json_integer((json_int_t)m[i * n + k]));
        json_array_append_new(rows, row);
    }
    return rows;
}

/* A class that no image has is null. */
static json_t *
to_json(const train_count *k, const train_images *p)
{
    const nashc_task *t = k->task;
    json_t *o = json_object(), *names = json_array(), *each = json_array();
    double *by_class = calloc((size_t)p->n_classes, sizeof *by_class), second = 0.0;
    double v = t->value(k->state, &second, by_class);

    for (int i = 0; i < p->n_classes; i++) {
        json_array_append_new(names, json_string(p->class_name[i]));
        json_array_append_new(each, by_class && isfinite(by_class[i]) ? json_real(by_class[i])
                                                                      : json_null());
    }
    json_object_set_new(o, "images", json_integer(k->n));
    json_object_set_new(o, t->key, json_real(v));
    if (t->second)
        json_object_set_new(o, t->second_key, json_real(second));
    json_object_set_new(o, "loss", json_real(k->loss));
    /* value is a ratio of images: the count is that of whole ones */
    if (t->right)
        json_object_set_new(o, "correct", json_integer((json_int_t)nearbyint(v * (double)k->n)));
    json_object_set_new(o, "classes", names);
    json_object_set_new(o, "by_class", each);
    if (t->confusion)
        json_object_set_new(o, "confusion", matrix_of(t->confusion(k->state), p->n_classes));
    free(by_class);
    return o;
}

static void
print_json(const train_eval *a, const train_eval *b, const difference *d)
{
    json_t *root = to_json(&a->count, a->images);

    if (b) {
        json_object_set_new(root, "other", to_json(&b->count, a->images));
        json_object_set_new(root, "differ", json_integer(d->differ));
        json_object_set_new(root, "differing", differing(a, b));
    }
    if (b && a->images->target == NASHC_TARGET_LABEL)
        json_object_set_new(root, "mcnemar",
                            json_pack("{s:I,s:I,s:f}", "only_first", (json_int_t)d->only_a,
                                      "only_second", (json_int_t)d->only_b, "p", d->p));
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    if (text)
        printf("%s\n", text);
    free(text);
    json_decref(root);
}

static void
print_count(const char *name, const train_count *k)
{
    double second = 0.0, v = k->task->value(k->state, &second, NULL);

    printf("%s: %lld images, %s %.2f %%", name, (long long)k->n, k->task->figure, 100.0 * v);
    if (k->task->second)
        printf(", %s %.2f %%", k->task->second, 100.0 * second);
    printf(", loss %.4f\n", k->loss);
}

/* A difference is the exit status, told after the figures. */
static nashc_status
report(const nashc_opts *o, const train_eval *a, const train_eval *b, nashc_diag *d)
{
    difference diff = b ? compare(a, b) : (difference){0};

    train_say_hidden(a->task, a->count.hidden, a->count.objects, "these images", d);
    if (nashc_opts_bool(o, "json")) {
        print_json(a, b, &diff);
    } else {
        print_count(a->path, &a->count);
        if (b) {
            print_count(b->path, &b->count);
            printf("%lld predictions differ", (long long)diff.differ);
        }
        if (b && a->images->target == NASHC_TARGET_LABEL)
            printf("; right in one only: %lld and %lld, McNemar p = %.3g", (long long)diff.only_a,
                   (long long)diff.only_b, diff.p);
        printf("%s", b ? "\n" : "");
    }
    const char *svg = nashc_opts_str(o, "confusion");
    nashc_status s = *svg ? train_write_confusion(svg, &a->count, a->images, d) : NASHC_OK;
    if (s != NASHC_OK || !diff.differ)
        return s;
    nashc_error(d, NULL, "%" PRId64 " of %" PRId64 " predictions differ", diff.differ, a->count.n);
    return NASHC_EMISMATCH;
}

/* Both are run on the same images, opened once; what the first model wants to see counts. */
static int
eval_main(nashc_ctx *c, const nashc_opts *o, int n_args, const char *const *args)
{
    nashc_diag *d = nashc_ctx_diag(c);
    train_eval a = {.ctx = c, .diag = d, .opts = o, .path = args[0]};
    train_eval b = {.ctx = c, .diag = d, .opts = o, .path = nashc_opts_str(o, "compare")};
    const char *other = nashc_opts_str(o, "compare-executor");
    nashc_status s = NASHC_OK;

    (void)n_args;
    a.executor = nashc_opts_str(o, "executor");
    b.executor = *other ? other : a.executor;
    a.keep = b.keep = *b.path != 0;
    if (!*nashc_opts_str(o, "data"))
        s = nashc_usage(d, "eval needs --data");
    if (s == NASHC_OK)
        s = train_task_find(c, nashc_opts_str(o, "task"), &a.task, d);
    b.task = a.task;
    if (s == NASHC_OK)
        s = train_eval_run(&a, NULL);
    if (s == NASHC_OK && *nashc_opts_str(o, "images"))
        s = train_write_images(&a, nashc_opts_str(o, "images"));
    if (s == NASHC_OK && *b.path)
        s = train_eval_run(&b, a.images);
    if (s == NASHC_OK)
        s = report(o, &a, *b.path ? &b : NULL, d);
    train_eval_free(&b);
    train_eval_free(&a);
    return nashc_status_exit(s);
}

const nashc_command train_command_eval = {
    NASHC_DESC(nashc_command),
    .name = "eval",
    .help = "accuracy of a network, a run or a design on labelled images",
    .usage = "MODEL|RUN|DIR --data SPEC [options]",
    .example = "nashc eval run --data fashion-mnist\n"
               "nashc eval run/best.onnx --data fashion-mnist --executor cpu --compare run "
               "--compare-executor float",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .main = eval_main,
};
