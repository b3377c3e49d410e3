/* ring.c: tests of ir/ring.c: loops over a frame as a ring of beats; numbers are worked out by
 * hand. */
#include "unit.h"

/* 3x3 windows of a 5x5 image: a row of windows keeps two rows and three pixels. */
static void
windows(void **state)
{
    static const int64_t dim[] = {3, 3, 3, 3}, stride[] = {5, 1, 5, 1};
    const nashc_loops l = {.n = 4, .dim = dim, .stride = stride, .count = 25, .lanes = 1};
    static const int64_t move[] = {-9, -11, 3, 1, 1}, release[] = {3, 1, 0, 0, 13};
    nashc_ring r;

    (void)state;
    assert_int_equal(nashc_ring_of(&l, &r), NASHC_OK);
    assert_int_equal(r.loops, 4);
    assert_int_equal(r.words, 25);
    assert_int_equal(r.least, 13);
    assert_int_equal(r.depth, 17); /* and 4 beats more than a window takes to give */
    assert_memory_equal(r.move, move, sizeof move);
    assert_memory_equal(r.release, release, sizeof release);
}

/* Rows whose pixels come in as 2x2 blocks, row by row of the blocks: the last pixel of the upper
 * row of blocks, 14 of 16, is given as the 8th. Of pixels given twice, two rows of each, the first
 * one is asked for at once. */
static void
windows_apart(void **state)
{
    static const int64_t block_dim[] = {9, 2, 4, 2}, block_stride[] = {16, 2, 4, 1};
    const nashc_loops block = {
        .n = 4, .dim = block_dim, .stride = block_stride, .count = 144, .lanes = 1};
    static const int64_t twice_dim[] = {9, 2, 4, 2, 1}, twice_stride[] = {4, 0, 1, 0, 1};
    const nashc_loops twice = {
        .n = 5, .dim = twice_dim, .stride = twice_stride, .count = 36, .lanes = 1};
    nashc_ring r;

    (void)state;
    assert_int_equal(nashc_ring_of(&block, &r), NASHC_OK);
    assert_int_equal(r.least, 14);
    assert_int_equal(r.depth, 14 + 7);
    assert_int_equal(nashc_ring_of(&twice, &r), NASHC_OK);
    assert_int_equal(r.least, 4);
    assert_int_equal(r.depth, 5);
}

/* Beats of 2 channels of 4; loops that go on where the next one ends are one with it. */
static void
merged(void **state)
{
    static const int64_t dim[] = {1, 2, 3, 4}, stride[] = {99, 12, 4, 1};
    const nashc_loops l = {
        .n = 4, .dim = dim, .stride = stride, .first = 4, .count = 28, .lanes = 2, .depth = 3};
    nashc_ring r;

    (void)state;
    assert_int_equal(nashc_ring_of(&l, &r), NASHC_OK);
    assert_int_equal(r.loops, 1);
    assert_int_equal(r.count[0], 12);
    assert_int_equal(r.first, 2);
    assert_int_equal(r.words, 14);
    assert_int_equal(r.depth, 3);
    assert_int_equal(r.move[0], 1);
    assert_int_equal(r.move[1], 14 - 11);
}

static void
too_many(void **state)
{
    int64_t dim[NASHC_RING_LOOPS + 1], stride[NASHC_RING_LOOPS + 1];
    const nashc_loops l = {
        .n = NASHC_RING_LOOPS + 1, .dim = dim, .stride = stride, .count = 1 << 20, .lanes = 1};
    nashc_ring r;

    (void)state;
    for (int i = 0; i < l.n; i++) {
        dim[i] = 2;
        stride[i] = i == l.n - 1 ? 1 : 3 * (l.n - i);
    }
    assert_int_equal(nashc_ring_of(&l, &r), NASHC_EUNSUP);
    dim[0] = 1;
    assert_int_equal(nashc_ring_of(&l, &r), NASHC_OK);
    assert_int_equal(r.loops, NASHC_RING_LOOPS);
}

/* The same windows at once: complete with word 12 = 2 * 5 + 2, then with the next two, then 2 more;
 * between rows of a window lie 2 words of the line, in 2 places. */
static void
line(void **state)
{
    static const int64_t dim[] = {3, 3, 3, 3}, stride[] = {5, 1, 5, 1};
    const nashc_loops l = {.n = 4, .dim = dim, .stride = stride, .count = 25, .lanes = 1};
    static const int64_t move[] = {3, 1, 13}, held[] = {2, 0}, rows[] = {2, 6};
    nashc_line z;

    (void)state;
    assert_int_equal(nashc_line_of(&l, true, &z), NASHC_OK);
    assert_int_equal(z.loops, 2);
    assert_int_equal(z.taps, 9);
    assert_int_equal(z.newest, 12);
    assert_memory_equal(z.move, move, sizeof move);
    assert_memory_equal(z.held, held, sizeof held);
    assert_memory_equal(z.rows, rows, sizeof rows);
    for (int64_t i = 0; i < 25; i++)
        assert_int_equal(nashc_line_gives(&z, i), i >= 10 && i % 5 >= 2);
    assert_int_equal(nashc_line_of(&l, false, &z), NASHC_EUNSUP); /* words are given again */
}

/* Elements that rise need no ring; repeated ones do, also at once. */
static void
no_ring(void **state)
{
    static const int64_t dim[] = {2, 3, 2}, cut[] = {12, 4, 1}, twice[] = {12, 0, 1};
    nashc_loops l = {.n = 3, .dim = dim, .stride = cut, .first = 3, .count = 30, .lanes = 1};
    nashc_line z;

    (void)state;
    assert_int_equal(nashc_line_of(&l, false, &z), NASHC_OK);
    assert_int_equal(z.taps, 1);
    assert_int_equal(z.newest, 3);
    for (int64_t i = 0; i < 30; i++)
        assert_int_equal(nashc_line_gives(&z, i), (i >= 3 && i < 13 && (i - 3) % 4 < 2) ||
                                                      (i >= 15 && (i - 15) % 4 < 2 && i < 25));
    l.stride = twice;
    assert_int_equal(nashc_line_of(&l, false, &z), NASHC_EUNSUP);
    assert_int_equal(nashc_line_of(&l, true, &z), NASHC_EUNSUP);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(windows), cmocka_unit_test(windows_apart),
                                       cmocka_unit_test(merged),  cmocka_unit_test(too_many),
                                       cmocka_unit_test(line),    cmocka_unit_test(no_ring)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
