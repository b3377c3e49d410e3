/* attr.c: tests of ir/attr.c and ir/attr_node.c: values of schemas. */
#include "core/base/attr.h"
#include "core/base/rng.h"
#include "support.h"

static void
values_print_as_they_are_read(void **state)
{
    static const struct {
        nashc_param p;
        const char *text;
    } rows[] = {
        {{.name = "b", .kind = NASHC_P_BOOL}, "true"},
        {{.name = "i", .kind = NASHC_P_INT, .domain = "-5.."}, "-5"},
        {{.name = "f", .kind = NASHC_P_FLOAT, .domain = "0..1"}, "0.25"},
        {{.name = "f", .kind = NASHC_P_FLOAT}, "-inf"},
        {{.name = "e", .kind = NASHC_P_ENUM, .domain = "floor|ceil|half_up"}, "half_up"},
        {{.name = "s", .kind = NASHC_P_STRING}, "\"a \\\"b\\\"\""},
        {{.name = "l", .kind = NASHC_P_INTS, .domain = "len=2;0.."}, "[1,2]"},
        {{.name = "l", .kind = NASHC_P_INTS}, "[]"},
        {{.name = "d", .kind = NASHC_P_FLOATS, .domain = "0..1"}, "[0.5,1]"},
        {{.name = "t", .kind = NASHC_P_TYPE}, "u2<0..2>[1,4]"},
        {{.name = "g", .kind = NASHC_P_GRAPH}, "@part0"},
        {{.name = "g", .kind = NASHC_P_GRAPH}, "@\"part 0\""},
    };
    nashc_arena *a = nashc_arena_create();

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(rows); i++) {
        char err[NASHC_ATTR_ERR];
        const char *s = rows[i].text;
        nashc_str out = {0};
        nashc_attr v, w;
        if (nashc_attr_parse(&rows[i].p, &s, a, &v, err))
            fail_msg("%s: %s", rows[i].text, err);
        assert_int_equal(*s, 0);
        nashc_attr_print(&rows[i].p, &v, &out);
        assert_string_equal(out.data, rows[i].text);
        s = out.data;
        assert_int_equal(nashc_attr_parse(&rows[i].p, &s, a, &w, err), NASHC_OK);
        assert_true(nashc_attr_eq(&rows[i].p, &v, &w));
        nashc_str_free(&out);
    }
    nashc_arena_free(a);
}

static void
faults_are_explained(void **state)
{
    static const struct {
        nashc_param p;
        const char *text, *err;
        int at;
    } rows[] = {
        {{.name = "i", .kind = NASHC_P_INT, .domain = "1..16"}, "17", "17 is outside 1..16", 0},
        {{.name = "i", .kind = NASHC_P_INT}, "1.5", "expected an integer", 1},
        {{.name = "f", .kind = NASHC_P_FLOAT, .domain = "0..1"}, "nan", "nan is outside 0..1", 0},
        {{.name = "e", .kind = NASHC_P_ENUM, .domain = "floor|ceil"},
         "flor",
         "\"flor\" is not one of floor|ceil",
         0},
        {{.name = "e", .kind = NASHC_P_ENUM, .domain = "floor|ceil"}, "floor|ceil", NULL, 5},
        {{.name = "b", .kind = NASHC_P_BOOL}, "1", "expected true or false", 0},
        {{.name = "l", .kind = NASHC_P_INTS, .domain = "len=2"},
         "[1]",
         "1 items, expected len=2",
         0},
        {{.name = "l", .kind = NASHC_P_INTS, .domain = "len=2;0.."},
         "[1,-1]",
         "-1 is outside len=2;0..",
         0},
        {{.name = "l", .kind = NASHC_P_INTS}, "[1,]", "expected , or ] in the list", 2},
        {{.name = "l", .kind = NASHC_P_INTS}, "[1", "expected , or ] in the list", 2},
        {{.name = "l", .kind = NASHC_P_INTS}, "[a]", "expected an integer", 1},
        {{.name = "l", .kind = NASHC_P_INTS}, "1,2", "expected a list in brackets", 0},
        {{.name = "t", .kind = NASHC_P_TYPE},
         "q4",
         "expected a type, such as u4, i8[1,16] or UINT4",
         0},
        {{.name = "g", .kind = NASHC_P_GRAPH}, "main", "expected a graph, such as @main", 0},
        {{.name = "s", .kind = NASHC_P_STRING}, "x", "expected a string in double quotes", 0},
    };
    nashc_arena *a = nashc_arena_create();

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(rows); i++) {
        char err[NASHC_ATTR_ERR] = "";
        const char *s = rows[i].text;
        nashc_attr v;
        nashc_status status = nashc_attr_parse(&rows[i].p, &s, a, &v, err);
        if (!rows[i].err) { /* a word is read, the rest is left */
            assert_int_equal(status, NASHC_OK);
        } else {
            assert_int_equal(status, NASHC_EINPUT);
            assert_string_equal(err, rows[i].err);
        }
        assert_int_equal(s - rows[i].text, rows[i].at);
    }
    nashc_arena_free(a);
}

