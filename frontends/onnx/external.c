/* external.c: tensor data beside the model file.
 *
 * The file name comes from the model, which is not trusted: it could name any file of the machine,
 * directly or by a link. So every component is opened from the folder before it, links are not
 * followed, and what is opened must be a regular file with one name only.
 */
#include "frontends/onnx/tensor.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef O_NOFOLLOW
#error "O_NOFOLLOW is needed to open external data safely"
#endif

static const char *
entry(const Onnx__TensorProto *t, const char *key)
{
    for (size_t i = 0; i < t->n_external_data; i++)
        if (t->external_data[i]->key && !strcmp(t->external_data[i]->key, key))
            return t->external_data[i]->value ? t->external_data[i]->value : "";
    return NULL;
}

/* A decimal number without sign; *out stays as it is where the key is absent. */
static nashc_status
number(onnx_in *r, const Onnx__TensorProto *t, const char *what, const char *key, int64_t *out)
{
    const char *s = entry(t, key);
    int64_t v = 0;

    if (!s)
        return NASHC_OK;
    if (*s == '-')
        return nashc_error(r->d, &r->file, "%s: external data with a negative %s %s", what, key,
                           nashc_quote(r->d, s));
    for (const char *p = s; *p || p == s; p++)
        if (*p < '0' || *p > '9' || !nashc_mul_size(v, 10, &v) || !nashc_add_size(v, *p - '0', &v))
            return nashc_error(r->d, &r->file, "%s: external data has %s \"%s\", not a number",
                               what, key, nashc_quote(r->d, s));
    *out = v;
    return NASHC_OK;
}

/* Descriptor of the folder that holds the model; -1: errno says why. */
static int
model_folder(onnx_in *r)
{
    const char *slash = strrchr(r->path, '/');
    size_t n = slash ? (size_t)(slash - r->path) + 1 : 0;
    char *folder = nashc_arena_alloc(r->arena, n + 2);

    if (!folder) {
        errno = ENOMEM;
        return -1;
    }
    memcpy(folder, n ? r->path : ".", n ? n : 1);
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static nashc_status
bad_component(onnx_in *r, const char *what, const char *location, int err)
{
    const char *name = nashc_quote(r->d, location);

    if (err == ELOOP || err == EMLINK)
        return nashc_error(r->d, &r->file,
                           "%s: external data \"%s\" is, or goes through, a symbolic link; only "
                           "plain files below the model's folder are read",
                           what, name);
    if (err == ENOENT)
        return nashc_error(r->d, &r->file,
                           "%s: external data file \"%s\" not found in the model's folder", what,
                           name);
    return nashc_error(r->d, &r->file, "%s: external data \"%s\" cannot be opened: %s", what, name,
                       strerror(err));
}

/* Opens location below folder fd (consumed), component by component. */
static nashc_status
open_below(onnx_in *r, const char *what, const char *location, int fd, int *out)
{
    char *copy = nashc_arena_strdup(r->arena, location), *next;

    if (!copy) {
        close(fd);
        return nashc_enomem(r->d);
    }
    for (char *part = copy; part; part = next) {
        char *slash = strchr(part, '/');
        next = slash ? slash + 1 : NULL;
        if (slash)
            *slash = 0;
        if (!*part || !strcmp(part, ".")) {
            if (next)
                continue;
            close(fd);
            return nashc_error(r->d, &r->file, "%s: external data \"%s\" names a folder", what,
                               nashc_quote(r->d, location));
        }
        int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
        int below = openat(fd, part, next ? flags | O_DIRECTORY : flags), err = errno;
        /* With O_DIRECTORY some systems say ENOTDIR for a link. */
        struct stat st;
        if (below < 0 && err == ENOTDIR && !fstatat(fd, part, &st, AT_SYMLINK_NOFOLLOW) &&
            S_ISLNK(st.st_mode))
            err = ELOOP;
        close(fd);
        if (below < 0)
            return bad_component(r, what, location, err);
        fd = below;
    }
    *out = fd;
    return NASHC_OK;
}

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

static nashc_status
check_file(onnx_in *r, const char *what, const char *location, int fd, int64_t *size)
{
    struct stat st;

    if (fstat(fd, &st))
        return bad_component(r, what, location, errno);
    if (!S_ISREG(st.st_mode))
        return nashc_error(r->d, &r->file,
                           "%s: external data \"%s\" is not a regular file (a folder or a device)",
                           what, nashc_quote(r->d, location));
    if (st.st_nlink > 1)
        return nashc_error(r->d, &r->file,
                           "%s: external data \"%s\" has %" PRIu64
                           " hard links, so it may be a file from elsewhere; copy it",
                           what, nashc_quote(r->d, location), (uint64_t)st.st_nlink);
    *size = (int64_t)st.st_size;
    return NASHC_OK;
}

static nashc_status
read_range(onnx_in *r, const char *what, int fd, int64_t offset, int64_t need, uint8_t **out)
{
    uint8_t *data = malloc(need ? (size_t)need : 1);
    int64_t have = 0;

    if (!data)
        return nashc_enomem(r->d);
    while (have < need) {
        ssize_t got = pread(fd, data + have, (size_t)(need - have), (off_t)(offset + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            int err = errno;
            free(data);
            return nashc_io_error(r->d, &r->file, "%s: reading external data: %s", what,
                                  got ? strerror(err) : "the file shrank");
        }
        have += got;
    }
    *out = data;
    return NASHC_OK;
}

nashc_status
onnx_external_read(onnx_in *r, const Onnx__TensorProto *t, const char *what, int64_t need,
                   uint8_t **out)
{
    const char *location = entry(t, "location");
    int64_t offset = 0, length = -1, size = 0, end;
    int fd;
    nashc_status s;

    if (!location || !*location)
        return nashc_error(r->d, &r->file, "%s: external data without a location", what);
    if (location[0] == '/' || strchr(location, '\\'))
        return nashc_error(r->d, &r->file,
                           "%s: external data path \"%s\" is %s; it must be relative to the "
                           "model's folder",
                           what, nashc_quote(r->d, location),
                           location[0] == '/' ? "absolute" : "not portable");
    if ((s = number(r, t, what, "offset", &offset)) || (s = number(r, t, what, "length", &length)))
        return s;
    if (goes_up(location))
        return nashc_error(r->d, &r->file,
                           "%s: external data path \"%s\" leaves the model's folder", what,
                           nashc_quote(r->d, location));
    if (length >= 0 && length != need)
        return nashc_error(r->d, &r->file,
                           "%s: external length %" PRId64 " is not the %" PRId64
                           " bytes of its shape",
                           what, length, need);
    if ((fd = model_folder(r)) < 0)
        return nashc_io_error(r->d, &r->file, "the folder of the model cannot be opened: %s",
                              strerror(errno));
    if ((s = open_below(r, what, location, fd, &fd)))
        return s;
    s = check_file(r, what, location, fd, &size);
    if (!s && (!nashc_add_size(offset, need, &end) || end > size || (length < 0 && end != size)))
        s = nashc_error(r->d, &r->file,
                        "%s: external data at offset %" PRId64 ", %" PRId64
                        " bytes, does not fit file \"%s\" of %" PRId64 " bytes",
                        what, offset, need, nashc_quote(r->d, location), size);
    if (!s)
        s = read_range(r, what, fd, offset, need, out);
    close(fd);
    return s;
}
