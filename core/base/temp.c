/* temp.c: files and folders that must not outlive the process, and how a signal handler removes
 * them.
 *
 * opendir allocates, which a handler must not; folders are read by getdents64 into a buffer on the
 * stack instead. An entry that is removed may hide others from the running listing: a folder is
 * read again from its start until nothing was removed.
 */
#define _GNU_SOURCE /* getdents64 */
#include <dirent.h>
#include <fcntl.h>
#include <nashc/io.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define MAX_TEMPS 64
#define MAX_DEPTH 32 /* folders of ours are two deep; deeper ones are left alone */

static _Atomic(const char *) temps[MAX_TEMPS];

static bool remove_below(int parent, const char *name, int depth);

/* Removes what one reading of the open folder lists; the number of what is gone now. */
static int
remove_listed(int dir, int depth)
{
    _Alignas(struct dirent64) char buf[1024];
    int n_removed = 0;
    ssize_t n;
    while ((n = getdents64(dir, buf, sizeof buf)) > 0)
        for (ssize_t at = 0; at < n;) {
            const struct dirent64 *e = (const struct dirent64 *)(const void *)(buf + at);
            at += e->d_reclen;
            if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                n_removed += remove_below(dir, e->d_name, depth + 1);
        }
    return n_removed;
}

/* The recursion is bounded: 32 frames of little more than the buffer. */
static bool
remove_below(int parent, const char *name, int depth)
{
    if (unlinkat(parent, name, 0) == 0)
        return true;
    int dir = depth < MAX_DEPTH
                  ? openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                  : -1;
    if (dir < 0)
        return false;
    while (remove_listed(dir, depth) > 0 && lseek(dir, 0, SEEK_SET) == 0)
        continue;
    close(dir);
    return unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

bool
nashc_tree_remove(const char *path)
{
    return remove_below(AT_FDCWD, path, 0);
}

void
nashc_temp_note(const char *path)
{
    for (int i = 0; path && i < MAX_TEMPS; i++) {
        const char *none = NULL;
        if (atomic_compare_exchange_strong(&temps[i], &none, path))
            return;
    }
}

void
nashc_temp_done(const char *path)
{
    for (int i = 0; path && i < MAX_TEMPS; i++) {
        const char *same = path;
        if (atomic_compare_exchange_strong(&temps[i], &same, NULL))
            return;
    }
}

void
nashc_temp_remove_all(void)
{
    for (int i = 0; i < MAX_TEMPS; i++) {
        const char *path = atomic_exchange(&temps[i], NULL);
        if (path)
            nashc_tree_remove(path);
    }
}
