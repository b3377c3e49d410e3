/* batch.c: batches in shuffled order, augmented and normalised, made ahead by a thread. */
#include "plugins/threads/pool.h"
#include "plugins/train/data/data.h"
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { AHEAD = 3, EDGE = 4 }; /* batches in flight; zeros around an image that is cropped */

int64_t
train_batches(const train_order *o)
{
    return (o->images->n + o->batch - 1) / o->batch;
}

/* Fisher and Yates, as a function of seed and epoch. */
static void
shuffle(const train_order *o, int64_t epoch, int64_t *perm)
{
    int64_t n = o->images->n;

    for (int64_t i = 0; i < n; i++)
        perm[i] = i;
    for (int64_t i = n - 1; o->shuffle && i > 0; i--) {
        uint64_t r = train_random(o->seed, (uint64_t)epoch << 1, (uint64_t)i);
        int64_t k = (int64_t)(r % (uint64_t)(i + 1)), t = perm[i];
        perm[i] = perm[k];
        perm[k] = t;
    }
}

/* --- one image ------------------------------------------------------------------------------- */

/* Which part of an image is seen, and how. */
typedef struct view {
    bool flip;
    double top, left, h, w; /* may begin outside */
} view;

/* A part of 8 to 100 % of the area with sides at 3:4 to 4:3, as for ImageNet. */
static void
random_part(const train_images *p, uint64_t seed, view *v)
{
    for (int k = 0; k < 10; k++) {
        double u = (double)(train_random(seed, 3, (uint64_t)k) >> 11) * 0x1p-53;
        double r = (double)(train_random(seed, 4, (uint64_t)k) >> 11) * 0x1p-53;
        double area = (0.08 + 0.92 * u) * p->h * p->w, ratio = exp((2 * r - 1) * log(4.0 / 3.0));
        double w = nearbyint(sqrt(area * ratio)), h = nearbyint(sqrt(area / ratio));
        if (w < 1 || h < 1 || w > p->w || h > p->h)
            continue;
        v->w = w;
        v->h = h;
        v->top = (double)(train_random(seed, 5, 0) % (uint64_t)(p->h - (int)h + 1));
        v->left = (double)(train_random(seed, 6, 0) % (uint64_t)(p->w - (int)w + 1));
        return;
    }
}

/* By seed, epoch and image: the same image is seen alike whatever batch or rank it is in. */
static view
view_of(const train_order *o, int64_t epoch, int64_t image)
{
    const train_images *p = o->images;
    uint64_t seed = train_random(o->seed, ((uint64_t)epoch << 1) + 1, (uint64_t)image);
    view v = {.h = p->h, .w = p->w};

    if (!o->augment)
        return v;
    v.flip = p->spec.flip && (train_random(seed, 0, 0) & 1);
    if (p->spec.crop) {
        v.top = (double)(train_random(seed, 1, 0) % (2 * EDGE + 1)) - EDGE;
        v.left = (double)(train_random(seed, 2, 0) % (2 * EDGE + 1)) - EDGE;
    }
    if (p->spec.rrc)
        random_part(p, seed, &v);
    return v;
}

/* Pixel of a plane (of p->u8 or p->f32), 0 outside; between pixels if the view has another size. */
static double
pixel(const train_images *p, int64_t plane, const view *v, int y, int x)
{
    double fy = v->top + y, fx = v->left + (v->flip ? v->w - 1 - x : x);

    if (v->h != p->h || v->w != p->w) {
        double at = (x + 0.5) * v->w / p->w - 0.5;
        fy = v->top + (y + 0.5) * v->h / p->h - 0.5;
        fx = v->left + (v->flip ? v->w - 1 - at : at);
        fy = fmin(fmax(fy, 0), p->h - 1);
        fx = fmin(fmax(fx, 0), p->w - 1);
    }
    if (fy < 0 || fx < 0 || fy > p->h - 1 || fx > p->w - 1)
        return 0.0;
    int64_t y0 = (int64_t)fy, x0 = (int64_t)fx, base = plane * p->h * p->w;
    int64_t y1 = y0 + (y0 < p->h - 1), x1 = x0 + (x0 < p->w - 1);
    int64_t at[4] = {y0 * p->w + x0, y0 * p->w + x1, y1 * p->w + x0, y1 * p->w + x1};
    double q[4], a = fx - (double)x0, b = fy - (double)y0;
    for (int i = 0; i < 4; i++)
        q[i] = p->u8 ? (double)p->u8[base + at[i]] : (double)p->f32[base + at[i]];
    return (q[0] * (1 - a) + q[1] * a) * (1 - b) + (q[2] * (1 - a) + q[3] * a) * b;
}