static void
options_are_laxer(void **state)
{
    nashc_param b = {.name = "b", .kind = NASHC_P_BOOL}, l = {.name = "l", .kind = NASHC_P_INTS},
                s = {.name = "s", .kind = NASHC_P_STRING}, t = {.name = "t", .kind = NASHC_P_TYPE},
                i = {.name = "i", .kind = NASHC_P_INT};
    nashc_arena *a = nashc_arena_create();
    char err[NASHC_ATTR_ERR];
    nashc_attr v;

    (void)state;
    assert_int_equal(nashc_attr_parse_option(&b, "yes", a, &v, err), NASHC_OK);
    assert_int_equal(v.u.i, 1);
    assert_int_equal(nashc_attr_parse_option(&b, "0", a, &v, err), NASHC_OK);
    assert_int_equal(v.u.i, 0);
    assert_int_equal(nashc_attr_parse_option(&l, "1, 2,3", a, &v, err), NASHC_OK);
    assert_int_equal(v.n, 3);
    assert_int_equal(v.u.ints[2], 3);
    assert_int_equal(nashc_attr_parse_option(&l, "", a, &v, err), NASHC_OK);
    assert_int_equal(v.n, 0);
    assert_int_equal(nashc_attr_parse_option(&l, "[4]", a, &v, err), NASHC_OK);
    assert_int_equal(nashc_attr_parse_option(&s, "any thing \"", a, &v, err), NASHC_OK);
    assert_string_equal(v.s, "any thing \"");
    assert_int_equal(nashc_attr_parse_option(&t, "FIXED<16,6>", a, &v, err), NASHC_OK);
    assert_int_equal(v.u.type->bits, 16);
    assert_int_equal(nashc_attr_parse_option(&i, "4 5", a, &v, err), NASHC_EINPUT);
    nashc_arena_free(a);
}

static void
schemas_are_checked(void **state)
{
    static const nashc_param good[] = {
        {.name = "a", .kind = NASHC_P_INT, .def = "3", .domain = "1..4"},
        {.name = "b", .kind = NASHC_P_INTS, .def = "[]", .domain = "len=0..2;0.."},
        {.name = "c", .kind = NASHC_P_ENUM, .def = "x", .domain = "x|y"},
        {.name = "d", .kind = NASHC_P_FLOAT, .def = "-inf"},
        {.name = "e", .kind = NASHC_P_TYPE},
    };
    static const nashc_param bad[] = {
        {.name = "a", .kind = NASHC_P_INT, .def = "5", .domain = "1..4"},
        {.name = "a", .kind = NASHC_P_INT, .domain = "a..b"},
        {.name = "a", .kind = NASHC_P_ENUM, .def = "z", .domain = "x|y"},
        {.name = "a", .kind = NASHC_P_ENUM},
        {.name = "a", .kind = 99},
        {.name = "", .kind = NASHC_P_INT},
        {.name = "a", .kind = NASHC_P_INTS, .domain = "len=x"},
    };
    char err[NASHC_ATTR_ERR];

    (void)state;
    for (size_t i = 0; i < NASHC_COUNT(good); i++)
        assert_true(nashc_param_valid(&good[i], err));
    for (size_t i = 0; i < NASHC_COUNT(bad); i++)
        assert_false(nashc_param_valid(&bad[i], err));
}

