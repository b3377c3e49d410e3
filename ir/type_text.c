/* type_text.c: types as IR text and as QONNX names.
 *
 *     type  = ELEM [ "<" INT ".." INT ">" ] "[" [ dim { "," dim } ] "]" [ LAYOUT ]
 *     ELEM  = iN | uN | bip | ter | fxT.I | ufxT.I | f16 | f32 | f64 | flE.M.B | none
 */
#include "core/base/num.h"
#include "ir/impl.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const layout_names[] = {"", "NHWC", "NWC"};

/* The one place that knows how elements are written; parse_elem is its inverse. */
static void
print_elem(const nashc_type *t, char *buf, size_t size)
{
    switch (t->kind) {
    case NASHC_K_INT:
    case NASHC_K_UINT:
        snprintf(buf, size, "%c%d", t->kind == NASHC_K_INT ? 'i' : 'u', t->bits);
        break;
    case NASHC_K_BIP:
        snprintf(buf, size, "bip");
        break;
    case NASHC_K_TER:
        snprintf(buf, size, "ter");
        break;
    case NASHC_K_FIX:
    case NASHC_K_UFIX:
        snprintf(buf, size, "%s%d.%d", t->kind == NASHC_K_FIX ? "fx" : "ufx", t->bits, t->frac);
        break;
    case NASHC_K_F32:
    case NASHC_K_F64:
    case NASHC_K_F16:
        snprintf(buf, size, "f%d", t->bits);
        break;
    case NASHC_K_MINI:
        snprintf(buf, size, "fl%d.%d.%d", t->frac, t->mant, t->bias);
        break;
    default:
        snprintf(buf, size, "none");
    }
}

/* The widest text fits NASHC_TYPE_STR_MAX, so nothing is cut here; the interval is left out where
 * it is that of the element. */
char *
nashc_type_print(const nashc_type *t, char *buf, size_t size)
{
    char text[NASHC_TYPE_STR_MAX], *p = text, *end = text + sizeof(text);
    int64_t lo, hi;

    if (!size)
        return buf;
    print_elem(t, p, (size_t)(end - p));
    p += strlen(p);
    if (nashc_type_limits(t, &lo, &hi) && (t->lo != lo || t->hi != hi))
        p += snprintf(p, (size_t)(end - p), "<%" PRId64 "..%" PRId64 ">", t->lo, t->hi);
    *p++ = '[';
    for (int i = 0; i < t->rank; i++) {
        if (t->dim[i] < 0)
            p += snprintf(p, (size_t)(end - p), "%s?", i ? "," : "");
        else
            p += snprintf(p, (size_t)(end - p), "%s%" PRId64, i ? "," : "", t->dim[i]);
    }
    snprintf(p, (size_t)(end - p), "]%s", t->layout < 3 ? layout_names[t->layout] : "?");
    snprintf(buf, size, "%s", text);
    return buf;
}

/* A decimal number of at most six digits, so that int suffices. */
static bool
small_int(const char **s, bool sign, int *out)
{
    const char *p = *s;
    bool neg = sign && *p == '-';
    int v = 0, n = 0;

    if (neg)
        p++;
    for (; *p >= '0' && *p <= '9' && n < 7; p++, n++)
        v = v * 10 + (*p - '0');
    if (!n || n > 6)
        return false;
    *out = neg ? -v : v;
    *s = p;
    return true;
}

static bool
finish(nashc_type *t)
{
    nashc_type_limits(t, &t->lo, &t->hi);
    return true;
}

/* Built apart from make() in type.c, as text may ask for any width. */
static bool
make_int(bool is_signed, int bits, nashc_type *t)
{
    if (bits < 1 || bits > 64)
        return false;
    *t = (nashc_type){.kind = is_signed ? NASHC_K_INT : NASHC_K_UINT, .bits = (uint8_t)bits};
    return finish(t);
}

/* integer, the bits before the point, may be negative: all bits then lie that far behind it. */
static bool
make_fixed(bool is_signed, int total, int integer, nashc_type *t)
{
    if (total < 1 || total > 64 || integer >= total || integer < -64)
        return false;
    *t = (nashc_type){.kind = is_signed ? NASHC_K_FIX : NASHC_K_UFIX,
                      .bits = (uint8_t)total,
                      .frac = (int8_t)integer};
    return finish(t);
}

