/* str.c: a growing string with sticky failure. */
#include "core/base/str.h"
#include "core/base/mem.h"
#include "core/base/num.h"
#include "core/base/text.h"
#include <stdio.h>
#include <string.h>

/* Room for n more bytes and the 0 behind them. The first failure is kept, so callers print a whole
 * text and look at bad once. */
static bool
reserve(nashc_str *s, size_t n)
{
    if (s->bad || n > SIZE_MAX - s->n - 1 ||
        !nashc_mem_grow((void **)&s->data, &s->cap, s->n + n + 1, 1)) {
        s->bad = true;
        return false;
    }
    return true;
}

void
nashc_str_add(nashc_str *s, const char *text, size_t n)
{
    if (!reserve(s, n))
        return;
    memcpy(s->data + s->n, text, n);
    s->n += n;
    s->data[s->n] = 0;
}

void
nashc_str_puts(nashc_str *s, const char *text)
{
    nashc_str_add(s, text, strlen(text));
}

void
nashc_str_putc(nashc_str *s, char c)
{
    nashc_str_add(s, &c, 1);
}

/* Twice through the arguments: once for the length, once to write, hence the copy. */
void
nashc_str_vprintf(nashc_str *s, const char *fmt, va_list ap)
{
    va_list again;
    int n;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    if (n < 0)
        s->bad = true;
    else if (reserve(s, (size_t)n)) {
        vsnprintf(s->data + s->n, (size_t)n + 1, fmt, again);
        s->n += (size_t)n;
    }
    va_end(again);
}

void
nashc_str_printf(nashc_str *s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    nashc_str_vprintf(s, fmt, ap);
    va_end(ap);
}

/* The inverse of nashc_string_parse (ir/attr.c). Bytes that are no UTF-8 come out as \x.., so the
 * text is always valid and any name comes back byte by byte. */
void
nashc_str_quoted(nashc_str *s, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *p = (const unsigned char *)text;

    nashc_str_putc(s, '"');
    while (*p) {
        size_t n = nashc_utf8_length((const char *)p);
        if (*p == '"' || *p == '\\') {
            nashc_str_putc(s, '\\');
            nashc_str_putc(s, (char)*p++);
        } else if (*p == '\n' || *p == '\t') {
            nashc_str_puts(s, *p++ == '\n' ? "\\n" : "\\t");
        } else if (!n || *p < 0x20 || *p == 0x7F) {
            nashc_str_puts(s, "\\x");
            nashc_str_putc(s, hex[*p >> 4]);
            nashc_str_putc(s, hex[*p++ & 15]);
        } else {
            nashc_str_add(s, (const char *)p, n);
            p += n;
        }
    }
    nashc_str_putc(s, '"');
}

/* By hand, as lists of weights print very many. 0 - u is right for INT64_MIN, too. */
void
nashc_str_int(nashc_str *s, int64_t v)
{
    char buf[24], *p = buf + sizeof(buf);
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    do
        *--p = (char)('0' + u % 10);
    while (u /= 10);
    if (v < 0)
        *--p = '-';
    nashc_str_add(s, p, (size_t)(buf + sizeof(buf) - p));
}

void
nashc_str_f64(nashc_str *s, double v)
{
    char buf[NASHC_NUM_MAX];

    nashc_str_puts(s, nashc_num_print_f64(v, buf));
}

void
nashc_str_f32(nashc_str *s, float v)
{
    char buf[NASHC_NUM_MAX];

    nashc_str_puts(s, nashc_num_print_f32(v, buf));
}

char *
nashc_str_take(nashc_str *s, size_t *n)
{
    char *data;

    /* nothing was added: "" still is a string of its own */
    if (!s->data)
        reserve(s, 0);
    if (s->bad) {
        nashc_str_free(s);
        return NULL;
    }
    data = s->data;
    data[s->n] = 0;
    if (n)
        *n = s->n;
    *s = (nashc_str){0};
    return data;
}

void
nashc_str_free(nashc_str *s)
{
    nashc_mem_free(s->data);
    *s = (nashc_str){0};
}
