/* html.c: report/index.html: one self-contained page, charts and the graph as inline SVG.
 *
 * FIFOs and width converters, of which there may be hundreds, are one row each: what they cost
 * together. Numbers have units and no exponents.
 */
#include "build.h"
#include <inttypes.h>
#include <math.h>
#include <nashc/pass.h>
#include <nashc/ports.h>
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

/* --- numbers ---------------------------------------------------------------------------------- */

/* "12,545", into a buffer of 40 bytes. */
static const char *
grouped(uint64_t n, char *buf)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, n), at = 0;

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            buf[at++] = ',';
        buf[at++] = digits[i];
    }
    buf[at] = 0;
    return buf;
}

/* Three digits that count, no exponent; large numbers grouped. */
static const char *
plain(double x, char *buf)
{
    if (!(x < 1e18))
        return strcpy(buf, "unbounded");
    if (x >= 1000)
        return grouped((uint64_t)(x + 0.5), buf);
    snprintf(buf, 40, "%.*f", x >= 100 || x == floor(x) ? 0 : x >= 10 ? 1 : x >= 1 ? 2 : 3, x);
    return buf;
}

/* A time in the unit that fits. */
static void
put_time(FILE *f, double ns)
{
    static const struct {
        double ns;
        const char *name;
    } units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {0, "ns"}};
    char buf[40];
    int i = 0;

    while (ns < units[i].ns)
        i++;
    fprintf(f, "%s %s", plain(ns / (units[i].ns > 0 ? units[i].ns : 1), buf), units[i].name);
}

/* --- layers ----------------------------------------------------------------------------------- */

/* What a row of charts and tables shows: a layer, or all FIFOs or converters. */
typedef struct row {
    const nashc_node *n; /* NULL: many */
    const char *name;
    nashc_cost cost;
    uint64_t cycles;
} row;

typedef struct rows {
    row *at;
    int n;
    nashc_cost total;
    uint64_t slowest;
    const char *slowest_name;
} rows;

static bool
collect(const design *z, rows *out)
{
    static const char *const folded[][2] = {{"hw.dwc", "width converters"}, {"hw.fifo", "FIFOs"}};
    row many[2] = {{0}};
    int count[2] = {0};

    out->at = NASHC_NEW_N(z->a, row, nashc_graph_n_nodes(z->f) + 2);
    NASHC_EACH_NODE(z->f, n)
    {
        nashc_cost c = cost_of(z, n);
        int k = nashc_node_is(n, folded[0][0]) ? 0 : nashc_node_is(n, folded[1][0]) ? 1 : -1;
        if (!out->at)
            return false;
        nashc_cost_add(&out->total, &c);
        if (k >= 0) {
            nashc_cost_add(&many[k].cost, &c);
            count[k]++;
            continue;
        }
        out->at[out->n++] = (row){n, z->names[nashc_node_id(n)], c, cycles_of(z, n)};
        if (cycles_of(z, n) > out->slowest) {
            out->slowest = cycles_of(z, n);
            out->slowest_name = z->names[nashc_node_id(n)];
        }
    }
    for (int k = 0; k < 2; k++) {
        many[k].name = nashc_arena_printf(z->a, "%d %s", count[k], folded[k][1]);
        if (count[k] > 0)
            out->at[out->n++] = many[k];
    }
    return out->at != NULL;
}

typedef uint64_t (*measure)(const row *r);

static uint64_t
get_cycles(const row *r)
{
    return r->cycles;
}

static uint64_t
get_lut(const row *r)
{
    return r->cost.lut;
}

static uint64_t
get_ff(const row *r)
{
    return r->cost.ff;
}

static uint64_t
get_bram(const row *r)
{
    return r->cost.bram18;
}

static uint64_t
get_uram(const row *r)
{
    return r->cost.uram;
}

static uint64_t
get_dsp(const row *r)
{
    return r->cost.dsp;
}