/* All values must be exact in the float they are stored in: exponents between -149 and 127. */
static bool
make_mini(int e, int m, int b, nashc_type *t)
{
    if (e < 1 || e > 8 || m < 0 || m > 23 || b < -127 || b > 254)
        return false;
    if ((1 << e) - 1 - b > 127 || 1 - b - m < -149)
        return false;
    *t = (nashc_type){.kind = NASHC_K_MINI,
                      .bits = (uint8_t)(1 + e + m),
                      .frac = (int8_t)e,
                      .mant = (int8_t)m,
                      .bias = (int16_t)b};
    return true;
}

static bool
make_float(int bits, nashc_type *t)
{
    nashc_kind kind = bits == 32 ? NASHC_K_F32 : bits == 64 ? NASHC_K_F64 : NASHC_K_F16;

    if (bits != 16 && bits != 32 && bits != 64)
        return false;
    *t = (nashc_type){.kind = (uint8_t)kind, .bits = (uint8_t)bits};
    return true;
}

static bool
skip(const char **s, const char *word)
{
    size_t n = strlen(word);

    if (strncmp(*s, word, n) != 0)
        return false;
    *s += n;
    return true;
}

/* Longer words first: "fx" and "fl" before "f", "ufx" before "u". */
static bool
parse_elem(const char **s, nashc_type *t)
{
    /* "ufx" and "uN" are the only ones that begin with u */
    bool is_signed = **s != 'u';
    int a, b, c;

    if (skip(s, "bip")) {
        *t = nashc_type_bip();
        return true;
    }
    if (skip(s, "ter")) {
        *t = nashc_type_ter();
        return true;
    }
    if (skip(s, "none")) {
        *t = (nashc_type){0};
        return true;
    }
    if (skip(s, "fx") || skip(s, "ufx"))
        return small_int(s, false, &a) && skip(s, ".") && small_int(s, true, &b) &&
               make_fixed(is_signed, a, b, t);
    if (skip(s, "fl"))
        return small_int(s, false, &a) && skip(s, ".") && small_int(s, false, &b) && skip(s, ".") &&
               small_int(s, true, &c) && make_mini(a, b, c, t);
    if (skip(s, "f"))
        return small_int(s, false, &a) && make_float(a, t);
    if (skip(s, "i") || skip(s, "u"))
        return small_int(s, false, &a) && make_int(is_signed, a, t);
    return false;
}

/* Kinds without limits (floats, none) have no interval. */
static bool
parse_range(const char **s, nashc_type *t)
{
    int64_t lo, hi, min, max;

    if (!skip(s, "<"))
        return true;
    if (!nashc_type_limits(t, &min, &max))
        return false;
    if (!nashc_num_parse_int(s, &lo) || !skip(s, "..") || !nashc_num_parse_int(s, &hi) ||
        !skip(s, ">"))
        return false;
    if (lo > hi || lo < min || hi > max)
        return false;
    t->lo = lo;
    t->hi = hi;
    return true;
}

/* Up to here a shape may have more elements than the limit: nashc_type_count tells. */
static bool
parse_shape(const char **s, nashc_type *t)
{
    if (skip(s, "]"))
        return true;
    for (;;) {
        int64_t d = -1;
        if (t->rank == NASHC_MAX_RANK)
            return false;
        if (!skip(s, "?") && (!nashc_num_parse_int(s, &d) || d < 0 || d > NASHC_MAX_ELEMENTS))
            return false;
        t->dim[t->rank++] = d;
        if (skip(s, "]"))
            return true;
        if (!skip(s, ","))
            return false;
    }
}

/* NCHW, NCW and NC say what holds without them. They are read for convenience, never printed. */
static bool
parse_layout(const char **s, nashc_type *t)
{
    static const struct {
        const char *name;
        int rank;
        nashc_layout layout;
    } rows[] = {{"NCHW", 4, NASHC_LAYOUT_DEFAULT},
                {"NHWC", 4, NASHC_LAYOUT_NHWC},
                {"NCW", 3, NASHC_LAYOUT_DEFAULT},
                {"NWC", 3, NASHC_LAYOUT_NWC},
                {"NC", 2, NASHC_LAYOUT_DEFAULT}};

    for (size_t i = 0; i < NASHC_COUNT(rows); i++)
        if (skip(s, rows[i].name)) {
            t->layout = (uint8_t)rows[i].layout;
            return t->rank == rows[i].rank;
        }
    return true;
}

