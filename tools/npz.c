/* npz.c: files of several arrays (a zip archive of .npy), and the choice between the two formats.
 */
#include "tool.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#define MAX_ARRAYS 4096

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

tool_array *
tool_arrays_find(const tool_arrays *a, const char *name)
{
    for (size_t i = 0; i < a->n; i++)
        if (a->at[i].name && strcmp(a->at[i].name, name) == 0)
            return &a->at[i];
    return NULL;
}

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
        t->name = calloc(1, len + 1);
        if (!t->name)
            return NULL;
        memcpy(t->name, name, len);
    }
    a->n++;
    return t;
}

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
    if (s == NASHC_EINPUT || s == NASHC_EUNSUP)
        nashc_note(d, "in array \"%s\"", nashc_quote(d, st.name));
    if (f)
        zip_fclose(f);
    free(data);
    return s;
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
    for (zip_int64_t i = 0; s == NASHC_OK && i < n; i++)
        s = read_entry(path, zip, (zip_uint64_t)i, out, d);
    zip_discard(zip);
    return s;
}

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

/* One stored entry with a fixed date. The archive owns data afterwards, or it is freed. */
static bool
add_entry(zip_t *zip, const tool_array *a, int index)
{
    enum { DATE_1980_01_01 = 0x21 };
    char *data = NULL, name[512];
    size_t size = 0;
    if (a->name)
        snprintf(name, sizeof name, "%.500s.npy", a->name);
    else
        snprintf(name, sizeof name, "arr_%d.npy", index);
    if (!tool_npy_format(a, &data, &size))
        return false;
    zip_source_t *source = zip_source_buffer(zip, data, size, 1);
    if (!source) {
        free(data);
        return false;
    }
    zip_int64_t at = zip_file_add(zip, name, source, ZIP_FL_ENC_UTF_8);
    if (at < 0) {
        zip_source_free(source);
        return false;
    }
    return zip_set_file_compression(zip, (zip_uint64_t)at, ZIP_CM_STORE, 0) == 0 &&
           zip_file_set_dostime(zip, (zip_uint64_t)at, 0, DATE_1980_01_01, 0) == 0;
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
    zip_source_keep(memory);
    bool ok = true;
    for (size_t i = 0; ok && i < arrays->n; i++)
        ok = add_entry(zip, &arrays->at[i], (int)i);
    if (!ok || zip_close(zip) != 0) {
        nashc_io_error(d, &loc, "cannot be packed: %s", zip_strerror(zip));
        zip_discard(zip);
        zip_source_free(memory);
        return NASHC_EIO;
    }
    nashc_outfile *f = nashc_out_open(path, d);
    nashc_status s = f ? NASHC_OK : NASHC_EIO;
    if (f && zip_source_open(memory) == 0) {
        char chunk[65536];
        for (zip_int64_t n; (n = zip_source_read(memory, chunk, sizeof chunk)) > 0;)
            nashc_out_write(f, chunk, (size_t)n);
        zip_source_close(memory);
        s = nashc_out_commit(f, d);
    } else if (f) {
        nashc_out_drop(f);
        s = nashc_io_error(d, &loc, "cannot be packed");
    }
    zip_source_free(memory);
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
