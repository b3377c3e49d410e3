/* npy.c: tests of tools/npy.c, npz.c and samples.c: hostile headers, all types, both orders. */
#include "tool.h"
#include "unit.h"
#include <unistd.h>

/* A version 1 file with this header text and data. */
static nashc_status
parse(nashc_ctx *c, const char *header, const void *data, size_t n, tool_array *out)
{
    uint8_t file[4096] = "\x93NUMPY\x01";
    size_t len = strlen(header);
    file[8] = (uint8_t)len;
    file[9] = (uint8_t)(len >> 8);
    memcpy(file + 10, header, len);
    memcpy(file + 10 + len, data, n);
    memset(out, 0, sizeof *out);
    return tool_npy_parse("f.npy", file, 10 + len + n, out, nashc_ctx_diag(c));
}

static void
expect(nashc_ctx *c, const char *descr, const void *data, size_t n, double want)
{
    char header[128];
    tool_array a;
    snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (1,), }\n",
             descr);
    if (parse(c, header, data, n, &a) != NASHC_OK)
        fail_msg("%s: %s", descr, nashc_diag_text(nashc_ctx_diag(c), 0));
    assert_true(nashc_buf_get(&a.buf, 0) == want);
    nashc_buf_free(&a.buf);
}

static void
types(void **state)
{
    expect(*state, "<f4", "\0\0\xc0\xbf", 4, -1.5);
    expect(*state, ">f4", "\xbf\xc0\0\0", 4, -1.5);
    expect(*state, "<f8", "\0\0\0\0\0\0\xf8\xbf", 8, -1.5);
    expect(*state, "<f2", "\0\xbe", 2, -1.5);
    expect(*state, ">f2", "\0\x01", 2, 0x1p-24);
    expect(*state, "|i1", "\x80", 1, -128);
    expect(*state, "|u1", "\xff", 1, 255);
    expect(*state, "|b1", "\1", 1, 1);
    expect(*state, "<i2", "\xfe\xff", 2, -2);
    expect(*state, ">u2", "\x01\x02", 2, 258);
    expect(*state, "<i4", "\0\0\0\x80", 4, -2147483648.0);
    expect(*state, "<u4", "\xff\xff\xff\xff", 4, 4294967295.0);
    expect(*state, ">i8", "\xff\xff\xff\xff\xff\xff\xff\xfe", 8, -2);
    expect(*state, "<u8", "\x05\0\0\0\0\0\0\0", 8, 5);
}

static void
fortran_order(void **state)
{
    tool_array a;
    assert_int_equal(parse(*state, "{\"descr\": '|u1', 'fortran_order': True, 'shape': (2, 3)}",
                           "\0\3\1\4\2\5", 6, &a),
                     NASHC_OK);
    for (int64_t i = 0; i < 6; i++)
        assert_int_equal(nashc_buf_get_int(&a.buf, i), i);
    nashc_buf_free(&a.buf);
}

static void
hostile_headers(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "{}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (65536,65536,65536,65536)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f3', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': [('a','<f4')], 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4\\x00', 'fortran_order': False, 'shape': (1,)}",
        "{'extra': 1, 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
    };
    for (size_t i = 0; i < NASHC_COUNT(bad); i++) {
        tool_array a;
        nashc_status s = parse(*state, bad[i], "\0\0\0\0", 4, &a);
        if (s != NASHC_EINPUT && s != NASHC_EUNSUP)
            fail_msg("%s: status %d", bad[i], (int)s);
        nashc_buf_free(&a.buf);
    }
    tool_array a = {0};
    nashc_diag *d = nashc_ctx_diag(*state);
    assert_int_equal(tool_npy_parse("f", (const uint8_t *)"\x93NUMPY\x01\0\xff\xff", 10, &a, d),
                     NASHC_EINPUT);
    assert_int_equal(tool_npy_parse("f", (const uint8_t *)"\x93NUMPY\x02\0\xff\xff", 10, &a, d),
                     NASHC_EINPUT);
    assert_int_equal(tool_npy_parse("f", (const uint8_t *)"\x93NUMPY\x09\0\0\0", 10, &a, d),
                     NASHC_EINPUT);
    assert_int_equal(
        parse(*state, "{'descr': '|b1', 'fortran_order': False, 'shape': (1,)}", "\2", 1, &a),
        NASHC_EINPUT);
    nashc_buf_free(&a.buf);
    assert_int_equal(parse(*state, "{'descr': '<u8', 'fortran_order': False, 'shape': (1,)}",
                           "\xff\xff\xff\xff\xff\xff\xff\xff", 8, &a),
                     NASHC_EINPUT);
    nashc_buf_free(&a.buf);
}

