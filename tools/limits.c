/* limits.c: what a whole run may take: memory by the kernel's limit on data, time by a timer.
 *
 * The limit counts what all libraries of the process take, not tensors alone. Allocation fails at
 * it, and the run ends with a message (signals.c). Started programs are not bound by it.
 */
#undef _POSIX_C_SOURCE
#define _GNU_SOURCE /* RLIMIT_DATA */
#include "tool.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static struct rlimit before;
static bool limited;
static char told[120]; /* made in time: when memory is out there is none for a message */

/* "500M", "2G", bytes without a letter. False: no size. */
static bool
parse_size(const char *s, uint64_t *out)
{
    static const char units[] = "KMGT";
    char *end;
    errno = 0;
    uint64_t n = strtoull(s, &end, 10);
    const char *unit = *end ? strchr(units, *end) : NULL;
    int shift = unit ? 10 * (int)(unit - units + 1) : 0;
    if (errno || end == s || *s < '0' || *s > '9' || (*end && (!unit || end[1])) ||
        n > UINT64_MAX >> (shift + 1))
        return false;
    *out = n << shift;
    return true;
}

static uint64_t
half_of_machine(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size / 2 : 0;
}

/* ASan reserves terabytes of address space as data: no limit would let it start. */
static bool
is_possible(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    return false;
#endif
#endif
    return true;
}

nashc_status
tool_limit_memory(const char *size, nashc_diag *d)
{
    uint64_t bytes = half_of_machine();
    if (size && !parse_size(size, &bytes))
        return nashc_usage(d, "--max-memory is a number of bytes, or of K, M, G or T: not \"%s\"",
                           nashc_quote(d, size));
    if (!bytes || !is_possible() || getrlimit(RLIMIT_DATA, &before) != 0)
        return NASHC_OK;
    struct rlimit now = before;
    if (bytes >= now.rlim_max || bytes >= now.rlim_cur)
        return NASHC_OK; /* the shell allows less already */
    now.rlim_cur = (rlim_t)bytes;
    limited = setrlimit(RLIMIT_DATA, &now) == 0;
    snprintf(told, sizeof told, "the run may take %" PRIu64 " MB; more by --max-memory=SIZE",
             bytes >> 20);
    return NASHC_OK;
}

uint64_t
tool_memory_limit(void)
{
    struct rlimit now;
    return limited && getrlimit(RLIMIT_DATA, &now) == 0 ? (uint64_t)now.rlim_cur : 0;
}

const char *
tool_limits_told(void)
{
    return limited ? told : NULL;
}

void
tool_limits_lift(void)
{
    if (limited)
        setrlimit(RLIMIT_DATA, &before);
}

nashc_status
tool_limit_time(const char *seconds, nashc_diag *d)
{
    char *end;
    long n = strtol(seconds, &end, 10);
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGXCPU};
    if (end == seconds || *end || n < 0 || n > 1000000000)
        return nashc_usage(d, "--max-time is a number of seconds: not \"%s\"",
                           nashc_quote(d, seconds));
    tool_state.max_time = (uint64_t)n;
    struct itimerspec at = {.it_value = {.tv_sec = n}};
    if (n && (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
              timer_settime(timer, 0, &at, NULL) != 0))
        return nashc_io_error(d, NULL, "--max-time: no timer: %s", strerror(errno));
    return NASHC_OK;
}
