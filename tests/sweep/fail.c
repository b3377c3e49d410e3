/* fail.c: an LD_PRELOAD library that makes calls fail, one by one, for run.py.
 *
 *     FAIL=alloc:17        the 17th allocation fails;  FAIL=alloc:17+ and all after it
 *     FAIL_TRACE=1         with FAIL: says where the call was made
 *     FAIL_RECORD=FILE     nothing fails; each call, in order, with its stack goes to FILE
 *     FAIL_SERVE=FILE      at each place that FILE lists a copy of the process fails (snapshot.c)
 *
 * Kinds: alloc (malloc, calloc, realloc), write, rename (and renameat2), open (and openat, fopen,
 * opendir), fork, mkdir, pipe. Children count for themselves and write nothing.
 */
#define _GNU_SOURCE
#include "fail.h"
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

const char *const fail_names[] = {"alloc", "write", "rename", "open", "fork", "mkdir", "pipe"};
static const int errors[] = {ENOMEM, ENOSPC, EIO, EMFILE, EAGAIN, ENOSPC, EMFILE};
static atomic_long calls[N_KINDS];
static int kind = -1;
static long at;
static int on, ready;
static pid_t self;

int
fail_kind(const char *s, char **end)
{
    for (int i = 0; i < N_KINDS; i++)
        if (strncmp(s, fail_names[i], strlen(fail_names[i])) == 0 &&
            s[strlen(fail_names[i])] == ':') {
            *end = (char *)s + strlen(fail_names[i]) + 1;
            return i;
        }
    return -1;
}

void
fail_choose(const char *s)
{
    char *end;
    kind = fail_kind(s, &end);
    at = strtol(end, &end, 10);
    on = *end == '+';
    self = getpid();
}

__attribute__((constructor)) static void
start(void)
{
    const char *s = getenv("FAIL");
    if (s)
        fail_choose(s);
    self = getpid();
    snapshot_start();
    ready = 1;
}

static int
fails(int k)
{
    if (!ready || getpid() != self)
        return 0;
    long n = atomic_fetch_add(&calls[k], 1) + 1;
    ready = 0; /* what is done for the snapshot is not counted */
    snapshot_at(k, n);
    ready = 1;
    if (k != kind || (n != at && !(on && n > at)))
        return 0;
    if (n == at && getenv("FAIL_TRACE"))
        snapshot_trace();
    errno = errors[k];
    return 1;
}

__attribute__((destructor)) static void
end(void)
{
    if (getpid() != self)
        return;
    ready = 0;
    snapshot_end();
}

#define REAL(f)                                                                                    \
    static __typeof__(f) *real;                                                                    \
    if (!real)                                                                                     \
    real = (__typeof__(f) *)dlsym(RTLD_NEXT, #f)

void *
malloc(size_t n)
{
    return fails(ALLOC) ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
    return fails(ALLOC) ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
    return fails(ALLOC) ? NULL : __libc_realloc(p, n);
}

ssize_t
write(int fd, const void *p, size_t n)
{
    REAL(write);
    return fd > 2 && fails(WRITE) ? -1 : real(fd, p, n);
}

int
rename(const char *a, const char *b)
{
    REAL(rename);
    return fails(RENAME) ? -1 : real(a, b);
}

int
renameat2(int da, const char *a, int db, const char *b, unsigned flags)
{
    REAL(renameat2);
    return fails(RENAME) ? -1 : real(da, a, db, b, flags);
}

int
open(const char *path, int flags, ...)
{
    REAL(open);
    va_list ap;
    va_start(ap, flags);
    mode_t mode = va_arg(ap, mode_t);
    va_end(ap);
    return fails(OPEN) ? -1 : real(path, flags, mode);
}

int
openat(int dir, const char *path, int flags, ...)
{
    REAL(openat);
    va_list ap;
    va_start(ap, flags);
    mode_t mode = va_arg(ap, mode_t);
    va_end(ap);
    return fails(OPEN) ? -1 : real(dir, path, flags, mode);
}

FILE *
fopen(const char *path, const char *mode)
{
    REAL(fopen);
    return fails(OPEN) ? NULL : real(path, mode);
}

DIR *
opendir(const char *path)
{
    REAL(opendir);
    return fails(OPEN) ? NULL : real(path);
}

pid_t
fork(void)
{
    REAL(fork);
    return fails(FORK) ? -1 : real();
}

int
mkdir(const char *path, mode_t mode)
{
    REAL(mkdir);
    return fails(MKDIR) ? -1 : real(path, mode);
}

int
pipe(int fd[2])
{
    REAL(pipe);
    return fails(PIPE) ? -1 : real(fd);
}
