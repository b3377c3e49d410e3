/* merge_models.c: another model in front of the main graph.
 *
 *     pre:  a -- p -- u      main:  x -- q -- y      ==>      a -- p -- q -- y
 *
 * Output 0 of `pre` feeds input 0, or as `connect` says. Inputs of the result: those of pre, then
 * what is left of main's; outputs: main's, then what pre has left. Of two equal names main keeps
 * its own, the other becomes "pre.x", and so do graphs that pre calls. Metadata of main wins.
 * Changes the interface.
 */
#include "graft.h"
#include <nashc/io.h>
#include <string.h>

typedef struct merging {
    nashc_run *r;
    nashc_diag *d;
    nashc_arena *a;
    nashc_graph *g, *f; /* main graph, and that of pre */
    nashc_module *pre;
    const char *path;
    int *from;    /* by input of g: output of f that feeds it, or -1 */
    bool *joined; /* by output of f */
    int n_in;     /* inputs of g, as it came */
    graft t;
} merging;

/* --- what feeds what ---------------------------------------------------------------------------
 */

static int
find_output(const nashc_graph *f, const char *name, size_t len)
{
    for (int i = 0; i < nashc_graph_n_outputs(f); i++) {
        const char *have = nashc_graph_output_name(f, i);
        if (strlen(have) == len && !memcmp(have, name, len))
            return i;
    }
    return -1;
}

static int
find_input(const nashc_graph *g, const char *name, size_t len)
{
    for (int i = 0; i < nashc_graph_n_inputs(g); i++) {
        const char *have = nashc_value_name(nashc_graph_input(g, i));
        if (strlen(have) == len && !memcmp(have, name, len))
            return i;
    }
    return -1;
}

static const char *
names_of(merging *z, bool outputs)
{
    int n = outputs ? nashc_graph_n_outputs(z->f) : nashc_graph_n_inputs(z->g);
    const char *text = "";

    for (int i = 0; i < n && i < 8 && text; i++)
        text = nashc_arena_printf(
            z->a, "%s%s\"%s\"", text, i ? ", " : "",
            nashc_quote(z->d, outputs ? nashc_graph_output_name(z->f, i)
                                      : nashc_value_name(nashc_graph_input(z->g, i))));
    return text && n > 8 ? nashc_arena_printf(z->a, "%s, ...", text) : text ? text : "";
}

/* "u:x": names may have colons of their own, so each is tried. */
static nashc_status
connect_pair(merging *z, const char *pair, size_t len)
{
    const char *text = nashc_arena_printf(z->a, "%.*s", (int)len, pair);
    int out = -1, in = -1;

    for (size_t k = 1; k + 1 < len && (out < 0 || in < 0); k++)
        if (pair[k] == ':') {
            out = find_output(z->f, pair, k);
            in = find_input(z->g, pair + k + 1, len - k - 1);
        }
    if (out < 0 || in < 0) {
        nashc_error(z->d, NULL,
                    "merge-models: \"%s\" of `connect` is no output of %s with an input of graph "
                    "@%s behind a colon",
                    nashc_quote(z->d, text ? text : "?"), nashc_quote(z->d, z->path),
                    nashc_graph_name(z->g));
        nashc_note(z->d, "outputs are %s; inputs are %s", names_of(z, true), names_of(z, false));
        return NASHC_EINPUT;
    }
    if (z->from[in] >= 0)
        return nashc_error(z->d, NULL, "merge-models: `connect` feeds input \"%s\" twice",
                           nashc_quote(z->d, nashc_value_name(nashc_graph_input(z->g, in))));
    z->from[in] = out;
    z->joined[out] = true;
    return NASHC_OK;
}

static nashc_status
connect(merging *z)
{
    const char *list = nashc_opts_str(nashc_run_opts(z->r), "connect");
    nashc_status s = NASHC_OK;

    z->n_in = nashc_graph_n_inputs(z->g);
    z->from = NASHC_NEW_N(z->a, int, z->n_in + 1);
    z->joined = NASHC_NEW_N(z->a, bool, nashc_graph_n_outputs(z->f) + 1);
    if (!z->from || !z->joined)
        return nashc_enomem(z->d);
    for (int i = 0; i < z->n_in; i++)
        z->from[i] = -1;
    if (!z->n_in || !nashc_graph_n_outputs(z->f))
        return nashc_error(z->d, NULL, "merge-models: %s has no %s",
                           z->n_in ? nashc_quote(z->d, z->path) : "the model",
                           z->n_in ? "outputs" : "inputs");
    if (!*list) {
        z->from[0] = 0;
        z->joined[0] = true;
    }
    for (const char *p = list; *p && s == NASHC_OK;) {
        p += strspn(p, ", ");
        size_t len = strcspn(p, ", ");
        if (len)
            s = connect_pair(z, p, len);
        p += len;
    }
    return s;
}

