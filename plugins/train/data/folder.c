/* folder.c: images in a folder a class, below train/ and test/, in a directory or a zip file. A
 * first folder that is the only one is skipped; classes are in the order of their sorted names. */
#include "plugins/train/data/data.h"
#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zip.h>

#define MAX_IMAGES ((int64_t)1 << 24)
#define MAX_FILE   ((int64_t)1 << 28)

/* Sorted by path: class, then image. */
typedef struct entry {
    char *path;     /* below the split: "CLASS/NAME" */
    int64_t number; /* in the archive */
} entry;

typedef struct train_files {
    entry *at;
    int64_t n, cap;
    zip_t *zip;           /* NULL: a directory */
    char root[1024];      /* of a directory: up to the split */
    pthread_mutex_t lock; /* of zip */
} listing;

/* number: of the entry of an archive; 0 in a directory. */
static bool
add(listing *l, const char *path, int64_t number)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 1024;
        entry *grown = realloc(l->at, (size_t)l->cap * sizeof *grown);
        if (!grown)
            return false;
        l->at = grown;
    }
    l->at[l->n] = (entry){strdup(path), number};
    return l->at[l->n++].path != NULL;
}

static int
by_path(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->path, ((const entry *)b)->path);
}

void
train_files_free(train_files *l)
{
    if (!l)
        return;
    for (int64_t i = 0; i < l->n; i++)
        free(l->at[i].path);
    free(l->at);
    if (l->zip)
        zip_discard(l->zip);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* --- directories ----------------------------------------------------------------------------- */

static bool
is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The only folder in dir, appended to it; else it stays. */
static void
skip_single(char *dir, size_t room)
{
    DIR *d = opendir(dir);
    char only[256] = "";
    int n = 0;

    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(only, sizeof only, "%s", e->d_name);
        n++;
    }
    if (d)
        closedir(d);
    if (n == 1) {
        size_t len = strlen(dir);
        snprintf(dir + len, room - len, "/%s", only);
        if (!is_folder(dir))
            dir[len] = 0;
    }
}

/* Hidden files are passed over; what is no image shows when it is decoded. */
static nashc_status
list_class(listing *l, const char *class, nashc_diag *d)
{
    char path[1400], name[700];
    nashc_status s = NASHC_OK;

    snprintf(path, sizeof path, "%s/%s", l->root, class);
    DIR *dir = opendir(path);
    if (!dir) {
        nashc_loc loc = {.file = path};
        return nashc_error(d, &loc, "this is no folder of images");
    }
    for (struct dirent *e; s == NASHC_OK && (e = readdir(dir));)
        if (e->d_name[0] != '.') {
            snprintf(name, sizeof name, "%s/%s", class, e->d_name);
            s = add(l, name, 0) ? NASHC_OK : nashc_enomem(d);
        }
    closedir(dir);
    return s;
}

/* root gets "/train" or "/test" at its end: 16 bytes are kept for that. */
static nashc_status
list_directory(listing *l, const train_spec *spec, nashc_diag *d)
{
    const char *split = spec->test ? "test" : "train";
    nashc_status s = NASHC_OK;

    snprintf(l->root, sizeof l->root - 16, "%s", spec->path);
    char probe[1100];
    snprintf(probe, sizeof probe, "%s/%s", l->root, split);
    if (!is_folder(probe))
        skip_single(l->root, sizeof l->root - 16);
    size_t len = strlen(l->root);
    snprintf(l->root + len, sizeof l->root - len, "/%s", split);
    DIR *dir = opendir(l->root);
    if (!dir) {
        nashc_loc loc = {.file = l->root};
        return nashc_io_error(d, &loc, "there is no such folder of images");
    }
    for (struct dirent *e; s == NASHC_OK && (e = readdir(dir));)
        if (e->d_name[0] != '.')
            s = list_class(l, e->d_name, d);
    closedir(dir);
    return s;
}

/* --- archives -------------------------------------------------------------------------------- */

