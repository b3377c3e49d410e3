/* progress.c: what a long run shows on standard error: a bar with the time left on a terminal, else
 * a line now and then. */
#include "plugins/train/run/run.h"
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH     24
#define LINE_INTERVAL 10.0 /* seconds between lines where there is no terminal */
#define BAR_INTERVAL  0.2

double
train_clock(void)
{
    struct timespec t;

    return clock_gettime(CLOCK_MONOTONIC, &t) == 0 ? (double)t.tv_sec + 1e-9 * (double)t.tv_nsec
                                                   : 0.0;
}

/* from: the step a run went on at, so that the time left goes by the steps done now. */
void
train_progress(nashc_diag *d, const char *what, int64_t done, int64_t total, int64_t from)
{
    static double started, shown;
    static bool visible;
    double now = train_clock();
    bool terminal = isatty(2), last = done >= total;
    char bar[BAR_WIDTH + 1];

    if (started == 0.0 || done <= from) {
        started = shown = now;
        visible = false;
    }
    if (nashc_diag_verbosity(d) < 1 ||
        (now - shown < (terminal ? BAR_INTERVAL : LINE_INTERVAL) && !(last && visible)))
        return;
    shown = now;
    double left =
        done > from ? (now - started) / (double)(done - from) * (double)(total - done) : 0.0;
    if (!terminal) {
        if (!last)
            fprintf(stderr, "%s: %lld of %lld, %.0f s left\n", what, (long long)done,
                    (long long)total, left);
        return;
    }
    visible = !last;
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < BAR_WIDTH * done / total ? '#' : '.';
    bar[BAR_WIDTH] = 0;
    fprintf(stderr, "\r\x1b[K");
    if (!last)
        fprintf(stderr, "[%s] %lld/%lld %s, %.0f s left", bar, (long long)done, (long long)total,
                what, left);
    fflush(stderr);
}
