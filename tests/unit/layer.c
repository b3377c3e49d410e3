/* layer.c: tests of core/host/layer.c: two backends, each with its models of the same layers. */
#include "unit.h"

/* A backend whose layers take a beat a step like those of Verilog, but whose hw.channelwise has 20
 * stages; it has no model of hw.requant, and a broken one of hw.lut. */
static nashc_stream
first_stream(const nashc_node *n)
{
    nashc_stream in[NASHC_FLOW_PORTS], out[NASHC_FLOW_PORTS];

    assert_int_equal(nashc_node_op(n)->hw->streams(n, in, out, NULL), NASHC_OK);
    return in[0];
}

static uint64_t
slow_cycles(const nashc_node *n)
{
    return (uint64_t)first_stream(n).beats;
}

static nashc_status
slow_timing(const nashc_node *n, nashc_timing *out)
{
    bool fifo = nashc_node_is(n, "hw.fifo");

    *out = (nashc_timing){
        .steps = slow_cycles(n),
        .latency = nashc_node_is(n, "hw.channelwise") ? 20 : 0,
        .depth = fifo ? (uint32_t)nashc_node_int(n, "depth") : 2,
        .kind = fifo,
        .arg = {nashc_node_is(n, "hw.add_streams") ? 3 : 1, (1u << nashc_node_n_out(n)) - 1}};
    return NASHC_OK;
}

static void
slow_step(const nashc_timing *t, uint64_t i, uint32_t *reads, uint32_t *writes)
{
    (void)i;
    *reads = (uint32_t)t->arg[0];
    *writes = (uint32_t)t->arg[1];
}

static nashc_status
slow_cost(const nashc_node *n, const nashc_device *dev, nashc_cost *out)
{
    *out = (nashc_cost){.lut = dev ? 1 : 1000, .dsp = (uint64_t)nashc_node_n_in(n)};
    return NASHC_OK;
}

static nashc_status
no_write(const nashc_module *m, const char *path, const nashc_opts *o, nashc_diag *d)
{
    (void)m;
    (void)path;
    (void)o;
    (void)d;
    return NASHC_OK;
}

static const nashc_layer_model slow = {NASHC_DESC(nashc_layer_model), .cycles = slow_cycles,
                                       .timing = slow_timing, .step = slow_step, .cost = slow_cost};
static const nashc_layer_model broken = {NASHC_DESC(nashc_layer_model), .cycles = slow_cycles};
static const nashc_impl impl_channelwise = NASHC_IMPL_MODEL("slow.model", "hw.channelwise", slow);
static const nashc_impl impl_add = NASHC_IMPL_MODEL("slow.model", "hw.add_streams", slow);
static const nashc_impl impl_fork = NASHC_IMPL_MODEL("slow.model", "hw.duplicate_streams", slow);
static const nashc_impl impl_fifo = NASHC_IMPL_MODEL("slow.model", "hw.fifo", slow);
static const nashc_impl impl_lut = NASHC_IMPL_MODEL("slow.model", "hw.lut", broken);
static const nashc_backend backend_slow = {NASHC_DESC(nashc_backend), .name = "slow",
                                           .help = "layers with long pipelines", .write = no_write,
                                           .model = "slow.model"};
static const nashc_backend backend_none = {NASHC_DESC(nashc_backend), .name = "none",
                                           .help = "no layers at all", .write = no_write};
static const nashc_plugin plugin = {
    NASHC_DESC(nashc_plugin),
    .abi = NASHC_ABI,
    .name = "slow",
    .version = "1",
    .help = "a second backend",
    .backends = (const nashc_backend *const[]){&backend_slow, &backend_none, NULL},
    .impls = (const nashc_impl *const[]){&impl_channelwise, &impl_add, &impl_fork, &impl_fifo,
                                         &impl_lut, NULL},
};

static const char *const branch = "graph @dataflow(%x: u2[1,32]) -> (%y) {\n"
                                  "  %l: u2[1,32], %r: u2[1,32] = hw.duplicate_streams(%x)\n"
                                  "  %p: u2<2..2>[1,1] = [2]\n"
                                  "  %a: u3<2..5>[1,32] = hw.channelwise(%l, %p) func=add\n"
                                  "  %y: u4<2..8>[1,32] = hw.add_streams(%a, %r)\n"
                                  "}\n";

