/* targets.c: boxes and masks of images: from arrays of a file, and as the target of one image. */
#include "plugins/train/data/data.h"
#include "tools/tool.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 6 }; /* of an array of boxes: image, class, left, top, right, bottom */

static nashc_status
bad(const train_images *p, const char *name, int64_t row, const char *what, nashc_diag *d)
{
    nashc_loc loc = {.file = p->spec.path};

    return nashc_error(d, &loc, "array \"%s\": box %" PRId64 " %s", name, row, what);
}

/* Row r of the array, checked; its image. */
static nashc_status
read_row(const train_images *p, const tool_array *y, const char *name, int64_t r, int64_t *image,
         int32_t *box, nashc_diag *d)
{
    double v[COLUMNS];

    for (int k = 0; k < COLUMNS; k++)
        v[k] = nashc_buf_get(&y->buf, r * COLUMNS + k);
    if (!(v[0] >= 0 && v[0] < (double)p->n) || v[0] != floor(v[0]))
        return bad(p, name, r, "is of no image", d);
    if (!(v[1] >= 0 && v[1] < 1 << 20) || v[1] != floor(v[1]))
        return bad(p, name, r, "has no class", d);
    if (!(v[2] >= 0 && v[3] >= 0 && v[4] <= p->w && v[5] <= p->h && v[2] < v[4] && v[3] < v[5]))
        return bad(p, name, r, "is not within its image (left, top, right, bottom in pixels)", d);
    *image = (int64_t)v[0];
    box[0] = (int32_t)v[1];
    for (int k = 2; k < COLUMNS; k++)
        box[k - 1] = (int32_t)nearbyint(v[k] * NASHC_BOX_UNIT);
    return NASHC_OK;
}

/* Twice through the rows: counted by image, then put behind each other, image by image. All that is
 * wrong with a row is told in the first walk. */
nashc_status
train_take_boxes(train_images *p, const struct tool_array *y, const char *name, nashc_diag *d)
{
    nashc_loc loc = {.file = p->spec.path};
    int64_t rows = y->rank == 2 ? y->dim[0] : 0, image;
    int32_t box[NASHC_BOX_SIZE], most = 0;
    nashc_status s = NASHC_OK;

    if (y->rank != 2 || y->dim[1] != COLUMNS)
        return nashc_error(d, &loc,
                           "array \"%s\" must have rows of %d numbers: image, class, left, "
                           "top, right, bottom",
                           name, COLUMNS);
    p->target = NASHC_TARGET_BOXES;
    p->label = NASHC_NEW_N(p->arena, int32_t, p->n);
    p->box = NASHC_NEW_N(p->arena, int32_t, rows * NASHC_BOX_SIZE + 1);
    p->first_box = NASHC_NEW_N(p->arena, int64_t, p->n + 1);
    p->n_box = NASHC_NEW_N(p->arena, int32_t, p->n);
    if (!p->label || !p->box || !p->first_box || !p->n_box)
        return nashc_enomem(d);
    for (int64_t r = 0; s == NASHC_OK && r < rows; r++) {
        s = read_row(p, y, name, r, &image, box, d);
        if (s == NASHC_OK)
            p->first_box[image + 1]++;
    }
    for (int64_t i = 0; s == NASHC_OK && i < p->n; i++)
        p->first_box[i + 1] += p->first_box[i];
    for (int64_t r = 0; s == NASHC_OK && r < rows; r++) { /* in the order of the file */
        s = read_row(p, y, name, r, &image, box, d);
        if (s != NASHC_OK)
            break;
        memcpy(p->box + (p->first_box[image] + p->n_box[image]++) * NASHC_BOX_SIZE, box,
               sizeof box);
        most = p->n_box[image] > most ? p->n_box[image] : most;
        p->n_classes = box[0] >= p->n_classes ? box[0] + 1 : p->n_classes;
    }
    p->targets = 1 + (int64_t)most * NASHC_BOX_SIZE;
    if (s == NASHC_OK && !rows)
        s = nashc_error(d, &loc, "array \"%s\" has no boxes", name);
    return s;
}

