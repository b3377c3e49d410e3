/* flow.c: tests of core/flow.c, flowbeat.c and flowsim.c; cycles are worked out by hand. */
#include "unit.h"

static const nashc_graph *
dataflow(nashc_module *m)
{
    return nashc_module_graph(m, "dataflow");
}

static nashc_flow_result
simulate(nashc_ctx *c, nashc_module *m, const uint32_t *fifo, nashc_arena *a)
{
    nashc_flow_options o = {.struct_size = sizeof o, .fifo = fifo};
    nashc_flow_result r = {0};
    nashc_status s = nashc_flow_simulate(dataflow(m), &o, &r, a, nashc_ctx_diag(c));

    if (s != NASHC_OK)
        unit_print_messages(c);
    assert_int_equal(s, NASHC_OK);
    return r;
}

/* 4 beats, 2 stages: step i fires in cycle i and is seen in cycle i + 3. */
static void
one_beat_a_cycle(void **state)
{
    nashc_arena *a = nashc_arena_create();
    nashc_module *m = unit_parse(*state, "graph @dataflow(%x: u2[1,4]) -> (%y) {\n"
                                         "  %p: u2<2..2>[1,1] = [2]\n"
                                         "  %y: u3<2..5>[1,4] = hw.channelwise(%x, %p) func=add\n"
                                         "}\n");
    nashc_flow_result r = simulate(*state, m, NULL, a);

    assert_true(r.steady);
    assert_int_equal(r.latency, 6);
    assert_int_equal(r.cycles, 4);
    assert_int_equal(r.period, 1);
    nashc_module_free(m);
    nashc_arena_free(a);
}

/* Word 4 enters the line in cycle 4 and is seen in 5; 6 words a frame. */
static void
line_of_every_second(void **state)
{
    nashc_arena *a = nashc_arena_create();
    nashc_module *m = unit_parse(
        *state, "graph @dataflow(%x: u4[6,1]) -> (%y) {\n"
                "  %y: u4[3,1] = hw.window(%x) dims=[3,1] strides=[2,1] role=downsample\n"
                "}\n");
    nashc_flow_result r = simulate(*state, m, NULL, a);

    assert_true(r.steady);
    assert_int_equal(r.latency, 5);
    assert_int_equal(r.cycles, 6);
    nashc_module_free(m);
    nashc_arena_free(a);
}

/* Word 4 comes in in cycle 4 and fires in 5 and 6, is in the stage in 7 and seen in 8. */
static void
ring_of_every_second_twice(void **state)
{
    nashc_arena *a = nashc_arena_create();
    nashc_module *m =
        unit_parse(*state, "graph @dataflow(%x: u4[6,1]) -> (%y) {\n"
                           "  %y: u4[6,1] = hw.window(%x) dims=[3,2,1] strides=[2,0,1] depth=4 "
                           "role=upsample\n"
                           "}\n");
    nashc_flow_result r = simulate(*state, m, NULL, a);

    assert_true(r.steady);
    assert_int_equal(r.latency, 8);
    assert_int_equal(r.cycles, 6);
    nashc_module_free(m);
    nashc_arena_free(a);
}

static const char *const unit_and_select = "graph @dataflow(%x: u2[1,8]) -> (%y) {\n"
                                           "  %w: bip[8,3] = splat 1\n"
                                           "  %a: u5<0..24>[1,3] = hw.mvau(%x, %w) simd=2 !\"m\"\n"
                                           "  %y: u2<0..2>[1,1] = hw.label_select(%a) !\"s\"\n"
                                           "}\n";

/* 3 rounds of 4 steps; step 11 writes the last row, 4 stages and a skid later it is read in cycle
 * 16, and leaves the selection in cycle 19. */
static void
replayed_vector(void **state)
{
    nashc_arena *a = nashc_arena_create();
    nashc_module *m = unit_parse(*state, unit_and_select);
    nashc_flow_result r = simulate(*state, m, NULL, a);
    const char *const *names = nashc_flow_names(dataflow(m), a);
    nashc_node *first = nashc_graph_first(dataflow(m));

    assert_int_equal(r.latency, 19);
    assert_int_equal(r.cycles, 12);
    assert_true(nashc_flow_interval(&r) == 12.0);
    assert_string_equal(names[nashc_node_id(first)], "MVAU_hls_0");
    assert_string_equal(names[nashc_node_id(nashc_node_next(first))], "LabelSelect_hls_0");
    nashc_module_free(m);
    nashc_arena_free(a);
}

