/* tb.c: self-checking bench of the stitched design, with vectors of the reference executor.
 *
 * Runs by itself in tb/ (run_iverilog.sh). Parameters: FRAMES, SEED (not 0: sources and sinks stall
 * at random), CHECK (0: write what comes out to outK.got), MEM_DIR, WAVE. Frames and seed can be
 * told to the built bench instead (+frames, +seed), so that it can be kept; +told=1: say the cycle
 * now and then. It prints cycle C        now first C        cycle of the first beat taken frame F C
 * cycle in which frame F was complete at all outputs stall NAME N   cycles in which stream NAME was
 * valid and not ready and PASS or FAIL.
 */
#include "build.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Writes s with the index of a port for each "~". */
static void
put_port(FILE *f, const char *s, int k)
{
    for (; *s; s++) {
        if (*s == '~')
            fprintf(f, "%d", k);
        else
            putc(*s, f);
    }
}

/* Calls that read the file stand alone: Verilator may evaluate a condition twice. The random
 * numbers are our own, as it does not see that $random changes its seed. */
static void
input_part(const design *z, FILE *f, int k)
{
    const link *l = &z->links[nashc_value_id(nashc_graph_input(z->f, k))];

    fprintf(f, "\n    localparam IN%d_BEATS = %" PRId64 ", IN%d_BITS = %u;\n", k, l->s.beats, k,
            l->padded);
    put_port(f,
             "    reg  [IN~_BITS-1:0] in~_data, in~_word;\n"
             "    reg         in~_valid, in~_go;\n"
             "    wire        in~_ready;\n"
             "    integer     in~_next, in~_seed, in~_file, in~_got;\n"
             "    initial begin\n"
             "        in~_file = $fopen(\"in~.hex\", \"r\");\n"
             "        in~_valid = 1'b0;\n"
             "        in~_next = 0;\n"
             "    end\n"
             "    always @(posedge clk) begin\n"
             "        if (cycle == 0) in~_seed = seed + 2 * ~;\n"
             "        in~_seed = in~_seed * 1664525 + 1013904223;\n"
             "        in~_go = seed == 0 || in~_seed[28];\n"
             "        in~_go = in~_go && up && (!in~_valid || in~_ready) && in~_next < frames * "
             "IN~_BEATS;\n"
             "        if (in~_go) in~_got = $fscanf(in~_file, \"%h\", in~_word);\n"
             "        if (in~_go && in~_got != 1) short_of(\"in~.hex\");\n"
             "        if (in~_go) begin\n"
             "            in~_valid <= 1'b1;\n"
             "            in~_data  <= in~_word;\n"
             "            in~_next  <= in~_next + 1;\n"
             "        end else if (in~_ready) begin\n"
             "            in~_valid <= 1'b0;\n"
             "        end\n"
             "        if (in~_valid && in~_ready && first < 0) first = cycle;\n"
             "    end\n",
             k);
}

static void
output_part(const design *z, FILE *f, int k)
{
    const link *l = &z->links[nashc_value_id(nashc_graph_output(z->f, k))];

    fprintf(f, "\n    localparam OUT%d_BEATS = %" PRId64 ", OUT%d_BITS = %u;\n", k, l->s.beats, k,
            l->s.width);
    put_port(
        f,
        "    reg  [OUT~_BITS-1:0] out~_word;\n"
        "    wire [(OUT~_BITS+7)/8*8-1:0] out~_data;\n"
        "    wire        out~_valid;\n"
        "    reg         out~_ready, out~_go, out~_taken;\n"
        "    integer     out~_beat, out~_frame, out~_seed, out~_file, out~_got;\n"
        "    initial begin\n"
        "        if (CHECK != 0) out~_file = $fopen(\"out~.hex\", \"r\");\n"
        "        else out~_file = $fopen(\"out~.got\", \"w\");\n"
        "        out~_ready = 1'b0;\n"
        "        out~_beat = 0;\n"
        "        out~_frame = 0;\n"
        "    end\n"
        "    always @(posedge clk) begin\n"
        "        if (cycle == 0) out~_seed = seed + 2 * ~ + 1;\n"
        "        out~_seed = out~_seed * 1664525 + 1013904223;\n"
        "        out~_go = seed == 0 || out~_seed[28];\n"
        "        out~_ready <= rst_n && out~_go;\n"
        "        out~_taken = out~_valid && out~_ready && out~_frame < frames;\n"
        "        out~_got = 1;\n"
        "        if (out~_taken && CHECK != 0) out~_got = $fscanf(out~_file, \"%h\", out~_word);\n"
        "        if (out~_got != 1) short_of(\"out~.hex\");\n"
        "        if (out~_taken && CHECK == 0) $fwrite(out~_file, \"%h\\n\", "
        "out~_data[OUT~_BITS-1:0]);\n"
        "        if (out~_taken) begin\n"
        "            quiet = 0;\n"
        "            if (CHECK != 0 && out~_data[OUT~_BITS-1:0] !== out~_word) begin\n"
        "                if (errors < 10)\n"
        "                    $display(\"out~: frame %0d beat %0d is %h, expected %h\",\n"
        "                             out~_frame, out~_beat, out~_data[OUT~_BITS-1:0], "
        "out~_word);\n"
        "                errors = errors + 1;\n"
        "            end\n"
        "            out~_beat <= out~_beat + 1;\n"
        "            if (out~_beat == OUT~_BEATS - 1) begin\n"
        "                out~_beat  <= 0;\n"
        "                out~_frame <= out~_frame + 1;\n"
        "            end\n"
        "        end\n"
        "    end\n",
        k);
}