/* Below "SPLIT/" or "ANYTHING/SPLIT/": the rest; NULL: elsewhere. */
static const char *
below_split(const char *name, const char *split)
{
    size_t len = strlen(split);
    const char *slash = strchr(name, '/');

    if (strncmp(name, split, len) == 0 && name[len] == '/')
        return name + len + 1;
    if (slash && strncmp(slash + 1, split, len) == 0 && slash[1 + len] == '/')
        return slash + len + 2;
    return NULL;
}

static nashc_status
list_archive(listing *l, const train_spec *spec, nashc_diag *d)
{
    nashc_loc loc = {.file = spec->path};
    int code = 0;

    l->zip = zip_open(spec->path, ZIP_RDONLY, &code);
    if (!l->zip)
        return code == ZIP_ER_NOZIP || code == ZIP_ER_INCONS
                   ? nashc_error(d, &loc, "this is no zip archive")
                   : nashc_io_error(d, &loc, "cannot be opened");
    for (zip_int64_t i = 0, n = zip_get_num_entries(l->zip, 0); i < n; i++) {
        const char *name = zip_get_name(l->zip, (zip_uint64_t)i, 0);
        const char *rest = name ? below_split(name, spec->test ? "test" : "train") : NULL;
        const char *slash = rest ? strchr(rest, '/') : NULL;
        if (!slash || !slash[1]) /* folders themselves */
            continue;
        if (!add(l, rest, i))
            return nashc_enomem(d);
    }
    return NASHC_OK;
}

/* --- both ------------------------------------------------------------------------------------ */

/* Bytes of an image, freed by free; name, for messages, into 2048 bytes. */
static nashc_status
load(listing *l, const train_spec *spec, const entry *e, uint8_t **data, size_t *size, char *name,
     nashc_diag *d)
{
    nashc_loc loc = {.file = name};
    zip_stat_t st;

    if (!l->zip) {
        char *text = NULL;
        snprintf(name, 2048, "%s/%s", l->root, e->path);
        nashc_status s = nashc_file_read(name, MAX_FILE, &text, size, d);
        *data = s == NASHC_OK ? malloc(*size + 1) : NULL;
        if (*data)
            memcpy(*data, text, *size);
        nashc_mem_free(text);
        return s != NASHC_OK || *data ? s : nashc_enomem(d);
    }
    snprintf(name, 2048, "%.1000s:%.1000s", spec->path, e->path);
    if (zip_stat_index(l->zip, (zip_uint64_t)e->number, 0, &st) != 0 ||
        st.size > (zip_uint64_t)MAX_FILE)
        return nashc_error(d, &loc, "the entry is broken or too large");
    *size = (size_t)st.size;
    *data = malloc(*size + 1);
    pthread_mutex_lock(&l->lock);
    zip_file_t *f = *data ? zip_fopen_index(l->zip, (zip_uint64_t)e->number, 0) : NULL;
    bool good = f && zip_fread(f, *data, *size) == (zip_int64_t)*size;
    if (f)
        zip_fclose(f);
    pthread_mutex_unlock(&l->lock);
    return good ? NASHC_OK : nashc_error(d, &loc, "the entry cannot be unpacked");
}

/* Paths are sorted, so a class is a run of them; len + 1 compares the "/" as well. */
static nashc_status
name_classes(train_images *p, const listing *l, nashc_diag *d)
{
    const char *before = NULL;
    size_t len = 0;

    p->class_name = NASHC_NEW_N(p->arena, const char *, l->n);
    if (!p->class_name)
        return nashc_enomem(d);
    for (int64_t i = 0; i < l->n; i++) {
        const char *path = l->at[i].path;
        if (!before || strncmp(path, before, len + 1) != 0) {
            len = strcspn(path, "/");
            before = path;
            p->class_name[p->n_classes] = nashc_arena_printf(p->arena, "%.*s", (int)len, path);
            if (!p->class_name[p->n_classes++])
                return nashc_enomem(d);
        }
        p->label[i] = p->n_classes - 1;
    }
    return NASHC_OK;
}

