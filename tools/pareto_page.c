/* pareto_page.c: points of accuracy against cost as a table, a picture and a page. */
#include "pareto.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Pixels: panels stand in two columns below the legend. */
enum { PANEL_W = 460, PANEL_H = 320, LEFT = 58, RIGHT = 16, TOP = 34, BOTTOM = 44, LEGEND = 40 };

static const char *const colours[] = {"#2c5fb3", "#b3452c", "#2c7a3f", "#7a2c7a",
                                      "#a07a00", "#007a86", "#555555", "#c2185b"};

/* --- table ----------------------------------------------------------------------------------- */

static nashc_outfile *
open_in(const char *dir, const char *name, nashc_diag *d)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return nashc_out_open(path, d);
}

/* A name in a table of commas. */
static void
put_cell(nashc_outfile *f, const char *s)
{
    bool plain = !strpbrk(s, ",\"\n");

    nashc_out_printf(f, plain ? "" : "\"");
    for (; *s; s++)
        nashc_out_printf(f, *s == '"' ? "\"\"" : "%c", *s);
    nashc_out_printf(f, plain ? "" : "\"");
}

nashc_status
pareto_write_csv(const pareto *p, const char *dir, nashc_diag *d)
{
    nashc_outfile *f = open_in(dir, "points.csv", d);

    if (!f)
        return NASHC_EIO;
    nashc_out_printf(f,
                     "run,group,device,target_fps,accuracy,lut,ff,bram18,uram,dsp,fps,"
                     "latency_cycles,fits,reached,front_lut,front_bram18,front_dsp,front_fps%s\n",
                     p->library ? ",area,front_area" : "");
    for (int i = 0; i < p->n; i++) {
        const pareto_point *q = &p->point[i];
        put_cell(f, q->run);
        nashc_out_printf(f, ",");
        put_cell(f, q->group ? q->group : "");
        nashc_out_printf(f, ",");
        put_cell(f, q->goal->device ? q->goal->device : "");
        nashc_out_printf(
            f, ",%g,%.6f,%.0f,%" PRIu64 ",%.0f,%" PRIu64 ",%.0f,%.6g,%" PRIu64 ",%d,%d,%d,%d,%d,%d",
            q->goal->fps, q->accuracy, q->at[PARETO_LUT], q->ff, q->at[PARETO_BRAM], q->uram,
            q->at[PARETO_DSP], q->at[PARETO_FPS], q->latency, q->fits, q->reached, q->front[0],
            q->front[1], q->front[2], q->front[3]);
        if (p->library)
            nashc_out_printf(f, ",%.6g,%d", q->at[PARETO_AREA], q->front[PARETO_AREA]);
        nashc_out_printf(f, "\n");
    }
    return nashc_out_commit(f, d);
}

/* --- picture --------------------------------------------------------------------------------- */

typedef struct panel {
    const pareto *p;
    pareto_axis axis;
    int x0, y0;
    double most, low, high; /* of the cost; of the accuracy */
} panel;

static double
x_of(const panel *v, double cost)
{
    return v->x0 + LEFT + (PANEL_W - LEFT - RIGHT) * cost / v->most;
}

static double
y_of(const panel *v, double accuracy)
{
    return v->y0 + TOP + (PANEL_H - TOP - BOTTOM) * (v->high - accuracy) / (v->high - v->low);
}

/* 1, 2 or 5 times a power of ten, at least v. */
static double
round_up(double v)
{
    static const double step[] = {1.0, 2.0, 5.0, 10.0};
    double base = pow(10.0, floor(log10(v > 0.0 ? v : 1.0)));

    for (size_t i = 0; i < NASHC_COUNT(step); i++)
        if (step[i] * base >= v)
            return step[i] * base;
    return v;
}

/* The accuracy from 15 % below the least to above the best, within 0..1, at least half a per cent
 * either way: one point alone has a scale, too. */
static panel
panel_of(const pareto *p, pareto_axis a)
{
    panel v = {.p = p,
               .axis = a,
               .x0 = PANEL_W * (int)(a % 2),
               .y0 = LEGEND + PANEL_H * (int)(a / 2),
               .low = 1.0,
               .high = 0.0};

    for (int i = 0; i < p->n; i++) {
        v.most = fmax(v.most, p->point[i].at[a]);
        v.low = fmin(v.low, p->point[i].accuracy);
        v.high = fmax(v.high, p->point[i].accuracy);
    }
    double room = fmax(0.15 * (v.high - v.low), 0.005);
    v.most = round_up(v.most);
    v.low = fmax(0.0, v.low - room);
    v.high = fmin(1.0, v.high + room);
    return v;
}

