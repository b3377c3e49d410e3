/* file.c: tests of core/base/file.c: files and folders appear whole or not at all. */
#include "support.h"
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static int
setup(void **state)
{
    strcpy(dir, "nashc-file-XXXXXX");
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
in_dir(const char *name)
{
    static char path[4][128];
    static int k;

    k = (k + 1) % 4;
    snprintf(path[k], sizeof(path[k]), "%s/%s", dir, name);
    return path[k];
}

static int
entries(const char *path)
{
    DIR *d = opendir(path);
    int n = -2;

    for (assert_non_null(d); readdir(d); n++)
        ;
    closedir(d);
    return n;
}

static void
write_text(const char *path, const char *text)
{
    nashc_outfile *f = nashc_out_open(path, NULL);

    assert_non_null(f);
    nashc_out_printf(f, "%s", text);
    assert_int_equal(nashc_out_commit(f, NULL), NASHC_OK);
}

static void
assert_text(const char *path, const char *text)
{
    char *data;
    size_t n;

    assert_int_equal(nashc_file_read(path, 1 << 20, &data, &n, NULL), NASHC_OK);
    assert_int_equal(n, strlen(text));
    assert_string_equal(data, text);
    nashc_mem_free(data);
}

static void
files_appear_at_commit(void **state)
{
    nashc_outfile *f = nashc_out_open(in_dir("a"), NULL);

    (void)state;
    nashc_out_write(f, "new", 3);
    assert_int_not_equal(access(in_dir("a"), F_OK), 0);
    assert_int_equal(nashc_out_commit(f, NULL), NASHC_OK);
    assert_text(in_dir("a"), "new");
    f = nashc_out_open(in_dir("a"), NULL);
    nashc_out_write(f, "other", 5);
    nashc_out_drop(f);
    assert_text(in_dir("a"), "new");
    nashc_out_drop(NULL);
    assert_int_equal(entries(dir), 1);
}

static void
large_files(void **state)
{
    nashc_outfile *f = nashc_out_open(in_dir("large"), NULL);
    char *data;
    size_t n;

    (void)state;
    for (int i = 0; i < 100000; i++)
        nashc_out_printf(f, "%06d\n", i);
    assert_int_equal(nashc_out_commit(f, NULL), NASHC_OK);
    assert_int_equal(nashc_file_read(in_dir("large"), 1 << 20, &data, &n, NULL), NASHC_OK);
    assert_int_equal(n, 700000);
    assert_memory_equal(data + 699993, "099999\n", 8);
    nashc_mem_free(data);
    assert_int_equal(nashc_file_read(in_dir("large"), 1000, &data, &n, nashc_ctx_diag(*state)),
                     NASHC_EINPUT);
    assert_non_null(strstr(first_message(*state), "larger than 1000 bytes"));
}

static void
links_are_followed_when_replaced(void **state)
{
    struct stat st;

    (void)state;
    write_text(in_dir("target"), "1");
    assert_int_equal(symlink("target", in_dir("link")), 0);
    write_text(in_dir("link"), "2");
    assert_text(in_dir("target"), "2");
    assert_int_equal(lstat(in_dir("link"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
}

static void
what_cannot_be_opened_is_reported(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    char *data;
    size_t n;

    assert_int_equal(nashc_file_read(in_dir("none"), 10, &data, &n, d), NASHC_EIO);
    assert_int_equal(nashc_file_read(dir, 10, &data, &n, d), NASHC_EIO);
    assert_null(nashc_out_open(in_dir("none/x"), d));
    assert_int_equal(nashc_diag_count(d, NASHC_ERROR), 3);
    write_text("/dev/null", "devices are written in place");
}

static nashc_outdir *
open_with_file(const char *path, const char *name, const char *text)
{
    nashc_outdir *o = nashc_outdir_open(path, NULL);
    char file[160];

    assert_non_null(o);
    snprintf(file, sizeof(file), "%s/%s", nashc_outdir_path(o), name);
    write_text(file, text);
    return o;
}

static void
mkdir_parents(char *path)
{
    for (char *slash = path; slash; *slash = '/') {
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = 0;
        mkdir(path, 0777);
        if (!slash)
            break;
    }
}

static void
folders_appear_at_commit(void **state)
{
    const char *out = in_dir("out");
    char path[128], sub[160];
    nashc_outdir *o;

    (void)state;
    snprintf(path, sizeof(path), "%s/", out);
    o = open_with_file(path, "manifest.json", "{\"tool\": \"nashc 1\"}");
    snprintf(sub, sizeof(sub), "%s/rtl", nashc_outdir_path(o));
    assert_int_equal(mkdir(sub, 0777), 0);
    assert_int_not_equal(access(out, F_OK), 0);
    assert_int_equal(nashc_outdir_commit(o, NULL), NASHC_OK);
    assert_int_equal(entries(out), 2);
    /* its own output is replaced as a whole, links are not followed */
    write_text(in_dir("keep"), "precious");
    snprintf(sub, sizeof(sub), "%s/rtl/link", out);
    assert_int_equal(symlink("../../keep", sub), 0);
    /* not ours either, and so kept: they were not there at commit */
    snprintf(sub, sizeof(sub), "%s/rtl/mine/deep", out);
    mkdir_parents(sub);
    snprintf(sub, sizeof(sub), "%s/rtl/mine/deep/notes", out);
    write_text(sub, "notes");
    o = open_with_file(out, "second", "2");
    assert_int_equal(nashc_outdir_commit(o, NULL), NASHC_OK);
    assert_text(sub, "notes");
    snprintf(sub, sizeof(sub), "%s/manifest.json", out);
    assert_int_not_equal(access(sub, F_OK), 0);
    assert_int_equal(entries(out), 2); /* second, rtl */
    assert_text(in_dir("keep"), "precious");
    assert_int_equal(entries(dir), 2);
}

static void
foreign_folders_are_left_alone(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_outdir *o;

    assert_int_equal(mkdir(in_dir("theirs"), 0777), 0);
    o = open_with_file(in_dir("theirs"), "x", "1"); /* empty: may be used */
    write_text(in_dir("theirs/file"), "theirs");    /* until now */
    assert_int_equal(nashc_outdir_commit(o, d), NASHC_EIO);
    assert_text(in_dir("theirs/file"), "theirs");
    assert_null(nashc_outdir_open(in_dir("theirs"), d));
    assert_non_null(strstr(first_message(*state), "not written by nashc"));
    write_text(in_dir("theirs/manifest.json"), "{\"tool\": \"other\"}");
    assert_null(nashc_outdir_open(in_dir("theirs"), d));
    assert_null(nashc_outdir_open(in_dir("theirs/file"), d));
    assert_null(nashc_outdir_open("", d));
    o = open_with_file(in_dir("dropped"), "x", "1");
    nashc_outdir_drop(o);
    nashc_outdir_drop(NULL);
    assert_int_equal(entries(dir), 1);
}

/* A file of the user with the name of a new one: neither is lost. */
static void
a_name_that_is_taken(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_outdir *o = open_with_file(in_dir("out"), "manifest.json", "{\"tool\": \"nashc\"}");

    assert_int_equal(nashc_outdir_commit(o, d), NASHC_OK);
    write_text(in_dir("out/x"), "theirs");
    o = open_with_file(in_dir("out"), "x", "ours");
    assert_int_equal(nashc_outdir_commit(o, d), NASHC_EIO);
    assert_non_null(strstr(first_message(*state), "has the name of a new file"));
    assert_text(in_dir("out/x"), "theirs");
    assert_int_equal(entries(dir), 1);
    /* what a later command adds is ours from then on */
    assert_int_equal(nashc_outdir_own(in_dir("out"), "x", d), NASHC_OK);
    o = open_with_file(in_dir("out"), "x", "ours");
    assert_int_equal(nashc_outdir_commit(o, d), NASHC_OK);
    assert_text(in_dir("out/x"), "ours");
}

/* Two at a time, and what a killed process left. */
static void
folders_of_other_processes(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_outdir *a, *b;
    char left[160];

    snprintf(left, sizeof left, "%s/out.tmp-1-0", dir);
    assert_int_equal(mkdir(left, 0777), 0);
    assert_int_equal(mkdir(in_dir("out.tmp-x"), 0777), 0); /* not ours */
    a = open_with_file(in_dir("out"), "manifest.json", "{\"tool\": \"nashc\"}");
    b = open_with_file(in_dir("out"), "manifest.json", "{\"tool\": \"nashc\", \"b\": 1}");
    assert_int_not_equal(access(left, F_OK), 0);
    assert_int_equal(nashc_outdir_commit(a, d), NASHC_OK);
    assert_int_equal(nashc_outdir_commit(b, d), NASHC_OK);
    assert_int_equal(entries(dir), 2);
}

static void
links_below_are_not_followed(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_outfile *f;

    write_text(in_dir("victim"), "precious");
    assert_int_equal(mkdir(in_dir("d"), 0777), 0);
    assert_int_equal(symlink("../victim", in_dir("d/file")), 0);
    assert_int_equal(symlink("..", in_dir("d/up")), 0);
    assert_non_null(f = nashc_out_open_below(in_dir("d"), "file", d));
    assert_int_equal(nashc_out_commit(f, d), NASHC_OK);
    assert_text(in_dir("victim"), "precious");
    assert_text(in_dir("d/file"), "");
    assert_null(nashc_out_open_below(in_dir("d"), "up/victim", d));
    assert_non_null(strstr(first_message(*state), "is a link, which is not followed"));
}

#define FILE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(files_appear_at_commit),
        FILE_TEST(large_files),
        FILE_TEST(links_are_followed_when_replaced),
        FILE_TEST(what_cannot_be_opened_is_reported),
        FILE_TEST(folders_appear_at_commit),
        FILE_TEST(foreign_folders_are_left_alone),
        FILE_TEST(a_name_that_is_taken),
        FILE_TEST(folders_of_other_processes),
        FILE_TEST(links_below_are_not_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
