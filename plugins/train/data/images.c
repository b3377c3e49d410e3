/* images.c: reads the images that a text names, and takes those that are asked for. */
#include "plugins/train/data/data.h"
#include <sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FASHION_MNIST "/usr/share/datasets/fashion-mnist"

/* A hash, not a generator: any number can be asked for by itself, on any thread and after any
 * break. a and b tell apart what is drawn and for whom. */
uint64_t
train_random(uint64_t seed, uint64_t a, uint64_t b)
{
    uint64_t z = seed * 0x9e3779b97f4a7c15u ^ (a + 0x632be59bd9b4e019u) * 0xd1342543de82ef95u ^
                 (b + 0x2545f4914f6cdd1du) * 0xaf251af3b0f025b5u;

    for (int i = 0; i < 2; i++) { /* splitmix64's finish */
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        z ^= z >> 31;
    }
    return z;
}

nashc_status
train_images_alloc(train_images *p, int64_t n, int c, int h, int w, nashc_diag *d)
{
    int64_t size;

    if (!nashc_mul_size(n, (int64_t)c * h * w, &size))
        return nashc_enomem(d);
    p->n = n;
    p->c = c;
    p->h = h;
    p->w = w;
    p->u8 = nashc_arena_alloc(p->arena, (size_t)size + 1);
    p->label = NASHC_NEW_N(p->arena, int32_t, n + 1);
    return p->u8 && p->label ? NASHC_OK : nashc_enomem(d);
}

static nashc_status
read_fashion(train_images *p, nashc_diag *d)
{
    static const char *const names[] = {"t-shirt", "trouser", "pullover", "dress", "coat",
                                        "sandal",  "shirt",   "sneaker",  "bag",   "boot"};
    struct stat st;

    if (stat(FASHION_MNIST, &st) != 0) {
        nashc_io_error(d, NULL, "Fashion-MNIST is not installed (%s)", FASHION_MNIST);
        nashc_help(d, "apt-get install dataset-fashion-mnist, or --data idx:DIR");
        return NASHC_EIO;
    }
    nashc_status s = train_read_idx(p, FASHION_MNIST, d);
    p->class_name = NASHC_NEW_N(p->arena, const char *, 10);
    if (s == NASHC_OK && p->class_name)
        memcpy(p->class_name, names, sizeof names);
    return s;
}

/* The kind was checked in spec.c; npz is what is left. */
static nashc_status
read_kind(train_images *p, const train_wish *wish, nashc_diag *d)
{
    const char *kind = p->spec.kind;

    return strcmp(kind, "fashion-mnist") == 0 ? read_fashion(p, d)
           : strcmp(kind, "idx") == 0         ? train_read_idx(p, p->spec.path, d)
           : strcmp(kind, "cifar10") == 0     ? train_read_cifar10(p, d)
           : strcmp(kind, "images") == 0      ? train_read_folder(p, d)
           : strcmp(kind, "scenes") == 0      ? train_read_scenes(p, wish, d)
                                              : train_read_npz(p, wish, d);
}

/* Files without names have classes "0", "1" .. */
static nashc_status
number_classes(train_images *p, nashc_diag *d)
{
    if (p->class_name)
        return NASHC_OK;
    p->class_name = NASHC_NEW_N(p->arena, const char *, p->n_classes + 1);
    for (int i = 0; p->class_name && i < p->n_classes; i++)
        if (!(p->class_name[i] = nashc_arena_printf(p->arena, "%d", i)))
            return nashc_enomem(d);
    return p->class_name ? NASHC_OK : nashc_enomem(d);
}

/* --- selection ------------------------------------------------------------------------------- */

/* New number of each class, -1: left out, in the order in which `classes` names them. */
static nashc_status
choose_classes(train_images *p, int *to, nashc_diag *d)
{
    char *list = nashc_arena_strdup(p->arena, p->spec.classes), *rest = NULL;
    int n = 0;

    if (!list)
        return nashc_enomem(d);
    for (int i = 0; i < p->n_classes; i++)
        to[i] = -1;
    for (char *name = strtok_r(list, "+", &rest); name; name = strtok_r(NULL, "+", &rest), n++) {
        int found = -1;
        for (int i = 0; i < p->n_classes; i++)
            if (strcmp(p->class_name[i], name) == 0)
                found = i;
        if (found < 0)
            return nashc_error(d, NULL, "the data have no class \"%s\"", nashc_quote(d, name));
        if (to[found] >= 0)
            return nashc_error(d, NULL, "class \"%s\" is named twice", nashc_quote(d, name));
        to[found] = n;
    }
    const char **names = NASHC_NEW_N(p->arena, const char *, n + 1);
    for (int i = 0; names && i < p->n_classes; i++)
        if (to[i] >= 0)
            names[to[i]] = p->class_name[i];
    p->class_name = names;
    p->n_classes = n;
    return names ? NASHC_OK : nashc_enomem(d);
}

