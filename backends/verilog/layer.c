/* layer.c: layer modules: ports as FINN has them around one module of the library. */
#include "build.h"
#include <inttypes.h>
#include <nashc/running.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>

/* One layer while its emitter runs: parameters, ties and wires are collected as text, and printed
 * once the module is named. */
struct nashc_vlog {
    design *z;
    const char *layer, *module;
    text params, ties, wires;
    bool memory;
    int64_t copies;
    nashc_status status;
};

struct nashc_vlog_mem {
    int64_t depth, width;
    size_t stride; /* bytes a line, bit 0 of byte 0 first */
    uint8_t *bits;
};

/* --- what emitters call -------------------------------------------------------------------------
 */

void
nashc_vlog_core(nashc_vlog *v, const char *module)
{
    v->module = module;
}

void
nashc_vlog_copies(nashc_vlog *v, int64_t copies)
{
    v->copies = copies;
}

/* Each entry begins with a comma, as an unknown number of them follows; the first one is cut off by
 * print_core. */
void
nashc_vlog_int(nashc_vlog *v, const char *name, int64_t value)
{
    fprintf(v->params.f, ",\n        .%s(%" PRId64 ")", name, value);
}

void
nashc_vlog_str(nashc_vlog *v, const char *name, const char *s)
{
    fprintf(v->params.f, ",\n        .%s(\"%s\")", name, s);
}

void
nashc_vlog_tie(nashc_vlog *v, const char *port, const char *value)
{
    fprintf(v->ties.f, ",\n        .%s(%s)", port, value);
}

/* An output that nobody reads still needs a wire, or linters ask whether it was forgotten. */
void
nashc_vlog_open(nashc_vlog *v, const char *port, int bits)
{
    fprintf(v->wires.f, "    wire [%" PRId64 ":0] unused_%s;\n", bits * v->copies - 1, port);
    if (v->copies > 1) /* print_ties says which copy */
        fprintf(v->ties.f, ",\n        .%s(unused_%s[@*%d +: %d])", port, port, bits, bits);
    else
        fprintf(v->ties.f, ",\n        .%s(unused_%s)", port, port);
}

const char *
nashc_vlog_text(nashc_vlog *v, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    const char *s = nashc_arena_vprintf(v->z->a, format, ap);
    va_end(ap);
    return s;
}

const char *
nashc_vlog_zeros(nashc_vlog *v, int64_t bits)
{
    return nashc_arena_printf(v->z->a, "{%" PRId64 "{1'b0}}", bits);
}

const char *
nashc_vlog_name(nashc_vlog *v, const char *what)
{
    return nashc_arena_printf(v->z->a, "%s_%s_%s", v->z->top, v->layer, what);
}

/* Also notes what the module instantiates of the library. The first failure counts. */
void
nashc_vlog_module(nashc_vlog *v, const char *name, const char *s)
{
    nashc_status st = write_rtl(v->z, nashc_arena_printf(v->z->a, "%s.v", name), s, strlen(s));

    if (st == NASHC_OK)
        st = use_library(v->z, s);
    if (v->status == NASHC_OK)
        v->status = st;
}

/* Zeroed; NULL without memory, which the other calls on it bear. */
nashc_vlog_mem *
nashc_vlog_memory(nashc_vlog *v, int64_t depth, int64_t width)
{
    nashc_vlog_mem *m = NASHC_NEW(v->z->a, nashc_vlog_mem);
    int64_t bytes;

    if (!m || !nashc_mul_size(depth, (width + 7) / 8, &bytes) || bytes > NASHC_MAX_BYTES ||
        !(m->bits = nashc_arena_alloc(v->z->a, (size_t)bytes + 1))) {
        v->status = nashc_enomem(v->z->d);
        return NULL;
    }
    m->depth = depth;
    m->width = width;
    m->stride = (size_t)(width + 7) / 8;
    return m;
}

/* Bits of two's complement, sign extended beyond 64 of them: i < 63 ? i : 63. What lies outside is
 * left out, since emitters are checked by the bench, not by a crash. */
