/* layout.c: layered drawing of a graph.
 *
 * Layer = longest path from the inputs (the node list is in topological order). Lines that cross
 * layers get bends, so that neighbours are all there is. Within a layer boxes are sorted by the
 * mean position of their neighbours, sweeping down and up (Sugiyama, Tagawa and Toda 1981); then
 * they move towards that mean as far as the gaps allow.
 */
#include "layout.h"
#include <stdlib.h>
#include <string.h>

#define CHAR_WIDTH  6.7
#define LINE_HEIGHT 15.0
#define GAP_X       18.0
#define GAP_Y       34.0
#define MARGIN      16.0
#define MAX_TEXT    56 /* characters of a line in a box */
#define MAX_BENDS   20000
#define SWEEPS      6

typedef struct layout {
    drawing *d;
    nashc_arena *arena;
    const nashc_graph *graph;
    int *box_of_value;            /* by id; -1: none */
    bool *labelled;               /* by id: an edge has the label */
    int *layer_box, *layer_start; /* boxes by layer and order */
    bool bad;                     /* memory is out */
} layout;

const char *
draw_type_text(const nashc_value *v, nashc_arena *a)
{
    char buf[NASHC_TYPE_STR_MAX];
    nashc_type t = *nashc_value_type(v);
    int64_t lo, hi;
    if (!nashc_type_limits(&t, &lo, &hi))
        return nashc_arena_strdup(a, nashc_type_print(&t, buf, sizeof buf));
    lo = t.lo;
    hi = t.hi;
    nashc_type_limits(&t, &t.lo, &t.hi); /* the interval is written behind */
    nashc_type_print(&t, buf, sizeof buf);
    return nashc_arena_printf(a, "%s %" PRId64 "..%" PRId64, buf, lo, hi);
}

static int
add_box(layout *l, draw_kind kind, int layer)
{
    drawing *d = l->d;
    if (d->n_boxes == d->cap_boxes) {
        int cap = d->cap_boxes ? 2 * d->cap_boxes : 64;
        draw_box *grown = NASHC_NEW_N(l->arena, draw_box, cap);
        if (!grown) {
            l->bad = true;
            return 0;
        }
        if (d->n_boxes > 0)
            memcpy(grown, d->box, (size_t)d->n_boxes * sizeof *grown);
        d->box = grown;
        d->cap_boxes = cap;
    }
    d->box[d->n_boxes] = (draw_box){.kind = kind, .layer = layer};
    if (layer >= d->n_layers)
        d->n_layers = layer + 1;
    return d->n_boxes++;
}

static void
add_edge(layout *l, int from, int to, const char *label, bool last)
{
    drawing *d = l->d;
    if (d->n_edges == d->cap_edges) {
        int cap = d->cap_edges ? 2 * d->cap_edges : 64;
        draw_edge *grown = NASHC_NEW_N(l->arena, draw_edge, cap);
        if (!grown) {
            l->bad = true;
            return;
        }
        if (d->n_edges > 0)
            memcpy(grown, d->edge, (size_t)d->n_edges * sizeof *grown);
        d->edge = grown;
        d->cap_edges = cap;
    }
    d->edge[d->n_edges++] = (draw_edge){from, to, label, last};
}

static void
add_line(layout *l, int box, const char *text)
{
    draw_box *b = &l->d->box[box];
    if (!text || !text[0] || b->n_lines == DRAW_LINES)
        return;
    if (strlen(text) > MAX_TEXT)
        text = nashc_arena_printf(l->arena, "%.*s...", MAX_TEXT - 3, text);
    if (text)
        b->line[b->n_lines++] = text;
    else
        l->bad = true;
}

/* --- boxes and edges ------------------------------------------------------------------------- */

static void
describe_node(layout *l, int box, const nashc_node *n)
{
    add_line(l, box, nashc_node_opname(n));
    if (nashc_node_loc(n)->name)
        add_line(l, box, nashc_node_loc(n)->name);
    add_line(l, box, nashc_node_attr_text(n, l->arena));
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *v = nashc_node_in(n, i);
        if (v && nashc_value_const(v))
            add_line(l, box,
                     nashc_arena_printf(l->arena, "%%%s: %s", nashc_value_name(v),
                                        draw_type_text(v, l->arena)));
    }
}

static void
connect(layout *l, const nashc_value *v, int to)
{
    if (!v || nashc_value_const(v))
        return;
    int from = l->box_of_value[nashc_value_id(v)];
    const char *label = NULL;
    if (from < 0)
        return;
    if (!l->labelled[nashc_value_id(v)]) { /* once, however many read it */
        label = nashc_arena_printf(l->arena, "%%%s: %s", nashc_value_name(v),
                                   draw_type_text(v, l->arena));
        l->bad = l->bad || !label;
        l->labelled[nashc_value_id(v)] = true;
    }
    add_edge(l, from, to, label, true);
}

