/* lower.c: tests of core/host/lower.c and of the interfaces to-hw and channels-last: rules from
 * outside are asked like built-in ones, and check-streamlined says what to-hw does. */
#include "unit.h"

static nashc_status
same_type(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    (void)d;
    *out = *nashc_value_type(nashc_node_in(n, 0));
    return NASHC_OK;
}

/* x where it is even: clears the lowest bit. */
static nashc_status
even_eval(nashc_eval *e, const nashc_node *n)
{
    const nashc_buf *x = nashc_eval_in(e, 0);

    (void)n;
    for (int64_t i = 0; i < x->n; i++)
        nashc_buf_set_int(nashc_eval_out(e, 0), i, nashc_buf_get_int(x, i) & ~(int64_t)1);
    return NASHC_OK;
}

#define OP(ident, op_name, op_flags, op_attrs)                                                     \
    static const nashc_op ident = {NASHC_DESC(nashc_op), .flags = op_flags, .name = op_name,       \
                                   .help = "for tests",  .min_in = 1,       .max_in = 1,           \
                                   .min_out = 1,         .max_out = 1,      .attrs = op_attrs,     \
                                   .infer = same_type,   .eval = even_eval}
static const nashc_param axis_attr[] = {
    {.name = "axis", .def = "1", .help = "for tests", .kind = NASHC_P_INT}, {0}};
OP(even_op, "unit.even", NASHC_OP_ELTWISE, NULL);
OP(lost_op, "unit.lost", NASHC_OP_ELTWISE, NULL);
OP(long_op, "unit.long", NASHC_OP_ELTWISE, NULL);
OP(axis_op, "unit.axis", 0, axis_attr);
OP(bare_op, "unit.bare", NASHC_OP_ELTWISE, NULL);

static const char *
why_not_even(const nashc_node *n, nashc_arena *a)
{
    const nashc_type *t = nashc_value_type(nashc_node_in(n, 0));

    return t->lo < 0 ? nashc_arena_printf(a, "it may be %" PRId64, t->lo) : NULL;
}

/* A table of all values. */
static nashc_status
convert_even(nashc_lower *l, nashc_node *n)
{
    nashc_value *x = nashc_lower_in(l, n, 0);
    int64_t count = nashc_value_type(x)->hi + 1;
    int64_t *v = NASHC_NEW_N(nashc_lower_arena(l), int64_t, count);

    for (int64_t i = 0; i < count; i++)
        v[i] = i & ~(int64_t)1;
    nashc_value *in[2] = {x, nashc_lower_matrix(l, v, 1, count, NULL)};
    return nashc_lower_put(l, n, 0, nashc_lower_op(l, "hw.lut", in, 2, "lo=%d", 0));
}

static nashc_status
convert_nothing(nashc_lower *l, nashc_node *n)
{
    (void)l;
    (void)n;
    return NASHC_OK;
}

/* Half of the elements. */
static nashc_status
convert_half(nashc_lower *l, nashc_node *n)
{
    nashc_value *x = nashc_lower_in(l, n, 0);
    int64_t parts[2] = {2, 2};
    nashc_node *s =
        nashc_lower_node(l, "hw.split", &x, 1, 2, "parts=%s", nashc_lower_ints(l, parts, 2));

    return nashc_lower_put(l, n, 0, nashc_node_out(s, 0));
}

/* nn.neg in place of the built-in rule, for two in a row: together they are nothing. */
static nashc_status
convert_with_reader(nashc_lower *l, nashc_node *n)
{
    nashc_node *reader = nashc_value_one_user(nashc_node_out(n, 0));

    nashc_lower_absorb(l, reader);
    return nashc_lower_put(l, reader, 0, nashc_lower_in(l, n, 0));
}

static const nashc_lower_rule even_rule = {NASHC_DESC(nashc_lower_rule), .why_not = why_not_even,
                                           .convert = convert_even};
static const nashc_lower_rule lost_rule = {NASHC_DESC(nashc_lower_rule),
                                           .convert = convert_nothing};
static const nashc_lower_rule long_rule = {NASHC_DESC(nashc_lower_rule), .convert = convert_half};
static const nashc_lower_rule neg_rule = {NASHC_DESC(nashc_lower_rule),
                                          .convert = convert_with_reader};
