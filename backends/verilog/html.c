/* html.c: report/index.html: one self-contained page, charts as inline SVG. */
#include "build.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

static void
escaped(FILE *f, const char *s)
{
    char piece[8];
    while (s && *s) {
        s += nashc_text_piece(s, piece);
        if (strchr("<>&\"", piece[0]))
            fprintf(f, "&#%d;", piece[0]);
        else
            fputs(piece, f);
    }
}

typedef uint64_t (*measure)(const design *z, const nashc_node *n);

static uint64_t
luts(const design *z, const nashc_node *n)
{
    return cost_of(z, n).lut;
}

static uint64_t
flops(const design *z, const nashc_node *n)
{
    return cost_of(z, n).ff;
}

/* Horizontal bars, one a layer, all to the scale of the longest. */
static void
chart(design *z, FILE *f, const char *title, measure of)
{
    uint64_t most = 1;
    int y = 0, rows = 0;

    NASHC_EACH_NODE(z->f, n)
    {
        most = of(z, n) > most ? of(z, n) : most;
        rows++;
    }
    fprintf(f, "<h2>%s</h2>\n<svg viewBox=\"0 0 900 %d\" role=\"img\" aria-label=\"%s\">\n", title,
            rows * 22 + 4, title);
    NASHC_EACH_NODE(z->f, n)
    {
        uint64_t v = of(z, n);
        fprintf(f, "<text x=\"0\" y=\"%d\">", y + 15);
        escaped(f, z->names[nashc_node_id(n)]);
        fprintf(f,
                "</text><rect x=\"260\" y=\"%d\" width=\"%.1f\" height=\"16\"/>"
                "<text x=\"%.1f\" y=\"%d\">%" PRIu64 "</text>\n",
                y + 3, 520.0 * (double)v / (double)most, 266.0 + 520.0 * (double)v / (double)most,
                y + 15, v);
        y += 22;
    }
    fprintf(f, "</svg>\n");
}

/* The layers as boxes, in order, with the streams between them. */
static void
drawing(design *z, FILE *f)
{
    int *row = NASHC_NEW_N(z->a, int, nashc_graph_max_id(z->f) + 1), rows = 0;

    if (!row)
        return;
    NASHC_EACH_NODE(z->f, n)
    {
        row[nashc_node_id(n)] = rows++;
    }
    fprintf(f, "<h2>Graph</h2>\n<svg viewBox=\"0 0 900 %d\" role=\"img\" aria-label=\"graph\">\n",
            rows * 56 + 10);
    NASHC_EACH_NODE(z->f, n)
    {
        int y = row[nashc_node_id(n)] * 56;
        fprintf(f, "<rect class=\"box\" x=\"60\" y=\"%d\" width=\"420\" height=\"30\" rx=\"4\"/>",
                y + 4);
        fprintf(f, "<text x=\"70\" y=\"%d\">", y + 24);
        escaped(f, z->names[nashc_node_id(n)]);
        fprintf(f, "</text><text class=\"dim\" x=\"500\" y=\"%d\">", y + 24);
        escaped(f, nashc_node_attr_text(n, z->a));
        fprintf(f, "</text>\n");
        for (int i = 0; i < nashc_node_n_out(n); i++) {
            const nashc_value *v = nashc_node_out(n, i);
            const link *l = &z->links[nashc_value_id(v)];
            const nashc_node *to = nashc_value_one_user(v);
            int end = to ? row[nashc_node_id(to)] * 56 + 4 : y + 52, x = 270 + 12 * i;
            fprintf(f, "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>", x, y + 34, x, end);
            if (i == 0)
                fprintf(f,
                        "<text class=\"dim\" x=\"%d\" y=\"%d\">%" PRId64 " x %u bit, %" PRId64
                        " beats</text>\n",
                        x + 10 + 12 * nashc_node_n_out(n), y + 50, l->s.lanes, l->s.elem.bits,
                        l->s.beats);
        }
    }
    fprintf(f, "</svg>\n");
}