/* Reads a type; what is wrong with it, or NULL. *s is moved to the fault, or behind the type. */
static const char *
parse(const char **s, nashc_type *t)
{
    const char *p = *s;

    if (!parse_elem(&p, t))
        return "unknown element";
    *s = p;
    if (!parse_range(&p, t))
        return "the interval is malformed or reaches beyond the element";
    *s = p;
    if (skip(&p, "[")) {
        if (!parse_shape(&p, t))
            return "malformed shape: at most 8 dimensions, each a number or ?";
        *s = p;
        if (!parse_layout(&p, t))
            return "the layout does not fit the rank";
    }
    *s = p;
    if ((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') ||
        *p == '_')
        return "unexpected text behind the type"; /* i4x is no type */
    return NULL;
}

/* Parses anew to find out: only wrong text pays for it. */
const char *
nashc_type_fault(const char **s)
{
    nashc_type t = {0};

    return parse(s, &t);
}

/* *s moves only on success. */
bool
nashc_type_parse(const char **s, nashc_type *out)
{
    const char *p = *s;
    nashc_type t = {0};

    if (parse(&p, &t))
        return false;
    *out = t;
    *s = p;
    return true;
}

/* The interval is lost: FINN has none. u1 is BINARY there. */
char *
nashc_type_finn_name(const nashc_type *t, char *buf, size_t size)
{
    switch (t->kind) {
    case NASHC_K_INT:
        snprintf(buf, size, "INT%d", t->bits);
        break;
    case NASHC_K_UINT:
        if (t->bits == 1)
            snprintf(buf, size, "BINARY");
        else
            snprintf(buf, size, "UINT%d", t->bits);
        break;
    case NASHC_K_BIP:
        snprintf(buf, size, "BIPOLAR");
        break;
    case NASHC_K_TER:
        snprintf(buf, size, "TERNARY");
        break;
    case NASHC_K_FIX:
    case NASHC_K_UFIX:
        snprintf(buf, size, "%sFIXED<%d,%d>", t->kind == NASHC_K_FIX ? "" : "U", t->bits, t->frac);
        break;
    case NASHC_K_MINI:
        snprintf(buf, size, "FLOAT<%d,%d,%d>", t->frac, t->mant, t->bias);
        break;
    case NASHC_K_F32:
    case NASHC_K_F64:
    case NASHC_K_F16:
        snprintf(buf, size, "FLOAT%d", t->bits);
        break;
    default:
        snprintf(buf, size, "NONE");
    }
    return buf;
}

/* "<a,b,c>" with blanks around the numbers: how many there are (2 or 3), 0: malformed. */
static int
parse_numbers(const char **s, int v[3])
{
    int n = 0;

    if (!skip(s, "<"))
        return 0;
    for (;;) {
        while (**s == ' ')
            ++*s;
        if (n == 3 || !small_int(s, true, &v[n++]))
            return 0;
        while (**s == ' ')
            ++*s;
        if (skip(s, ">"))
            return n;
        if (!skip(s, ","))
            return 0;
    }
}

/* Keeps shape and layout of *out: these names tell elements only. FLOAT<e,m> without bias has the
 * usual 2^(e-1) - 1. */
bool
nashc_type_from_finn_name(const char *name, nashc_type *out)
{
    bool is_signed = *name != 'U', ok = false;
    const char *s = name;
    nashc_type t = {0};
    int v[3] = {0}, n;

    if (skip(&s, "BINARY")) {
        ok = make_int(false, 1, &t);
    } else if (skip(&s, "BIPOLAR")) {
        t = nashc_type_bip();
        ok = true;
    } else if (skip(&s, "TERNARY")) {
        t = nashc_type_ter();
        ok = true;
    } else if (skip(&s, "FIXED") || skip(&s, "UFIXED")) {
        ok = parse_numbers(&s, v) == 2 && make_fixed(is_signed, v[0], v[1], &t);
    } else if (skip(&s, "INT") || skip(&s, "UINT")) {
        ok = small_int(&s, false, &v[0]) && make_int(is_signed, v[0], &t);
    } else if (skip(&s, "FLOAT")) {
        if (*s == '<') {
            n = parse_numbers(&s, v);
            if (n == 2 && v[0] >= 1 && v[0] <= 8)
                v[2] = (1 << (v[0] - 1)) - 1;
            ok = n >= 2 && make_mini(v[0], v[1], v[2], &t);
        } else {
            ok = small_int(&s, false, &v[0]) && make_float(v[0], &t);
        }
    }
    if (!ok || *s)
        return false;
    *out = nashc_type_with_elem(out, &t);
    return true;
}