/* An assumed FIFO adds the one cycle that a word spends in it; its fill is told. */
static void
assumed_fifo(void **state)
{
    nashc_arena *a = nashc_arena_create();
    nashc_module *m = unit_parse(*state, unit_and_select);
    uint32_t *fifo = NASHC_NEW_N(a, uint32_t, nashc_graph_max_id(dataflow(m)) + 1);
    const nashc_value *v = nashc_node_out(nashc_graph_first(dataflow(m)), 0);

    fifo[nashc_value_id(v)] = 5;
    nashc_flow_result r = simulate(*state, m, fifo, a);
    assert_int_equal(r.latency, 20);
    assert_int_equal(r.cycles, 12);
    assert_int_equal(r.occupancy[nashc_value_id(v)], 1);
    nashc_module_free(m);
    nashc_arena_free(a);
}

/* A converter of 2 to 3 elements takes a beat a step and gives one in two of three steps. */
static void
uneven_converter(void **state)
{
    nashc_arena *a = nashc_arena_create();
    nashc_module *m = unit_parse(*state, "graph @dataflow(%x: u2[1,6]) -> (%y) {\n"
                                         "  %y: u2[1,6] = hw.dwc(%x) lanes_in=2 lanes_out=3\n"
                                         "}\n");
    nashc_flow_result r = simulate(*state, m, NULL, a);
    nashc_node *n = nashc_graph_first(dataflow(m));

    assert_int_equal(r.cycles, 3);
    assert_int_equal(r.latency, 3);
    assert_string_equal(nashc_flow_kind(n, a), "StreamingDataWidthConverter_hls");
    nashc_module_free(m);
    nashc_arena_free(a);
}

/* Two branches that end in outputs of their own: the slower one sets the pace of both. */
static void
fork_follows_the_slower(void **state)
{
    nashc_arena *a = nashc_arena_create();
    nashc_module *m = unit_parse(*state, "graph @dataflow(%x: u2[1,4]) -> (%a, %b) {\n"
                                         "  %l: u2[1,4], %r: u2[1,4] = hw.duplicate_streams(%x)\n"
                                         "  %p: u2<2..2>[1,1] = [2]\n"
                                         "  %a: u3<2..5>[1,4] = hw.channelwise(%l, %p) func=add\n"
                                         "  %w: bip[4,5] = splat 1\n"
                                         "  %b: u4<0..12>[1,5] = hw.mvau(%r, %w)\n"
                                         "}\n");
    nashc_flow_result r = simulate(*state, m, NULL, a);

    assert_true(r.steady);
    assert_int_equal(r.cycles, 20);
    nashc_module_free(m);
    nashc_arena_free(a);
}

/* One part waits for itself: that another one goes on for ever does not hide it. */
static void
dead_beside_alive(void **state)
{
    nashc_arena *a = nashc_arena_create();
    nashc_flow_result r;
    nashc_module *m = unit_parse(*state, "graph @dataflow(%x: u2[1,8], %z: u2[1,8]) -> (%y, %f) {\n"
                                         "  %a: u2[1,4], %b: u2[1,4] = hw.split(%x) parts=[4,4]\n"
                                         "  %y: u2[1,8] = hw.concat(%b, %a) parts=[4,4] !\"swap\"\n"
                                         "  %f: u2[1,8] = hw.fifo(%z) depth=2\n"
                                         "}\n");

    assert_int_equal(nashc_flow_simulate(dataflow(m), NULL, &r, a, nashc_ctx_diag(*state)),
                     NASHC_EINPUT);
    unit_expect_message(*state, "the streams dead-lock: this layer cannot hand on");
    nashc_module_free(m);
    nashc_arena_free(a);
}

