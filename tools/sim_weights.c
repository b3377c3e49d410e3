/* sim_weights.c: weights of a design that come from outside, or can: those of the model, or others.
 */
#include "simulate.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static nashc_node *
find_layer(nashc_graph *f, const char *const *names, const char *name)
{
    NASHC_EACH_NODE(f, n)
    {
        if (strcmp(names[nashc_node_id(n)], name) == 0)
            return n;
    }
    return NULL;
}

/* The only layer that an array without a name can mean. */
static nashc_node *
only_layer(const sim_job *j, nashc_graph *f)
{
    NASHC_EACH_NODE(f, n)
    {
        if (j->n_weights == 1 && nashc_flow_weights_free(n))
            return n;
    }
    return NULL;
}

/* x in the shape and type of the operand, with all values that the hardware's bits can be, not only
 * those of the model's interval: such weights are what the ports are for. */
static nashc_status
convert(sim_job *j, const nashc_node *n, const nashc_weights *w, const char *name,
        const tool_array *x, nashc_tensor **out)
{
    const nashc_type *have = nashc_value_type(nashc_node_in(n, w->operand));
    nashc_type t = nashc_type_with_elem(have, &w->elem);
    char shape[200], want[200];
    nashc_buf b;

    if (x->rank != t.rank || memcmp(x->dim, t.dim, sizeof t.dim[0] * t.rank) != 0)
        return nashc_error(j->d, NULL, "weights of %s have shape %s, the layer's are %s", name,
                           tool_shape_text(x->dim, x->rank, shape),
                           tool_shape_text(t.dim, t.rank, want));
    if (!nashc_buf_alloc(&b, &t))
        return nashc_enomem(j->d);
    for (int64_t i = 0; i < b.n; i++) {
        b.fault = false;
        nashc_buf_set(&b, i, nashc_buf_get(&x->buf, i));
        if (!b.fault)
            continue;
        nashc_buf_free(&b);
        nashc_type_finn_name(&w->elem, shape, sizeof shape);
        return nashc_error(j->d, NULL, "weight %" PRId64 " of %s is %g, which %s cannot hold", i,
                           name, nashc_buf_get(&x->buf, i), shape);
    }
    *out = nashc_tensor_take(&b);
    return *out ? NASHC_OK : nashc_enomem(j->d);
}

/* Changes the graph of layers, so that the vectors of the bench and the reference see the same
 * weights. */
static nashc_status
replace(sim_job *j, nashc_graph *f, const char *const *names, const tool_array *x)
{
    nashc_node *n = x->name ? find_layer(f, names, x->name) : only_layer(j, f);
    nashc_tensor *t = NULL;
    nashc_weights w;

    if (!n) {
        nashc_error(j->d, NULL, "no layer \"%s\" in the design",
                    x->name ? nashc_quote(j->d, x->name) : "");
        nashc_help(j->d, "arrays have the names of layers, as \"weights\" in manifest.json");
        return NASHC_EINPUT;
    }
    const char *name = names[nashc_node_id(n)];
    if (!nashc_flow_weights_free(n)) {
        nashc_error(j->d, NULL, "the weights of %s are constants of the design", name);
        nashc_help(j->d, "compile with runtime_writeable_weights or mem_mode external for it");
        return NASHC_EINPUT;
    }
    nashc_flow_weights(n, &w);
    nashc_status s = convert(j, n, &w, name, x, &t);
    nashc_build *b = s == NASHC_OK ? nashc_build_create(f, j->d) : NULL;
    nashc_value *v = b ? nashc_build_const(b, NULL, t) : NULL;
    if (s != NASHC_OK)
        return s;
    if (!v)
        return b ? nashc_build_status(b) : nashc_enomem(j->d);
    nashc_node_set_in(n, w.operand, v);
    j->rewrites = j->rewrites || w.written;
    return NASHC_OK;
}

/* Counts the layers that need a file, given or not: streams are always fed, with the model's
 * weights if there are no others. rewrites: slaves of AXI-Lite are to be written first. */
nashc_status
sim_weights_take(sim_job *j, nashc_graph *f, const char *path)
{
    const char *const *names = nashc_flow_names(f, j->a);
    tool_arrays all = {0};
    nashc_status s = names ? NASHC_OK : nashc_enomem(j->d);

    NASHC_EACH_NODE(f, n)
    {
        nashc_weights w;
        j->n_weights += nashc_flow_weights_free(n);
        if (nashc_flow_weights(n, &w))
            j->rewrites = j->rewrites || w.empty;
    }
    if (s == NASHC_OK && path[0] && !sim_counts_cycles(j))
        s = nashc_usage(j->d, "--weights is for Verilog: the hls backend has its weights built in");
    if (s == NASHC_OK && path[0])
        s = tool_arrays_read(path, &all, j->d);
    for (size_t i = 0; i < all.n && s == NASHC_OK; i++)
        s = replace(j, f, names, &all.at[i]);
    if (s != NASHC_OK && path[0])
        nashc_note(j->d, "from --weights %s", nashc_quote(j->d, path));
    tool_arrays_free(&all);
    return s;
}

nashc_status
sim_weights_write(sim_job *j)
{
    const char *const *names = nashc_flow_names(j->layers, j->a);
    const char *folder = nashc_arena_printf(j->a, "%s/weights", j->folder);
    nashc_status s = names && folder ? NASHC_OK : nashc_enomem(j->d);
    nashc_weights w;

    if (s == NASHC_OK && mkdir(folder, 0777) != 0)
        return nashc_io_error(j->d, &(nashc_loc){.file = folder}, "cannot be created: %s",
                              strerror(errno));

    NASHC_EACH_NODE(j->layers, n)
    {
        if (s != NASHC_OK || !nashc_flow_weights_free(n))
            continue;
        nashc_flow_weights(n, &w);
        const nashc_buf *b = nashc_tensor_buf(nashc_value_const(nashc_node_in(n, w.operand)));
        char *text = w.streamed ? nashc_flow_print_weights(&w, b, NULL)
                                : nashc_flow_print_weight_words(&w, b, NULL);
        s = text ? sim_write_file(
                       j, nashc_arena_printf(j->a, "weights/%s.dat", names[nashc_node_id(n)]), text)
                 : nashc_enomem(j->d);
        nashc_mem_free(text);
    }
    return s;
}
