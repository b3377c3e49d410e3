/* flowseen.c: tests of core/host/flowseen.c: what insert-fifo simulated is known afterwards. */
#include "core/host/flowsim.h"
#include "residual.h"
#include "unit.h"

static flow_sim
simulation(nashc_ctx *c, const nashc_module *m, flow_net *net, nashc_arena *a)
{
    flow_sim s;
    nashc_diag *d = nashc_ctx_diag(c);

    assert_int_equal(flow_net_read(nashc_module_graph(m, "dataflow"), NULL, net, a, d), NASHC_OK);
    assert_int_equal(flow_sim_build(&s, net, NULL, a, d), NASHC_OK);
    return s;
}

static void
fifos_are_known_as_layers(void **state)
{
    nashc_arena *a = nashc_arena_create();
    nashc_module *m = unit_parse(*state, residual);
    flow_net net;
    flow_key key;

    assert_int_equal(nashc_run_pipeline(&m, "insert-fifo", NULL, nashc_ctx_diag(*state)), NASHC_OK);
    flow_sim s = simulation(*state, m, &net, a);
    nashc_flow_result known = {.occupancy = NASHC_NEW_N(a, uint32_t, net.n_ids)};
    nashc_flow_result again = {.occupancy = NASHC_NEW_N(a, uint32_t, net.n_ids)};
    assert_true(flow_seen_key(&s, 64, &key));
    assert_true(flow_seen_get(&s, &key, &known));
    assert_int_equal(flow_sim_run(&s, 64, &again, NULL), NASHC_OK);
    assert_int_equal(known.latency, again.latency);
    assert_int_equal(known.cycles, again.cycles);
    assert_int_equal(known.frames, again.frames);
    assert_memory_equal(known.occupancy, again.occupancy, net.n_ids * sizeof *again.occupancy);
    flow_sim_free(&s);
    nashc_module_free(m);
    nashc_arena_free(a);
}

/* Another depth is another simulation. */
static void
another_depth_is_not_known(void **state)
{
    nashc_arena *a = nashc_arena_create();
    nashc_module *m = unit_parse(*state, residual);
    nashc_flow_result r = {0};
    flow_net net;
    flow_key key;

    assert_int_equal(nashc_run_pipeline(&m, "insert-fifo", NULL, nashc_ctx_diag(*state)), NASHC_OK);
    NASHC_EACH_NODE(nashc_module_graph(m, "dataflow"), n)
    {
        if (nashc_node_is(n, "hw.fifo"))
            assert_int_equal(nashc_node_set_attr_int(n, "depth", nashc_node_int(n, "depth") + 1,
                                                     nashc_ctx_diag(*state)),
                             NASHC_OK);
    }
    flow_sim s = simulation(*state, m, &net, a);
    assert_true(flow_seen_key(&s, 64, &key));
    assert_false(flow_seen_get(&s, &key, &r));
    flow_sim_free(&s);
    nashc_module_free(m);
    nashc_arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(fifos_are_known_as_layers),
        UNIT(another_depth_is_not_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
