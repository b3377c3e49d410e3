/* file.c: whole files in, whole files out: nothing half-written is ever visible. */
#undef _POSIX_C_SOURCE
#define _XOPEN_SOURCE 700 /* POSIX.1-2008 with realpath */
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include <errno.h>
#include <fcntl.h>
#include <nashc/diag.h>
#include <nashc/io.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER (1 << 16)

nashc_status
nashc_file_error(nashc_diag *d, const char *path, const char *what, int err)
{
    nashc_loc loc = {.file = path};

    return nashc_io_error(d, &loc, "%s: %s", what, strerror(err));
}

/* --- reading --------------------------------------------------------------------------------- */

/* In chunks, whatever fstat said: pipes have no size, and a file may grow while it is read. */
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
            s = nashc_file_error(d, path, "cannot read", errno);
        } else if (n == 0) {
            break;
            /* out->n never exceeds max, so this does not overflow */
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

/* *data ends with a 0 that *size does not count. */
nashc_status
nashc_file_read(const char *path, int64_t max, char **data, size_t *size, nashc_diag *d)
{
    nashc_str text = {0};
    struct stat st;
    nashc_status s;
    char *p;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return nashc_file_error(d, path, "cannot open", errno);
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        return nashc_file_error(d, path, "cannot read", EISDIR);
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

/* In the folder of path, as rename does not cross file systems; process and counter make it
 * unique. */
char *
nashc_temp_name(const char *path)
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

/* links: what path points to is meant, else path itself. */
static nashc_outfile *
out_open(const char *path, bool links, nashc_diag *d)
{
    nashc_outfile *f = nashc_mem_calloc(1, sizeof(*f));
    struct stat st;
    bool special = links && stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);

    if (!f) {
        nashc_enomem(d);
        return NULL;
    }
    f->fd = -1;
    f->buffer = nashc_mem_alloc(BUFFER);
    f->path = links ? real_target(path) : nashc_mem_strdup(path);
    f->temp = special || !f->path ? NULL : nashc_temp_name(f->path);
    if (!f->buffer || !f->path || (!special && !f->temp)) {
        nashc_enomem(d);
        outfile_free(f);
        return NULL;
    }
    /* from here on a signal removes it, too */
    nashc_temp_note(f->temp);
    if (special)
        f->fd = open(f->path, O_WRONLY | O_CLOEXEC);
    else
        f->fd = open(f->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (f->fd < 0) {
        nashc_file_error(d, path, "cannot create", errno);
        outfile_free(f);
        return NULL;
    }
    return f;
}

/* A device or a pipe (/dev/stdout) is written in place; anything else under another name until
 * commit. */
nashc_outfile *
nashc_out_open(const char *path, nashc_diag *d)
{
    return out_open(path, true, d);
}

/* For folders that another may have prepared: a link among the folders of name would lead out of
 * dir. */
nashc_outfile *
nashc_out_open_below(const char *dir, const char *name, nashc_diag *d)
{
    nashc_outfile *f = NULL;
    nashc_str path = {0};
    struct stat st;
    bool linked = false;

    nashc_str_puts(&path, dir);
    for (const char *s = name; !path.bad && *s && !linked;) {
        size_t n = strcspn(s, "/");
        nashc_str_putc(&path, '/');
        nashc_str_add(&path, s, n);
        s += n + (s[n] == '/');
        linked = *s && !path.bad && lstat(path.data, &st) == 0 && S_ISLNK(st.st_mode);
    }
    if (path.bad)
        nashc_enomem(d);
    else if (linked)
        nashc_io_error(d, &(nashc_loc){.file = path.data}, "is a link, which is not followed");
    else
        f = out_open(path.data, false, d);
    nashc_str_free(&path);
    return f;
}

/* The first error stays and makes all later writes do nothing; it is reported once, at flush or
 * commit. */
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
nashc_out_flush(nashc_outfile *f, nashc_diag *d)
{
    flush(f);
    return f->err ? nashc_file_error(d, f->path, "cannot write", f->err) : NASHC_OK;
}

nashc_status
nashc_file_allowed(nashc_diag *d, const char *path)
{
    if (!d || !nashc_diag_warning_failed(d))
        return NASHC_OK;
    return nashc_error(d, NULL, "%s is not written: -Werror made an error of a warning",
                       nashc_quote(d, path));
}

/* f is gone afterwards, also on failure. close may be the first to tell of a full disk, so rename
 * comes after it. */
nashc_status
nashc_out_commit(nashc_outfile *f, nashc_diag *d)
{
    nashc_status s = f->temp ? nashc_file_allowed(d, f->path) : NASHC_OK;

    if (s != NASHC_OK) {
        nashc_out_drop(f);
        return s;
    }
    flush(f);
    if (close(f->fd) != 0 && !f->err)
        f->err = errno;
    if (!f->err && f->temp && rename(f->temp, f->path) != 0)
        f->err = errno;
    if (f->err) {
        s = nashc_file_error(d, f->path, "cannot write", f->err);
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
