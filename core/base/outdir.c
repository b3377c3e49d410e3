/* outdir.c: folders out: built aside and exchanged with what was there, in one step.
 *
 *     DIR.tmp-1-0   new, locked     exchange     DIR           new
 *     DIR           former         ---------->   DIR.tmp-1-0   former, removed
 *
 * manifest.json lists the files that nashc wrote. All others in the former folder are the user's:
 * they get a second name in the new one before the exchange. The lock (flock) tells what a killed
 * process left behind from what is being written; the former is removed by the next one.
 */
#undef _POSIX_C_SOURCE
#define _GNU_SOURCE /* renameat2, flock */
#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/owned.h"
#include "core/base/str.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <nashc/io.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct nashc_outdir {
    char *path, *temp;
    int lock; /* of temp; -1: none */
};

/* The folder of path, with a slash at its end. */
static char *
parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    nashc_str s = {0};

    nashc_str_add(&s, slash ? path : "./", slash ? (size_t)(slash + 1 - path) : 2);
    return nashc_str_take(&s, NULL);
}

static bool
is_empty_dir(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    bool empty = dir != NULL;

    while (empty && (e = readdir(dir)))
        empty = nashc_is_dots(e->d_name);
    if (dir)
        closedir(dir);
    return empty;
}

static nashc_status
check_target(const char *path, nashc_diag *d)
{
    nashc_loc loc = {.file = path};
    struct stat st;

    if (lstat(path, &st) != 0)
        return NASHC_OK;
    if (S_ISLNK(st.st_mode)) /* it would be exchanged, not what it names */
        return nashc_io_error(d, &loc, "is a link: name the folder itself");
    if (!S_ISDIR(st.st_mode))
        return nashc_io_error(d, &loc, "exists and is not a folder");
    if (is_empty_dir(path) || nashc_folder_is_ours(path))
        return NASHC_OK;
    nashc_io_error(d, &loc, "the folder is not empty and was not written by nashc");
    nashc_help(d, "name a new folder, or remove this one first");
    return NASHC_EIO;
}

/* --- opening --------------------------------------------------------------------------------- */

static void
outdir_free(nashc_outdir *o)
{
    nashc_temp_done(o->temp);
    if (o->lock >= 0)
        close(o->lock);
    nashc_mem_free(o->path);
    nashc_mem_free(o->temp);
    nashc_mem_free(o);
}

/* A lock on the folder; -1: there is no folder, or another process has one. */
static int
lock_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* "NAME.tmp-12-3" */
static bool
is_temp_of(const char *entry, const char *name)
{
    size_t n = strlen(name), a, b;

    if (strncmp(entry, name, n) != 0 || strncmp(entry + n, ".tmp-", 5) != 0)
        return false;
    entry += n + 5;
    a = strspn(entry, "0123456789");
    b = entry[a] == '-' ? strspn(entry + a + 1, "0123456789") : 0;
    return a && b && !entry[a + 1 + b];
}

/* Removes what killed processes left beside path. Not to find it is no error. */
static void
remove_stale(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char *parent = parent_of(path);
    DIR *dir = parent ? opendir(parent) : NULL;
    struct dirent *e;

    while (dir && (e = readdir(dir))) {
        char *entry = is_temp_of(e->d_name, name) ? nashc_path_joined(parent, e->d_name) : NULL;
        int lock = entry ? lock_folder(entry) : -1;
        if (lock >= 0) {
            nashc_tree_remove(entry);
            close(lock);
        }
        nashc_mem_free(entry);
    }
    if (dir)
        closedir(dir);
    nashc_mem_free(parent);
}