static const nashc_layout_rule axis_rule = {NASHC_DESC(nashc_layout_rule), .axis = "axis"};

static const nashc_impl impl_even = NASHC_IMPL_TO_HW("unit.even", &even_rule);
static const nashc_impl impl_lost = NASHC_IMPL_TO_HW("unit.lost", &lost_rule);
static const nashc_impl impl_long = NASHC_IMPL_TO_HW("unit.long", &long_rule);
static const nashc_impl impl_axis = NASHC_IMPL_CHANNELS_LAST("unit.axis", &axis_rule);
static const nashc_impl impl_axis_hw = NASHC_IMPL_TO_HW("unit.axis", &even_rule);
static const nashc_impl impl_neg = {NASHC_DESC(nashc_impl), .flags = NASHC_F_OVERRIDE,
                                    .iface = "to-hw", .op = "nn.neg", .rule = &neg_rule};

static const nashc_op *const ops[] = {&even_op, &lost_op, &long_op, &axis_op, &bare_op, NULL};
static const nashc_impl *const impls[] = {&impl_even, &impl_lost,    &impl_long,
                                          &impl_axis, &impl_axis_hw, NULL};
static const nashc_impl *const overriding[] = {&impl_neg, NULL};

static nashc_module *
with_plugin(nashc_ctx *c, const char *text)
{
    static const nashc_plugin p = {
        NASHC_DESC(nashc_plugin), .abi = NASHC_ABI, .name = "unit", .version = "1",
        .help = "for tests",      .ops = ops,       .impls = impls};

    assert_int_equal(nashc_register(c, &p, "unit", nashc_ctx_diag(c)), NASHC_OK);
    return unit_parse(c, text);
}

static nashc_status
run(nashc_ctx *c, nashc_module **m, const char *passes)
{
    nashc_pm_options o = {
        .struct_size = sizeof o, .verify_each = 4, .check_each = 20, .bisect_limit = -1};

    return nashc_run_pipeline(m, passes, &o, nashc_ctx_diag(c));
}

/* --- rules from outside ------------------------------------------------------------------------
 */

static void
rule_from_outside(void **state)
{
    nashc_module *m = with_plugin(*state, "graph @main(%x: u4[1,4]) -> (%y) {\n"
                                          "  %y: u4[1,4] = unit.even(%x)\n"
                                          "}\n");

    assert_int_equal(run(*state, &m, "check-streamlined,to-hw"), NASHC_OK);
    unit_expect_text(m, "%y: u4<0..14>[1,4] = hw.lut(%x", true);
    nashc_module_free(m);
}

static void
refuses_with_its_reason(void **state)
{
    const char *text = "graph @main(%x: i4[1,4]) -> (%y) {\n  %y: i4[1,4] = unit.even(%x)\n}\n";
    nashc_module *m = with_plugin(*state, text);

    assert_int_equal(run(*state, &m, "to-hw"), NASHC_EUNSUP);
    unit_expect_message(*state, "(unit.even): no hardware layer: it may be -8");
    nashc_diag_truncate(nashc_ctx_diag(*state), 0);
    assert_int_equal(run(*state, &m, "check-streamlined"), NASHC_EINPUT);
    unit_expect_message(*state, "(unit.even): not streamlined: it may be -8");
    nashc_module_free(m);
}

static void
no_rule(void **state)
{
    const char *text = "graph @main(%x: i4[1,4]) -> (%y) {\n  %y: i4[1,4] = unit.bare(%x)\n}\n";
    nashc_module *m = with_plugin(*state, text);

    assert_int_equal(run(*state, &m, "check-streamlined"), NASHC_EINPUT);
    unit_expect_message(*state, "not streamlined: there is no layer for this operator");
    nashc_module_free(m);
}

