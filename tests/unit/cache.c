/* cache.c: tests of plugins/llvm/cache.c: what is kept comes back, damage is absence, and the
 * folder is bounded.
 */
#include "plugins/llvm/cache.h"
#include "unit.h"
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char folder[64];

static int
set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/nashc-cache-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static void
key_of(int k, char key[CPU_KEY_SIZE])
{
    cpu_cache_key((const void *[]){&k}, (size_t[]){sizeof k}, 1, key);
}

static char *
path_of(int k)
{
    static char path[200];
    char key[CPU_KEY_SIZE];

    key_of(k, key);
    snprintf(path, sizeof path, "%s/%s.o", folder, key);
    return path;
}

static void
put(int k, const char *data, size_t size, size_t most)
{
    char key[CPU_KEY_SIZE];

    key_of(k, key);
    cpu_cache_put(folder, key, data, size, most);
}

static char *
get(int k, size_t *size)
{
    char key[CPU_KEY_SIZE];

    key_of(k, key);
    return cpu_cache_get(folder, key, size);
}

static int
clear(void **state)
{
    (void)state;
    for (int k = 0; k < 8; k++)
        remove(path_of(k));
    return rmdir(folder); /* fails if something else was left */
}

static void
comes_back(void **state)
{
    size_t size;

    (void)state;
    put(1, "some code", 9, 1000);
    char *data = get(1, &size);
    assert_non_null(data);
    assert_int_equal(size, 9);
    assert_memory_equal(data, "some code", 9);
    free(data);
    assert_null(get(2, &size));
}

static void
damage_is_absence(void **state)
{
    size_t size;

    (void)state;
    put(1, "some code", 9, 1000);
    FILE *f = fopen(path_of(1), "r+b");
    assert_non_null(f);
    fseek(f, -1, SEEK_END);
    fputc('E', f);
    fclose(f);
    assert_null(get(1, &size));
    assert_int_equal(truncate(path_of(1), 70), 0);
    assert_null(get(1, &size));
    assert_int_equal(truncate(path_of(1), 3), 0);
    assert_null(get(1, &size));
    put(1, "some code", 9, 1000);
    char *data = get(1, &size);
    assert_non_null(data);
    free(data);
}

static void
wait_a_little(void)
{
    nanosleep(&(struct timespec){0, 20000000}, NULL); /* more than the clock of files ticks */
}

static void
least_used_go_first(void **state)
{
    char data[100] = {0};
    size_t size, most = 3 * (sizeof data + CPU_KEY_SIZE);

    (void)state;
    for (int k = 0; k < 3; k++) {
        put(k, data, sizeof data, most);
        wait_a_little();
    }
    free(get(0, &size));
    wait_a_little();
    put(3, data, sizeof data, most);
    assert_null(get(1, &size));
    for (int k = 0; k < 4; k++)
        if (k != 1) {
            char *got = get(k, &size);
            assert_non_null(got);
            free(got);
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(comes_back, set_up, clear),
        cmocka_unit_test_setup_teardown(damage_is_absence, set_up, clear),
        cmocka_unit_test_setup_teardown(least_used_go_first, set_up, clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
