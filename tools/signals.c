/* signals.c: crashes, interruptions and time-outs: whose code ran, and nothing left half written.
 *
 * Handlers run between any two instructions: they use write, _exit and what is said to be
 * async-signal-safe. One exception: the repro file is written by ordinary code, after the message
 * is out, as the process ends anyway; a second crash or ten seconds of nothing end it then.
 */
#undef _POSIX_C_SOURCE
#define _XOPEN_SOURCE 700 /* POSIX.1-2008 with sigaltstack */
#include "tool.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPRO_SECONDS 10

static volatile sig_atomic_t telling; /* that memory is out; nothing was said yet */
static volatile sig_atomic_t dying;   /* an exit code + 1, once a handler has begun to end it all */

/* --- one message ----------------------------------------------------------------------------- */

typedef struct text {
    char data[2048];
    size_t n;
} text;

static void
add(text *t, const char *s)
{
    for (; *s && t->n < sizeof t->data; s++)
        t->data[t->n++] = *s;
}

/* The name of a file, which may hold anything. */
static void
add_file(text *t, const char *s)
{
    for (int i = 0; s[i] && i < 400; i++) {
        unsigned char c = (unsigned char)s[i];
        char one[2] = {c < 0x20 || c == 0x7f || c == '"' || c == '\\' ? '?' : s[i], 0};
        add(t, one);
    }
}

/* As a string of JSON: names in it are safe already, quotes are not. */
static void
add_json(text *t, const text *s)
{
    for (size_t i = 0; i < s->n; i++) {
        char one[2] = {s->data[i], 0};
        add(t, s->data[i] == '"' ? "\\\"" : one);
    }
}

/* severity and note as in all messages. note NULL: none. */
static void
say(const char *severity, const char *file, const text *message, const char *note)
{
    text t = {.n = 0};
    bool json = tool_state.json_diag;
    add(&t, json ? "{\"severity\":\"" : "");
    add(&t, json ? severity : "");
    add(&t, json ? "\",\"file\":\"" : "");
    add_file(&t, file);
    add(&t, json ? "\",\"message\":\"" : ": ");
    if (json) {
        add_json(&t, message);
        add(&t, note ? "\",\"notes\":[{\"kind\":\"note\",\"text\":\"" : "\",\"notes\":[");
        add(&t, note ? note : "");
        add(&t, note ? "\"}]}\n" : "]}\n");
    } else {
        add(&t, severity);
        add(&t, ": ");
        for (size_t i = 0; i < message->n && t.n < sizeof t.data; i++)
            t.data[t.n++] = message->data[i];
        add(&t, note ? "\n  note: " : "");
        add(&t, note ? note : "");
        add(&t, "\n");
    }
    /* If standard error is gone there is nobody to tell. */
    if (write(2, t.data, t.n) < 0)
        return;
}

/* "WHAT EVENT WHERE", and whose fault that is if it is a fault. */
static void
tell(const char *severity, const nashc_running *r, const char *event, const char *detail,
     bool fault)
{
    static const char plugin[] = "this is a fault of the plugin, not of nashc or of your input";
    static const char bug[] = "this is a bug in nashc " NASHC_VERSION ", not in your input";
    text t = {.n = 0};
    add(&t, fault && !r->origin ? "internal error: " : "");
    add(&t, r->what[0] ? r->what : "the program");
    add(&t, event);
    add(&t, detail);
    add(&t, r->where);
    say(severity, r->origin ? r->origin : "nashc", &t, !fault ? NULL : r->origin ? plugin : bug);
}

/* --- the end --------------------------------------------------------------------------------- */

static void
clean_up(void)
{
    tool_process_kill();
    nashc_temp_remove_all();
}

/* Ends the process with the code; before that the repro file, if there is something to repeat. */
static void
die(int exit_code)
{
    clean_up();
    (void)alarm(REPRO_SECONDS);
    nashc_running_repro();
    nashc_temp_remove_all();
    _exit(exit_code);
}

/* A handler that is called while another one ends the process: it ends at once. */
static void
begin(int exit_code)
{
    if (dying) {
        static const text memory = {.data = "out of memory", .n = sizeof "out of memory" - 1};
        if (telling)
            say("error", "nashc", &memory, tool_limits_told());
        clean_up();
        _exit(dying - 1);
    }
    dying = exit_code + 1;
}