static void
every_kind_survives_any_text(void **state)
{
    static const char alphabet[] = "[]\",.@\\x0123-eu<> truefalsinf|;";
    nashc_rng rng;

    (void)state;
    nashc_rng_seed(&rng, 5);
    for (int i = 0; i < 30000; i++) {
        nashc_param p = {.name = "p", .kind = (uint32_t)(i % 10 + 1), .domain = NULL};
        nashc_arena *a = nashc_arena_create();
        char text[13], err[NASHC_ATTR_ERR];
        int n = (int)nashc_rng_range(&rng, 0, 12);
        const char *s = text;
        nashc_attr v;
        if (p.kind == NASHC_P_ENUM)
            p.domain = "true|false";
        for (int k = 0; k < n; k++)
            text[k] = alphabet[nashc_rng_range(&rng, 0, sizeof(alphabet) - 2)];
        text[n] = 0;
        if (!nashc_attr_parse(&p, &s, a, &v, err)) {
            nashc_str out = {0};
            nashc_attr w;
            nashc_attr_print(&p, &v, &out);
            s = out.data;
            assert_int_equal(nashc_attr_parse(&p, &s, a, &w, err), NASHC_OK);
            assert_int_equal(*s, 0);
            nashc_str_free(&out);
        }
        nashc_attr_parse_option(&p, text, a, &v, err);
        nashc_arena_free(a);
    }
}

static void
attributes_of_a_node(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_module *m = parse_ok(*state, "nashc 1\n\ngraph @main(%x: u8[1,1,4,4]) -> (%y) {\n"
                                       "  %y: u8[1,1,2,2] = nn.maxpool(%x) kernel=[2,2] "
                                       "stride=[2,2]\n}\n");
    nashc_node *n = nashc_graph_first(nashc_module_main(m));
    nashc_arena *a = nashc_module_arena(m);
    uint64_t before = nashc_graph_edits(nashc_module_main(m)).attrs;
    int count, ceil = nashc_attr_index(n, "ceil");

    assert_string_equal(nashc_node_attr_text(n, a), "kernel=[2,2] stride=[2,2]");
    assert_int_equal(nashc_attr_ints(n, nashc_attr_index(n, "stride"), &count)[1], 2);
    assert_int_equal(count, 2);
    assert_int_equal(nashc_attr_index(n, "no"), -1);
    assert_int_equal(nashc_node_ints(n, "stride", &count)[1], 2);
    assert_false(nashc_node_bool(n, "ceil"));
    assert_null(nashc_node_ints(n, "no", &count)); /* a name that the op does not have */
    assert_int_equal(count, 0);
    assert_int_equal(nashc_node_int(n, "no"), 0);
    assert_string_equal(nashc_node_str(n, "no"), "");
    assert_int_equal(nashc_node_set_attr(n, "ceil", "true", d), NASHC_OK);
    assert_true(nashc_attr_bool(n, ceil));
    assert_int_equal(nashc_node_set_attr_int(n, "ceil", 0, d), NASHC_OK);
    assert_false(nashc_attr_bool(n, ceil));
    assert_string_equal(nashc_node_attr_text(n, a), "kernel=[2,2] stride=[2,2]");
    assert_int_equal(nashc_graph_edits(nashc_module_main(m)).attrs, before + 2);
    assert_int_equal(nashc_node_set_attr(n, "ceil", "maybe", d), NASHC_EINPUT);
    assert_int_equal(nashc_node_set_attr(n, "ceill", "true", d), NASHC_EINPUT);
    assert_non_null(strstr(nashc_diag_text(d, 1), "did you mean \"ceil\""));
    assert_int_equal(nashc_node_set_attr(n, "stride", "[1,1] x", d), NASHC_EINPUT);
    nashc_module_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_print_as_they_are_read),
        cmocka_unit_test(faults_are_explained),
        cmocka_unit_test(options_are_laxer),
        cmocka_unit_test(schemas_are_checked),
        cmocka_unit_test(every_kind_survives_any_text),
        CTX_TEST(attributes_of_a_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
