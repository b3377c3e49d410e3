/* quant.c: tests of ir/ops/quant.c: float32 rounding after each step, and none in wide mode. */
#include "unit.h"
#include <math.h>

/* Result of q.quant with scale s, zero point z on x; attrs more attributes. */
static double
quant(nashc_ctx *c, const char *type, const char *s, const char *z, const char *attrs, double x,
      uint32_t flags)
{
    char text[512];
    nashc_buf in, out;
    const nashc_buf *pin[] = {&in};

    snprintf(text, sizeof text,
             "graph @main(%%x: f32[1]) -> (%%y) {\n%%s: %s\n%%z: f32[] = [%s]\n"
             "%%y: %s[1] = q.quant(%%x, %%s, %%z) %s\n}\n",
             s, z, type, attrs);
    nashc_module *m = unit_parse(c, text);
    const nashc_graph *g = nashc_module_main(m);
    assert_true(nashc_buf_alloc(&in, nashc_value_type(nashc_graph_input(g, 0))));
    nashc_buf_set(&in, 0, x);
    assert_int_equal(nashc_run_graph(g, pin, &out, flags, NULL, NULL, nashc_ctx_diag(c)), NASHC_OK);
    double y = nashc_buf_get(&out, 0);
    nashc_buf_free(&in);
    nashc_buf_free(&out);
    nashc_module_free(m);
    return y;
}

static void
steps_round_to_f32(void **state)
{
    static const char attrs[] = "qmin=-128 qmax=127 codes=true";
    float s = 0.1f;

    /* k + 1/2 steps of 0.1f: float32 division meets the tie, the real quotient may not */
    for (int k = 0; k < 100; k++) {
        float x = ((float)k + 0.5f) * s;
        volatile float u = x / s;
        double narrow = quant(*state, "i8", "f32[] = [0.1]", "0", attrs, (double)x, 0);
        double wide = quant(*state, "i8", "f32[] = [0.1]", "0", attrs, (double)x, NASHC_EVAL_WIDE);
        assert_true(narrow == nearbyint((double)u));
        assert_true(wide == nearbyint((double)x / (double)s));
    }
}

static void
result_rounds_to_f32(void **state)
{
    static const char attrs[] = "qmin=-128 qmax=127";
    float s = 0.1f;

    assert_true(quant(*state, "f32", "f32[] = [0.1]", "0", attrs, 0.3, 0) == (double)(3.0f * s));
    assert_true(quant(*state, "f32", "f32[] = [0.1]", "0", attrs, 0.3, NASHC_EVAL_WIDE) ==
                3.0 * (double)s);
    /* an f64 scale is used as it is, the result is f32 all the same */
    assert_true(quant(*state, "f32", "f64[] = [0.1]", "0", attrs, 0.3, 0) ==
                (double)(float)(3.0 * 0.1));
}

static void
zero_point_is_added_in_f32(void **state)
{
    /* 2^24 + 1.5 is not a float32: the sum rounds before the clamp */
    static const char attrs[] = "qmin=0 qmax=33554432 codes=true rounding=floor";

    assert_true(quant(*state, "u26<0..33554432>", "f32[] = [1]", "16777216", attrs, 1.5, 0) ==
                16777218);
    assert_true(quant(*state, "u26<0..33554432>", "f32[] = [1]", "16777216", attrs, 1.5,
                      NASHC_EVAL_WIDE) == 16777217);
}

static void
rounding_before_the_zero_point(void **state)
{
    static const char after[] = "qmin=0 qmax=255 codes=true";
    static const char before[] = "qmin=0 qmax=255 codes=true round_before_zp=true";

    /* an odd zero point moves the even neighbour of a tie */
    assert_true(quant(*state, "u8", "f32[] = [1]", "1", after, 0.5, 0) == 2);
    assert_true(quant(*state, "u8", "f32[] = [1]", "1", before, 0.5, 0) == 1);
    assert_true(quant(*state, "u8", "f32[] = [1]", "1", before, 1e9, 0) == 255);
}

static void
nan_stays(void **state)
{
    assert_true(isnan(quant(*state, "f32", "f32[] = [1]", "0", "qmin=0 qmax=3", NAN, 0)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {UNIT(steps_round_to_f32), UNIT(result_rounds_to_f32),
                                       UNIT(zero_point_is_added_in_f32),
                                       UNIT(rounding_before_the_zero_point), UNIT(nan_stays)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
