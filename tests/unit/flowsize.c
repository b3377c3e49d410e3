/* flowsize.c: tests of core/host/flowplan.c, flowsize.c, flowproof.c and flowcheck.c. */
#include "core/base/rng.h"
#include "residual.h"
#include "unit.h"

#define MAX_EDGES 6

static nashc_graph *
dataflow(nashc_module *m)
{
    return nashc_module_graph(m, "dataflow");
}

static nashc_flow_sizing
size(nashc_ctx *c, nashc_module *m, nashc_arena *a)
{
    nashc_flow_sizing z = {0};

    if (nashc_flow_size(dataflow(m), NULL, &z, a, nashc_ctx_diag(c)) != NASHC_OK)
        unit_print_messages(c);
    assert_non_null(z.depth);
    return z;
}

static uint32_t
depth_of(const nashc_module *m, const nashc_flow_sizing *z, const char *value)
{
    NASHC_EACH_NODE(nashc_module_graph(m, "dataflow"), n)
    {
        for (int i = 0; i < nashc_node_n_out(n); i++)
            if (strcmp(nashc_value_name(nashc_node_out(n, i)), value) == 0)
                return z->depth[nashc_value_id(nashc_node_out(n, i))];
    }
    fail();
    return 0;
}

static void
residual_block(void **state)
{
    nashc_arena *a = nashc_arena_create();
    nashc_module *m = unit_parse(*state, residual);
    nashc_flow_sizing z = size(*state, m, a);

    assert_in_range(depth_of(m, &z, "r"), (6 + 2) * 2 - 2, (6 + 2) * 2 + 8);
    assert_int_equal(depth_of(m, &z, "a"), 0);
    assert_true(z.flow.steady);
    assert_int_equal(z.flow.cycles, z.slowest);
    assert_int_equal(z.rounds, 1);
    nashc_module_free(m);
    nashc_arena_free(a);
}

/* Nothing waits in a chain whose layers all go on together. */
static void
nothing_to_hold(void **state)
{
    nashc_arena *a = nashc_arena_create();
    nashc_module *m = unit_parse(*state, "graph @dataflow(%x: u2[9,2]) -> (%y) {\n"
                                         "  %t: u1<0..0>[1,1] = [0]\n"
                                         "  %a: u2[9,2] = hw.channelwise(%x, %t) func=max\n"
                                         "  %b: u2[9,2] = hw.channelwise(%a, %t) func=max\n"
                                         "  %y: u2[9,2] = hw.channelwise(%b, %t) func=max\n"
                                         "}\n");
    nashc_flow_sizing z = size(*state, m, a);

    for (uint32_t id = 0; id < z.n_ids; id++)
        assert_int_equal(z.depth[id], 0);
    assert_int_equal(z.flow.cycles, 18);
    nashc_module_free(m);
    nashc_arena_free(a);
}

/* A random fork of units on one or two lanes, with up to MAX_EDGES streams between layers. */
static nashc_module *
small_network(nashc_ctx *c, nashc_rng *r)
{
    int n = 2 << nashc_rng_range(r, 0, 1), rows = (int)nashc_rng_range(r, 1, 4);
    int pe = 1 << nashc_rng_range(r, 0, 1);
    bool second = nashc_rng_range(r, 0, 1) == 1;
    char unit[256] = "", text[1024];

    if (second)
        snprintf(unit, sizeof unit,
                 "  %%c: u2[%d,%d] = hw.mvau(%%b, %%w, %%t) pe=%d\n"
                 "  %%d: u2[%d,%d] = hw.dwc(%%c) lanes_in=%d lanes_out=1\n",
                 rows, n, pe, rows, n, pe);
    snprintf(text, sizeof text,
             "graph @dataflow(%%x: u2[%d,%d]) -> (%%y) {\n"
             "  %%t: i8[1,3] = [-1, 0, 2]\n  %%w: bip[%d,%d] = rand 3\n"
             "  %%a: u2[%d,%d], %%b: u2[%d,%d] = hw.duplicate_streams(%%x)\n%s"
             "  %%e: u2[%d,%d] = hw.mvau(%%a, %%w, %%t)\n"
             "  %%y: u2[%d,%d] = hw.add_streams(%%e, %%%s) func=max\n}\n",
             rows, n, n, n, rows, n, rows, n, unit, rows, n, rows, n, second ? "d" : "b");
    return unit_parse(c, text);
}

static bool
good(const nashc_module *m, const uint32_t *fifo, uint64_t cycles)
{
    nashc_flow_options o = {.struct_size = sizeof o, .fifo = fifo};
    const nashc_graph *g = nashc_module_graph(m, "dataflow");
    nashc_arena *a = nashc_arena_create();
    nashc_flow_result r = {0};
    nashc_flow_proof p;

    bool ok = nashc_flow_simulate(g, &o, &r, a, NULL) == NASHC_OK &&
              r.cycles <= cycles * r.period && nashc_flow_prove(g, &o, &p, a, NULL) == NASHC_OK;
    nashc_arena_free(a);
    return ok;
}

/* Memories: each FIFO of up to 64 words takes one a bit. */
static uint32_t
memories(const uint32_t *depth, const uint32_t *edge, int n)
{
    uint32_t sum = 0;

    for (int i = 0; i < n; i++)
        sum += (depth[edge[i]] + 63) / 64;
    return sum;
}

