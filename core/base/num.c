/* num.c: numbers to text and back. All of it runs in the C locale, whatever the process set. */
#include "core/base/num.h"
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The C locale object, made once a process and kept; of two threads that make one, the loser frees
 * its own. */
static locale_t
c_locale(void)
{
    static _Atomic(locale_t) cached;
    locale_t l = atomic_load(&cached), none = (locale_t)0;

    if (l)
        return l;
    l = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (l && !atomic_compare_exchange_strong(&cached, &none, l)) {
        freelocale(l);
        l = none;
    }
    return l;
}

/* Only this thread's locale changes. Without memory for a locale object the process's is used: a
 * number may then have a comma, but nothing crashes. */
static locale_t
enter(void)
{
    locale_t c = c_locale();

    return c ? uselocale(c) : (locale_t)0;
}

static void
leave(locale_t old)
{
    if (old)
        uselocale(old);
}

/* NULL: v is none of these. Integers below 1e9 print as such, without a search for digits; -0 does
 * not, or it would read back as 0. */
static char *
print_special(double v, char *buf)
{
    if (isnan(v))
        return strcpy(buf, "nan");
    if (isinf(v))
        return strcpy(buf, v < 0 ? "-inf" : "inf");
    if (fabs(v) < 1e9 && v == (double)(int64_t)v && (v != 0 || !signbit(v))) {
        snprintf(buf, NASHC_NUM_MAX, "%d", (int)v);
        return buf;
    }
    return NULL;
}

/* Precisions are tried upwards until the text reads back: at most 17, as 17 digits tell any two
 * doubles apart. */
char *
nashc_num_print_f64(double v, char buf[NASHC_NUM_MAX])
{
    locale_t old;

    if (print_special(v, buf))
        return buf;
    old = enter();
    for (int prec = 1; prec <= 17; prec++) {
        snprintf(buf, NASHC_NUM_MAX, "%.*g", prec, v);
        if (strtod(buf, NULL) == v)
            break;
        if (prec == 6 && (snprintf(buf, NASHC_NUM_MAX, "%.15g", v), strtod(buf, NULL) != v))
            prec = 15; /* most doubles that are not short need 16 or 17 */
    }
    leave(old);
    return buf;
}

/* 9 digits tell any two floats apart. */
char *
nashc_num_print_f32(float v, char buf[NASHC_NUM_MAX])
{
    locale_t old;

    if (print_special((double)v, buf))
        return buf;
    old = enter();
    for (int prec = 1; prec <= 9; prec++) {
        snprintf(buf, NASHC_NUM_MAX, "%.*g", prec, (double)v);
        if (strtof(buf, NULL) == v)
            break;
    }
    leave(old);
    return buf;
}

bool
nashc_num_parse_int(const char **s, int64_t *out)
{
    const char *p = *s;
    bool neg = *p == '-';
    uint64_t v = 0, max = neg ? (uint64_t)INT64_MAX + 1 : INT64_MAX;

    if (*p == '-' || *p == '+')
        p++;
    if (*p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        /* v * 10 + digit <= max, without computing it */
        if (v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *s = p;
    *out = neg ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

static bool
is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* nan, inf, +inf, -inf */
static bool
parse_special(const char **s, double *out)
{
    const char *p = *s;
    bool neg = *p == '-';

    if (*p == '-' || *p == '+')
        p++;
    if ((strncmp(p, "inf", 3) != 0 && strncmp(p, "nan", 3) != 0) || is_word(p[3]))
        return false;
    *out = *p == 'n' ? (double)NAN : neg ? -INFINITY : INFINITY;
    *s = p + 3;
    return true;
}

/* End of the decimal number at p, or NULL. strtod takes more than the text form does (hex,
 * "infinity", leading blanks), so it has to stop where this ends. */
static const char *
scan(const char *p)
{
    int digits = 0;

    if (*p == '-' || *p == '+')
        p++;
    for (; *p >= '0' && *p <= '9'; p++)
        digits++;
    if (*p == '.')
        for (p++; *p >= '0' && *p <= '9'; p++)
            digits++;
    if (!digits)
        return NULL;
    if (*p == 'e' || *p == 'E') {
        const char *q = p + 1;
        if (*q == '-' || *q == '+')
            q++;
        if (*q < '0' || *q > '9')
            return NULL;
        while (*q >= '0' && *q <= '9')
            q++;
        p = q;
    }
    return p;
}

bool
nashc_num_parse_f64(const char **s, double *out)
{
    const char *end = scan(*s);
    locale_t old;
    char *stop;
    double v;

    if (!end)
        return parse_special(s, out);
    old = enter();
    v = strtod(*s, &stop);
    leave(old);
    if (stop != end || isinf(v))
        return false;
    *out = v;
    *s = end;
    return true;
}

/* Not by way of a double: rounding twice may miss the nearest float. */
bool
nashc_num_parse_f32(const char **s, float *out)
{
    const char *end = scan(*s);
    double special;
    locale_t old;
    char *stop;
    float v;

    if (!end) {
        if (!parse_special(s, &special))
            return false;
        *out = (float)special;
        return true;
    }
    old = enter();
    v = strtof(*s, &stop);
    leave(old);
    if (stop != end || isinf(v))
        return false;
    *out = v;
    *s = end;
    return true;
}

bool
nashc_num_parse_hex64(const char **s, uint64_t *out)
{
    const char *p = *s;
    uint64_t v = 0;

    for (int i = 0; i < 16; i++, p++) {
        if (*p >= '0' && *p <= '9')
            v = v << 4 | (uint64_t)(*p - '0');
        else if (*p >= 'a' && *p <= 'f')
            v = v << 4 | (uint64_t)(*p - 'a' + 10);
        else
            return false;
    }
    *s = p;
    *out = v;
    return true;
}

double
nashc_num_round_mini(double v, int e, int m, int b)
{
    /* Values are k * 2^(x - m) with x the exponent of v, at least 1 - b; all exponent codes are
     * numbers, so the largest is (2 - 2^-m) * 2^(2^e - 1 - b). */
    double max = ldexp(2.0 - ldexp(1.0, -m), (1 << e) - 1 - b), q;
    int x;

    if (isnan(v) || v == 0)
        return v;
    if (fabs(v) >= max)
        return copysign(max, v);
    frexp(v, &x);
    x -= 1;
    if (x < 1 - b)
        x = 1 - b;
    q = ldexp(nearbyint(ldexp(v, m - x)), x - m);
    return fabs(q) > max ? copysign(max, v) : q;
}

/* 10 bits behind the point, exponents -14..15; half way goes to even, as nearbyint does by default.
 * Beyond 65504 after rounding: infinity, as IEEE 754 has it. */
double
nashc_num_round_f16(double v)
{
    double q;
    int x;

    if (isnan(v) || isinf(v) || v == 0)
        return v;
    frexp(v, &x);
    x -= 1;
    if (x < -14)
        x = -14;
    if (x > 15)
        return copysign(INFINITY, v);
    q = ldexp(nearbyint(ldexp(v, 10 - x)), x - 10);
    return fabs(q) > 65504.0 ? copysign(INFINITY, v) : q;
}
