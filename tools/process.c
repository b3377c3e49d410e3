/* process.c: runs outside programs without a shell and collects what they write.
 *
 *     nashc -- keeper -- program -- what it starts
 *
 * The keeper, the program and its descendants are a group of their own, which ends as one.
 */
#undef _POSIX_C_SOURCE
#define _GNU_SOURCE /* NSIG, prctl */
#include "tool.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_OUTPUT ((size_t)256 << 20)

static volatile pid_t child; /* the keeper; 0: none */

typedef struct stream {
    int fd;
    char *data;
    size_t n, cap;
    int fault; /* errno of what was dropped; 0: nothing */
} stream;

bool
tool_program_exists(const char *name)
{
    const char *path = getenv("PATH");
    char file[4096];
    if (strchr(name, '/'))
        return access(name, X_OK) == 0;
    while (path && *path) {
        size_t len = strcspn(path, ":");
        int n = snprintf(file, sizeof file, "%.*s/%s", (int)len, path, name);
        if (len > 0 && n > 0 && (size_t)n < sizeof file && access(file, X_OK) == 0)
            return true;
        path += len + (path[len] == ':');
    }
    return false;
}

/* What a keeper says of its program: errno of a failed start, else how it ended, as of waitpid. */
typedef struct verdict {
    int why, status;
} verdict;

static void
send(int to, int why, int status)
{
    verdict v = {why, status};
    if (write(to, &v, sizeof v) < 0)
        _exit(126);
}

/* In the program's process; 0: no limit. */
static void
limit_memory(uint64_t bytes)
{
    struct rlimit r;
    if (bytes == 0 || getrlimit(RLIMIT_AS, &r) != 0)
        return;
    r.rlim_cur = r.rlim_max == RLIM_INFINITY || bytes < r.rlim_max ? (rlim_t)bytes : r.rlim_max;
    setrlimit(RLIMIT_AS, &r);
}

/* A killed program leaves its temporary files: in a folder of ours, which goes with it. A relative
 * path would mean another folder in the program's. */
static void
set_tmpdir(const char *temp)
{
    char *whole = temp[0] == '/' ? NULL : realpath(temp, NULL);

    setenv("TMPDIR", whole ? whole : temp, 1);
}

/* In the program's process: never returns. */
static void
become(const char *const *argv, const char *dir, const tool_process *told, int out, int err,
       int report)
{
    int null = open("/dev/null", O_RDONLY);
    tool_limits_lift();
    limit_memory(told->max_memory);
    set_tmpdir(told->temp);
    if (null >= 0 && dup2(null, 0) >= 0 && dup2(out, 1) >= 0 && dup2(err, 2) >= 0 &&
        (!dir || chdir(dir) == 0))
        execvp(argv[0], (char *const *)argv);
    send(report, errno, 0);
    _exit(127);
}

static pid_t nashc_, program; /* in the keeper */

/* nashc was killed, or somebody ends the keeper. In the first case nobody else is left to remove
 * what must not stay. */
static void
end_group(int signal_)
{
    (void)signal_;
    if (getppid() != nashc_) {
        if (program > 0)
            kill(program, SIGKILL);
        nashc_temp_remove_all();
    }
    kill(0, SIGKILL);
}

