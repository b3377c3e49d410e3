/* npy.c: the NumPy array format, read strictly and written reproducibly.
 *
 *     "\x93NUMPY" major minor header_len header data
 *
 * header is a Python dict literal with descr, fortran_order and shape; header_len has 2 bytes in
 * version 1 and 4 in versions 2 and 3, little endian. See numpy.lib.format.
 */
#include "tool.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HEADER 65536

typedef struct dtype {
    char order; /* '<' '>' '|' */
    char kind;  /* f i u b */
    int size;   /* bytes */
} dtype;

typedef struct header {
    dtype type;
    bool fortran, have_type, have_order, have_shape;
    int rank;
    int64_t dim[TOOL_MAX_RANK];
} header;

const char *
tool_shape_text(const int64_t *dim, int rank, char *buf)
{
    size_t n = 1;
    memcpy(buf, "(", 2);
    for (int i = 0; i < rank && n < 170; i++)
        n += (size_t)snprintf(buf + n, 200 - n, i ? ",%" PRId64 : "%" PRId64, dim[i]);
    snprintf(buf + n, 200 - n, rank == 1 ? ",)" : ")");
    return buf;
}

/* --- header ---------------------------------------------------------------------------------- */

typedef struct cursor {
    const char *s, *end;
} cursor;

static void
skip_blanks(cursor *c)
{
    while (c->s < c->end && (*c->s == ' ' || *c->s == '\n'))
        c->s++;
}

static bool
take(cursor *c, char what)
{
    skip_blanks(c);
    if (c->s >= c->end || *c->s != what)
        return false;
    c->s++;
    return true;
}

/* A quoted word of at most size - 1 bytes without escapes. */
static bool
take_string(cursor *c, char *buf, size_t size)
{
    skip_blanks(c);
    if (c->s >= c->end || (*c->s != '\'' && *c->s != '"'))
        return false;
    char quote = *c->s++;
    size_t n = 0;
    while (c->s < c->end && *c->s != quote && n + 1 < size && *c->s != '\\')
        buf[n++] = *c->s++;
    buf[n] = 0;
    return take(c, quote);
}

static bool
take_word(cursor *c, const char *word)
{
    size_t n = strlen(word);
    skip_blanks(c);
    if ((size_t)(c->end - c->s) < n || memcmp(c->s, word, n) != 0)
        return false;
    c->s += n;
    return true;
}

static bool
take_dim(cursor *c, int64_t *out)
{
    skip_blanks(c);
    int64_t v = 0;
    const char *start = c->s;
    for (; c->s < c->end && *c->s >= '0' && *c->s <= '9'; c->s++) {
        if (v > NASHC_MAX_ELEMENTS)
            return false;
        v = 10 * v + (*c->s - '0');
    }
    if (c->s < c->end && *c->s == 'L' && c->s > start)
        c->s++; /* written by Python 2 */
    *out = v;
    return c->s > start;
}

/* A tuple of one has a comma: (3,). */
static bool
take_shape(cursor *c, header *h)
{
    if (!take(c, '('))
        return false;
    while (!take(c, ')')) {
        if (h->rank == TOOL_MAX_RANK || !take_dim(c, &h->dim[h->rank++]))
            return false;
        if (take(c, ','))
            continue;
        return take(c, ')') && h->rank > 1; /* (3) is no tuple */
    }
    return true;
}

static bool
parse_dtype(const char *s, dtype *t)
{
    if (strlen(s) != 3 || !strchr("<>|=", s[0]) || !strchr("fiub", s[1]))
        return false;
    t->order = s[0] == '=' ? '<' : s[0];
    t->kind = s[1];
    t->size = s[2] - '0';
    if (t->kind == 'b')
        return t->size == 1;
    if (t->kind == 'f')
        return t->order != '|' && (t->size == 2 || t->size == 4 || t->size == 8);
    return t->size == 1 || (t->order != '|' && (t->size == 2 || t->size == 4 || t->size == 8));
}

/* NULL, or what is wrong. Strict: numpy writes one form, and a file that has another may be cut or
 * forged. */
