/* top.c: the stitched top: one instance a layer, wires between them; file list, Yosys script. */
#include "build.h"
#include <inttypes.h>
#include <string.h>

/* Names and order as FINN's stitched top has them: s_axis_K, m_axis_K, then the ports for weights.
 * TDATA in whole bytes, as AXI4-Stream wants. */
static void
top_ports(design *z, FILE *f)
{
    for (int i = 0; i < nashc_graph_n_inputs(z->f); i++) {
        const link *l = &z->links[nashc_value_id(nashc_graph_input(z->f, i))];
        fprintf(f, ",\n    input  wire [%u:0] s_axis_%d_TDATA", l->padded - 1, i);
        fprintf(f, ",\n    input  wire s_axis_%d_TVALID", i);
        fprintf(f, ",\n    output wire s_axis_%d_TREADY", i);
    }
    for (int i = 0; i < nashc_graph_n_outputs(z->f); i++) {
        const link *l = &z->links[nashc_value_id(nashc_graph_output(z->f, i))];
        fprintf(f, ",\n    output wire [%u:0] m_axis_%d_TDATA", l->padded - 1, i);
        fprintf(f, ",\n    output wire m_axis_%d_TVALID", i);
        fprintf(f, ",\n    input  wire m_axis_%d_TREADY", i);
    }
    for (const weight_port *p = z->weights; p < z->weights + z->n_weights; p++) {
        if (p->w.streamed)
            fprintf(f,
                    ",\n    input  wire [%u:0] %s_TDATA,\n    input  wire %s_TVALID,\n"
                    "    output wire %s_TREADY",
                    p->padded - 1, p->name, p->name, p->name);
        for (const lite_pin *l = lite_pins; p->w.written && l->name; l++)
            fprintf(f, ",\n    %s wire [%d:0] %s_%s", l->out ? "output" : "input ",
                    (l->bits ? l->bits : lite_address_bits(&p->w)) - 1, p->name, l->name);
    }
}

/* One stream: its wires, tied to a port of the top at an end of the graph. The comment says what
 * passes, for who reads the Verilog. */
static void
wires(design *z, FILE *f, const nashc_value *v)
{
    const link *l = &z->links[nashc_value_id(v)];

    fprintf(f, "\n    // %s: %" PRId64 " beats of %" PRId64 " x %u bits\n",
            comment_text(z, nashc_value_name(v)), l->s.beats, l->s.lanes, l->s.elem.bits);
    fprintf(f, "    wire [%u:0] %s_TDATA;\n    wire %s_TVALID, %s_TREADY;\n", l->padded - 1,
            l->wire, l->wire, l->wire);
    if (l->input >= 0) {
        fprintf(f, "    assign %s_TDATA = s_axis_%d_TDATA;\n", l->wire, l->input);
        fprintf(f, "    assign %s_TVALID = s_axis_%d_TVALID;\n", l->wire, l->input);
        fprintf(f, "    assign s_axis_%d_TREADY = %s_TREADY;\n", l->input, l->wire);
    }
    if (l->output >= 0) {
        fprintf(f, "    assign m_axis_%d_TDATA = %s_TDATA;\n", l->output, l->wire);
        fprintf(f, "    assign m_axis_%d_TVALID = %s_TVALID;\n", l->output, l->wire);
        fprintf(f, "    assign %s_TREADY = m_axis_%d_TREADY;\n", l->wire, l->output);
    }
}

/* The three signals of one stream; TREADY goes the other way, which named pins need not say. */
static void
port(design *z, FILE *f, bool input, int k, int n, const nashc_value *v)
{
    static const char *const parts[] = {"TDATA", "TVALID", "TREADY"};
    const char *p = port_name(z, input, k, n), *w = z->links[nashc_value_id(v)].wire;

    for (int i = 0; i < 3; i++)
        fprintf(f, ",\n        .%s_%s(%s_%s)", p, parts[i], w, parts[i]);
}

/* Those of layer n, if it has one, to the top's. */
static void
weight_pins(design *z, FILE *f, const nashc_node *n)
{
    static const char *const parts[] = {"TDATA", "TVALID", "TREADY"};

    for (const weight_port *p = z->weights; p < z->weights + z->n_weights; p++) {
        for (int i = 0; p->n == n && p->w.streamed && i < 3; i++)
            fprintf(f, ",\n        .weights_V_%s(%s_%s)", parts[i], p->name, parts[i]);
        for (const lite_pin *l = lite_pins; p->n == n && p->w.written && l->name; l++)
            fprintf(f, ",\n        .s_axilite_%s(%s_%s)", l->name, p->name, l->name);
    }
}

/* The IR line of the node stands above it: the way back from Verilog to the model. MEM_DIR is
 * handed through only where there are images, or tools warn of an unused parameter. */
