/* attr.c: values of a schema: parsing, domains, comparing and printing. */
#include "core/base/attr.h"
#include "core/base/num.h"
#include <inttypes.h>
#include <math.h>
#include <nashc/tensor.h>
#include <stdio.h>
#include <string.h>

#define MAX_ITEMS (1 << 20)

/* The text of a fault goes to the caller's array: attributes are parsed where there is no
 * diagnostic yet, or no line to show. */
static nashc_status NASHC_PRINTF(2, 3) fail(char *err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(err, NASHC_ATTR_ERR, fmt, ap);
    va_end(ap);
    return NASHC_EINPUT;
}

/* --- domains --------------------------------------------------------------------------------- */

/* One ';' part of a domain, "a..b", "a..", "..b", or a single number. */
typedef struct range {
    bool has_lo, has_hi;
    double lo, hi;
    int64_t ilo, ihi;
} range;

/* Both as an integer and as a float, for one domain serves kinds of either: 64 bits do not fit a
 * double. */
static bool
parse_bound(const char *s, size_t n, bool *has, double *f, int64_t *i)
{
    char text[64];
    const char *p = text;

    *has = n > 0;
    if (!n)
        return true;
    if (n >= sizeof(text))
        return false;
    memcpy(text, s, n);
    text[n] = 0;
    if (nashc_num_parse_int(&p, i) && !*p) {
        *f = (double)*i;
        return true;
    }
    p = text;
    if (!nashc_num_parse_f64(&p, f) || *p)
        return false;
    *i = *f >= 0x1p63 ? INT64_MAX : *f < -0x1p63 ? INT64_MIN : (int64_t)*f;
    return true;
}

/* The first ".." divides; a bound such as "1." is written without its dot. */
static bool
parse_range(const char *s, size_t n, range *r)
{
    *r = (range){0};
    for (size_t i = 0; i + 1 < n; i++)
        if (s[i] == '.' && s[i + 1] == '.')
            return parse_bound(s, i, &r->has_lo, &r->lo, &r->ilo) &&
                   parse_bound(s + i + 2, n - i - 2, &r->has_hi, &r->hi, &r->ihi);
    if (!n || !parse_bound(s, n, &r->has_lo, &r->lo, &r->ilo))
        return false;
    r->has_hi = true;
    r->hi = r->lo;
    r->ihi = r->ilo;
    return true;
}

/* The part of a list domain that starts with key ("len=") or, with key NULL, the one without '='.
 * 1 found, 0 not there, -1 malformed. */
static int
list_part(const char *domain, const char *key, range *r)
{
    for (const char *p = domain; p && *p;) {
        size_t n = strcspn(p, ";"), k = key ? strlen(key) : 0;
        bool named = memchr(p, '=', n) != NULL;
        if (key ? (n > k && memcmp(p, key, k) == 0) : !named)
            return parse_range(p + k, n - k, r) ? 1 : -1;
        p += n + (p[n] == ';');
    }
    return 0;
}

/* Index of the word in "a|b|c", -1 if it is none of them. */
static int
enum_index(const char *domain, const char *word, size_t n)
{
    int i = 0;

    for (const char *p = domain; p; i++) {
        size_t k = strcspn(p, "|");
        if (k == n && memcmp(p, word, n) == 0)
            return i;
        p = p[k] ? p + k + 1 : NULL;
    }
    return -1;
}

const char *const *
nashc_attr_words(const nashc_param *p, nashc_arena *a)
{
    const char *s = p->kind == NASHC_P_ENUM && p->domain ? p->domain : "";
    const char **words;
    size_t n = 1, i = 0;

    for (const char *q = s; *q; q++)
        n += *q == '|';
    words = NASHC_NEW_N(a, const char *, n + 1);
    for (; words && *s; i++) {
        size_t k = strcspn(s, "|");
        words[i] = nashc_arena_printf(a, "%.*s", (int)k, s);
        s += k + (s[k] == '|');
    }
    return words;
}

static bool
int_in(const range *r, int64_t v)
{
    return (!r->has_lo || v >= r->ilo) && (!r->has_hi || v <= r->ihi);
}

