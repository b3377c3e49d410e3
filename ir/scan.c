/* scan.c: spaces, names, values and types of the text form, and where a fault is. */
#include "core/base/mem.h"
#include "core/base/num.h"
#include "ir/parse.h"
#include <inttypes.h>
#include <nashc/diag.h>
#include <nashc/plugin.h>
#include <stdio.h>
#include <string.h>

/* Counts lines from the start only where `at` lies above the current line, that is in the second
 * step or for an output. */
nashc_loc
nashc_parse_loc(nashc_parser *p, const char *at)
{
    nashc_loc loc = {.file = p->file, .line = 1};
    const char *line = p->text;

    if (at >= p->line_at && p->line) { /* the usual case: on the current line */
        line = p->line_at;
        loc.line = p->line;
    }
    for (const char *q = line; q < at && (q = memchr(q, '\n', (size_t)(at - q))); line = ++q)
        loc.line++;
    loc.col = (int)(at - line) + 1;
    return loc;
}

/* The line around `at` under the last message, cut if it is long. */
void
nashc_parse_show(nashc_parser *p, const char *at, int len)
{
    const char *line = at, *end = at;
    char shown[NASHC_PARSE_SHOWN + 1];
    size_t n;

    while (line > p->text && line[-1] != '\n' && at - line < NASHC_PARSE_SHOWN / 2)
        line--;
    while (*end && *end != '\n' && *end != '\r' && end - line < NASHC_PARSE_SHOWN)
        end++;
    n = (size_t)(end - line);
    memcpy(shown, line, n);
    shown[n] = 0;
    if (len > end - at)
        len = end > at ? (int)(end - at) : 1;
    if (p->d)
        nashc_caret(p->d, shown, (int)(at - line), len);
}

nashc_status
nashc_parse_error(nashc_parser *p, const char *at, int len, const char *fmt, ...)
{
    nashc_loc loc = nashc_parse_loc(p, at);
    nashc_status s;
    const char *text;
    va_list ap;

    va_start(ap, fmt);
    text = nashc_arena_vprintf(p->scratch, fmt, ap);
    va_end(ap);
    if (!text)
        return nashc_enomem(p->d);
    s = nashc_error(p->d, &loc, "%s", text);
    nashc_parse_show(p, at, len);
    return s;
}

bool
nashc_parse_ident_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '.';
}

/* A sign or sigil belongs to the word. For carets only, so cut where no message shows more. */
int
nashc_parse_span(const char *s)
{
    int n = *s == '%' || *s == '@' || *s == '-';

    while (nashc_parse_ident_char(s[n]) && n < NASHC_PARSE_SHOWN)
        n++;
    return n ? n : 1;
}

/* What was found is told only where the eye would not see it. */
nashc_status
nashc_parse_expected(nashc_parser *p, const char *what)
{
    if (!*p->s)
        return nashc_parse_error(p, p->s, 1, "expected %s, found the end of the text", what);
    if (*p->s == '\n' || *p->s == '\r')
        return nashc_parse_error(p, p->s, 1, "expected %s, found the end of the line", what);
    return nashc_parse_error(p, p->s, nashc_parse_span(p->s), "expected %s", what);
}

void
nashc_parse_space(nashc_parser *p)
{
    while (*p->s == ' ' || *p->s == '\t' || *p->s == '\r')
        p->s++;
    if (*p->s == '#')
        while (*p->s && *p->s != '\n')
            p->s++;
}

/* A word must end where it ends: "graphs" does not begin with "graph". Punctuation needs no end. */
bool
nashc_parse_word(nashc_parser *p, const char *word)
{
    size_t n = strlen(word);

    if (strncmp(p->s, word, n) != 0 ||
        (nashc_parse_ident_char(word[n - 1]) && nashc_parse_ident_char(p->s[n])))
        return false;
    p->s += n;
    return true;
}

/* The token, with blanks before it. */
nashc_status
nashc_parse_need(nashc_parser *p, const char *word)
{
    char what[16];

    nashc_parse_space(p);
    if (nashc_parse_word(p, word))
        return NASHC_OK;
    snprintf(what, sizeof(what), "%s", word);
    return nashc_parse_expected(p, what);
}

bool
nashc_parse_accept(nashc_parser *p, const char *word)
{
    nashc_parse_space(p);
    return nashc_parse_word(p, word);
}

nashc_status
nashc_parse_newline(nashc_parser *p)
{
    nashc_parse_space(p);
    if (!*p->s)
        return NASHC_OK;
    if (*p->s != '\n')
        return nashc_parse_expected(p, "the end of the line");
    p->line_at = ++p->s;
    p->line++;
    return NASHC_OK;
}

void
nashc_parse_blank_lines(nashc_parser *p)
{
    for (nashc_parse_space(p); *p->s == '\n'; nashc_parse_space(p)) {
        p->line_at = ++p->s;
        p->line++;
    }
}

/* IDENT or STRING, interned. */
nashc_status
nashc_parse_name(nashc_parser *p, const char *what, const char **out)
{
    char err[NASHC_ATTR_ERR];
    const char *text;
    nashc_status s;
    size_t n = 0;

    if (*p->s == '"') {
        s = nashc_string_parse(&p->s, p->scratch, &text, err);
        if (s == NASHC_EINPUT)
            return nashc_parse_error(p, p->s, 1, "%s", err);
        *out = s ? NULL : nashc_intern(p->x, text);
        return *out ? NASHC_OK : nashc_enomem(p->d);
    }
    while (nashc_parse_ident_char(p->s[n]))
        n++;
    if (!n)
        return nashc_parse_expected(p, what);
    *out = nashc_intern_n(p->x, p->s, n);
    p->s += n;
    return *out ? NASHC_OK : nashc_enomem(p->d);
}

/* The same, and not empty: in ONNX that is no name. */
nashc_status
nashc_parse_some_name(nashc_parser *p, const char *what, const char **out)
{
    const char *start = p->s;
    nashc_status s = nashc_parse_name(p, what, out);

    return s || **out ? s : nashc_parse_error(p, start, 2, "the name is empty");
}

/* VAL: the name of a value. */
nashc_status
nashc_parse_value_name(nashc_parser *p, const char **out)
{
    if (*p->s != '%')
        return nashc_parse_expected(p, "a value, such as %x");
    p->s++;
    return nashc_parse_some_name(p, "the name of a value behind %", out);
}

nashc_status
nashc_parse_type(nashc_parser *p, nashc_type *out, const char **at, int *len)
{
    nashc_parse_space(p);
    *at = p->s;
    if (!nashc_type_parse(&p->s, out)) {
        const char *fault = nashc_type_fault(&p->s);
        return p->s == *at ? nashc_parse_expected(p, "a type, such as u4[1,8] or f32[]")
                           : nashc_parse_error(p, p->s, 1, "%s", fault);
    }
    *len = (int)(p->s - *at);
    if (!memchr(*at, '[', (size_t)*len))
        return nashc_parse_error(p, *at, *len, "the type lacks its shape, such as [1,8] or []");
    return NASHC_OK;
}