/* May a value of type have stand where want was declared? */
static nashc_status
check_fit(merging *z, int out, int in)
{
    const nashc_value *x = nashc_graph_input(z->g, in);
    const nashc_type *want = nashc_value_type(x);
    const nashc_type *have = nashc_value_type(nashc_graph_output(z->f, out));
    bool alike = nashc_type_same_elem(have, want) ||
                 (nashc_type_is_int(have) && nashc_type_is_int(want)); /* types are inferred anew */
    const char *help;

    if (!nashc_type_same_shape(have, want))
        help = "shapes must be equal: change-batchsize, or another shape of the model in front";
    else if (alike && (have->lo < want->lo || have->hi > want->hi))
        help = "limit the values at the end of the model in front";
    else if (alike)
        return NASHC_OK;
    else if (nashc_type_is_float(have) && !nashc_type_is_float(want))
        help = "merge before the input is typed (set-input-datatype then types the new input), or "
               "end the model in front in what makes these integers";
    else
        help = "end the model in front in a cast to the type of the input";
    nashc_error(z->d, NULL,
                "merge-models: output \"%s\" of %s is %s, but input \"%s\" of graph @%s is %s",
                nashc_quote(z->d, nashc_graph_output_name(z->f, out)), nashc_quote(z->d, z->path),
                nashc_type_str(z->d, have), nashc_quote(z->d, nashc_value_name(x)),
                nashc_graph_name(z->g), nashc_type_str(z->d, want));
    nashc_help(z->d, "%s", help);
    return NASHC_EINPUT;
}

/* --- together ----------------------------------------------------------------------------------
 */

static nashc_status
failure(const merging *z)
{
    return z->t.b && nashc_build_status(z->t.b) ? nashc_build_status(z->t.b) : nashc_enomem(z->d);
}

static void
tell(merging *z, const char *what, const char *was, const char *is)
{
    if (strcmp(was, is) != 0)
        nashc_remark(z->d, NULL, "[merge-models] %s \"%s\" of %s is called \"%s\"", what,
                     nashc_quote(z->d, was), nashc_quote(z->d, z->path), nashc_quote(z->d, is));
}

/* The container that a file had for an interface tensor is remembered under its name. */
static void
move_container(merging *z, const char *was, const char *is)
{
    nashc_module *m = nashc_graph_module(z->g);
    const char *from = nashc_arena_printf(z->a, "elem.%s", was);
    const char *to = nashc_arena_printf(z->a, "elem.%s", is);

    if (from && to && nashc_module_meta(z->pre, from))
        nashc_module_set_meta(m, to, nashc_module_meta(z->pre, from));
}

static nashc_status
add_front(merging *z)
{
    nashc_module *m = nashc_graph_module(z->g);

    for (int i = 0; i < z->n_in; i++) /* their names are free from here on */
        if (z->from[i] >= 0) {
            nashc_value *x = nashc_graph_input(z->g, i);
            const char *name = nashc_value_name(x);
            const char *key = nashc_arena_printf(z->a, "elem.%s", name);
            if (key && find_output(z->g, name, strlen(name)) < 0)
                nashc_module_set_meta(m, key, NULL);
            const char *aside = nashc_arena_printf(z->a, ".%d", i);
            if (!key || !aside)
                return nashc_enomem(z->d);
            nashc_value_set_name(x, aside);
        }
    for (int i = 0; i < nashc_graph_n_inputs(z->f); i++) {
        const nashc_value *x = nashc_graph_input(z->f, i);
        nashc_value *v = nashc_graph_add_input(z->g, NULL, nashc_value_type(x));
        if (!v)
            return nashc_enomem(z->d);
        z->t.map[nashc_value_id(x)] = v;
        graft_name(&z->t, v, nashc_value_name(x));
        tell(z, "input", nashc_value_name(x), nashc_value_name(v));
        move_container(z, nashc_value_name(x), nashc_value_name(v));
    }
    nashc_build_before(z->t.b, nashc_graph_first(z->g));
    NASHC_EACH_NODE(z->f, n)
    {
        if (!graft_node(&z->t, n))
            return failure(z);
    }
    return NASHC_OK;
}