/* Written so that NaN lies outside of every bound. */
static bool
float_in(const range *r, double v)
{
    return !(r->has_lo && !(v >= r->lo)) && !(r->has_hi && !(v <= r->hi));
}

/* Lists: the length, then each item. */
static bool
check_list(const nashc_param *p, const nashc_attr *v, char err[NASHC_ATTR_ERR])
{
    range len, item;
    char num[NASHC_NUM_MAX];

    if (list_part(p->domain, "len=", &len) == 1 && !int_in(&len, v->n)) {
        fail(err, "%" PRId32 " items, expected %s", v->n, p->domain);
        return false;
    }
    if (list_part(p->domain, NULL, &item) != 1)
        return true;
    for (int32_t i = 0; i < v->n; i++) {
        bool is_int = p->kind == NASHC_P_INTS;
        if (is_int ? int_in(&item, v->u.ints[i]) : float_in(&item, v->u.floats[i]))
            continue;
        if (is_int)
            fail(err, "%" PRId64 " is outside %s", v->u.ints[i], p->domain);
        else
            fail(err, "%s is outside %s", nashc_num_print_f64(v->u.floats[i], num), p->domain);
        return false;
    }
    return true;
}

/* Enums, booleans and types have passed their check in being parsed. */
bool
nashc_attr_check(const nashc_param *p, const nashc_attr *v, char err[NASHC_ATTR_ERR])
{
    char num[NASHC_NUM_MAX];
    range r;

    if (!p->domain || !*p->domain)
        return true;
    switch (p->kind) {
    case NASHC_P_INT:
        if (parse_range(p->domain, strlen(p->domain), &r) && int_in(&r, v->u.i))
            return true;
        fail(err, "%" PRId64 " is outside %s", v->u.i, p->domain);
        return false;
    case NASHC_P_FLOAT:
        if (parse_range(p->domain, strlen(p->domain), &r) && float_in(&r, v->u.f))
            return true;
        fail(err, "%s is outside %s", nashc_num_print_f64(v->u.f, num), p->domain);
        return false;
    case NASHC_P_INTS:
    case NASHC_P_FLOATS:
        return check_list(p, v, err);
    default:
        return true;
    }
}

/* --- parsing --------------------------------------------------------------------------------- */

/* Letters that a value without quotes may have; also what must not follow a number, so that 12px is
 * refused and not read as 12. */
static bool
word_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '.' || c == '-';
}

static size_t
word_len(const char *s)
{
    size_t n = 0;

    while (word_char(s[n]))
        n++;
    return n;
}

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Two walks: to the closing quote, then through the escapes, which only get shorter, so the first
 * tells the room. A zero byte is refused, as strings end with one. */
nashc_status
nashc_string_parse(const char **text, nashc_arena *a, const char **out, char err[NASHC_ATTR_ERR])
{
    const char *s = *text + 1, *end = s;
    char *copy, *q;

    if (**text != '"')
        return fail(err, "expected a string in double quotes");
    while (*end && *end != '"' && *end != '\n')
        end += *end == '\\' && end[1] && end[1] != '\n' ? 2 : 1;
    if (*end != '"')
        return fail(err, "string without closing quote");
    q = copy = nashc_arena_alloc(a, (size_t)(end - s) + 1);
    if (!copy)
        return NASHC_ENOMEM;
    while (s < end) {
        if (*s != '\\') {
            *q++ = *s++;
            continue;
        }
        if (s[1] == 'x') {
            int hi = hex_digit(s[2]), lo = hi < 0 ? -1 : hex_digit(s[3]);
            if (lo < 0 || (hi | lo) == 0) {
                *text = s;
                return fail(err, "expected two hex digits, not both 0, behind \\x");
            }
            *q++ = (char)(hi << 4 | lo);
            s += 4;
            continue;
        }
        if (s[1] != 'n' && s[1] != 't' && s[1] != '"' && s[1] != '\\') {
            *text = s;
            return fail(err, "unknown escape in string");
        }
        *q++ = s[1] == 'n' ? '\n' : s[1] == 't' ? '\t' : s[1];
        s += 2;
    }
    *text = end + 1;
    *out = copy;
    return NASHC_OK;
}