static void
set_up(nashc_ctx *c)
{
    assert_int_equal(nashc_register(c, &plugin, "unit", nashc_ctx_diag(c)), NASHC_OK);
}

static nashc_node *
layer(nashc_module *m, const char *op)
{
    NASHC_EACH_NODE(nashc_module_graph(m, "dataflow"), n)
    {
        if (nashc_node_is(n, op))
            return n;
    }
    return NULL;
}

/* FIFO depth in front of the sum, and latency of the network with it. */
static int64_t
sized(nashc_ctx *c, const nashc_backend *b, uint64_t *latency)
{
    nashc_pm_options po = {.struct_size = sizeof po, .bisect_limit = -1};
    nashc_flow_options fo = {.struct_size = sizeof fo, .backend = b};
    nashc_module *m = unit_parse(c, branch);
    nashc_arena *a = nashc_arena_create();
    char passes[64];
    nashc_flow_result r;

    snprintf(passes, sizeof passes, "insert-fifo(backend=%s)", b->name);
    assert_int_equal(nashc_run_pipeline(&m, passes, &po, nashc_ctx_diag(c)), NASHC_OK);
    assert_int_equal(
        nashc_flow_simulate(nashc_module_graph(m, "dataflow"), &fo, &r, a, nashc_ctx_diag(c)),
        NASHC_OK);
    assert_int_equal(r.cycles, 32 * r.period);
    *latency = r.latency;
    const nashc_node *fifo = layer(m, "hw.fifo");
    int64_t depth = fifo ? nashc_node_int(fifo, "depth") : 0;
    nashc_arena_free(a);
    nashc_module_free(m);
    return depth;
}

/* 18 stages more: so much later, and so many more beats wait on the short branch. */
static void
latency_and_depth(void **state)
{
    uint64_t latency, latency_slow;
    const nashc_backend *verilog = nashc_model_backend(*state, NULL, nashc_ctx_diag(*state));

    set_up(*state);
    assert_string_equal(verilog->name, "verilog");
    int64_t depth = sized(*state, verilog, &latency);
    int64_t depth_slow = sized(*state, &backend_slow, &latency_slow);
    assert_true(latency_slow >= latency + 16);
    assert_true(depth < 8);
    assert_in_range(depth_slow, 16, 24);
}

/* Costs are the backend's, and it is told the device. */
static void
costs(void **state)
{
    const nashc_device *u250 = nashc_find(*state, NASHC_D_DEVICE, "U250");
    nashc_cost c, sum = {0};

    set_up(*state);
    nashc_module *m = unit_parse(*state, branch);
    const nashc_node *n = layer(m, "hw.add_streams");
    assert_true(nashc_layer_cost(n, &backend_slow, NULL, &c));
    assert_int_equal(c.lut, 1000);
    nashc_cost_add(&sum, &c);
    assert_true(nashc_layer_cost(n, &backend_slow, u250, &c));
    nashc_cost_add(&sum, &c);
    assert_int_equal(sum.lut, 1001);
    assert_int_equal(sum.dsp, 4);
    assert_true(nashc_layer_cost(n, NULL, u250, &c)); /* that of Verilog */
    assert_int_equal(c.dsp, 0);
    assert_false(nashc_layer_cost(n, &backend_none, u250, &c));
    assert_true(c.lut == 0 && c.bram_efficiency == 1);
    assert_int_equal(nashc_layer_cycles(n, &backend_slow), 32);
    assert_int_equal(nashc_layer_cycles(n, &backend_none), 0);
    nashc_module_free(m);
}

/* What graphs of additions cost at least is no more than what they cost, and known just where that
 * is: it rules foldings out. Of others both are the same. */