static void
write_and_read(void **state)
{
    char folder[] = "/tmp/nashc-unit-XXXXXX", path[64];
    nashc_diag *d = nashc_ctx_diag(*state);
    tool_arrays a = {0}, b;
    const int64_t dim[] = {2, 3};
    nashc_type f32 = nashc_type_f32(), i4 = nashc_type_int(4), i20 = nashc_type_int(20);
    assert_non_null(mkdtemp(folder));
    tool_arrays_add(&a, "x", &f32, 2, dim);
    tool_arrays_add(&a, "conv/out:0", &i4, 2, dim);
    tool_arrays_add(&a, "scalar", &i20, 0, dim);
    for (int64_t i = 0; i < 6; i++) {
        nashc_buf_set(&a.at[0].buf, i, 0.1 * (double)i);
        nashc_buf_set_int(&a.at[1].buf, i, i - 3);
    }
    nashc_buf_set_int(&a.at[2].buf, 0, -400000);
    snprintf(path, sizeof path, "%s/a.npz", folder);
    assert_int_equal(tool_arrays_write(path, &a, d), NASHC_OK);
    assert_int_equal(tool_arrays_read(path, &b, d), NASHC_OK);
    assert_int_equal(b.n, 3);
    assert_int_equal(tool_compare(&b, &a, 0, 0, d), NASHC_OK);
    assert_int_equal(nashc_buf_get_int(&tool_arrays_find(&b, "scalar")->buf, 0), -400000);
    nashc_buf_set_int(&b.at[1].buf, 2, 5);
    assert_int_equal(tool_compare(&b, &a, 0, 0, d), NASHC_EMISMATCH);
    unit_expect_message(*state, "output \"conv/out:0\": 1 of 6 elements differ, by up to 6");
    tool_arrays_free(&b);
    unlink(path);
    snprintf(path, sizeof path, "%s/a.npy", folder);
    assert_int_equal(tool_arrays_write(path, &a, d), NASHC_EUSAGE);
    assert_int_equal(access(path, F_OK), -1);
    rmdir(folder);
    tool_arrays_free(&a);
}

static void
sample_axes(void **state)
{
    static const struct {
        int64_t dim[4];
        int rank;
        int64_t want; /* -1: refused */
    } cases[] = {
        {{5, 2, 3}, 3, 5},  {{1, 2, 3}, 3, 1},     {{5, 1, 2, 3}, 4, 5}, {{0, 2, 3}, 3, 0},
        {{5, 3, 2}, 3, -1}, {{5, 2, 2, 3}, 4, -1}, {{2, 3}, 2, -1},
    };
    nashc_module *m = unit_parse(
        *state, "graph @main(%x: f32[1,2,3]) -> (%y) {\n%y: f32[1,2,3] = nn.relu(%x)\n}\n");
    nashc_arena *arena = nashc_arena_create();
    nashc_type f32 = nashc_type_f32();
    for (size_t i = 0; i < NASHC_COUNT(cases); i++) {
        tool_arrays a = {0};
        tool_samples s;
        assert_non_null(tool_arrays_add(&a, NULL, &f32, cases[i].rank, cases[i].dim));
        nashc_status st =
            tool_samples_plan(nashc_module_main(m), &a, arena, &s, nashc_ctx_diag(*state));
        assert_int_equal(st, cases[i].want < 0 ? NASHC_EINPUT : NASHC_OK);
        if (st == NASHC_OK)
            assert_int_equal(s.n, cases[i].want);
        tool_arrays_free(&a);
    }
    nashc_arena_free(arena);
    nashc_module_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(types),          UNIT(fortran_order), UNIT(hostile_headers),
        UNIT(write_and_read), UNIT(sample_axes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
