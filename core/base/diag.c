/* diag.c: collects messages with their notes and carets, and renders them as text or JSON. */
#include "core/base/diag.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/base/text.h"
#include <ctype.h>
#include <jansson.h>
#include <nashc/io.h>
#include <stdlib.h>
#include <string.h>

#define MAX_QUOTED 200

typedef struct note {
    const char *kind, *text; /* "note", "help" */
    struct note *next;
} note;

typedef struct message {
    nashc_severity severity;
    const char *file, *node, *text, *flag;
    int line, col;
    const char *source; /* caret line */
    int caret_col, caret_len;
    note *notes, *last_note;
    char *rendered;
} message;

typedef struct warn_rule { /* -W option, the last one that fits wins */
    const char *flag;      /* NULL: all */
    int action;            /* 0 silence, 1 warn, 2 make an error, 3 not an error */
    struct warn_rule *next;
} warn_rule;

struct nashc_diag {
    nashc_arena *arena;
    message *msg;
    size_t cap;
    int n, n_flushed, hold, verbosity;
    bool mute_last; /* the last message was silenced: drop its notes */
    bool lost;      /* there was no memory for a message */
    warn_rule *rules;
    nashc_diag_sink sink;
    void *user;
    bool json;
    const char *path, *shown; /* nashc_diag_show_as */
};

nashc_diag *
nashc_diag_create(void)
{
    nashc_diag *d = nashc_mem_calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->verbosity = 1;
    d->arena = nashc_arena_create();
    if (!d->arena) {
        nashc_mem_free(d);
        return NULL;
    }
    return d;
}

void
nashc_diag_free(nashc_diag *d)
{
    if (!d)
        return;
    nashc_arena_free(d->arena);
    nashc_mem_free(d->msg);
    nashc_mem_free(d);
}

nashc_arena *
nashc_diag_arena(nashc_diag *d)
{
    return d->arena;
}

int
nashc_status_exit(nashc_status s)
{
    switch (s) {
    case NASHC_OK:
        return 0;
    case NASHC_EINPUT:
    case NASHC_EUNSUP:
        return 1;
    case NASHC_EUSAGE:
        return 2;
    case NASHC_EMISMATCH:
        return 3;
    case NASHC_ENOMEM:
    case NASHC_EIO:
    case NASHC_EPLUGIN: /* to the user an outside program, which failed */
        return 4;
    case NASHC_EBUG:
        break;
    }
    return 70;
}

/* --- collecting ------------------------------------------------------------------------------ */

static const char *
shown_name(const nashc_diag *d, const char *file)
{
    return d->path && d->shown && strcmp(d->path, file) == 0 ? d->shown : file;
}

static message *
add_message(nashc_diag *d, nashc_severity severity, const nashc_loc *loc)
{
    d->mute_last = false;
    if (!nashc_mem_grow((void **)&d->msg, &d->cap, (size_t)d->n + 1, sizeof *d->msg)) {
        d->mute_last = true;
        d->lost = true;
        return NULL;
    }
    message *m = &d->msg[d->n++];
    memset(m, 0, sizeof *m);
    m->severity = severity;
    if (loc) {
        m->file = loc->file ? nashc_arena_strdup(d->arena, shown_name(d, loc->file)) : NULL;
        m->node = loc->name ? nashc_arena_strdup(d->arena, loc->name) : NULL;
        m->line = loc->line;
        m->col = loc->col;
    }
    return m;
}

void
nashc_diag_add(nashc_diag *d, nashc_severity severity, const nashc_loc *loc, const char *node,
               const char *text)
{
    message *m = add_message(d, severity, loc);

    if (!m)
        return;
    m->node = node ? nashc_arena_strdup(d->arena, node) : NULL;
    m->text = text ? text : "out of memory";
}

void
nashc_diag_vadd(nashc_diag *d, nashc_severity severity, const nashc_loc *loc, const char *fmt,
                va_list ap)
{
    if (!d)
        return;
    message *m = add_message(d, severity, loc);
    if (!m)
        return;
    const char *text = nashc_arena_vprintf(d->arena, fmt, ap);
    if (text && m->node)
        text = nashc_arena_printf(d->arena, "node \"%s\": %s", nashc_quote(d, m->node), text);
    m->text = text ? text : "out of memory";
}

#define REPORT(severity, loc)                                                                      \
    do {                                                                                           \
        va_list ap;                                                                                \
        va_start(ap, fmt);                                                                         \
        nashc_diag_vadd(d, severity, loc, fmt, ap);                                                \
        va_end(ap);                                                                                \
    } while (0)

