/* rows.c: tests of frontends/onnx/rows.c: lists of attributes, and the index over tables. */
#include "frontends/onnx/rows.h"
#include "unit.h"

static void
test_attribute_list(void **state)
{
    static const char text[] = "alpha:f  epsilon>eps:f momentum-:F value-:*";
    static const struct {
        const char *name, *ir;
        char kind;
        bool copied;
    } want[] = {{"alpha", "alpha", 'f', true},
                {"epsilon", "eps", 'f', true},
                {"momentum", "momentum", 'F', false},
                {"value", "value", '*', false}};
    const char *at = text;
    onnx_attr_spec spec;

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(want); i++) {
        assert_true(onnx_attr_next(&at, &spec));
        assert_string_equal(spec.name, want[i].name);
        assert_string_equal(spec.ir, want[i].ir);
        assert_int_equal(spec.kind, want[i].kind);
        assert_int_equal(spec.copied, want[i].copied);
    }
    assert_false(onnx_attr_next(&at, &spec));
}

/* Each is one entry of kind 0, and then the end, however little text there is. */
static void
test_malformed_lists(void **state)
{
    static const char *const bad[] = {"alpha",
                                      "alpha:",
                                      "alpha:x",
                                      "alpha:ff",
                                      ":f",
                                      ">eps:f",
                                      "alpha>:f",
                                      "alpha>",
                                      "alpha-",
                                      "alpha f",
                                      "a_name_of_more_than_thirty_one_letters:f"};
    onnx_attr_spec spec;

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(bad); i++) {
        const char *at = bad[i];
        assert_true(onnx_attr_next(&at, &spec));
        assert_int_equal(spec.kind, 0);
        assert_false(onnx_attr_next(&at, &spec));
    }
}

static void
test_domain_names(void **state)
{
    (void)state;
    assert_string_equal(onnx_domain_of(""), "ai.onnx");
    assert_string_equal(onnx_domain_of("ai.onnx"), "ai.onnx");
    assert_string_equal(onnx_domain_of("onnx.brevitas"), "qonnx.custom_op.general");
    assert_string_equal(onnx_domain_of("finn.custom_op.general"), "qonnx.custom_op.general");
    assert_string_equal(onnx_domain_of("finn.custom_op.fpgadataflow.hls"),
                        "finn.custom_op.fpgadataflow");
    assert_string_equal(onnx_domain_of("com.example"), "com.example");
}

/* --- the index ---------------------------------------------------------------------------------
 */

static const nashc_onnx_row first_rows[] = {
    {"com.unit", "Twin", 1, "nn.relu", "", 1, 1, 1, 0, NULL},
    {"com.unit", "Twin", 5, "nn.abs", "", 1, 1, 1, 0, NULL},
    {"com.unit", "MyFloor", 2, "nn.floor", "", 1, 1, 1, 0, NULL},
    {"com.unit", "Gone", 3, NULL, "is gone", 0, -1, 1, NASHC_ONNX_REFUSE, NULL},
    {"com.unit", "*", 1, NULL, "", 0, -1, 9, NASHC_ONNX_KEEP, NULL},
    {0}};
static const nashc_onnx_row twin_rows[] = {{"com.unit", "Twin", 5, "nn.neg", "", 1, 1, 1, 0, NULL},
                                           {0}};
static const nashc_onnx_row lut_rows[] = {{"com.unit", "Old", 1, "q.lut", "", 1, 2, 1, 0, NULL},
                                          {"com.unit", "New", 4, "q.lut", "", 1, 2, 1, 0, NULL},
                                          {"com.later", "Lut", 9, "q.lut", "", 1, 2, 1, 0, NULL},
                                          {0}};
static const nashc_impl first = NASHC_IMPL_ONNX("com.unit", first_rows);
static const nashc_impl twin = NASHC_IMPL_ONNX("com.unit.twin", twin_rows);
static const nashc_impl lut = NASHC_IMPL_ONNX("com.unit.lut", lut_rows);
static const nashc_impl override = {NASHC_DESC(nashc_impl), .flags = NASHC_F_OVERRIDE,
                                    .iface = "onnx", .op = "com.unit.override", .rule = twin_rows};

static void
add(nashc_ctx *c, nashc_plugin *p, const nashc_impl *const *impls, const char *origin)
{
    *p = (nashc_plugin){NASHC_DESC(nashc_plugin), .abi = NASHC_ABI,    .name = "unit",
                        .version = "1",           .help = "for tests", .impls = impls};
    assert_int_equal(nashc_register(c, p, origin, nashc_ctx_diag(c)), NASHC_OK);
}

static const onnx_rows *
index_of(nashc_ctx *c, nashc_arena *a)
{
    const onnx_rows *m = NULL;

    assert_int_equal(onnx_rows_build(c, a, nashc_ctx_diag(c), &m), NASHC_OK);
    return m;
}

static void
test_versions(void **state)
{
    static const nashc_impl *const impls[] = {&first, NULL};
    nashc_arena *a = nashc_arena_create();
    nashc_plugin p;
    int since;

    add(*state, &p, impls, "a.so");
    const onnx_rows *m = index_of(*state, a);
    assert_string_equal(onnx_rows_find(m, "com.unit", "Twin", 4, &since)->op, "nn.relu");
    assert_string_equal(onnx_rows_find(m, "com.unit", "Twin", 5, &since)->op, "nn.abs");
    assert_string_equal(onnx_rows_find(m, "com.unit", "Twin", 99, &since)->op, "nn.abs");
    assert_int_equal(since, 1);
    assert_null(onnx_rows_find(m, "com.unit", "Gone", 2, &since));
    assert_int_equal(since, 3);
    assert_true(onnx_rows_find(m, "com.unit", "Any", 1, &since)->flags & NASHC_ONNX_KEEP);
    assert_null(onnx_rows_find(m, "com.other", "Twin", 5, &since));
    assert_int_equal(since, 0);
    assert_true(onnx_rows_has_domain(m, "com.unit"));
    assert_false(onnx_rows_has_domain(m, "com.other"));
    nashc_arena_free(a);
}

