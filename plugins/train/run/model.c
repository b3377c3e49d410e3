/* model.c: the model of a command, what it wants to see, and parameters from files. */
#include "plugins/train/run/run.h"
#include <string.h>
#include <sys/stat.h>

bool
train_is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool
has_suffix(const char *s, const char *suffix)
{
    size_t n = strlen(s), k = strlen(suffix);

    return n >= k && strcmp(s + n - k, suffix) == 0;
}

/* A RUN stands for its model.onnx. Unknown dimensions, the batch, become 1: the trainer has a batch
 * of its own. */
nashc_status
train_model_read(nashc_ctx *c, const nashc_opts *o, const char *path, nashc_module **out,
                 nashc_diag *d)
{
    nashc_arena *a = nashc_arena_create();
    const char *frontend = nashc_opts_str(o, "frontend");
    int n = nashc_opts_n(o, "frontend-option");
    const char **options = a ? NASHC_NEW_N(a, const char *, n + 1) : NULL;
    nashc_status s = options ? NASHC_OK : nashc_enomem(d);

    *out = NULL;
    for (int i = 0; s == NASHC_OK && i < n; i++)
        options[i] = nashc_opts_str_at(o, "frontend-option", i);
    if (s == NASHC_OK && train_is_folder(path))
        path = nashc_arena_printf(a, "%s/model.onnx", path);
    if (s == NASHC_OK)
        s = path ? nashc_read_model_opts(c, path, *frontend ? frontend : NULL, options, out, d)
                 : nashc_enomem(d);
    const nashc_graph *g = s == NASHC_OK ? nashc_module_main(*out) : NULL;
    if (s == NASHC_OK && !g)
        s = nashc_error(d, &(nashc_loc){.file = path}, "the model has no graph");
    for (int i = 0; g && s == NASHC_OK && i < nashc_graph_n_inputs(g); i++)
        if (!nashc_type_is_static(nashc_value_type(nashc_graph_input(g, i)))) {
            s = nashc_run_pipeline(out, "fix-batch", NULL, d);
            break;
        }
    if (s != NASHC_OK && *out) {
        nashc_module_free(*out);
        *out = NULL;
    }
    nashc_arena_free(a);
    return s;
}

/* --- images ---------------------------------------------------------------------------------- */

/* The quantiser that reads the input itself; NULL: another op does. */
static const nashc_node *
input_quantiser(const nashc_value *x)
{
    const nashc_node *n = nashc_value_one_user(x);

    while (n && nashc_node_is_any(n, (const char *const[]){"nn.reshape", "nn.transpose", NULL}))
        n = nashc_value_one_user(nashc_node_out(n, 0));
    return n && nashc_node_is(n, "q.quant") ? n : NULL;
}

/* Rank 4 says which axis is which; else only the number of elements is known. Where the model
 * quantises its input to eight bits, pixels become the codes of that quantiser, times its scale:
 * nothing is rounded. Else they become 0..1. */
nashc_status
train_model_wish(const nashc_graph *g, train_wish *wish, train_pixels *pixels, nashc_diag *d)
{
    const nashc_value *x = nashc_graph_n_inputs(g) == 1 ? nashc_graph_input(g, 0) : NULL;
    const nashc_type *t = x ? nashc_value_type(x) : NULL;

    if (!x || !nashc_type_is_static(t))
        return nashc_unsup(d, NULL, "training needs a model with one input of known size");
    wish->count = nashc_type_count(t);
    if (t->rank == 4) {
        bool last = nashc_type_channel_axis(t) == 3;
        wish->c = (int)t->dim[last ? 3 : 1];
        wish->h = (int)t->dim[last ? 1 : 2];
        wish->w = (int)t->dim[last ? 2 : 3];
    }
    const nashc_node *q = input_quantiser(x);
    const nashc_tensor *scale = q ? nashc_value_const(nashc_node_in(q, 1)) : NULL;
    *pixels = (train_pixels){0.0, 1.0 / 255.0};
    if (!scale || nashc_tensor_count(scale) != 1)
        return NASHC_OK;
    int64_t lo = nashc_node_int(q, "qmin");
    int64_t hi = nashc_node_int(q, "qmax");
    if (hi - lo >= 254 && hi - lo <= 255) /* eight bits: the codes are the pixels */
        *pixels = (train_pixels){lo < 0 ? -128.0 : 0.0, nashc_tensor_get(scale, 0)};
    return NASHC_OK;
}

