/* temp.c: tests of core/base/temp.c: what does not outlive the process. */
#define _DEFAULT_SOURCE 1 /* mkdtemp */
#include "unit.h"
#include <fcntl.h>
#include <nashc/io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
touch(const char *path)
{
    int fd = open(path, O_CREAT | O_WRONLY, 0666);
    assert_true(fd >= 0);
    close(fd);
}

static bool
exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

/* More entries than one reading of a folder gives, folders in folders, a link to what must stay. */
static void
trees(void **state)
{
    char root[] = "/tmp/nashc-unit-XXXXXX", path[300], inner[300];
    (void)state;
    assert_non_null(mkdtemp(root));
    snprintf(inner, sizeof inner, "%s/tree", root);
    assert_int_equal(mkdir(inner, 0777), 0);
    for (int i = 0; i < 300; i++) {
        snprintf(path, sizeof path, "%s/tree/a file with a long name, number %d", root, i);
        touch(path);
    }
    for (int i = 0; i < 10; i++) {
        strcat(inner, "/sub");
        assert_int_equal(mkdir(inner, 0777), 0);
        snprintf(path, sizeof path, "%s/file", inner);
        touch(path);
    }
    snprintf(path, sizeof path, "%s/kept", root);
    touch(path);
    snprintf(inner, sizeof inner, "%s/tree/link", root);
    assert_int_equal(symlink("..", inner), 0);
    snprintf(inner, sizeof inner, "%s/tree", root);
    assert_true(nashc_tree_remove(inner));
    assert_false(exists(inner));
    assert_true(exists(path));
    assert_false(nashc_tree_remove(inner));
    assert_true(nashc_tree_remove(root));
}

static void
notes(void **state)
{
    char root[] = "/tmp/nashc-unit-XXXXXX", path[100][64];
    (void)state;
    assert_non_null(mkdtemp(root));
    for (int i = 0; i < 100; i++) {
        snprintf(path[i], sizeof path[i], "%s/%d", root, i);
        touch(path[i]);
    }
    nashc_temp_note(path[0]);
    nashc_temp_note(path[1]);
    nashc_temp_done(path[0]);
    nashc_temp_done(path[2]); /* never noted */
    nashc_temp_note(NULL);
    nashc_temp_remove_all();
    assert_true(exists(path[0]));
    assert_false(exists(path[1]));
    for (int i = 2; i < 100; i++) /* beyond the table: not noted, no harm */
        nashc_temp_note(path[i]);
    nashc_temp_remove_all();
    assert_false(exists(path[2]));
    assert_true(exists(path[99]));
    assert_true(nashc_tree_remove(root));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {UNIT(trees), UNIT(notes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
