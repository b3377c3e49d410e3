/* blob.c: the archive of large constants beside a .nashir file.
 *
 *     0   "nashblob"         8 bytes
 *     8   version = 1        u32, little endian like all below
 *     12  number of entries  u32
 *     16  size of the file   u64
 *     24  zero               8 bytes
 *     32  index              64 bytes an entry: SHA-256 (32), offset u64, size u64, zero (16)
 *     ..  payloads           each at a multiple of 64: the cells of one tensor, row-major
 *
 * The hash is that of nashc_tensor_hash: element and shape as IR text, a 0, the cells. The text
 * names an entry by its first 8 bytes. Nothing of a file is trusted: sizes and offsets are checked
 * against the file, and bytes against the whole hash when a constant is loaded.
 */
#include "core/base/mem.h"
#include "ir/impl.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <nashc/diag.h>
#include <nashc/io.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD  32u
#define ENTRY 64u
#define ALIGN 64u

static const char magic[8] = "nashblob";

typedef struct entry {
    uint8_t hash[32];
    uint64_t offset, size;
    nashc_tensor *loaded;
} entry;

struct nashc_blobs {
    char *path;
    int fd;
    entry *entry;
    uint32_t n;
};

static uint64_t
get_le(const uint8_t *p, int bytes)
{
    uint64_t v = 0;

    for (int i = bytes; i--;)
        v = v << 8 | p[i];
    return v;
}

static void
put_le(uint8_t *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++, v >>= 8)
        p[i] = (uint8_t)v;
}

/* --- reading --------------------------------------------------------------------------------- */

