/* rule_api.c: tests of passes/integer/rule_api.c: operators of plugins, with and without rule. */
#include "unit.h"

/* --- operators of a plugin
 * ---------------------------------------------------------------------
 */

static double
apply(const nashc_node *n, const nashc_buf *x, int64_t i)
{
    double v = nashc_buf_get(x, i);
    if (nashc_node_is(n, "t.cube"))
        return v * v * v;
    if (nashc_node_is(n, "t.fold"))
        return v * v;
    if (nashc_node_is(n, "t.reverse")) /* the features, backwards */
        return nashc_buf_get(x, x->n - 1 - i);
    return nashc_buf_get(x, 2 * i) + nashc_buf_get(x, 2 * i + 1); /* t.pair_sum */
}

static nashc_status
eval(nashc_eval *e, const nashc_node *n)
{
    nashc_buf *y = nashc_eval_out(e, 0);
    for (int64_t i = 0; i < y->n; i++)
        nashc_buf_set(y, i, apply(n, nashc_eval_in(e, 0), i));
    return NASHC_OK;
}

static nashc_status
same_type(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    (void)d;
    *out = *nashc_value_type(nashc_node_in(n, 0));
    return NASHC_OK;
}

static nashc_status
pair_type(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    (void)d;
    *out = *x;
    out->dim[1] /= 2;
    if (nashc_type_is_int(x))
        nashc_type_set_range(out, 2 * x->lo, 2 * x->hi);
    return NASHC_OK;
}

/* Floats only. */
static const nashc_op cube = {NASHC_DESC(nashc_op), .flags = NASHC_OP_ELTWISE | NASHC_OP_MONOTONE,
                              .name = "t.cube",     .help = "x^3",
                              .min_in = 1,          .max_in = 1,
                              .min_out = 1,         .max_out = 1,
                              .infer = same_type,   .eval = eval};
static const nashc_op fold = {NASHC_DESC(nashc_op), .flags = NASHC_OP_ELTWISE,
                              .name = "t.fold",     .help = "x^2",
                              .min_in = 1,          .max_in = 1,
                              .min_out = 1,         .max_out = 1,
                              .infer = same_type,   .eval = eval};
static const nashc_op reverse = {NASHC_DESC(nashc_op), .flags = NASHC_OP_SHAPE,
                                 .name = "t.reverse",  .help = "features backwards",
                                 .min_in = 1,          .max_in = 1,
                                 .min_out = 1,         .max_out = 1,
                                 .infer = same_type,   .eval = eval};
static const nashc_op pair_sum = {NASHC_DESC(nashc_op), .name = "t.pair_sum", .help = "sums of two",
                                  .min_in = 1,          .max_in = 1,          .min_out = 1,
                                  .max_out = 1,         .infer = pair_type,   .eval = eval};

/* --- the rule of one of them -------------------------------------------------------------------
 */

static int n_called, n_growth;

/* Sums of scale * i + bias: scale * (sum of i) + 2 bias. */
static bool
rebuild_pair_sum(nashc_integer_walk *walk, nashc_node *n)
{
    nashc_value *v = nashc_node_in(n, 0);
    const nashc_type *t = nashc_value_type(v);
    n_called++;
    if (nashc_integer_kind_of(walk, v) == NASHC_INTEGER_FUNCTION)
        return nashc_integer_no(walk, "the pairs are not affine");
    assert_int_equal(nashc_integer_kind_of(walk, v), NASHC_INTEGER_AFFINE);
    nashc_integer_form *x = nashc_integer_affine(walk, v);
    assert_non_null(x);
    assert_true(nashc_integer_at(nashc_integer_least(x), t, 0) <=
                nashc_integer_at(nashc_integer_most(x), t, 0));
    if (nashc_integer_varies(nashc_integer_scale(x), t, 1))
        return nashc_integer_no(walk, "the scale varies within a pair");
    if (!nashc_integer_uniform(nashc_integer_bias(x)))
        return nashc_integer_no(walk, "the offset varies within a pair");
    nashc_value *in = nashc_integer_of(x);
    nashc_node *sum = nashc_integer_like(walk, n, &in, 1);
    return nashc_integer_anchor(
        walk, nashc_node_out(n, 0), sum ? nashc_node_out(sum, 0) : NULL, nashc_integer_scale(x),
        nashc_integer_sum(walk, nashc_integer_bias(x), nashc_integer_bias(x)), NULL, NULL);
}

