/* blob.c: tests of ir/blob.c and ir/nashir.c: archives of constants, also damaged ones. */
#include "core/base/rng.h"
#include "support.h"
#include <stdlib.h>
#include <unistd.h>

static const char text[] = "nashc 1\n\ngraph @main() -> (%a, %b, %c, %d, %e) {\n"
                           "  %a: i4[5,8] = rand 1\n"
                           "  %b: f32[100] = rand 2\n"
                           "  %c: i4[5,8] = rand 1\n"
                           "  %d: f64[40] = splat 0.25\n"
                           "  %e: bip[17] = rand 3\n}\n";

static char dir[64];

static int
setup(void **state)
{
    strcpy(dir, "nashc-blob-XXXXXX");
    return mkdtemp(dir) ? ctx_setup(state) : -1;
}

static int
teardown(void **state)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    return system(command) | ctx_teardown(state);
}

static const char *
path_of(const char *name)
{
    static char path[2][128];
    static int k;

    k = !k;
    snprintf(path[k], sizeof(path[k]), "%s/%s", dir, name);
    return path[k];
}

static void
written_files_read_back(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_module *m = parse_ok(*state, text), *again = NULL;
    const nashc_graph *g, *h;

    assert_int_equal(nashc_write_nashir(m, path_of("n.nashir"), d), NASHC_OK);
    assert_int_equal(access(path_of("n.nashblob"), R_OK), 0);
    if (nashc_read_nashir(*state, path_of("n.nashir"), &again, d))
        fail_msg("%s", first_message(*state));
    g = nashc_module_main(m);
    h = nashc_module_main(again);
    for (int i = 0; i < 5; i++)
        assert_memory_equal(nashc_tensor_hash(nashc_value_const(nashc_graph_output(g, i))),
                            nashc_tensor_hash(nashc_value_const(nashc_graph_output(h, i))), 32);
    assert_ptr_equal(nashc_value_const(nashc_graph_output(h, 0)),
                     nashc_value_const(nashc_graph_output(h, 2)));
    nashc_module_free(m);
    nashc_module_free(again);
}

static void
small_modules_have_no_blob_file(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_module *m = parse_ok(*state, "nashc 1\n\ngraph @main() -> (%a) {\n"
                                       "  %a: i4[16] = rand 1\n}\n");

    assert_int_equal(nashc_write_nashir(m, path_of("s.nashir"), d), NASHC_OK);
    assert_int_not_equal(access(path_of("s.nashblob"), R_OK), 0);
    nashc_module_free(m);
}

/* Reads the blob file, damages it, and tries to load the module. */
static nashc_status
load_damaged(nashc_ctx *c, const char *data, size_t n)
{
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_module *m = NULL;
    nashc_outfile *f = nashc_out_open(path_of("n.nashblob"), d);
    nashc_status s;

    nashc_out_write(f, data, n);
    assert_int_equal(nashc_out_commit(f, d), NASHC_OK);
    s = nashc_read_nashir(c, path_of("n.nashir"), &m, d);
    if (s)
        assert_true(nashc_diag_count(d, NASHC_ERROR) > 0);
    nashc_diag_truncate(d, 0);
    nashc_module_free(m);
    return s;
}

static void
damaged_files_are_refused(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_module *m = parse_ok(*state, text);
    char *good, *bad;
    nashc_rng rng;
    size_t n;

    assert_int_equal(nashc_write_nashir(m, path_of("n.nashir"), d), NASHC_OK);
    nashc_module_free(m);
    assert_int_equal(nashc_file_read(path_of("n.nashblob"), 1 << 20, &good, &n, d), NASHC_OK);
    assert_int_equal(load_damaged(*state, good, n), NASHC_OK);
    bad = malloc(n + 1);
    for (size_t cut = 0; cut < n; cut += 13)
        assert_int_not_equal(load_damaged(*state, good, cut), NASHC_OK);
    nashc_rng_seed(&rng, 21);
    for (int i = 0; i < 600; i++) {
        size_t at = (size_t)nashc_rng_range(&rng, 0, i % 2 ? 223 : (int64_t)n - 1);
        bool padding;
        memcpy(bad, good, n);
        bad[at] = (char)(bad[at] ^ (1 << nashc_rng_range(&rng, 0, 7)));
        /* zeros of the header, of the index and between payloads mean nothing */
        padding = good[at] == 0 && load_damaged(*state, bad, n) == NASHC_OK;
        if (!padding)
            assert_int_not_equal(load_damaged(*state, bad, n), NASHC_OK);
    }
    unlink(path_of("n.nashblob"));
    assert_int_equal(nashc_read_nashir(*state, path_of("n.nashir"), &m, d), NASHC_EIO);
    free(bad);
    nashc_mem_free(good);
}

static void
the_type_must_fit(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_module *m = parse_ok(*state, "nashc 1\n\ngraph @main() -> (%a) {\n"
                                       "  %a: u8[20] = rand 1\n}\n");
    char *data, *again, *at;
    size_t n;

    assert_int_equal(nashc_write_nashir(m, path_of("t.nashir"), d), NASHC_OK);
    nashc_module_free(m);
    m = NULL;
    assert_int_equal(nashc_file_read(path_of("t.nashir"), 1 << 20, &data, &n, d), NASHC_OK);
    again = malloc(n + 16);
    at = strstr(data, "u8[20]");
    snprintf(again, n + 16, "%.*si8[20]%s", (int)(at - data), data, at + 6);
    assert_int_equal(nashc_parse(*state, "t", again, strlen(again), path_of("t.nashblob"), &m, d),
                     NASHC_EINPUT);
    assert_non_null(strstr(first_message(*state), "do not have its hash"));
    nashc_diag_truncate(d, 0);
    snprintf(again, n + 16, "%.*su8[21]%s", (int)(at - data), data, at + 6);
    assert_int_equal(nashc_parse(*state, "t", again, strlen(again), path_of("t.nashblob"), &m, d),
                     NASHC_EINPUT);
    assert_non_null(strstr(first_message(*state), "21 bytes"));
    nashc_diag_truncate(d, 0);
    snprintf(again, n + 16, "%.*su8<0..1>[20]%s", (int)(at - data), data, at + 6);
    assert_int_equal(nashc_parse(*state, "t", again, strlen(again), path_of("t.nashblob"), &m, d),
                     NASHC_EINPUT);
    assert_non_null(strstr(first_message(*state), "outside its type"));
    free(again);
    nashc_mem_free(data);
}

#define FILE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(written_files_read_back),
        FILE_TEST(small_modules_have_no_blob_file),
        FILE_TEST(damaged_files_are_refused),
        FILE_TEST(the_type_must_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