/* Images keep[0 .. n-1] and nothing else, in place; keep ascends. */
static void
keep_only(train_images *p, const int64_t *keep, int64_t n)
{
    size_t size = (size_t)(p->c * p->h * p->w);

    for (int64_t i = 0; i < n; i++) {
        size_t from = (size_t)keep[i] * size, to = (size_t)i * size;
        if (p->files)
            p->file[i] = p->file[keep[i]];
        else if (p->u8)
            memmove(p->u8 + to, p->u8 + from, size);
        else
            memmove(p->f32 + to, p->f32 + from, size * sizeof(float));
        p->label[i] = p->label[keep[i]];
        if (p->box) {
            p->first_box[i] = p->first_box[keep[i]];
            p->n_box[i] = p->n_box[keep[i]];
        }
        if (p->mask)
            memmove(p->mask + i * p->h * p->w, p->mask + keep[i] * p->h * p->w,
                    (size_t)(p->h * p->w));
    }
    p->n = n;
}

static int
ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* The first `limit` after a shuffle; they stay in their order. */
static int64_t
limited(int64_t *keep, int64_t n, int64_t limit, uint64_t seed)
{
    for (int64_t i = 0; i < limit && i < n - 1; i++) {
        int64_t k = i + (int64_t)(train_random(seed, 1, (uint64_t)i) % (uint64_t)(n - i));
        int64_t t = keep[i];
        keep[i] = keep[k];
        keep[k] = t;
    }
    n = limit < n ? limit : n;
    qsort(keep, (size_t)n, sizeof *keep, ascending);
    return n;
}

static nashc_status
take_some(train_images *p, uint64_t seed, nashc_diag *d)
{
    int64_t *keep = malloc((size_t)(p->n + 1) * sizeof *keep), n = 0;
    int *to = malloc((size_t)(p->n_classes + 1) * sizeof *to);
    nashc_status s = keep && to ? NASHC_OK : nashc_enomem(d);

    if (s == NASHC_OK && p->spec.classes && p->target != NASHC_TARGET_LABEL)
        s = nashc_usage(d, "--data: classes are chosen of images with one class each");
    if (s == NASHC_OK && p->spec.classes)
        s = choose_classes(p, to, d);
    for (int64_t i = 0; s == NASHC_OK && i < p->n; i++) {
        int32_t label = p->spec.classes ? to[p->label[i]] : p->label[i];
        if (label >= 0) {
            p->label[i] = label;
            keep[n++] = i;
        }
    }
    if (s == NASHC_OK && p->spec.limit)
        n = limited(keep, n, p->spec.limit, seed);
    if (s == NASHC_OK)
        keep_only(p, keep, n);
    if (s == NASHC_OK && n == 0)
        s = nashc_error(d, NULL, "no image is left of the data");
    free(keep);
    free(to);
    return s;
}

/* --- size ------------------------------------------------------------------------------------ */

/* Fits the images to what is asked for, or to the model's input. */
static nashc_status
fit(train_images *p, const train_wish *wish, nashc_diag *d)
{
    int h = p->spec.h ? p->spec.h : wish->h ? wish->h : p->h;
    int w = p->spec.w ? p->spec.w : wish->w ? wish->w : p->w;
    size_t size = (size_t)(p->c * p->h * p->w), to_size = (size_t)(p->c * h * w);

    if (wish->count && (int64_t)size == wish->count && !p->spec.h)
        return NASHC_OK;
    if (wish->c && p->c != wish->c)
        return nashc_error(d, NULL, "the images have %d channels, the model's input has %d", p->c,
                           wish->c);
    if (wish->count && (int64_t)to_size != wish->count)
        return nashc_error(d, NULL,
                           "images of %dx%dx%d do not fit the model's input of %" PRId64 " values",
                           p->c, h, w, wish->count);
    if (p->files || p->source || (h == p->h && w == p->w)) /* made as is asked for */
        return NASHC_OK;
    if (p->target != NASHC_TARGET_LABEL)
        return nashc_error(d, NULL,
                           "images with boxes or masks are not resized: they are %dx%d, the model "
                           "wants %dx%d",
                           p->h, p->w, h, w);
    if (!p->u8)
        return nashc_error(d, NULL, "only images of bytes can be resized");
    uint8_t *to = nashc_arena_alloc(p->arena, (size_t)p->n * to_size + 1);
    if (!to)
        return nashc_enomem(d);
    for (int64_t i = 0; i < p->n; i++)
        train_resize(p->u8 + (size_t)i * size, p->c, p->h, p->w, to + (size_t)i * to_size, h, w);
    p->u8 = to;
    p->h = h;
    p->w = w;
    return NASHC_OK;
}