/* "[1,2]" or, for options, "1,2" up to the end of the text. */
static nashc_status
parse_list(const nashc_param *p, const char **text, bool bare, nashc_arena *a, nashc_attr *out,
           char err[NASHC_ATTR_ERR])
{
    bool brackets = **text == '[', is_int = p->kind == NASHC_P_INTS;
    char close = brackets ? ']' : 0;
    const char *s = *text + brackets;
    size_t room = 1;
    void *list;
    int32_t n = 0;

    if (!brackets && !bare)
        return fail(err, "expected a list in brackets");
    /* at most one item more than commas: room for all before any is read */
    for (const char *q = s; *q && *q != ']' && *q != '\n'; q++)
        room += *q == ',';
    if (room > MAX_ITEMS)
        return fail(err, "list of more than %d items", MAX_ITEMS);
    list = nashc_arena_alloc(a, room * 8);
    if (!list)
        return NASHC_ENOMEM;
    while (*s != close) {
        bool ok;
        while (*s == ' ')
            s++;
        ok = is_int ? nashc_num_parse_int(&s, (int64_t *)list + n)
                    : nashc_num_parse_f64(&s, (double *)list + n);
        *text = s;
        if (!ok || word_char(*s))
            return fail(err, "expected %s", is_int ? "an integer" : "a number");
        n++;
        while (*s == ' ')
            s++;
        *text = s;
        if (*s == ',' && s[1] != close)
            s++;
        else if (*s != close)
            return fail(err, "expected %s in the list", brackets ? ", or ]" : ",");
    }
    *text = s + brackets;
    out->n = n;
    if (is_int)
        out->u.ints = list;
    else
        out->u.floats = list;
    return NASHC_OK;
}

/* IR text, or a QONNX name such as UINT4 or FIXED<16,6>, which goes on to its '>'. */
static nashc_status
parse_type(const char **text, nashc_arena *a, nashc_attr *out, char err[NASHC_ATTR_ERR])
{
    nashc_type t = {0}, *copy;
    char name[32];
    size_t n = word_len(*text), k;

    if (!nashc_type_parse(text, &t)) {
        if ((*text)[n] == '<') {
            k = strcspn(*text + n, ">\n");
            n += k + ((*text)[n + k] == '>');
        }
        if (n >= sizeof(name))
            return fail(err, "expected a type");
        memcpy(name, *text, n);
        name[n] = 0;
        if (!nashc_type_from_finn_name(name, &t))
            return fail(err, "expected a type, such as u4, i8[1,16] or UINT4");
        *text += n;
    }
    copy = NASHC_NEW(a, nashc_type);
    if (!copy)
        return NASHC_ENOMEM;
    *copy = t;
    out->u.type = copy;
    return NASHC_OK;
}

static nashc_status
parse_enum(const nashc_param *p, const char **text, nashc_arena *a, nashc_attr *out,
           char err[NASHC_ATTR_ERR])
{
    size_t n = word_len(*text);
    const char *domain = p->domain ? p->domain : "";
    int i = enum_index(domain, *text, n);

    if (i < 0)
        return fail(err, "\"%.*s\" is not one of %s", n > 40 ? 40 : (int)n, *text, domain);
    out->u.i = i;
    out->s = nashc_arena_printf(a, "%.*s", (int)n, *text);
    *text += n;
    return out->s ? NASHC_OK : NASHC_ENOMEM;
}

/* Options also take what people type; the IR has one spelling, so that its text is canonical. */
static nashc_status
parse_bool(const char **text, bool bare, nashc_attr *out, char err[NASHC_ATTR_ERR])
{
    static const char *const words[] = {"false", "true", "0", "1", "no", "yes"};
    size_t n = word_len(*text);

    for (size_t i = 0; i < (bare ? NASHC_COUNT(words) : 2); i++)
        if (strlen(words[i]) == n && memcmp(words[i], *text, n) == 0) {
            out->u.i = i & 1;
            *text += n;
            return NASHC_OK;
        }
    return fail(err, "expected true or false");
}