/* Faults of a rule are told, not followed by a crash. */
static void
rules_that_err(void **state)
{
    nashc_module *m = with_plugin(*state, "graph @main(%x: u4[1,4]) -> (%y) {\n"
                                          "  %y: u4[1,4] = unit.lost(%x)\n"
                                          "}\n");

    assert_int_equal(run(*state, &m, "to-hw"), NASHC_EBUG);
    unit_expect_message(*state, "the rule of unit.lost left a result without stream");
    nashc_module_free(m);
    nashc_diag_truncate(nashc_ctx_diag(*state), 0);
    m = unit_parse(*state, "graph @main(%x: u4[1,4]) -> (%y) {\n"
                           "  %y: u4[1,4] = unit.long(%x)\n"
                           "}\n");
    assert_int_equal(run(*state, &m, "to-hw"), NASHC_EBUG);
    unit_expect_message(*state, "the rule of unit.long gives result 0 2 elements");
    nashc_module_free(m);
}

/* The one rule of an operator is the one that overrides; a second without the flag is refused. */
static void
replaces_a_builtin(void **state)
{
    nashc_plugin p = {NASHC_DESC(nashc_plugin), .abi = NASHC_ABI,    .name = "over",
                      .version = "1",           .help = "for tests", .impls = overriding};
    nashc_module *m = with_plugin(*state, "graph @main(%x: i4[1,4]) -> (%y) {\n"
                                          "  %a: i5<-7..8>[1,4] = nn.neg(%x)\n"
                                          "  %y: i4[1,4] = nn.neg(%a)\n"
                                          "}\n");
    nashc_pm_options o = {.struct_size = sizeof o, .bisect_limit = -1};

    assert_int_equal(nashc_register(*state, &p, "over", nashc_ctx_diag(*state)), NASHC_OK);
    assert_ptr_equal(nashc_impl_rule(*state, "to-hw", "nn.neg"), &neg_rule);
    assert_int_equal(nashc_run_pipeline(&m, "to-hw", &o, nashc_ctx_diag(*state)), NASHC_OK);
    unit_expect_text(m, "hw.channelwise", false);
    nashc_module_free(m);
    p.impls = (const nashc_impl *const[]){&impl_even, NULL};
    assert_int_equal(nashc_register(*state, &p, "again", nashc_ctx_diag(*state)), NASHC_EINPUT);
}

/* The axis follows the data. */
static void
turned_by_its_rule(void **state)
{
    nashc_module *m = with_plugin(*state, "graph @main(%x: u4[1,2,3,3]) -> (%y) {\n"
                                          "  %y: u4[1,2,3,3] = unit.axis(%x) axis=2\n"
                                          "}\n");

    assert_int_equal(run(*state, &m, "to-channels-last"), NASHC_OK);
    unit_expect_text(m, "u4[1,3,3,2]NHWC = unit.axis(%", true);
    unit_expect_text(m, "axis=1", false); /* the default */
    unit_expect_text(m, "axis=2", false);
    assert_int_equal(run(*state, &m, "to-hw"), NASHC_OK);
    nashc_module_free(m);
}

/* --- one answer --------------------------------------------------------------------------------
 */

/* An operator between two layers, of x: u4<0..15>[N,4,4,4] times 3. Operands: x the data; constants
 * c [1,4,1,1], w [2,4,3,3], i [4,2,3,3], m [4,3], t thresholds [4,3], r and a [1], l a table of 46,
 * g an index of 2. In attributes @ is N. */
typedef struct row {
    const char *op, *in, *attrs;
    int n_out;  /* 0: one */
    int frames; /* that layers take at once, of 2; 0: there are no layers */
} row;