static int
fault_code(const nashc_running *r)
{
    return nashc_status_exit(r->origin ? NASHC_EPLUGIN : NASHC_EBUG);
}

static void
crashed(int signal)
{
    nashc_running r = {0};
    const char *why = signal == SIGSEGV  ? "segmentation fault"
                      : signal == SIGBUS ? "bus error"
                      : signal == SIGFPE ? "arithmetic fault, such as a division by zero"
                      : signal == SIGILL ? "illegal instruction"
                                         : "aborted";
    begin(70);
    nashc_running_now(&r);
    dying = fault_code(&r) + 1;
    tell("error", &r, " crashed: ", why, true);
    die(dying - 1);
}

/* Ctrl-C and its kin: the shell must see that the signal ended the process. */
static void
interrupted(int signal_)
{
    nashc_running r = {0};
    begin(128 + signal_);
    if (nashc_running_now(&r))
        tell("note", &r, " was interrupted", "", false);
    clean_up();
    signal(signal_, SIG_DFL);
    raise(signal_);
}

static void
too_long(const char *event, uint64_t n)
{
    nashc_running r = {0};
    char digits[24] = "", *at = digits + sizeof digits - 1;
    begin(nashc_status_exit(NASHC_EIO));
    do
        *--at = (char)('0' + n % 10);
    while (n /= 10);
    nashc_running_now(&r);
    tell("error", &r, event, at, false);
    die(dying - 1);
}

static void
timed_out(int signal_)
{
    (void)signal_;
    too_long(" took longer than --pass-timeout=", tool_state.pass_timeout);
}

/* The timer of --max-time, or the processor time that the shell allows (ulimit -t). */
static void
late(int signal_)
{
    if (!tool_state.max_time)
        interrupted(signal_);
    too_long(" did not end within --max-time=", tool_state.max_time);
}

/* No memory: said here, once for all, as whoever asked for it could hardly say more. */
static void
memory_out(void)
{
    nashc_running r = {0};
    text t = {.n = 0};
    begin(nashc_status_exit(NASHC_ENOMEM));
    telling = true;
    nashc_running_now(&r); /* may meet nodes that are gone, and crash: begin tells, then */
    telling = false;
    add(&t, "out of memory");
    if (r.what[0]) {
        add(&t, " in ");
        add(&t, r.what);
        add(&t, r.where);
    }
    say("error", r.origin ? r.origin : "nashc", &t, tool_limits_told());
    clean_up();
    _exit(dying - 1);
}

/* A plugin that calls exit() would end the program as if all were well. */
static void
left(void)
{
    nashc_running r = {0};
    if (dying || !nashc_running_now(&r) || !r.origin)
        return;
    begin(fault_code(&r));
    tell("error", &r, " ended the program by exit()", "", true);
    die(dying - 1);
}

/* --- set-up ---------------------------------------------------------------------------------- */

static void
handle(int signal_, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags}, old;
    /* What the parent has set to be ignored (nohup, a job in the background) stays so. */
    if (sigaction(signal_, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
        sigaction(signal_, &action, NULL);
}

void
tool_catch_signals(void)
{
    static const int ends[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,  SIGPIPE,
                               SIGUSR1, SIGUSR2, SIGPROF, SIGVTALRM};
    nashc_on_memory_out(memory_out);
    for (size_t i = 0; i < NASHC_COUNT(ends); i++)
        handle(ends[i], interrupted, SA_NODEFER);
    signal(SIGXFSZ, SIG_IGN); /* whoever writes hears of it, and names the file */
    handle(SIGALRM, timed_out, SA_NODEFER);
    handle(SIGXCPU, late, SA_NODEFER);
    atexit(left);
#ifndef __SANITIZE_ADDRESS__ /* which tells more of a crash */
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    static char stack[1 << 18]; /* a stack that overflowed is no place for a handler */
    stack_t s = {.ss_sp = stack, .ss_size = sizeof stack};
    bool own = sigaltstack(&s, NULL) == 0;
    for (size_t i = 0; i < NASHC_COUNT(crashes); i++)
        handle(crashes[i], crashed, SA_NODEFER | (own ? SA_ONSTACK : 0));
#endif
}
