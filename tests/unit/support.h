/* support.h: what the unit tests share. */
#ifndef NASHC_TEST_SUPPORT_H
#define NASHC_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <nashc/nashc.h>
#include <stdio.h>
#include <string.h>

/* A context for each test, in *state. */
static inline int
ctx_setup(void **state)
{
    nashc_ctx *c = nashc_ctx_create();

    *state = c;
    return c ? 0 : -1;
}

static inline int
ctx_teardown(void **state)
{
    nashc_ctx_free(*state);
    return 0;
}

#define CTX_TEST(f) cmocka_unit_test_setup_teardown(f, ctx_setup, ctx_teardown)

/* The first message, or "". */
static inline const char *
first_message(nashc_ctx *c)
{
    nashc_diag *d = nashc_ctx_diag(c);

    return nashc_diag_count(d, NASHC_NOTE) ? nashc_diag_text(d, 0) : "";
}

static inline nashc_module *
parse_ok(nashc_ctx *c, const char *text)
{
    nashc_module *m = NULL;

    if (nashc_parse(c, "t.nashir", text, strlen(text), NULL, &m, nashc_ctx_diag(c)))
        fail_msg("%s", first_message(c));
    return m;
}

/* The text must be refused, with a message that has this in it. */
static inline void
parse_fails(nashc_ctx *c, const char *text, const char *message)
{
    nashc_module *m = NULL;
    nashc_diag *d = nashc_ctx_diag(c);

    assert_int_not_equal(nashc_parse(c, "t.nashir", text, strlen(text), NULL, &m, d), NASHC_OK);
    assert_null(m);
    if (!strstr(first_message(c), message))
        fail_msg("expected \"%s\" in: %s", message, first_message(c));
    nashc_diag_truncate(d, 0);
}

static inline void
assert_prints(const nashc_module *m, const char *text)
{
    char *is = nashc_print(m, NULL);

    assert_non_null(is);
    assert_string_equal(is, text);
    nashc_mem_free(is);
}

static inline nashc_type
type_of(const char *text)
{
    nashc_type t;

    if (!nashc_type_parse(&text, &t) || *text)
        fail_msg("not a type: %s", text);
    return t;
}

#endif
