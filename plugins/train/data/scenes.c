/* scenes.c: canvases on which some images of another set lie, resized, apart from each other. A
 * scene is a function of seed, split and number. Boxes are those of the pixels of an item that are
 * at least EDGE; these are its mask, and class 0 of a mask is what lies between. */
#include "plugins/train/data/data.h"
#include <stdlib.h>
#include <string.h>

enum { EDGE = 32, TRIES = 20 };

nashc_status
train_read_scenes(train_images *p, const train_wish *wish, nashc_diag *d)
{
    const train_spec *s = &p->spec;
    train_wish all = {.test = s->test, .augment_none = true};
    const char *text = nashc_arena_printf(
        p->arena, "%s,split=%s,memory=%" PRId64 "%s%s", s->path, s->test ? "test" : "train",
        s->memory, s->classes ? ",classes=" : "", s->classes ? s->classes : "");
    bool mask = wish->target == NASHC_TARGET_MASK;

    if (!text)
        return nashc_enomem(d);
    if (strncmp(s->path, "scenes", 6) == 0)
        return nashc_usage(d, "--data: scenes are made of images with one class each");
    nashc_status status = train_images_open(text, &all, &p->source, d);
    if (status != NASHC_OK)
        return status;
    if (p->source->f32)
        return nashc_error(d, NULL, "scenes are made of images of bytes");
    p->n = s->limit ? s->limit : p->source->n;
    p->c = p->source->c;
    p->h = s->h ? s->h : wish->h ? wish->h : 64;
    p->w = s->w ? s->w : wish->w ? wish->w : 64;
    p->target = mask ? NASHC_TARGET_MASK : NASHC_TARGET_BOXES;
    p->targets = mask ? (int64_t)p->h * p->w : 1 + NASHC_BOX_SIZE * (int64_t)s->items;
    p->n_classes = p->source->n_classes + mask;
    p->class_name = NASHC_NEW_N(p->arena, const char *, p->n_classes);
    if (!p->class_name)
        return nashc_enomem(d);
    memcpy(p->class_name + mask, p->source->class_name,
           (size_t)p->source->n_classes * sizeof *p->class_name);
    if (mask)
        p->class_name[0] = "background";
    return NASHC_OK;
}

/* --- one scene ------------------------------------------------------------------------------- */

typedef struct item {
    int32_t class;
    int h, w;           /* of the resized image */
    int left, top;      /* on the canvas */
    int x0, y0, x1, y1; /* box of its pixels, on the canvas */
} item;

typedef struct scene {
    const train_images *p;
    uint64_t seed;
    uint64_t drawn;
    uint8_t *from, *pixels; /* an image of the source, and resized */
    item at[16];
    int n;
} scene;

/* 0 .. n-1 */
static int
draw(scene *s, int64_t n)
{
    return (int)(train_random(s->seed, s->p->spec.test ? 2 : 1, s->drawn++) % (uint64_t)n);
}

/* The largest channel of a pixel. */
static bool
is_item(const scene *s, const item *t, int y, int x)
{
    for (int c = 0; c < s->p->c; c++)
        if (s->pixels[(c * t->h + y) * t->w + x] >= EDGE)
            return true;
    return false;
}

/* The box of its pixels, from its own corner; false: it has none. */
static bool
tight(const scene *s, item *t)
{
    t->x0 = t->w;
    t->y0 = t->h;
    t->x1 = t->y1 = 0;
    for (int y = 0; y < t->h; y++)
        for (int x = 0; x < t->w; x++)
            if (is_item(s, t, y, x)) {
                t->x0 = x < t->x0 ? x : t->x0;
                t->y0 = y < t->y0 ? y : t->y0;
                t->x1 = x + 1 > t->x1 ? x + 1 : t->x1;
                t->y1 = y + 1;
            }
    return t->x0 < t->x1;
}

static bool
apart(const scene *s, const item *t)
{
    for (int i = 0; i < s->n; i++) {
        const item *o = &s->at[i];
        if (t->left + t->x0 < o->x1 && t->left + t->x1 > o->x0 && t->top + t->y0 < o->y1 &&
            t->top + t->y1 > o->y0)
            return false;
    }
    return true;
}