static void
least_costs(void **state)
{
    static const char *const ways[] = {"adders", "lut", "dsp"};
    int known = 0;

    for (int k = 0; k < 3 * 4 * 5; k++) {
        char text[400];
        nashc_cost least, cost;
        snprintf(text, sizeof text,
                 "graph @dataflow(%%x: u4[4,16]) -> (%%y) {\n  %%w: i3[16,8] = rand 1\n"
                 "  %%y: i10<-390..240>[4,8] = hw.mvau(%%x, %%w) pe=%d simd=%d res_type=%s\n}\n",
                 1 << k % 4, 1 << k / 4 % 5, ways[k / 20]);
        nashc_module *m = unit_parse(*state, text);
        const nashc_node *n = layer(m, "hw.mvau");
        bool has = nashc_layer_cost(n, NULL, NULL, &cost);
        assert_int_equal(nashc_layer_least_cost(n, NULL, NULL, &least), has);
        assert_true(least.lut <= cost.lut && least.ff <= cost.ff && least.bram18 <= cost.bram18);
        assert_true(least.uram <= cost.uram && least.dsp <= cost.dsp);
        assert_true(!has || (least.lut == cost.lut) == (k >= 20));
        known += k < 20 && has;
        nashc_module_free(m);
    }
    assert_int_equal(known, 4 + 3 + 2 + 1); /* 1, 2, 4 and 8 words */
}

static void
refuse(nashc_ctx *c, const char *text, const nashc_backend *b, const char *message)
{
    nashc_flow_options fo = {.struct_size = sizeof fo, .backend = b};
    nashc_module *m = unit_parse(c, text);
    nashc_arena *a = nashc_arena_create();
    nashc_flow_result r;

    assert_int_equal(
        nashc_flow_simulate(nashc_module_graph(m, "dataflow"), &fo, &r, a, nashc_ctx_diag(c)),
        NASHC_EUNSUP);
    unit_expect_message(c, message);
    nashc_diag_truncate(nashc_ctx_diag(c), 0);
    nashc_arena_free(a);
    nashc_module_free(m);
}

/* A layer that the backend has no whole model of is an error with layer, backend and what to do. */
static void
refused(void **state)
{
    nashc_pm_options po = {.struct_size = sizeof po, .bisect_limit = -1};
    nashc_diag *d = nashc_ctx_diag(*state);
    static const char *const requant =
        "graph @dataflow(%x: u4[1,4]) -> (%y) {\n"
        "  %m: u2<3..3>[1,1] = [3]\n"
        "  %a: u1<1..1>[1,1] = [1]\n"
        "  %y: u3<0..7>[1,4] = hw.requant(%x, %m, %a) shift=2 qmin=0 qmax=7 !\"r\"\n"
        "}\n";

    set_up(*state);
    refuse(*state, requant, &backend_slow, "backend \"slow\" has no model of hw.requant layers");
    refuse(*state,
           "graph @dataflow(%x: u1[1,4]) -> (%y) {\n"
           "  %t: u2<2..3>[1,2] = [2,3]\n"
           "  %y: u2<2..3>[1,4] = hw.lut(%x, %t)\n"
           "}\n",
           &backend_slow, "backend \"slow\" has an incomplete model of hw.lut layers");
    refuse(*state, branch, &backend_none, "backend \"none\" has no models of layers");
    nashc_module *m = unit_parse(*state, requant);
    assert_int_equal(nashc_run_pipeline(&m, "set-folding(backend=slow)", &po, d), NASHC_EUNSUP);
    unit_expect_message(*state, "hw.requant");
    assert_non_null(strstr(nashc_diag_text(d, 0), "NASHC_IMPL_MODEL(\"slow.model\""));
    nashc_diag_truncate(d, 0);
    assert_null(nashc_model_backend(*state, "none", d));
    unit_expect_message(*state, "nashc_backend.model");
    nashc_diag_truncate(d, 0);
    assert_null(nashc_model_backend(*state, "verilo", d));
    unit_expect_message(*state, "unknown backend \"verilo\"");
    nashc_module_free(m);
}

/* Every built-in layer has models and can be written. */
static void
all_modelled(void **state)
{
    const nashc_op *op;

    for (int i = 0; (op = nashc_desc_at(*state, NASHC_D_OP, i)) != NULL; i++)
        if (op->hw) {
            assert_non_null(nashc_impl_rule(*state, "verilog.model", op->name));
            assert_non_null(nashc_impl_rule(*state, "hls.model", op->name));
            assert_non_null(nashc_impl_find(*state, "verilog", op->name));
            assert_non_null(nashc_impl_find(*state, "hls", op->name));
        }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(latency_and_depth), UNIT(costs), UNIT(least_costs), UNIT(refused), UNIT(all_modelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