/* Of all depths that keep the interval none takes more than a memory less than those found. */
static void
against_all_depths(void **state)
{
    static const uint32_t depths[] = {0, 2, 4, 8, 16, 40};
    nashc_rng r;

    nashc_rng_seed(&r, 3);
    for (int round = 0; round < 8; round++) {
        nashc_arena *a = nashc_arena_create();
        nashc_module *m = small_network(*state, &r);
        nashc_flow_sizing z = size(*state, m, a);
        uint32_t edge[MAX_EDGES], best = UINT32_MAX, n = 0;
        uint32_t *fifo = NASHC_NEW_N(a, uint32_t, z.n_ids);
        NASHC_EACH_NODE(dataflow(m), node)
        {
            for (int i = 0; i < nashc_node_n_out(node); i++)
                if (nashc_value_one_user(nashc_node_out(node, i)))
                    edge[n++] = nashc_value_id(nashc_node_out(node, i));
        }
        assert_in_range(n, 1, MAX_EDGES);
        assert_true(good(m, z.depth, z.slowest));
        uint32_t all = 1;
        for (uint32_t i = 0; i < n; i++)
            all *= NASHC_COUNT(depths);
        for (uint32_t code = 0; code < all; code++) {
            for (uint32_t i = 0, k = code; i < n; i++, k /= NASHC_COUNT(depths))
                fifo[edge[i]] = depths[k % NASHC_COUNT(depths)];
            uint32_t cost = memories(fifo, edge, (int)n);
            if (cost < best && good(m, fifo, z.slowest))
                best = cost;
        }
        assert_in_range(memories(z.depth, edge, (int)n), best, best + 1);
        nashc_module_free(m);
        nashc_arena_free(a);
    }
}

/* --- certificates ------------------------------------------------------------------------------
 */

static const char *const with_fifo =
    "graph @dataflow(%%x: u2[36,2]) -> (%%y) {\n"
    "  %%l: u2[36,2], %%r: u2[36,2] = hw.duplicate_streams(%%x)\n"
    "  %%f: u2[36,2] = hw.fifo(%%r) depth=%d\n"
    "  %%z: u1<0..0>[1,1] = [0]\n"
    "  %%p: u2[64,2] = hw.fmpadding(%%l, %%z) dim=[6,6] pads=[1,1,1,1]\n"
    "  %%v: u2[324,2] = hw.window(%%p) dims=[6,6,1,3,3,2] strides=[16,2,2,16,2,1]\n"
    "  %%w: bip[18,2] = rand 1\n"
    "  %%t: i8[1,3] = [-5, 0, 5]\n"
    "  %%a: u2[36,2] = hw.mvau(%%v, %%w, %%t)\n"
    "  %%y: u2[36,2] = hw.add_streams(%%a, %%f) func=max\n"
    "}\n";

static nashc_module *
bypass_of(nashc_ctx *c, int depth)
{
    char text[1024];

    snprintf(text, sizeof text, with_fifo, depth);
    return unit_parse(c, text);
}

static void
certificates(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_arena *a = nashc_arena_create();
    nashc_module *m = bypass_of(*state, 16);
    nashc_flow_proof p, q;

    assert_int_equal(nashc_flow_prove(dataflow(m), NULL, &p, a, d), NASHC_OK);
    assert_int_equal(p.units, 7);
    assert_int_equal(p.steps, 72 + 72 + 128 + 128 + 648 + 1296 + 72);
    assert_int_equal(nashc_flow_check_proof(dataflow(m), NULL, &p, a, d), NASHC_OK);
    q = p;
    q.order ^= 1;
    assert_int_equal(nashc_flow_check_proof(dataflow(m), NULL, &q, a, d), NASHC_EINPUT);
    unit_expect_message(*state, "is of another execution");
    nashc_diag_truncate(d, 0);
    q = p;
    q.visits++;
    assert_int_equal(nashc_flow_check_proof(dataflow(m), NULL, &q, a, d), NASHC_EINPUT);
    nashc_module_free(m);
    nashc_diag_truncate(d, 0);
    m = bypass_of(*state, 8); /* the order of the deep one is none of this */
    assert_int_equal(nashc_flow_check_proof(dataflow(m), NULL, &p, a, d), NASHC_EINPUT);
    unit_expect_message(*state, "cannot end its frame");
    nashc_diag_truncate(d, 0);
    assert_int_equal(nashc_flow_prove(dataflow(m), NULL, &q, a, d), NASHC_EINPUT);
    unit_expect_message(*state, "the streams can dead-lock");
    nashc_module_free(m);
    nashc_arena_free(a);
}

/* No bypass that is too short has a certificate, each one that has it runs. */
static void
certificate_or_deadlock(void **state)
{
    for (int depth = 2; depth < 24; depth++) {
        nashc_arena *a = nashc_arena_create();
        nashc_module *m = bypass_of(*state, depth);
        nashc_flow_result r;
        nashc_flow_proof p;

        nashc_status proved = nashc_flow_prove(dataflow(m), NULL, &p, a, NULL);
        nashc_status runs = nashc_flow_simulate(dataflow(m), NULL, &r, a, NULL);
        assert_true(proved != NASHC_OK || runs == NASHC_OK);
        assert_true(depth < 18 || proved == NASHC_OK);
        assert_true(depth > 8 || proved == NASHC_EINPUT);
        if (proved == NASHC_OK)
            assert_int_equal(nashc_flow_check_proof(dataflow(m), NULL, &p, a, NULL), NASHC_OK);
        nashc_module_free(m);
        nashc_arena_free(a);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(residual_block), UNIT(nothing_to_hold),         UNIT(against_all_depths),
        UNIT(certificates),   UNIT(certificate_or_deadlock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