/* A new folder aside, locked. False: reported. */
static bool
make_aside(nashc_outdir *o, nashc_diag *d)
{
    for (int tries = 0; tries < 8; tries++) {
        o->temp = nashc_temp_name(o->path);
        if (!o->temp) {
            nashc_enomem(d);
            return false;
        }
        nashc_temp_note(o->temp);
        if (mkdir(o->temp, 0777) != 0) {
            nashc_file_error(d, o->path, "cannot create the folder", errno);
            return false;
        }
        o->lock = lock_folder(o->temp);
        if (o->lock >= 0 || access(o->temp, F_OK) == 0) /* some file systems have no locks */
            return true;
        /* Another process took it for one left behind before it was locked. */
        nashc_temp_done(o->temp);
        nashc_mem_free(o->temp);
        o->temp = NULL;
    }
    nashc_io_error(d, &(nashc_loc){.file = o->path}, "cannot create the folder: it is taken away");
    return false;
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
    if (o) {
        o->lock = -1;
        o->path = nashc_mem_strdup(path);
    }
    if (!o || !o->path) {
        nashc_enomem(d);
    } else {
        while (n > 1 && o->path[n - 1] == '/')
            o->path[--n] = 0;
        remove_stale(o->path);
        if (make_aside(o, d))
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

/* --- the exchange ---------------------------------------------------------------------------- */

/* Two steps where the file system cannot do it in one. errno of the failure. */
static int
exchange(const char *a, const char *b)
{
    char *aside;
    int err = 0;

    if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
        return errno;
    aside = nashc_temp_name(b);
    if (!aside)
        return ENOMEM;
    if (rename(b, aside) != 0) {
        err = errno;
    } else if (rename(a, b) != 0) {
        err = errno;
        rename(aside, b);
    } else if (rename(aside, a) != 0) {
        err = errno;
    }
    nashc_mem_free(aside);
    return err;
}

/* No signal between the steps. What fails for once (a full table of open files) is tried again.
 * *former: o->temp is the former folder, which holds nothing of the
 * user any more if the status is OK. */
static nashc_status
replace(nashc_outdir *o, const struct stat *st, bool *former, nashc_diag *d)
{
    json_t *j = nashc_manifest_read(o->path);
    const json_t *files = json_object_get(j, "files");
    sigset_t all, before;
    nashc_status s = nashc_keep_others(o->path, o->temp, files, false, d);

    chmod(o->temp, st->st_mode & 07777);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    if (s == NASHC_OK) {
        int err = exchange(o->temp, o->path);
        *former = !err;
        if (err)
            s = nashc_file_error(d, o->path, "cannot replace the folder", err);
        else if (nashc_keep_others(o->temp, o->path, files, true, NULL) != NASHC_OK &&
                 (s = nashc_keep_others(o->temp, o->path, files, true, d)) != NASHC_OK)
            nashc_temp_done(o->temp);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    json_decref(j);
    return s;
}

/* Twice, as with a full table of open files a folder may not be read just now. */
static bool
remove_at_last(const char *path)
{
    return nashc_tree_remove(path) || nashc_tree_remove(path) || access(path, F_OK) != 0;
}

static nashc_status
put_in_place(nashc_outdir *o, nashc_diag *d)
{
    nashc_status s = check_target(o->path, d); /* it may have changed meanwhile */
    bool former = false;
    struct stat st;

    if (s == NASHC_OK && lstat(o->path, &st) == 0)
        s = replace(o, &st, &former, d);
    else if (s == NASHC_OK && rename(o->temp, o->path) != 0)
        s = nashc_file_error(d, o->path, "cannot write the folder", errno);
    else if (s == NASHC_OK)
        return s;
    bool mine = s == NASHC_OK || !former;
    if (mine && !remove_at_last(o->temp) && s == NASHC_OK)
        s = nashc_file_error(d, o->temp, "cannot remove the former output", errno);
    return s;
}

nashc_status
nashc_outdir_commit(nashc_outdir *o, nashc_diag *d)
{
    nashc_status s = nashc_file_allowed(d, o->path);
    if (s == NASHC_OK)
        s = nashc_manifest_list_files(o->temp, d);
    char *parent = parent_of(o->path);
    int turn = parent ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (s != NASHC_OK) {
        nashc_outdir_drop(o);
    } else {
        /* One process at a time: what one reads must be what it replaces. */
        while (turn >= 0 && flock(turn, LOCK_EX) != 0 && errno == EINTR)
            continue;
        s = put_in_place(o, d);
        outdir_free(o);
    }
    if (turn >= 0)
        close(turn);
    nashc_mem_free(parent);
    return s;
}

void
nashc_outdir_drop(nashc_outdir *o)
{
    if (!o)
        return;
    remove_at_last(o->temp);
    outdir_free(o);
}
