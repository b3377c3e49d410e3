/* attr.h: values of a schema (nashc_param): parsing, checking, comparing and printing them. */
#ifndef NASHC_BASE_ATTR_H
#define NASHC_BASE_ATTR_H

#include "core/base/str.h"
#include <nashc/op.h>

/* One value, of the kind its nashc_param says. 24 bytes. */
typedef struct nashc_attr {
    union {
        int64_t i;              /* INT, BOOL, ENUM (index in the domain) */
        double f;               /* FLOAT */
        const int64_t *ints;    /* INTS */
        const double *floats;   /* FLOATS */
        const nashc_type *type; /* TYPE */
    } u;
    const char *s; /* STRING, PATH, GRAPH (without @), and the word of an ENUM */
    int32_t n;     /* items of INTS and FLOATS */
    bool set;      /* false: a required one that was never given */
} nashc_attr;

#define NASHC_ATTR_ERR 320 /* size of the buffer for the reason of a failure */

/* Reads one value of p in the syntax of the IR from *text and moves *text behind it; on a fault
 * *text is at the offending byte and err says what is wrong ("17 is not in 1..16"). What out points
 * to is in a. Text ends with a 0. The domain is checked. NASHC_EINPUT or NASHC_ENOMEM. */
nashc_status nashc_attr_parse(const nashc_param *p, const char **text, nashc_arena *a,
                              nashc_attr *out, char err[NASHC_ATTR_ERR]);

/* The whole text is the value, in the syntax of options: strings, paths and words need no quotes,
 * lists no brackets, true may be 1 or yes, a TYPE may be a QONNX name. */
nashc_status nashc_attr_parse_option(const nashc_param *p, const char *text, nashc_arena *a,
                                     nashc_attr *out, char err[NASHC_ATTR_ERR]);

/* The default; out->set is false if there is none. A default outside its domain is NASHC_EBUG. */
nashc_status nashc_attr_default(const nashc_param *p, nashc_arena *a, nashc_attr *out,
                                char err[NASHC_ATTR_ERR]);

/* Reads "text" with the escapes of the IR (\\ \" \n \t \xNN). */
nashc_status nashc_string_parse(const char **text, nashc_arena *a, const char **out,
                                char err[NASHC_ATTR_ERR]);

/* Is the value in p's domain? */
bool nashc_attr_check(const nashc_param *p, const nashc_attr *v, char err[NASHC_ATTR_ERR]);

/* Is p itself well-formed (kind, domain syntax, default inside the domain)? For the registry. */
bool nashc_param_valid(const nashc_param *p, char err[NASHC_ATTR_ERR]);

bool nashc_attr_eq(const nashc_param *p, const nashc_attr *a, const nashc_attr *b);

/* Canonical text of the value, as the IR prints it: 4, [1,2], floor, "text", u2[], @part0. */
void nashc_attr_print(const nashc_param *p, const nashc_attr *v, nashc_str *out);

/* The words of an ENUM domain as a NULL-terminated array in a, for nashc_nearest. */
const char *const *nashc_attr_words(const nashc_param *p, nashc_arena *a);

#endif