static void
draw_axes(nashc_outfile *f, const panel *v)
{
    for (int i = 0; i <= 4; i++) {
        double a = v->low + (v->high - v->low) * i / 4, c = v->most * i / 4;
        nashc_out_printf(f,
                         "<path d=\"M%d %.1fH%d\" stroke=\"#ddd\"/>\n<text x=\"%d\" y=\"%.1f\" "
                         "text-anchor=\"end\">%.2f %%</text>\n<text x=\"%.1f\" y=\"%d\" "
                         "text-anchor=\"middle\">%.4g</text>\n",
                         v->x0 + LEFT, y_of(v, a), v->x0 + PANEL_W - RIGHT, v->x0 + LEFT - 5,
                         y_of(v, a) + 4, 100.0 * a, x_of(v, c), v->y0 + PANEL_H - BOTTOM + 16, c);
    }
    nashc_out_printf(f,
                     "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" font-weight=\"bold\">%s "
                     "against %s</text>\n",
                     v->x0 + PANEL_W / 2, v->y0 + 20, v->p->figure, pareto_names[v->axis]);
}

static int
by_cost(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (x[0] > y[0]) - (x[0] < y[0]);
}

/* The front of one goal as steps. More cost buys accuracy, so they rise; more frames a second cost
 * some, so there they fall. */
static void
draw_front(nashc_outfile *f, const panel *v, const pareto_goal *goal, int dash)
{
    double(*at)[2] = calloc((size_t)v->p->n + 1, sizeof *at);
    int n = 0;

    for (int i = 0; at && i < v->p->n; i++)
        if (v->p->point[i].front[v->axis] && v->p->point[i].goal == goal) {
            at[n][0] = v->p->point[i].at[v->axis];
            at[n++][1] = v->p->point[i].accuracy;
        }
    if (n > 0) {
        qsort(at, (size_t)n, sizeof *at, by_cost);
        nashc_out_printf(f, "<path fill=\"none\" stroke=\"#999\" stroke-dasharray=\"%d %d\" d=\"M",
                         6 + 4 * dash, 3 * dash);
        for (int i = 0; i < n; i++)
            if (v->axis == PARETO_FPS && i > 0)
                nashc_out_printf(f, "V%.1fH%.1f", y_of(v, at[i][1]), x_of(v, at[i][0]));
            else
                nashc_out_printf(f, i ? "H%.1fV%.1f" : "%.1f %.1f", x_of(v, at[i][0]),
                                 y_of(v, at[i][1]));
        nashc_out_printf(f, "\"/>\n");
    }
    free(at);
}

/* Points without a group have the first colour. */
static const char *
colour(const pareto *p, const char *group)
{
    for (int i = 0; group && i < p->n_groups; i++)
        if (strcmp(p->group[i], group) == 0)
            return colours[(size_t)(i + 1) % NASHC_COUNT(colours)];
    return colours[0];
}

/* Text where markup is read. */
static void
put_text(nashc_outfile *f, const char *s)
{
    for (; *s; s++)
        if (*s == '<' || *s == '&' || *s == '"')
            nashc_out_printf(f, "&#%d;", *s);
        else
            nashc_out_write(f, s, 1);
}

static void
draw_points(nashc_outfile *f, const panel *v)
{
    for (int i = 0; i < v->p->n; i++) {
        const pareto_point *q = &v->p->point[i];
        const char *c = colour(v->p, q->group);
        nashc_out_printf(
            f,
            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" stroke=\"%s\" stroke-width=\"1.5\" "
            "fill=\"%s\"><title>",
            x_of(v, q->at[v->axis]), y_of(v, q->accuracy), c, q->front[v->axis] ? c : "#fff");
        put_text(f, q->run);
        nashc_out_printf(f, ": %.2f %%, %.6g%s</title></circle>\n", 100.0 * q->accuracy,
                         q->at[v->axis], q->fits ? "" : ", does not fit");
    }
}

static void
draw_legend(nashc_outfile *f, const pareto *p)
{
    int x = 10;
    char text[200];

    nashc_out_printf(f, "<text x=\"%d\" y=\"18\">filled: on the front</text>\n", x);
    x += 140;
    for (int i = 0; i < p->n_groups; i++) {
        nashc_out_printf(f, "<text x=\"%d\" y=\"18\" fill=\"%s\">", x, colour(p, p->group[i]));
        put_text(f, p->group[i]);
        nashc_out_printf(f, "</text>\n");
        x += 20 + 7 * (int)strlen(p->group[i]);
    }
    for (int t = 0; t < p->n_goals && p->n_goals > 1; t++) {
        int at = 10 + (2 * PANEL_W - 20) / p->n_goals * t;
        nashc_out_printf(f,
                         "<path d=\"M%d 32h40\" stroke=\"#999\" stroke-dasharray=\"%d %d\"/>\n"
                         "<text x=\"%d\" y=\"36\">",
                         at, 6 + 4 * t, 3 * t, at + 46);
        put_text(f, pareto_goal_name(p, &p->goal[t], text));
        nashc_out_printf(f, "</text>\n");
    }
}

