/* npz.c: files of several arrays (a zip archive of .npy), and the choice between the two formats.
 */
#include "tool.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#define MAX_ARRAYS 4096
#define MAX_NAME   (65535 - 4) /* bytes, of an entry without ".npy" */

/* --- lists of arrays ------------------------------------------------------------------------- */

void
tool_arrays_free(tool_arrays *a)
{
    for (size_t i = 0; i < a->n; i++) {
        free(a->at[i].name);
        nashc_buf_free(&a->at[i].buf);
    }
    free(a->at);
    *a = (tool_arrays){0};
}

/* Names of arrays are text; those of models are any bytes, and stand in files as text. */
static bool
is_named(const char *array, const char *name)
{
    char piece[8];
    while (*name) {
        name += nashc_text_piece(name, piece);
        size_t n = strlen(piece);
        if (strncmp(array, piece, n) != 0)
            return false;
        array += n;
    }
    return !*array;
}

tool_array *
tool_arrays_find(const tool_arrays *a, const char *name)
{
    for (size_t i = 0; i < a->n; i++)
        if (a->at[i].name && is_named(a->at[i].name, name))
            return &a->at[i];
    return NULL;
}

/* name as plain text; NULL: memory is out. */
static char *
plain_name(const char *name, size_t len)
{
    char *raw = strndup(name, len), *plain = malloc(4 * len + 1);
    if (raw && plain) {
        char *w = plain;
        *w = 0;
        for (const char *p = raw; *p; w += strlen(w))
            p += nashc_text_piece(p, w);
    } else {
        free(plain);
        plain = NULL;
    }
    free(raw);
    return plain;
}

/* name NULL: the one array of a .npy file. */
static tool_array *
append(tool_arrays *a, const char *name, size_t len)
{
    if (a->n == a->cap) {
        size_t cap = a->cap ? 2 * a->cap : 4;
        tool_array *grown = realloc(a->at, cap * sizeof *grown);
        if (!grown)
            return NULL;
        a->at = grown;
        a->cap = cap;
    }
    tool_array *t = &a->at[a->n];
    memset(t, 0, sizeof *t);
    if (name) {
        t->name = plain_name(name, len);
        if (!t->name)
            return NULL;
    }
    a->n++;
    return t;
}

/* Elements are kept flat; rank and dim are beside them, as arrays may have one axis more than a
 * tensor. */
tool_array *
tool_arrays_add(tool_arrays *a, const char *name, const nashc_type *elem, int rank,
                const int64_t *dim)
{
    int64_t n = 1;
    for (int i = 0; i < rank; i++)
        if (!nashc_mul_size(n, dim[i], &n))
            return NULL;
    nashc_type flat = nashc_type_shaped(*elem, 1, &n);
    tool_array *t = append(a, name, name ? strlen(name) : 0);
    if (!t)
        return NULL;
    if (!nashc_buf_alloc(&t->buf, &flat)) {
        free(t->name);
        a->n--;
        return NULL;
    }
    t->rank = rank;
    memcpy(t->dim, dim, (size_t)rank * sizeof *dim);
    return t;
}

/* --- reading --------------------------------------------------------------------------------- */

static nashc_status
read_entry(const char *path, zip_t *zip, zip_uint64_t i, tool_arrays *out, nashc_diag *d)
{
    nashc_loc loc = {.file = path};
    zip_stat_t st;
    if (zip_stat_index(zip, i, 0, &st) != 0 || !(st.valid & ZIP_STAT_SIZE) ||
        !(st.valid & ZIP_STAT_NAME))
        return nashc_error(d, &loc, "entry %d of the archive is broken", (int)i);
    size_t len = strlen(st.name);
    if (len < 4 || strcmp(st.name + len - 4, ".npy") != 0)
        return nashc_error(d, &loc, "entry \"%s\" is no array", nashc_quote(d, st.name));
    if (st.size > (zip_uint64_t)NASHC_MAX_BYTES)
        return nashc_error(d, &loc, "entry \"%s\" is too large", nashc_quote(d, st.name));
    tool_array *a = append(out, st.name, len - 4);
    uint8_t *data = malloc((size_t)st.size + 1);
    zip_file_t *f = a && data ? zip_fopen_index(zip, i, 0) : NULL;
    nashc_status s = NASHC_OK;
    if (!a || !data)
        s = nashc_enomem(d);
    else if (!f || zip_fread(f, data, st.size) != (zip_int64_t)st.size)
        s = nashc_error(d, &loc, "entry \"%s\" cannot be unpacked", nashc_quote(d, st.name));
    else
        s = tool_npy_parse(path, data, (size_t)st.size, a, d);
    /* the message speaks of the header; this says whose */
    if (s == NASHC_EINPUT || s == NASHC_EUNSUP)
        nashc_note(d, "in array \"%s\"", nashc_quote(d, st.name));
    if (f)
        zip_fclose(f);
    free(data);
    return s;
}