/* Counters of valid and not ready on every stream, by hierarchical name in the top. */
static void
stall_part(const design *z, FILE *f, const nashc_value *v, bool count)
{
    const link *l = &z->links[nashc_value_id(v)];

    if (count)
        fprintf(f,
                "    integer stall_%s = 0;\n"
                "    always @(posedge clk)\n"
                "        if (dut.%s_TVALID && !dut.%s_TREADY) stall_%s = stall_%s + 1;\n",
                l->wire, l->wire, l->wire, l->wire, l->wire);
    else if (l->input >= 0)
        fprintf(f, "            $display(\"stall s_axis_%d %%0d\", stall_%s);\n", l->input,
                l->wire);
    else if (l->output >= 0)
        fprintf(f, "            $display(\"stall m_axis_%d %%0d\", stall_%s);\n", l->output,
                l->wire);
    else
        fprintf(f, "            $display(\"stall %s %%0d\", stall_%s);\n",
                z->names[nashc_node_id(nashc_value_def(v))], l->wire);
}

static void
all_stalls(const design *z, FILE *f, bool count)
{
    for (int i = 0; i < nashc_graph_n_inputs(z->f); i++)
        stall_part(z, f, nashc_graph_input(z->f, i), count);
    NASHC_EACH_NODE(z->f, n)
    {
        for (int i = 0; i < nashc_node_n_out(n); i++)
            stall_part(z, f, nashc_node_out(n, i), count);
    }
}

static void
dut_part(const design *z, FILE *f)
{
    bool memory = false;

    NASHC_EACH_NODE(z->f, n)
    {
        memory = memory || z->has_memory[nashc_node_id(n)];
    }
    fprintf(f, "\n    %s ", z->top);
    if (memory)
        fprintf(f, "#(.MEM_DIR(MEM_DIR)) ");
    fprintf(f, "dut (\n        .ap_clk(clk),\n        .ap_rst_n(rst_n%s)",
            tb_has_slaves(z) ? " || writing" : "");
    for (int i = 0; i < nashc_graph_n_inputs(z->f); i++)
        fprintf(f,
                ",\n        .s_axis_%d_TDATA(in%d_data),\n        .s_axis_%d_TVALID(in%d_valid),"
                "\n        .s_axis_%d_TREADY(in%d_ready)",
                i, i, i, i, i, i);
    for (int i = 0; i < nashc_graph_n_outputs(z->f); i++)
        fprintf(f,
                ",\n        .m_axis_%d_TDATA(out%d_data),\n        .m_axis_%d_TVALID(out%d_valid),"
                "\n        .m_axis_%d_TREADY(out%d_ready)",
                i, i, i, i, i, i);
    tb_weight_pins(z, f);
    fprintf(f, "\n    );\n\n");
}