static const char *
parse_header(cursor *c, header *h, char *descr, size_t descr_size)
{
    char key[32];
    if (!take(c, '{'))
        return "the header is not a dictionary";
    while (!take(c, '}')) {
        if (!take_string(c, key, sizeof key) || !take(c, ':'))
            return "the header is malformed";
        if (strcmp(key, "descr") == 0 && !h->have_type) {
            if (!take_string(c, descr, descr_size))
                return "structured arrays are not supported";
            h->have_type = true;
        } else if (strcmp(key, "fortran_order") == 0 && !h->have_order) {
            h->fortran = take_word(c, "True");
            if (!h->fortran && !take_word(c, "False"))
                return "fortran_order is neither True nor False";
            h->have_order = true;
        } else if (strcmp(key, "shape") == 0 && !h->have_shape) {
            if (!take_shape(c, h))
                return "the shape is malformed, too large, or has more than 9 axes";
            h->have_shape = true;
        } else {
            return "the header has an unknown or repeated key";
        }
        if (take(c, ','))
            continue;
        if (!take(c, '}'))
            return "the header is malformed";
        break;
    }
    skip_blanks(c);
    if (c->s != c->end)
        return "the header has something behind its dictionary";
    if (!h->have_type || !h->have_order || !h->have_shape)
        return "the header lacks descr, fortran_order or shape";
    return NULL;
}

/* --- elements -------------------------------------------------------------------------------- */

/* Byte by byte, so that the order of this machine does not matter. */
static uint64_t
load_bits(const uint8_t *p, int size, bool big)
{
    uint64_t v = 0;
    for (int i = 0; i < size; i++)
        v |= (uint64_t)p[big ? size - 1 - i : i] << (8 * i);
    return v;
}

/* IEEE 754 half: 5 bits of exponent, bias 15, 10 of fraction; e == 0 has no hidden bit. */
static double
half_value(uint64_t bits)
{
    int e = (int)(bits >> 10) & 31;
    double m = (double)(bits & 1023), v;
    if (e == 31)
        v = m != 0 ? NAN : INFINITY;
    else
        v = e == 0 ? ldexp(m, -24) : ldexp(m + 1024, e - 25);
    return bits & 0x8000 ? -v : v;
}

