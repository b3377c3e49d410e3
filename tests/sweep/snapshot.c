/* snapshot.c: which calls a program makes, and copies of the program that fail at them.
 *
 * To fail every call of a program in a fresh process costs the square of their number. Here one
 * process runs to its end, and forks at each place that is asked for: the copy fails there and goes
 * on alone. It gets a copy of the working folder, made by run.py, and its open files below that
 * folder are opened again in the copy, at the same offset. One place after the other: "at PLACE" is
 * written to the socket, the folder of the copy read from it, then "PID", then its wait status.
 * Not for programs that have children: their pipes cannot be copied.
 */
#define _GNU_SOURCE
#include "fail.h"
#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEPTH      64
#define MAX_CALLS  (1 << 22)
#define MAX_RECORD ((size_t)1 << 28)

static int records = -1; /* the file, and what goes to it at the end: children of fork write none */
static char *recorded;
static size_t n_recorded;
static struct place {
    int kind, on;
    long at;
} * places;
static size_t n_places, next_place[N_KINDS]; /* each kind goes through the list on its own */
static int link_fd = -1;
static char folder[PATH_MAX];

static void *
reserve(size_t n)
{
    void *p =
        mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        abort();
    return p;
}

/* Lines "alloc:17" and "alloc:17+" of the file, in the order of the calls. */
static void
read_places(const char *file)
{
    FILE *f = fopen(file, "r");
    char line[64], *end;

    places = reserve(MAX_CALLS * sizeof *places);
    while (f && n_places < MAX_CALLS && fgets(line, sizeof line, f)) {
        struct place *p = &places[n_places++];
        p->kind = fail_kind(line, &end);
        p->at = strtol(end, &end, 10);
        p->on = *end == '+';
    }
    if (f)
        fclose(f);
}

void
snapshot_start(void)
{
    const char *record = getenv("FAIL_RECORD"), *serve = getenv("FAIL_SERVE");
    void *stack[2];

    backtrace(stack, 2); /* loads the unwinder now */
    if (record) {
        records = open(record, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        unsetenv("FAIL_RECORD"); /* programs that it starts would write to the same file */
    }
    if (records >= 0)
        recorded = reserve(MAX_RECORD);
    if (serve) {
        read_places(serve);
        link_fd = atoi(getenv("FAIL_LINK"));
        fcntl(link_fd, F_SETFD, FD_CLOEXEC);
        if (!getcwd(folder, sizeof folder))
            abort();
        *strrchr(folder, '/') = 0; /* the files beside the working folder take its output */
    }
}

static void
record(int kind, long n)
{
    void *stack[DEPTH];
    int depth = backtrace(stack, DEPTH);
    uint64_t h = 14695981039346656037u;

    for (int i = 0; i < depth; i++)
        h = (h ^ (uint64_t)(uintptr_t)stack[i]) * 1099511628211u;
    if (n_recorded + 128 < MAX_RECORD)
        n_recorded += (size_t)sprintf(recorded + n_recorded, "%s:%ld %llx\n", fail_names[kind], n,
                                      (unsigned long long)h);
}

/* The open file fd, if it lies below the folder, becomes the one of the same name below to. */
static void
reopen(int fd, const char *to)
{
    char link[64], path[PATH_MAX], copy[2 * PATH_MAX];
    size_t n = strlen(folder);
    ssize_t len;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof path - 1);
    if (len <= 0)
        return;
    path[len] = 0;
    if (strncmp(path, folder, n) != 0 || (path[n] != '/' && path[n]))
        return;
    snprintf(copy, sizeof copy, "%s%s", to, path + n);
    int flags = fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_DIRECTORY);
    int other = open(copy, flags | O_CLOEXEC);
    if (other < 0) {
        dprintf(2, "snapshot: cannot open %s again\n", copy);
        _exit(99);
    }
    if (flags & O_DIRECTORY)
        flock(other, LOCK_EX | LOCK_NB); /* the process may have had that lock */
    else
        lseek(other, lseek(fd, 0, SEEK_CUR), SEEK_SET);
    dup3(other, fd, fcntl(fd, F_GETFD) & FD_CLOEXEC ? O_CLOEXEC : 0);
    close(other);
}

/* The copy of the process moves to the folder to, and fails as s says. */
static void
become(const char *s, const char *to)
{
    char work[PATH_MAX + 8];

    for (int fd = 0; fd < 64; fd++)
        if (fd != link_fd)
            reopen(fd, to);
    close(link_fd);
    snprintf(work, sizeof work, "%s/d", to);
    if (chdir(work) != 0)
        _exit(99);
    n_places = 0;
    fail_choose(s);
}

/* False: in the copy. */
static int
serve(const struct place *p)
{
    char name[64], to[PATH_MAX];
    int status = 0;
    ssize_t n;

    snprintf(name, sizeof name, "%s:%ld%s", fail_names[p->kind], p->at, p->on ? "+" : "");
    dprintf(link_fd, "at %s\n", name);
    n = read(link_fd, to, sizeof to - 1);
    if (n <= 0)
        _exit(98);
    to[n] = 0;
    pid_t pid = fork();
    if (pid == 0) {
        become(name, to);
        return 0;
    }
    dprintf(link_fd, "%d\n", (int)pid);
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        continue;
    dprintf(link_fd, "%d\n", status);
    return 1;
}

void
snapshot_at(int kind, long n)
{
    if (records >= 0)
        record(kind, n);
    for (size_t *i = &next_place[kind]; *i < n_places; (*i)++)
        if (places[*i].kind == kind && (places[*i].at > n || !serve(&places[*i])))
            return;
}

void
snapshot_trace(void)
{
    void *stack[DEPTH];

    backtrace_symbols_fd(stack, backtrace(stack, DEPTH), 2);
}

void
snapshot_end(void)
{
    if (records >= 0 && write(records, recorded, n_recorded) != (ssize_t)n_recorded)
        abort();
}