static void
draw(nashc_outfile *f, const pareto *p)
{
    nashc_out_printf(f,
                     "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
                     "font-family=\"sans-serif\" font-size=\"11\">\n"
                     "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                     2 * PANEL_W, LEGEND + (p->n_axes + 1) / 2 * PANEL_H);
    draw_legend(f, p);
    for (int a = 0; a < p->n_axes; a++) {
        panel v = panel_of(p, (pareto_axis)a);
        draw_axes(f, &v);
        for (int t = 0; t < p->n_goals; t++)
            draw_front(f, &v, &p->goal[t], t);
        draw_points(f, &v);
    }
    nashc_out_printf(f, "</svg>\n");
}

nashc_status
pareto_write_svg(const pareto *p, const char *dir, nashc_diag *d)
{
    nashc_outfile *f = open_in(dir, "pareto.svg", d);

    if (!f)
        return NASHC_EIO;
    draw(f, p);
    return nashc_out_commit(f, d);
}

/* --- page ------------------------------------------------------------------------------------ */

/* Without each group in turn: what the group adds to what the others reach. */
static void
put_volumes(nashc_outfile *f, const pareto *p)
{
    char text[200];

    nashc_out_printf(f, "<h2>Hypervolume</h2>\n<table><tr><th>target</th><th>points</th>");
    for (int a = 0; a < p->n_axes; a++)
        nashc_out_printf(f, "<th>%s</th>", pareto_names[a]);
    nashc_out_printf(f, "</tr>\n");
    for (int t = 0; t < p->n_goals; t++)
        for (int g = -1; g < p->n_groups; g++) {
            nashc_out_printf(f, "<tr><td>");
            put_text(f, pareto_goal_name(p, &p->goal[t], text));
            nashc_out_printf(f, "</td><td>%s", g < 0 ? "all" : "without ");
            put_text(f, g < 0 ? "" : p->group[g]);
            nashc_out_printf(f, "</td>");
            for (int a = 0; a < p->n_axes; a++)
                nashc_out_printf(
                    f, "<td class=\"n\">%.4f</td>",
                    pareto_hypervolume(p, (pareto_axis)a, &p->goal[t], g < 0 ? NULL : p->group[g]));
            nashc_out_printf(f, "</tr>\n");
        }
    nashc_out_printf(f,
                     "</table>\n<p>The part of the plane that the points dominate: %s from "
                     "0, cost up to 1.1 times the largest, frames a second up to the largest."
                     "</p>\n",
                     p->figure);
}

static void
put_row(nashc_outfile *f, const pareto *p, const pareto_point *q)
{
    char text[200];

    nashc_out_printf(f, "<tr><td>");
    put_text(f, q->run);
    nashc_out_printf(f, "</td><td>");
    put_text(f, q->group ? q->group : "");
    nashc_out_printf(f, "</td><td>");
    put_text(f, pareto_goal_name(p, q->goal, text));
    nashc_out_printf(f, "</td><td class=\"n\">%.2f %%</td>", 100.0 * q->accuracy);
    for (int a = 0; a < p->n_axes; a++)
        nashc_out_printf(f, "<td class=\"n%s\">%.6g</td>", q->front[a] ? " f" : "", q->at[a]);
    nashc_out_printf(f, "<td>%s%s</td></tr>\n", q->fits ? "" : "does not fit ",
                     q->reached ? "" : "misses the target");
}

nashc_status
pareto_write_html(const pareto *p, const char *dir, nashc_diag *d)
{
    nashc_outfile *f = open_in(dir, "index.html", d);

    if (!f)
        return NASHC_EIO;
    nashc_out_printf(
        f,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<title>%s against cost</title>\n<style>body{font-family:sans-serif;"
        "max-width:60rem;margin:1rem auto}table{border-collapse:collapse}td,th{padding:"
        "2px 8px;border-bottom:1px solid #ddd;text-align:left}.n{text-align:right}"
        ".f{font-weight:bold}</style></head><body>\n<h1>%s against cost</h1>\n<p>",
        p->figure, p->figure);
    for (int t = 0; t < p->n_goals; t++)
        if (t == 0 || p->goal[t].device != p->goal[t - 1].device)
            nashc_out_printf(f, "%s%s, %g ns", t ? "; " : "",
                             p->goal[t].device ? p->goal[t].device : "no device",
                             p->goal[t].clock_ns);
    if (p->library) {
        nashc_out_printf(f, "; area of the cells of ");
        put_text(f, p->library);
    }
    nashc_out_printf(f, "; bold: on the front.</p>\n");
    draw(f, p);
    nashc_out_printf(f,
                     "<h2>Points</h2>\n<table><tr><th>run</th><th>group</th><th>target</th>"
                     "<th>%s</th>",
                     p->figure);
    for (int a = 0; a < p->n_axes; a++)
        nashc_out_printf(f, "<th>%s</th>", pareto_names[a]);
    nashc_out_printf(f, "<th></th></tr>\n");
    for (int i = 0; i < p->n; i++)
        put_row(f, p, &p->point[i]);
    nashc_out_printf(f, "</table>\n");
    put_volumes(f, p);
    nashc_out_printf(f, "</body></html>\n");
    return nashc_out_commit(f, d);
}