nashc_status
nashc_error(nashc_diag *d, const nashc_loc *loc, const char *fmt, ...)
{
    REPORT(NASHC_ERROR, loc);
    return NASHC_EINPUT;
}

nashc_status
nashc_unsup(nashc_diag *d, const nashc_loc *loc, const char *fmt, ...)
{
    REPORT(NASHC_ERROR, loc);
    return NASHC_EUNSUP;
}

nashc_status
nashc_io_error(nashc_diag *d, const nashc_loc *loc, const char *fmt, ...)
{
    REPORT(NASHC_ERROR, loc);
    return NASHC_EIO;
}

nashc_status
nashc_usage(nashc_diag *d, const char *fmt, ...)
{
    REPORT(NASHC_ERROR, NULL);
    return NASHC_EUSAGE;
}

nashc_status
nashc_enomem(nashc_diag *d)
{
    nashc_mem_out(); /* what was allocated in another way than by nashc_mem_alloc */
    nashc_error(d, NULL, "out of memory");
    return NASHC_ENOMEM;
}

void
nashc_remark(nashc_diag *d, const nashc_loc *loc, const char *fmt, ...)
{
    REPORT(NASHC_NOTE, loc);
}

/* --- warnings -------------------------------------------------------------------------------- */

/* What stands in front of a name: the longest that fits comes first. */
static const struct form {
    const char *prefix;
    int action; /* as warn_rule */
} forms[] = {{"error=", 2}, {"no-error=", 3}, {"no-", 0}, {"", 1}};

static const struct form *
form_of(const char *option)
{
    const struct form *f = forms;
    while (strncmp(option, f->prefix, strlen(f->prefix)) != 0)
        f++;
    return f;
}

const char *
nashc_warn_option_name(const char *option)
{
    const char *name = option + strlen(form_of(option)->prefix);
    bool bare = strcmp(option, "error") == 0 || strcmp(option, "no-error") == 0;
    return bare || strcmp(name, "all") == 0 ? NULL : name;
}

nashc_status
nashc_diag_warn_option(nashc_diag *d, const char *option)
{
    warn_rule *r = NASHC_NEW(d->arena, warn_rule);
    if (!r)
        return NASHC_ENOMEM;
    const char *name = nashc_warn_option_name(option);
    if (name && !name[0])
        return nashc_usage(d, "-W%s needs the name of a warning", nashc_quote(d, option));
    if (name && !(r->flag = nashc_arena_strdup(d->arena, name)))
        return NASHC_ENOMEM;
    r->action = form_of(option)->action;
    if (strcmp(option, "error") == 0 || strcmp(option, "no-error") == 0)
        r->action = option[0] == 'e' ? 2 : 3;
    r->next = d->rules;
    d->rules = r;
    return NASHC_OK;
}

/* What the options make of the warning flag: is it shown, and as an error? */
static bool
is_shown(const nashc_diag *d, const char *flag, bool *fatal)
{
    bool shown = true, shown_set = false, fatal_set = false;
    *fatal = false;
    for (const warn_rule *r = d->rules; r; r = r->next) {
        if (r->flag && strcmp(r->flag, flag) != 0)
            continue;
        if (r->action <= 1 && !shown_set) {
            shown = r->action == 1;
            shown_set = true;
        } else if (r->action >= 2 && !fatal_set) {
            *fatal = r->action == 2;
            fatal_set = true;
        }
    }
    return shown;
}

static void
set_flag(nashc_diag *d, message *m, const char *flag, bool fatal)
{
    m->severity = fatal ? NASHC_ERROR : NASHC_WARNING;
    m->flag = nashc_arena_printf(d->arena, fatal ? "error=%s" : "%s", flag);
    m->rendered = NULL;
}

void
nashc_warning(nashc_diag *d, const nashc_loc *loc, const char *flag, const char *fmt, ...)
{
    bool fatal;
    if (!d)
        return;
    if (!is_shown(d, flag, &fatal)) {
        d->mute_last = true;
        return;
    }
    int before = d->n;
    REPORT(NASHC_WARNING, loc);
    if (d->n > before)
        set_flag(d, &d->msg[d->n - 1], flag, fatal);
}

