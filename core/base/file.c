/* file.c: whole files in, whole files or folders out: nothing half-written is ever visible. */
#undef _POSIX_C_SOURCE
#define _XOPEN_SOURCE 700 /* POSIX.1-2008 with realpath */
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/base/temp.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <nashc/diag.h>
#include <nashc/io.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER (1 << 16)

static nashc_status
io_error(nashc_diag *d, const char *path, const char *what, int err)
{
    nashc_loc loc = {.file = path};

    return nashc_io_error(d, &loc, "%s: %s", what, strerror(err));
}

/* --- reading --------------------------------------------------------------------------------- */

static nashc_status
read_all(int fd, const char *path, int64_t max, nashc_str *out, nashc_diag *d)
{
    char *chunk = nashc_mem_alloc(BUFFER);
    nashc_status s = chunk ? NASHC_OK : nashc_enomem(d);
    nashc_loc loc = {.file = path};

    while (!s) {
        ssize_t n = read(fd, chunk, BUFFER);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            s = io_error(d, path, "cannot read", errno);
        } else if (n == 0) {
            break;
        } else if (n > max - (int64_t)out->n) {
            s = nashc_error(d, &loc, "file is larger than %lld bytes", (long long)max);
        } else {
            nashc_str_add(out, chunk, (size_t)n);
            if (out->bad)
                s = nashc_enomem(d);
        }
    }
    nashc_mem_free(chunk);
    return s;
}

nashc_status
nashc_file_read(const char *path, int64_t max, char **data, size_t *size, nashc_diag *d)
{
    nashc_str text = {0};
    struct stat st;
    nashc_status s;
    char *p;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return io_error(d, path, "cannot open", errno);
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        return io_error(d, path, "cannot read", EISDIR);
    }
    /* The size of a regular file is known: one allocation, one copy. */
    if (S_ISREG(st.st_mode) && st.st_size <= max && st.st_size > 0)
        nashc_mem_grow((void **)&text.data, &text.cap, (size_t)st.st_size + 1, 1);
    s = read_all(fd, path, max, &text, d);
    close(fd);
    if (s) {
        nashc_str_free(&text);
        return s;
    }
    p = nashc_str_take(&text, size);
    if (!p)
        return nashc_enomem(d);
    *data = p;
    return NASHC_OK;
}

/* --- files out ------------------------------------------------------------------------------- */

struct nashc_outfile {
    char *path, *temp; /* temp NULL: written in place (a device or a pipe) */
    char *buffer;
    size_t used;
    int fd, err; /* err: errno of the first failure */
};

/* A sibling of path that does not exist yet; path, process and counter make it. */
static char *
temp_name(const char *path)
{
    static atomic_uint counter;
    nashc_str s = {0};

    nashc_str_printf(&s, "%s.tmp-%ld-%u", path, (long)getpid(), atomic_fetch_add(&counter, 1));
    return nashc_str_take(&s, NULL);
}

static void
outfile_free(nashc_outfile *f)
{
    nashc_temp_done(f->temp);
    nashc_mem_free(f->path);
    nashc_mem_free(f->temp);
    nashc_mem_free(f->buffer);
    nashc_mem_free(f);
}

/* What a link points to is replaced, not the link. */
static char *
real_target(const char *path)
{
    struct stat st;
    char *real, *copy;

    if (lstat(path, &st) != 0 || !S_ISLNK(st.st_mode))
        return nashc_mem_strdup(path);
    real = realpath(path, NULL);
    copy = nashc_mem_strdup(real ? real : path);
    free(real);
    return copy;
}

nashc_outfile *
nashc_out_open(const char *path, nashc_diag *d)
{
    nashc_outfile *f = nashc_mem_calloc(1, sizeof(*f));
    struct stat st;
    bool special = stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);

    if (!f) {
        nashc_enomem(d);
        return NULL;
    }
    f->fd = -1;
    f->buffer = nashc_mem_alloc(BUFFER);
    f->path = real_target(path);
    f->temp = special || !f->path ? NULL : temp_name(f->path);
    if (!f->buffer || !f->path || (!special && !f->temp)) {
        nashc_enomem(d);
        outfile_free(f);
        return NULL;
    }
    nashc_temp_note(f->temp);
    if (special)
        f->fd = open(f->path, O_WRONLY | O_CLOEXEC);
    else
        f->fd = open(f->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (f->fd < 0) {
        io_error(d, path, "cannot create", errno);
        outfile_free(f);
        return NULL;
    }
    return f;
}