static int
layer_of(const layout *l, const nashc_value *v)
{
    int box = v && !nashc_value_const(v) ? l->box_of_value[nashc_value_id(v)] : -1;
    return box < 0 ? -1 : l->d->box[box].layer;
}

static void
collect(layout *l)
{
    const nashc_graph *g = l->graph;
    for (int i = 0; i < nashc_graph_n_inputs(g); i++) {
        const nashc_value *v = nashc_graph_input(g, i);
        int box = add_box(l, DRAW_INPUT, 0);
        l->box_of_value[nashc_value_id(v)] = box;
        add_line(l, box, nashc_value_name(v));
    }
    NASHC_EACH_NODE(g, n)
    {
        int layer = 0;
        for (int i = 0; i < nashc_node_n_in(n); i++) {
            int above = layer_of(l, nashc_node_in(n, i));
            layer = above + 1 > layer ? above + 1 : layer;
        }
        int box = add_box(l, DRAW_NODE, layer);
        if (l->bad)
            return;
        l->d->box[box].node = n;
        describe_node(l, box, n);
        for (int i = 0; i < nashc_node_n_in(n); i++)
            connect(l, nashc_node_in(n, i), box);
        for (int i = 0; i < nashc_node_n_out(n); i++)
            l->box_of_value[nashc_value_id(nashc_node_out(n, i))] = box;
    }
    for (int i = 0; i < nashc_graph_n_outputs(g) && !l->bad; i++) {
        const nashc_value *v = nashc_graph_output(g, i);
        int box = add_box(l, DRAW_OUTPUT, layer_of(l, v) + 1);
        add_line(l, box, nashc_graph_output_name(g, i));
        connect(l, v, box);
    }
}

/* What no input reaches (weights on their way through a quantiser) goes right above its reader:
 * else all of it would stand in the first layer. Edges lead from lower to higher box numbers,
 * nearly in order of their ends, so one sweep from the back does. */
static void
sink_constants(layout *l)
{
    drawing *d = l->d;
    bool *fixed = NASHC_NEW_N(l->arena, bool, d->n_boxes + 1);
    int *lowest = NASHC_NEW_N(l->arena, int, d->n_boxes + 1);
    if (!fixed || !lowest) {
        l->bad = true;
        return;
    }
    for (int i = 0; i < d->n_boxes; i++) {
        fixed[i] = d->box[i].kind != DRAW_NODE;
        lowest[i] = d->n_layers;
    }
    for (int i = 0; i < d->n_edges; i++)
        fixed[d->edge[i].to] = fixed[d->edge[i].to] || fixed[d->edge[i].from];
    for (int i = d->n_edges - 1; i >= 0; i--) {
        const draw_edge *e = &d->edge[i];
        int below = d->box[e->to].layer;
        lowest[e->from] = below < lowest[e->from] ? below : lowest[e->from];
        if (!fixed[e->from])
            d->box[e->from].layer = lowest[e->from] - 1;
    }
}

/* Splits lines over several layers into pieces with a bend on each layer between. */
static void
bend(layout *l)
{
    int n = l->d->n_edges, n_bends = 0;
    for (int i = 0; i < n && !l->bad; i++) {
        draw_edge e = l->d->edge[i];
        int from = e.from;
        for (int layer = l->d->box[e.from].layer + 1; layer < l->d->box[e.to].layer; layer++) {
            if (++n_bends > MAX_BENDS)
                return;
            int box = add_box(l, DRAW_BEND, layer);
            if (from == e.from) {
                l->d->edge[i].to = box;
                l->d->edge[i].last = false;
            } else {
                add_edge(l, from, box, NULL, false);
            }
            from = box;
        }
        if (from != e.from)
            add_edge(l, from, e.to, NULL, true);
    }
}

/* --- order inside layers --------------------------------------------------------------------- */

static void
number_layer(layout *l, int layer)
{
    for (int i = l->layer_start[layer]; i < l->layer_start[layer + 1]; i++)
        l->d->box[l->layer_box[i]].order = i - l->layer_start[layer];
}

