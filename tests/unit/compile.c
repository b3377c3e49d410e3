/* compile.c: tests of core/host/compile.c and design.c: from a module in memory to cycles, costs
 * and a folder, without the tool. */
#include "unit.h"
#include <sys/stat.h>
#include <unistd.h>

/* 4 inputs, 2 results: 8 multipliers at most, so that one frame a cycle is the widest folding. */
static const char net[] = "graph @main(%x: f32[?,4]) -> (%y) {\n"
                          "  %s: f32[] = [0.5]\n"
                          "  %z: f32[] = [0]\n"
                          "  %q: f32[?,4] = q.quant(%x, %s, %z) qmin=-8 qmax=7\n"
                          "  %w: f32[4,2] = [1,-1,2,0,3,1,-2,1]\n"
                          "  %y: f32[?,2] = nn.matmul(%q, %w)\n"
                          "}\n";

static char folder[] = "/tmp/nashc-unit-XXXXXX";

static const char *
in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void
write_file(const char *name, const char *text)
{
    FILE *f = fopen(in_folder(name), "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static bool
file_has(const char *name, const char *part)
{
    char text[8192] = "";
    FILE *f = fopen(in_folder(name), "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return strstr(text, part) != NULL;
}

static void
expect(nashc_ctx *c, nashc_status got, nashc_status want)
{
    if (got != want)
        unit_print_messages(c);
    assert_int_equal(got, want);
}

static void
defaults(void **state)
{
    nashc_arena *a = nashc_arena_create();
    nashc_module *m = unit_parse(*state, net);
    nashc_compile_result r = {.struct_size = sizeof r};
    uint64_t lut = 0;

    expect(*state, nashc_compile(&m, NULL, &r, a, nashc_ctx_diag(*state)), NASHC_OK);
    assert_true(r.interval == 1);
    assert_int_equal(r.latency, r.flow->latency);
    assert_true(r.latency >= 2);
    assert_true(r.fps == 1e8);
    assert_null(r.device);
    assert_true(r.fits);
    NASHC_EACH_NODE(r.graph, n)
    {
        assert_non_null(r.names[nashc_node_id(n)]);
        lut += r.layer_cost[nashc_node_id(n)].lut;
    }
    assert_true(lut > 0);
    assert_int_equal(r.cost->lut, lut);
    nashc_module_free(m);
    nashc_arena_free(a);
}

/* The call and the named pipeline are the same, and each option reaches its pass. */
static void
same_as_pipeline(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_arena *a = nashc_arena_create();
    nashc_module *m = unit_parse(*state, net), *other = unit_parse(*state, net);
    nashc_compile_result r = {.struct_size = sizeof r};
    nashc_compile_options o = NASHC_COMPILE_DEFAULTS;

    o.device = "U250";
    o.clock_ns = 5;
    o.target_fps = 3e7;
    o.mvau_wwidth_max = 36;
    o.adder_graphs = "off"; /* of one or two words they cost less than products of more */
    expect(*state, nashc_compile(&m, &o, &r, a, d), NASHC_OK);
    assert_true(r.interval > 1 && r.fps >= o.target_fps);
    assert_string_equal(r.device->name, "U250");
    expect(*state,
           nashc_run_pipeline(&other,
                              "compile(device=U250;clock-ns=5;target-fps=3e7;mvau-wwidth-max=36;"
                              "adder-graphs=off)",
                              NULL, d),
           NASHC_OK);
    char *x = nashc_print(m, NULL), *y = nashc_print(other, NULL);
    assert_string_equal(x, y);
    nashc_mem_free(x);
    nashc_mem_free(y);
    nashc_module_free(other);
    nashc_module_free(m);
    nashc_arena_free(a);
}

/* A graph of layers is folded anew, and a missed target tells the figures all the same. */
static void
refold_and_miss(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_arena *a = nashc_arena_create();
    nashc_module *m = unit_parse(*state, net);
    nashc_compile_result r = {.struct_size = sizeof r};
    nashc_compile_options o = NASHC_COMPILE_DEFAULTS;

    expect(*state, nashc_compile(&m, NULL, &r, a, d), NASHC_OK);
    write_file("fold.json", "{\"MVAU_hls_0\": {\"PE\": 1, \"SIMD\": 1}}");
    o.folding_file = nashc_arena_strdup(a, in_folder("fold.json"));
    expect(*state, nashc_compile(&m, &o, &r, a, d), NASHC_OK);
    assert_true(r.interval == 8);
    o.target_fps = 1e8;
    nashc_diag_truncate(d, 0);
    assert_int_equal(nashc_compile(&m, &o, &r, a, d), NASHC_EINPUT);
    assert_true(r.interval == 8 && r.cost->lut > 0);
    unit_expect_message(*state, "the design reaches 1.25e+07 frames a second, not 1e+08: layer "
                                "MVAU_hls_0 takes 8 cycles a frame");
    nashc_module_free(m);
    nashc_arena_free(a);
}

/* Weights of many digits, so that a graph of additions is cheaper than products, but all LUTs. */
static const char dense[] =
    "graph @main(%x: f32[?,8]) -> (%y) {\n"
    "  %s: f32[] = [0.5]\n"
    "  %z: f32[] = [0]\n"
    "  %q: f32[?,8] = q.quant(%x, %s, %z) qmin=-128 qmax=127\n"
    "  %w: f32[8,4] = [82, -96, -43, -51, 97, -85, -110, -38, -89, 60, 57, -54, 53, -37, -63, -58, "
    "-74, 62, -60, -86, 39, 90, -55, 45, 75, -113, 45, 82, 98, 60, 97, -44]\n"
    "  %y: f32[?,4] = nn.matmul(%q, %w)\n"
    "}\n";

/* LUTs at a frame a cycle; *adds: some layer is a graph of additions. */
static uint64_t
luts_of(nashc_ctx *c, const char *device, const char *graphs, const char *mul, bool *adds)
{
    nashc_arena *a = nashc_arena_create();
    nashc_module *m = unit_parse(c, dense);
    nashc_compile_result r = {.struct_size = sizeof r};
    nashc_compile_options o = NASHC_COMPILE_DEFAULTS;

    o.device = device;
    o.target_fps = 1e8;
    o.adder_graphs = graphs;
    o.mul = mul;
    expect(c, nashc_compile(&m, &o, &r, a, nashc_ctx_diag(c)), NASHC_OK);
    assert_true(r.interval == 1);
    char *text = nashc_print(m, NULL);
    *adds = strstr(text, "res_type=adders") != NULL;
    uint64_t lut = r.cost->lut;
    nashc_mem_free(text);
    nashc_module_free(m);
    nashc_arena_free(a);
    return lut;
}

/* Where their LUTs are too many for the device, graphs of additions give way to blocks. */
static void
target_without_graphs(void **state)
{
    bool adds;
    const uint64_t graphs = luts_of(*state, "U250", "auto", "auto", &adds);
    assert_true(adds);
    const uint64_t blocks = luts_of(*state, "U250", "off", "dsp", &adds);
    assert_false(adds);
    assert_true(blocks + 2 < graphs);

    const nashc_device small = {NASHC_DESC(nashc_device),
                                .name = "unit-small",
                                .help = "few LUTs, many blocks",
                                .part = "unit-small-part",
                                .family = "xcup",
                                .source = "this test",
                                .lut = (graphs + blocks) / 2,
                                .ff = 100000,
                                .bram18 = 100,
                                .dsp = 1000,
                                .lut_inputs = 6,
                                .dsp_a = 27,
                                .dsp_b = 18,
                                .ram_bits = 18432,
                                .clk_ns = 10,
                                .usable_lut = 0.7};
    const nashc_device *const devices[] = {&small, NULL};
    const nashc_plugin p = {NASHC_DESC(nashc_plugin), .abi = NASHC_ABI,   .name = "unit-devices",
                            .version = "1",           .help = "a device", .devices = devices};
    expect(*state, nashc_register(*state, &p, "unit", nashc_ctx_diag(*state)), NASHC_OK);
    assert_in_range(luts_of(*state, "unit-small", "auto", "auto", &adds), 1, small.lut);
    assert_false(adds);
}

static void
bad_options(void **state)
{
    static const char *const unknown_key[] = {"vektors=1", NULL}, *const bad_value[] = {"vectors=0",
                                                                                        NULL};
    static const char *const taken[] = {"clock-ns=3", NULL}, *const nowhere[] = {"after:to-hv=",
                                                                                 NULL};
    static const nashc_pm_options extra = {
        .struct_size = sizeof extra, .bisect_limit = -1, .extra_passes = nowhere};
    const struct {
        nashc_compile_options o;
        const char *message;
    } bad[] = {
        {{.clock_ns = 10, .device = "U2500"}, "unknown device \"U2500\""},
        {{.clock_ns = 0}, "--clock-ns must lie in"},
        {{.clock_ns = 10, .target_fps = -1}, "--target-fps must lie in 0..10^15"},
        {{.clock_ns = 10, .mvau_wwidth_max = -1}, "--mvau-wwidth-max must not be negative"},
        {{.clock_ns = 10, .folding = (nashc_folding)7}, "folding must be exact or compat"},
        {{.clock_ns = 10, .folding_file = "a\"b"}, "must not hold quotes"},
        {{.clock_ns = 10, .passes = "nope"}, "unknown pass \"nope\""},
        {{.clock_ns = 10, .first_passes = "nope"}, "unknown pass \"nope\""},
        {{.clock_ns = 10, .backend = "verilock"}, "unknown backend \"verilock\""},
        {{.clock_ns = 10, .backend = "onnx"}, "backend \"onnx\" writes one file"},
        {{.clock_ns = 10, .backend_options = unknown_key},
         "unknown option \"vektors\" of backend \"verilog\"; did you mean \"vectors\"?"},
        {{.clock_ns = 10, .backend_options = bad_value},
         "option \"vectors\": 0 is outside 1..1024"},
        {{.clock_ns = 10, .backend_options = taken}, "is an option of the compilation"},
        {{.clock_ns = 10, .pm = &extra}, "the pipeline has no \"to-hv\"; did you mean \"to-hw\"?"},
    };
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_arena *a = nashc_arena_create();
    nashc_module *m = unit_parse(*state, net);
    char *before = nashc_print(m, NULL);

    for (size_t i = 0; i < NASHC_COUNT(bad); i++) {
        nashc_compile_result r = {.struct_size = sizeof r};
        nashc_compile_options o = bad[i].o;
        o.struct_size = sizeof o;
        nashc_diag_truncate(d, 0);
        assert_int_equal(nashc_compile(&m, &o, &r, a, d), NASHC_EUSAGE);
        unit_expect_message(*state, bad[i].message);
        assert_null(r.graph);
    }
    nashc_diag_truncate(d, 0);
    nashc_compile_result unsized = {0};
    assert_int_equal(nashc_compile(&m, NULL, &unsized, a, d), NASHC_EUSAGE);
    char *after = nashc_print(m, NULL);
    assert_string_equal(before, after);
    nashc_mem_free(before);
    nashc_mem_free(after);
    nashc_module_free(m);
    nashc_arena_free(a);
}

static void
not_hardware(void **state)
{
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_arena *a = nashc_arena_create();
    nashc_module *m = unit_parse(*state, net);
    nashc_compile_result r = {.struct_size = sizeof r};
    nashc_compile_options o = NASHC_COMPILE_DEFAULTS;

    o.passes = "";
    assert_int_equal(nashc_compile(&m, &o, &r, a, d), NASHC_EINPUT);
    unit_expect_message(*state, "the module holds no graph of hardware layers");
    nashc_module_free(m);
    nashc_arena_free(a);
}

/* Twice into one folder, which is ours from the first time on. */
static void
writes_folder(void **state)
{
    static const char *const notes[] = {"search=7", NULL}, *const vectors[] = {"vectors=2", NULL};
    nashc_diag *d = nashc_ctx_diag(*state);
    nashc_arena *a = nashc_arena_create();
    nashc_module *m = unit_parse(*state, net);
    nashc_compile_result r = {.struct_size = sizeof r};
    nashc_compile_options o = NASHC_COMPILE_DEFAULTS;
    const char *path = nashc_arena_strdup(a, in_folder("design"));

    o.notes = notes;
    o.backend_options = vectors;
    o.top = "little";
    expect(*state, nashc_compile(&m, &o, &r, a, d), NASHC_OK);
    for (int i = 0; i < 2; i++) {
        nashc_outdir *dir = nashc_outdir_open(path, d);
        assert_non_null(dir);
        expect(*state, nashc_compile_write(m, &o, &r, dir, d), NASHC_OK);
        expect(*state, nashc_outdir_commit(dir, d), NASHC_OK);
    }
    assert_true(file_has("design/manifest.json", "\"tool\": \"nashc\""));
    assert_true(file_has("design/manifest.json", "\"search\": \"7\""));
    assert_true(file_has("design/manifest.json", "\"vectors\": \"2\""));
    assert_true(file_has("design/manifest.json", "\"top\": \"little\""));
    assert_true(file_has("design/manifest.json", "\"port\": \"s_axis_0\"")); /* the backend's */
    assert_true(file_has("design/model.nashir", "hw.mvau"));
    assert_int_equal(access(in_folder("design/rtl/little.v"), F_OK), 0);
    nashc_module_free(m);
    nashc_arena_free(a);
}

static int
make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int
remove_folder(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {UNIT(defaults),        UNIT(same_as_pipeline),
                                       UNIT(refold_and_miss), UNIT(target_without_graphs),
                                       UNIT(bad_options),     UNIT(not_hardware),
                                       UNIT(writes_folder)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
