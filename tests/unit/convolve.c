/* convolve.c: tests of ir/ops/convolve.c: tiles against plain sums, and overflow. */
#include "ir/ops/ops.h"
#include "unit.h"

enum { MOST = 11 };

static void
tiles(void **state)
{
    double a[MOST], panel[MOST * NASHC_TILE], acc[NASHC_TILE];
    int64_t ia[MOST], ipanel[MOST * NASHC_TILE], iacc[NASHC_TILE];

    (void)state;
    for (int i = 0; i < MOST; i++)
        ia[i] = (int64_t)(a[i] = i * 37 % 11 - 5);
    for (int i = 0; i < MOST * NASHC_TILE; i++)
        ipanel[i] = (int64_t)(panel[i] = i * 29 % 17 - 8);
    for (int64_t k = 0; k <= MOST; k++) {
        ops_dot_f64(a, panel, k, acc);
        assert_true(ops_dot_i64(ia, ipanel, k, iacc));
        for (int p = 0; p < NASHC_TILE; p++) {
            int64_t want = 0;
            for (int64_t i = 0; i < k; i++)
                want += ia[i] * ipanel[i * NASHC_TILE + p];
            assert_true(acc[p] == (double)want && iacc[p] == want);
        }
    }
}

/* Sums of int16 at their limits, the rows filled up. */
static void
narrow(void **state)
{
    enum { K = 2, STEP = 16 };
    int16_t a[STEP] = {0}, panel[STEP * NASHC_TILE] = {0};
    int32_t acc[NASHC_TILE];

    (void)state;
    assert_int_equal(ops_i16_step(K), STEP);
    a[0] = a[1] = INT16_MAX;
    for (int p = 0; p < NASHC_TILE; p++) {
        panel[p * STEP] = p % 2 ? INT16_MAX : -INT16_MAX;
        panel[p * STEP + 1] = (int16_t)(p - 7);
    }
    ops_dot_i16(a, panel, STEP, acc);
    for (int p = 0; p < NASHC_TILE; p++)
        assert_int_equal(acc[p],
                         (p % 2 ? INT16_MAX : -INT16_MAX) * INT16_MAX + (p - 7) * INT16_MAX);
}

/* A convolution: operands, as far as there are any, and attributes. */
typedef struct sample {
    int64_t dim[3][4];
    int rank[3];
    uint8_t layout; /* of x */
    const char *attrs;
} sample;

/* Its result for operands of so many bits, whose values follow one rule. */
static void
convolve(nashc_ctx *c, const sample *z, int bits, nashc_buf *out)
{
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_module *m = nashc_module_create(c);
    nashc_graph *g = nashc_module_add_graph(m, "main");
    nashc_value *v[3];
    nashc_buf in[3];
    const nashc_buf *pin[3] = {&in[0], &in[1], &in[2]};
    int n = 0;

    for (; n < 3 && z->rank[n]; n++) {
        nashc_type t = nashc_type_shaped(nashc_type_int(bits), z->rank[n], z->dim[n]);
        if (n == 0)
            t.layout = z->layout;
        v[n] = nashc_graph_add_input(g, (const char *[]){"x", "w", "b"}[n], &t);
        assert_true(nashc_buf_alloc(&in[n], &t));
        for (int64_t k = 0; k < in[n].n; k++)
            nashc_buf_set_int(&in[n], k, (k * k * 31 + k * 7 + n) % 255 - 127);
    }
    nashc_build *b = nashc_build_create(g, d);
    nashc_graph_add_output(g, "y", nashc_build_op(b, "nn.conv", v, n, z->attrs));
    assert_int_equal(nashc_build_status(b), NASHC_OK);
    assert_int_equal(nashc_run_module(m, pin, out, d), NASHC_OK);
    while (n > 0)
        nashc_buf_free(&in[--n]);
    nashc_module_free(m);
}

/* Operands of 8, 20 and 28 bits of the same values: sums in 32 bits, in double, and checked. */
static void
three_widths(void **state)
{
    static const sample samples[] = {
        {{{2, 12, 7, 6}, {6, 6, 3, 2}, {6}},
         {4, 4, 1},
         NASHC_LAYOUT_DEFAULT,
         "stride=[2,1] pads=[1,0,2,1] dilation=[1,2] group=2"},
        {{{1, 9, 7, 20}, {35, 3, 3, 20}}, {4, 4}, NASHC_LAYOUT_NHWC, "pads=[1,1,1,1]"},
        {{{1, 17, 5, 5}, {3, 17, 1, 1}}, {4, 4}, NASHC_LAYOUT_DEFAULT, NULL},
    };

    for (size_t k = 0; k < NASHC_COUNT(samples); k++) {
        nashc_buf y[3];
        bool any = false;
        for (int i = 0; i < 3; i++)
            convolve(*state, &samples[k], (const int[]){8, 20, 28}[i], &y[i]);
        for (int64_t i = 0; i < y[0].n; i++) {
            int64_t v = nashc_buf_get_int(&y[0], i);
            any |= v != 0;
            assert_true(v == nashc_buf_get_int(&y[1], i) && v == nashc_buf_get_int(&y[2], i));
        }
        assert_true(any);
        for (int i = 0; i < 3; i++)
            nashc_buf_free(&y[i]);
    }
}

static void
overflow(void **state)
{
    int64_t a[2] = {INT64_MAX / 2, INT64_MAX / 2}, panel[2 * NASHC_TILE] = {0}, acc[NASHC_TILE];

    (void)state;
    panel[3] = 2;
    assert_true(ops_dot_i64(a, panel, 2, acc));
    panel[NASHC_TILE + 3] = 1;
    assert_false(ops_dot_i64(a, panel, 2, acc));
    panel[3] = 3;
    assert_false(ops_dot_i64(a, panel, 1, acc));
}

/* The executor reports what does not fit the result type, instead of wrapping around. */
static void
overflow_is_reported(void **state)
{
    nashc_module *m = unit_parse(*state, "graph @main(%x: i64[1]) -> (%y) {\n"
                                         "%y: u63[1] = nn.mul(%x, %x)\n}\n");
    const nashc_graph *g = nashc_module_main(m);
    nashc_buf in, out;
    const nashc_buf *pin[] = {&in};

    assert_true(nashc_buf_alloc(&in, nashc_value_type(nashc_graph_input(g, 0))));
    nashc_buf_set_int(&in, 0, INT64_MAX / 2);
    assert_int_equal(nashc_run_module(m, pin, &out, nashc_ctx_diag(*state)), NASHC_EINPUT);
    unit_expect_message(*state, "does not fit its type");
    nashc_buf_free(&in);
    nashc_module_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tiles), cmocka_unit_test(narrow),
                                       UNIT(three_widths), cmocka_unit_test(overflow),
                                       UNIT(overflow_is_reported)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
