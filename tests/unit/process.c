/* process.c: tests of tools/process.c. */
#include "tool.h"
#include "unit.h"

static void
output_and_status(void **state)
{
    tool_process p = {0};
    const char *const argv[] = {"sh", "-c", "echo out; echo err >&2; cat; exit 7", NULL};
    assert_int_equal(tool_process_run(argv, "/", 20, &p, nashc_ctx_diag(*state)), NASHC_OK);
    assert_int_equal(p.exit_status, 7);
    assert_string_equal(p.out, "out\n");
    assert_string_equal(p.err, "err\n");
    assert_false(p.timed_out);
    tool_process_free(&p);
}

static void
arguments_are_not_for_a_shell(void **state)
{
    tool_process p = {0};
    const char *const argv[] = {"echo", "$HOME; *", NULL};
    assert_int_equal(tool_process_run(argv, NULL, 20, &p, nashc_ctx_diag(*state)), NASHC_OK);
    assert_string_equal(p.out, "$HOME; *\n");
    tool_process_free(&p);
}

static void
more_than_a_pipe_holds(void **state)
{
    tool_process p = {0};
    const char *const argv[] = {"sh", "-c", "yes | head -c 300000; yes | head -c 300000 >&2", NULL};
    assert_int_equal(tool_process_run(argv, NULL, 60, &p, nashc_ctx_diag(*state)), NASHC_OK);
    assert_int_equal(p.out_size, 300000);
    assert_int_equal(p.err_size, 300000);
    tool_process_free(&p);
}

static void
time_is_up(void **state)
{
    tool_process p = {0};
    const char *const argv[] = {"sh", "-c", "sleep 60 & wait", NULL};
    double start = tool_clock();
    assert_int_equal(tool_process_run(argv, NULL, 0.2, &p, nashc_ctx_diag(*state)), NASHC_OK);
    assert_true(p.timed_out);
    assert_true(tool_clock() - start < 20);
    tool_process_free(&p);
}

static void
no_such_program(void **state)
{
    tool_process p = {0};
    const char *const argv[] = {"nashc-no-such-program", NULL};
    assert_int_equal(tool_process_run(argv, NULL, 5, &p, nashc_ctx_diag(*state)), NASHC_EIO);
    unit_expect_message(*state, "cannot run \"nashc-no-such-program\"");
    unit_expect_message(*state, "install it");
    assert_false(tool_program_exists(argv[0]));
    assert_true(tool_program_exists("sh"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(output_and_status),      UNIT(arguments_are_not_for_a_shell),
        UNIT(more_than_a_pipe_holds), UNIT(time_is_up),
        UNIT(no_such_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* progress.c asks whether -q was given. */
struct tool_state tool_state;

bool
tool_quiet(void)
{
    return true;
}
