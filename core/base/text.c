/* text.c: names of any bytes as text that terminals, XML, HTML, JSON and DOT take.
 *
 * Plain is what Unicode and XML 1.0 allow and what moves no cursor: no control characters (C0, C1,
 * delete), no marks that reorder the line (U+202A.. 202E, 2066.. 2069), no U+FFFE and U+FFFF.
 */
#include "core/base/text.h"
#include <nashc/io.h>
#include <string.h>

size_t
nashc_utf8_length(const char *s)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;

    if (p[0] > 0xF4)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
        (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
        return 0;
    return n;
}

size_t
nashc_plain_length(const char *s)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t n = nashc_utf8_length(s);

    if (n == 1)
        return p[0] >= 0x20 && p[0] != 0x7F;
    if (n == 2)
        return p[0] == 0xC2 && p[1] < 0xA0 ? 0 : n;
    if (n != 3)
        return n;
    bool reorders = p[0] == 0xE2 && ((p[1] == 0x80 && p[2] >= 0xAA && p[2] <= 0xAE) ||
                                     (p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9));
    return reorders || (p[0] == 0xEF && p[1] == 0xBF && p[2] >= 0xBE) ? 0 : n;
}

size_t
nashc_text_piece(const char *s, char *out)
{
    static const char hex[] = "0123456789abcdef";
    size_t n = nashc_plain_length(s);

    if (n) {
        memcpy(out, s, n);
        out[n] = 0;
        return n;
    }
    memcpy(out, "\\x", 2);
    out[2] = hex[(unsigned char)*s >> 4];
    out[3] = hex[(unsigned char)*s & 15];
    out[4] = 0;
    return 1;
}

const char *
nashc_text_plain(const char *s, nashc_arena *a)
{
    const char *p = s;
    size_t w = 0;

    for (size_t n; *p && (n = nashc_plain_length(p)); p += n)
        continue;
    if (!*p)
        return s;
    char *out = nashc_arena_alloc(a, 4 * strlen(s) + 1);
    for (p = s; out && *p; w += strlen(out + w))
        p += nashc_text_piece(p, out + w);
    return out ? out : "?";
}
