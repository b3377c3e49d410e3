/* html.c: one self-contained page: the picture of each graph, and a table of its nodes. */
#include "layout.h"

/* Ends a cell and begins the next. */
static void
cell(nashc_outfile *f, const char *text)
{
    draw_escaped(f, text ? text : "");
    nashc_out_printf(f, "</td><td>");
}

static void
table(nashc_outfile *f, const nashc_graph *g, nashc_arena *a)
{
    nashc_out_printf(f, "<table><tr><th>result</th><th>type</th><th>op</th><th>operands</th>"
                        "<th>attributes</th><th>source</th></tr>\n");
    NASHC_EACH_NODE(g, n)
    {
        const nashc_value *y = nashc_node_n_out(n) > 0 ? nashc_node_out(n, 0) : NULL;
        nashc_out_printf(f, "<tr><td>");
        cell(f, y ? nashc_value_name(y) : "");
        cell(f, y ? draw_type_text(y, a) : "");
        cell(f, nashc_node_opname(n));
        for (int i = 0; i < nashc_node_n_in(n); i++) {
            const nashc_value *v = nashc_node_in(n, i);
            draw_escaped(f, i ? ", " : "");
            draw_escaped(f, v ? nashc_value_name(v) : "_");
        }
        cell(f, "");
        cell(f, nashc_node_attr_text(n, a));
        draw_escaped(f, nashc_node_loc(n)->name ? nashc_node_loc(n)->name : "");
        nashc_out_printf(f, "</td></tr>\n");
    }
    nashc_out_printf(f, "</table>\n");
}

static nashc_status
page(nashc_outfile *f, const nashc_module *m, nashc_arena *a, nashc_diag *d)
{
    nashc_status s = NASHC_OK;
    nashc_out_printf(f, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                        "<title>nashc graph</title>\n<style>body{font-family:sans-serif;margin:1em}"
                        "table{border-collapse:collapse;font-family:monospace;font-size:12px}"
                        "td,th{border:1px solid #ccc;padding:2px 6px;text-align:left}"
                        ".frame{overflow:auto;border:1px solid #ccc}</style></head><body>\n");
    for (int i = 0; s == NASHC_OK && i < nashc_module_n_graphs(m); i++) {
        const nashc_graph *g = nashc_module_graph_at(m, i);
        double width = 0, height = 0, again = 0;
        s = draw_svg_graph(NULL, g, 0, &width, &height, a, d);
        if (s != NASHC_OK)
            break;
        nashc_out_printf(f, "<h1>@");
        draw_escaped(f, nashc_graph_name(g));
        nashc_out_printf(f, "</h1>\n<p>%d nodes, %d inputs, %d outputs</p>\n<div class=\"frame\">",
                         nashc_graph_n_nodes(g), nashc_graph_n_inputs(g), nashc_graph_n_outputs(g));
        draw_svg_open(f, width, height);
        s = draw_svg_graph(f, g, 0, &width, &again, a, d);
        nashc_out_printf(f, "</svg></div>\n");
        table(f, g, a);
    }
    nashc_out_printf(f, "</body></html>\n");
    return s;
}

static nashc_status
html_write(const nashc_module *m, const char *path, const nashc_opts *o, nashc_diag *d)
{
    (void)o;
    nashc_arena *a = nashc_arena_create();
    nashc_outfile *f = a ? nashc_out_open(path, d) : NULL;
    nashc_status s = !a ? nashc_enomem(d) : !f ? NASHC_EIO : page(f, m, a, d);
    if (f && s == NASHC_OK)
        s = nashc_out_commit(f, d);
    else
        nashc_out_drop(f);
    nashc_arena_free(a);
    return s;
}

const nashc_backend nashc_backend_html = {
    NASHC_DESC(nashc_backend),
    .name = "html",
    .help = "page with the picture of the graph and a table of its nodes",
    .suffixes = ".html",
    .write = html_write,
};
