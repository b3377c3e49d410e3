/* cache.c: a folder of programs that were built once, by the hash of all that they were built from.
 */
#undef _POSIX_C_SOURCE
#define _XOPEN_SOURCE 700 /* POSIX.1-2008 with utimensat */
#include "tool.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SIZE  ((int64_t)1 << 30)
#define KEY_CHARS "0123456789abcdef"

/* NULL: no cache. The XDG rule: a relative XDG_CACHE_HOME does not count. */
const char *
tool_cache_folder(const char *option, nashc_arena *a)
{
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

    if (strcmp(option, "off") == 0)
        return NULL;
    if (option[0])
        return option;
    if (base && base[0] == '/')
        return nashc_arena_printf(a, "%s/nashc", base);
    return home && home[0] == '/' ? nashc_arena_printf(a, "%s/.cache/nashc", home) : NULL;
}

/* What is found will be run: so a regular file of ours that nobody else can write, no link. Its
 * time is set, as evict() goes by last use. */
const char *
tool_cache_find(const char *folder, const char *key, nashc_arena *a)
{
    const char *path = folder ? nashc_arena_printf(a, "%s/%s", folder, key) : NULL;
    struct stat st;

    if (!path || lstat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
        (st.st_mode & (S_IWGRP | S_IWOTH)))
        return NULL;
    utimensat(AT_FDCWD, path, NULL, 0);
    return path;
}

/* Makes the folder and those above it that are missing. */
static void
make_folders(const char *folder, nashc_arena *a)
{
    char *path = nashc_arena_strdup(a, folder);

    for (char *p = path; p && *p; p++)
        if (*p == '/' && p > path) {
            *p = 0;
            mkdir(path, 0700);
            *p = '/';
        }
    if (path)
        mkdir(path, 0700);
}

/* Into a new file only, executable for us. */
static bool
copy(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    char chunk[65536];
    ssize_t n = out < 0 ? -1 : 1;

    while (n > 0 && (n = read(in, chunk, sizeof chunk)) > 0)
        if (write(out, chunk, (size_t)n) != n)
            n = -1;
    if (in >= 0)
        close(in);
    return out >= 0 && close(out) == 0 && n == 0;
}

/* Removes the file that was not used for longest, if the folder holds too much. True: it did. */
static bool
evict(const char *folder, nashc_arena *a)
{
    DIR *dir = opendir(folder);
    struct timespec oldest = {0};
    const char *found = NULL;
    int64_t size = 0;
    struct dirent *e;

    while (dir && (e = readdir(dir))) {
        const char *path = nashc_arena_printf(a, "%s/%s", folder, e->d_name);
        struct stat st;
        if (strspn(e->d_name, KEY_CHARS) != 64 || !path || lstat(path, &st) != 0 ||
            !S_ISREG(st.st_mode))
            continue; /* not one of ours */
        size += st.st_size;
        if (found && (st.st_mtim.tv_sec > oldest.tv_sec ||
                      (st.st_mtim.tv_sec == oldest.tv_sec && st.st_mtim.tv_nsec >= oldest.tv_nsec)))
            continue;
        found = path;
        oldest = st.st_mtim;
    }
    if (dir)
        closedir(dir);
    return size > MAX_SIZE && found && unlink(found) == 0;
}

/* Under a name of this process first, then renamed: another run sees a whole program or none.
 * Failures are not told: without a cache all works, slower. */
void
tool_cache_keep(const char *folder, const char *key, const char *program, nashc_arena *a)
{
    const char *path = nashc_arena_printf(a, "%s/%s", folder, key);
    const char *aside = nashc_arena_printf(a, "%s/%s.%ld.tmp", folder, key, (long)getpid());

    if (!path || !aside)
        return;
    make_folders(folder, a);
    nashc_temp_note(aside);
    if (!copy(program, aside) || rename(aside, path) != 0)
        unlink(aside);
    nashc_temp_done(aside);
    while (evict(folder, a))
        continue;
}