/* What the directory promises, before anything is unpacked: entries may share their bytes. */
static bool
fits(zip_t *zip, zip_int64_t n)
{
    zip_uint64_t left = (zip_uint64_t)NASHC_MAX_BYTES;
    for (zip_int64_t i = 0; i < n; i++) {
        zip_stat_t st;
        if (zip_stat_index(zip, (zip_uint64_t)i, 0, &st) != 0 || !(st.valid & ZIP_STAT_SIZE))
            continue; /* read_entry tells */
        if (st.size > left)
            return false;
        left -= st.size;
    }
    return true;
}

static nashc_status
read_zip(const char *path, tool_arrays *out, nashc_diag *d)
{
    nashc_loc loc = {.file = path};
    int code = 0;
    zip_t *zip = zip_open(path, ZIP_RDONLY, &code);
    if (!zip)
        return nashc_error(d, &loc, "the archive cannot be opened: it is damaged");
    zip_int64_t n = zip_get_num_entries(zip, 0);
    nashc_status s = NASHC_OK;
    if (n > MAX_ARRAYS)
        s = nashc_error(d, &loc, "more than %d arrays", MAX_ARRAYS);
    else if (!fits(zip, n))
        s = nashc_error(d, &loc, "the arrays have more than %" PRId64 " bytes together",
                        NASHC_MAX_BYTES);
    for (zip_int64_t i = 0; s == NASHC_OK && i < n; i++)
        s = read_entry(path, zip, (zip_uint64_t)i, out, d);
    zip_discard(zip);
    return s;
}

/* By content: a name may say anything. An empty archive begins with PK\5\6. On failure out is
 * empty. */
nashc_status
tool_arrays_read(const char *path, tool_arrays *out, nashc_diag *d)
{
    nashc_loc loc = {.file = path};
    char *data = NULL;
    size_t size = 0;
    *out = (tool_arrays){0};
    nashc_status s = nashc_file_read(path, NASHC_MAX_BYTES, &data, &size, d);
    if (s != NASHC_OK)
        return s;
    if (size >= 4 && (memcmp(data, "PK\x03\x04", 4) == 0 || memcmp(data, "PK\x05\x06", 4) == 0)) {
        s = read_zip(path, out, d);
    } else if (size >= 6 && memcmp(data, "\x93NUMPY", 6) == 0) {
        tool_array *a = append(out, NULL, 0);
        s = a ? tool_npy_parse(path, (const uint8_t *)data, size, a, d) : nashc_enomem(d);
    } else {
        s = nashc_error(d, &loc, "this is neither a .npy nor a .npz file");
    }
    nashc_mem_free(data);
    if (s != NASHC_OK)
        tool_arrays_free(out);
    return s;
}

/* --- writing --------------------------------------------------------------------------------- */

static bool
has_suffix(const char *path, const char *suffix)
{
    size_t n = strlen(path), len = strlen(suffix);
    return n >= len && strcmp(path + n - len, suffix) == 0;
}

static nashc_status
write_npy(const char *path, const tool_array *a, nashc_diag *d)
{
    char *data = NULL;
    size_t size = 0;
    if (!tool_npy_format(a, &data, &size))
        return nashc_enomem(d);
    nashc_outfile *f = nashc_out_open(path, d);
    if (f)
        nashc_out_write(f, data, size);
    free(data);
    return f ? nashc_out_commit(f, d) : NASHC_EIO;
}

/* One stored entry with a fixed date. *data: its bytes, which the caller frees behind the archive:
 * libzip, short of memory, frees what it was given in some places and in others does not. */
static bool
add_entry(zip_t *zip, const tool_array *a, const char *name, char **data)
{
    enum { DATE_1980_01_01 = 0x21 };
    size_t size = 0;
    if (!tool_npy_format(a, data, &size))
        return false;
    zip_source_t *source = zip_source_buffer(zip, *data, size, 0);
    if (!source)
        return false;
    zip_int64_t at = zip_file_add(zip, name, source, ZIP_FL_ENC_UTF_8);
    if (at < 0) {
        zip_source_free(source);
        return false;
    }
    return zip_set_file_compression(zip, (zip_uint64_t)at, ZIP_CM_STORE, 0) == 0 &&
           zip_file_set_dostime(zip, (zip_uint64_t)at, 0, DATE_1980_01_01, 0) == 0;
}