/* v * factor + addend for a channel. */
static void
affine(const train_order *o, int c, double *factor, double *addend)
{
    const train_spec *s = &o->images->spec;
    double mean = s->n_mean ? s->mean[s->n_mean > 1 ? c : 0] : 0.0;
    double std = s->n_std ? s->std[s->n_std > 1 ? c : 0] : 1.0;
    bool bytes = o->images->f32 == NULL;

    *factor = (bytes ? o->pixels.scale : 1.0) / std;
    *addend = ((bytes ? o->pixels.offset * o->pixels.scale : 0.0) - mean) / std;
}

/* Image number `at` of p, as it is seen, as numbers. */
static void
make_numbers(const train_order *o, const train_images *p, int64_t at, const view *v, float *x)
{
    int64_t size = (int64_t)p->h * p->w;
    bool plain = !v->flip && v->top == 0 && v->left == 0 && v->h == p->h && v->w == p->w;

    for (int c = 0; c < p->c; c++) {
        double factor, addend;
        int64_t plane = at * p->c + c;
        affine(o, c, &factor, &addend);
        for (int64_t i = 0; i < size; i++) {
            double q = !plain  ? pixel(p, plane, v, (int)(i / p->w), (int)(i % p->w))
                       : p->u8 ? (double)p->u8[plane * size + i]
                               : (double)p->f32[plane * size + i];
            *x++ = (float)(q * factor + addend);
        }
    }
}

/* Samples first .. end - 1 of a batch of n are of this process. */
static void
part_of(const train_order *o, int64_t n, int64_t *first, int64_t *end)
{
    int64_t parts = o->parts > 0 ? o->parts : 1;

    *first = n * o->part / parts;
    *end = n * (o->part + 1) / parts;
}

/* All are full but the last of an epoch. */
static int64_t
batch_size(const train_order *o, int64_t number)
{
    int64_t first = number % train_batches(o) * o->batch, left = o->images->n - first;

    return left < o->batch ? left : o->batch;
}

double
train_batch_share(const train_order *o, int64_t number)
{
    int64_t n = batch_size(o, number), first, end;

    part_of(o, n, &first, &end);
    return (double)(end - first) / (double)n;
}

/* One that is held, or decoded or composed now. */
static nashc_status
make_image(const train_order *o, int64_t epoch, int64_t image, float *x, int32_t *target,
           nashc_diag *d)
{
    train_images one = *o->images; /* that image only */
    view v = view_of(o, epoch, image);

    if (!one.source)
        train_target_of(&one, image, target);
    if (!one.files && !one.source) {
        make_numbers(o, o->images, image, &v, x);
    } else {
        one.u8 = malloc((size_t)one.c * (size_t)one.h * (size_t)one.w);
        nashc_status s = !one.u8      ? nashc_enomem(d)
                         : one.source ? train_scene_make(o->images, image, one.u8, target, d)
                                      : train_file_image(o->images, image, one.u8, d);
        if (s == NASHC_OK)
            make_numbers(o, &one, 0, &v, x);
        free(one.u8);
        if (s != NASHC_OK)
            return s;
    }
    return train_target_move(&one, v.flip, (int)v.left, (int)v.top, target) ? NASHC_OK
                                                                            : nashc_enomem(d);
}

/* The images of a batch. */
typedef struct making {
    const train_order *o;
    int64_t epoch;
    const int64_t *image;
    float *x;
    int32_t *target;
    nashc_diag *diag; /* of one thread only */
    atomic_bool failed;
} making;

/* Each image is a function of its number, whichever thread makes it. */
static void
make_part(void *arg, int thread, int64_t lo, int64_t hi)
{
    making *m = arg;
    const train_images *p = m->o->images;
    int64_t size = (int64_t)p->c * p->h * p->w;

    (void)thread;
    for (int64_t i = lo; i < hi && !m->failed; i++) {
        if (make_image(m->o, m->epoch, m->image[i], m->x + i * size, m->target + i * p->targets,
                       m->diag) != NASHC_OK)
            m->failed = true;
    }
}

static int64_t
get_batch(const train_order *o, int64_t number, int64_t *perm, int64_t *perm_epoch, float *x,
          int32_t *target, thread_pool *pool, nashc_diag *d)
{
    int64_t per = train_batches(o), epoch = number / per, first, end;

    part_of(o, batch_size(o, number), &first, &end);
    int64_t n = end > first ? end - first : 1;
    first += number % per * o->batch;

    if (*perm_epoch != epoch)
        shuffle(o, epoch, perm);
    *perm_epoch = epoch;
    making m = {.o = o, .epoch = epoch, .image = perm + first, .x = x, .target = target, .diag = d};
    if (pool)
        thread_pool_share(pool, n, make_part, &m);
    else
        make_part(&m, 0, 0, n);
    return m.failed ? -1 : n;
}