bool
nashc_diag_demote(nashc_diag *d, int n, const char *flag)
{
    bool fatal = false;
    if (!d)
        return false;
    if (!is_shown(d, flag, &fatal)) {
        nashc_diag_truncate(d, n);
        return false;
    }
    for (int i = n; i < d->n; i++)
        if (d->msg[i].severity == NASHC_ERROR)
            set_flag(d, &d->msg[i], flag, fatal);
    return fatal;
}

bool
nashc_diag_warning_failed(const nashc_diag *d)
{
    for (int i = 0; i < d->n; i++)
        if (d->msg[i].severity == NASHC_ERROR && d->msg[i].flag)
            return true;
    return false;
}

/* --- attachments ----------------------------------------------------------------------------- */

static void
attach(nashc_diag *d, const char *kind, const char *fmt, va_list ap)
{
    if (!d || d->n == 0 || d->mute_last)
        return;
    message *m = &d->msg[d->n - 1];
    note *n = NASHC_NEW(d->arena, note);
    if (!n)
        return;
    n->kind = kind;
    n->text = nashc_arena_vprintf(d->arena, fmt, ap);
    if (!n->text)
        return;
    if (m->last_note)
        m->last_note->next = n;
    else
        m->notes = n;
    m->last_note = n;
    m->rendered = NULL;
}

void
nashc_note(nashc_diag *d, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    attach(d, "note", fmt, ap);
    va_end(ap);
}

void
nashc_help(nashc_diag *d, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    attach(d, "help", fmt, ap);
    va_end(ap);
}

void
nashc_caret(nashc_diag *d, const char *text, int col, int len)
{
    if (!d || d->n == 0 || d->mute_last)
        return;
    message *m = &d->msg[d->n - 1];
    m->source = nashc_arena_strdup(d->arena, text);
    m->caret_col = col < 0 ? 0 : col;
    m->caret_len = len < 1 ? 1 : len;
    m->rendered = NULL;
}

const char *
nashc_quote(nashc_diag *d, const char *s)
{
    if (!d || !s)
        return "";
    char *out = nashc_arena_alloc(d->arena, 4 * MAX_QUOTED + 8);
    if (!out)
        return "";
    size_t w = 0, r = 0;
    while (s[r] && r < MAX_QUOTED) {
        if (s[r] == '"' || s[r] == '\\')
            out[w++] = '\\';
        r += nashc_text_piece(s + r, out + w);
        w += strlen(out + w);
    }
    if (s[r])
        memcpy(out + w, "...", 4);
    return out;
}

/* --- rendering ------------------------------------------------------------------------------- */

static const char *const severity_names[] = {"note", "warning", "error"};

static char *
append(nashc_diag *d, char *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *more = nashc_arena_vprintf(d->arena, fmt, ap);
    va_end(ap);
    char *out = more ? nashc_arena_printf(d->arena, "%s%s", s, more) : NULL;
    return out ? out : s;
}

/* What could act on a terminal becomes '?', byte by byte, so that columns stay. Names are escaped
 * where messages are made; this is for lines of files, pipelines and outside programs. */
static const char *
harmless(nashc_diag *d, const char *text)
{
    char *s = nashc_arena_strdup(d->arena, text);
    for (char *p = s; p && *p;) {
        size_t n = *p == '\n' || *p == '\t' ? 1 : nashc_plain_length(p);
        if (!n)
            *p = '?';
        p += n ? n : 1;
    }
    return s ? s : "";
}

static char *
render_text(nashc_diag *d, const message *m)
{
    char *s = nashc_arena_strdup(d->arena, !m->file     ? "nashc"
                                           : m->file[0] ? nashc_quote(d, m->file)
                                                        : "\"\"");
    if (!s)
        return NULL;
    if (m->file && m->line > 0)
        s = append(d, s, m->col > 0 ? ":%d:%d" : ":%d", m->line, m->col);
    s = append(d, s, ": %s: %s", severity_names[m->severity], harmless(d, m->text));
    if (m->flag)
        s = append(d, s, " [-W%s]", m->flag);
    if (m->source) {
        char *mark = nashc_arena_alloc(d->arena, (size_t)m->caret_col + (size_t)m->caret_len + 1);
        int len = (int)strcspn(m->source, "\n");
        s = append(d, s, "\n    %.*s", len, harmless(d, m->source));
        if (mark && m->caret_col <= len) {
            for (int i = 0; i < m->caret_col; i++)
                mark[i] = m->source[i] == '\t' ? '\t' : ' ';
            mark[m->caret_col] = '^';
            for (int i = 1; i < m->caret_len; i++)
                mark[m->caret_col + i] = '~';
            s = append(d, s, "\n    %s", mark);
        }
    }
    for (const note *n = m->notes; n; n = n->next)
        s = append(d, s, "\n  %s: %s", n->kind, harmless(d, n->text));
    return s;
}

