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
#include "core/base/map.h"
#include "core/base/mem.h"
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

#define MAX_DEPTH    32 /* as nashc_tree_remove */
#define MAX_MANIFEST ((int64_t)1 << 26)

struct nashc_outdir {
    char *path, *temp;
    int lock; /* of temp; -1: none */
};

static char *
joined(const char *dir, const char *name)
{
    nashc_str s = {0};

    nashc_str_puts(&s, dir);
    if (dir[0] && name[0])
        nashc_str_putc(&s, '/');
    nashc_str_puts(&s, name);
    return nashc_str_take(&s, NULL);
}

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
is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool
is_empty_dir(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    bool empty = dir != NULL;

    while (empty && (e = readdir(dir)))
        empty = is_dots(e->d_name);
    if (dir)
        closedir(dir);
    return empty;
}

/* --- whose files ----------------------------------------------------------------------------- */

/* manifest.json in dir as an object; NULL: there is none. */
static json_t *
read_manifest(const char *dir)
{
    char *path = joined(dir, "manifest.json"), *text = NULL;
    size_t size = 0;
    json_t *j = NULL;

    if (path && access(path, F_OK) == 0 &&
        nashc_file_read(path, MAX_MANIFEST, &text, &size, NULL) == NASHC_OK)
        j = json_loadb(text, size, 0, NULL);
    nashc_mem_free(text);
    nashc_mem_free(path);
    if (json_is_object(j))
        return j;
    json_decref(j);
    return NULL;
}

