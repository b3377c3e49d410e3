/* svg.c: a graph as a picture; colours tell inputs, nn, q and hw nodes apart. */
#include "layout.h"
#include <string.h>

#define TITLE_HEIGHT 28.0

void
draw_escaped(nashc_outfile *f, const char *s)
{
    char piece[8];
    while (*s) {
        s += nashc_text_piece(s, piece);
        const char *entity = piece[0] == '<'   ? "&lt;"
                             : piece[0] == '>' ? "&gt;"
                             : piece[0] == '&' ? "&amp;"
                             : piece[0] == '"' ? "&quot;"
                                               : piece;
        nashc_out_write(f, entity, strlen(entity));
    }
}

void
draw_svg_open(nashc_outfile *f, double width, double height)
{
    nashc_out_printf(
        f,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
        "viewBox=\"0 0 %.0f %.0f\" font-family=\"monospace\" font-size=\"11\">\n"
        "<style>.box{stroke:#555;stroke-width:1;rx:4}.nn{fill:#dce9f7}.q{fill:#dff2df}"
        ".hw{fill:#fde9cf}.other{fill:#eee}.io{fill:#fff;stroke-dasharray:4 2}"
        ".line{fill:none;stroke:#666}.label{fill:#666;font-size:10px}.op{font-weight:bold}"
        ".name{font-size:15px;font-weight:bold}</style>\n"
        "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" "
        "markerHeight=\"8\" orient=\"auto\"><path d=\"M0,0L8,4L0,8z\" fill=\"#666\"/></marker>"
        "</defs>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
        width, height, width, height);
}

static const char *
box_class(const draw_box *b)
{
    if (b->kind != DRAW_NODE)
        return "io";
    const char *op = nashc_node_opname(b->node);
    if (strncmp(op, "nn.", 3) == 0)
        return "nn";
    if (strncmp(op, "q.", 2) == 0)
        return "q";
    return strncmp(op, "hw.", 3) == 0 ? "hw" : "other";
}

static void
draw_box_at(nashc_outfile *f, const draw_box *b, double top, nashc_arena *a)
{
    if (b->kind == DRAW_BEND)
        return;
    double x = b->x - b->w / 2, y = top + b->y - b->h / 2;
    nashc_out_printf(
        f, "<g><rect class=\"box %s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
        box_class(b), x, y, b->w, b->h);
    const char *line = b->node ? nashc_node_line(b->node, a) : NULL;
    if (line) {
        nashc_out_printf(f, "<title>");
        draw_escaped(f, line);
        nashc_out_printf(f, "</title>");
    }
    for (int i = 0; i < b->n_lines; i++) {
        nashc_out_printf(f, "<text%s x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
                         i == 0 && b->node ? " class=\"op\"" : "", b->x, y + 17 + 15.0 * i);
        draw_escaped(f, b->line[i]);
        nashc_out_printf(f, "</text>");
    }
    nashc_out_printf(f, "</g>\n");
}

static void
draw_edge_at(nashc_outfile *f, const drawing *dr, const draw_edge *e, double top)
{
    const draw_box *p = &dr->box[e->from], *q = &dr->box[e->to];
    double y0 = top + p->y + p->h / 2, y1 = top + q->y - q->h / 2, bow = (y1 - y0) / 2;
    nashc_out_printf(f, "<path class=\"line\"%s d=\"M%.1f,%.1fC%.1f,%.1f %.1f,%.1f %.1f,%.1f\"/>\n",
                     e->last ? " marker-end=\"url(#arrow)\"" : "", p->x, y0, p->x, y0 + bow, q->x,
                     y1 - bow, q->x, y1);
}

static void
draw_labels(nashc_outfile *f, const drawing *dr, double top)
{
    for (int i = 0; i < dr->n_edges; i++) {
        const draw_edge *e = &dr->edge[i];
        if (!e->label)
            continue;
        const draw_box *p = &dr->box[e->from];
        nashc_out_printf(f, "<text class=\"label\" x=\"%.1f\" y=\"%.1f\">", p->x + 5,
                         top + p->y + p->h / 2 + 12);
        draw_escaped(f, e->label);
        nashc_out_printf(f, "</text>\n");
    }
}

nashc_status
draw_svg_graph(nashc_outfile *f, const nashc_graph *g, double top, double *width, double *height,
               nashc_arena *a, nashc_diag *d)
{
    drawing dr;
    nashc_status s = draw_layout(g, a, &dr, d);
    if (s != NASHC_OK)
        return s;
    if (f) {
        nashc_out_printf(f, "<text class=\"name\" x=\"16\" y=\"%.1f\">@", top + 20);
        draw_escaped(f, nashc_graph_name(g));
        nashc_out_printf(f, "</text>\n");
        for (int i = 0; i < dr.n_edges; i++)
            draw_edge_at(f, &dr, &dr.edge[i], top + TITLE_HEIGHT);
        draw_labels(f, &dr, top + TITLE_HEIGHT);
        for (int i = 0; i < dr.n_boxes; i++)
            draw_box_at(f, &dr.box[i], top + TITLE_HEIGHT, a);
    }
    *width = dr.width > *width ? dr.width : *width;
    *height += dr.height + TITLE_HEIGHT;
    return s;
}

nashc_status
draw_measure(const nashc_module *m, double *width, double *height, nashc_arena *a, nashc_diag *d)
{
    nashc_status s = NASHC_OK;
    *width = *height = 0;
    for (int i = 0; s == NASHC_OK && i < nashc_module_n_graphs(m); i++)
        s = draw_svg_graph(NULL, nashc_module_graph_at(m, i), 0, width, height, a, d);
    return s;
}

static nashc_status
svg_write(const nashc_module *m, const char *path, const nashc_opts *o, nashc_diag *d)
{
    double width = 0, height = 0, top = 0;
    (void)o;
    nashc_arena *a = nashc_arena_create();
    nashc_status s = a ? draw_measure(m, &width, &height, a, d) : nashc_enomem(d);
    nashc_outfile *f = s == NASHC_OK ? nashc_out_open(path, d) : NULL;
    if (s == NASHC_OK && !f)
        s = NASHC_EIO;
    if (f)
        draw_svg_open(f, width, height);
    for (int i = 0; s == NASHC_OK && i < nashc_module_n_graphs(m); i++)
        s = draw_svg_graph(f, nashc_module_graph_at(m, i), top, &width, &top, a, d);
    if (f && s == NASHC_OK) {
        nashc_out_printf(f, "</svg>\n");
        s = nashc_out_commit(f, d);
    } else {
        nashc_out_drop(f);
    }
    nashc_arena_free(a);
    return s;
}

const nashc_backend nashc_backend_svg = {
    NASHC_DESC(nashc_backend), .name = "svg",      .help = "picture of the graph",
    .suffixes = ".svg",        .write = svg_write,
};