void
nashc_vlog_put(nashc_vlog_mem *m, int64_t line, int64_t at, int width, int64_t value)
{
    if (!m || line < 0 || line >= m->depth || at < 0 || at + width > m->width)
        return;
    uint8_t *p = m->bits + (size_t)line * m->stride;
    for (int i = 0, n; i < width; i += n) { /* what of a byte is to be set */
        int from = (int)((at + i) % 8);
        uint8_t *byte = p + (at + i) / 8;
        n = 8 - from < width - i ? 8 - from : width - i;
        unsigned mask = ((1u << n) - 1) << from, bits = (unsigned)(value >> (i < 63 ? i : 63));
        *byte = (uint8_t)((*byte & ~mask) | (bits << from & mask));
    }
}

/* One hex line per memory line, most significant digit first, no prefix. */
static void
print_memory(FILE *f, const nashc_vlog_mem *m)
{
    size_t digits = (size_t)(m->width + 3) / 4;

    for (int64_t i = 0; i < m->depth; i++) {
        const uint8_t *p = m->bits + (size_t)i * m->stride;
        for (size_t k = digits; k-- > 0;)
            putc_unlocked("0123456789abcdef"[p[k / 2] >> (k % 2 * 4) & 15], f);
        putc_unlocked('\n', f);
    }
}

/* Nothing after a failure: the emitter goes on, its status is looked at once. */
static void
write_memory(nashc_vlog *v, const char *name, const nashc_vlog_mem *m)
{
    text t;

    if (!m || v->status != NASHC_OK)
        return;
    if (!text_stream_open(&t)) {
        v->status = nashc_enomem(v->z->d);
        return;
    }
    print_memory(t.f, m);
    fclose(t.f);
    v->status = write_rtl(v->z, name, t.data, t.size);
    free(t.data);
}

/* The name has four bytes of the hash of its content, so that a design that changes in one layer
 * changes no other file, and figures of synthesis can be kept by name. */
void
nashc_vlog_file(nashc_vlog *v, const char *param, const char *what, nashc_vlog_mem *m)
{
    uint8_t hash[SHA256_DIGEST_LENGTH];
    SHA2_CTX ctx;

    if (!m)
        return;
    SHA256Init(&ctx);
    SHA256Update(&ctx, m->bits, (size_t)m->depth * m->stride);
    SHA256Final(hash, &ctx);
    const char *name = nashc_arena_printf(v->z->a, "%s_%s_%02x%02x%02x%02x.dat", v->layer, what,
                                          hash[0], hash[1], hash[2], hash[3]);
    nashc_vlog_str(v, param, name);
    v->memory = true;
    write_memory(v, name, m);
}

/* One prefix for several images of one tensor, by that tensor's hash. */
const char *
nashc_vlog_prefix(nashc_vlog *v, const char *param, const char *what, const nashc_tensor *t)
{
    const uint8_t *hash = nashc_tensor_hash(t);
    const char *name = nashc_arena_printf(v->z->a, "%s_%s_%02x%02x%02x%02x", v->layer, what,
                                          hash[0], hash[1], hash[2], hash[3]);

    nashc_vlog_str(v, param, name);
    v->memory = true;
    return name;
}

void
nashc_vlog_image(nashc_vlog *v, const char *prefix, nashc_vlog_mem *m, const char *suffix, ...)
{
    va_list ap;

    va_start(ap, suffix);
    const char *s = nashc_arena_vprintf(v->z->a, suffix, ap);
    va_end(ap);
    write_memory(v, nashc_arena_printf(v->z->a, "%s_%s.dat", prefix, s), m);
}

/* --- layer modules ------------------------------------------------------------------------------
 */

/* Width in whole bytes, as in the top. */
static void
print_ports(design *z, FILE *f, bool input, const nashc_stream *s, int n)
{
    for (int k = 0; k < n; k++) {
        const char *p = port_name(z, input, k, n);
        uint32_t w = (s[k].width + 7) / 8 * 8;
        fprintf(f, ",\n    %s wire [%u:0] %s_TDATA", input ? "input " : "output", w - 1, p);
        fprintf(f, ",\n    %s wire %s_TVALID", input ? "input " : "output", p);
        fprintf(f, ",\n    %s wire %s_TREADY", input ? "output" : "input ", p);
    }
}

/* The pins of AXI-Lite in the order of the buses lite_s and lite_m; in their names, and so in all
 * that is made from them. strobes are looked at by nobody: words are written whole. */
