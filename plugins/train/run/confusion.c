/* confusion.c: the confusion matrix as SVG: a row a true class, darker for more. */
#include "plugins/train/run/eval.h"

enum { CELL = 34, LABEL = 96, TOP = 28 };

/* Text of a name, with what XML does not take left out. */
static void
name(nashc_outfile *f, const char *s)
{
    for (; *s; s++)
        if (*s >= ' ' && *s < 127 && *s != '<' && *s != '&' && *s != '>')
            nashc_out_write(f, s, 1);
}

/* The shade is the part of the row, so that rare classes can be read as well. */
static void
row(nashc_outfile *f, const double *matrix, const train_images *p, int i)
{
    int n = p->n_classes;
    double sum = 0.0;

    for (int k = 0; k < n; k++)
        sum += matrix[i * n + k];
    nashc_out_printf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", LABEL - 6,
                     TOP + i * CELL + CELL / 2 + 4);
    name(f, p->class_name[i]);
    nashc_out_printf(f, "</text>\n");
    for (int k = 0; k < n; k++) {
        double v = matrix[i * n + k];
        double part = sum > 0.0 ? v / sum : 0.0;
        nashc_out_printf(f,
                         "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#2c5fb3\" "
                         "fill-opacity=\"%.3f\" stroke=\"#ddd\"/>\n",
                         LABEL + k * CELL, TOP + i * CELL, CELL, CELL, part);
        if (v > 0.0)
            nashc_out_printf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\"%s>%.0f</text>\n",
                             LABEL + k * CELL + CELL / 2, TOP + i * CELL + CELL / 2 + 4,
                             part > 0.5 ? " fill=\"#fff\"" : "", v);
    }
}

nashc_status
train_write_confusion(const char *path, const train_count *k, const train_images *p, nashc_diag *d)
{
    const double *matrix = k->task->confusion ? k->task->confusion(k->state) : NULL;
    int size = p->n_classes * CELL;

    if (!matrix)
        return nashc_usage(d, "--confusion: the task has no confusion matrix");
    nashc_outfile *f = nashc_out_open(path, d);
    if (!f)
        return NASHC_EIO;
    nashc_out_printf(f,
                     "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
                     "font-family=\"sans-serif\" font-size=\"11\">\n"
                     "<text x=\"%d\" y=\"16\">rows: true class, columns: predicted</text>\n",
                     LABEL + size + 8, TOP + size + 8, LABEL);
    for (int i = 0; i < p->n_classes; i++)
        row(f, matrix, p, i);
    nashc_out_printf(f, "</svg>\n");
    return nashc_out_commit(f, d);
}
