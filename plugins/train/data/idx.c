/* idx.c: the MNIST family (idx3 and idx1 files, plain or gzipped) and CIFAR-10's binary files.
 *
 *     idx: 0 0 8 rank, rank sizes of 32 bits (big endian), bytes
 *     CIFAR-10: records of a label and 3 planes of 32 x 32
 */
#include "plugins/train/data/data.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

/* --- idx ------------------------------------------------------------------------------------- */

typedef struct idx {
    char path[1024];
    gzFile f;
    int64_t dim[3];
} idx;

static nashc_status
fault(const idx *x, nashc_diag *d, const char *what)
{
    nashc_loc loc = {.file = x->path};

    return nashc_error(d, &loc, "%s", what);
}

/* gzread takes unsigned sizes, so large bodies come in parts. */
static bool
get(idx *x, void *to, int64_t n)
{
    for (int64_t got = 0; got < n;) {
        unsigned part = (unsigned)(n - got > 1 << 26 ? 1 << 26 : n - got);
        int k = gzread(x->f, (char *)to + got, part);
        if (k <= 0)
            return false;
        got += k;
    }
    return true;
}

/* DIR/NAME or DIR/NAME.gz, with its header read. */
static nashc_status
open_idx(idx *x, const char *dir, const char *name, int rank, nashc_diag *d)
{
    struct stat st;
    uint8_t head[16];

    snprintf(x->path, sizeof x->path, "%s/%s", dir, name);
    if (stat(x->path, &st) != 0)
        snprintf(x->path, sizeof x->path, "%s/%s.gz", dir, name);
    x->f = gzopen(x->path, "rb");
    if (!x->f) {
        nashc_loc loc = {.file = x->path};
        return nashc_io_error(d, &loc, "cannot be read: %s", strerror(errno));
    }
    if (!get(x, head, 4 + 4 * rank))
        return fault(x, d, "the file is too short for its header");
    if (head[0] || head[1] || head[2] != 8 || head[3] != rank)
        return fault(x, d,
                     rank == 3 ? "this is no idx file of images (bytes, three axes)"
                               : "this is no idx file of labels (bytes, one axis)");
    for (int i = 0; i < rank; i++)
        x->dim[i] = (int64_t)head[4 + 4 * i] << 24 | head[5 + 4 * i] << 16 | head[6 + 4 * i] << 8 |
                    head[7 + 4 * i];
    return NASHC_OK;
}

/* The end is looked for as well: a file that is longer is another one. */
static nashc_status
body(idx *x, void *to, int64_t n, nashc_diag *d)
{
    nashc_loc loc = {.file = x->path};
    char more;

    if (!get(x, to, n))
        return nashc_error(d, &loc, "the file is shorter than its header says (%" PRId64 " bytes)",
                           n);
    return gzread(x->f, &more, 1) == 0 ? NASHC_OK
                                       : fault(x, d, "the file is longer than its header says");
}

/* 4096 bounds an allocation that two bytes of a header ask for. */
static nashc_status
read_pair(train_images *p, idx *x, idx *y, nashc_diag *d)
{
    nashc_loc loc = {.file = y->path};

    if (x->dim[0] != y->dim[0])
        return nashc_error(d, &loc, "%" PRId64 " labels for %" PRId64 " images", y->dim[0],
                           x->dim[0]);
    if (x->dim[1] < 1 || x->dim[2] < 1 || x->dim[1] > 4096 || x->dim[2] > 4096)
        return fault(x, d, "images of no usable size");
    nashc_status s = train_images_alloc(p, x->dim[0], 1, (int)x->dim[1], (int)x->dim[2], d);
    uint8_t *label = s == NASHC_OK ? nashc_arena_alloc(p->arena, (size_t)p->n + 1) : NULL;
    if (s == NASHC_OK && !label)
        s = nashc_enomem(d);
    if (s == NASHC_OK)
        s = body(x, p->u8, p->n * p->h * p->w, d);
    if (s == NASHC_OK)
        s = body(y, label, p->n, d);
    for (int64_t i = 0; s == NASHC_OK && i < p->n; i++) {
        p->label[i] = label[i];
        p->n_classes = label[i] >= p->n_classes ? label[i] + 1 : p->n_classes;
    }
    return s;
}

nashc_status
train_read_idx(train_images *p, const char *dir, nashc_diag *d)
{
    idx x = {.f = NULL}, y = {.f = NULL};
    bool test = p->spec.test;

    nashc_status s =
        open_idx(&x, dir, test ? "t10k-images-idx3-ubyte" : "train-images-idx3-ubyte", 3, d);
    if (s == NASHC_OK)
        s = open_idx(&y, dir, test ? "t10k-labels-idx1-ubyte" : "train-labels-idx1-ubyte", 1, d);
    if (s == NASHC_OK)
        s = read_pair(p, &x, &y, d);
    if (x.f)
        gzclose(x.f);
    if (y.f)
        gzclose(y.f);
    return s;
}

/* --- CIFAR-10 -------------------------------------------------------------------------------- */

enum { RECORD = 1 + 3 * 32 * 32 };

/* The published files hold 10000 records each; another size is a broken download. */
static nashc_status
take_records(train_images *p, const char *path, const uint8_t *data, size_t size, int64_t *at,
             nashc_diag *d)
{
    nashc_loc loc = {.file = path};

    if (size != (size_t)10000 * RECORD)
        return nashc_error(d, &loc, "it has %zu bytes, not 10000 records of %d", size, RECORD);
    for (size_t i = 0; i < size / RECORD; i++, ++*at) {
        const uint8_t *r = data + i * RECORD;
        if (r[0] > 9)
            return nashc_error(d, &loc, "record %zu has the label %d, expected 0..9", i, r[0]);
        p->label[*at] = r[0];
        memcpy(p->u8 + *at * (RECORD - 1), r + 1, RECORD - 1);
    }
    return NASHC_OK;
}

nashc_status
train_read_cifar10(train_images *p, nashc_diag *d)
{
    static const char *const names[] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                        "dog",      "frog",       "horse", "ship", "truck"};
    int files = p->spec.test ? 1 : 5;
    int64_t at = 0;
    nashc_status s = train_images_alloc(p, 10000 * files, 3, 32, 32, d);

    for (int i = 1; s == NASHC_OK && i <= files; i++) {
        char path[1024], *data = NULL;
        size_t size = 0;
        if (p->spec.test)
            snprintf(path, sizeof path, "%s/test_batch.bin", p->spec.path);
        else
            snprintf(path, sizeof path, "%s/data_batch_%d.bin", p->spec.path, i);
        s = nashc_file_read(path, 1 << 28, &data, &size, d);
        if (s == NASHC_OK)
            s = take_records(p, path, (const uint8_t *)data, size, &at, d);
        nashc_mem_free(data);
    }
    p->n = at;
    p->n_classes = 10;
    p->class_name = NASHC_NEW_N(p->arena, const char *, 10);
    if (!p->class_name)
        return nashc_enomem(d);
    memcpy(p->class_name, names, sizeof names);
    return s;
}