static void
flush(nashc_outfile *f)
{
    size_t done = 0;

    while (done < f->used && !f->err) {
        ssize_t n = write(f->fd, f->buffer + done, f->used - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            f->err = errno;
    }
    f->used = 0;
}

void
nashc_out_write(nashc_outfile *f, const void *data, size_t size)
{
    const char *p = data;

    while (size && f && !f->err) {
        size_t n = BUFFER - f->used < size ? BUFFER - f->used : size;
        memcpy(f->buffer + f->used, p, n);
        f->used += n;
        p += n;
        size -= n;
        if (f->used == BUFFER)
            flush(f);
    }
}

void
nashc_out_printf(nashc_outfile *f, const char *fmt, ...)
{
    nashc_str s = {0};
    va_list ap;

    if (!f)
        return;
    va_start(ap, fmt);
    nashc_str_vprintf(&s, fmt, ap);
    va_end(ap);
    if (s.bad)
        f->err = f->err ? f->err : ENOMEM;
    else
        nashc_out_write(f, s.data, s.n);
    nashc_str_free(&s);
}

nashc_status
nashc_out_commit(nashc_outfile *f, nashc_diag *d)
{
    nashc_status s = NASHC_OK;

    flush(f);
    if (close(f->fd) != 0 && !f->err)
        f->err = errno;
    if (!f->err && f->temp && rename(f->temp, f->path) != 0)
        f->err = errno;
    if (f->err) {
        s = io_error(d, f->path, "cannot write", f->err);
        if (f->temp)
            unlink(f->temp);
    }
    outfile_free(f);
    return s;
}

void
nashc_out_drop(nashc_outfile *f)
{
    if (!f)
        return;
    close(f->fd);
    if (f->temp)
        unlink(f->temp);
    outfile_free(f);
}

/* --- folders out ----------------------------------------------------------------------------- */

struct nashc_outdir {
    char *path, *temp;
};

static bool
is_empty_dir(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    bool empty = dir != NULL;

    while (empty && (e = readdir(dir)))
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    if (dir)
        closedir(dir);
    return empty;
}

/* A folder that nashc wrote holds a manifest.json that names nashc as its tool. */
static bool
is_ours(const char *path)
{
    nashc_str file = {0};
    json_t *j = NULL;
    bool ours;

    nashc_str_printf(&file, "%s/manifest.json", path);
    if (!file.bad)
        j = json_load_file(file.data, 0, NULL);
    nashc_str_free(&file);
    ours = json_is_string(json_object_get(j, "tool")) &&
           strncmp(json_string_value(json_object_get(j, "tool")), "nashc", 5) == 0;
    json_decref(j);
    return ours;
}

static nashc_status
check_target(const char *path, nashc_diag *d)
{
    nashc_loc loc = {.file = path};
    struct stat st;

    if (lstat(path, &st) != 0)
        return NASHC_OK;
    if (!S_ISDIR(st.st_mode))
        return nashc_io_error(d, &loc, "exists and is not a folder");
    if (is_empty_dir(path) || is_ours(path))
        return NASHC_OK;
    nashc_io_error(d, &loc, "the folder is not empty and was not written by nashc");
    nashc_help(d, "name a new folder, or remove this one first");
    return NASHC_EIO;
}

static void
outdir_free(nashc_outdir *o)
{
    nashc_temp_done(o->temp);
    nashc_mem_free(o->path);
    nashc_mem_free(o->temp);
    nashc_mem_free(o);
}

nashc_outdir *
nashc_outdir_open(const char *path, nashc_diag *d)
{
    nashc_outdir *o;
    size_t n = strlen(path);

    if (!n || check_target(path, d)) {
        if (!n)
            nashc_io_error(d, NULL, "the output folder has no name");
        return NULL;
    }
    o = nashc_mem_calloc(1, sizeof(*o));
    if (o)
        o->path = nashc_mem_strdup(path);
    if (o && o->path) {
        while (n > 1 && o->path[n - 1] == '/')
            o->path[--n] = 0;
        o->temp = temp_name(o->path);
    }
    if (!o || !o->temp) {
        nashc_enomem(d);
    } else if (mkdir(o->temp, 0777) != 0) {
        io_error(d, path, "cannot create the folder", errno);
    } else {
        nashc_temp_note(o->temp);
        return o;
    }
    if (o)
        outdir_free(o);
    return NULL;
}

const char *
nashc_outdir_path(const nashc_outdir *o)
{
    return o->temp;
}

nashc_status
nashc_outdir_commit(nashc_outdir *o, nashc_diag *d)
{
    nashc_status s = check_target(o->path, d); /* it may have changed meanwhile */
    char *old = NULL;
    struct stat st;

    if (!s && lstat(o->path, &st) == 0) {
        old = temp_name(o->path);
        if (!old)
            s = nashc_enomem(d);
        else if (rename(o->path, old) != 0)
            s = io_error(d, o->path, "cannot replace the folder", errno);
    }
    if (!s && rename(o->temp, o->path) != 0) {
        s = io_error(d, o->path, "cannot write the folder", errno);
        if (old)
            rename(old, o->path);
    } else if (!s && old && !nashc_tree_remove(old)) {
        s = io_error(d, old, "cannot remove the former output", errno);
    }
    nashc_mem_free(old);
    if (s) {
        nashc_outdir_drop(o);
        return s;
    }
    outdir_free(o);
    return NASHC_OK;
}

void
nashc_outdir_drop(nashc_outdir *o)
{
    if (!o)
        return;
    nashc_tree_remove(o->temp);
    outdir_free(o);
}