/* NASHC_MASK_NONE: the pixel does not count. */
nashc_status
train_take_mask(train_images *p, const struct tool_array *y, const char *name, nashc_diag *d)
{
    nashc_loc loc = {.file = p->spec.path};
    int64_t size = p->n * p->h * p->w;

    if (y->rank != 3 || y->dim[0] != p->n || y->dim[1] != p->h || y->dim[2] != p->w ||
        y->buf.cell != NASHC_U8)
        return nashc_error(d, &loc,
                           "array \"%s\" must be %" PRId64 "x%dx%d of uint8, a class for "
                           "each pixel",
                           name, p->n, p->h, p->w);
    p->target = NASHC_TARGET_MASK;
    p->targets = (int64_t)p->h * p->w;
    p->label = NASHC_NEW_N(p->arena, int32_t, p->n);
    p->mask = nashc_arena_alloc(p->arena, (size_t)size + 1);
    if (!p->mask || !p->label)
        return nashc_enomem(d);
    memcpy(p->mask, y->buf.data, (size_t)size);
    for (int64_t i = 0; i < size; i++)
        if (p->mask[i] != NASHC_MASK_NONE && p->mask[i] >= p->n_classes)
            p->n_classes = p->mask[i] + 1;
    return p->n_classes ? NASHC_OK
                        : nashc_error(d, &loc, "array \"%s\" has no pixel that counts", name);
}

/* targets numbers: a class; or how many boxes, and those; or a class for each pixel. */
void
train_target_of(const train_images *p, int64_t image, int32_t *target)
{
    if (p->target == NASHC_TARGET_LABEL)
        *target = p->label[image];
    if (p->target == NASHC_TARGET_BOXES) {
        *target = p->n_box[image];
        memcpy(target + 1, p->box + p->first_box[image] * NASHC_BOX_SIZE,
               (size_t)p->n_box[image] * NASHC_BOX_SIZE * sizeof *target);
    }
    for (int64_t i = 0; p->target == NASHC_TARGET_MASK && i < p->targets; i++)
        target[i] = p->mask[image * p->targets + i];
}

/* --- moved images ---------------------------------------------------------------------------- */

static int32_t
within(int32_t v, int size)
{
    return v < 0 ? 0 : v > size * NASHC_BOX_UNIT ? size * NASHC_BOX_UNIT : v;
}

/* The parts of boxes that are still seen. */
static void
move_boxes(const train_images *p, bool flip, int left, int top, int32_t *target)
{
    int32_t n = target[0];

    target[0] = 0;
    for (int32_t k = 0; k < n; k++) {
        const int32_t *b = target + 1 + k * NASHC_BOX_SIZE;
        int32_t *to = target + 1 + target[0] * NASHC_BOX_SIZE, class = b[0];
        int32_t x0 = b[1] - left * NASHC_BOX_UNIT, x1 = b[3] - left * NASHC_BOX_UNIT;
        int32_t y0 = within(b[2] - top * NASHC_BOX_UNIT, p->h);
        int32_t y1 = within(b[4] - top * NASHC_BOX_UNIT, p->h), w = p->w * NASHC_BOX_UNIT;
        int32_t from = within(flip ? w - x1 : x0, p->w), end = within(flip ? w - x0 : x1, p->w);
        if (from >= end || y0 >= y1)
            continue;
        memcpy(to, (int32_t[]){class, from, y0, end, y1}, NASHC_BOX_SIZE * sizeof *to);
        target[0]++;
    }
}

/* What comes in from outside is class 0, as its pixels are 0. */
static bool
move_mask(const train_images *p, bool flip, int left, int top, int32_t *target)
{
    int32_t *old = malloc((size_t)p->targets * sizeof *old);

    if (!old)
        return false;
    memcpy(old, target, (size_t)p->targets * sizeof *old);
    for (int y = 0; y < p->h; y++)
        for (int x = 0; x < p->w; x++) {
            int fy = y + top, fx = left + (flip ? p->w - 1 - x : x);
            bool outside = fy < 0 || fx < 0 || fy >= p->h || fx >= p->w;
            *target++ = outside ? 0 : old[fy * p->w + fx];
        }
    free(old);
    return true;
}

bool
train_target_move(const train_images *p, bool flip, int left, int top, int32_t *target)
{
    if (p->target == NASHC_TARGET_LABEL || (!flip && !left && !top))
        return true;
    if (p->target == NASHC_TARGET_MASK)
        return move_mask(p, flip, left, top, target);
    /* Boxes are turned over as their pixels are: image columns left .. left + w - 1, from the end.
     */
    move_boxes(p, flip, left, top, target);
    return true;
}