/* An image of the source, with a side of a quarter to a half of the canvas, into s->pixels. */
static nashc_status
take_item(scene *s, item *t, nashc_diag *d)
{
    const train_images *q = s->p->source;
    int64_t image = draw(s, q->n), size = (int64_t)q->c * q->h * q->w;
    int least = (s->p->h < s->p->w ? s->p->h : s->p->w) / 4;
    nashc_status status = NASHC_OK;

    t->class = q->label[image];
    t->h = (least ? least : 1) + draw(s, least + 1);
    t->w = (int)((int64_t)t->h * q->w / q->h);
    t->w = t->w < 1 ? 1 : t->w > s->p->w ? s->p->w : t->w;
    if (q->files)
        status = train_file_image(q, image, s->from, d);
    if (status == NASHC_OK)
        train_resize(q->files ? s->from : q->u8 + image * size, q->c, q->h, q->w, s->pixels, t->h,
                     t->w);
    return status;
}

static void
put(scene *s, item *t, uint8_t *planes, int32_t *target)
{
    const train_images *p = s->p;

    for (int c = 0; c < p->c; c++)
        for (int y = 0; y < t->h; y++)
            for (int x = 0; x < t->w; x++) {
                uint8_t *to = planes + (c * p->h + t->top + y) * p->w + t->left + x;
                uint8_t v = s->pixels[(c * t->h + y) * t->w + x];
                *to = v > *to ? v : *to;
            }
    for (int y = 0; p->target == NASHC_TARGET_MASK && y < t->h; y++)
        for (int x = 0; x < t->w; x++)
            if (is_item(s, t, y, x))
                target[(t->top + y) * p->w + t->left + x] = t->class + 1;
    t->x0 += t->left;
    t->x1 += t->left;
    t->y0 += t->top;
    t->y1 += t->top;
    s->at[s->n++] = *t;
}

/* One more item, if there is room for it. */
static nashc_status
add_item(scene *s, uint8_t *planes, int32_t *target, nashc_diag *d)
{
    item t;
    nashc_status status = take_item(s, &t, d);

    if (status != NASHC_OK || !tight(s, &t))
        return status;
    for (int i = 0; i < TRIES; i++) {
        t.left = draw(s, s->p->w - t.w + 1);
        t.top = draw(s, s->p->h - t.h + 1);
        if (apart(s, &t)) {
            put(s, &t, planes, target);
            break;
        }
    }
    return NASHC_OK;
}

nashc_status
train_scene_make(const train_images *p, int64_t image, uint8_t *planes, int32_t *target,
                 nashc_diag *d)
{
    size_t size = (size_t)p->c * (size_t)p->h * (size_t)p->w;
    size_t from = (size_t)p->c * (size_t)p->source->h * (size_t)p->source->w;
    scene s = {.p = p, .seed = train_random(p->spec.seed, 7, (uint64_t)image)};
    nashc_status status = NASHC_OK;

    s.from = malloc(from);
    s.pixels = malloc(size);
    if (!s.from || !s.pixels)
        status = nashc_enomem(d);
    memset(planes, 0, size);
    memset(target, 0, (size_t)p->targets * sizeof *target);
    int n = 1 + draw(&s, p->spec.items);
    for (int i = 0; status == NASHC_OK && i < n; i++)
        status = add_item(&s, planes, target, d);
    for (int i = 0; p->target == NASHC_TARGET_BOXES && i < s.n; i++) {
        const item *t = &s.at[i];
        int32_t box[NASHC_BOX_SIZE] = {t->class, t->x0 * NASHC_BOX_UNIT, t->y0 * NASHC_BOX_UNIT,
                                       t->x1 * NASHC_BOX_UNIT, t->y1 * NASHC_BOX_UNIT};
        memcpy(target + 1 + (int64_t)i * NASHC_BOX_SIZE, box, sizeof box);
    }
    if (p->target == NASHC_TARGET_BOXES)
        target[0] = s.n;
    free(s.from);
    free(s.pixels);
    return status;
}