/* Handlers of nashc clean up after it, which is not for its children to do. */
static void
forget_handlers(void)
{
    struct sigaction old;
    for (int i = 1; i < NSIG; i++)
        if (sigaction(i, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            signal(i, SIG_DFL);
}

/* In the keeper: never returns. It leads the group of the program and of all that the program
 * starts; when the program ends, or nashc does by whatever signal, the group does. */
static void
keep(pid_t parent, const char *const *argv, const char *dir, const tool_process *told, int out,
     int err, int report)
{
    int status = 0;
    nashc_ = parent;
    forget_handlers();
    setpgid(0, 0);
    if (getpgrp() != getpid())
        _exit(126); /* the group would be that of nashc */
    signal(SIGTERM, end_group);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        end_group(SIGTERM);
    pid_t pid = program = fork();
    if (pid == 0) {
        signal(SIGTERM, SIG_DFL);
        become(argv, dir, told, out, err, report);
    }
    close(out);
    close(err);
    if (pid < 0) {
        send(report, errno, 0);
    } else {
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            continue;
        send(report, 0, status);
    }
    kill(0, SIGKILL);
    _exit(126);
}

/* Reads what is there; false at the end of the stream. */
static bool
drain(stream *s)
{
    char chunk[65536];
    ssize_t n = read(s->fd, chunk, sizeof chunk);
    if (n <= 0)
        return n < 0 && (errno == EINTR || errno == EAGAIN);
    if (s->n + (size_t)n + 1 > s->cap) {
        size_t cap = 2 * s->cap + (size_t)n + 4096;
        char *grown = cap <= MAX_OUTPUT ? realloc(s->data, cap) : NULL;
        if (!grown) {
            s->fault = cap <= MAX_OUTPUT ? ENOMEM : EFBIG;
            return true;
        }
        s->data = grown;
        s->cap = cap;
    }
    memcpy(s->data + s->n, chunk, (size_t)n);
    s->n += (size_t)n;
    s->data[s->n] = 0;
    return true;
}

/* Reads both streams until the keeper says that its program has ended, whoever else holds them
 * then, or time is up: false. s: out, err, and what the keeper says. */
static bool
collect(stream *s, double seconds, const tool_process *told)
{
    size_t seen = 0;
    double end = tool_clock() + seconds;
    bool open[3] = {true, true, true};
    while (open[2]) {
        struct pollfd p[3];
        double left = end - tool_clock();
        if (seconds > 0 && left <= 0)
            return false;
        for (int i = 0; i < 3; i++)
            p[i] = (struct pollfd){open[i] ? s[i].fd : -1, POLLIN, 0};
        int wait_ms = seconds > 0 && left < 1 ? (int)(1000 * left) + 1 : told->watch ? 100 : 1000;
        if (poll(p, 3, wait_ms) < 0 && errno != EINTR)
            return true;
        for (int i = 0; i < 3; i++)
            if (open[i] && p[i].revents)
                open[i] = drain(&s[i]);
        open[2] = open[2] && s[2].n < sizeof(verdict);
        if (told->watch)
            told->watch(told->user, s[0].data ? s[0].data + seen : "", s[0].n - seen);
        seen = s[0].n;
    }
    for (int i = 0; i < 2; i++) /* what it wrote before it ended */
        for (struct pollfd p = {s[i].fd, POLLIN, 0};
             open[i] && poll(&p, 1, 0) > 0 && (open[i] = drain(&s[i]));)
            continue;
    return true;
}

static void
close_pair(int *p)
{
    for (int i = 0; i < 2; i++)
        if (p[i] >= 0)
            close(p[i]);
}

static bool
make_pipe(int *p)
{
    if (pipe(p) != 0) {
        p[0] = p[1] = -1;
        return false;
    }
    for (int i = 0; i < 2; i++)
        fcntl(p[i], F_SETFD, FD_CLOEXEC);
    return true;
}

/* How the program ended; a keeper that was killed tells of itself. */
static int
exit_status(const verdict *v, int of_keeper)
{
    int status = v ? v->status : of_keeper;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static nashc_status
cannot(nashc_diag *d, const char *name, int why)
{
    nashc_io_error(d, NULL, "cannot run \"%s\": %s", nashc_quote(d, name), strerror(why));
    if (why == ENOENT)
        nashc_help(d, "install it, or put its folder into PATH");
    return NASHC_EIO;
}

/* Waits for the keeper; what the program wrote becomes out's. */
static nashc_status
finish(pid_t pid, const char *name, double seconds, stream *s, tool_process *out, nashc_diag *d)
{
    int status = 0;
    out->timed_out = !collect(s, seconds, out);
    kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    child = 0;
    for (int i = 0; i < 2; i++)
        if (!s[i].data)
            s[i].data = calloc(1, 1);
    const verdict *v = s[2].n >= sizeof *v ? (const verdict *)(const void *)s[2].data : NULL;
    int why = v ? v->why : 0, dropped = s[0].fault ? s[0].fault : s[1].fault;
    out->exit_status = exit_status(v, status);
    free(s[2].data);
    out->out = s[0].data;
    out->err = s[1].data;
    out->out_size = s[0].n;
    out->err_size = s[1].n;
    if (why)
        return cannot(d, name, why);
    if (!out->out || !out->err || dropped == ENOMEM)
        return nashc_enomem(d);
    return !dropped ? NASHC_OK
                    : nashc_io_error(d, NULL, "\"%s\" writes more than %zu MB",
                                     nashc_quote(d, name), MAX_OUTPUT >> 20);
}

static nashc_status
run_in_temp(const char *const *argv, const char *dir, double seconds, tool_process *out,
            nashc_diag *d)
{
    enum { OUT, ERR, REPORT, N };
    int p[N][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    nashc_status s;
    pid_t pid = -1, self = getpid();
    fflush(NULL);
    if (make_pipe(p[OUT]) && make_pipe(p[ERR]) && make_pipe(p[REPORT]))
        pid = fork();
    if (pid == 0)
        keep(self, argv, dir, out, p[OUT][1], p[ERR][1], p[REPORT][1]);
    if (pid < 0) {
        s = nashc_io_error(d, NULL, "cannot start \"%s\": %s", nashc_quote(d, argv[0]),
                           strerror(errno));
    } else {
        stream streams[N] = {{.fd = p[OUT][0]}, {.fd = p[ERR][0]}, {.fd = p[REPORT][0]}};
        setpgid(pid, pid); /* whoever of the two is first */
        child = pid;
        for (int i = 0; i < N; i++) {
            close(p[i][1]);
            p[i][1] = -1;
        }
        s = finish(pid, argv[0], seconds, streams, out, d);
    }
    for (int i = 0; i < N; i++)
        close_pair(p[i]);
    if (s != NASHC_OK)
        tool_process_free(out);
    return s;
}

nashc_status
tool_process_run(const char *const *argv, const char *dir, double seconds, tool_process *out,
                 nashc_diag *d)
{
    nashc_arena *a = nashc_arena_create();
    char *temp = NULL;
    nashc_status s = a ? tool_temp_folder("run", a, &temp, d) : nashc_enomem(d);

    *out = (tool_process){
        .watch = out->watch, .user = out->user, .max_memory = out->max_memory, .temp = temp};
    if (s == NASHC_OK)
        s = run_in_temp(argv, dir, seconds, out, d);
    tool_temp_remove(temp);
    out->temp = NULL;
    nashc_arena_free(a);
    return s;
}

void
tool_process_kill(void)
{
    if (child > 0 && kill(-child, SIGKILL) != 0)
        kill(child, SIGKILL); /* it has no group of its own yet */
}

void
tool_process_free(tool_process *p)
{
    free(p->out);
    free(p->err);
    *p = (tool_process){0};
}