static void
group_layers(layout *l)
{
    drawing *d = l->d;
    int *fill = NASHC_NEW_N(l->arena, int, d->n_layers + 1);
    l->layer_start = NASHC_NEW_N(l->arena, int, d->n_layers + 2);
    l->layer_box = NASHC_NEW_N(l->arena, int, d->n_boxes + 1);
    if (!fill || !l->layer_start || !l->layer_box) {
        l->bad = true;
        return;
    }
    for (int i = 0; i < d->n_boxes; i++)
        l->layer_start[d->box[i].layer + 1]++;
    for (int i = 0; i < d->n_layers; i++)
        l->layer_start[i + 1] += l->layer_start[i];
    for (int i = 0; i < d->n_boxes; i++) {
        int layer = d->box[i].layer;
        l->layer_box[l->layer_start[layer] + fill[layer]++] = i;
    }
    for (int i = 0; i < d->n_layers; i++)
        number_layer(l, i);
}

typedef struct place {
    double weight;
    int order, box;
} place;

/* By weight; equal ones stay as they are. */
static int
by_weight(const void *a, const void *b)
{
    const place *p = a, *q = b;
    return p->weight != q->weight ? (p->weight < q->weight ? -1 : 1)
                                  : (p->order > q->order) - (p->order < q->order);
}

static void
sort_layer(const drawing *d, int *box, int n, place *places)
{
    for (int i = 0; i < n; i++)
        places[i] = (place){d->box[box[i]].weight, i, box[i]};
    qsort(places, (size_t)n, sizeof *places, by_weight);
    for (int i = 0; i < n; i++)
        box[i] = places[i].box;
}

/* Edges by the layer of one end: at[start[k]] .. at[start[k + 1] - 1], in their order. */
typedef struct edges_of {
    int *start, *at;
} edges_of;

static edges_of
group_edges(layout *l, bool to)
{
    const drawing *d = l->d;
    edges_of g = {NASHC_NEW_N(l->arena, int, d->n_layers + 2),
                  NASHC_NEW_N(l->arena, int, d->n_edges + 1)};
    if (!g.start || !g.at) {
        l->bad = true;
        return g;
    }
    for (int i = 0; i < d->n_edges; i++)
        g.start[d->box[to ? d->edge[i].to : d->edge[i].from].layer + 1]++;
    for (int i = 0; i < d->n_layers; i++)
        g.start[i + 1] += g.start[i];
    for (int i = d->n_edges; i-- > 0;) /* filled from behind, which moves each start to its place */
        g.at[--g.start[d->box[to ? d->edge[i].to : d->edge[i].from].layer + 1]] = i;
    for (int i = 0; i < d->n_layers; i++)
        g.start[i] = g.start[i + 1];
    g.start[d->n_layers] = d->n_edges;
    return g;
}

/* What sweeps work with: by box, and by box of a layer. */
typedef struct scratch {
    edges_of ends[2]; /* by the layer of `from`, of `to` */
    double *sum;
    int *count;
    place *places;
} scratch;

/* One sweep: every layer sorted by the mean order of the neighbours above (down) or below. */
static void
sweep(layout *l, bool down, scratch *z)
{
    drawing *d = l->d;
    const edges_of *g = &z->ends[down];
    for (int k = 0; k < d->n_layers; k++) {
        int layer = down ? k : d->n_layers - 1 - k;
        int start = l->layer_start[layer], n = l->layer_start[layer + 1] - start;
        const int *box = l->layer_box + start;
        for (int i = 0; i < n; i++) {
            z->sum[box[i]] = 0;
            z->count[box[i]] = 0;
        }
        for (int i = g->start[layer]; i < g->start[layer + 1]; i++) {
            const draw_edge *e = &d->edge[g->at[i]];
            int here = down ? e->to : e->from, there = down ? e->from : e->to;
            z->sum[here] += d->box[there].order;
            z->count[here]++;
        }
        for (int i = 0; i < n; i++) {
            draw_box *b = &d->box[box[i]];
            b->weight = z->count[box[i]] > 0 ? z->sum[box[i]] / z->count[box[i]] : b->order;
        }
        sort_layer(d, l->layer_box + start, n, z->places);
        number_layer(l, layer);
    }
}

static bool
make_scratch(layout *l, scratch *z)
{
    *z = (scratch){.sum = NASHC_NEW_N(l->arena, double, l->d->n_boxes + 1),
                   .count = NASHC_NEW_N(l->arena, int, l->d->n_boxes + 1),
                   .places = NASHC_NEW_N(l->arena, place, l->d->n_boxes + 1)};
    for (int to = 0; to < 2; to++)
        z->ends[to] = group_edges(l, to);
    return !l->bad && z->sum && z->count && z->places;
}

/* --- coordinates ----------------------------------------------------------------------------- */

