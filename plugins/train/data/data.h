/* data.h: labelled images: where they come from, and batches of them. */
#ifndef TRAIN_DATA_H
#define TRAIN_DATA_H

#include <nashc/nashc.h>
#include <nashc/task.h>

#define TRAIN_MAX_CHANNELS 4

/* KIND:PATH[,key=value...]; docs/training.md. */
typedef struct train_spec {
    const char *kind, *path; /* "idx", "DIR" */
    bool test;               /* split */
    int64_t limit;           /* 0: all */
    const char *classes;     /* "a+b"; NULL: all */
    int h, w;                /* 0: as they are, or as the model wants them */
    bool flip, crop, rrc;    /* augmentation */
    int n_mean, n_std;       /* 0: none; 1, or one a channel */
    double mean[TRAIN_MAX_CHANNELS], std[TRAIN_MAX_CHANNELS];
    double scale;   /* value of one step of a pixel; 0: as the model says, or 1/255 */
    int64_t memory; /* MiB of decoded images that are held; more are read when they are needed */
    int items;      /* of scenes: most on a canvas */
    uint64_t seed;  /* of scenes: which items, and where */
} train_spec;

/* What the model and the command want where the text does not say. */
typedef struct train_wish {
    bool test, augment_none;
    int c, h, w; /* of the model's input; 0: it is flat */
    int64_t count;
    uint64_t seed;       /* of the shuffle before `limit` */
    nashc_target target; /* what must be known of an image */
} train_wish;

/* Files of images (folder.c). */
typedef struct train_files train_files;

/* Images as bytes, or as numbers; n x c x h x w. */
typedef struct train_images train_images;
struct train_images {
    nashc_arena *arena;
    train_spec spec;
    int64_t n;
    int c, h, w, n_classes;
    uint8_t *u8;          /* or */
    float *f32;           /* or */
    train_files *files;   /* those that images are read from when they are needed */
    int64_t *file;        /* of an image */
    int files_h, files_w; /* size to which they are decoded; 0: their own */
    train_images *source; /* of scenes: what they are made of */
    nashc_target target;  /* what is known of an image, in */
    int64_t targets;      /* numbers (nashc/task.h): */
    int32_t *label;       /* one each; or */
    int32_t *box;         /* NASHC_BOX_SIZE each, n_box of an image from first_box on; or */
    int64_t *first_box;
    int32_t *n_box;
    uint8_t *mask; /* n x h x w */
    const char **class_name;
    char hash[65]; /* SHA-256 of images and targets that are used, in hex */
};

/* Parses, reads, selects. Errors name the file and what is wrong with it. */
nashc_status train_images_open(const char *text, const train_wish *wish, train_images **out,
                               nashc_diag *d);
void train_images_free(train_images *p);

/* spec.c */
nashc_status train_spec_parse(const char *text, const train_wish *wish, nashc_arena *a,
                              train_spec *out, nashc_diag *d);

/* --- readers: fill n, c, h, w, u8 or f32, label, n_classes, class_name (NULL: numbers) -------- */

nashc_status train_read_idx(train_images *p, const char *dir, nashc_diag *d);
nashc_status train_read_cifar10(train_images *p, nashc_diag *d);
nashc_status train_read_folder(train_images *p, nashc_diag *d);
nashc_status train_read_npz(train_images *p, const train_wish *wish, nashc_diag *d);

/* targets.c: boxes and masks that belong to the images of an .npz file; and of one image, its
 * target as it is when the image is turned over and moved by whole pixels. */
struct tool_array;
nashc_status train_take_boxes(train_images *p, const struct tool_array *y, const char *name,
                              nashc_diag *d);
nashc_status train_take_mask(train_images *p, const struct tool_array *y, const char *name,
                             nashc_diag *d);
void train_target_of(const train_images *p, int64_t image, int32_t *target);
bool train_target_move(const train_images *p, bool flip, int left, int top, int32_t *target);

/* scenes.c: canvases with some images of another set on them. There are no pixels before one is
 * made: c planes of h x w, and its target. */
nashc_status train_read_scenes(train_images *p, const train_wish *wish, nashc_diag *d);
nashc_status train_scene_make(const train_images *p, int64_t image, uint8_t *planes,
                              int32_t *target, nashc_diag *d);

/* folder.c. After train_read_folder there are files only: load sets c, h, w and, if all images fit
 * in spec.memory, decodes them into u8 and lets the files go. Else train_file_image decodes one, 3
 * planes of h x w. Any thread may ask. hash gives the bytes of the files, in order. */
nashc_status train_files_load(train_images *p, const train_wish *wish, nashc_diag *d);
nashc_status train_file_image(const train_images *p, int64_t image, uint8_t *planes, nashc_diag *d);
nashc_status train_files_hash(const train_images *p,
                              void (*add)(void *user, const void *data, size_t size), void *user,
                              nashc_diag *d);
void train_files_free(train_files *f);

/* Memory for n images of bytes and their labels. */
nashc_status train_images_alloc(train_images *p, int64_t n, int c, int h, int w, nashc_diag *d);

/* decode.c: a JPEG or PNG as 3 planes, resized to h x w (0: as it is; then *h, *w are set). name is
 * for messages. Freed by free. */
nashc_status train_decode(const char *name, const uint8_t *data, size_t size, int *h, int *w,
                          uint8_t **planes, nashc_diag *d);

/* Bilinear, centres of pixels kept: c planes of h x w to to_h x to_w. */
void train_resize(const uint8_t *from, int c, int h, int w, uint8_t *to, int to_h, int to_w);

/* --- batches (batch.c) ----------------------------------------------------------------------- */

/* How a byte becomes a number: (k + offset) * scale, then minus mean, over std. */
typedef struct train_pixels {
    double offset, scale;
} train_pixels;

typedef struct train_order {
    const train_images *images;
    train_pixels pixels;
    int64_t batch;
    uint64_t seed;
    bool shuffle, augment;
    int part,
        parts;   /* this process takes part `part` of `parts` of each batch; parts 0: all of it */
    int threads; /* that a feed decodes images with which are not held; 0: one */
} train_order;

/* Batch `number` (from 0, counted through all epochs) into x and target (images->targets numbers
 * each), or this part of it; the number of samples, at least 1, or -1: memory is out, or an image
 * cannot be read, which its own reader then says. The last of an epoch may be smaller. A function
 * of its arguments only. perm has room for all indices; it is that of epoch *perm_epoch and is
 * renewed when needed. */
int64_t train_batch_get(const train_order *o, int64_t number, int64_t *perm, int64_t *perm_epoch,
                        float *x, int32_t *target);
int64_t train_batches(const train_order *o); /* an epoch */

/* Which part of the batch's samples are those of this process: 0 to 1. 0: the batch has too few,
 * and the one sample that train_batch_get gives is another's. */
double train_batch_share(const train_order *o, int64_t number);

/* Batches first .. end-1 made by another thread ahead of time. */
typedef struct train_feed train_feed;
train_feed *train_feed_start(const train_order *o, int64_t first, int64_t end);

/* The next one, valid until the next call; the number of samples, 0 behind the last, -1: it cannot
 * be made; train_feed_fault then says why, and is NASHC_OK if nothing was wrong. */
int64_t train_feed_next(train_feed *f, const float **x, const int32_t **target);
nashc_status train_feed_fault(train_feed *f, nashc_diag *d);
void train_feed_stop(train_feed *f);

/* 64 random bits of a place in a run: the same everywhere. */
uint64_t train_random(uint64_t seed, uint64_t a, uint64_t b);

#endif