static bool
same_array(const tool_array *a, const tool_array *b)
{
    return a->rank == b->rank && memcmp(a->dim, b->dim, (size_t)a->rank * sizeof *a->dim) == 0 &&
           a->buf.cell == b->buf.cell &&
           memcmp(a->buf.data, b->buf.data, (size_t)a->buf.n * nashc_cell_size(a->buf.cell)) == 0;
}

/* Adds array i. One that is there already, as one value may be two outputs, is not added again. */
static nashc_status
add_array(zip_t *zip, const char *path, const tool_arrays *arrays, size_t i, char **data,
          nashc_diag *d)
{
    const tool_array *a = &arrays->at[i], *twin = a->name ? tool_arrays_find(arrays, a->name) : a;
    nashc_loc loc = {.file = path};
    char *file = NULL;
    nashc_status s = NASHC_OK;
    if (twin != a && same_array(twin, a))
        return NASHC_OK;
    if (twin != a || (a->name && strlen(a->name) > MAX_NAME)) {
        nashc_error(d, &loc, "output \"%s\" cannot be an entry: %s", nashc_quote(d, a->name),
                    twin != a ? "another one has its name" : "its name is too long");
        nashc_help(d, "rename it in the model, or write single outputs as .npy");
        return NASHC_EINPUT;
    }
    size_t n = (a->name ? strlen(a->name) : 24) + sizeof ".npy";
    if ((file = malloc(n))) {
        if (a->name)
            snprintf(file, n, "%s.npy", a->name);
        else
            snprintf(file, n, "arr_%zu.npy", i);
    }
    if (!file)
        s = nashc_enomem(d);
    else if (!add_entry(zip, a, file, data))
        s = nashc_io_error(d, &loc, "output \"%s\" cannot be packed: %s",
                           nashc_quote(d, a->name ? a->name : file), zip_strerror(zip));
    free(file);
    return s;
}

static nashc_status
copy_out(zip_source_t *from, const char *path, nashc_diag *d)
{
    nashc_outfile *f = nashc_out_open(path, d);
    char chunk[65536];
    zip_int64_t n = -1;
    if (!f)
        return NASHC_EIO;
    if (zip_source_open(from) == 0) {
        while ((n = zip_source_read(from, chunk, sizeof chunk)) > 0)
            nashc_out_write(f, chunk, (size_t)n);
        zip_source_close(from);
    }
    if (n == 0)
        return nashc_out_commit(f, d);
    nashc_out_drop(f);
    return nashc_io_error(d, &(nashc_loc){.file = path}, "cannot be packed");
}

/* Builds the archive in memory, so that it reaches the disk whole or not at all. */
static nashc_status
write_npz(const char *path, const tool_arrays *arrays, nashc_diag *d)
{
    nashc_loc loc = {.file = path};
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *memory = zip_source_buffer_create(NULL, 0, 0, &error);
    zip_t *zip = memory ? zip_open_from_source(memory, ZIP_CREATE | ZIP_TRUNCATE, &error) : NULL;
    if (!zip) {
        if (memory)
            zip_source_free(memory);
        zip_error_fini(&error);
        return nashc_enomem(d);
    }
    /* zip_close gives its source away: this reference is read from afterwards */
    zip_source_keep(memory);
    char **data = calloc(arrays->n + 1, sizeof *data); /* by array */
    nashc_status s = data ? NASHC_OK : nashc_enomem(d);
    for (size_t i = 0; s == NASHC_OK && i < arrays->n; i++)
        s = add_array(zip, path, arrays, i, &data[i], d);
    if (s == NASHC_OK && zip_close(zip) != 0)
        s = nashc_io_error(d, &loc, "cannot be packed: %s", zip_strerror(zip));
    else if (s == NASHC_OK)
        zip = NULL;
    if (zip)
        zip_discard(zip);
    if (s == NASHC_OK)
        s = copy_out(memory, path, d);
    zip_source_free(memory);
    for (size_t i = 0; data && i < arrays->n; i++)
        free(data[i]);
    free(data);
    return s;
}

nashc_status
tool_arrays_write(const char *path, const tool_arrays *a, nashc_diag *d)
{
    if (has_suffix(path, ".npz"))
        return write_npz(path, a, d);
    if (!has_suffix(path, ".npy"))
        return nashc_usage(d, "\"%s\" ends neither in .npy nor in .npz", nashc_quote(d, path));
    if (a->n != 1)
        return nashc_usage(d, "%zu arrays do not fit into a .npy file: use .npz", a->n);
    return write_npy(path, &a->at[0], d);
}
