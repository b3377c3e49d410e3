/* dot.c: a graph in the language of Graphviz. */
#include "layout.h"
#include <string.h>

/* Text inside a double-quoted string. */
static void
quoted(nashc_outfile *f, const char *s)
{
    char piece[8];
    while (*s) {
        s += nashc_text_piece(s, piece);
        if (piece[0] == '"' || piece[0] == '\\')
            nashc_out_write(f, "\\", 1);
        nashc_out_write(f, piece, strlen(piece));
    }
}

static void
box(nashc_outfile *f, int graph, char kind, uint32_t id, const char *shape, const char *top,
    const char *bottom)
{
    nashc_out_printf(f, "    g%d%c%u [shape=%s, label=\"", graph, kind, id, shape);
    quoted(f, top);
    if (bottom && bottom[0]) {
        nashc_out_printf(f, "\\n");
        quoted(f, bottom);
    }
    nashc_out_printf(f, "\"];\n");
}

static void
arrow(nashc_outfile *f, int graph, const nashc_value *v, char to_kind, uint32_t to, nashc_arena *a)
{
    const nashc_node *def = nashc_value_def(v);
    const char *type = draw_type_text(v, a);
    nashc_out_printf(f, "    g%d%c%u -> g%d%c%u [label=\"", graph, def ? 'n' : 'i',
                     def ? nashc_node_id(def) : nashc_value_id(v), graph, to_kind, to);
    quoted(f, nashc_value_name(v));
    nashc_out_printf(f, ": ");
    quoted(f, type ? type : "");
    nashc_out_printf(f, "\"];\n");
}

static void
write_graph(nashc_outfile *f, const nashc_graph *g, int graph, nashc_arena *a)
{
    nashc_out_printf(f, "  subgraph cluster_%d {\n    label=\"@", graph);
    quoted(f, nashc_graph_name(g));
    nashc_out_printf(f, "\";\n");
    for (int i = 0; i < nashc_graph_n_inputs(g); i++) {
        const nashc_value *v = nashc_graph_input(g, i);
        box(f, graph, 'i', nashc_value_id(v), "ellipse", nashc_value_name(v), NULL);
    }
    NASHC_EACH_NODE(g, n)
    {
        box(f, graph, 'n', nashc_node_id(n), "box", nashc_node_opname(n),
            nashc_node_attr_text(n, a));
        for (int i = 0; i < nashc_node_n_in(n); i++) {
            const nashc_value *v = nashc_node_in(n, i);
            if (v && !nashc_value_const(v))
                arrow(f, graph, v, 'n', nashc_node_id(n), a);
        }
    }
    for (int i = 0; i < nashc_graph_n_outputs(g); i++) {
        const nashc_value *v = nashc_graph_output(g, i);
        box(f, graph, 'o', (uint32_t)i, "ellipse", nashc_graph_output_name(g, i), NULL);
        if (!nashc_value_const(v))
            arrow(f, graph, v, 'o', (uint32_t)i, a);
    }
    nashc_out_printf(f, "  }\n");
}

static nashc_status
dot_write(const nashc_module *m, const char *path, const nashc_opts *o, nashc_diag *d)
{
    (void)o;
    nashc_arena *a = nashc_arena_create();
    nashc_outfile *f = a ? nashc_out_open(path, d) : NULL;
    nashc_status s = !a ? nashc_enomem(d) : !f ? NASHC_EIO : NASHC_OK;
    if (f) {
        nashc_out_printf(f, "digraph nashc {\n  node [fontname=monospace, fontsize=10];\n"
                            "  edge [fontname=monospace, fontsize=9];\n");
        for (int i = 0; i < nashc_module_n_graphs(m); i++)
            write_graph(f, nashc_module_graph_at(m, i), i, a);
        nashc_out_printf(f, "}\n");
        s = nashc_out_commit(f, d);
    }
    nashc_arena_free(a);
    return s;
}

const nashc_backend nashc_backend_dot = {
    NASHC_DESC(nashc_backend), .name = "dot",      .help = "the graph for Graphviz",
    .suffixes = ".dot .gv",    .write = dot_write,
};
