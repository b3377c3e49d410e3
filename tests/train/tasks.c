/* tasks.c: losses of tasks against differences of their values, figures against cases worked by
 * hand, and scenes against their own pixels. Needs no files. */
#include "plugins/train/data/data.h"
#include "plugins/train/task/task.h"
#include "tests/train/golden.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLASSES = 3, SIDE = 16, SAMPLES = 2, EDGE = 32 };

/* --- losses ---------------------------------------------------------------------------------- */

static nashc_task_case
case_of(const nashc_type *t, int64_t targets)
{
    return (nashc_task_case){.struct_size = sizeof(nashc_task_case),
                             .output = t,
                             .outputs = nashc_type_count(t),
                             .targets = targets,
                             .classes = CLASSES,
                             .h = SIDE,
                             .w = SIDE,
                             .smoothing = 0.1};
}

/* dy against (loss(y + h) - loss(y - h)) / 2h, at every element. */
static void
check_loss(golden *t, const nashc_task *task, const nashc_task_case *c, const int32_t *target)
{
    int64_t n = SAMPLES * c->outputs;
    float *y = malloc((size_t)n * sizeof *y), *dy = malloc((size_t)n * sizeof *dy);
    const float h = 0x1p-9f;

    if (task->check(c, t->diag) != NASHC_OK || !y || !dy) {
        golden_fault(t, "it does not fit");
        free(y);
        free(dy);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        y[i] = (float)(i * 1597 % 2048) / 512.0f - 2.0f;
    task->loss(c, y, target, SAMPLES, dy);
    for (int64_t i = 0; i < n; i++) {
        float was = y[i];
        y[i] = was + h;
        double up = task->loss(c, y, target, SAMPLES, NULL);
        y[i] = was - h;
        double want = (up - task->loss(c, y, target, SAMPLES, NULL)) / (2.0 * (double)h);
        y[i] = was;
        if (!(fabs((double)dy[i] - want) <= 1e-4 * fmax(0.1, fabs(want)) + 1e-6))
            golden_fault(t, "gradient %d: %.6g, not %.6g", (int)i, (double)dy[i], want);
    }
    free(y);
    free(dy);
}

#define U NASHC_BOX_UNIT

static void
losses(golden *t)
{
    int64_t flat[] = {1, CLASSES}, grid[] = {1, 5 + CLASSES, 4, 4},
            map[] = {1, CLASSES, SIDE, SIDE};
    nashc_type f = nashc_type_f32(), a = nashc_type_shaped(f, 2, flat),
               b = nashc_type_shaped(f, 4, grid), m = nashc_type_shaped(f, 4, map);
    int32_t label[SAMPLES] = {2, 0};
    /* Two boxes with one cell, of which the larger counts, one at the edge; and an image of none.
     */
    int32_t boxes[SAMPLES][16] = {
        {3, 1, U, U, 4 * U, 3 * U, 2, U, U, 3 * U, 3 * U, 0, 9 * U, 12 * U, 16 * U, 16 * U}, {0}};
    int32_t mask[SAMPLES * SIDE * SIDE];
    nashc_task_case ca = case_of(&a, 1), cb = case_of(&b, 16), cm = case_of(&m, SIDE * SIDE);

    for (int i = 0; i < SAMPLES * SIDE * SIDE; i++)
        mask[i] = i % 11 == 5 ? NASHC_MASK_NONE : i % CLASSES;
    check_loss(t, train_task_classify.rule, &ca, label);
    check_loss(t, train_task_detect.rule, &cb, boxes[0]);
    check_loss(t, train_task_segment.rule, &cm, mask);
}

/* --- figures --------------------------------------------------------------------------------- */

static void
near(golden *t, const char *what, double got, double want)
{
    if (!(fabs(got - want) <= 1e-12))
        golden_fault(t, "%s is %.9g, not %.9g", what, got, want);
}

/* Class 0: 3 boxes in 2 images; found, best first: right, false, right, again (false). Precision 1,
 * 1/2, 2/3, 1/2 at recall 1/3, 1/3, 2/3, 2/3: area 1/3 + 2/9. Class 1: never found. Class 2: none.
 */
static void
precision(golden *t)
{
    const int32_t one[] = {2, 0, 0, 0, 8 * U, 8 * U, 1, 8 * U, 8 * U, 16 * U, 16 * U};
    const int32_t two[] = {2, 0, 0, 0, 4 * U, 4 * U, 0, 8 * U, 8 * U, 12 * U, 12 * U};
    /* The second overlaps its box by 1/2 exactly and more than half of what is there is wrong. */
    const train_box first[] = {{0, 0, 8, 8, 0.9, 0, 0}, {0, 0, 16, 16, 0.8, 0, 1}};
    const train_box second[] = {{0, 0, 4, 2, 0.7, 0, 0}, {0, 0, 4, 4, 0.6, 0, 1}};
    double by_class[CLASSES];
    train_precision *p = train_precision_begin(CLASSES);

    if (!p || !train_precision_add(p, first, 2, one) || !train_precision_add(p, second, 2, two)) {
        golden_fault(t, "memory is out");
    } else {
        near(t, "mAP", train_precision_value(p, by_class), (1.0 / 3 + 2.0 / 9) / 2);
        near(t, "AP of class 0", by_class[0], 1.0 / 3 + 2.0 / 9);
        near(t, "AP of class 1", by_class[1], 0.0);
        if (!isnan(by_class[2]))
            golden_fault(t, "a class without boxes has an AP");
    }
    train_precision_end(p);
}

/* 2x2 pixels: true 0 0 1 none, found 0 1 1 2. IoU 1/2, 1/2; class 2 is nowhere: it does not count.
 */
static void
union_of(golden *t)
{
    int64_t map[] = {1, CLASSES, 2, 2};
    nashc_type f = nashc_type_f32(), m = nashc_type_shaped(f, 4, map);
    nashc_task_case c = case_of(&m, 4);
    const int32_t mask[] = {0, 0, 1, NASHC_MASK_NONE};
    const float y[] = {1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1};
    const nashc_task *task = train_task_segment.rule;
    double pixels, by_class[CLASSES];

    c.h = c.w = 2;
    void *count = task->begin(&c);
    if (!count || !task->add(count, y, mask, 1)) {
        golden_fault(t, "memory is out");
    } else {
        near(t, "mIoU", task->value(count, &pixels, by_class), 0.5);
        near(t, "part of pixels", pixels, 2.0 / 3);
        if (!isnan(by_class[2]))
            golden_fault(t, "a class that is nowhere counts");
    }
    task->end(count);
}

/* Scores of a grid of 2x2 over 16x16 pixels: an object in the last cell, one in its neighbour that
 * is the same one, one of another class at the same place. */
static void
boxes(golden *t)
{
    int64_t grid[] = {1, 5 + CLASSES, 2, 2};
    nashc_type f = nashc_type_f32(), g = nashc_type_shaped(f, 4, grid);
    nashc_task_case c = case_of(&g, 16);
    float y[8][4] = {{-9, 1, 2, 3},         {0, 1.0f, 0, 0.25f}, {0, 0, 0, -0.25f}, {0, 0, 0, 0},
                     {0, 0, 0, 0.6931472f}, {0, 0, 9, 0},        {0, 0, 0, 9},      {0, 9, 0, 0}};
    train_box box[4];
    int n = train_boxes_of(&c, y[0], box);

    /* cell 3: centre 12 + 2, 12 - 2, 8 x 16 pixels */
    if (n < 1 || box[0].cell != 3 || box[0].class != 1)
        golden_fault(t, "the best box is of cell %d", n ? box[0].cell : -1);
    near(t, "left", box[0].left, 10);
    near(t, "right", box[0].right, 18);
    if (!(fabs(box[0].top - 2) < 1e-6 && fabs(box[0].bottom - 18) < 1e-6))
        golden_fault(t, "rows %g to %g, not 2 to 18", box[0].top, box[0].bottom);
    if (n != 4)
        golden_fault(t, "%d boxes, not 4", n);
    y[5][2] = 0; /* now that of cell 2 is of the same class: moved onto the other one it goes */
    y[6][2] = 9;
    y[1][2] = 1.25f;
    y[2][2] = -0.25f;
    y[4][2] = 0.6931472f;
    n = train_boxes_of(&c, y[0], box);
    if (n != 3)
        golden_fault(t, "%d boxes, not 3: one is there twice", n);
}

/* --- scenes ---------------------------------------------------------------------------------- */

static void
put32(FILE *f, uint32_t v)
{
    for (int i = 3; i >= 0; i--)
        fputc((int)(v >> 8 * i & 255), f);
}

/* Three images of 8x8: all of it, its upper half, a column. */
static bool
write_source(const char *dir)
{
    char path[200];

    snprintf(path, sizeof path, "%s/train-images-idx3-ubyte", dir);
    FILE *x = fopen(path, "wb");
    snprintf(path, sizeof path, "%s/train-labels-idx1-ubyte", dir);
    FILE *y = fopen(path, "wb");
    for (int i = 0; x && i < 4; i++)
        put32(x, (const uint32_t[]){0x803, CLASSES, 8, 8}[i]);
    for (int i = 0; y && i < 2; i++)
        put32(y, (const uint32_t[]){0x801, CLASSES}[i]);
    for (int k = 0; x && y && k < CLASSES; k++) {
        for (int i = 0; i < 64; i++)
            fputc(k == 0 || (k == 1 && i < 32) || (k == 2 && i % 8 == 3) ? 200 : 0, x);
        fputc(k, y);
    }
    return x && y && !fclose(x) && !fclose(y);
}

/* Pixels of a sample that are something and belong to box b. */
static void
check_box(golden *t, const float *x, const int32_t *b, double *seen)
{
    int from[] = {SIDE, SIDE}, end[] = {0, 0};

    for (int v = b[2] / U; v < b[4] / U; v++)
        for (int u = b[1] / U; u < b[3] / U; u++)
            if (x[v * SIDE + u] >= EDGE) {
                ++*seen;
                from[0] = u < from[0] ? u : from[0];
                from[1] = v < from[1] ? v : from[1];
                end[0] = u + 1 > end[0] ? u + 1 : end[0];
                end[1] = v + 1;
            }
    if (from[0] * U != b[1] || from[1] * U != b[2] || end[0] * U != b[3] || end[1] * U != b[4])
        golden_fault(t, "pixels from %d,%d to %d,%d have a box from %d,%d to %d,%d", from[0],
                     from[1], end[0], end[1], b[1] / U, b[2] / U, b[3] / U, b[4] / U);
}

/* All that is seen has a class in the mask, and lies in a box of the same scene. */
static void
check_scenes(golden *t, const train_order *boxes_of, const train_order *masks_of)
{
    enum { N = 40 };
    static float x[N * SIDE * SIDE], again[N * SIDE * SIDE];
    static int32_t mask[N * SIDE * SIDE], box[N * 32];
    int64_t perm[N], epoch = -1, n;
    double items = 0.0;

    n = train_batch_get(boxes_of, 1, perm, &epoch, x, box);
    epoch = -1;
    train_batch_get(masks_of, 1, perm, &epoch, again, mask);
    if (n != N || memcmp(x, again, sizeof x) != 0)
        golden_fault(t, "scenes with boxes and with masks have other pixels");
    for (int64_t i = 0; i < n; i++) {
        const float *at = x + i * SIDE * SIDE;
        const int32_t *target = box + i * boxes_of->images->targets;
        double seen = 0.0, all = 0.0;
        for (int k = 0; k < target[0]; k++)
            check_box(t, at, target + 1 + k * NASHC_BOX_SIZE, &seen);
        for (int k = 0; k < SIDE * SIDE; k++) {
            all += at[k] >= EDGE;
            if ((at[k] >= EDGE) != (mask[i * SIDE * SIDE + k] > 0))
                golden_fault(t, "scene %d, pixel %d: %g is of class %d", (int)i, k, (double)at[k],
                             mask[i * SIDE * SIDE + k]);
        }
        near(t, "pixels in boxes", seen, all);
        items += target[0];
    }
    if (!(items > N && items <= 3 * N))
        golden_fault(t, "%g items in %d scenes", items, N);
}

static void
scenes(golden *t)
{
    char dir[] = "/tmp/nashc-scenes-XXXXXX", text[200];
    const char *const how[] = {"none", "flip+crop4"};
    static const char *const files[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"};

    if (!mkdtemp(dir) || !write_source(dir)) {
        golden_fault(t, "files cannot be written");
        return;
    }
    for (int k = 0; k < 2; k++) {
        train_images *p[2] = {NULL, NULL};
        train_order o[2];
        nashc_status s = NASHC_OK;
        snprintf(text, sizeof text, "scenes:idx:%s,limit=40,items=3,augment=%s,scale=1", dir,
                 how[k]);
        for (int i = 0; i < 2 && s == NASHC_OK; i++) {
            train_wish w = {.c = 1,
                            .h = SIDE,
                            .w = SIDE,
                            .count = SIDE * SIDE,
                            .target = i ? NASHC_TARGET_MASK : NASHC_TARGET_BOXES};
            s = train_images_open(text, &w, &p[i], t->diag);
            o[i] = (train_order){.images = p[i],
                                 .pixels = {0, 1},
                                 .batch = 40,
                                 .seed = 3,
                                 .shuffle = true,
                                 .augment = true};
        }
        if (s == NASHC_OK)
            check_scenes(t, &o[0], &o[1]);
        else
            golden_fault(t, "the scenes cannot be read");
        train_images_free(p[0]);
        train_images_free(p[1]);
    }
    for (int i = 0; i < 2; i++) {
        snprintf(text, sizeof text, "%s/%s", dir, files[i]);
        unlink(text);
    }
    rmdir(dir);
}

void
golden_tasks(golden *t, const char *filter)
{
    static const struct {
        const char *name;
        void (*run)(golden *t);
    } all[] = {{"losses", losses},
               {"precision", precision},
               {"union", union_of},
               {"boxes", boxes},
               {"scenes", scenes}};

    t->folder = "tasks";
    for (size_t i = 0; i < NASHC_COUNT(all); i++) {
        t->file = all[i].name;
        t->faults = 0;
        if (filter && !strstr(all[i].name, filter))
            continue;
        all[i].run(t);
        *(t->faults ? &t->failed : &t->passed) += 1;
        nashc_diag_flush(t->diag);
    }
}
