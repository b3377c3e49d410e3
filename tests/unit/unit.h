/* unit.h: what the unit tests share: a context each, graphs from text. */
#ifndef NASHC_UNIT_H
#define NASHC_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>
#include <nashc/nashc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline int
unit_setup(void **state)
{
    *state = nashc_ctx_create();
    return *state ? 0 : -1;
}

static inline int
unit_teardown(void **state)
{
    nashc_ctx_free(*state);
    return 0;
}

/* A test with a context of its own as *state. */
#define UNIT(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

static inline void
unit_print_messages(nashc_ctx *c)
{
    nashc_diag *d = nashc_ctx_diag(c);
    for (int i = 0; i < nashc_diag_count(d, NASHC_NOTE); i++)
        print_message("%s\n", nashc_diag_text(d, i));
}

static inline nashc_module *
unit_parse(nashc_ctx *c, const char *text)
{
    nashc_module *m = NULL;
    char whole[32768]; /* the header line may be left out */
    snprintf(whole, sizeof whole, "%s%s", strncmp(text, "nashc", 5) ? "nashc 1\n" : "", text);
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_status s = nashc_parse(c, "unit.nashir", whole, strlen(whole), NULL, &m, d);
    if (s != NASHC_OK)
        unit_print_messages(c);
    assert_int_equal(s, NASHC_OK);
    return m;
}

/* Is part in the first message? */
static inline void
unit_expect_message(nashc_ctx *c, const char *part)
{
    nashc_diag *d = nashc_ctx_diag(c);
    assert_true(nashc_diag_count(d, NASHC_NOTE) > 0);
    if (!strstr(nashc_diag_text(d, 0), part))
        print_message("wanted: %s\nhave: %s\n", part, nashc_diag_text(d, 0));
    assert_non_null(strstr(nashc_diag_text(d, 0), part));
}

/* The text of m contains part? */
static inline void
unit_expect_text(const nashc_module *m, const char *part, bool wanted)
{
    size_t size;
    char *text = nashc_print(m, &size);
    assert_non_null(text);
    if (!!strstr(text, part) != wanted)
        print_message("%s: %s\n%s\n", wanted ? "missing" : "unwanted", part, text);
    assert_int_equal(!!strstr(text, part), wanted);
    nashc_mem_free(text);
}

#endif