static void
wrong_streams(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_arena *a = nashc_arena_create();
    nashc_flow_result r;
    nashc_module *m =
        unit_parse(*state, "graph @dataflow(%x: u2[1,4]) -> (%b) {\n"
                           "  %p: u2<2..2>[1,1] = [2]\n"
                           "  %a: u3<2..5>[1,4] = hw.channelwise(%x, %p) pe=2 func=add\n"
                           "  %b: u3<4..7>[1,4] = hw.channelwise(%a, %p) func=add !\"second\"\n"
                           "}\n");

    assert_int_equal(nashc_flow_check(dataflow(m), false, d), NASHC_OK);
    assert_int_equal(nashc_flow_simulate(dataflow(m), NULL, &r, a, d), NASHC_EINPUT);
    unit_expect_message(*state, "carries 2 elements a beat, but 1 are read");
    nashc_module_free(m);
    nashc_diag_truncate(d, 0);
    m = unit_parse(*state, "graph @dataflow(%x: u2[1,4]) -> (%a, %b) {\n"
                           "  %p: u2<2..2>[1,1] = [2]\n"
                           "  %a: u3<2..5>[1,4] = hw.channelwise(%x, %p) func=add\n"
                           "  %b: u3<2..5>[1,4] = hw.channelwise(%x, %p) func=add\n"
                           "}\n");
    assert_int_equal(nashc_flow_check(dataflow(m), true, d), NASHC_EINPUT);
    unit_expect_message(*state, "stream %x has 2 readers, expected one");
    nashc_module_free(m);
    nashc_diag_truncate(d, 0);
    m = unit_parse(*state, "graph @dataflow(%x: f32[1,4]) -> (%a) {\n"
                           "  %a: f32[1,4] = nn.relu(%x)\n"
                           "}\n");
    assert_int_equal(nashc_flow_check(dataflow(m), true, d), NASHC_EINPUT);
    unit_expect_message(*state, "is no hardware layer");
    nashc_module_free(m);
    nashc_arena_free(a);
}

static void
beats_of(nashc_type elem, int64_t lanes, const int64_t *v, int64_t n, const char *want)
{
    nashc_stream s = {.elem = elem, .lanes = lanes, .beats = n / lanes};
    nashc_type t = nashc_type_shaped(elem, 1, &n);
    nashc_buf b, again;
    size_t size;

    s.width = (uint32_t)(lanes * elem.bits);
    assert_true(nashc_buf_alloc(&b, &t) && nashc_buf_alloc(&again, &t));
    for (int64_t i = 0; i < n; i++)
        nashc_buf_set_int(&b, i, v[i]);
    char *text = nashc_flow_print_beats(&s, &b, &size);
    assert_string_equal(text, want);
    assert_int_equal(size, strlen(want));
    const char *at = text;
    assert_int_equal(nashc_flow_parse_beats(&s, &at, &again, NULL), NASHC_OK);
    for (int64_t i = 0; i < n; i++)
        assert_int_equal(nashc_buf_get_int(&again, i), v[i]);
    nashc_mem_free(text);
    nashc_buf_free(&b);
    nashc_buf_free(&again);
}

static void
beats(void **state)
{
    (void)state;
    beats_of(nashc_type_bip(), 3, (int64_t[]){1, -1, -1, -1, 1, 1}, 6, "1\n6\n");
    beats_of(nashc_type_int(3), 2, (int64_t[]){-4, 3, -1, 0}, 4, "1c\n07\n");
    beats_of(nashc_type_uint(5), 3, (int64_t[]){31, 0, 16}, 3, "401f\n");
    beats_of(nashc_type_int(64), 1, (int64_t[]){INT64_MIN, -1}, 2,
             "8000000000000000\nffffffffffffffff\n");
    beats_of(nashc_type_ter(), 2, (int64_t[]){-1, 1}, 2, "7\n");
}

static void
damaged_beats(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_stream s = {.elem = nashc_type_uint(4), .lanes = 2, .beats = 2, .width = 8};
    nashc_type t = nashc_type_shaped(s.elem, 1, (int64_t[]){4});
    nashc_buf b;
    static const char *const texts[] = {"1x\n22\n", "11\n", "111\n22\n", "1\n22\n", ""};

    assert_true(nashc_buf_alloc(&b, &t));
    for (size_t i = 0; i < NASHC_COUNT(texts); i++) {
        const char *at = texts[i];
        assert_int_equal(nashc_flow_parse_beats(&s, &at, &b, d), NASHC_EINPUT);
    }
    unit_expect_message(*state, "beat 0 holds undefined bits: 1x");
    nashc_buf_free(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(one_beat_a_cycle),
        UNIT(line_of_every_second),
        UNIT(ring_of_every_second_twice),
        UNIT(replayed_vector),
        UNIT(assumed_fifo),
        UNIT(uneven_converter),
        UNIT(fork_follows_the_slower),
        UNIT(dead_beside_alive),
        UNIT(wrong_streams),
        UNIT(beats),
        UNIT(damaged_beats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