/* Horizontal bars, all to the scale of the longest; nothing where all are 0. */
static void
chart(FILE *f, const rows *r, const char *title, const char *unit, measure of)
{
    uint64_t most = 0;
    int y = 0, shown = 0;
    char buf[40];

    for (int i = 0; i < r->n; i++) {
        most = of(&r->at[i]) > most ? of(&r->at[i]) : most;
        shown += of(&r->at[i]) > 0;
    }
    if (most == 0)
        return;
    fprintf(f, "<h2>%s</h2>\n<svg viewBox=\"0 0 900 %d\" role=\"img\" aria-label=\"%s\">\n", title,
            shown * 22 + 4, title);
    for (int i = 0; i < r->n; i++) {
        uint64_t v = of(&r->at[i]);
        double width = 420.0 * (double)v / (double)most;
        if (v == 0)
            continue;
        fprintf(f, "<text x=\"0\" y=\"%d\">", y + 15);
        escaped(f, r->at[i].name);
        fprintf(f,
                "</text><rect x=\"300\" y=\"%d\" width=\"%.1f\" height=\"16\"/>"
                "<text x=\"%.1f\" y=\"%d\">%s %s</text>\n",
                y + 3, width, 306.0 + width, y + 15, grouped(v, buf), unit);
        y += 22;
    }
    fprintf(f, "</svg>\n");
}

static void
table_row(design *z, FILE *f, const row *r, bool fill)
{
    const uint64_t cells[] = {r->cycles,      r->cost.lut,  r->cost.ff,
                              r->cost.bram18, r->cost.uram, r->cost.dsp};
    char buf[40];

    fprintf(f, "<tr><td title=\"");
    escaped(f, r->n ? nashc_node_line(r->n, z->a) : "");
    fprintf(f, "\">");
    escaped(f, r->name);
    fprintf(f, "</td><td>");
    escaped(f, r->n && nashc_node_loc(r->n)->name ? nashc_node_loc(r->n)->name : "");
    fprintf(f, "</td><td>");
    escaped(f, r->n ? nashc_node_attr_text(r->n, z->a) : "");
    for (size_t i = 0; i < NASHC_COUNT(cells); i++)
        fprintf(f, "</td><td>%s", i == 0 && r->cycles == 0 ? "" : grouped(cells[i], buf));
    if (fill)
        fprintf(f, "</td><td>%s",
                grouped(z->flow.occupancy[nashc_value_id(nashc_node_out(r->n, 0))], buf));
    fprintf(f, "</td></tr>\n");
}

static const char table_head[] =
    "<table><tr><th>layer</th><th>source node</th><th>folding</th><th>cycles</th><th>LUT</th>"
    "<th>FF</th><th>BRAM18</th><th>URAM</th><th>DSP</th>";

static void
tables(design *z, FILE *f, const rows *r)
{
    row total = {.name = "total", .cost = r->total};

    fprintf(f, "<h2>Layers</h2>\n<div class=\"wide sum\">%s</tr>\n", table_head);
    for (int i = 0; i < r->n; i++)
        table_row(z, f, &r->at[i], false);
    table_row(z, f, &total, false);
    fprintf(f,
            "</table></div>\n<details><summary>FIFOs and width converters, one by one</summary>"
            "<div class=\"wide\">%s<th>most beats held</th></tr>\n",
            table_head);
    NASHC_EACH_NODE(z->f, n)
    {
        row one = {n, z->names[nashc_node_id(n)], cost_of(z, n), cycles_of(z, n)};
        if (nashc_node_is(n, "hw.fifo") || nashc_node_is(n, "hw.dwc"))
            table_row(z, f, &one, true);
    }
    fprintf(f, "</table></div></details>\n");
}

/* --- the whole -------------------------------------------------------------------------------- */

