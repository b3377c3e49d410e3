/* pipeline_memory.c: every allocation of a pipeline (rewriting, streamlining, comparing, executing)
 * is made to fail: no crash, no leak, and a failure is told. */
#include "core/base/mem.h"
#include "unit.h"
#include <stdlib.h>
#include <unistd.h>

static const char net[] = "nashc 1\n"
                          "graph @main(%x: f32[1,1,4,4]) -> (%y) {\n"
                          "  %s: f32[] = [0.25]\n"
                          "  %z: f32[] = [0]\n"
                          "  %q: f32[1,1,4,4] = q.quant(%x, %s, %z) qmin=-8 qmax=7\n"
                          "  %w: f32[2,1,3,3] = [1,-1,2,0,3,1,-2,1,1,2,-3,1,1,0,-1,2,1,-2]\n"
                          "  %c: f32[1,2,2,2] = nn.conv(%q, %w)\n"
                          "  %g: f32[1,2,1,1] = [0.5,2]\n"
                          "  %m: f32[1,2,2,2] = nn.mul(%c, %g)\n"
                          "  %p: f32[1,2,1,1] = nn.maxpool(%m) kernel=[2,2]\n"
                          "  %r: f32[1,2,1,1] = nn.relu(%p)\n"
                          "  %a: f32[1,2,1,1] = q.quant(%r, %s, %z) qmin=0 qmax=15\n"
                          "  %f: f32[1,2] = nn.reshape(%a) shape=[1,2]\n"
                          "  %v: f32[2,3] = [1,-1,2,0,3,-2]\n"
                          "  %y: f32[1,3] = nn.matmul(%f, %v)\n"
                          "}\n";

static const char front[] = "nashc 1\n"
                            "graph @main(%x: f32[1,1,4,4], %w: f32[1]) -> (%y, %w) {\n"
                            "  %s: f32[] = [255]\n"
                            "  %t: f32[1,1,4,4] = nn.div(%x, %s)\n"
                            "  %y: f32[1,1,4,4] = call(%t) graph=@f\n"
                            "}\n"
                            "graph @f(%x: f32[1,1,4,4]) -> (%y) {\n"
                            "  %y: f32[1,1,4,4] = nn.relu(%x)\n"
                            "}\n";

static nashc_status
work(nashc_ctx *c, const char *passes)
{
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_pm_options o = {
        .struct_size = sizeof o, .bisect_limit = -1, .verify_each = 3, .check_each = 1, .seed = 1};
    nashc_module *m = NULL;
    nashc_status s = nashc_parse(c, "t", net, strlen(net), NULL, &m, d);
    if (s == NASHC_OK)
        s = nashc_run_pipeline(&m, passes, &o, d);
    nashc_module_free(m);
    return s;
}

/* A remark that found no memory for its text says so in its place. */
static bool
told(const nashc_diag *d)
{
    int n = nashc_diag_count(d, NASHC_NOTE);
    return n > 0 && strstr(nashc_diag_text(d, n - 1), "out of memory");
}

static void
fail_each(nashc_ctx *c, const char *passes)
{
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_status s = work(c, passes);
    if (s != NASHC_OK)
        unit_print_messages(c);
    assert_int_equal(s, NASHC_OK);
    nashc_mem_fail_after(0);
    work(c, passes);
    uint64_t total = nashc_mem_fail_after(0), step = total / 700 + 1;
    for (uint64_t n = 1; n <= total; n += n < 300 ? 1 : step) {
        nashc_diag_truncate(d, 0);
        nashc_mem_fail_after(n);
        s = work(c, passes);
        nashc_mem_fail_after(0);
        assert_true(s != NASHC_OK || told(d));
        if (s == NASHC_EMISMATCH || s == NASHC_EBUG)
            fail_msg("allocation %d: %s", (int)n, nashc_diag_text(d, 0));
    }
    nashc_diag_truncate(d, 0);
    assert_int_equal(work(c, passes), NASHC_OK);
    print_message("# %d allocations\n", (int)total);
}

static void
every_allocation_may_fail(void **state)
{
    fail_each(*state, "cleanup,fixpoint(try(move-mul-past-maxpool)),streamline");
}

static void
so_may_those_of_passes_over_graphs(void **state)
{
    char path[] = "/tmp/nashc-front-XXXXXX", text[128];
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, front, sizeof front - 1) == (ssize_t)sizeof front - 1);
    close(fd);
    snprintf(text, sizeof text, "merge-models(pre=%s)", path);
    fail_each(*state, text);
    unlink(path);
    fail_each(*state, "partition(nodes=c,m),extend-partition");
}

/* Options that are handed on, and extra passes. */
static void
so_may_those_of_the_parser(void **state)
{
    static const char *const extra[] = {"after:to-hw=canonicalize", "before:hardware=cleanup",
                                        NULL};
    const char *text = "compile(device=U250;folding-file=\"a;b\")";
    nashc_pm_options o = {.struct_size = sizeof o, .bisect_limit = -1, .extra_passes = extra};
    nashc_diag *d = nashc_ctx_diag(*state);
    assert_int_equal(nashc_check_pipeline_opts(*state, text, &o, d), NASHC_OK);
    nashc_mem_fail_after(0);
    nashc_check_pipeline_opts(*state, text, &o, d);
    uint64_t total = nashc_mem_fail_after(0);
    assert_true(total > 0);
    for (uint64_t n = 1; n <= total; n++) {
        nashc_diag_truncate(d, 0);
        nashc_mem_fail_after(n);
        nashc_status s = nashc_check_pipeline_opts(*state, text, &o, d);
        nashc_mem_fail_after(0);
        assert_int_equal(s, NASHC_ENOMEM);
    }
    print_message("# %d allocations\n", (int)total);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {UNIT(every_allocation_may_fail),
                                       UNIT(so_may_those_of_passes_over_graphs),
                                       UNIT(so_may_those_of_the_parser)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
