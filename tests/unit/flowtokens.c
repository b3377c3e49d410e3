/* flowtokens.c: tests of core/host/flowtokens.c against lists of all times. */
#include "core/base/rng.h"
#include "core/host/flownet.h"
#include "unit.h"

#define MOST 60

/* n times that rise by bursts of equal distances, as a queue and as a list. */
static void
draw(nashc_rng *r, uint64_t first, int n, flow_tokens *q, uint64_t *t)
{
    uint64_t at = first;
    int left = 0, d = 1;

    flow_clear(q);
    for (int i = 0; i < n; i++) {
        if (left-- == 0) {
            left = (int)nashc_rng_range(r, 0, 6);
            d = (int)nashc_rng_range(r, 1, 4);
        }
        t[i] = at;
        at += (uint64_t)d;
        assert_true(flow_put(q, t[i], 1, 0));
    }
}

/* Most tokens there just after a put of the frame, period 0: of all. */
static uint64_t
most_by_hand(const uint64_t *put, const uint64_t *get, int n, int64_t late, uint64_t period)
{
    int64_t most = 0;

    for (int i = 0; i < n; i++) {
        int64_t held = i + 1;
        for (int f = -8; f <= 8; f++)
            for (int k = 0; k < n && (period > 0 || f == 0); k++)
                held -= (int64_t)get[k] + late + f * (int64_t)period <= (int64_t)put[i];
        held += period > 0 ? 8 * n : 0; /* puts of the frames before */
        most = held > most ? held : most;
    }
    return (uint64_t)most;
}

static void
most_held(void **state)
{
    uint64_t put[MOST], get[MOST];
    flow_tokens p = {0}, g = {0};
    nashc_rng r;

    (void)state;
    nashc_rng_seed(&r, 5);
    for (int round = 0; round < 2000; round++) {
        int n = (int)nashc_rng_range(&r, 1, 20);
        draw(&r, 1000, n, &p, put);
        draw(&r, 1000 + (uint64_t)nashc_rng_range(&r, 0, 60), n, &g, get);
        int64_t late = nashc_rng_range(&r, 0, 30);
        assert_int_equal(flow_most(&p, &g, late, 0, 0), most_by_hand(put, get, n, late, 0));
        assert_int_equal(flow_most(&p, &g, late, 0, 90), most_by_hand(put, get, n, late, 90));
    }
    flow_free(&p);
    flow_free(&g);
}

/* What is put comes out again, however it was grouped, dropped in parts in between. */
static void
first_in_first_out(void **state)
{
    uint64_t t[MOST];
    flow_tokens q = {0};
    nashc_rng r;

    (void)state;
    nashc_rng_seed(&r, 6);
    for (int round = 0; round < 500; round++) {
        int at = 0;
        draw(&r, 7, MOST, &q, t);
        while (q.n > 0) {
            uint64_t n = (uint64_t)nashc_rng_range(&r, 1, (int64_t)q.n);
            assert_int_equal(flow_time(&q, n - 1), t[at + (int)n - 1]);
            flow_drop(&q, n);
            at += (int)n;
        }
        assert_int_equal(at, MOST);
    }
    flow_free(&q);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {UNIT(most_held), UNIT(first_in_first_out)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