/* Names that are no words stand in quotes behind the @. */
static nashc_status
parse_graph(const char **text, bool bare, nashc_arena *a, nashc_attr *out, char err[NASHC_ATTR_ERR])
{
    const char *s = *text;
    size_t n;

    if (*s == '@')
        s++;
    else if (!bare)
        return fail(err, "expected a graph, such as @main");
    *text = s;
    if (*s == '"')
        return nashc_string_parse(text, a, &out->s, err);
    n = word_len(s);
    if (!n && !bare)
        return fail(err, "expected the name of a graph behind @");
    out->s = nashc_arena_printf(a, "%.*s", (int)n, s);
    *text += n;
    return out->s ? NASHC_OK : NASHC_ENOMEM;
}

/* bare: the text is an option, not a part of the IR. */
static nashc_status
parse_value(const nashc_param *p, const char **text, bool bare, nashc_arena *a, nashc_attr *out,
            char err[NASHC_ATTR_ERR])
{
    *out = (nashc_attr){.set = true};
    switch (p->kind) {
    case NASHC_P_BOOL:
        return parse_bool(text, bare, out, err);
    case NASHC_P_INT:
        if (!nashc_num_parse_int(text, &out->u.i) || word_char(**text))
            return fail(err, "expected an integer");
        return NASHC_OK;
    case NASHC_P_FLOAT:
        if (!nashc_num_parse_f64(text, &out->u.f) || word_char(**text))
            return fail(err, "expected a number");
        return NASHC_OK;
    case NASHC_P_ENUM:
        return parse_enum(p, text, a, out, err);
    case NASHC_P_INTS:
    case NASHC_P_FLOATS:
        return parse_list(p, text, bare, a, out, err);
    case NASHC_P_TYPE:
        return parse_type(text, a, out, err);
    case NASHC_P_GRAPH:
        return parse_graph(text, bare, a, out, err);
    case NASHC_P_STRING:
    case NASHC_P_PATH:
        if (!bare)
            return nashc_string_parse(text, a, &out->s, err);
        out->s = nashc_arena_strdup(a, *text);
        *text += strlen(*text);
        return out->s ? NASHC_OK : NASHC_ENOMEM;
    default:
        return fail(err, "parameter %s has no legal kind", p->name);
    }
}

/* Moves *text behind the value; to its begin where the value is well formed but outside the domain,
 * for the caret. */
nashc_status
nashc_attr_parse(const nashc_param *p, const char **text, nashc_arena *a, nashc_attr *out,
                 char err[NASHC_ATTR_ERR])
{
    const char *start = *text;
    nashc_attr v;
    nashc_status s = parse_value(p, text, false, a, &v, err);

    if (s)
        return s;
    if (!nashc_attr_check(p, &v, err)) {
        *text = start;
        return NASHC_EINPUT;
    }
    *out = v;
    return NASHC_OK;
}

nashc_status
nashc_attr_parse_option(const nashc_param *p, const char *text, nashc_arena *a, nashc_attr *out,
                        char err[NASHC_ATTR_ERR])
{
    nashc_attr v;
    nashc_status s = parse_value(p, &text, true, a, &v, err);

    if (s)
        return s;
    if (*text)
        return fail(err, "unexpected \"%.40s\" behind the value", text);
    if (!nashc_attr_check(p, &v, err))
        return NASHC_EINPUT;
    *out = v;
    return NASHC_OK;
}

/* Defaults are text in the form of options. One outside its own domain is a bug of the
 * descriptor. */
nashc_status
nashc_attr_default(const nashc_param *p, nashc_arena *a, nashc_attr *out, char err[NASHC_ATTR_ERR])
{
    nashc_status s;

    *out = (nashc_attr){0};
    if (!p->def)
        return NASHC_OK;
    s = nashc_attr_parse_option(p, p->def, a, out, err);
    return s == NASHC_EINPUT ? NASHC_EBUG : s;
}

