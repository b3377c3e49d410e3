/* pool.c: tests of plugins/threads/pool.c: every thread works once a run, teams wait for each other
 * and agree on failures, and threads end; and of pace.c: the faster way is taken. */
#include "plugins/threads/pool.h"
#include "plugins/llvm/pace.h"
#include "unit.h"
#include <string.h>

enum { THREADS = 4, ROUNDS = 200 };

typedef struct job {
    thread_pool *pool;
    int size;           /* threads of a team */
    long seen[THREADS]; /* plain memory: only meetings order it */
    int runs[THREADS], wrong, fails_at;
    int left_at[THREADS];
} job;

static void
count(void *user, int t)
{
    job *j = user;

    j->runs[t]++;
}

static void
each_works_once_a_run(void **state)
{
    (void)state;
    for (int spin = 0; spin < 2; spin++) {
        job j = {.pool = thread_pool_create(THREADS, spin)};
        assert_non_null(j.pool);
        for (int r = 0; r < ROUNDS; r++)
            thread_pool_run(j.pool, 1 + r % THREADS, count, &j);
        for (int t = 0; t < THREADS; t++)
            assert_int_equal(j.runs[t], ROUNDS / THREADS * (THREADS - t));
        thread_pool_free(j.pool);
    }
}

/* In each round a member writes what it read from the next one in the round before, plus 1. */
static void
pass_on(void *user, int t)
{
    job *j = user;
    int first = t / j->size * j->size, member = t - first;
    thread_team *team = thread_pool_team(j->pool, first);

    for (int r = 0; r < ROUNDS; r++) {
        long next = j->seen[first + (member + 1) % j->size];
        bool failed = thread_team_meet(team, j->size, r == j->fails_at && member == j->size - 1);
        j->left_at[t] = r;
        if (failed)
            return;
        j->seen[t] = next + 1;
        if (thread_team_meet(team, j->size, false))
            return;
    }
}

static void
teams_meet(void **state)
{
    (void)state;
    for (int size = 1; size <= THREADS; size++) {
        job j = {.pool = thread_pool_create(THREADS, size % 2), .size = size, .fails_at = -1};
        assert_non_null(j.pool);
        for (int run = 1; run <= 3; run++) {
            thread_pool_run(j.pool, THREADS / size * size, pass_on, &j);
            for (int t = 0; t < THREADS / size * size; t++)
                assert_int_equal(j.seen[t], run * ROUNDS);
        }
        thread_pool_free(j.pool);
    }
}

static void
all_learn_of_a_failure(void **state)
{
    (void)state;
    for (int at = 0; at < 20; at += 3) {
        job j = {.pool = thread_pool_create(THREADS, true), .size = THREADS, .fails_at = at};
        assert_non_null(j.pool);
        thread_pool_run(j.pool, THREADS, pass_on, &j);
        for (int t = 0; t < THREADS; t++)
            assert_int_equal(j.left_at[t], at);
        j.fails_at = -1; /* the next run knows nothing of it */
        memset(j.seen, 0, sizeof j.seen);
        thread_pool_run(j.pool, THREADS, pass_on, &j);
        for (int t = 0; t < THREADS; t++)
            assert_int_equal(j.seen[t], ROUNDS);
        thread_pool_free(j.pool);
    }
}

/* How many of n runs were shared, which take that long alone and shared. */
static int
shared_of(cpu_pace *p, int n, double alone, double shared)
{
    int count = 0;

    for (int i = 0; i < n; i++) {
        bool s = cpu_pace_shares(p);
        count += s;
        cpu_pace_took(p, s, s ? shared : alone);
    }
    return count;
}

static void
the_faster_way_is_taken(void **state)
{
    cpu_pace p = {0};

    (void)state;
    assert_true(shared_of(&p, 1000, 1e-3, 6e-4) > 980);
    assert_true(shared_of(&p, 10000, 1e-3, 4e-3) < 50); /* other programs want the processors */
    assert_true(shared_of(&p, 20000, 1e-3, 6e-4) > 10000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_works_once_a_run),
        cmocka_unit_test(teams_meet),
        cmocka_unit_test(all_learn_of_a_failure),
        cmocka_unit_test(the_faster_way_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