static const row rows[] = {
    {"nn.conv", "xw", "", 0, 1},
    {"nn.conv", "xw", "pads=[1,1,1,1] stride=[2,2]", 0, 1},
    {"nn.conv_transpose", "xi", "stride=[2,2]", 0, 1},
    {"nn.matmul", "xm", "", 0, 2},
    {"nn.matmul", "xx", "", 0},
    {"nn.maxpool", "x", "kernel=[2,2] stride=[2,2]", 0, 1},
    {"nn.sumpool", "x", "kernel=[3,3]", 0, 1},
    {"nn.global_maxpool", "x", "", 0, 2},
    {"nn.global_sumpool", "x", "", 0, 2},
    {"nn.add", "xc", "", 0, 2},
    {"nn.add", "xx", "", 0, 2},
    {"nn.sub", "xc", "", 0, 2},
    {"nn.mul", "xc", "", 0, 2},
    {"nn.min", "xc", "", 0, 2},
    {"nn.max", "xc", "", 0, 2},
    {"nn.neg", "x", "", 0, 2},
    {"nn.abs", "x", "", 0, 2},
    {"nn.relu", "x", "", 0, 2},
    {"nn.sign", "x", "", 0, 2},
    {"nn.clip", "x", "min=3 max=9", 0, 2},
    {"nn.cast", "x", "to=i9", 0},
    {"nn.identity", "x", "", 0, 2},
    {"nn.reshape", "x", "shape=[@,64]", 0, 2},
    {"nn.transpose", "x", "perm=[0,3,2,1]", 0, 2},
    {"nn.expand", "x", "shape=[@,4,4,4]", 0, 2},
    {"nn.tile", "x", "repeats=[1,2,1,1]", 0, 2},
    {"nn.depth_to_space", "x", "block=2", 0, 2},
    {"nn.space_to_depth", "x", "block=2", 0, 2},
    {"nn.concat", "xx", "axis=1", 0, 2},
    {"nn.concat", "xxx", "axis=2", 0, 2},
    {"nn.split", "x", "axis=1 parts=[2,2]", 2, 2},
    {"nn.slice", "x", "starts=[1] ends=[3] axes=[2] steps=[1]", 0, 2},
    {"nn.gather", "xg", "axis=1", 0, 2},
    {"nn.pad", "x", "pads=[0,0,1,1,0,0,1,1]", 0, 2},
    {"nn.pad", "x", "pads=[0,0,1,1,0,0,1,1] mode=reflect", 0, 2},
    {"nn.resize", "x",
     "sizes=[@,4,8,8] scales=[1,1,2,2] mode=nearest coord=asymmetric nearest=floor", 0, 2},
    {"nn.reduce_sum", "x", "axes=[2,3]", 0, 2},
    {"nn.reduce_max", "x", "axes=[1]", 0, 2},
    {"nn.reduce_min", "x", "axes=[0,2]", 0, 2},
    {"nn.reduce_sum", "x", "axes=[1,2]", 0},
    {"nn.argmax", "x", "axis=1", 0, 2},
    {"nn.argmax", "x", "axis=1 select_last=true", 0},
    {"nn.argmax", "x", "axis=2", 0},
    {"nn.topk", "x", "k=1 axis=1", 2, 2},
    {"nn.topk", "x", "k=2 axis=1", 2},
    {"q.multithreshold", "xt", "", 0, 2},
    {"q.multithreshold", "xt", "out_scale=2 out_bias=-1", 0, 2},
    {"q.multithreshold", "xt", "out_scale=-3 out_bias=5", 0, 2},
    {"q.lut", "xl", "lo=0", 0, 2},
    {"q.requant", "xra", "shift=2 qmin=-3 qmax=20", 0, 2},
};

static bool
has_row(const char *op)
{
    for (size_t i = 0; i < NASHC_COUNT(rows); i++)
        if (strcmp(rows[i].op, op) == 0)
            return true;
    return false;
}

static nashc_value *
constant(nashc_build *b, char kind)
{
    static const struct {
        char kind;
        int rank;
        int64_t dim[4], lo, hi;
    } of[] = {
        {'c', 4, {1, 4, 1, 1}, -3, 3}, {'w', 4, {2, 4, 3, 3}, -3, 3}, {'i', 4, {4, 2, 3, 3}, -3, 3},
        {'m', 2, {4, 3}, -3, 3},       {'t', 2, {4, 3}, 4, 30},       {'r', 1, {1}, 3, 9},
        {'a', 1, {1}, -5, 99},         {'l', 2, {1, 46}, 0, 7},       {'g', 1, {2}, 0, 3}};

    for (size_t i = 0; i < NASHC_COUNT(of); i++) {
        if (of[i].kind != kind)
            continue;
        nashc_type elem = nashc_type_for_range(of[i].lo, of[i].hi);
        nashc_type t = nashc_type_shaped(elem, of[i].rank, of[i].dim);
        int64_t n = nashc_type_count(&t), v[128];
        for (int64_t k = 0; k < n; k++) /* ascending in the rows of thresholds */
            v[k] = of[i].lo + (of[i].hi - of[i].lo) * (k % 3) / 2;
        return nashc_build_const(b, NULL, nashc_tensor_from_i64(&t, v));
    }
    return NULL;
}