static void
instance(design *z, FILE *f, const nashc_node *n)
{
    const char *name = z->names[nashc_node_id(n)];
    int n_in = 0, k = 0;

    fprintf(f, "\n    // %s\n    %s_%s ", comment_text(z, nashc_node_line(n, z->a)), z->top, name);
    if (z->has_memory[nashc_node_id(n)])
        fprintf(f, "#(.MEM_DIR(MEM_DIR)) ");
    fprintf(f, "%s (\n        .ap_clk(ap_clk),\n        .ap_rst_n(ap_rst_n)", name);
    for (int i = 0; i < nashc_node_n_in(n); i++)
        n_in += nashc_node_in(n, i) && !nashc_value_const(nashc_node_in(n, i));
    for (int i = 0; i < nashc_node_n_in(n); i++)
        if (nashc_node_in(n, i) && !nashc_value_const(nashc_node_in(n, i)))
            port(z, f, true, k++, n_in, nashc_node_in(n, i));
    for (int i = 0; i < nashc_node_n_out(n); i++)
        port(z, f, false, i, nashc_node_n_out(n), nashc_node_out(n, i));
    weight_pins(z, f, n);
    fprintf(f, "\n    );\n");
}

/* Memory images are in z->files, too, but are not sources. */
static nashc_status
write_list(design *z)
{
    text t;

    if (!text_stream_open(&t))
        return nashc_enomem(z->d);
    for (int i = 0; i < z->n_files; i++) {
        size_t n = strlen(z->files[i]);
        if (n > 2 && strcmp(z->files[i] + n - 2, ".v") == 0)
            fprintf(t.f, "%s\n", z->files[i]);
    }
    return text_write(&t, z->dir, "rtl/all_verilog_srcs.txt", z->d);
}

/* Families that Yosys knows; versal by the nearest one. Without device the generic one, which every
 * Yosys has. */
static const char *
synth_command(const nashc_device *dev)
{
    static const struct {
        const char *family, *command;
    } table[] = {{"xc7", "synth_xilinx -family xc7"},
                 {"xcup", "synth_xilinx -family xcup"},
                 {"versal", "synth_xilinx -family xcup"},
                 {"ice40", "synth_ice40 -dsp"},
                 {"ecp5", "synth_ecp5"},
                 {"nexus", "synth_nexus"},
                 {"gowin", "synth_gowin"}};

    for (size_t i = 0; dev && i < NASHC_COUNT(table); i++)
        if (strcmp(table[i].family, dev->family) == 0)
            return table[i].command;
    return "synth";
}

/* -defer: modules are elaborated with the parameters of their instances. */
static nashc_status
write_script(design *z)
{
    text t;

    if (!text_stream_open(&t))
        return nashc_enomem(z->d);
    fprintf(t.f, "# Run in this folder: yosys -q -l synth.log synth.ys\n");
    for (int i = 0; i < z->n_files; i++) {
        size_t n = strlen(z->files[i]);
        if (n > 2 && strcmp(z->files[i] + n - 2, ".v") == 0)
            fprintf(t.f, "read_verilog -defer %s\n", z->files[i]);
    }
    fprintf(t.f, "hierarchy -check -top %s\n%s -top %s\ntee -o synth.json stat -json\n", z->top,
            synth_command(z->dev), z->top);
    return text_write(&t, z->dir, "rtl/synth.ys", z->d);
}

/* Layers have been written before: which of them read images, and which files there are, is known
 * by then. */
nashc_status
write_top(design *z)
{
    const char *name = nashc_arena_printf(z->a, "%s.v", z->top);
    bool memory = false;
    text t;

    if (!text_stream_open(&t))
        return nashc_enomem(z->d);
    NASHC_EACH_NODE(z->f, n)
    {
        memory = memory || z->has_memory[nashc_node_id(n)];
    }
    fprintf(t.f,
            "// %s: streaming dataflow design, one instance a layer, generated by nashc %s.\n"
            "// Steady state: a frame every %g cycles; latency of a frame %" PRIu64 " cycles.\n"
            "`default_nettype none\nmodule %s ",
            name, NASHC_VERSION, nashc_flow_interval(&z->flow), z->flow.latency, z->top);
    if (memory)
        fprintf(t.f, "#(\n    parameter MEM_DIR = \".\"        // folder of the memory images\n) ");
    fprintf(t.f, "(\n    input  wire ap_clk,\n    input  wire ap_rst_n");
    top_ports(z, t.f);
    fprintf(t.f, "\n);\n");
    for (int i = 0; i < nashc_graph_n_inputs(z->f); i++)
        wires(z, t.f, nashc_graph_input(z->f, i));
    NASHC_EACH_NODE(z->f, n)
    {
        for (int i = 0; i < nashc_node_n_out(n); i++)
            wires(z, t.f, nashc_node_out(n, i));
        instance(z, t.f, n);
    }
    fprintf(t.f, "endmodule\n`default_nettype wire\n");
    add_file(z, name);
    nashc_status s = text_write(&t, z->dir, nashc_arena_printf(z->a, "rtl/%s", name), z->d);
    if (s == NASHC_OK)
        s = write_list(z);
    return s == NASHC_OK ? write_script(z) : s;
}