static int
pair_growth(nashc_integer_walk *walk, const nashc_node *n)
{
    n_growth++;
    assert_non_null(nashc_integer_arena(walk));
    assert_true(nashc_node_is(n, "t.pair_sum"));
    return 1;
}

static const nashc_integer_rule rule = {NASHC_DESC(nashc_integer_rule), .rebuild = rebuild_pair_sum,
                                        .growth = pair_growth};
static const nashc_impl impl = NASHC_IMPL_SCALED_INTEGER("t.pair_sum", &rule);

static const nashc_op *const ops[] = {&cube, &fold, &reverse, &pair_sum, NULL};
static const nashc_impl *const impls[] = {&impl, NULL};
static const nashc_plugin plugin = {NASHC_DESC(nashc_plugin),
                                    .abi = NASHC_ABI,
                                    .name = "unit",
                                    .version = "1",
                                    .help = "h",
                                    .ops = ops,
                                    .impls = impls};

static int
setup(void **state)
{
    nashc_ctx *c = nashc_ctx_create();
    *state = c;
    n_called = n_growth = 0;
    return c && nashc_register(c, &plugin, "unit.so", nashc_ctx_diag(c)) == NASHC_OK ? 0 : -1;
}

/* --- networks ----------------------------------------------------------------------------------
 */

/* body gives %v from %a, floats of x; a quantiser follows. The streamlined graph, which agrees with
 * the model on random inputs and corners. */
static nashc_module *
streamlined(nashc_ctx *c, const char *input, const char *body, const char *output)
{
    char text[2048];
    snprintf(text, sizeof text,
             "graph @main(%%x: %s) -> (%%y) {\n  %%s: f32[] = [0.25]\n  %%z: f32[] = [0]\n"
             "  %%a: f32[1,4] = nn.mul(%%x, %%s)\n%s"
             "  %%y: f32%s = q.quant(%%v, %%s, %%z) qmin=-8 qmax=7\n}\n",
             input, body, output);
    nashc_module *m = unit_parse(c, text);
    nashc_pm_options o = {.struct_size = sizeof o,
                          .verify_each = 3,
                          .check_each = 200,
                          .seed = 1,
                          .bisect_limit = -1,
                          .explain = (const char *const[]){"scaled-integer", NULL}};
    nashc_status s = nashc_run_pipeline(&m, "scaled-integer", &o, nashc_ctx_diag(c));
    if (s != NASHC_OK)
        unit_print_messages(c);
    assert_int_equal(s, NASHC_OK);
    return m;
}

static void
a_rule_makes_integers(void **state)
{
    nashc_module *m = streamlined(*state, "i4[1,4]", "  %v: f32[1,2] = t.pair_sum(%a)\n", "[1,2]");
    assert_int_equal(n_called, 1);
    unit_expect_text(m, "i5<-16..14>[1,2] = t.pair_sum(%x)", true);
    unit_expect_text(m, "q.multithreshold", true);
    unit_expect_text(m, "q.quant", false);
    nashc_module_free(m);
}

/* Offsets are carried along, and layers go on from what the rule gave. */
static void
layers_go_on_behind_a_rule(void **state)
{
    const char *body = "  %o: f32[] = [0.75]\n  %b: f32[1,4] = nn.add(%a, %o)\n"
                       "  %p: f32[1,2] = t.pair_sum(%b)\n  %w: f32[2,3] = [1,-2,3,0,1,-1]\n"
                       "  %v: f32[1,3] = nn.matmul(%p, %w)\n";
    nashc_module *m = streamlined(*state, "i4[1,4]", body, "[1,3]");
    unit_expect_text(m, "[1,2] = t.pair_sum(%x)", true);
    unit_expect_text(m, "f32[1,3] = nn.matmul", false);
    unit_expect_text(m, "nn.add", false);
    nashc_module_free(m);
}