const lite_pin lite_pins[] = {
    {"awaddr", 0, false},  {"awvalid", 1, false}, {"wdata", 32, false},
    {"wvalid", 1, false},  {"bready", 1, false},  {"araddr", 0, false},
    {"arvalid", 1, false}, {"rready", 1, false},  {"awready", 1, true},
    {"wready", 1, true},   {"bvalid", 1, true},   {"arready", 1, true},
    {"rdata", 32, true},   {"rvalid", 1, true},   {"bresp", 2, true},
    {"rresp", 2, true},    {"wstrb", 4, false},   {0},
};

/* Of a byte address; at least 2, one word. */
int
lite_address_bits(const nashc_weights *w)
{
    int64_t bytes = 4 * w->lines * nashc_flow_weight_words(w);
    int bits = 2;

    while (((int64_t)1 << bits) < bytes)
        bits++;
    return bits;
}

/* As top.c has them, but for the names. */
static void
print_weight_ports(FILE *f, const nashc_weights *w)
{
    int64_t width = w->lanes * w->elem.bits;

    if (w->streamed)
        fprintf(f,
                ",\n    input  wire [%" PRId64 ":0] weights_V_TDATA,\n"
                "    input  wire weights_V_TVALID,\n    output wire weights_V_TREADY",
                (width + 7) / 8 * 8 - 1);
    for (const lite_pin *p = lite_pins; w->written && p->name; p++)
        fprintf(f, ",\n    %s wire [%d:0] s_axilite_%s", p->out ? "output" : "input ",
                (p->bits ? p->bits : lite_address_bits(w)) - 1, p->name);
}

/* Between those ports and what the unit has: pad bits, and the buses of AXI-Lite. */
static void
print_weight_wires(FILE *f, const nashc_weights *w)
{
    int64_t width = w->lanes * w->elem.bits, pad = (width + 7) / 8 * 8;
    int address = lite_address_bits(w);
    const char *comma = "";

    if (w->streamed && pad > width)
        fprintf(f, "    wire unused_weights = &{1'b0, weights_V_TDATA[%" PRId64 ":%" PRId64 "]};\n",
                pad - 1, width);
    if (!w->written)
        return;
    fprintf(f, "    wire [100:0] lite_s = {");
    for (const lite_pin *p = lite_pins; p < lite_pins + LITE_IN; p++, comma = ", ") {
        fprintf(f, "%s", comma);
        if (p->bits == 0)
            fprintf(f, "%d'd0, ", 32 - address);
        fprintf(f, "s_axilite_%s", p->name);
    }
    fprintf(f, "};\n    wire [36:0] lite_m;\n    assign {");
    comma = "";
    for (const lite_pin *p = lite_pins + LITE_IN; p < lite_pins + LITE_BUS; p++, comma = ", ")
        fprintf(f, "%ss_axilite_%s", comma, p->name);
    fprintf(f, "} = lite_m;\n    assign s_axilite_bresp = 2'd0;\n"
               "    assign s_axilite_rresp = 2'd0;\n"
               "    wire unused_strobes = &{1'b0, s_axilite_wstrb};\n");
}

/* params.data + 2: without the first ",\n". */
static void
print_core(const nashc_vlog *v, FILE *f, const char *name)
{
    fprintf(f, "    %s #(\n", v->module);
    fprintf(f, "%s", v->params.size > 2 ? v->params.data + 2 : "");
    if (v->memory)
        fprintf(f, ",\n        .MEM_DIR(MEM_DIR)");
    fprintf(f, "\n    ) %s (\n        .clk(ap_clk),\n        .rst_n(ap_rst_n)", name);
}

/* Ties of copy k, which '@' stands for. */
static void
print_ties(const nashc_vlog *v, FILE *f, uint32_t k)
{
    for (const char *s = v->ties.data; *s; s++)
        if (*s == '@')
            fprintf(f, "%u", k);
        else
            putc(*s, f);
}

