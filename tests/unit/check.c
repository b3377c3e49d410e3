/* check.c: tests of core/check.c: what counts as equal. */
#include "unit.h"

static nashc_status
compare(nashc_ctx *c, const char *a, const char *b, bool inexact)
{
    nashc_module *x = unit_parse(c, a), *y = unit_parse(c, b);
    nashc_status s = nashc_check_equal(x, y, 20, 1, inexact, "step", nashc_ctx_diag(c));
    nashc_module_free(x);
    nashc_module_free(y);
    return s;
}

static void
filling(void **state)
{
    nashc_type t = nashc_type_ter();
    const int64_t dim = 64;
    nashc_buf b, again;
    (void)state;
    t = nashc_type_shaped(t, 1, &dim);
    assert_true(nashc_buf_alloc(&b, &t) && nashc_buf_alloc(&again, &t));
    for (int k = 0; k < 8; k++) {
        int n_hot = 0;
        nashc_fill(&b, k, 5, NULL, NULL);
        nashc_fill(&again, k, 5, NULL, NULL);
        assert_false(b.fault);
        for (int64_t i = 0; i < 64; i++) {
            int64_t v = nashc_buf_get_int(&b, i);
            assert_int_equal(v, nashc_buf_get_int(&again, i));
            assert_in_range(v + 1, 0, 2);
            if (k < 2)
                assert_int_equal(v, k ? 1 : -1);
            n_hot += v == 1;
        }
        if (k == 3)
            assert_int_equal(n_hot, 1);
    }
    nashc_buf_free(&b);
    nashc_buf_free(&again);
    t = nashc_type_shaped(nashc_type_bip(), 1, &dim);
    assert_true(nashc_buf_alloc(&b, &t));
    for (int k = 0; k < 8; k++) {
        nashc_fill(&b, k, 5, NULL, NULL);
        assert_false(b.fault);
        for (int64_t i = 0; i < 64; i++)
            assert_int_equal(llabs(nashc_buf_get_int(&b, i)), 1);
    }
    nashc_buf_free(&b);
}

static void
equal_graphs(void **state)
{
    assert_int_equal(compare(*state,
                             "graph @main(%x: i4[2,3]) -> (%y) {\n%y: u3[2,3] = nn.relu(%x)\n}\n",
                             "graph @main(%x: i4[2,3]) -> (%y) {\n"
                             "%r: u3[2,3] = nn.relu(%x)\n%y: u3[2,3] = nn.relu(%r)\n}\n",
                             false),
                     NASHC_OK);
    assert_int_equal(nashc_diag_count(nashc_ctx_diag(*state), NASHC_NOTE), 0);
}

static void
a_difference_is_described(void **state)
{
    assert_int_equal(compare(*state,
                             "graph @main(%x: u4[2]) -> (%y) {\n%y: u4[2] = nn.relu(%x)\n}\n",
                             "graph @main(%x: u4[2]) -> (%y) {\n%z: u4[2] = nn.relu(%x)\n"
                             "%y: i5<-15..15>[2] = nn.sub(%x, %z)\n}\n",
                             false),
                     NASHC_EMISMATCH);
    unit_expect_message(*state, "\"step\" changed the result: output \"y\" element [0] is 0, was");
}

/* As real numbers 10 * 0.7f lies below 7, in float32 it is 7: a boundary case, and too many. */
static void
boundary_cases_are_told_apart(void **state)
{
    static const char a[] = "graph @main(%x: u8[4096]) -> (%q) {\n"
                            "%c: f32[] = [0.7]\n"
                            "%m: f32[4096] = nn.mul(%x, %c)\n"
                            "%q: f32[4096] = nn.floor(%m)\n}\n";
    static const char b[] = "graph @main(%x: u8[4096]) -> (%q) {\n"
                            "%c: f64[] = [0.7]\n"
                            "%w: f64[4096] = nn.cast(%x) to=f64[]\n"
                            "%m: f64[4096] = nn.mul(%w, %c)\n"
                            "%q: f64[4096] = nn.floor(%m)\n}\n";
    assert_int_equal(compare(*state, a, a, false), NASHC_OK);
    assert_int_equal(compare(*state, a, b, false), NASHC_EMISMATCH);
    unit_expect_message(*state, "boundary cases");
}

/* 0.1 x + 0.2 x - 0.3 x is 0 but for the rounding of doubles, which graph a rounds up to 1. */
static void
ties_of_doubles_are_no_difference(void **state)
{
    static const char a[] = "graph @main(%x: u8[64]) -> (%y) {\n"
                            "%c: f64[] = [0.1]\n%d: f64[] = [0.2]\n%e: f64[] = [0.3]\n"
                            "%p: f32[64] = nn.mul(%x, %c)\n%q: f32[64] = nn.mul(%x, %d)\n"
                            "%r: f32[64] = nn.mul(%x, %e)\n%s: f32[64] = nn.add(%p, %q)\n"
                            "%t: f32[64] = nn.sub(%s, %r)\n%y: f32[64] = nn.ceil(%t)\n}\n";
    static const char b[] = "graph @main(%x: u8[64]) -> (%y) {\n"
                            "%c: f32[] = [0]\n%y: f32[64] = nn.mul(%x, %c)\n}\n";
    assert_int_equal(compare(*state, a, b, false), NASHC_OK);
}

/* What is computed exactly lies on a boundary or does not. */
static void
exact_ties_are_decided(void **state)
{
    static const char a[] = "graph @main(%x: u8[64]) -> (%y) {\n%c: f32[] = [0.5]\n"
                            "%p: f32[64] = nn.mul(%x, %c)\n%y: f32[64] = nn.round(%p)\n}\n";
    static const char b[] = "graph @main(%x: u8[64]) -> (%y) {\n%c: f32[] = [0.5]\n"
                            "%p: f32[64] = nn.mul(%x, %c)\n%q: f32[64] = nn.add(%p, %c)\n"
                            "%y: f32[64] = nn.floor(%q)\n}\n";
    assert_int_equal(compare(*state, a, b, false), NASHC_EMISMATCH);
    unit_expect_message(*state, "changed the result");
}

static void
interface_changes(void **state)
{
    assert_int_equal(
        compare(*state, "graph @main(%x: u4[2]) -> (%y) {\n%y: u4[2] = nn.relu(%x)\n}\n",
                "graph @main(%x: u4[3]) -> (%y) {\n%y: u4[3] = nn.relu(%x)\n}\n", false),
        NASHC_EMISMATCH);
    unit_expect_message(*state, "changed the interface");
}

/* With a quantiser in front of one graph only, inputs are drawn from its grid. */
static void
new_input_quantiser(void **state)
{
    assert_int_equal(compare(*state,
                             "graph @main(%x: f32[8]) -> (%y) {\n%y: f32[8] = nn.neg(%x)\n}\n",
                             "graph @main(%x: f32[8]) -> (%y) {\n"
                             "%s: f32[] = [0.25]\n%z: f32[] = [3]\n"
                             "%q: f32[8] = q.quant(%x, %s, %z) qmin=0 qmax=15\n"
                             "%y: f32[8] = nn.neg(%q)\n}\n",
                             false),
                     NASHC_OK);
    if (nashc_diag_count(nashc_ctx_diag(*state), NASHC_NOTE))
        unit_print_messages(*state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filling),
        UNIT(equal_graphs),
        UNIT(a_difference_is_described),
        UNIT(boundary_cases_are_told_apart),
        UNIT(interface_changes),
        UNIT(new_input_quantiser),
        UNIT(ties_of_doubles_are_no_difference),
        UNIT(exact_ties_are_decided),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
