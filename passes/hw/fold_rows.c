/* fold_rows.c: rows of padded frames made longer, so that beats of several positions divide them.
 *
 *     hw.fmpadding 230 columns -- hw.window strides 230*C      positions 2
 *     hw.fmpadding 232 columns -- hw.window strides 232*C      positions 2, 4, 8
 *
 * The columns that are added are constants of the border, on the right, which no window reads. Only
 * where rows as they are do not reach the target: every column costs cycles.
 */
#include "fold.h"
#include <string.h>

typedef struct frame {
    nashc_node *pad, *window;
    int64_t rows, columns, channels, source; /* of a padded frame; columns without the border */
    int64_t pads[4];
} frame;

/* Is n a padding layer, or the window generator behind one? */
static bool
frame_of(nashc_node *n, frame *out)
{
    const nashc_value *x = nashc_node_is(n, "hw.window") ? nashc_node_in(n, 0) : NULL;
    nashc_node *pad = x ? nashc_value_def(x) : n;
    int count;

    if (!pad || !nashc_node_is(pad, "hw.fmpadding"))
        return false;
    *out = (frame){.pad = pad, .window = nashc_value_one_user(nashc_node_out(pad, 0))};
    const nashc_type *y = nashc_value_type(nashc_node_out(pad, 0));
    const int64_t *dim = nashc_node_ints(pad, "dim", &count);
    const int64_t *gaps = nashc_node_ints(pad, "gaps", &count);
    memcpy(out->pads, nashc_node_ints(pad, "pads", &count), sizeof out->pads);
    out->source = dim[1];
    out->channels = y->dim[1];
    out->columns = out->pads[1] + dim[1] + out->pads[3];
    out->rows = y->dim[0] / out->columns;
    return gaps[1] == 0 && out->window && nashc_node_is(out->window, "hw.window");
}

/* Place `at` of a frame of rows of `from` elements in one of rows of `to`. */
static int64_t
moved(int64_t at, int64_t from, int64_t to)
{
    return at / from * to + at % from;
}

/* Do loops go by whole rows, or stay within one? */
static bool
keeps_rows(const nashc_node *window, int64_t row)
{
    int n;
    const int64_t *dim = nashc_node_ints(window, "dims", &n);
    const int64_t *stride = nashc_node_ints(window, "strides", &n);
    int64_t last = nashc_node_int(window, "offset") % row;

    for (int i = 0; i < n; i++)
        last += stride[i] % row == 0 ? 0 : stride[i] < row ? (dim[i] - 1) * stride[i] : row;
    return last < row;
}

/* Rows of f, which lies in g, get so many columns. */
static nashc_status
set_columns(nashc_run *r, nashc_graph *g, const frame *f, int64_t columns)
{
    nashc_arena *a = nashc_run_arena(r);
    nashc_diag *d = nashc_run_diag(r);
    int64_t from = f->columns * f->channels, to = columns * f->channels;
    int64_t right = f->pads[3] + columns - f->columns;
    const char *text = "";
    nashc_status s;
    int n;
    const int64_t *stride = nashc_node_ints(f->window, "strides", &n);

    for (int i = 0; i < n && text; i++)
        text =
            nashc_arena_printf(a, "%s%s%" PRId64, text, i ? "," : "", moved(stride[i], from, to));
    text = text ? nashc_arena_printf(a, "[%s]", text) : NULL;
    const char *pads = nashc_arena_printf(a, "[%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 "]",
                                          f->pads[0], f->pads[1], f->pads[2], right);
    if (!text || !pads)
        return nashc_enomem(d);
    int64_t offset = moved(nashc_node_int(f->window, "offset"), from, to);
    if ((s = nashc_node_set_attr(f->window, "strides", text, d)) != NASHC_OK ||
        (s = nashc_node_set_attr_int(f->window, "offset", offset, d)) != NASHC_OK ||
        (s = nashc_node_set_attr(f->pad, "pads", pads, d)) != NASHC_OK)
        return s;
    return nashc_graph_infer(g, d);
}

static bool
takes(const nashc_node *n, int64_t m)
{
    return nashc_node_op(n)->hw->positions(n, m, NULL) == NASHC_OK;
}

static int64_t
rounded_up(int64_t columns, int64_t m)
{
    return (columns + m - 1) / m * m;
}

nashc_status
fold_lengthen_for(nashc_run *r, nashc_graph *g, nashc_node *pad, int64_t m)
{
    frame f;

    if (!frame_of(pad, &f) || f.columns % m == 0 || f.source % m != 0 ||
        !keeps_rows(f.window, f.columns * f.channels))
        return NASHC_OK;
    return set_columns(r, g, &f, rounded_up(f.columns, m));
}

/* Makes rows of f long enough for m positions a beat; *done: the layers take those now. */
static nashc_status
lengthen(fold_problem *z, frame *f, int64_t m, bool *done)
{
    int64_t was = f->columns, columns = rounded_up(was, m);
    const nashc_fold single = {.n = 1, .name = {"positions"}, .value = {1}};
    nashc_status s;

    *done = false;
    if (columns == was || f->source % m != 0 || !keeps_rows(f->window, was * f->channels))
        return NASHC_OK;
    if ((s = hw_set_fold(f->pad, &single, z->d)) != NASHC_OK ||
        (s = hw_set_fold(f->window, &single, z->d)) != NASHC_OK ||
        (s = set_columns(z->r, z->f, f, columns)) != NASHC_OK)
        return s;
    *done = takes(f->pad, m) && takes(f->window, m);
    if (!*done) {
        frame_of(f->pad, f);
        return set_columns(z->r, z->f, f, was);
    }
    for (int k = 0; k < 2 && s == NASHC_OK; k++)
        s = fold_collect_item(z, &z->items[z->item_of[nashc_node_id(k ? f->window : f->pad)]]);
    return s;
}

/* Cycles of a padded frame with m positions a beat. */
static uint64_t
cycles(const frame *f, int64_t m)
{
    return (uint64_t)(f->rows * ((f->columns + m - 1) / m));
}

nashc_status
fold_lengthen_rows(fold_problem *z, uint64_t target)
{
    nashc_status s = NASHC_OK;

    for (int i = 0; i < z->n && s == NASHC_OK; i++) {
        uint64_t least = fold_least(&z->items[i]);
        frame f;
        bool done = false;
        if (least <= target || !frame_of(z->items[i].n, &f))
            continue;
        for (int64_t m = 2; m <= z->positions && !done && s == NASHC_OK; m++)
            if (cycles(&f, m) <= target)
                s = lengthen(z, &f, m, &done);
        for (int64_t m = z->positions; m > 1 && !done && s == NASHC_OK; m--)
            if (cycles(&f, m) < least)
                s = lengthen(z, &f, m, &done);
    }
    return s;
}

nashc_status
fold_lengthen_blocking(fold_problem *z, bool *done)
{
    uint64_t least;
    fold_item *it = fold_slowest(z, &least);
    nashc_status s = NASHC_OK;
    frame f;

    *done = false;
    if (!it || !frame_of(it->n, &f))
        return NASHC_OK;
    for (int64_t m = 2; m <= z->positions && !*done && s == NASHC_OK; m++)
        if (cycles(&f, m) < least)
            s = lengthen(z, &f, m, done);
    return s;
}
