/* picture.c: the genotype that was found, and how the search went, as SVG pictures. */
#include "plugins/train/search/search.h"
#include <math.h>
#include <string.h>

/* --- the genotype ---------------------------------------------------------------------------- */

enum { CELL_W = 760, ROW_H = 150, STATE = 110, LEFT = 70 };

static const char *
colour_of(search_kind k)
{
    return k == SEARCH_CONV ? "#2c5fb3" : k == SEARCH_POOL ? "#b3452c" : "#777";
}

static int
x_of(int state)
{
    return LEFT + STATE * state;
}

/* States of a group in a row, the backbone straight, branches as arcs. */
static void
draw_group(nashc_outfile *f, const search_run *r, int g, const search_pick *pick)
{
    const search_group *p = &r->space.group[g];
    int y = ROW_H * g + 100;

    nashc_out_printf(f, "<text x=\"8\" y=\"%d\" font-weight=\"bold\">group %d</text>\n", y - 80, g);
    for (int i = 0; i < p->steps; i++) {
        int from = x_of(pick[i].source), to = x_of(i + 1), up = 26 + 16 * (i + 1 - pick[i].source);
        const char *name = r->space.op[pick[i].op].tag;
        nashc_out_printf(f, "<path d=\"M%d %dH%d\" stroke=\"#bbb\"/>\n", x_of(i), y, to);
        if (r->kind[pick[i].op] == SEARCH_NONE)
            continue;
        nashc_out_printf(f,
                         "<path d=\"M%d %dC%d %d %d %d %d %d\" fill=\"none\" stroke=\"%s\" "
                         "stroke-width=\"2\"/>\n<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" "
                         "fill=\"%s\">%s</text>\n",
                         from, y, from, y - up, to, y - up, to, y, colour_of(r->kind[pick[i].op]),
                         (from + to) / 2, y - up * 3 / 4 - 3, colour_of(r->kind[pick[i].op]), name);
    }
    for (int i = 0; i <= p->steps; i++)
        nashc_out_printf(f,
                         "<circle cx=\"%d\" cy=\"%d\" r=\"14\" fill=\"#fff\" stroke=\"#333\"/>\n"
                         "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">S%d</text>\n",
                         x_of(i), y, x_of(i), y + 4, i);
}

nashc_status
search_write_cell(search_run *r, const char *path)
{
    const search_pick *pick = r->best;
    nashc_outfile *f = nashc_out_open(path, r->diag);
    int most = 0;

    if (!f)
        return NASHC_EIO;
    for (int g = 0; g < r->space.n_groups; g++)
        most = r->space.group[g].steps > most ? r->space.group[g].steps : most;
    int width = x_of(most) + LEFT;
    nashc_out_printf(f,
                     "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
                     "font-family=\"sans-serif\" font-size=\"11\">\n"
                     "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                     width < CELL_W ? CELL_W : width, ROW_H * r->space.n_groups);
    for (int g = 0; g < r->space.n_groups; g++) {
        draw_group(f, r, g, pick);
        pick += r->space.group[g].steps;
    }
    nashc_out_printf(f, "</svg>\n");
    return nashc_out_commit(f, r->diag);
}

/* --- curves ---------------------------------------------------------------------------------- */

enum { WIDTH = 640, PANEL = 170, PLOT = 120, MARGIN = 60 };

typedef struct curve {
    const char *name, *colour;
    size_t at; /* in search_row */
} curve;

/* Columns by their place in search_row, which holds doubles only. */
static double
value(const search_row *row, const curve *c)
{
    double v;

    memcpy(&v, (const char *)row + c->at, sizeof v);
    return v;
}

static double
largest(const search_run *r, const curve *c, int n)
{
    double most = 1e-12;

    for (int64_t i = 0; i < r->n_rows; i++)
        for (int k = 0; k < n; k++)
            most = isfinite(value(&r->row[i], &c[k])) ? fmax(most, value(&r->row[i], &c[k])) : most;
    return most;
}

/* From 0 to the largest value; what is not finite leaves a gap. */
static void
draw_panel(nashc_outfile *f, const search_run *r, int number, const curve *c, int n)
{
    double most = largest(r, c, n), last = fmax(r->row[r->n_rows - 1].step, 1.0);
    int top = PANEL * number + 30;

    for (int i = 0; i <= 2; i++)
        nashc_out_printf(f,
                         "<path d=\"M%d %dH%d\" stroke=\"#ccc\"/>\n<text x=\"%d\" y=\"%d\" "
                         "text-anchor=\"end\">%.3g</text>\n",
                         MARGIN, top + PLOT * i / 2, WIDTH - 20, MARGIN - 6, top + PLOT * i / 2 + 4,
                         most * (2 - i) / 2);
    for (int k = 0; k < n; k++) {
        nashc_out_printf(f,
                         "<text x=\"%d\" y=\"%d\" fill=\"%s\">%s</text>\n<polyline fill=\"none\" "
                         "stroke=\"%s\" stroke-width=\"2\" points=\"",
                         MARGIN + 150 * k, top - 8, c[k].colour, c[k].name, c[k].colour);
        for (int64_t i = 0; i < r->n_rows; i++)
            if (isfinite(value(&r->row[i], &c[k])))
                nashc_out_printf(f, "%.1f,%.1f ",
                                 MARGIN + (WIDTH - 20 - MARGIN) * r->row[i].step / last,
                                 top + PLOT * (1.0 - value(&r->row[i], &c[k]) / most));
        nashc_out_printf(f, "\"/>\n");
    }
}

#define CURVE(name_, colour_, member)                                                              \
    {                                                                                              \
        name_, colour_, offsetof(search_row, member)                                               \
    }

nashc_status
search_write_curves(search_run *r, const char *path)
{
    static const curve loss[] = {CURVE("loss of weights", "#b3452c", loss_weights),
                                 CURVE("loss of gates", "#2c5fb3", loss_alpha)};
    static const curve right[] = {CURVE("accuracy", "#b3452c", accuracy_weights),
                                  CURVE("accuracy of gates", "#2c5fb3", accuracy_alpha),
                                  CURVE("skips", "#777", skips)};
    static const curve entropy[] = {CURVE("entropy of gates", "#2c7a3f", entropy)};
    static const curve cost[] = {CURVE("expected cost", "#7a2c7a", cost)};
    nashc_outfile *f = nashc_out_open(path, r->diag);

    if (!f)
        return NASHC_EIO;
    nashc_out_printf(f,
                     "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
                     "font-family=\"sans-serif\" font-size=\"11\">\n"
                     "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                     WIDTH, PANEL * (r->costs.any ? 4 : 3) + 20);
    draw_panel(f, r, 0, loss, 2);
    draw_panel(f, r, 1, right, 3);
    draw_panel(f, r, 2, entropy, 1);
    if (r->costs.any)
        draw_panel(f, r, 3, cost, 1);
    nashc_out_printf(
        f, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">step, to %.0f</text>\n</svg>\n",
        WIDTH / 2, PANEL * (r->costs.any ? 4 : 3) + 10, r->row[r->n_rows - 1].step);
    return nashc_out_commit(f, r->diag);
}