/* pread: several threads may read one file. */
static bool
read_at(int fd, void *out, size_t size, uint64_t offset)
{
    char *p = out;

    while (size) {
        ssize_t n = pread(fd, p, size, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        size -= (size_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

/* Damage of the file, not of the text that names it. */
static nashc_status
bad_file(const nashc_blobs *b, nashc_diag *d, const char *what)
{
    nashc_loc loc = {.file = b->path};

    return nashc_error(d, &loc, "not a valid blob file: %s", what);
}

/* Header and index; every payload lies inside the file. */
static nashc_status
read_index(nashc_blobs *b, nashc_diag *d)
{
    uint8_t head[HEAD], row[ENTRY];
    struct stat st;
    uint64_t size;

    if (fstat(b->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return bad_file(b, d, "it is no regular file");
    size = (uint64_t)st.st_size;
    if (size < HEAD || !read_at(b->fd, head, HEAD, 0) || memcmp(head, magic, 8) != 0)
        return bad_file(b, d, "it does not begin with \"nashblob\"");
    if (get_le(head + 8, 4) != 1)
        return bad_file(b, d, "its version is not 1");
    if (get_le(head + 16, 8) != size)
        return bad_file(b, d, "its size is not what the header says");
    b->n = (uint32_t)get_le(head + 12, 4);
    if (b->n > (size - HEAD) / ENTRY)
        return bad_file(b, d, "the index is longer than the file");
    b->entry = nashc_mem_calloc(b->n, sizeof(*b->entry));
    if (!b->entry)
        return nashc_enomem(d);
    for (uint32_t i = 0; i < b->n; i++) {
        entry *e = &b->entry[i];
        if (!read_at(b->fd, row, ENTRY, HEAD + (uint64_t)i * ENTRY))
            return bad_file(b, d, "the index cannot be read");
        memcpy(e->hash, row, 32);
        e->offset = get_le(row + 32, 8);
        e->size = get_le(row + 40, 8);
        if (e->offset > size || e->size > size - e->offset || e->offset % ALIGN)
            return bad_file(b, d, "an entry lies outside the file");
    }
    return NASHC_OK;
}

nashc_status
nashc_blobs_open(const char *path, nashc_blobs **out, nashc_diag *d)
{
    nashc_blobs *b = nashc_mem_calloc(1, sizeof(*b));
    nashc_loc loc = {.file = path};
    nashc_status s;

    if (!b)
        return nashc_enomem(d);
    b->path = nashc_mem_strdup(path);
    b->fd = b->path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (!b->path)
        s = nashc_enomem(d);
    else if (b->fd < 0)
        s = nashc_io_error(d, &loc, "cannot open the blob file: %s", strerror(errno));
    else
        s = read_index(b, d);
    if (s) {
        nashc_blobs_close(b);
        return s;
    }
    *out = b;
    return NASHC_OK;
}

/* Also of one that was opened in part. */
void
nashc_blobs_close(nashc_blobs *b)
{
    if (!b)
        return;
    for (uint32_t i = 0; b->entry && i < b->n; i++)
        nashc_tensor_unref(b->entry[i].loaded);
    if (b->fd >= 0)
        close(b->fd);
    nashc_mem_free(b->entry);
    nashc_mem_free(b->path);
    nashc_mem_free(b);
}

static bool
all_belong(const nashc_buf *b)
{
    const nashc_type *t = &b->type;

    if (t->kind == NASHC_K_F32 || t->kind == NASHC_K_F64)
        return true;
    for (int64_t i = 0; i < b->n; i++)
        if (!nashc_buf_belongs(b, i))
            return false;
    return true;
}

static nashc_status
load_entry(nashc_blobs *b, entry *e, const nashc_type *t, nashc_tensor **out, nashc_diag *d,
           const nashc_loc *where)
{
    nashc_tensor *data;
    nashc_buf buf;

    /* constants of equal cells share one tensor, as long as type and interval agree; the last one
     * asked for is kept */
    if (e->loaded && nashc_type_eq(nashc_tensor_type(e->loaded), t)) {
        *out = nashc_tensor_ref(e->loaded);
        return NASHC_OK;
    }
    if (!nashc_buf_alloc(&buf, t))
        return nashc_enomem(d);
    if (!read_at(b->fd, buf.data, (size_t)e->size, e->offset)) {
        nashc_buf_free(&buf);
        return bad_file(b, d, "a payload cannot be read");
    }
    if (!all_belong(&buf)) {
        nashc_buf_free(&buf);
        return nashc_error(d, where, "the blob holds values outside its type");
    }
    data = nashc_tensor_take(&buf);
    if (!data)
        return nashc_enomem(d);
    if (memcmp(nashc_tensor_hash(data), e->hash, 32) != 0) {
        nashc_tensor_unref(data);
        return nashc_error(d, where, "the bytes of the blob in %s do not have its hash",
                           d ? nashc_quote(d, b->path) : "");
    }
    nashc_tensor_unref(e->loaded);
    e->loaded = nashc_tensor_ref(data);
    *out = data;
    return NASHC_OK;
}

nashc_status
nashc_blobs_load(nashc_blobs *b, const nashc_type *t, uint64_t prefix, nashc_tensor **out,
                 nashc_diag *d, const nashc_loc *where)
{
    int64_t n = nashc_type_count(t);
    uint64_t size = (uint64_t)n * nashc_cell_size(nashc_type_cell(t));
    bool found = false;

    if (n < 0)
        return nashc_error(d, where, "a blob needs a fully known shape");
    for (uint32_t i = 0; i < b->n; i++) {
        entry *e = &b->entry[i];
        uint64_t key = 0;
        for (int k = 0; k < 8; k++)
            key = key << 8 | e->hash[k];
        if (key != prefix)
            continue;
        found = true;
        if (e->size == size)
            return load_entry(b, e, t, out, d, where);
    }
    if (found)
        return nashc_error(d, where, "the blob does not have the %" PRIu64 " bytes of its type",
                           size);
    return nashc_error(d, where, "%s has no blob %016" PRIx64, d ? nashc_quote(d, b->path) : "",
                       prefix);
}

/* --- writing --------------------------------------------------------------------------------- */

typedef struct list {
    const nashc_tensor **item;
    size_t n, cap;
    nashc_map seen; /* hex of the hash */
    nashc_arena *arena;
} list;

/* By the whole hash, so that equal constants of several graphs are written once. */
static bool
collect(void *user, const nashc_value *v)
{
    static const char digits[] = "0123456789abcdef";
    list *l = user;
    const uint8_t *hash;
    char *hex;

    if (!nashc_tensor_needs_blob(v->data))
        return true;
    hash = nashc_tensor_hash(v->data);
    hex = nashc_arena_alloc(l->arena, 65);
    if (!hex)
        return false;
    for (int i = 0; i < 64; i++)
        hex[i] = digits[hash[i / 2] >> (i % 2 ? 0 : 4) & 15];
    if (nashc_map_get(&l->seen, hex))
        return true;
    if (!nashc_map_put(&l->seen, hex, hex) ||
        !nashc_mem_grow((void **)&l->item, &l->cap, l->n + 1, sizeof(nashc_tensor *)))
        return false;
    l->item[l->n++] = v->data;
    return true;
}

static uint64_t
aligned(uint64_t at)
{
    return (at + ALIGN - 1) / ALIGN * ALIGN;
}

/* At most ALIGN - 1 bytes, of which there are that many zeros. */
static void
pad(nashc_outfile *f, uint64_t from, uint64_t to)
{
    static const char zero[ALIGN];

    nashc_out_write(f, zero, (size_t)(to - from));
}

/* An entry that is to be written: of a tensor, or copied from a file. */
typedef struct row {
    const uint8_t *hash;
    const nashc_tensor *data; /* NULL: at offset of the file */
    uint64_t offset, size;
} row;

static bool
copy_bytes(int fd, uint64_t offset, uint64_t size, nashc_outfile *f)
{
    char chunk[16384];

    while (size) {
        size_t n = size < sizeof chunk ? (size_t)size : sizeof chunk;
        if (!read_at(fd, chunk, n, offset))
            return false;
        nashc_out_write(f, chunk, n);
        offset += n;
        size -= n;
    }
    return true;
}

/* Three walks: the size of the file, the index, the payloads. Offsets are computed alike in the
 * last two. */
static bool
write_rows(const row *r, size_t n, int fd, nashc_outfile *f)
{
    uint64_t at = HEAD + (uint64_t)n * ENTRY, end = at;
    uint8_t text[ENTRY] = {0};
    bool ok = true;

    for (size_t i = 0; i < n; i++)
        end = aligned(end) + r[i].size;
    memcpy(text, magic, 8);
    put_le(text + 8, 1, 4);
    put_le(text + 12, n, 4);
    put_le(text + 16, end, 8);
    nashc_out_write(f, text, HEAD);
    for (size_t i = 0; i < n; i++) {
        at = aligned(at);
        memset(text, 0, sizeof(text));
        memcpy(text, r[i].hash, 32);
        put_le(text + 32, at, 8);
        put_le(text + 40, r[i].size, 8);
        nashc_out_write(f, text, ENTRY);
        at += r[i].size;
    }
    at = HEAD + (uint64_t)n * ENTRY;
    for (size_t i = 0; ok && i < n; i++) {
        pad(f, at, aligned(at));
        if (r[i].data)
            nashc_out_write(f, nashc_tensor_data(r[i].data), (size_t)r[i].size);
        else
            ok = copy_bytes(fd, r[i].offset, r[i].size, f);
        at = aligned(at) + r[i].size;
    }
    return ok;
}

static nashc_status
write_file(const char *path, const row *r, size_t n, int fd, nashc_diag *d)
{
    nashc_outfile *f = nashc_out_open(path, d);
    nashc_loc loc = {.file = path};

    if (!f)
        return NASHC_EIO;
    if (write_rows(r, n, fd, f))
        return nashc_out_commit(f, d);
    nashc_out_drop(f);
    return nashc_io_error(d, &loc, "the former file cannot be read");
}

static bool
has_hash(const row *r, size_t n, const uint8_t *hash)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(r[i].hash, hash, 32) == 0)
            return true;
    return false;
}

/* Rows of the tensors, then of the entries of former that are none of these. NULL: memory out. */
static row *
make_rows(const list *l, const nashc_blobs *former, size_t *n_all)
{
    size_t n = l->n;
    row *r = nashc_mem_calloc(l->n + (former ? former->n : 0), sizeof *r);

    for (size_t i = 0; r && i < l->n; i++)
        r[i] = (row){nashc_tensor_hash(l->item[i]), l->item[i], 0, nashc_tensor_bytes(l->item[i])};
    for (uint32_t i = 0; r && former && i < former->n; i++)
        if (!has_hash(r, l->n, former->entry[i].hash))
            r[n++] =
                (row){former->entry[i].hash, NULL, former->entry[i].offset, former->entry[i].size};
    *n_all = n;
    return r;
}

/* The file at path if it is a blob file, which a text of today may need; NULL: none. */
static nashc_blobs *
open_former(const char *path)
{
    nashc_blobs *b = NULL;

    return access(path, F_OK) == 0 && nashc_blobs_open(path, &b, NULL) == NASHC_OK ? b : NULL;
}

static nashc_status
write_list(const list *l, const char *path, bool keep, bool *more, nashc_diag *d)
{
    nashc_blobs *former = keep ? open_former(path) : NULL;
    size_t n;
    row *r = make_rows(l, former, &n);
    nashc_status s = r ? write_file(path, r, n, former ? former->fd : -1, d) : nashc_enomem(d);

    *more = n > l->n;
    nashc_mem_free(r);
    nashc_blobs_close(former);
    return s;
}

nashc_status
nashc_blobs_write(const nashc_module *m, const char *path, bool keep, bool *more, nashc_diag *d)
{
    list l = {.arena = nashc_arena_create()};
    nashc_status s = NASHC_OK;
    bool ok = l.arena != NULL;

    *more = false;
    for (size_t i = 0; ok && i < m->n_graphs; i++)
        ok = nashc_graph_each_const(m->graphs[i], collect, &l);
    if (!ok)
        s = nashc_enomem(d);
    else if (l.n)
        s = write_list(&l, path, keep, more, d);
    nashc_mem_free(l.item);
    nashc_map_free(&l.seen);
    if (l.arena)
        nashc_arena_free(l.arena);
    return s;
}
