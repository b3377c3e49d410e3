/* evaluate.c: tests of passes/integer/evaluate.c: what constants become. */
#include "passes/integer/evaluate.h"

#include "job.h"

static void
integers_take_the_smallest_type(void **state)
{
    si_job *job = *state;
    nashc_type wide = type_of("i64[3]"), bip = type_of("bip[2]");
    const nashc_tensor *t = si_int_tensor(job, &wide, (int64_t[]){-3, 0, 9});
    assert_non_null(t);
    assert_int_equal(nashc_tensor_type(t)->bits, 5);
    assert_int_equal(nashc_tensor_type(t)->lo, -3);
    assert_int_equal(nashc_tensor_type(t)->hi, 9);
    t = si_int_tensor(job, &bip, (int64_t[]){1, 1});
    assert_int_equal(nashc_tensor_type(t)->kind, NASHC_K_BIP); /* though all are 1 */
}

static void
arrays_are_spread(void **state)
{
    si_job *job = *state;
    nashc_type t = type_of("f32[1,2,2]");
    si_array a;
    assert_true(si_per_channel(job, &t, (double[]){0.1, 7}, &a));
    const nashc_tensor *r = si_real_tensor(job, &t, &a);
    assert_true(nashc_tensor_get(r, 1) == 0.1); /* with all digits of a double */
    assert_true(nashc_tensor_get(r, 2) == 7);
}

/* An op of the graph, and another one in its place; results are not rounded to float32. */
static void
one_op_is_run(void **state)
{
    si_job *job = *state;
    nashc_ctx *c = nashc_ctx_create();
    nashc_module *m = parse_ok(c, "nashc 1\ngraph @main(%x: f32[2], %z: f32[2]) -> (%y) {\n"
                                  "  %y: f32[2] = nn.add(%x, %z)\n}\n");
    nashc_node *n = nashc_graph_first(nashc_module_main(m));
    nashc_type t = type_of("f64[2]");
    const nashc_tensor *in[2];
    nashc_tensor *sum = NULL, *product = NULL;
    in[0] = si_keep(job, nashc_tensor_from_f64(&t, (double[]){0.1, 3}));
    in[1] = si_keep(job, nashc_tensor_from_f64(&t, (double[]){0.2, 5}));
    assert_true(si_eval(job, n, NULL, NULL, in, 2, 1, &sum));
    assert_true(si_eval(job, n, "nn.mul", "", in, 2, 1, &product));
    assert_true(nashc_tensor_get(sum, 0) == 0.1 + 0.2 && nashc_tensor_get(sum, 1) == 8);
    assert_true(nashc_tensor_get(product, 1) == 15);
    si_job_end(job);
    nashc_module_free(m);
    nashc_ctx_free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        JOB_TEST(integers_take_the_smallest_type),
        JOB_TEST(arrays_are_spread),
        JOB_TEST(one_op_is_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