/* Behind a sum of unrelated scales, the rule is asked how many bits it takes. */
static void
pending_sums_leave_room_for_a_rule(void **state)
{
    const char *body = "  %r: f32[] = [0.3]\n  %b: f32[1,4] = t.reverse(%a)\n"
                       "  %c: f32[1,4] = nn.mul(%b, %r)\n  %u: f32[1,4] = nn.add(%a, %c)\n"
                       "  %v: f32[1,2] = t.pair_sum(%u)\n";
    nashc_module *m = streamlined(*state, "i4[1,4]", body, "[1,2]");
    assert_int_equal(n_called, 1);
    assert_true(n_growth > 0);
    unit_expect_text(m, "f32[1,2] = t.pair_sum", false);
    nashc_module_free(m);
}

static void
what_a_rule_refuses_stays_in_float(void **state)
{
    const char *cubed = "  %c: f32[1,4] = t.cube(%a)\n  %v: f32[1,2] = t.pair_sum(%c)\n";
    const char *scaled = "  %g: f32[4] = [1,2,3,4]\n  %c: f32[1,4] = nn.mul(%a, %g)\n"
                         "  %v: f32[1,2] = t.pair_sum(%c)\n";
    for (int i = 0; i < 2; i++) {
        nashc_module *m = streamlined(*state, "i4[1,4]", i ? scaled : cubed, "[1,2]");
        assert_int_equal(n_called, i + 1);
        unit_expect_text(m, "f32[1,2] = t.pair_sum", true);
        unit_expect_text(m, "q.quant", true);
        unit_expect_message(*state, i ? "the scale varies within a pair" : "are not affine");
        nashc_diag_truncate(nashc_ctx_diag(*state), 0);
        nashc_module_free(m);
    }
}

/* In front of the first quantiser there are no integers to ask a rule for. */
static void
rules_are_not_asked_for_floats(void **state)
{
    nashc_module *m = streamlined(*state, "f32[1,4]", "  %v: f32[1,2] = t.pair_sum(%a)\n", "[1,2]");
    assert_int_equal(n_called, 0);
    nashc_module_free(m);
}

/* --- no rule at all ----------------------------------------------------------------------------
 */

/* 2^26 integers are not tried: that there are thresholds shows that the flag was believed. */
static void
monotone_operators_need_no_rule(void **state)
{
    nashc_module *m = streamlined(*state, "i26[1,4]", "  %v: f32[1,4] = t.cube(%a)\n", "[1,4]");
    unit_expect_text(m, "t.cube", false);
    unit_expect_text(m, "= q.multithreshold(%x", true);
    nashc_module_free(m);
}

static void
other_elementwise_operators_become_tables(void **state)
{
    nashc_module *m = streamlined(*state, "i6[1,4]", "  %v: f32[1,4] = t.fold(%a)\n", "[1,4]");
    unit_expect_text(m, "t.fold", false);
    unit_expect_text(m, "= q.lut(%x", true);
    nashc_module_free(m);
}

/* Scales that differ by feature move along. */
static void
moving_operators_need_no_rule(void **state)
{
    const char *body = "  %g: f32[4] = [1,2,3,-4]\n  %c: f32[1,4] = nn.mul(%a, %g)\n"
                       "  %r: f32[1,4] = t.reverse(%c)\n  %v: f32[1,4] = t.cube(%r)\n";
    nashc_module *m = streamlined(*state, "i6[1,4]", body, "[1,4]");
    unit_expect_text(m, "i6[1,4] = t.reverse(%x)", true);
    unit_expect_text(m, "q.multithreshold", true);
    unit_expect_text(m, "f32[1,4] = t", false);
    nashc_module_free(m);
}

#define RULE(f) cmocka_unit_test_setup_teardown(f, setup, unit_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RULE(a_rule_makes_integers),
        RULE(layers_go_on_behind_a_rule),
        RULE(pending_sums_leave_room_for_a_rule),
        RULE(what_a_rule_refuses_stays_in_float),
        RULE(rules_are_not_asked_for_floats),
        RULE(monotone_operators_need_no_rule),
        RULE(other_elementwise_operators_become_tables),
        RULE(moving_operators_need_no_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