static void
measure(layout *l)
{
    for (int i = 0; i < l->d->n_boxes; i++) {
        draw_box *b = &l->d->box[i];
        size_t longest = 0;
        for (int k = 0; k < b->n_lines; k++)
            longest = strlen(b->line[k]) > longest ? strlen(b->line[k]) : longest;
        b->w = b->kind == DRAW_BEND ? 2 : CHAR_WIDTH * (double)longest + 20;
        b->h = b->kind == DRAW_BEND ? 2 : LINE_HEIGHT * b->n_lines + 10;
    }
}

static void
place_rows(layout *l)
{
    drawing *d = l->d;
    double y = MARGIN;
    for (int layer = 0; layer < d->n_layers; layer++) {
        double tall = 0, x = 0;
        for (int i = l->layer_start[layer]; i < l->layer_start[layer + 1]; i++) {
            draw_box *b = &d->box[l->layer_box[i]];
            tall = b->h > tall ? b->h : tall;
            b->x = x + b->w / 2;
            x += b->w + GAP_X;
        }
        for (int i = l->layer_start[layer]; i < l->layer_start[layer + 1]; i++) {
            d->box[l->layer_box[i]].x -= x / 2;
            d->box[l->layer_box[i]].y = y + tall / 2;
        }
        y += tall + GAP_Y;
    }
    d->height = y - GAP_Y + MARGIN;
}

/* Moves boxes towards the mean of their neighbours: first as wished, then apart where they overlap,
 * half of the push to each side. */
static void
relax(layout *l, double *sum, int *count)
{
    drawing *d = l->d;
    for (int i = 0; i < d->n_boxes; i++) {
        sum[i] = 0;
        count[i] = 0;
    }
    for (int i = 0; i < d->n_edges; i++) {
        sum[d->edge[i].from] += d->box[d->edge[i].to].x;
        sum[d->edge[i].to] += d->box[d->edge[i].from].x;
        count[d->edge[i].from]++;
        count[d->edge[i].to]++;
    }
    for (int i = 0; i < d->n_boxes; i++)
        if (count[i] > 0)
            d->box[i].x += 0.7 * (sum[i] / count[i] - d->box[i].x);
    for (int layer = 0; layer < d->n_layers; layer++) {
        int start = l->layer_start[layer], end = l->layer_start[layer + 1];
        double shift = 0;
        for (int i = start + 1; i < end; i++) {
            draw_box *p = &d->box[l->layer_box[i - 1]], *q = &d->box[l->layer_box[i]];
            double least = p->x + (p->w + q->w) / 2 + GAP_X;
            if (q->x < least) {
                shift += (least - q->x) / (2.0 * (end - start));
                q->x = least;
            }
        }
        for (int i = start; i < end; i++)
            d->box[l->layer_box[i]].x -= shift;
    }
}

static void
frame(layout *l)
{
    drawing *d = l->d;
    double lo = 0, hi = 0;
    for (int i = 0; i < d->n_boxes; i++) {
        double left = d->box[i].x - d->box[i].w / 2, right = d->box[i].x + d->box[i].w / 2;
        lo = i == 0 || left < lo ? left : lo;
        hi = i == 0 || right > hi ? right : hi;
    }
    for (int i = 0; i < d->n_boxes; i++)
        d->box[i].x += MARGIN - lo;
    for (int i = 0; i < d->n_edges; i++) /* labels stand to the right of the line */
        if (d->edge[i].label) {
            double end = d->box[d->edge[i].from].x + CHAR_WIDTH * (double)strlen(d->edge[i].label);
            hi = end + lo - MARGIN > hi ? end + lo - MARGIN : hi;
        }
    d->width = hi - lo + 2 * MARGIN;
}

nashc_status
draw_layout(const nashc_graph *g, nashc_arena *a, drawing *out, nashc_diag *d)
{
    layout l = {.d = out, .arena = a, .graph = g};
    uint32_t n = nashc_graph_max_id(g) + 1;
    memset(out, 0, sizeof *out);
    l.box_of_value = NASHC_NEW_N(a, int, n);
    l.labelled = NASHC_NEW_N(a, bool, n);
    if (!l.box_of_value || !l.labelled)
        return nashc_enomem(d);
    for (uint32_t i = 0; i < n; i++)
        l.box_of_value[i] = -1;
    collect(&l);
    if (!l.bad)
        sink_constants(&l);
    if (!l.bad)
        bend(&l);
    if (!l.bad)
        group_layers(&l);
    scratch z;
    if (l.bad || !make_scratch(&l, &z))
        return nashc_enomem(d);
    for (int i = 0; i < SWEEPS; i++)
        sweep(&l, i % 2 == 0, &z);
    measure(&l);
    place_rows(&l);
    for (int i = 0; i < 4 * SWEEPS; i++)
        relax(&l, z.sum, z.count);
    frame(&l);
    return NASHC_OK;
}