/* A string for JSON: bytes that are no valid UTF-8 are escaped first. */
static json_t *
json_text(nashc_diag *d, const char *s)
{
    json_t *j = json_string(s);
    return j ? j : json_string(nashc_quote(d, s));
}

static char *
render_json(nashc_diag *d, const message *m)
{
    json_t *o = json_object(), *notes = json_array();
    json_object_set_new(o, "severity", json_string(severity_names[m->severity]));
    if (m->file)
        json_object_set_new(o, "file", json_text(d, m->file));
    if (m->line > 0)
        json_object_set_new(o, "line", json_integer(m->line));
    if (m->col > 0)
        json_object_set_new(o, "column", json_integer(m->col));
    if (m->node)
        json_object_set_new(o, "node", json_text(d, m->node));
    json_object_set_new(o, "message", json_text(d, m->text));
    if (m->flag)
        json_object_set_new(o, "flag", json_text(d, m->flag));
    for (const note *n = m->notes; n; n = n->next) {
        json_t *item = json_object();
        json_object_set_new(item, "kind", json_string(n->kind));
        json_object_set_new(item, "text", json_text(d, n->text));
        json_array_append_new(notes, item);
    }
    json_object_set_new(o, "notes", notes);
    char *dumped = json_dumps(o, JSON_COMPACT | JSON_PRESERVE_ORDER);
    char *s = dumped ? nashc_arena_strdup(d->arena, dumped) : NULL;
    free(dumped);
    json_decref(o);
    return s;
}

int
nashc_diag_count(const nashc_diag *d, nashc_severity at_least)
{
    int n = 0;
    if (at_least <= NASHC_NOTE)
        return d->n;
    for (int i = 0; i < d->n; i++)
        n += d->msg[i].severity >= at_least;
    return n;
}

bool
nashc_diag_error_since(const nashc_diag *d, int n)
{
    for (int i = d->n; i > n;)
        if (d->msg[--i].severity == NASHC_ERROR)
            return true;
    return false;
}

const char *
nashc_diag_text(const nashc_diag *d, int i)
{
    if (i < 0 || i >= d->n)
        return "";
    message *m = &d->msg[i];
    if (!m->rendered) /* a cache: the arena is not part of what const promises */
        m->rendered = d->json ? render_json((nashc_diag *)d, m) : render_text((nashc_diag *)d, m);
    return m->rendered && m->rendered[0] ? m->rendered : m->text;
}

void
nashc_diag_truncate(nashc_diag *d, int n)
{
    if (!d || n >= d->n)
        return;
    d->n = n < 0 ? 0 : n;
    d->n_flushed = d->n_flushed > d->n ? d->n : d->n_flushed;
    d->mute_last = true; /* notes still to come belong to a message that is gone */
}

void
nashc_diag_set_sink(nashc_diag *d, nashc_diag_sink sink, void *user, bool json)
{
    d->sink = sink;
    d->user = user;
    if (d->json != json)
        for (int i = 0; i < d->n; i++)
            d->msg[i].rendered = NULL;
    d->json = json;
}

void
nashc_diag_hold(nashc_diag *d, int by)
{
    if (d)
        d->hold += by;
}

void
nashc_diag_flush(nashc_diag *d)
{
    if (!d || !d->sink || d->hold > 0)
        return;
    for (; d->n_flushed < d->n; d->n_flushed++)
        d->sink(d->user, d->msg[d->n_flushed].severity, nashc_diag_text(d, d->n_flushed));
    if (d->lost)
        d->sink(d->user, NASHC_ERROR,
                d->json ? "{\"severity\":\"error\",\"message\":\"out of memory\",\"notes\":[]}"
                        : "nashc: error: out of memory");
    d->lost = false;
}

int
nashc_diag_verbosity(const nashc_diag *d)
{
    return d ? d->verbosity : 0;
}

void
nashc_diag_show_as(nashc_diag *d, const char *path, const char *shown)
{
    d->path = nashc_arena_strdup(d->arena, path);
    d->shown = nashc_arena_strdup(d->arena, shown);
}

void
nashc_diag_set_verbosity(nashc_diag *d, int level)
{
    d->verbosity = level;
}