static void
end_part(const design *z, FILE *f)
{
    int n_out = nashc_graph_n_outputs(z->f);
    uint64_t limit = 16 * (z->flow.latency + (uint64_t)nashc_flow_interval(&z->flow)) + 1000;

    fprintf(f,
            "\n    always @(posedge clk) %sbegin\n"
            "        cycle <= cycle + 1;\n"
            "        quiet = quiet + 1;\n"
            "        rst_n <= up;\n"
            "        if (told != 0 && cycle %% 256 == 0) begin\n"
            "            $display(\"cycle %%0d\", cycle);\n"
            "            $fflush;\n"
            "        end\n"
            "        if (",
            tb_has_slaves(z) ? "if (loaded) " : "");
    for (int i = 0; i < n_out; i++)
        fprintf(f, "%sout%d_frame > complete", i ? " && " : "", i);
    fprintf(f, ") begin // since the cycle before\n"
               "            if (complete == 0) $display(\"first %%0d\", first);\n"
               "            $display(\"frame %%0d %%0d\", complete, cycle - 1);\n"
               "            complete = complete + 1;\n"
               "        end\n"
               "        if (complete == frames) begin\n");
    all_stalls(z, f, false);
    fprintf(f,
            "            if (errors == 0) $display(\"PASS %%0d frames\", frames);\n"
            "            else $display(\"FAIL %%0d beats differ\", errors);\n"
            "            $finish;\n"
            "        end else if (quiet > %" PRIu64 ") begin\n"
            "            $display(\"FAIL no output for %%0d cycles\", quiet);\n"
            "            $finish;\n"
            "        end\n    end\n",
            limit);
}

/* What is fixed when the bench is built, and what can be told to it as it starts. */
static void
head_part(const design *z, FILE *f)
{
    fprintf(f,
            "// tb_%s.v: checks %s against the vectors in this folder; see run_iverilog.sh.\n"
            "`timescale 1ns / 1ps\n"
            "module tb_%s;\n"
            "    parameter FRAMES  = %" PRId64 ";     // or +frames=N\n"
            "    parameter SEED    = 0;     // or +seed=N; not 0: stall at random\n"
            "    parameter CHECK   = 1;     // 0: write outK.got\n"
            "    parameter WAVE    = 0;     // 1: write wave.vcd\n"
            "    parameter MEM_DIR = \"../rtl\";\n",
            z->top, z->top, z->top, nashc_opts_int(z->o, "vectors"));
    if (z->n_weights > 0)
        fprintf(f, "    parameter W_DIR   = \"../weights\";\n");
    fprintf(f, "\n");
    fprintf(
        f,
        "    reg     clk = 1'b0;\n"
        "    reg     rst_n = 1'b0;\n"
        "    integer cycle = 0, quiet = 0, errors = 0, first = -1, complete = 0;\n"
        "    integer frames, seed, told;\n"
        "    wire    up = rst_n || cycle == 9; // inputs are valid with the end of reset, as in\n"
        "                                      // the cycle model\n"
        "    always #%g clk = !clk;\n"
        "    initial begin\n"
        "        if (!$value$plusargs(\"frames=%%d\", frames)) frames = FRAMES;\n"
        "        if (!$value$plusargs(\"seed=%%d\", seed)) seed = SEED;\n"
        "        if (!$value$plusargs(\"told=%%d\", told)) told = 0;\n"
        "    end\n"
        "%s%s%s"
        "    initial if (WAVE != 0) begin\n"
        "        $dumpfile(\"wave.vcd\");\n"
        "        $dumpvars(0, tb_%s);\n"
        "    end\n"
        "    task short_of(input [8*16-1:0] name);\n"
        "        begin\n"
        "            $display(\"FAIL %%0s holds fewer frames\", name);\n"
        "            $finish;\n"
        "        end\n"
        "    endtask\n",
        z->clk_ns / 2,
        tb_has_slaves(z)
            ? "    integer waited = 0;  // cycles in which weights are written: +weights=1\n"
              "    reg     rewrites, loaded, writing = 1'b0;\n"
              "    initial begin\n"
              "        if (!$value$plusargs(\"weights=%d\", rewrites)) rewrites = 1'b"
            : "",
        tb_has_slaves(z) ? (tb_starts_empty(z) ? "1" : "0") : "",
        tb_has_slaves(z) ? ";\n        loaded = !rewrites;\n    end\n" : "", z->top);
}

static nashc_status
write_bench(design *z)
{
    text t;

    if (!text_stream_open(&t))
        return nashc_enomem(z->d);
    head_part(z, t.f);
    for (int i = 0; i < nashc_graph_n_inputs(z->f); i++)
        input_part(z, t.f, i);
    for (int i = 0; i < nashc_graph_n_outputs(z->f); i++)
        output_part(z, t.f, i);
    tb_weights(z, t.f);
    dut_part(z, t.f);
    all_stalls(z, t.f, true);
    end_part(z, t.f);
    fprintf(t.f, "endmodule\n");
    return text_write(&t, z->dir, nashc_arena_printf(z->a, "tb/tb_%s.v", z->top), z->d);
}