static void
test_writers(void **state)
{
    static const nashc_impl *const impls[] = {&first, &lut, NULL};
    nashc_arena *a = nashc_arena_create();
    nashc_plugin p;

    add(*state, &p, impls, "a.so");
    const onnx_rows *m = index_of(*state, a);
    /* the standard's own row, the higher version, the domain that came first */
    assert_string_equal(onnx_rows_for_op(m, "nn.floor")->name, "Floor");
    assert_string_equal(onnx_rows_for_op(m, "nn.identity")->name, "Identity");
    assert_string_equal(onnx_rows_for_op(m, "q.lut")->name, "New");
    assert_null(onnx_rows_for_op(m, "q.requant"));
    nashc_arena_free(a);
}

static void
test_clash(void **state)
{
    static const nashc_impl *const impls[] = {&first, NULL}, *const twins[] = {&twin, NULL};
    nashc_arena *a = nashc_arena_create();
    nashc_plugin p, q;
    const onnx_rows *m;

    add(*state, &p, impls, "a.so");
    add(*state, &q, twins, "b.so");
    assert_int_equal(onnx_rows_build(*state, a, nashc_ctx_diag(*state), &m), NASHC_EINPUT);
    unit_expect_message(*state, "b.so: ONNX operator com.unit.Twin of version 5 exists already");
    unit_expect_message(*state, "from a.so");
    nashc_arena_free(a);
}

static void
test_override(void **state)
{
    static const nashc_impl *const impls[] = {&first, NULL}, *const over[] = {&override, NULL};
    nashc_arena *a = nashc_arena_create();
    nashc_plugin p, q;
    int since;

    add(*state, &p, impls, "a.so");
    add(*state, &q, over, "b.so");
    const onnx_rows *m = index_of(*state, a);
    assert_string_equal(onnx_rows_find(m, "com.unit", "Twin", 5, &since)->op, "nn.neg");
    assert_string_equal(onnx_rows_find(m, "com.unit", "Twin", 4, &since)->op, "nn.relu");
    nashc_arena_free(a);
}

/* Each row is refused with a message that says what is wrong with it. */
static void
test_illegal_rows(void **state)
{
    static const struct {
        nashc_onnx_row rows[2];
        const char *message;
    } cases[] = {
        {{{"com.unit", "A", 0, "nn.relu", "", 1, 1, 1, 0, NULL}}, "since is below 1"},
        {{{NULL, "A", 1, "nn.relu", "", 1, 1, 1, 0, NULL}}, "no domain or no name"},
        {{{"com.unit", "A", 1, "nn.relu", "", 1, 1, 0, 0, NULL}}, "counts are not ranges"},
        {{{"com.unit", "A", 1, "nn.no", "", 1, 1, 1, 0, NULL}}, "no IR operator \"nn.no\""},
        {{{"com.unit", "A", 1, NULL, "", 1, 1, 1, 0, NULL}}, "neither an IR operator"},
        {{{"com.unit", "*", 1, "nn.relu", "", 1, 1, 1, 0, NULL}}, "no 1:1 row"},
        {{{"com.unit", "A", 1, "nn.relu", NULL, 1, 1, 1, 0, NULL}}, "no attrs"},
        {{{"com.unit", "A", 1, "nn.elu", "alpha", 1, 1, 1, 0, NULL}}, "malformed at \"alpha\""},
        {{{"com.unit", "A", 1, "nn.elu", "beta:f", 1, 1, 1, 0, NULL}}, "no attribute \"beta\""},
        {{{"com.unit", "A", 1, "nn.elu", "alpha:t", 1, 1, 1, 0, NULL}}, "cannot be copied"},
    };

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(cases); i++) {
        nashc_ctx *c = nashc_ctx_create();
        nashc_arena *a = nashc_arena_create();
        const nashc_impl impl = NASHC_IMPL_ONNX("com.unit", cases[i].rows);
        const nashc_impl *const impls[] = {&impl, NULL};
        const onnx_rows *m;
        nashc_plugin p;
        add(c, &p, impls, "a.so");
        assert_int_equal(onnx_rows_build(c, a, nashc_ctx_diag(c), &m), NASHC_EINPUT);
        unit_expect_message(c, cases[i].message);
        unit_expect_message(c, "a.so: ONNX operator");
        nashc_arena_free(a);
        nashc_ctx_free(c);
    }
}

static void
test_in_order(void **state)
{
    static const nashc_impl *const impls[] = {&first, NULL};
    const nashc_onnx_row *row, *last = NULL;
    const char *origin, *of_last = "";
    nashc_plugin p;
    int n = 0;

    add(*state, &p, impls, "a.so");
    for (; (row = onnx_rows_at(*state, n, &origin)); n++) {
        last = row;
        of_last = origin;
        assert_string_equal(origin,
                            n && row >= first_rows && row < first_rows + 5 ? "a.so" : "built-in");
    }
    assert_true(n > 100);
    assert_string_equal(last->name, "*");
    assert_string_equal(of_last, "a.so");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attribute_list),
        cmocka_unit_test(test_malformed_lists),
        cmocka_unit_test(test_domain_names),
        UNIT(test_versions),
        UNIT(test_writers),
        UNIT(test_clash),
        UNIT(test_override),
        cmocka_unit_test(test_illegal_rows),
        UNIT(test_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