static nashc_status
write_manifest(const char *dir, const json_t *j, nashc_diag *d)
{
    char *text = json_dumps(j, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    nashc_outfile *f = text ? nashc_out_open_below(dir, "manifest.json", d) : NULL;
    nashc_status s = text ? NASHC_EIO : nashc_enomem(d);

    if (f) {
        nashc_out_printf(f, "%s\n", text);
        s = nashc_out_commit(f, d);
    }
    free(text);
    return s;
}

/* A folder that nashc wrote says so, and which files are its own. */
static bool
is_ours(const char *path)
{
    json_t *j = read_manifest(path);
    const char *tool = json_string_value(json_object_get(j, "tool"));
    bool ours =
        tool && strncmp(tool, "nashc", 5) == 0 && json_is_array(json_object_get(j, "files"));

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

/* --- walks over a folder --------------------------------------------------------------------- */

/* Names in the folder, sorted, so that nothing depends on their order on the disk. */
typedef struct names {
    char **at;
    size_t n, cap;
} names;

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
free_names(names *l)
{
    for (size_t i = 0; i < l->n; i++)
        nashc_mem_free(l->at[i]);
    nashc_mem_free(l->at);
}

/* errno of what failed; 0: none. */
static int
list_names(const char *path, names *l)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    bool ok = true;

    if (!dir)
        return errno;
    while (ok && (e = readdir(dir))) {
        if (is_dots(e->d_name))
            continue;
        ok = nashc_mem_grow((void **)&l->at, &l->cap, l->n + 1, sizeof *l->at) &&
             (l->at[l->n] = nashc_mem_strdup(e->d_name));
        l->n += ok;
    }
    closedir(dir);
    if (l->n)
        qsort(l->at, l->n, sizeof *l->at, by_name);
    return ok ? 0 : ENOMEM;
}

/* What is done with each entry below root: path is that of the entry, name the part below root.
 * True: a folder is to be entered. Sets w->err where it fails. */
typedef struct walk {
    bool (*visit)(struct walk *w, const char *path, const char *name, const struct stat *st);
    json_t *files; /* found, or ours */
    nashc_map *ours;
    const char *to; /* the other folder */
    bool move;      /* second round: what has no second name yet is moved */
    char *at;       /* where err arose */
    int err;
} walk;

static void
walk_below(walk *w, const char *path, const char *name, int depth)
{
    names l = {0};

    w->err = depth < MAX_DEPTH ? list_names(path, &l) : ELOOP;
    for (size_t i = 0; i < l.n && !w->err; i++) {
        char *p = joined(path, l.at[i]), *n = joined(name, l.at[i]);
        struct stat st;
        if (!p || !n)
            w->err = ENOMEM;
        else if (lstat(p, &st) != 0)
            w->err = errno;
        else if (w->visit(w, p, n, &st) && !w->err)
            walk_below(w, p, n, depth + 1);
        if (w->err && !w->at && p)
            w->at = nashc_mem_strdup(p);
        nashc_mem_free(p);
        nashc_mem_free(n);
    }
    free_names(&l);
}

static bool
note_file(walk *w, const char *path, const char *name, const struct stat *st)
{
    (void)path;
    if (S_ISDIR(st->st_mode))
        return true;
    json_t *j = json_string(name);
    if (json_array_append_new(w->files, j) != 0)
        w->err = ENOMEM;
    return false;
}

/* Writes the list of files into the manifest of a folder that has one. */
static nashc_status
list_files(const char *dir, nashc_diag *d)
{
    json_t *j = read_manifest(dir);
    walk w = {.visit = note_file, .files = json_array()};
    nashc_status s = NASHC_OK;

    if (j) {
        walk_below(&w, dir, "", 0);
        if (w.err || json_object_set(j, "files", w.files) != 0)
            s = nashc_file_error(d, dir, "cannot list the files", w.err ? w.err : ENOMEM);
        else
            s = write_manifest(dir, j, d);
    }
    nashc_mem_free(w.at);
    json_decref(w.files);
    json_decref(j);
    return s;
}

nashc_status
nashc_outdir_own(const char *dir, const char *name, nashc_diag *d)
{
    json_t *j = read_manifest(dir), *files = json_object_get(j, "files"), *f;
    nashc_status s = NASHC_OK;
    bool there = !json_is_array(files);
    size_t i;

    json_array_foreach(files, i, f) there =
        there || (json_is_string(f) && strcmp(json_string_value(f), name) == 0);
    if (!there)
        s = json_array_append_new(files, json_string(name)) == 0 ? write_manifest(dir, j, d)
                                                                 : nashc_enomem(d);
    json_decref(j);
    return s;
}

/* --- what is not ours ------------------------------------------------------------------------ */

/* A folder stays if no file of ours was in it. */
static bool
keep_folder(walk *w, const char *name, const struct stat *st)
{
    char *to = joined(w->to, name);

    if (!to)
        w->err = ENOMEM;
    else if (!nashc_map_get(w->ours, name) && mkdir(to, st->st_mode & 07777) != 0 &&
             errno != EEXIST)
        w->err = errno;
    nashc_mem_free(to);
    return true;
}

/* The folders of to that lead to name, as far as they are missing. */
static bool
make_parents(const char *to, const char *name)
{
    for (const char *slash = name; (slash = strchr(slash, '/')); slash++) {
        nashc_str s = {0};
        nashc_str_printf(&s, "%s/%.*s", to, (int)(slash - name), name);
        bool ok = !s.bad && (mkdir(s.data, 0777) == 0 || errno == EEXIST);
        nashc_str_free(&s);
        if (!ok)
            return false;
    }
    return true;
}

static bool
keep(walk *w, const char *path, const char *name, const struct stat *st)
{
    struct stat other;

    if (S_ISDIR(st->st_mode))
        return keep_folder(w, name, st);
    if (nashc_map_get(w->ours, name))
        return false;
    char *to = joined(w->to, name);
    if (!to)
        w->err = ENOMEM;
    else if (lstat(to, &other) == 0)
        w->err = other.st_ino == st->st_ino && other.st_dev == st->st_dev ? 0 : EEXIST;
    else if (!make_parents(w->to, name))
        w->err = errno;
    else if (w->move)
        w->err = rename(path, to) == 0 ? 0 : errno;
    else if (linkat(AT_FDCWD, path, AT_FDCWD, to, 0) != 0 && (errno == ENOSPC || errno == EDQUOT))
        w->err = errno; /* a file system that knows no second names: it is moved afterwards */
    nashc_mem_free(to);
    return false;
}

/* The files that the manifest names, and the folders above them. */
static bool
collect_ours(const json_t *files, nashc_map *ours, nashc_arena *a)
{
    bool ok = a && nashc_map_put(ours, "manifest.json", a);
    const json_t *f;
    size_t i;

    json_array_foreach(files, i, f)
    {
        char *name = ok && json_is_string(f) ? nashc_arena_strdup(a, json_string_value(f)) : NULL;
        for (char *slash = name; name && (slash = strchr(slash, '/')); slash++) {
            *slash = 0;
            char *folder = nashc_arena_strdup(a, name);
            *slash = '/';
            ok = folder && nashc_map_put(ours, folder, a);
        }
        ok = ok && (!json_is_string(f) || (name && nashc_map_put(ours, name, a)));
    }
    return ok;
}

/* What is not ours in folder from gets a second name in to, or is moved there. */
static nashc_status
keep_others(const char *from, const char *to, const json_t *files, bool move, nashc_diag *d)
{
    nashc_map ours = {0};
    nashc_arena *a = nashc_arena_create();
    walk w = {.visit = keep, .ours = &ours, .to = to, .move = move};
    nashc_status s = NASHC_OK;

    if (!collect_ours(files, &ours, a))
        w.err = ENOMEM;
    else
        walk_below(&w, from, "", 0);
    if (w.err == ENOMEM) {
        s = nashc_enomem(d);
    } else if (w.err == EEXIST) {
        s = nashc_io_error(d, &(nashc_loc){.file = w.at},
                           "is not nashc's, but has the name of a new file");
        nashc_help(d, "rename it, or name another folder");
    } else if (w.err) {
        s = nashc_file_error(d, w.at ? w.at : from, "cannot be kept", w.err);
    }
    nashc_mem_free(w.at);
    nashc_map_free(&ours);
    nashc_arena_free(a);
    return s;
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
        char *entry = is_temp_of(e->d_name, name) ? joined(parent, e->d_name) : NULL;
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

/* No signal between the steps. *former: o->temp is the former folder, which holds nothing of the
 * user any more if the status is OK. */
static nashc_status
replace(nashc_outdir *o, const struct stat *st, bool *former, nashc_diag *d)
{
    json_t *j = read_manifest(o->path);
    const json_t *files = json_object_get(j, "files");
    sigset_t all, before;
    nashc_status s = keep_others(o->path, o->temp, files, false, d);

    chmod(o->temp, st->st_mode & 07777);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    if (s == NASHC_OK) {
        int err = exchange(o->temp, o->path);
        *former = !err;
        if (err)
            s = nashc_file_error(d, o->path, "cannot replace the folder", err);
        else if ((s = keep_others(o->temp, o->path, files, true, d)) != NASHC_OK)
            nashc_temp_done(o->temp);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    json_decref(j);
    return s;
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
    if (mine && !nashc_tree_remove(o->temp) && access(o->temp, F_OK) == 0 && s == NASHC_OK)
        s = nashc_file_error(d, o->temp, "cannot remove the former output", errno);
    return s;
}

nashc_status
nashc_outdir_commit(nashc_outdir *o, nashc_diag *d)
{
    nashc_status s = list_files(o->temp, d);
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
    nashc_tree_remove(o->temp);
    outdir_free(o);
}
