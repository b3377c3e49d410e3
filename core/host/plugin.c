/* plugin.c: finds and opens plugins. They are never closed: descriptors point into them. */
#define _GNU_SOURCE /* dladdr */
#include "host.h"
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* --- is the file whole? -----------------------------------------------------------------------
 *
 * dlopen maps what the headers promise and faults where the file ends before that. */

/* Does [at, at + size) lie in a file of n bytes? */
static bool
inside(uint64_t at, uint64_t size, uint64_t n)
{
    return at <= n && size <= n - at;
}

/* Are the headers, and the parts of an ELF file that they load, within its n bytes? What is no ELF
 * file of this machine is left to dlopen, which says so. */
static bool
is_whole(int fd, uint64_t n)
{
    ElfW(Ehdr) e = {0};
    ssize_t got = pread(fd, &e, sizeof e, 0);
    if (memcmp(e.e_ident, ELFMAG, SELFMAG) != 0)
        return true;
    if (got != (ssize_t)sizeof e || e.e_phentsize != sizeof(ElfW(Phdr)))
        return got == (ssize_t)sizeof e;
    bool whole = inside(e.e_phoff, (uint64_t)e.e_phnum * sizeof(ElfW(Phdr)), n);
    for (int i = 0; whole && i < e.e_phnum; i++) {
        ElfW(Phdr) p;
        off_t at = (off_t)(e.e_phoff + (uint64_t)i * sizeof p);
        whole = pread(fd, &p, sizeof p, at) == (ssize_t)sizeof p &&
                (p.p_type == PT_NULL || inside(p.p_offset, p.p_filesz, n));
    }
    return whole;
}

/* A regular file that can be read, and is not cut off. Pipes and devices are never opened. */
static nashc_status
check_file(const char *path, const char *file, nashc_diag *d)
{
    nashc_loc loc = {.file = path};
    struct stat st;
    int fd = -1;
    bool found = stat(file, &st) == 0;
    if (found && !S_ISREG(st.st_mode))
        return refuse(d, path, "it is not a regular file");
    if (!found || (fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
        return nashc_io_error(d, &loc, "cannot load the plugin: %s", strerror(errno));
    bool whole = is_whole(fd, (uint64_t)st.st_size);
    close(fd);
    return whole ? NASHC_OK : refuse(d, path, "the file is cut off: it is shorter than it says");
}

/* --- one plugin ------------------------------------------------------------------------------ */

/* From here on code of the plugin runs: its constructors, its entry. */
static nashc_status
open_plugin(nashc_ctx *c, const char *path, const char *file, nashc_diag *d)
{
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

nashc_status
nashc_load_plugin(nashc_ctx *c, const char *path, nashc_diag *d)
{
    /* A name without a slash would make dlopen search the system's folders. */
    const char *file = strchr(path, '/') ? path : nashc_arena_printf(c->arena, "./%s", path);
    if (!file)
        return nashc_enomem(d);
    nashc_status s = check_file(path, file, d);
    if (s != NASHC_OK)
        return s;
    nashc_frame f;
    nashc_enter(&f, c, NASHC_D_PLUGIN, path, NULL, d);
    return nashc_leave(&f, open_plugin(c, path, file, d));
}

/* A plugin that nobody asked for by name must not stop the tool: what is wrong with it becomes the
 * warning plugin-skipped. s is the status of the errors behind the first n messages. */
static nashc_status
skip(nashc_status s, int n, nashc_diag *d)
{
    if (s == NASHC_OK || s == NASHC_ENOMEM)
        return s;
    nashc_note(d, "the plugin is skipped; one that --load-plugin names must load");
    return nashc_diag_demote(d, n, "plugin-skipped") ? s : NASHC_OK;
}

static nashc_status
load_found(nashc_ctx *c, const char *path, nashc_diag *d)
{
    int n = d ? nashc_diag_count(d, NASHC_NOTE) : 0;
    return skip(nashc_load_plugin(c, path, d), n, d);
}

/* --- folders --------------------------------------------------------------------------------- */

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
        nashc_status one = load_found(c, names[i], d);
        s = s == NASHC_OK ? one : s;
    }
    nashc_mem_free(names);
    return s;
}

static bool
is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The folder of plugins goes with the library, wherever that was moved to: LIBDIR/nashc where it is
 * installed, BUILD/plugins in a build tree, which its build.ninja gives away. */
static nashc_status
load_installed(nashc_ctx *c, nashc_diag *d)
{
    static const char anchor; /* an address inside the library */
    Dl_info info;
    const char *slash = NULL;
    if (dladdr(&anchor, &info) != 0 && info.dli_fname)
        slash = strrchr(info.dli_fname, '/');
    if (!slash)
        return NASHC_OK;
    int len = (int)(slash - info.dli_fname);
    const char *ninja = nashc_arena_printf(c->arena, "%.*s/build.ninja", len, info.dli_fname);
    const char *path = nashc_arena_printf(c->arena, "%.*s/%s", len, info.dli_fname,
                                          ninja && is_file(ninja) ? "plugins" : "nashc");
    return ninja && path ? load_folder(c, path, d) : nashc_enomem(d);
}

nashc_status
nashc_load_default_plugins(nashc_ctx *c, nashc_diag *d)
{
    const char *path = getenv("NASHC_PLUGIN_PATH");
    nashc_status s = NASHC_OK;
    while (path && *path) {
        int n = d ? nashc_diag_count(d, NASHC_NOTE) : 0;
        size_t len = strcspn(path, ":");
        const char *item = nashc_arena_printf(c->arena, "%.*s", (int)len, path);
        struct stat st;
        nashc_status one = NASHC_OK;
        if (!item)
            return nashc_enomem(d);
        if (len > 0 && stat(item, &st) != 0)
            one = skip(refuse(d, item, "no such file or folder (from NASHC_PLUGIN_PATH)"), n, d);
        else if (len > 0)
            one = S_ISDIR(st.st_mode) ? load_folder(c, item, d) : load_found(c, item, d);
        s = s == NASHC_OK ? one : s;
        path += len + (path[len] == ':');
    }
    nashc_status installed = load_installed(c, d);
    return s == NASHC_OK ? installed : s;
}