/* Run once for each descriptor that is registered, so that a plugin's mistake shows when it is
 * loaded and not when the option is first used. Memory out counts as valid: it will show soon
 * enough. */
bool
nashc_param_valid(const nashc_param *p, char err[NASHC_ATTR_ERR])
{
    const char *domain = p->domain ? p->domain : "";
    nashc_arena *a;
    nashc_status s = NASHC_OK;
    nashc_attr v;
    range r;
    bool ok = true;

    if (!p->name || !*p->name || p->kind < NASHC_P_BOOL || p->kind > NASHC_P_GRAPH) {
        fail(err, "parameter \"%s\" has no name or no legal kind", p->name ? p->name : "");
        return false;
    }
    if (p->kind == NASHC_P_ENUM)
        ok = *domain != 0;
    else if ((p->kind == NASHC_P_INT || p->kind == NASHC_P_FLOAT) && *domain)
        ok = parse_range(domain, strlen(domain), &r);
    else if (p->kind == NASHC_P_INTS || p->kind == NASHC_P_FLOATS)
        ok = list_part(domain, "len=", &r) >= 0 && list_part(domain, NULL, &r) >= 0;
    if (!ok) {
        fail(err, "parameter %s has the malformed domain \"%s\"", p->name, domain);
        return false;
    }
    a = nashc_arena_create();
    if (!a)
        return true;
    s = nashc_attr_default(p, a, &v, err);
    nashc_arena_free(a);
    return s != NASHC_EBUG;
}

/* --- comparing and printing ------------------------------------------------------------------ */

bool
nashc_attr_eq(const nashc_param *p, const nashc_attr *a, const nashc_attr *b)
{
    if (!a->set || !b->set)
        return a->set == b->set;
    switch (p->kind) {
    case NASHC_P_BOOL:
    case NASHC_P_INT:
    case NASHC_P_ENUM:
        return a->u.i == b->u.i;
    case NASHC_P_FLOAT:
        /* by bits: -0 prints unlike 0, and NaN equals itself */
        return memcmp(&a->u.f, &b->u.f, sizeof(double)) == 0;
    case NASHC_P_INTS:
    case NASHC_P_FLOATS:
        return a->n == b->n &&
               (!a->n || memcmp(a->u.ints, b->u.ints, (size_t)a->n * sizeof(int64_t)) == 0);
    case NASHC_P_TYPE:
        return nashc_type_eq(a->u.type, b->u.type);
    default:
        return strcmp(a->s, b->s) == 0;
    }
}

static bool
is_word(const char *s)
{
    return *s && word_len(s) == strlen(s);
}

void
nashc_attr_print(const nashc_param *p, const nashc_attr *v, nashc_str *out)
{
    char text[NASHC_TYPE_STR_MAX];

    switch (p->kind) {
    case NASHC_P_BOOL:
        nashc_str_puts(out, v->u.i ? "true" : "false");
        break;
    case NASHC_P_INT:
        nashc_str_int(out, v->u.i);
        break;
    case NASHC_P_FLOAT:
        nashc_str_f64(out, v->u.f);
        break;
    case NASHC_P_ENUM:
        nashc_str_puts(out, v->s);
        break;
    case NASHC_P_INTS:
    case NASHC_P_FLOATS:
        nashc_str_putc(out, '[');
        for (int32_t i = 0; i < v->n; i++) {
            if (i)
                nashc_str_putc(out, ',');
            if (p->kind == NASHC_P_INTS)
                nashc_str_int(out, v->u.ints[i]);
            else
                nashc_str_f64(out, v->u.floats[i]);
        }
        nashc_str_putc(out, ']');
        break;
    case NASHC_P_TYPE:
        nashc_str_puts(out, nashc_type_print(v->u.type, text, sizeof(text)));
        break;
    case NASHC_P_GRAPH:
        nashc_str_putc(out, '@');
        if (is_word(v->s))
            nashc_str_puts(out, v->s);
        else
            nashc_str_quoted(out, v->s);
        break;
    default:
        nashc_str_quoted(out, v->s);
    }
}
