/* tb.c: self-checking bench of the stitched design, with vectors of the reference executor.
 *
 * Runs by itself in tb/ (run_iverilog.sh). Parameters: FRAMES, SEED (not 0: sources and sinks stall
 * at random), CHECK (0: write what comes out to outK.got), MEM_DIR, WAVE. It prints
 *     first C        cycle of the first beat taken
 *     frame F C      cycle in which frame F was complete at all outputs
 *     stall NAME N   cycles in which stream NAME was valid and not ready
 * and PASS or FAIL.
 */
#include "build.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void
input_part(const design *z, FILE *f, int k)
{
    const link *l = &z->links[nashc_value_id(nashc_graph_input(z->f, k))];

    fprintf(f,
            "\n    localparam IN%d = FRAMES * %" PRId64 ";\n"
            "    reg  [%u:0] in%d_mem [0:IN%d-1];\n"
            "    reg  [%u:0] in%d_data;\n"
            "    reg          in%d_valid;\n"
            "    wire         in%d_ready;\n"
            "    integer      in%d_next, in%d_seed;\n",
            k, l->s.beats, l->padded - 1, k, k, l->padded - 1, k, k, k, k, k);
    fprintf(f,
            "    initial begin\n"
            "        $readmemh(\"in%d.hex\", in%d_mem);\n"
            "        in%d_seed = SEED + %d;\n"
            "        in%d_valid = 1'b0;\n"
            "        in%d_next = 0;\n"
            "    end\n"
            "    always @(posedge clk) begin\n"
            "        if (up && (!in%d_valid || in%d_ready)) begin\n",
            k, k, k, 2 * k, k, k, k, k);
    fprintf(f,
            "            if (in%d_next < IN%d && (SEED == 0 || $random(in%d_seed) & 1)) begin\n"
            "                in%d_valid <= 1'b1;\n"
            "                in%d_data  <= in%d_mem[in%d_next];\n"
            "                in%d_next  <= in%d_next + 1;\n"
            "            end else begin\n"
            "                in%d_valid <= 1'b0;\n"
            "            end\n"
            "        end\n"
            "        if (in%d_valid && in%d_ready && first < 0) first <= cycle;\n"
            "    end\n",
            k, k, k, k, k, k, k, k, k, k, k, k);
}

static void
output_part(const design *z, FILE *f, int k)
{
    const link *l = &z->links[nashc_value_id(nashc_graph_output(z->f, k))];

    fprintf(f,
            "\n    localparam OUT%d = FRAMES * %" PRId64 ";\n"
            "    reg  [%u:0] out%d_mem [0:OUT%d-1];\n"
            "    wire [%u:0] out%d_data;\n"
            "    wire         out%d_valid;\n"
            "    reg          out%d_ready;\n"
            "    integer      out%d_next, out%d_beat, out%d_frame, out%d_seed, out%d_file;\n"
            "    integer      out%d_done [0:FRAMES-1];\n",
            k, l->s.beats, l->s.width - 1, k, k, l->padded - 1, k, k, k, k, k, k, k, k, k);
    fprintf(f,
            "    initial begin\n"
            "        if (CHECK != 0) $readmemh(\"out%d.hex\", out%d_mem);\n"
            "        else out%d_file = $fopen(\"out%d.got\", \"w\");\n"
            "        out%d_seed = SEED + %d;\n"
            "        out%d_ready = 1'b0;\n"
            "        out%d_next = 0;\n"
            "        out%d_beat = 0;\n"
            "        out%d_frame = 0;\n"
            "    end\n"
            "    always @(posedge clk) begin\n"
            "        out%d_ready <= rst_n && (SEED == 0 || $random(out%d_seed) & 1);\n",
            k, k, k, k, k, 2 * k + 1, k, k, k, k, k, k);
    fprintf(f,
            "        if (out%d_valid && out%d_ready && out%d_frame < FRAMES) begin\n"
            "            quiet = 0;\n"
            "            if (CHECK == 0) begin\n"
            "                $fwrite(out%d_file, \"%%h\\n\", out%d_data[%u:0]);\n"
            "            end else if (out%d_data[%u:0] !== out%d_mem[out%d_next]) begin\n"
            "                if (errors < 10)\n"
            "                    $display(\"out%d: frame %%0d beat %%0d is %%h, expected %%h\",\n"
            "                             out%d_frame, out%d_beat, out%d_data[%u:0],\n"
            "                             out%d_mem[out%d_next]);\n"
            "                errors = errors + 1;\n"
            "            end\n",
            k, k, k, k, k, l->s.width - 1, k, l->s.width - 1, k, k, k, k, k, k, l->s.width - 1, k,
            k);
    fprintf(f,
            "            out%d_next <= out%d_next + 1;\n"
            "            out%d_beat <= out%d_beat + 1;\n"
            "            if (out%d_beat == %" PRId64 ") begin\n"
            "                out%d_beat  <= 0;\n"
            "                out%d_frame <= out%d_frame + 1;\n"
            "                out%d_done[out%d_frame] <= cycle;\n"
            "            end\n"
            "        end\n"
            "    end\n",
            k, k, k, k, k, l->s.beats - 1, k, k, k, k, k);
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
    fprintf(f, "dut (\n        .ap_clk(clk),\n        .ap_rst_n(rst_n)");
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
    fprintf(f, "\n    );\n\n");
}