/* Only lists: images are decoded when it is known which are wanted and of what size. */
nashc_status
train_read_folder(train_images *p, nashc_diag *d)
{
    listing *l = p->files = calloc(1, sizeof *l);
    nashc_loc loc = {.file = p->spec.path};

    if (!l)
        return nashc_enomem(d);
    pthread_mutex_init(&l->lock, NULL);
    nashc_status s =
        is_folder(p->spec.path) ? list_directory(l, &p->spec, d) : list_archive(l, &p->spec, d);
    if (s == NASHC_OK && (l->n == 0 || l->n > MAX_IMAGES))
        s = nashc_error(d, &loc, "there are no images below %s/", p->spec.test ? "test" : "train");
    if (s != NASHC_OK)
        return s;
    qsort(l->at, (size_t)l->n, sizeof *l->at, by_path);
    p->n = l->n;
    p->label = NASHC_NEW_N(p->arena, int32_t, l->n);
    p->file = NASHC_NEW_N(p->arena, int64_t, l->n);
    for (int64_t i = 0; p->file && i < l->n; i++)
        p->file[i] = i;
    return p->label && p->file ? name_classes(p, l, d) : nashc_enomem(d);
}

/* --- images ---------------------------------------------------------------------------------- */

/* Image i as planes of h x w, 0: of its own size; freed by free. */
static nashc_status
decode(const train_images *p, int64_t i, int *h, int *w, uint8_t **planes, nashc_diag *d)
{
    char name[2048];
    uint8_t *data = NULL;
    size_t size = 0;
    nashc_loc loc = {.file = name};
    int want_h = p->h, want_w = p->w;
    nashc_status s = load(p->files, &p->spec, &p->files->at[p->file[i]], &data, &size, name, d);

    if (s == NASHC_OK)
        s = train_decode(name, data, size, h, w, planes, d);
    free(data);
    if (s == NASHC_OK && want_h && (*h != want_h || *w != want_w)) {
        s = nashc_error(d, &loc, "the image is %dx%d, the first one is %dx%d", *h, *w, want_h,
                        want_w);
        nashc_help(d, "size=HxW makes them alike");
        free(*planes);
        *planes = NULL;
    }
    return s;
}

nashc_status
train_file_image(const train_images *p, int64_t image, uint8_t *planes, nashc_diag *d)
{
    int h = p->files_h, w = p->files_w;
    uint8_t *decoded = NULL;
    nashc_status s = decode(p, image, &h, &w, &decoded, d);

    if (s == NASHC_OK)
        memcpy(planes, decoded, (size_t)(3 * h * w));
    free(decoded);
    return s;
}

/* The first image says the size where nobody else does. Held are all images or none: half of them
 * would make the time of a step depend on the draw. */
nashc_status
train_files_load(train_images *p, const train_wish *wish, nashc_diag *d)
{
    int h = p->files_h = p->spec.h ? p->spec.h : wish->h;
    int w = p->files_w = p->spec.w ? p->spec.w : wish->w;
    uint8_t *first = NULL;
    nashc_status s = decode(p, 0, &h, &w, &first, d);

    free(first);
    if (s != NASHC_OK)
        return s;
    p->c = 3;
    p->h = h;
    p->w = w;
    int64_t size = (int64_t)3 * h * w;
    if (p->n > (p->spec.memory << 20) / size)
        return NASHC_OK;
    p->u8 = nashc_arena_alloc(p->arena, (size_t)(p->n * size));
    if (!p->u8)
        return nashc_enomem(d);
    for (int64_t i = 0; s == NASHC_OK && i < p->n; i++)
        s = train_file_image(p, i, p->u8 + i * size, d);
    train_files_free(p->files);
    p->files = NULL;
    return s;
}

/* Reads all files once, undecoded. */
nashc_status
train_files_hash(const train_images *p,
                 void (*add_bytes)(void *user, const void *data, size_t size), void *user,
                 nashc_diag *d)
{
    nashc_status s = NASHC_OK;

    for (int64_t i = 0; s == NASHC_OK && i < p->n; i++) {
        char name[2048];
        uint8_t *data = NULL;
        size_t size = 0;
        s = load(p->files, &p->spec, &p->files->at[p->file[i]], &data, &size, name, d);
        if (s == NASHC_OK)
            add_bytes(user, data, size);
        free(data);
    }
    return s;
}