/* What of the device the layers need. */
static void
utilisation(const design *z, FILE *f, const rows *r)
{
    nashc_demand demand[NASHC_DEMANDS];
    char need[40], have[40], percent[40];

    if (!z->dev)
        return;
    nashc_device_demand(z->dev, &r->total, demand);
    fprintf(f, "<h2>Use of %s</h2>\n<svg viewBox=\"0 0 900 %d\" role=\"img\" aria-label=\"use\">\n",
            z->dev->name, NASHC_DEMANDS * 22 + 4);
    for (int i = 0; i < NASHC_DEMANDS; i++) {
        double part = demand[i].percent < 100 ? demand[i].percent : 100;
        int y = 22 * i;
        fprintf(f,
                "<text x=\"0\" y=\"%d\">%s</text><rect class=\"whole\" x=\"120\" y=\"%d\" "
                "width=\"420\" height=\"16\"/><rect%s x=\"120\" y=\"%d\" width=\"%.1f\" "
                "height=\"16\"/><text x=\"548\" y=\"%d\">%s %% (%s of %s)</text>\n",
                y + 15, demand[i].name, y + 3, demand[i].percent > 100 ? " class=\"over\"" : "",
                y + 3, 4.2 * part, y + 15, plain(demand[i].percent, percent),
                grouped(demand[i].need, need), grouped(demand[i].have, have));
    }
    fprintf(f, "</svg>\n");
}

static void
summary(const design *z, FILE *f, const rows *r)
{
    double interval = nashc_flow_interval(&z->flow);
    char a[40], b[40], c[40];

    fprintf(f, "<p>A frame every <b>%s cycles</b> (", plain(interval, a));
    put_time(f, interval * z->clk_ns);
    fprintf(f,
            "): <b>%s frames a second</b> at %s MHz (%s ns). Latency of a frame <b>%s cycles</b> (",
            plain(1e9 / z->clk_ns / interval, a), plain(1e3 / z->clk_ns, b), plain(z->clk_ns, c),
            grouped(z->flow.latency, (char[40]){0}));
    put_time(f, (double)z->flow.latency * z->clk_ns);
    fprintf(f, "). Both from the cycle-exact model.</p>\n");
    if (r->slowest > 0) {
        double over = interval - (double)r->slowest;
        fprintf(f, "<p>Bottleneck: <b>%s</b>, %s cycles a frame. ", r->slowest_name,
                grouped(r->slowest, a));
        if (over < 0.5)
            fprintf(f, "The interval is that of this layer.</p>\n");
        else
            fprintf(f,
                    "The interval is longer by %s (%s %%), as streams wait for each other.</p>\n",
                    plain(over, b), plain(100 * over / (double)r->slowest, c));
    }
    fprintf(f, "<p>Device: %s. Verification: ", z->dev ? z->dev->name : "none given");
    escaped(f, z->verified[0] ? z->verified : "none");
    fprintf(f, ". Resources are estimates: %s LUT, %s FF, ", grouped(r->total.lut, a),
            grouped(r->total.ff, b));
    fprintf(f, "%s BRAM18, %s URAM, %s DSP in all.</p>\n", grouped(r->total.bram18, a),
            grouped(r->total.uram, b), grouped(r->total.dsp, c));
}

static void
port_row(FILE *f, const char *side, int i, const nashc_port *p)
{
    char elem[NASHC_TYPE_STR_MAX] = "", buf[40];

    nashc_type_finn_name(&p->s.elem, elem, sizeof elem);
    fprintf(f, "<tr><td>%s%d</td><td>", side, i);
    escaped(f, p->name);
    fprintf(f, "</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>\n", elem,
            p->layout, grouped((uint64_t)p->s.lanes, (char[40]){0}),
            grouped((uint64_t)p->s.beats, buf), nashc_port_encoding(p));
}

/* What the model has that the hardware has not, and the streams between them. */
static nashc_status
host_part(design *z, FILE *f)
{
    nashc_ports p;
    nashc_status s = nashc_ports_of(z->m, z->f, &p, z->a, z->d);

    if (s != NASHC_OK)
        return s;
    fprintf(f, "<h2>Host</h2>\n<p>In front of the hardware: ");
    escaped(f, p.front[0] ? p.front : "nothing");
    fprintf(f, ". Behind it: ");
    escaped(f, p.behind[0] ? p.behind : "nothing");
    fprintf(f,
            ". A beat is whole bytes, its first element in the low bits; see <code>driver/</code>."
            "</p>\n<table><tr><th>stream</th><th>of</th><th>element</th><th>axes</th>"
            "<th>elements a beat</th><th>beats a frame</th><th>encoding</th></tr>\n");
    for (int i = 0; i < p.n_in; i++)
        port_row(f, "s_axis_", i, &p.in[i]);
    for (int i = 0; i < p.n_out; i++)
        port_row(f, "m_axis_", i, &p.out[i]);
    fprintf(f, "</table>\n");
    return NASHC_OK;
}

