/* sandbox.c: opens files that a model names.
 *
 * The file name comes from the model, which is not trusted: it could name any file of the machine,
 * directly or by a link. So every component is opened from the folder before it, links are not
 * followed, and what is opened must be a regular file with one name only.
 */
#include "frontends/onnx/sandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef O_NOFOLLOW
#error "O_NOFOLLOW is needed to open files of a model safely"
#endif

/* Any ".." among the components? Told apart before anything is opened. */
static bool
goes_up(const char *location)
{
    for (const char *p = location; p; p = strchr(p, '/')) {
        p += *p == '/';
        if (p[0] == '.' && p[1] == '.' && (!p[2] || p[2] == '/'))
            return true;
    }
    return false;
}

nashc_status
onnx_sandbox_legal(nashc_onnx_in *r, const onnx_sandbox *f, const char *location)
{
    if (location[0] == '/' || strchr(location, '\\'))
        return nashc_error(r->d, &r->file,
                           "%s: %s path \"%s\" is %s; it must be relative to the model's folder",
                           f->what, f->kind, nashc_quote(r->d, location),
                           location[0] == '/' ? "absolute" : "not portable");
    if (goes_up(location))
        return nashc_error(r->d, &r->file, "%s: %s path \"%s\" leaves the model's folder", f->what,
                           f->kind, nashc_quote(r->d, location));
    return NASHC_OK;
}

/* Descriptor of the folder that holds the model; -1: errno says why. */
static int
model_folder(nashc_onnx_in *r)
{
    const char *slash = strrchr(r->path, '/');
    size_t n = slash ? (size_t)(slash - r->path) + 1 : 0;
    char *folder = nashc_arena_alloc(r->arena, n + 2);

    if (r->depth) /* a model below the first one: not by its name, which may have changed hands */
        return fcntl(r->folder, F_DUPFD_CLOEXEC, 0);
    if (!folder) {
        errno = ENOMEM;
        return -1;
    }
    memcpy(folder, n ? r->path : ".", n ? n : 1);
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static nashc_status
bad_component(nashc_onnx_in *r, const onnx_sandbox *f, const char *location, int err)
{
    const char *name = nashc_quote(r->d, location);

    if (err == ELOOP || err == EMLINK)
        return nashc_error(r->d, &r->file,
                           "%s: %s \"%s\" is, or goes through, a symbolic link; only plain files "
                           "below the model's folder are read",
                           f->what, f->kind, name);
    if (err == ENOENT)
        return nashc_error(r->d, &r->file, "%s: %s file \"%s\" not found in the model's folder",
                           f->what, f->kind, name);
    return nashc_error(r->d, &r->file, "%s: %s \"%s\" cannot be opened: %s", f->what, f->kind, name,
                       strerror(err));
}

/* One component, from the folder before it; -1: errno says why. */
static int
open_component(int fd, const char *name, bool folder)
{
    int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    int below = openat(fd, name, folder ? flags | O_DIRECTORY : flags), err = errno;
    struct stat st;

    /* With O_DIRECTORY some systems say ENOTDIR for a link. */
    if (below < 0 && err == ENOTDIR && !fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) &&
        S_ISLNK(st.st_mode))
        err = ELOOP;
    errno = err;
    return below;
}

static nashc_status
check_file(nashc_onnx_in *r, onnx_sandbox *f, const char *location)
{
    struct stat st;

    if (fstat(f->fd, &st))
        return bad_component(r, f, location, errno);
    if (!S_ISREG(st.st_mode))
        return nashc_error(r->d, &r->file,
                           "%s: %s \"%s\" is not a regular file (a folder or a device)", f->what,
                           f->kind, nashc_quote(r->d, location));
    if (st.st_nlink > 1)
        return nashc_error(r->d, &r->file,
                           "%s: %s \"%s\" has %" PRIu64
                           " hard links, so it may be a file from elsewhere; copy it",
                           f->what, f->kind, nashc_quote(r->d, location), (uint64_t)st.st_nlink);
    f->size = (int64_t)st.st_size;
    f->device = (uint64_t)st.st_dev;
    f->inode = (uint64_t)st.st_ino;
    return NASHC_OK;
}

nashc_status
onnx_sandbox_open(nashc_onnx_in *r, onnx_sandbox *f, const char *location)
{
    char *copy = nashc_arena_strdup(r->arena, location), *next;
    nashc_status s = onnx_sandbox_legal(r, f, location);

    f->fd = -1;
    if (s || !copy)
        return s ? s : nashc_enomem(r->d);
    if ((f->folder = model_folder(r)) < 0)
        return nashc_io_error(r->d, &r->file, "the folder of the model cannot be opened: %s",
                              strerror(errno));
    for (char *part = copy; part && !s; part = next) {
        char *slash = strchr(part, '/');
        next = slash ? slash + 1 : NULL;
        if (slash)
            *slash = 0;
        if (!*part || !strcmp(part, ".")) {
            if (!next)
                s = nashc_error(r->d, &r->file, "%s: %s \"%s\" names a folder", f->what, f->kind,
                                nashc_quote(r->d, location));
            continue;
        }
        int below = open_component(f->folder, part, next != NULL);
        if (below < 0) {
            s = bad_component(r, f, location, errno);
        } else if (next) {
            close(f->folder);
            f->folder = below;
        } else {
            f->fd = below;
            s = check_file(r, f, location);
        }
    }
    if (s)
        onnx_sandbox_close(f);
    return s;
}

void
onnx_sandbox_close(onnx_sandbox *f)
{
    if (f->fd >= 0)
        close(f->fd);
    if (f->folder >= 0)
        close(f->folder);
    f->fd = f->folder = -1;
}

nashc_status
onnx_sandbox_read(nashc_onnx_in *r, const onnx_sandbox *f, int64_t offset, int64_t need,
                  uint8_t **out)
{
    uint8_t *data = malloc(need ? (size_t)need : 1);
    int64_t have = 0;

    if (!data)
        return nashc_enomem(r->d);
    while (have < need) {
        ssize_t got = pread(f->fd, data + have, (size_t)(need - have), (off_t)(offset + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            int err = errno;
            free(data);
            return nashc_io_error(r->d, &r->file, "%s: reading %s: %s", f->what, f->kind,
                                  got ? strerror(err) : "the file shrank");
        }
        have += got;
    }
    *out = data;
    return NASHC_OK;
}
