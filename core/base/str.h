/* str.h: a growing string. */
#ifndef NASHC_BASE_STR_H
#define NASHC_BASE_STR_H

#include <nashc/base.h>

/* Always 0-terminated once it has data. Failure of an allocation is sticky (bad) and makes all
 * later calls do nothing. Start with {0}. */
typedef struct nashc_str {
    char *data;
    size_t n, cap;
    bool bad;
} nashc_str;

void nashc_str_add(nashc_str *s, const char *text, size_t n);
void nashc_str_puts(nashc_str *s, const char *text);
void nashc_str_putc(nashc_str *s, char c);
void nashc_str_printf(nashc_str *s, const char *fmt, ...) NASHC_PRINTF(2, 3);
void nashc_str_vprintf(nashc_str *s, const char *fmt, va_list ap);

/* "text" with quotes; control characters, quotes, backslashes and bytes of broken UTF-8 escaped. */
void nashc_str_quoted(nashc_str *s, const char *text);
void nashc_str_int(nashc_str *s, int64_t v);
void nashc_str_f64(nashc_str *s, double v); /* shortest text that reads back to the same bits */
void nashc_str_f32(nashc_str *s, float v);

/* Hands over the heap string (freed by nashc_mem_free), "" included; NULL if the string is bad.
 * s is empty afterwards. */
char *nashc_str_take(nashc_str *s, size_t *n);
void nashc_str_free(nashc_str *s);

#endif