static nashc_status
write_script(design *z)
{
    text t;

    if (!text_stream_open(&t))
        return nashc_enomem(z->d);
    fprintf(t.f,
            "#!/bin/sh\n"
            "# Builds and runs the bench in Icarus Verilog; arguments go to iverilog, for example\n"
            "#     sh run_iverilog.sh -P tb_%s.SEED=7\n"
            "cd \"$(dirname \"$0\")\" || exit 1\n"
            "iverilog -g2005 -o tb_%s.vvp -s tb_%s \"$@\" ../rtl/*.v tb_%s.v || exit 1\n"
            "vvp -n tb_%s.vvp | tee tb_%s.log\n"
            "grep -q '^PASS' tb_%s.log\n",
            z->top, z->top, z->top, z->top, z->top, z->top, z->top);
    return text_write(&t, z->dir, "tb/run_iverilog.sh", z->d);
}

/* Frames at the ends of the input ranges, then random ones; what the layers make of them. */
static nashc_status
run_frames(design *z, text *in, text *out, int n_in, int n_out)
{
    nashc_buf *x = NASHC_NEW_N(z->a, nashc_buf, n_in), *y = NASHC_NEW_N(z->a, nashc_buf, n_out);
    const nashc_buf **xs = NASHC_NEW_N(z->a, const nashc_buf *, n_in);
    nashc_status s = NASHC_OK;
    int64_t frames = nashc_opts_int(z->o, "vectors");
    char *beats;

    if (!x || !y || !xs)
        return nashc_enomem(z->d);
    for (int64_t k = 0; k < frames && s == NASHC_OK; k++) {
        for (int i = 0; i < n_in; i++) {
            const nashc_value *v = nashc_graph_input(z->f, i);
            if (!nashc_buf_alloc(&x[i], nashc_value_type(v)))
                return nashc_enomem(z->d);
            nashc_fill(&x[i], (int)(k < 2 ? k : k + 2),
                       (uint64_t)nashc_opts_int(z->o, "seed") + (uint64_t)i, NULL, NULL);
            xs[i] = &x[i];
            beats = nashc_flow_print_beats(&z->links[nashc_value_id(v)].s, &x[i], NULL);
            in[i].failed = in[i].failed || !beats;
            fputs(beats ? beats : "", in[i].f);
            nashc_mem_free(beats);
        }
        s = nashc_run_graph(z->f, xs, y, 0, NULL, NULL, z->d);
        for (int i = 0; i < n_out && s == NASHC_OK; i++) {
            const nashc_value *v = nashc_graph_output(z->f, i);
            beats = nashc_flow_print_beats(&z->links[nashc_value_id(v)].s, &y[i], NULL);
            out[i].failed = out[i].failed || !beats;
            fputs(beats ? beats : "", out[i].f);
            nashc_mem_free(beats);
            nashc_buf_free(&y[i]);
        }
        for (int i = 0; i < n_in; i++)
            nashc_buf_free(&x[i]);
    }
    return s;
}

static nashc_status
write_vectors(design *z)
{
    int n_in = nashc_graph_n_inputs(z->f), n_out = nashc_graph_n_outputs(z->f);
    text *in = NASHC_NEW_N(z->a, text, n_in), *out = NASHC_NEW_N(z->a, text, n_out);
    nashc_status s = in && out ? NASHC_OK : nashc_enomem(z->d);

    for (int i = 0; i < n_in && s == NASHC_OK; i++)
        s = text_stream_open(&in[i]) ? NASHC_OK : nashc_enomem(z->d);
    for (int i = 0; i < n_out && s == NASHC_OK; i++)
        s = text_stream_open(&out[i]) ? NASHC_OK : nashc_enomem(z->d);
    if (s == NASHC_OK)
        s = run_frames(z, in, out, n_in, n_out);
    for (int i = 0; i < n_in + n_out; i++) {
        text *t = i < n_in ? &in[i] : &out[i - n_in];
        const char *name = nashc_arena_printf(z->a, "tb/%s%d.hex", i < n_in ? "in" : "out",
                                              i < n_in ? i : i - n_in);
        if (!t->f)
            continue;
        nashc_status w = text_write(t, z->dir, name, z->d);
        s = s == NASHC_OK ? w : s;
    }
    return s;
}

nashc_status
write_tb(design *z)
{
    nashc_status s = write_bench(z);

    if (s == NASHC_OK)
        s = write_script(z);
    return s == NASHC_OK ? write_vectors(z) : s;
}