static void
table(design *z, FILE *f)
{
    fprintf(f, "<h2>Layers</h2>\n<table><tr><th>layer</th><th>folding</th><th>cycles</th>"
               "<th>LUT</th><th>FF</th><th>BRAM18</th><th>URAM</th><th>DSP</th>"
               "<th>deepest fill</th></tr>\n");
    NASHC_EACH_NODE(z->f, n)
    {
        nashc_cost c = cost_of(z, n);
        fprintf(f, "<tr><td title=\"");
        escaped(f, nashc_node_line(n, z->a));
        fprintf(f, "\">");
        escaped(f, z->names[nashc_node_id(n)]);
        fprintf(f, "</td><td>");
        escaped(f, nashc_node_attr_text(n, z->a));
        fprintf(f,
                "</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%" PRIu64
                "</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%u</td></tr>\n",
                cycles_of(z, n), c.lut, c.ff, c.bram18, c.uram, c.dsp,
                z->flow.occupancy[nashc_value_id(nashc_node_out(n, 0))]);
    }
    fprintf(f, "</table>\n");
}

/* What of the device the layers need. */
static void
utilisation(design *z, FILE *f)
{
    nashc_demand demand[NASHC_DEMANDS];
    nashc_cost sum = {0};

    if (!z->dev)
        return;
    NASHC_EACH_NODE(z->f, n)
    {
        nashc_cost c = cost_of(z, n);
        nashc_cost_add(&sum, &c);
    }
    nashc_device_demand(z->dev, &sum, demand);
    fprintf(f,
            "<h2>Utilisation of %s</h2>\n<table><tr><th>resource</th><th>needed</th>"
            "<th>there</th><th>%%</th></tr>\n",
            z->dev->name);
    for (int i = 0; i < NASHC_DEMANDS; i++)
        fprintf(f, "<tr><td>%s</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%.3g</td></tr>\n",
                demand[i].name, demand[i].need, demand[i].have, demand[i].percent);
    fprintf(f, "</table>\n");
}

nashc_status
write_html(design *z)
{
    double interval = nashc_flow_interval(&z->flow);
    text t;

    if (!text_open(&t))
        return nashc_enomem(z->d);
    fprintf(t.f,
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%s</title>\n"
            "<style>body{font:15px sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
            "svg{width:100%%}svg text{font:13px sans-serif}rect{fill:#4477aa}"
            ".box{fill:#dde8f3;stroke:#4477aa}.dim{fill:#666}line{stroke:#666}"
            "table{border-collapse:collapse}td,th{padding:2px 8px;border-bottom:1px solid #ccc;"
            "text-align:right}td:nth-child(-n+2),th:nth-child(-n+2){text-align:left}</style>"
            "</head><body>\n<h1>%s</h1>\n",
            z->top, z->top);
    fprintf(t.f,
            "<p>A frame every <b>%g</b> cycles, %.6g frames a second at %g ns; latency of a frame "
            "<b>%" PRIu64 "</b> cycles, %.6g us. Both from the cycle-exact model.</p>\n",
            interval, 1e9 / z->clk_ns / interval, z->clk_ns, z->flow.latency,
            (double)z->flow.latency * z->clk_ns / 1000);
    fprintf(t.f, "<p>Device: %s. Verification: ", z->dev ? z->dev->name : "none given");
    escaped(t.f, z->verified[0] ? z->verified : "none");
    fprintf(t.f, ". Resources are estimates.</p>\n");
    utilisation(z, t.f);
    chart(z, t.f, "Cycles a frame", cycles_of);
    chart(z, t.f, "LUT", luts);
    chart(z, t.f, "Flip-flops", flops);
    table(z, t.f);
    drawing(z, t.f);
    fprintf(t.f, "</body></html>\n");
    return text_write(&t, z->dir, "report/index.html", z->d);
}