/* Inputs that are fed go, those that are left move behind the new ones. */
static nashc_status
join_inputs(merging *z)
{
    for (int i = 0; i < z->n_in; i++) {
        nashc_value *x = nashc_graph_input(z->g, 0), *v;
        const char *name = z->from[i] < 0 ? nashc_arena_strdup(z->a, nashc_value_name(x)) : NULL;
        v = name ? nashc_graph_add_input(z->g, NULL, nashc_value_type(x))
                 : graft_value(&z->t, nashc_graph_output(z->f, z->from[i]));
        if (!v)
            return failure(z);
        nashc_value_replace(x, v);
        nashc_graph_remove_input(z->g, 0);
        if (name)
            nashc_value_set_name(v, name);
    }
    return NASHC_OK;
}

static nashc_status
join_outputs(merging *z)
{
    for (int i = 0; i < nashc_graph_n_outputs(z->f); i++) {
        const char *name = nashc_graph_output_name(z->f, i), *text = name;
        nashc_value *v = z->joined[i] ? NULL : graft_value(&z->t, nashc_graph_output(z->f, i));
        if (z->joined[i])
            continue;
        for (int k = 1; text && find_output(z->g, text, strlen(text)) >= 0; k++)
            text = k == 1 ? nashc_arena_printf(z->a, "pre.%s", name)
                          : nashc_arena_printf(z->a, "pre.%s_%d", name, k);
        if (!v || !text)
            return failure(z);
        nashc_graph_add_output(z->g, text, v);
        tell(z, "output", name, text);
        move_container(z, name, text);
    }
    return NASHC_OK;
}

static void
join_meta(merging *z)
{
    nashc_module *m = nashc_graph_module(z->g);

    for (int i = 0; i < nashc_module_n_meta(z->pre); i++) {
        const char *key = nashc_module_meta_key(z->pre, i);
        if (strncmp(key, "elem.", 5) != 0 && !nashc_module_meta(m, key))
            nashc_module_set_meta(m, key, nashc_module_meta(z->pre, key));
    }
}

static nashc_status
join(merging *z)
{
    nashc_status s;

    z->t = (graft){.b = nashc_run_build(z->r, z->g), .a = z->a, .prefix = "pre"};
    z->t.map = NASHC_NEW_N(z->a, nashc_value *, nashc_graph_max_id(z->f) + 1);
    if (!z->t.map || !z->t.b)
        return nashc_enomem(z->d);
    s = graft_graphs(z->r, z->f, nashc_graph_module(z->g), "pre", &z->t.graphs);
    if (s != NASHC_OK || (s = add_front(z)) != NASHC_OK || (s = join_inputs(z)) != NASHC_OK ||
        (s = join_outputs(z)) != NASHC_OK)
        return s;
    join_meta(z);
    return nashc_graph_infer(z->g, z->d);
}

static nashc_status
merge(nashc_run *r, nashc_graph *g)
{
    merging z = {.r = r, .d = nashc_run_diag(r), .a = nashc_run_arena(r), .g = g};
    nashc_status s;

    z.path = nashc_opts_str(nashc_run_opts(r), "pre");
    s = nashc_read_model(nashc_run_ctx(r), z.path, NULL, &z.pre, z.d);
    if (s != NASHC_OK)
        return s;
    z.f = nashc_module_main(z.pre);
    s = z.f ? connect(&z) : nashc_error(z.d, NULL, "merge-models: %s holds no graph", z.path);
    for (int i = 0; i < z.n_in && s == NASHC_OK; i++)
        if (z.from[i] >= 0)
            s = check_fit(&z, z.from[i], i);
    if (s == NASHC_OK && nashc_run_edit(r, "merge", NULL))
        s = join(&z);
    nashc_module_free(z.pre);
    return s;
}

static const nashc_param merge_options[] = {
    {.name = "pre", .help = "model to put in front", .kind = NASHC_P_PATH},
    {.name = "connect",
     .def = "",
     .help = "pairs output:input, of the model in front and of the graph; empty: the first ones",
     .kind = NASHC_P_STRING},
    {0},
};

const nashc_pass nashc_pass_merge_models = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_MODULE | NASHC_PASS_INTERFACE,
    .name = "merge-models",
    .alias = "MergeONNXModels|add-preproc",
    .help = "put another model in front of the graph (changes the interface)",
    .options = merge_options,
    .run = merge,
};
