/* progress.c: what long work shows on standard error. */
#include "tool.h"
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH     24
#define LINE_INTERVAL 10.0 /* seconds between lines where there is no terminal */
#define BAR_INTERVAL  0.1

static double
seconds_of(clockid_t clock)
{
    struct timespec t;
    return clock_gettime(clock, &t) == 0 ? (double)t.tv_sec + 1e-9 * (double)t.tv_nsec : 0;
}

double
tool_clock(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

double
tool_cpu_clock(void)
{
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

void
tool_progress(const char *what, int64_t done, int64_t total)
{
    static double started, shown;
    static bool visible;
    double now = tool_clock();
    /* a new piece of work: its time starts here */
    if (done == 0 || started == 0) {
        started = shown = now;
        visible = false;
    }
    if (tool_quiet() || total <= 0)
        return;
    bool terminal = isatty(2), last = done >= total;
    /* a bar that is on the screen is wiped at the end, whatever the clock says */
    if (now - shown < (terminal ? BAR_INTERVAL : LINE_INTERVAL) && !(last && visible))
        return;
    shown = now;
    if (!terminal) {
        if (!last)
            fprintf(stderr, "%s: %lld of %lld\n", what, (long long)done, (long long)total);
        return;
    }
    visible = !last;
    if (last) {
        fprintf(stderr, "\r\x1b[K");
        return;
    }
    char bar[BAR_WIDTH + 1];
    int filled = (int)(BAR_WIDTH * done / total);
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[BAR_WIDTH] = 0;
    fprintf(stderr, "\r\x1b[K[%s] %lld/%lld %s", bar, (long long)done, (long long)total, what);
    if (done > 0)
        fprintf(stderr, ", %.0f s left", (now - started) / (double)done * (double)(total - done));
    fflush(stderr);
}

/* The alarm starts anew with each pass; it goes off when one takes longer than --pass-timeout. pass
 * NULL: the pipeline is done. */
void
tool_pass_progress(void *user, const char *pass, int done, int total)
{
    (void)user;
    (void)alarm(pass ? tool_state.pass_timeout : 0);
    if (pass)
        tool_progress(pass, done, total < done + 1 ? done + 1 : total);
    else
        tool_progress("", total > done ? total : done, total > done ? total : done);
}

/* Six digits, and all that stand before the point: a person reads no exponents. */
static const char *
plain(double x, char text[32])
{
    snprintf(text, 32, x >= 999999.5 && x < 1e18 ? "%.0f" : "%.6g", x);
    return text;
}

void
tool_print_rate(double interval, const char *note, uint64_t latency, double fps, double clock_ns)
{
    char cycles[32], rate[32];

    printf("interval: %s cycles%s\nlatency: %llu cycles\nthroughput: %s fps at %g ns\n",
           plain(interval, cycles), note, (unsigned long long)latency, plain(fps, rate), clock_ns);
}