int64_t
train_batch_get(const train_order *o, int64_t number, int64_t *perm, int64_t *perm_epoch, float *x,
                int32_t *target)
{
    return get_batch(o, number, perm, perm_epoch, x, target, NULL, NULL);
}

/* --- ahead of time --------------------------------------------------------------------------- */

typedef struct ready {
    float *x;
    int32_t *target;
    int64_t n;
} ready;

struct train_feed {
    train_order order;
    int64_t first, end, made, taken; /* numbers of batches */
    ready slot[AHEAD];
    int64_t *perm;
    bool stop, fault;  /* batch `made` cannot be made */
    thread_pool *pool; /* NULL: images are held, or one thread is to decode them */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t change;
};

static void *
produce(void *arg)
{
    train_feed *f = arg;
    int64_t epoch = -1;

    pthread_mutex_lock(&f->lock);
    while (!f->stop && !f->fault && f->made < f->end) {
        /* The batch that the reader holds is f->taken - 1. */
        if (f->made - f->taken >= AHEAD - 1) {
            pthread_cond_wait(&f->change, &f->lock);
            continue;
        }
        ready *r = &f->slot[f->made % AHEAD];
        int64_t number = f->made;
        pthread_mutex_unlock(&f->lock);
        r->n = get_batch(&f->order, number, f->perm, &epoch, r->x, r->target, f->pool, NULL);
        pthread_mutex_lock(&f->lock);
        f->fault = r->n < 0;
        f->made += !f->fault;
        pthread_cond_broadcast(&f->change);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

static void
free_feed(train_feed *f)
{
    for (int i = 0; i < AHEAD; i++) {
        free(f->slot[i].x);
        free(f->slot[i].target);
    }
    free(f->perm);
    thread_pool_free(f->pool);
    free(f);
}

train_feed *
train_feed_start(const train_order *o, int64_t first, int64_t end)
{
    train_feed *f = calloc(1, sizeof *f);
    size_t size = (size_t)(o->batch * o->images->c * o->images->h * o->images->w);
    bool good = f != NULL;

    if (!f)
        return NULL;
    f->order = *o;
    f->first = f->made = f->taken = first;
    f->end = end;
    f->perm = malloc((size_t)o->images->n * sizeof *f->perm);
    for (int i = 0; i < AHEAD; i++) {
        f->slot[i].x = malloc(size * sizeof(float));
        f->slot[i].target = malloc((size_t)(o->batch * o->images->targets) * sizeof(int32_t));
        good &= f->slot[i].x && f->slot[i].target;
    }
    if ((o->images->files || o->images->source) && o->threads > 1)
        good &= (f->pool = thread_pool_create(o->threads, false)) != NULL;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->change, NULL);
    if (!good || !f->perm || pthread_create(&f->thread, NULL, produce, f) != 0) {
        free_feed(f);
        return NULL;
    }
    return f;
}

int64_t
train_feed_next(train_feed *f, const float **x, const int32_t **target)
{
    int64_t n = 0;

    pthread_mutex_lock(&f->lock);
    while (f->made == f->taken && f->taken < f->end && !f->fault)
        pthread_cond_wait(&f->change, &f->lock);
    if (f->made == f->taken && f->fault) {
        n = -1;
    } else if (f->taken < f->end) {
        const ready *r = &f->slot[f->taken % AHEAD];
        *x = r->x;
        *target = r->target;
        n = r->n;
        f->taken++;
        pthread_cond_broadcast(&f->change);
    }
    pthread_mutex_unlock(&f->lock);
    return n;
}

/* The thread has no messages of its own: the batch is made once more, to hear what is wrong. */
nashc_status
train_feed_fault(train_feed *f, nashc_diag *d)
{
    int64_t epoch = -1;

    pthread_mutex_lock(&f->lock);
    bool fault = f->fault && f->made == f->taken;
    pthread_mutex_unlock(&f->lock);
    if (!fault)
        return NASHC_OK;
    ready *r = &f->slot[f->made % AHEAD];
    if (get_batch(&f->order, f->made, f->perm, &epoch, r->x, r->target, NULL, d) >= 0)
        nashc_io_error(d, NULL, "images could not be read in time");
    return NASHC_EINPUT;
}

void
train_feed_stop(train_feed *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    f->stop = true;
    pthread_cond_broadcast(&f->change);
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->thread, NULL);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->change);
    free_feed(f);
}