/* --- parameters ------------------------------------------------------------------------------ */

static nashc_status
wrong(const char *path, const train_param *p, const char *what, nashc_diag *d)
{
    nashc_loc loc = {.file = path};

    return nashc_error(d, &loc, "parameter \"%s\" %s", p->name, what);
}

/* By number of elements: files have scalars as arrays of one, too. */
static nashc_status
take_buffer(train_param *p, const nashc_buf *b, const char *path, nashc_diag *d)
{
    if (b->n != p->n)
        return wrong(path, p, "has another shape there", d);
    for (int64_t i = 0; i < p->n; i++)
        p->v[i] = (float)nashc_buf_get(b, i);
    return NASHC_OK;
}

/* Arrays that are no parameters of the network, as floats. */
static nashc_status
add_others(const train_net *n, const tool_arrays *a, tool_arrays *others, const char *path,
           nashc_diag *d)
{
    nashc_type t = nashc_type_f32();

    for (size_t i = 0; i < a->n; i++) {
        const tool_array *x = &a->at[i];
        if (!x->name || train_net_param(n, x->name))
            continue;
        tool_array *to = tool_arrays_add(others, x->name, &t, x->rank, x->dim);
        if (!to)
            return nashc_enomem(d);
        for (int64_t e = 0; e < to->buf.n; e++)
            nashc_buf_set(&to->buf, e, nashc_buf_get(&x->buf, e));
    }
    if (others->n)
        nashc_remark(d, &(nashc_loc){.file = path},
                     "the output depends on no parameter \"%s\"%s: not used", others->at[0].name,
                     others->n > 1 ? " and others" : "");
    return NASHC_OK;
}

/* Every parameter must be there: a file of another network is found out at once. */
static nashc_status
from_npz(train_net *n, const char *path, tool_arrays *others, nashc_diag *d)
{
    tool_arrays a;
    nashc_status s = tool_arrays_read(path, &a, d);

    for (int i = 0; s == NASHC_OK && i < n->n_params; i++) {
        const tool_array *v = tool_arrays_find(&a, n->param[i].name);
        s = v ? take_buffer(&n->param[i], &v->buf, path, d)
              : wrong(path, &n->param[i], "is not there", d);
    }
    if (s == NASHC_OK && others)
        s = add_others(n, &a, others, path, d);
    tool_arrays_free(&a);
    return s;
}

/* The network of the other model has the parameters in the form that this one wants. */
static nashc_status
from_model(train_net *n, nashc_ctx *c, const char *path, nashc_diag *d)
{
    nashc_module *m = NULL;
    train_net *other = NULL;
    train_net_options o = {.batch = 1, .pool = n->pool};
    nashc_status s = nashc_read_model(c, path, NULL, &m, d);

    if (s == NASHC_OK)
        s = train_net_create(nashc_module_main(m), &o, true, &other, d);
    for (int i = 0; s == NASHC_OK && i < n->n_params; i++) {
        const train_param *p = train_net_param(other, n->param[i].name);
        if (!p || p->n != n->param[i].n)
            s = wrong(path, &n->param[i], p ? "has another shape there" : "is not there", d);
        else
            memcpy(n->param[i].v, p->v, (size_t)p->n * sizeof(float));
    }
    train_net_free(other);
    if (m)
        nashc_module_free(m);
    return s;
}

nashc_status
train_weights_read(train_net *n, nashc_ctx *c, const char *path, tool_arrays *others, nashc_diag *d)
{
    char inside[1024];

    if (train_is_folder(path)) {
        snprintf(inside, sizeof inside, "%s/checkpoint.npz", path);
        return from_npz(n, inside, NULL, d); /* more than parameters */
    }
    return has_suffix(path, ".npz") ? from_npz(n, path, others, d) : from_model(n, c, path, d);
}