static double
float_value(uint64_t bits, int size)
{
    if (size == 2)
        return half_value(bits);
    if (size == 4) {
        uint32_t low = (uint32_t)bits;
        float f;
        memcpy(&f, &low, sizeof f);
        return (double)f;
    }
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static nashc_type
elem_type(const dtype *t)
{
    nashc_type f16 = nashc_type_f32();
    f16.kind = NASHC_K_F16;
    f16.bits = 16;
    if (t->kind == 'f')
        return t->size == 2 ? f16 : t->size == 4 ? nashc_type_f32() : nashc_type_f64();
    if (t->kind == 'b')
        return nashc_type_uint(1);
    return t->kind == 'i' ? nashc_type_int(8 * t->size) : nashc_type_uint(8 * t->size);
}

/* False if an unsigned 64-bit value is too large, or a bool is not 0 or 1. Signs are extended by
 * arithmetic, as shifting negative numbers is not portable. */
static bool
put(nashc_buf *b, int64_t at, const uint8_t *p, const dtype *t)
{
    uint64_t bits = load_bits(p, t->size, t->order == '>');
    if (t->kind == 'f') {
        nashc_buf_set(b, at, float_value(bits, t->size));
        return true;
    }
    int64_t v = (int64_t)bits;
    if (t->kind == 'i' && t->size < 8 && bits >> (8 * t->size - 1))
        v = (int64_t)(bits - ((uint64_t)1 << (8 * t->size)));
    if ((t->kind == 'u' && v < 0) || (t->kind == 'b' && v > 1))
        return false;
    nashc_buf_set_int(b, at, v);
    return true;
}

static nashc_status
load_elements(const char *file, const header *h, const uint8_t *data, tool_array *out,
              nashc_diag *d)
{
    nashc_loc loc = {.file = file};
    int64_t at[TOOL_MAX_RANK] = {0}, stride[TOOL_MAX_RANK], step = 1;
    for (int k = 0; k < h->rank; k++) { /* of Fortran order: first axis fastest */
        stride[k] = step;
        step *= h->dim[k];
    }
    for (int64_t i = 0; i < out->buf.n; i++) {
        int64_t from = i;
        if (h->fortran) {
            from = 0;
            for (int k = 0; k < h->rank; k++)
                from += at[k] * stride[k];
            for (int k = h->rank - 1; k >= 0 && ++at[k] == h->dim[k]; k--)
                at[k] = 0;
        }
        if (!put(&out->buf, i, data + from * h->type.size, &h->type))
            return nashc_error(d, &loc, "element %" PRId64 " is no legal %s", i,
                               h->type.kind == 'b' ? "bool" : "integer below 2^63");
    }
    return NASHC_OK;
}

/* The size of the data must be what the header says, to the byte: a download that was cut is found
 * here. */
nashc_status
tool_npy_parse(const char *file, const uint8_t *data, size_t size, tool_array *out, nashc_diag *d)
{
    nashc_loc loc = {.file = file};
    header h = {0};
    char descr[16] = "";
    if (size < 10 || memcmp(data, "\x93NUMPY", 6) != 0)
        return nashc_error(d, &loc, "this is no .npy file");
    if (data[6] < 1 || data[6] > 3 || data[7] != 0)
        return nashc_error(d, &loc, "version %d.%d of .npy is not known", data[6], data[7]);
    size_t skip = data[6] == 1 ? 10 : 12;
    if (size < skip)
        return nashc_error(d, &loc, "the file ends inside its header");
    size_t len = (size_t)load_bits(data + 8, data[6] == 1 ? 2 : 4, false);
    if (len > MAX_HEADER || size - skip < len)
        return nashc_error(d, &loc, "the file ends inside its header");
    cursor c = {(const char *)data + skip, (const char *)data + skip + len};
    const char *fault = parse_header(&c, &h, descr, sizeof descr);
    if (fault)
        return nashc_error(d, &loc, "%s", fault);
    if (!parse_dtype(descr, &h.type))
        return nashc_unsup(d, &loc, "elements of type \"%s\" are not supported",
                           nashc_quote(d, descr));
    int64_t n = 1, bytes = 0;
    for (int k = 0; k < h.rank; k++)
        if (!nashc_mul_size(n, h.dim[k], &n) || n > NASHC_MAX_ELEMENTS)
            return nashc_error(d, &loc, "the array is too large");
    if (!nashc_mul_size(n, h.type.size, &bytes) || (uint64_t)bytes != size - skip - len)
        return nashc_error(d, &loc, "%zu bytes of data, expected %" PRId64, size - skip - len,
                           bytes);
    nashc_type elem = elem_type(&h.type), flat = nashc_type_shaped(elem, 1, &n);
    if (!nashc_buf_alloc(&out->buf, &flat))
        return nashc_enomem(d);
    out->rank = h.rank;
    memcpy(out->dim, h.dim, sizeof out->dim);
    return load_elements(file, &h, data + skip + len, out, d);
}

/* --- writing --------------------------------------------------------------------------------- */

/* The element of the file that holds those of t: integers as they are stored, other numbers by
 * value. */
static dtype
file_dtype(const nashc_buf *b)
{
    static const int sizes[] = {1, 1, 2, 2, 4, 4, 8, 8};
    bool fixed = nashc_type_is_fixed(&b->type);
    if (nashc_type_is_int(&b->type)) {
        int size = sizes[b->cell];
        char kind = b->cell % 2 ? 'u' : 'i';
        return (dtype){size == 1 ? '|' : '<', kind, size};
    }
    bool wide = b->type.kind == NASHC_K_F64 || (fixed && b->type.bits > 24);
    return (dtype){'<', 'f', wide ? 8 : 4};
}

/* Padded with blanks so that data begin at a multiple of 64, as numpy wants for mapping files. */
bool
tool_npy_format(const tool_array *a, char **data, size_t *size)
{
    char shape[200], text[512];
    dtype t = file_dtype(&a->buf);
    int n =
        snprintf(text, sizeof text, "{'descr': '%c%c%d', 'fortran_order': False, 'shape': %s, }",
                 t.order, t.kind, t.size, tool_shape_text(a->dim, a->rank, shape));
    if (n < 0)
        return false;
    size_t len = (size_t)n, padded = (10 + len + 1 + 63) / 64 * 64 - 10;
    size_t bytes = (size_t)a->buf.n * (size_t)t.size;
    char *p = malloc(10 + padded + bytes);
    if (!p)
        return false;
    memcpy(p, "\x93NUMPY\x01\x00", 8);
    p[8] = (char)(padded & 255);
    p[9] = (char)(padded >> 8);
    memcpy(p + 10, text, len);
    memset(p + 10 + len, ' ', padded - len - 1);
    p[10 + padded - 1] = '\n';
    uint8_t *at = (uint8_t *)p + 10 + padded;
    for (int64_t i = 0; i < a->buf.n; i++, at += t.size) {
        uint64_t bits = 0;
        if (t.kind != 'f') {
            bits = (uint64_t)nashc_buf_get_int(&a->buf, i);
        } else if (t.size == 8) {
            double v = nashc_buf_get(&a->buf, i);
            memcpy(&bits, &v, sizeof v);
        } else {
            float v = (float)nashc_buf_get(&a->buf, i);
            memcpy(&bits, &v, sizeof v);
        }
        for (int k = 0; k < t.size; k++)
            at[k] = (uint8_t)(bits >> (8 * k));
    }
    *data = p;
    *size = 10 + padded + bytes;
    return true;
}
