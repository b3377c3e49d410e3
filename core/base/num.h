/* num.h: numbers to text and back, whatever the locale. */
#ifndef NASHC_BASE_NUM_H
#define NASHC_BASE_NUM_H

#include <nashc/base.h>

#define NASHC_NUM_MAX 40 /* bytes that hold any printed number with its 0 */

/* Shortest decimal text that reads back to the same bits; nan, inf, -inf, -0. Returns buf. */
char *nashc_num_print_f64(double v, char buf[NASHC_NUM_MAX]);
char *nashc_num_print_f32(float v, char buf[NASHC_NUM_MAX]);

/* Read one number from *s and move *s behind it; false, *s where the fault is, if there is none or
 * it overflows. Floats: [+-] digits [. digits] [e [+-] digits], nan, inf; rounded once. Text must
 * end with a byte that is no part of a number (0 does). */
bool nashc_num_parse_int(const char **s, int64_t *out);
bool nashc_num_parse_f64(const char **s, double *out);
bool nashc_num_parse_f32(const char **s, float *out);

/* 16 hex digits. */
bool nashc_num_parse_hex64(const char **s, uint64_t *out);

/* Value of the minifloat or half that is nearest to v (ties to even), saturating at max; inf stays
 * for halves (has_inf). exp bits e, mantissa bits m, bias b. */
double nashc_num_round_mini(double v, int e, int m, int b);
double nashc_num_round_f16(double v);

#endif
