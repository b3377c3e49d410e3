/* plugin.c: finds and opens plugins. They are never closed: descriptors point into them. */
#define _GNU_SOURCE /* dladdr */
#include "host.h"
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef NASHC_PLUGIN_DIR
#define NASHC_PLUGIN_DIR ""
#endif

static nashc_status
refuse(nashc_diag *d, const char *path, const char *reason)
{
    nashc_loc loc = {.file = path};
    return nashc_error(d, &loc, "cannot load the plugin: %s", reason);
}

static bool
already_loaded(nashc_ctx *c, const nashc_plugin *p)
{
    for (size_t i = 0; i < c->n_plugins; i++)
        if (c->plugin[i].plugin == p)
            return true;
    return false;
}

nashc_status
nashc_load_plugin(nashc_ctx *c, const char *path, nashc_diag *d)
{
    /* A name without a slash would make dlopen search the system's folders. */
    const char *file = strchr(path, '/') ? path : nashc_arena_printf(c->arena, "./%s", path);
    if (!file)
        return nashc_enomem(d);
    if (access(file, R_OK) != 0) {
        nashc_loc loc = {.file = path};
        return nashc_io_error(d, &loc, "cannot load the plugin: %s", strerror(errno));
    }
    void *so = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!so) {
        const char *why = dlerror();
        return refuse(d, path, why ? nashc_quote(d, why) : "no reason given");
    }
    union { /* ISO C has no conversion from object to function pointer */
        void *object;
        nashc_plugin_entry_fn *fn;
    } entry = {dlsym(so, NASHC_PLUGIN_ENTRY)};
    if (!entry.object)
        return refuse(d, path, "it does not export " NASHC_PLUGIN_ENTRY);
    const nashc_plugin *p = entry.fn(NASHC_ABI);
    if (!p)
        return refuse(d, path, "it declined this version of nashc");
    return already_loaded(c, p) ? NASHC_OK : nashc_register(c, p, path, d);
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
is_library(const char *name)
{
    size_t n = strlen(name);
    return n > 3 && strcmp(name + n - 3, ".so") == 0;
}

static bool
is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* All *.so of a folder, in sorted order. A folder that cannot be read is one without plugins. */
static nashc_status
load_folder(nashc_ctx *c, const char *path, nashc_diag *d)
{
    char **names = NULL;
    size_t n = 0, cap = 0;
    nashc_status s = NASHC_OK;
    DIR *dir = opendir(path);
    if (!dir)
        return NASHC_OK;
    for (struct dirent *e; (e = readdir(dir));) {
        if (!is_library(e->d_name))
            continue;
        if (!nashc_mem_grow((void **)&names, &cap, n + 1, sizeof *names) ||
            !(names[n] = nashc_arena_printf(c->arena, "%s/%s", path, e->d_name))) {
            s = nashc_enomem(d);
            break;
        }
        n++;
    }
    closedir(dir);
    if (n > 0)
        qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n && s != NASHC_ENOMEM; i++) {
        nashc_status one = nashc_load_plugin(c, names[i], d);
        s = s == NASHC_OK ? one : s;
    }
    nashc_mem_free(names);
    return s;
}

/* The folder of plugins goes with the library: LIBDIR/nashc where it is installed, wherever that
 * was moved to; BUILD/plugins in a build tree. The configured folder is the last resort. */
static nashc_status
load_installed(nashc_ctx *c, nashc_diag *d)
{
    static const char *const folders[] = {"nashc", "plugins"};
    static const char anchor; /* an address inside the library */
    Dl_info info;
    if (dladdr(&anchor, &info) != 0 && info.dli_fname) {
        const char *slash = strrchr(info.dli_fname, '/');
        int len = slash ? (int)(slash - info.dli_fname) : 0;
        for (size_t i = 0; slash && i < NASHC_COUNT(folders); i++) {
            const char *path =
                nashc_arena_printf(c->arena, "%.*s/%s", len, info.dli_fname, folders[i]);
            if (!path)
                return nashc_enomem(d);
            if (is_folder(path))
                return load_folder(c, path, d);
        }
    }
    return load_folder(c, NASHC_PLUGIN_DIR, d);
}

nashc_status
nashc_load_default_plugins(nashc_ctx *c, nashc_diag *d)
{
    const char *path = getenv("NASHC_PLUGIN_PATH");
    nashc_status s = NASHC_OK;
    while (path && *path) {
        size_t len = strcspn(path, ":");
        const char *item = nashc_arena_printf(c->arena, "%.*s", (int)len, path);
        struct stat st;
        nashc_status one = NASHC_OK;
        if (!item)
            return nashc_enomem(d);
        if (len > 0 && stat(item, &st) != 0)
            one = refuse(d, item, "no such file or folder (from NASHC_PLUGIN_PATH)");
        else if (len > 0)
            one = S_ISDIR(st.st_mode) ? load_folder(c, item, d) : nashc_load_plugin(c, item, d);
        s = s == NASHC_OK ? one : s;
        path += len + (path[len] == ':');
    }
    nashc_status installed = load_installed(c, d);
    return s == NASHC_OK ? installed : s;
}