static void
hash_bytes(void *user, const void *data, size_t size)
{
    SHA256Update(user, data, size);
}

/* Beside the pixels: the same images with other labels are other data. A checkpoint of a search
 * goes by this. */
static void
hash_targets(const train_images *p, SHA2_CTX *c)
{
    if (p->label)
        SHA256Update(c, (const uint8_t *)p->label, (size_t)p->n * sizeof *p->label);
    for (int64_t i = 0; p->box && i < p->n; i++) {
        SHA256Update(c, (const uint8_t *)&p->n_box[i], sizeof *p->n_box);
        SHA256Update(c, (const uint8_t *)(p->box + p->first_box[i] * NASHC_BOX_SIZE),
                     (size_t)p->n_box[i] * NASHC_BOX_SIZE * sizeof *p->box);
    }
    if (p->mask)
        SHA256Update(c, p->mask, (size_t)(p->n * p->h * p->w));
    if (p->source) { /* all that the scenes follow from */
        int64_t how[] = {p->n, p->h, p->w, p->spec.items, (int64_t)p->spec.seed};
        SHA256Update(c, (const uint8_t *)p->source->hash, sizeof p->source->hash);
        SHA256Update(c, (const uint8_t *)how, sizeof how);
    }
}

/* What the task must know of an image, the data must have. */
static nashc_status
check_target(const train_images *p, const train_wish *wish, nashc_diag *d)
{
    static const char *const names[] = {"one class an image", "boxes", "masks"};

    if (p->target != wish->target) {
        nashc_error(d, NULL, "the task wants %s, the data have %s", names[wish->target],
                    names[p->target]);
        nashc_help(d,
                   "--task classify goes with one class an image, detect with boxes, segment with "
                   "masks; scenes:KIND makes scenes with both");
        return NASHC_EINPUT;
    }
    if (p->spec.rrc && p->target != NASHC_TARGET_LABEL)
        return nashc_usage(d, "--data: augment=rrc is for images with one class each");
    return NASHC_OK;
}

/* Of what is used, after selection and resizing; of files that are read when needed, their own
 * bytes. */
static nashc_status
hash(train_images *p, nashc_diag *d)
{
    SHA2_CTX c;
    uint8_t sum[SHA256_DIGEST_LENGTH];
    size_t size = (size_t)(p->n * p->c * p->h * p->w);

    SHA256Init(&c);
    nashc_status s = p->files ? train_files_hash(p, hash_bytes, &c, d) : NASHC_OK;
    if (p->u8)
        SHA256Update(&c, p->u8, size);
    else if (p->f32)
        SHA256Update(&c, (const uint8_t *)p->f32, size * sizeof(float));
    hash_targets(p, &c);
    SHA256Final(sum, &c);
    for (int i = 0; i < SHA256_DIGEST_LENGTH; i++)
        snprintf(p->hash + 2 * i, 3, "%02x", sum[i]);
    return s;
}

/* The order: what there is, then whether the task can use it, then selection, before files are
 * decoded and sizes fitted: only what is kept costs time. */
nashc_status
train_images_open(const char *text, const train_wish *wish, train_images **out, nashc_diag *d)
{
    nashc_arena *a = nashc_arena_create();
    train_images *p = a ? NASHC_NEW(a, train_images) : NULL;

    if (!p) {
        nashc_arena_free(a);
        return nashc_enomem(d);
    }
    p->arena = a;
    p->targets = 1;
    nashc_status s = train_spec_parse(text, wish, a, &p->spec, d);
    if (s == NASHC_OK)
        s = read_kind(p, wish, d);
    if (s == NASHC_OK)
        s = check_target(p, wish, d);
    if (s == NASHC_OK)
        s = number_classes(p, d);
    if (s == NASHC_OK && !p->source && (p->spec.classes || p->spec.limit))
        s = take_some(p, wish->seed, d);
    if (s == NASHC_OK && p->files)
        s = train_files_load(p, wish, d);
    if (s == NASHC_OK)
        s = fit(p, wish, d);
    if (s == NASHC_OK && ((p->spec.n_mean > 1 && p->spec.n_mean != p->c) ||
                          (p->spec.n_std > 1 && p->spec.n_std != p->c)))
        s = nashc_usage(d, "--data: mean and std have as many numbers as channels (%d), or one",
                        p->c);
    if (s == NASHC_OK)
        s = hash(p, d);
    if (s == NASHC_OK)
        *out = p;
    else
        train_images_free(p);
    return s;
}

void
train_images_free(train_images *p)
{
    if (!p)
        return;
    train_files_free(p->files);
    train_images_free(p->source);
    nashc_arena_free(p->arena);
}
