/* layout.h: where the boxes and lines of a drawing go. */
#ifndef NASHC_DOT_LAYOUT_H
#define NASHC_DOT_LAYOUT_H

#include <nashc/nashc.h>

#define DRAW_LINES 5 /* of text in a box at most */

typedef enum draw_kind { DRAW_NODE, DRAW_INPUT, DRAW_OUTPUT, DRAW_BEND } draw_kind;

/* A node, an input, an output, or a bend of a line that crosses layers. */
typedef struct draw_box {
    draw_kind kind;
    const nashc_node *node;
    const char *line[DRAW_LINES]; /* text; NULL: no more */
    int n_lines, layer, order;
    double x, y, w, h; /* centre, size */
    double weight;     /* for sorting */
} draw_box;

/* A line between neighbouring layers. label: at the start of the whole line. */
typedef struct draw_edge {
    int from, to; /* boxes */
    const char *label;
    bool last; /* ends at a box that is no bend: gets the arrow head */
} draw_edge;

typedef struct drawing {
    draw_box *box;
    int n_boxes, cap_boxes;
    draw_edge *edge;
    int n_edges, cap_edges;
    int n_layers;
    double width, height;
} drawing;

/* Lays g out from top to bottom; all memory is a's. */
nashc_status draw_layout(const nashc_graph *g, nashc_arena *a, drawing *out, nashc_diag *d);

/* "u2[1,7,7,16] 0..2": type and interval of v, owned by a. */
const char *draw_type_text(const nashc_value *v, nashc_arena *a);

/* The drawing of g as an svg element, shifted down by top; its size is added to *width, *height. */
nashc_status draw_svg_graph(nashc_outfile *f, const nashc_graph *g, double top, double *width,
                            double *height, nashc_arena *a, nashc_diag *d);
void draw_svg_open(nashc_outfile *f, double width, double height);
void draw_escaped(nashc_outfile *f, const char *s); /* for XML */

/* Size of the picture of all graphs of m. */
nashc_status draw_measure(const nashc_module *m, double *width, double *height, nashc_arena *a,
                          nashc_diag *d);

#endif
