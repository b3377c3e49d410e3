/* fault.c: messages of the genotype reader, and the words they are about. */
#include "frontends/genotype/reader.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static nashc_status
report(geno_in *in, int code, int line, int col, const char *fmt, va_list ap)
{
    nashc_loc loc = {.file = in->file, .line = line, .col = col};
    const char *text = nashc_arena_vprintf(in->arena, fmt, ap);
    if (!text)
        return nashc_enomem(in->d);
    if (code)
        return nashc_error(in->d, &loc, "genotype G%02d: %s", code, text);
    return nashc_error(in->d, &loc, "genotype: %s", text);
}

nashc_status
geno_fault_at(geno_in *in, int code, int line, int col, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    nashc_status s = report(in, code, line, col, fmt, ap);
    va_end(ap);
    return s;
}

nashc_status
geno_fault(geno_in *in, int code, const geno_token *at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    nashc_status s = report(in, code, in->line, at->col, fmt, ap);
    va_end(ap);
    if (s == NASHC_EINPUT && in->line_text)
        nashc_caret(in->d, in->line_text, at->col - 1, at->len);
    return s;
}

/* --- words ----------------------------------------------------------------------------------- */

const char *
geno_word(geno_in *in, const geno_token *t)
{
    const char *s = nashc_arena_printf(in->arena, "%.*s", t->len, t->s);
    return s ? nashc_quote(in->d, s) : "";
}

bool
geno_is(const geno_token *t, const char *word)
{
    return strlen(word) == (size_t)t->len && memcmp(t->s, word, (size_t)t->len) == 0;
}

int
geno_find(const geno_token *t, const char *const *list)
{
    for (int i = 0; list[i]; i++)
        if (geno_is(t, list[i]))
            return i;
    return -1;
}

bool
geno_int(const geno_token *t, int *out)
{
    int i = t->len > 0 && t->s[0] == '-', v = 0, start = i;
    for (; i < t->len && t->s[i] >= '0' && t->s[i] <= '9'; i++) {
        if (i - start >= 9)
            return false;
        v = 10 * v + (t->s[i] - '0');
    }
    if (i == start || i < t->len)
        return false;
    *out = start ? -v : v;
    return true;
}

bool
geno_number(const geno_token *t, double *out)
{
    char buf[48], *end;
    if (t->len < 1 || t->len >= (int)sizeof buf)
        return false;
    for (int i = 0; i < t->len; i++)
        if (!strchr("0123456789+-.eE", t->s[i]) || !t->s[i])
            return false;
    memcpy(buf, t->s, (size_t)t->len);
    buf[t->len] = 0;
    *out = strtod(buf, &end);
    return *end == 0 && isfinite(*out);
}