/* Copies that start alike and see the same valids and readies: all move together. */
static void
print_copies(const nashc_vlog *v, FILE *f, const nashc_stream *in, const nashc_stream *out)
{
    const char *s = port_name(v->z, true, 0, 1), *m = port_name(v->z, false, 0, 1);
    const uint32_t x = in->width / (uint32_t)v->copies, y = out->width / (uint32_t)v->copies;

    fprintf(f, "    wire [%" PRId64 ":0] ready, valid;\n", v->copies - 1);
    fprintf(f, "    assign %s_TREADY = &ready;\n    assign %s_TVALID = &valid;\n", s, m);
    fprintf(f, "%s", v->wires.data);
    for (uint32_t k = 0; k < v->copies; k++) {
        print_core(v, f, nashc_arena_printf(v->z->a, "u_core_%u", k));
        fprintf(f,
                ",\n        .s_tdata(%s_TDATA[%u:%u]),\n        .s_tvalid(%s_TVALID),\n"
                "        .s_tready(ready[%u])",
                s, (k + 1) * x - 1, k * x, s, k);
        print_ties(v, f, k);
        fprintf(f,
                ",\n        .m_tdata(out_data[%u:%u]),\n        .m_tvalid(valid[%u]),\n"
                "        .m_tready(%s_TREADY)\n    );\n",
                (k + 1) * y - 1, k * y, k, m);
    }
}

/* The library calls inputs s, s1, ..; several outputs are one vector with the first in the low
 * bits, handshakes likewise. */
static void
print_instance(nashc_vlog *v, FILE *f, const nashc_stream *in, int n_in, int n_out)
{
    design *z = v->z;

    fprintf(f, "%s", v->wires.data);
    print_core(v, f, "u_core");
    for (int k = 0; k < n_in; k++) {
        const char *p = port_name(z, true, k, n_in);
        char s[16] = "s";
        if (k > 0)
            snprintf(s, sizeof s, "s%d", k);
        fprintf(f, ",\n        .%s_tdata(%s_TDATA[%u:0])", s, p, in[k].width - 1);
        fprintf(f, ",\n        .%s_tvalid(%s_TVALID)", s, p);
        fprintf(f, ",\n        .%s_tready(%s_TREADY)", s, p);
    }
    fprintf(f, "%s", v->ties.data);
    fprintf(f, ",\n        .m_tdata(out_data)");
    for (int e = 0; e < 2; e++) {
        const char *what = e ? "TREADY" : "TVALID";
        fprintf(f, ",\n        .m_%s(%s", e ? "tready" : "tvalid", n_out > 1 ? "{" : "");
        for (int k = n_out - 1; k >= 0; k--)
            fprintf(f, "%s_%s%s", port_name(z, false, k, n_out), what, k ? ", " : "");
        fprintf(f, "%s)", n_out > 1 ? "}" : "");
    }
    fprintf(f, "\n    );\n");
}

/* out_data is cut into the results; pad bits are 0. */
static void
print_outputs(design *z, FILE *f, const nashc_stream *out, int n_out)
{
    uint32_t at = 0;

    for (int k = 0; k < n_out; k++) {
        uint32_t w = out[k].width, pad = (w + 7) / 8 * 8 - w;
        fprintf(f, "    assign %s_TDATA = ", port_name(z, false, k, n_out));
        if (pad)
            fprintf(f, "{%u'd0, out_data[%u:%u]};\n", pad, at + w - 1, at);
        else
            fprintf(f, "out_data[%u:%u];\n", at + w - 1, at);
        at += w;
    }
}

/* Pad bits of inputs are don't-care: read nowhere. */
static void
print_unused(design *z, FILE *f, const nashc_stream *in, int n_in)
{
    for (int k = 0; k < n_in; k++) {
        uint32_t w = in[k].width, p = (w + 7) / 8 * 8;
        if (p > w)
            fprintf(f, "    wire unused_%d = &{1'b0, %s_TDATA[%u:%u]};\n", k,
                    port_name(z, true, k, n_in), p - 1, w);
    }
}

