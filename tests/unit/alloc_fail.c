/* alloc_fail.c: every allocation of a read, clone, edit, print and write is made to fail once,
 * alone and with all after it: no crash, no leak, and a failure is told. */
#include "core/base/mem.h"
#include "support.h"
#include <stdlib.h>
#include <unistd.h>

static const char fine[] =
    "nashc 1\nmeta k=\"v\"\n\n"
    "graph @main(%x: u8[1,1,6,6]) -> (%r, out=%b) {\n"
    "  %b: i8[40] = rand 2\n"
    "  %p: u8[1,1,3,3] = nn.maxpool(%x) kernel=[2,2] stride=[2,2] !\"Pool\"\n"
    "  %r: u8[1,9] = nn.reshape(%p) shape=[1,9]\n"
    "  %u: none[] = unknown.Foo(%r) domain=\"d\"\n}\n";

static char path[64];

/* 0: all went well; 1: some step failed and said so. */
static int
work(nashc_ctx *c)
{
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_module *m = NULL, *copy = NULL, *again = NULL;
    nashc_build *b;
    nashc_graph *g;
    int failed = 1;
    char *out = NULL;

    if (nashc_parse(c, "t", fine, strlen(fine), NULL, &m, d))
        return 1;
    copy = nashc_module_clone(m);
    if (copy) {
        nashc_value *x, *y;
        g = nashc_module_main(copy);
        b = nashc_build_create(g, d);
        x = nashc_build_op(b, "nn.add",
                           (nashc_value *[]){nashc_graph_input(g, 0), nashc_build_int(b, 3)}, 2,
                           NULL);
        y = nashc_build_op(b, "nn.clip", &x, 1, "min=%d max=9", -2);
        out = nashc_print(copy, NULL);
        if (y && out && !nashc_graph_sort(g, d) && !nashc_verify(copy, 3, d) &&
            !nashc_graph_infer(g, d) && !nashc_write_nashir(copy, path, d) &&
            !nashc_read_nashir(c, path, &again, d))
            failed = 0;
        if (!y)
            assert_int_not_equal(nashc_build_status(b), NASHC_OK);
    }
    nashc_mem_free(out);
    nashc_module_free(again);
    nashc_module_free(copy);
    nashc_module_free(m);
    return failed;
}

static int
run(uint64_t (*arm)(uint64_t), uint64_t n, bool fresh, nashc_ctx *kept)
{
    nashc_ctx *c;
    int failed;

    arm(n);
    c = fresh ? nashc_ctx_create() : kept;
    failed = c ? work(c) : 1;
    nashc_mem_fail_after(0);
    if (c && !fresh)
        nashc_diag_truncate(nashc_ctx_diag(c), 0);
    if (fresh)
        nashc_ctx_free(c);
    return failed;
}

static void
every_allocation_may_fail(void **state)
{
    nashc_ctx *c = *state;
    uint64_t total;

    assert_int_equal(work(c), 0); /* schemas and strings are known from now on */
    nashc_mem_fail_after(0);
    assert_int_equal(work(c), 0);
    total = nashc_mem_fail_after(0);
    for (uint64_t n = 1; n <= total; n++) {
        assert_int_equal(run(nashc_mem_fail_after, n, false, c), 1);
        run(nashc_mem_fail_once, n, false, c); /* may succeed: some memory is only a cache */
    }
    assert_int_equal(run(nashc_mem_fail_after, total + 1, false, c), 0);
    print_message("# %d allocations\n", (int)total);
}

static void
context_creation_may_fail(void **state)
{
    uint64_t total;

    (void)state;
    nashc_mem_fail_after(0);
    nashc_ctx_free(nashc_ctx_create());
    total = nashc_mem_fail_after(0);
    for (uint64_t n = 1; n <= total; n += n < 100 ? 1 : 7) {
        run(nashc_mem_fail_after, n, true, NULL);
        run(nashc_mem_fail_once, n, true, NULL);
    }
}

static int
setup(void **state)
{
    snprintf(path, sizeof(path), "/tmp/nashc-alloc-%ld.nashir", (long)getpid());
    return ctx_setup(state);
}

static int
teardown(void **state)
{
    char blob[64];

    unlink(path);
    snprintf(blob, sizeof(blob), "/tmp/nashc-alloc-%ld.nashblob", (long)getpid());
    unlink(blob);
    return ctx_teardown(state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_allocation_may_fail, setup, teardown),
        cmocka_unit_test(context_creation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
