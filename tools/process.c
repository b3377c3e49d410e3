/* process.c: runs outside programs without a shell and collects what they write. */
#include "tool.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_OUTPUT ((size_t)256 << 20)

static volatile pid_t child; /* the one that runs; 0: none */

typedef struct stream {
    int fd;
    char *data;
    size_t n, cap;
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

/* In the child: never returns. A failed exec sends errno through the pipe. */
static void
become(const char *const *argv, const char *dir, int out, int err, int report)
{
    int null = open("/dev/null", O_RDONLY);
    setpgid(0, 0);
    if (null >= 0 && dup2(null, 0) >= 0 && dup2(out, 1) >= 0 && dup2(err, 2) >= 0 &&
        (!dir || chdir(dir) == 0))
        execvp(argv[0], (char *const *)argv);
    int why = errno;
    ssize_t n = write(report, &why, sizeof why);
    _exit(n < 0 ? 126 : 127);
}

/* Reads what is there; false at the end of the stream. Bytes beyond the limit are dropped. */
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
        if (!grown)
            return true;
        s->data = grown;
        s->cap = cap;
    }
    memcpy(s->data + s->n, chunk, (size_t)n);
    s->n += (size_t)n;
    s->data[s->n] = 0;
    return true;
}

/* Reads both streams until they end or time is up. False: time is up. */
static bool
collect(stream *s, double seconds)
{
    double end = tool_clock() + seconds;
    bool open[2] = {true, true};
    while (open[0] || open[1]) {
        struct pollfd p[2] = {{open[0] ? s[0].fd : -1, POLLIN, 0},
                              {open[1] ? s[1].fd : -1, POLLIN, 0}};
        double left = end - tool_clock();
        if (seconds > 0 && left <= 0)
            return false;
        int wait_ms = seconds > 0 && left < 1 ? (int)(1000 * left) + 1 : 1000;
        if (poll(p, 2, wait_ms) < 0 && errno != EINTR)
            return true;
        for (int i = 0; i < 2; i++)
            if (open[i] && p[i].revents)
                open[i] = drain(&s[i]);
    }
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

static nashc_status
finish(pid_t pid, stream *s, double seconds, tool_process *out)
{
    int status = 0;
    child = pid;
    out->timed_out = !collect(s, seconds);
    if (out->timed_out)
        kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    child = 0;
    out->exit_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    for (int i = 0; i < 2; i++)
        if (!s[i].data)
            s[i].data = calloc(1, 1);
    out->out = s[0].data;
    out->err = s[1].data;
    out->out_size = s[0].n;
    out->err_size = s[1].n;
    return out->out && out->err ? NASHC_OK : NASHC_ENOMEM;
}

nashc_status
tool_process_run(const char *const *argv, const char *dir, double seconds, tool_process *out,
                 nashc_diag *d)
{
    int po[2] = {-1, -1}, pe[2] = {-1, -1}, pr[2] = {-1, -1}, why = 0;
    *out = (tool_process){0};
    if (!make_pipe(po) || !make_pipe(pe) || !make_pipe(pr)) {
        close_pair(po);
        close_pair(pe);
        return nashc_io_error(d, NULL, "cannot start \"%s\": %s", argv[0], strerror(errno));
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        become(argv, dir, po[1], pe[1], pr[1]);
    close(po[1]);
    close(pe[1]);
    close(pr[1]);
    po[1] = pe[1] = pr[1] = -1;
    nashc_status s = NASHC_OK;
    if (pid < 0) {
        s = nashc_io_error(d, NULL, "cannot start \"%s\": %s", argv[0], strerror(errno));
    } else if (read(pr[0], &why, sizeof why) == (ssize_t)sizeof why) {
        waitpid(pid, NULL, 0);
        s = nashc_io_error(d, NULL, "cannot run \"%s\": %s", argv[0], strerror(why));
        if (why == ENOENT)
            nashc_help(d, "install it, or put its folder into PATH");
    } else {
        stream streams[2] = {{.fd = po[0]}, {.fd = pe[0]}};
        s = finish(pid, streams, seconds, out);
        if (s == NASHC_ENOMEM)
            nashc_enomem(d);
    }
    close_pair(po);
    close_pair(pe);
    close_pair(pr);
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