/* The order of a module: head, ports, wires, core, outputs, what is read nowhere. */
static nashc_status
print_layer(nashc_vlog *v, const nashc_node *n, const nashc_stream *in, int n_in,
            const nashc_stream *out, int n_out)
{
    design *z = v->z;
    uint32_t total = 0;
    const char *name = nashc_arena_printf(z->a, "%s_%s", z->top, v->layer);
    text t;

    if (!text_stream_open(&t))
        return nashc_enomem(z->d);
    for (int k = 0; k < n_out; k++)
        total += out[k].width;
    fprintf(t.f, "// %s.v: layer %s of %s.\n//   %s\n", name, v->layer, z->top,
            comment_text(z, nashc_node_line(n, z->a)));
    fprintf(t.f, "`default_nettype none\nmodule %s ", name);
    if (v->memory)
        fprintf(t.f, "#(\n    parameter MEM_DIR = \".\"\n) ");
    fprintf(t.f, "(\n    input  wire ap_clk,\n    input  wire ap_rst_n");
    print_ports(z, t.f, true, in, n_in);
    print_ports(z, t.f, false, out, n_out);
    nashc_weights w = {0};
    nashc_flow_weights(n, &w);
    print_weight_ports(t.f, &w);
    fprintf(t.f, "\n);\n    wire [%u:0] out_data;\n", total - 1);
    print_weight_wires(t.f, &w);
    if (v->copies > 1)
        print_copies(v, t.f, in, out);
    else
        print_instance(v, t.f, in, n_in, n_out);
    print_outputs(z, t.f, out, n_out);
    print_unused(z, t.f, in, n_in);
    fprintf(t.f, "endmodule\n`default_nettype wire\n");
    add_file(z, nashc_arena_printf(z->a, "%s.v", name));
    return text_write(&t, z->dir, nashc_arena_printf(z->a, "rtl/%s.v", name), z->d);
}

/* With a frame: a plugin's emitter that crashes is named. */
static nashc_status
call_emitter(nashc_verilog_emit emit, const nashc_node *n, nashc_vlog *v)
{
    nashc_diag *d = v->z->d;
    nashc_frame f;

    nashc_enter(&f, v->z->ctx, NASHC_D_IMPL, "verilog", n, d);
    nashc_status s = emit(n, v, d);
    s = s == NASHC_OK ? v->status : s;
    if (s == NASHC_OK && !v->module)
        s = nashc_bug(d, nashc_node_loc(n), "emitter of %s named no module", nashc_node_opname(n));
    return nashc_leave(&f, s);
}

/* n_in counts streams: constants are no ports. All three texts are closed in any case, as closing
 * frees their streams. */
static nashc_status
write_layer(design *z, const nashc_node *n)
{
    nashc_stream in[NASHC_FLOW_PORTS], out[NASHC_FLOW_PORTS];
    nashc_verilog_emit emit =
        (nashc_verilog_emit)nashc_impl_find(z->ctx, "verilog", nashc_node_opname(n));
    nashc_vlog v = {.z = z, .layer = z->names[nashc_node_id(n)], .copies = 1};
    int n_in = 0;

    if (!emit) {
        nashc_node_unsup(z->d, n, "the Verilog backend does not know this layer");
        nashc_help(z->d, "its plugin has no emitter for it (NASHC_IMPL_VERILOG)");
        return NASHC_EUNSUP;
    }
    nashc_status s = nashc_node_op(n)->hw->streams(n, in, out, z->d);
    if (s != NASHC_OK)
        return s;
    for (int i = 0; i < nashc_node_n_in(n); i++)
        n_in += nashc_node_in(n, i) && !nashc_value_const(nashc_node_in(n, i));
    bool bad = !text_stream_open(&v.params);
    bad = !text_stream_open(&v.ties) || bad;
    bad = !text_stream_open(&v.wires) || bad;
    s = bad ? nashc_enomem(z->d) : call_emitter(emit, n, &v);
    bad = !text_stream_close(&v.params) || bad;
    bad = !text_stream_close(&v.ties) || bad;
    bad = !text_stream_close(&v.wires) || bad;
    if (s == NASHC_OK && bad)
        s = nashc_enomem(z->d);
    if (s == NASHC_OK) {
        z->has_memory[nashc_node_id(n)] = v.memory;
        mark_used(z, v.module);
        s = print_layer(&v, n, in, n_in, out, nashc_node_n_out(n));
    }
    free(v.params.data);
    free(v.ties.data);
    free(v.wires.data);
    return s;
}

nashc_status
write_layers(design *z)
{
    nashc_status s = NASHC_OK;

    NASHC_EACH_NODE(z->f, n)
    {
        if (s == NASHC_OK)
            s = write_layer(z, n);
    }
    return s;
}
