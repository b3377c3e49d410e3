/* flowbeat.c: frames of a stream as hex text and back. */
#include <ctype.h>
#include <nashc/flow.h>
#include <stdlib.h>
#include <string.h>

/* The bits of an element as hardware has them: bipolar is one bit, 1 for +1; all else two's
 * complement, or the plain number, cut to the width. */
static uint64_t
code_of(const nashc_type *t, int64_t v)
{
    if (t->kind == NASHC_K_BIP)
        return v > 0;
    return t->bits >= 64 ? (uint64_t)v : (uint64_t)v & (((uint64_t)1 << t->bits) - 1);
}

static int64_t
value_of(const nashc_type *t, uint64_t code)
{
    if (t->kind == NASHC_K_BIP)
        return code ? 1 : -1;
    if (nashc_type_is_signed(t) && t->bits < 64 && code >> (t->bits - 1) & 1)
        return (int64_t)(code - ((uint64_t)1 << t->bits));
    return (int64_t)code;
}

/* A line a beat, most significant digit first, as $readmemh takes it; the first element is in the
 * low bits, elements are not aligned to digits. One allocation for the text, whose size is known,
 * as images of weights reach megabytes. malloc and not an arena: the caller frees it. */
char *
nashc_flow_print_beats(const nashc_stream *s, const nashc_buf *b, size_t *size)
{
    size_t digits = (s->width + 3) / 4, line = digits + 1, total = line * (size_t)s->beats;
    char *out = malloc(total + 1);
    uint8_t *nibble = malloc(digits + 1);

    if (!out || !nibble) {
        free(out);
        free(nibble);
        return NULL;
    }
    for (int64_t i = 0; i < s->beats; i++) {
        memset(nibble, 0, digits + 1);
        for (int64_t k = 0; k < s->lanes; k++) {
            uint64_t code = code_of(&s->elem, nashc_buf_get_int(b, i * s->lanes + k));
            for (int bit = 0; bit < s->elem.bits; bit++) {
                size_t at = (size_t)k * s->elem.bits + (size_t)bit;
                nibble[at / 4] |= (uint8_t)((code >> bit & 1) << (at % 4));
            }
        }
        for (size_t k = 0; k < digits; k++)
            out[line * (size_t)i + k] = "0123456789abcdef"[nibble[digits - 1 - k]];
        out[line * (size_t)i + digits] = '\n';
    }
    out[total] = 0;
    free(nibble);
    if (size)
        *size = total;
    return out;
}

static int
hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The inverse. What is no hex digit is an x or z of a simulator, so the message says undefined and
 * not malformed. Values outside the type set b->fault, for the caller to report. */
nashc_status
nashc_flow_parse_beats(const nashc_stream *s, const char **text, nashc_buf *b, nashc_diag *d)
{
    size_t digits = (s->width + 3) / 4;
    const char *p = *text;

    for (int64_t i = 0; i < s->beats; i++) {
        size_t n = 0;
        while (isspace((unsigned char)*p))
            p++;
        while (p[n] && !isspace((unsigned char)p[n]))
            n++;
        if (n != digits)
            return nashc_error(d, NULL, "beat %" PRId64 " has %zu digits, expected %zu", i, n,
                               digits);
        for (size_t k = 0; k < n; k++)
            if (hex(p[k]) < 0)
                return nashc_error(d, NULL, "beat %" PRId64 " holds undefined bits: %.*s", i,
                                   (int)(n < 40 ? n : 40), p);
        for (int64_t k = 0; k < s->lanes; k++) {
            uint64_t code = 0;
            for (int bit = 0; bit < s->elem.bits; bit++) {
                size_t at = (size_t)k * s->elem.bits + (size_t)bit;
                code |= (uint64_t)(hex(p[digits - 1 - at / 4]) >> (at % 4) & 1) << bit;
            }
            nashc_buf_set_int(b, i * s->lanes + k, value_of(&s->elem, code));
        }
        p += n;
    }
    *text = p;
    return NASHC_OK;
}