/* The module without FIFOs and converters as report/graph.svg, and in the page. */
static nashc_status
picture(design *z, FILE *f)
{
    const nashc_backend *svg = nashc_find(z->ctx, NASHC_D_BACKEND, "svg");
    const char *path = nashc_arena_printf(z->a, "%s/report/graph.svg", z->dir);
    nashc_module *m = svg ? nashc_module_clone(z->m) : NULL;
    nashc_opts *o = svg ? nashc_opts_create(z->a, svg->options) : NULL;
    char *drawing;
    size_t size;
    nashc_status s = NASHC_OK;

    if (!svg)
        return NASHC_OK;
    if (!path || !m || !o)
        s = nashc_enomem(z->d);
    if (s == NASHC_OK)
        s = nashc_run_pipeline(&m, "remove-dwc-fifo", NULL, z->d);
    if (s == NASHC_OK)
        s = nashc_backend_write(svg, m, path, o, z->d);
    nashc_module_free(m);
    if (s != NASHC_OK ||
        (s = nashc_file_read(path, NASHC_MAX_BYTES, &drawing, &size, z->d)) != NASHC_OK)
        return s;
    fprintf(f, "<h2>Graph</h2>\n<p>Without FIFOs and width converters.</p>\n<div class=\"graph\">");
    fwrite(drawing, 1, size, f);
    fprintf(f, "</div>\n");
    nashc_mem_free(drawing);
    return NASHC_OK;
}

static const char style[] =
    "body{font:15px sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}"
    "body>svg{width:100%}body>svg text{font:13px sans-serif}body>svg rect{fill:#4477aa}"
    "body>svg rect.whole{fill:#e4e9ee}body>svg rect.over{fill:#cc3311}"
    "table{border-collapse:collapse;font-size:13px}td,th{padding:2px 8px;border-bottom:1px solid "
    "#ccc;text-align:right;white-space:nowrap}td:nth-child(-n+3),th:nth-child(-n+3){text-align:"
    "left;"
    "white-space:normal}.sum tr:last-child td{font-weight:bold}"
    ".wide{overflow-x:auto}.graph{overflow:auto;max-height:48rem;border:1px solid #ccc}"
    "summary{cursor:pointer;margin:1rem 0}";

nashc_status
write_html(design *z)
{
    nashc_status s = NASHC_OK;
    rows r = {0};
    text t;

    if (!collect(z, &r) || !text_stream_open(&t))
        return nashc_enomem(z->d);
    fprintf(t.f,
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%s</title>\n"
            "<style>%s</style></head><body>\n<h1>%s</h1>\n",
            z->top, style, z->top);
    summary(z, t.f, &r);
    utilisation(z, t.f, &r);
    s = host_part(z, t.f);
    chart(t.f, &r, "Cycles a frame", "cycles", get_cycles);
    chart(t.f, &r, "Look-up tables", "LUT", get_lut);
    chart(t.f, &r, "Flip-flops", "FF", get_ff);
    chart(t.f, &r, "Block RAMs", "BRAM18", get_bram);
    chart(t.f, &r, "UltraRAMs", "URAM", get_uram);
    chart(t.f, &r, "DSP blocks", "DSP", get_dsp);
    tables(z, t.f, &r);
    if (s == NASHC_OK)
        s = picture(z, t.f);
    fprintf(t.f, "</body></html>\n");
    nashc_status w = text_write(&t, z->dir, "report/index.html", z->d);
    return s == NASHC_OK ? w : s;
}
