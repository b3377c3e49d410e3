/* registry.c: tests of core/registry.c: what a plugin may bring, and how it is found. */
#include "unit.h"

static nashc_status
do_nothing(nashc_run *r, nashc_graph *g)
{
    (void)r;
    (void)g;
    return NASHC_OK;
}

static const nashc_pass good_pass = {NASHC_DESC(nashc_pass), .name = "unit-pass",
                                     .alias = "UnitPass|UnitPassOld", .help = "for tests",
                                     .run = do_nothing};
static const nashc_pass clashing_pass = {NASHC_DESC(nashc_pass), .name = "unit-pass",
                                         .help = "for tests", .run = do_nothing};
static const nashc_pass override_pass = {NASHC_DESC(nashc_pass), .flags = NASHC_F_OVERRIDE,
                                         .name = "unit-pass", .help = "for tests",
                                         .run = do_nothing};
static const nashc_pass helpless_pass = {NASHC_DESC(nashc_pass), .name = "unit-helpless",
                                         .run = do_nothing};
static const nashc_pass empty_pass = {NASHC_DESC(nashc_pass), .name = "unit-empty",
                                      .help = "for tests"};
static const nashc_pass small_pass = {
    .struct_size = 16, .name = "unit-small", .help = "for tests", .run = do_nothing};

static const nashc_param bad_params[] = {
    {.name = "n", .def = "9", .domain = "0..4", .help = "out of domain", .kind = NASHC_P_INT}, {0}};
static const nashc_pass bad_schema = {NASHC_DESC(nashc_pass), .name = "unit-schema",
                                      .help = "for tests", .options = bad_params,
                                      .run = do_nothing};

static nashc_plugin
plugin_of(const nashc_pass *const *passes)
{
    return (nashc_plugin){NASHC_DESC(nashc_plugin), .abi = NASHC_ABI,    .name = "unit",
                          .version = "1",           .help = "for tests", .passes = passes};
}

static void
builtins_are_sound(void **state)
{
    if (nashc_diag_count(nashc_ctx_diag(*state), NASHC_NOTE) > 0)
        unit_print_messages(*state);
    assert_int_equal(nashc_diag_count(nashc_ctx_diag(*state), NASHC_NOTE), 0);
    assert_non_null(nashc_find(*state, NASHC_D_EXECUTOR, "reference"));
    assert_non_null(nashc_find(*state, NASHC_D_OP, "nn.conv"));
    assert_non_null(nashc_find(*state, NASHC_D_FRONTEND, "nashir"));
}

static void
pipelines_parse(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    const nashc_pipeline *p;
    for (int i = 0; (p = nashc_desc_at(*state, NASHC_D_PIPELINE, i)); i++)
        if (nashc_check_pipeline(*state, p->name, d) != NASHC_OK)
            fail_msg("pipeline %s: %s", p->name, nashc_diag_text(d, 0));
}

static void
names_and_aliases(void **state)
{
    const nashc_pass *const list[] = {&good_pass, NULL};
    nashc_plugin p = plugin_of(list);
    nashc_diag *d = nashc_ctx_diag(*state);
    assert_int_equal(nashc_register(*state, &p, "unit.so", d), NASHC_OK);
    assert_ptr_equal(nashc_find(*state, NASHC_D_PASS, "unit-pass"), &good_pass);
    assert_ptr_equal(nashc_find(*state, NASHC_D_PASS, "UnitPass"), &good_pass);
    assert_ptr_equal(nashc_find(*state, NASHC_D_PASS, "UnitPassOld"), &good_pass);
    assert_null(nashc_find(*state, NASHC_D_PASS, "UnitPass|UnitPassOld"));
    assert_null(nashc_lookup(*state, NASHC_D_PASS, "unit-pas", d));
    unit_expect_message(*state, "unknown pass \"unit-pas\"; did you mean \"unit-pass\"");
    int last = 0;
    while (nashc_desc_at(*state, NASHC_D_PASS, last + 1))
        last++;
    assert_string_equal(nashc_desc_origin(*state, NASHC_D_PASS, last), "unit.so");
}

/* Refused as a whole: neither the good nor the bad pass is there afterwards. */
static void
expect_refusal(nashc_ctx *c, const nashc_pass *bad, const char *why)
{
    const nashc_pass *const list[] = {&good_pass, bad, NULL};
    nashc_plugin p = plugin_of(list);
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_diag_truncate(d, 0);
    assert_int_not_equal(nashc_register(c, &p, "unit.so", d), NASHC_OK);
    unit_expect_message(c, why);
    unit_expect_message(c, "unit.so");
    assert_int_equal(nashc_diag_count(d, NASHC_ERROR), 1);
    assert_null(nashc_find(c, NASHC_D_PASS, "unit-pass"));
}

