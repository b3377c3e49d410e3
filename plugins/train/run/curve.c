/* curve.c: loss and accuracy over steps, as one SVG picture. */
#include "plugins/train/run/run.h"
#include <math.h>

/* Pixels; the loss has its scale at the left, the accuracy at the right. */
enum { WIDTH = 640, HEIGHT = 360, LEFT = 56, RIGHT = 56, TOP = 24, BOTTOM = 40 };

typedef struct scale {
    double max_step, max_loss;
} scale;

static double
x_of(const scale *s, double step)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * step / s->max_step;
}

/* part: 0 at the bottom, 1 at the top. */
static double
y_of(double part)
{
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * part;
}

/* Values that are not finite leave a gap: a run that diverged is drawn as far as it went. */
static void
line(nashc_outfile *f, const train_run *r, const scale *s, bool loss)
{
    nashc_out_printf(f, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"",
                     loss ? "#b3452c" : "#2c5fb3");
    for (int64_t i = 0; i < r->n_rows; i++) {
        const train_row_values *v = &r->row[i];
        double part = loss ? v->loss / s->max_loss : v->accuracy;
        if (isfinite(part))
            nashc_out_printf(f, "%s%.1f,%.1f", i ? " " : "", x_of(s, v->step), y_of(part));
    }
    nashc_out_printf(f, "\"/>\n");
}

static void
axes(nashc_outfile *f, const scale *s)
{
    nashc_out_printf(f, "<g stroke=\"#ccc\">\n");
    for (int i = 0; i <= 4; i++)
        nashc_out_printf(f, "<path d=\"M%d %.1fH%d\"/>\n", LEFT, y_of(i / 4.0), WIDTH - RIGHT);
    nashc_out_printf(f, "</g>\n<g font-family=\"sans-serif\" font-size=\"11\">\n");
    for (int i = 0; i <= 4; i++) {
        nashc_out_printf(f,
                         "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\" fill=\"#b3452c\">%.3g"
                         "</text>\n",
                         LEFT - 6, y_of(i / 4.0) + 4, s->max_loss * i / 4.0);
        nashc_out_printf(f, "<text x=\"%d\" y=\"%.1f\" fill=\"#2c5fb3\">%d %%</text>\n",
                         WIDTH - RIGHT + 6, y_of(i / 4.0) + 4, 25 * i);
        nashc_out_printf(f, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.0f</text>\n",
                         x_of(s, s->max_step * i / 4.0), HEIGHT - BOTTOM + 16,
                         s->max_step * i / 4.0);
    }
    nashc_out_printf(
        f,
        "<text x=\"%d\" y=\"14\" fill=\"#b3452c\">loss</text>\n"
        "<text x=\"%d\" y=\"14\" text-anchor=\"end\" fill=\"#2c5fb3\">accuracy</text>\n"
        "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">step</text>\n</g>\n",
        LEFT, WIDTH - RIGHT, WIDTH / 2, HEIGHT - 6);
}

nashc_status
train_write_curve(train_run *r, const char *path)
{
    /* least scales, so that a run of one step or without loss divides by no zero */
    scale s = {1.0, 1e-9};
    nashc_outfile *f = nashc_out_open(path, r->diag);

    if (!f)
        return NASHC_EIO;
    for (int64_t i = 0; i < r->n_rows; i++) {
        s.max_step = fmax(s.max_step, r->row[i].step);
        s.max_loss = isfinite(r->row[i].loss) ? fmax(s.max_loss, r->row[i].loss) : s.max_loss;
    }
    nashc_out_printf(f,
                     "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\">\n"
                     "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                     WIDTH, HEIGHT);
    axes(f, &s);
    line(f, r, &s, true);
    line(f, r, &s, false);
    nashc_out_printf(f, "</svg>\n");
    return nashc_out_commit(f, r->diag);
}
