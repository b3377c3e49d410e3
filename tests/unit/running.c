/* running.c: tests of core/host/running.c: whose code runs, and who is to blame. */
#include "core/base/running.h"
#include "unit.h"
#include <string.h>

static nashc_status
do_nothing(nashc_run *r, nashc_graph *g)
{
    (void)r;
    (void)g;
    return NASHC_OK;
}

static const nashc_pass unit_pass = {NASHC_DESC(nashc_pass), .name = "unit-pass", .help = "h",
                                     .run = do_nothing};

static void
add_plugin(nashc_ctx *c)
{
    static const nashc_pass *const passes[] = {&unit_pass, NULL};
    static const nashc_plugin p = {NASHC_DESC(nashc_plugin), .abi = NASHC_ABI, .name = "unit",
                                   .version = "1",           .help = "h",      .passes = passes};
    assert_int_equal(nashc_register(c, &p, "u.so", nashc_ctx_diag(c)), NASHC_OK);
}

static const char text[] = "graph @main(%x: f32[4]) -> (%y) {\n%y: f32[4] = nn.neg(%x) !\"N\"\n}\n";

static void
expect_now(const char *origin, const char *what, const char *where)
{
    nashc_running r;
    assert_true(nashc_running_now(&r));
    assert_true(origin ? r.origin && strcmp(r.origin, origin) == 0 : !r.origin);
    assert_string_equal(r.what, what);
    assert_string_equal(r.where, where);
}

static void
nobody(void **state)
{
    nashc_running r;
    (void)state;
    assert_false(nashc_running_now(&r));
}

/* Operators of nashc do what their caller asks; passes of nashc answer for themselves. */
static void
blame(void **state)
{
    nashc_module *m = unit_parse(*state, text);
    nashc_node *n = nashc_graph_first(nashc_module_main(m));
    nashc_frame f[3];
    add_plugin(*state);
    nashc_enter(&f[0], *state, NASHC_D_PASS, "unit-pass", NULL, NULL);
    expect_now("u.so", "pass \"unit-pass\"", "");
    assert_ptr_equal(nashc_node_next(n), NULL); /* a walk comes by */
    expect_now("u.so", "pass \"unit-pass\"", ", having come to node \"N\" (nn.neg)");
    nashc_enter(&f[1], *state, NASHC_D_OP, "nn.neg", n, NULL);
    expect_now("u.so", "pass \"unit-pass\"", " in op \"nn.neg\" at node \"N\" (nn.neg)");
    nashc_enter(&f[2], *state, NASHC_D_PASS, "fold-constants", NULL, NULL);
    expect_now(NULL, "pass \"fold-constants\"", ", called from pass \"unit-pass\"");
    assert_int_equal(nashc_leave(&f[2], NASHC_EBUG), NASHC_EBUG);
    assert_int_equal(nashc_leave(&f[1], NASHC_EBUG), NASHC_EPLUGIN);
    assert_int_equal(nashc_leave(&f[0], NASHC_EINPUT), NASHC_EINPUT);
    assert_null(nashc_frame_top);
    nashc_module_free(m);
}

static void
names_cannot_act(void **state)
{
    nashc_frame f;
    nashc_enter(&f, *state, NASHC_D_EXECUTOR, "a\x1b[31m\"\\\xff", NULL, NULL);
    expect_now(NULL, "executor \"a?[31m???\"", "");
    nashc_leave(&f, NASHC_OK);
    char longest[4001] = "";
    memset(longest, 'a', 4000);
    nashc_enter(&f, *state, NASHC_D_EXECUTOR, longest, NULL, NULL);
    nashc_running r;
    assert_true(nashc_running_now(&r));
    assert_true(strlen(r.what) < sizeof r.what);
    nashc_leave(&f, NASHC_OK);
}

static void
silence(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_frame f;
    add_plugin(*state);
    nashc_enter(&f, *state, NASHC_D_PASS, "unit-pass", NULL, d);
    nashc_remark(d, NULL, "no error");
    assert_int_equal(nashc_leave(&f, NASHC_EUNSUP), NASHC_EUNSUP);
    assert_string_equal(nashc_diag_text(d, 1),
                        "u.so: error: pass \"unit-pass\" failed with status 2 (not supported) and "
                        "no message\n"
                        "  note: this is a fault of the plugin, not of nashc or of your input\n"
                        "  note: in pass \"unit-pass\" of u.so");
    nashc_diag_truncate(d, 0);
    nashc_enter(&f, *state, NASHC_D_PASS, "fold-constants", NULL, d);
    assert_int_equal(nashc_leave(&f, (nashc_status)99), NASHC_EBUG);
    unit_expect_message(*state, "this is a bug in nashc");
    nashc_diag_truncate(d, 0);
    nashc_enter(&f, *state, NASHC_D_PASS, "unit-pass", NULL, d);
    nashc_error(d, NULL, "the reason");
    assert_int_equal(nashc_leave(&f, NASHC_EINPUT), NASHC_EINPUT);
    assert_int_equal(nashc_diag_count(d, NASHC_NOTE), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {UNIT(nobody), UNIT(blame), UNIT(names_cannot_act),
                                       UNIT(silence)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