static nashc_module *
between_layers(nashc_ctx *c, const row *w, int64_t batch)
{
    nashc_module *m = nashc_module_create(c);
    nashc_graph *g = nashc_module_add_graph(m, "main");
    nashc_build *b = nashc_build_create(g, nashc_ctx_diag(c));
    nashc_type t = nashc_type_shaped(nashc_type_for_range(0, 15), 4, (int64_t[]){batch, 4, 4, 4});
    nashc_value *x[2] = {nashc_graph_add_input(g, "x", &t), nashc_build_int(b, 3)}, *in[4];
    int n_in = (int)strlen(w->in);

    x[0] = nashc_build_op(b, "nn.mul", x, 2, NULL);
    for (int i = 0; i < n_in; i++)
        in[i] = w->in[i] == 'x' ? x[0] : constant(b, w->in[i]);
    char *attrs = nashc_arena_strdup(nashc_module_arena(m), w->attrs);
    for (char *at = attrs; (at = strchr(at, '@'));)
        *at = (char)('0' + batch);
    nashc_node *n = nashc_build_node(b, w->op, in, n_in, w->n_out ? w->n_out : 1, "%s", attrs);
    for (int i = 0; n && i < nashc_node_n_out(n); i++) {
        nashc_value *sum[2] = {nashc_node_out(n, i), nashc_build_int(b, 1)};
        nashc_graph_add_output(g, NULL, nashc_build_op(b, "nn.add", sum, 2, NULL));
    }
    if (nashc_build_status(b) != NASHC_OK)
        unit_print_messages(c);
    assert_int_equal(nashc_build_status(b), NASHC_OK);
    return m;
}

/* The reason that passes give for m, "" if they accept it. */
static const char *
reason(nashc_ctx *c, const nashc_module *m, const char *passes, const char *before)
{
    nashc_module *copy = nashc_module_clone(m);
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_status s = run(c, &copy, passes);
    const char *said = s == NASHC_OK ? "" : strstr(nashc_diag_text(d, 0), before);

    nashc_module_free(copy);
    if (!said)
        unit_print_messages(c);
    assert_non_null(said);
    said = *said ? said + strlen(before) : said;
    return nashc_arena_printf(nashc_module_arena((nashc_module *)(uintptr_t)m), "%.*s",
                              (int)strcspn(said, "\n"), said);
}

static void
agree(nashc_ctx *c, const row *w, int batch)
{
    nashc_module *m = between_layers(c, w, batch);
    nashc_diag *d = nashc_ctx_diag(c);
    const char *foretold = reason(c, m, "check-streamlined", "not streamlined: ");
    nashc_diag_truncate(d, 0);
    const char *done = reason(c, m, "to-channels-last,to-hw", "no hardware layer: ");
    nashc_diag_truncate(d, 0);

    if (strcmp(foretold, done) != 0 || !*done != (batch <= w->frames))
        print_message("%s %s, batch %d: \"%s\" and \"%s\"\n", w->op, w->attrs, batch, foretold,
                      done);
    assert_string_equal(foretold, done);
    assert_int_equal(!*done, batch <= w->frames);
    nashc_module_free(m);
}

static void
check_streamlined_agrees(void **state)
{
    const nashc_impl *impl;

    for (size_t i = 0; i < NASHC_COUNT(rows); i++)
        for (int batch = 1; batch <= 2; batch++)
            agree(*state, &rows[i], batch);
    for (int i = 0; (impl = nashc_desc_at(*state, NASHC_D_IMPL, i)); i++) {
        if (strcmp(impl->iface, "to-hw") != 0 || strcmp(impl->op, "nn.gemm") == 0)
            continue; /* nn.gemm is of rank 2: tests/passes/check_streamlined_layers.nashir */
        if (!has_row(impl->op))
            print_message("no row for %s\n", impl->op);
        assert_true(has_row(impl->op));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(rule_from_outside),        UNIT(refuses_with_its_reason), UNIT(no_rule),
        UNIT(rules_that_err),           UNIT(replaces_a_builtin),      UNIT(turned_by_its_rule),
        UNIT(check_streamlined_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
