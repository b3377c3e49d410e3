/* owned.c: which files in an output folder are nashc's, and what becomes of the others.
 *
 * manifest.json lists the files that were there when the folder got its name. All others are the
 * user's. Names are sorted, so that nothing depends on their order on the disk.
 */
#undef _POSIX_C_SOURCE
#define _GNU_SOURCE /* EDQUOT, linkat */
#include "core/base/owned.h"
#include "core/base/file.h"
#include "core/base/map.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <nashc/io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_DEPTH    32 /* as nashc_tree_remove */
#define MAX_MANIFEST ((int64_t)1 << 26)

char *
nashc_path_joined(const char *dir, const char *name)
{
    nashc_str s = {0};

    nashc_str_puts(&s, dir);
    if (dir[0] && name[0])
        nashc_str_putc(&s, '/');
    nashc_str_puts(&s, name);
    return nashc_str_take(&s, NULL);
}

bool
nashc_is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* --- whose files ----------------------------------------------------------------------------- */

json_t *
nashc_manifest_read(const char *dir)
{
    char *path = nashc_path_joined(dir, "manifest.json"), *text = NULL;
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

bool
nashc_folder_is_ours(const char *path)
{
    json_t *j = nashc_manifest_read(path);
    const char *tool = json_string_value(json_object_get(j, "tool"));
    bool ours =
        tool && strncmp(tool, "nashc", 5) == 0 && json_is_array(json_object_get(j, "files"));

    json_decref(j);
    return ours;
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
        if (nashc_is_dots(e->d_name))
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
        char *p = nashc_path_joined(path, l.at[i]), *n = nashc_path_joined(name, l.at[i]);
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

nashc_status
nashc_manifest_list_files(const char *dir, nashc_diag *d)
{
    json_t *j = nashc_manifest_read(dir);
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
    json_t *j = nashc_manifest_read(dir), *files = json_object_get(j, "files"), *f;
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
    char *to = nashc_path_joined(w->to, name);

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
    char *to = nashc_path_joined(w->to, name);
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

nashc_status
nashc_keep_others(const char *from, const char *to, const json_t *files, bool move, nashc_diag *d)
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