static void
faults_refuse_the_unit(void **state)
{
    expect_refusal(*state, &helpless_pass, "no help");
    expect_refusal(*state, &empty_pass, "neither patterns nor run");
    expect_refusal(*state, &small_pass, "struct_size");
    expect_refusal(*state, &bad_schema, "option \"n\"");
    expect_refusal(*state, &clashing_pass,
                   "the name \"unit-pass\" is taken by pass \"unit-pass\" from the same plugin");
}

static void
clashes(void **state)
{
    const nashc_pass *const first[] = {&good_pass, NULL}, *const second[] = {&clashing_pass, NULL};
    const nashc_pass *const third[] = {&override_pass, NULL};
    nashc_plugin p = plugin_of(first), q = plugin_of(second), r = plugin_of(third);
    nashc_diag *d = nashc_ctx_diag(*state);
    assert_int_equal(nashc_register(*state, &p, "p.so", d), NASHC_OK);
    assert_int_equal(nashc_register(*state, &q, "q.so", d), NASHC_EINPUT);
    unit_expect_message(*state,
                        "q.so: error: pass \"unit-pass\": the name \"unit-pass\" is taken by "
                        "pass \"unit-pass\" from p.so");
    assert_int_equal(nashc_register(*state, &r, "r.so", d), NASHC_OK);
    assert_ptr_equal(nashc_find(*state, NASHC_D_PASS, "unit-pass"), &override_pass);
    assert_ptr_equal(nashc_find(*state, NASHC_D_PASS, "UnitPass"), &good_pass);
}

static void
abi(void **state)
{
    nashc_plugin p = plugin_of(NULL);
    p.abi = (NASHC_ABI_MAJOR + 1u) << 16;
    assert_int_not_equal(nashc_register(*state, &p, "new.so", nashc_ctx_diag(*state)), NASHC_OK);
    unit_expect_message(*state, "new.so: error: built for plugin ABI 3.0, this nashc provides 2.1");
}

static nashc_status
register_warning(nashc_ctx *c, const nashc_warn *w, size_t size)
{
    const nashc_warn *const list[] = {w, NULL};
    nashc_plugin p = plugin_of(NULL);
    p.struct_size = (uint32_t)size;
    p.warnings = list;
    return nashc_register(c, &p, "w.so", nashc_ctx_diag(c));
}

static void
expect_unnameable(nashc_ctx *c, const char *name)
{
    const nashc_warn bad = {NASHC_DESC(nashc_warn), .name = name, .help = "for tests"};
    nashc_diag_truncate(nashc_ctx_diag(c), 0);
    assert_int_equal(register_warning(c, &bad, sizeof(nashc_plugin)), NASHC_EINPUT);
    unit_expect_message(c, "-W reads this name as something else");
}

/* Plugins bring warnings; those of before there were lists end in front of theirs. */
static void
warnings(void **state)
{
    static const nashc_warn w = {NASHC_DESC(nashc_warn), .name = "unit-odd", .help = "for tests"};
    nashc_diag *d = nashc_ctx_diag(*state);
    const size_t old = offsetof(nashc_plugin, warnings);
    assert_int_equal(register_warning(*state, &w, old), NASHC_OK);
    assert_null(nashc_find(*state, NASHC_D_WARNING, "unit-odd"));
    assert_int_equal(nashc_check_warn_option(*state, "no-unit-odd", d), NASHC_OK);
    unit_expect_message(*state, "nashc: warning: -Wno-unit-odd: there is no warning \"unit-odd\"");
    nashc_diag_truncate(d, 0);
    assert_int_equal(register_warning(*state, &w, sizeof(nashc_plugin)), NASHC_OK);
    assert_ptr_equal(nashc_find(*state, NASHC_D_WARNING, "unit-odd"), &w);
    assert_int_equal(nashc_check_warn_option(*state, "error=unit-odd", d), NASHC_OK);
    assert_int_equal(nashc_diag_count(d, NASHC_NOTE), 0);
    assert_int_equal(register_warning(*state, &w, sizeof(nashc_plugin)), NASHC_EINPUT);
    unit_expect_message(*state, "\"unit-odd\" is taken by warning \"unit-odd\" from w.so");
    expect_unnameable(*state, "all");
    expect_unnameable(*state, "error");
    expect_unnameable(*state, "no-error");
}

static void
unknown_operators(void **state)
{
    const nashc_op *op = nashc_find(*state, NASHC_D_OP, "unknown.FooBar");
    assert_non_null(op);
    assert_true(op->flags & NASHC_OP_OPAQUE);
    assert_ptr_equal(op, nashc_find(*state, NASHC_D_OP, "unknown.FooBar"));
    assert_null(nashc_find(*state, NASHC_D_OP, "unknown."));
    assert_null(nashc_find(*state, NASHC_D_OP, "nn.nothing"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(builtins_are_sound),
        UNIT(pipelines_parse),
        UNIT(names_and_aliases),
        UNIT(faults_refuse_the_unit),
        UNIT(clashes),
        UNIT(abi),
        UNIT(warnings),
        UNIT(unknown_operators),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