static void
end_part(const design *z, FILE *f)
{
    int n_out = nashc_graph_n_outputs(z->f);
    uint64_t limit = 16 * (z->flow.latency + (uint64_t)nashc_flow_interval(&z->flow)) + 1000;

    fprintf(f, "\n    always @(posedge clk) begin\n"
               "        cycle <= cycle + 1;\n"
               "        quiet = quiet + 1;\n"
               "        rst_n <= up;\n        if (");
    for (int i = 0; i < n_out; i++)
        fprintf(f, "%sout%d_frame == FRAMES", i ? " && " : "", i);
    fprintf(f, ") begin\n            $display(\"first %%0d\", first);\n"
               "            for (i = 0; i < FRAMES; i = i + 1) begin\n"
               "                last = 0;\n");
    for (int i = 0; i < n_out; i++)
        fprintf(f, "                if (out%d_done[i] > last) last = out%d_done[i];\n", i, i);
    fprintf(f, "                $display(\"frame %%0d %%0d\", i, last);\n            end\n");
    all_stalls(z, f, false);
    fprintf(f,
            "            if (errors == 0) $display(\"PASS %%0d frames\", FRAMES);\n"
            "            else $display(\"FAIL %%0d beats differ\", errors);\n"
            "            $finish;\n"
            "        end else if (quiet > %" PRIu64 ") begin\n"
            "            $display(\"FAIL no output for %%0d cycles\", quiet);\n"
            "            $finish;\n"
            "        end\n    end\n",
            limit);
}

static nashc_status
write_bench(design *z)
{
    text t;

    if (!text_open(&t))
        return nashc_enomem(z->d);
    fprintf(
        t.f,
        "// tb_%s.v: checks %s against the vectors in this folder; see run_iverilog.sh.\n"
        "`timescale 1ns / 1ps\n"
        "module tb_%s;\n"
        "    parameter FRAMES  = %" PRId64 ";\n"
        "    parameter SEED    = 0;             // not 0: stall at random\n"
        "    parameter CHECK   = 1;             // 0: write outK.got\n"
        "    parameter WAVE    = 0;             // 1: write wave.vcd\n"
        "    parameter MEM_DIR = \"../rtl\";\n\n"
        "    reg     clk = 1'b0;\n"
        "    reg     rst_n = 1'b0;\n"
        "    integer cycle = 0, quiet = 0, errors = 0, first = -1, i, last;\n"
        "    wire    up = rst_n || cycle == 9;  // inputs are valid with the end of reset, as in\n"
        "                                       // the cycle model\n"
        "    always #%g clk = !clk;\n"
        "    initial if (WAVE != 0) begin\n"
        "        $dumpfile(\"wave.vcd\");\n"
        "        $dumpvars(0, tb_%s);\n"
        "    end\n",
        z->top, z->top, z->top, nashc_opts_int(z->o, "vectors"), z->clk_ns / 2, z->top);
    for (int i = 0; i < nashc_graph_n_inputs(z->f); i++)
        input_part(z, t.f, i);
    for (int i = 0; i < nashc_graph_n_outputs(z->f); i++)
        output_part(z, t.f, i);
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

    if (!text_open(&t))
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
            fputs(beats ? beats : "", in[i].f);
            nashc_mem_free(beats);
        }
        s = nashc_run_graph(z->f, xs, y, 0, NULL, NULL, z->d);
        for (int i = 0; i < n_out && s == NASHC_OK; i++) {
            const nashc_value *v = nashc_graph_output(z->f, i);
            beats = nashc_flow_print_beats(&z->links[nashc_value_id(v)].s, &y[i], NULL);
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
        s = text_open(&in[i]) ? NASHC_OK : nashc_enomem(z->d);
    for (int i = 0; i < n_out && s == NASHC_OK; i++)
        s = text_open(&out[i]) ? NASHC_OK : nashc_enomem(z->d);
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
