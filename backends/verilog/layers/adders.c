/* adders.c: hw.mvau with res_type=adders to two modules of its own: the graph of additions, and the
 * unit around it, nashc_adder_steps in front and nashc_results behind.
 *
 * Term i is the wire t<i> where it is added up, and the register t<i>_<s> that stage s reads.
 */
#include "adders.h"
#include "backends/verilog/build.h"
#include <stdlib.h>

/* Prints the bits from..from+width-1 of t, which goes on as its sign or 0 above and 0 below. */
static void
print_bits(FILE *f, const char *name, const adder_term *t, int from, int width)
{
    const int bits = adder_term_bits(t), top = from + width;
    int below = from < 0 ? -from : 0, first = from < 0 ? 0 : from, past = top < bits ? top : bits;
    const char *comma = "";

    below = below < width ? below : width;
    int own = past > first ? past - first : 0, above = width - below - own;
    fputc('{', f);
    if (above > 0 && t->lo < 0)
        fprintf(f, "{%d{%s[%d]}}", above, name, bits - 1);
    else if (above > 0)
        fprintf(f, "{%d{1'b0}}", above);
    comma = above > 0 ? ", " : "";
    if (own > 0)
        fprintf(f, "%s%s[%d:%d]", comma, name, past - 1, first);
    comma = above > 0 || own > 0 ? ", " : "";
    if (below > 0)
        fprintf(f, "%s{%d{1'b0}}", comma, below);
    fputc('}', f);
}

/* What stage reads of term t. */
static const char *
term_name(const adders *z, int t, int stage, char name[32])
{
    if (stage == adders_stage(z, t))
        snprintf(name, 32, "t%d", t);
    else
        snprintf(name, 32, "t%d_%d", t, stage);
    return name;
}

static void
print_operand(FILE *f, const adders *z, int t, int stage, int from, int width)
{
    char name[32];

    print_bits(f, term_name(z, t, stage, name), &z->g.terms[t], from, width);
}

/* The addition of term t: what is below both operands passes by. */
static void
print_addition(FILE *f, const adders *z, int t)
{
    const adder_node *q = &z->g.terms[t].node;
    const int bits = adder_term_bits(&z->g.terms[t]), stage = adders_stage(z, t);
    const int low = q->a_shift == 0 ? q->a : q->b;
    int apart = q->a_shift == 0 ? q->b_shift : q->minus ? 0 : q->a_shift;

    apart = apart < bits ? apart : bits - 1;
    fprintf(f, "    wire [%d:0] t%d = ", bits - 1, t);
    if (q->a < 0) {
        fprintf(f, "{%d{1'b0}} - ", bits);
        print_operand(f, z, q->b, stage, -q->b_shift, bits);
        fprintf(f, ";\n");
        return;
    }
    if (apart > 0)
        fputc('{', f);
    print_operand(f, z, q->a, stage, apart - q->a_shift, bits - apart);
    fprintf(f, " %c ", q->minus ? '-' : '+');
    print_operand(f, z, q->b, stage, apart - q->b_shift, bits - apart);
    if (apart > 0) {
        fprintf(f, ", ");
        print_operand(f, z, low, stage, 0, apart);
        fputc('}', f);
    }
    fprintf(f, ";\n");
}

/* The registers that keep term t for later stages. */
static void
print_registers(FILE *f, const adders *z, int t)
{
    const int first = adders_stage(z, t) + 1, bits = adder_term_bits(&z->g.terms[t]);
    char name[32];

    for (int s = t < z->g.n_in ? 1 : first; s <= z->need[t]; s++)
        fprintf(f, "    reg [%d:0] t%d_%d;\n    always @(posedge clk) if (en) t%d_%d <= %s;\n",
                bits - 1, t, s, t, s, term_name(z, t, s - 1, name));
}

/* Input t, an element of x; bipolar: -1 or +1. */
static void
print_input(FILE *f, const adders *z, const nashc_type *x, int t)
{
    const int bits = adder_term_bits(&z->g.terms[t]), at = t * (int)x->bits;

    if (z->need[t] < 0)
        return;
    fprintf(f, "    wire [%d:0] t%d_0 = ", bits - 1, t);
    if (x->kind == NASHC_K_BIP)
        fprintf(f, "{!x[%d], 1'b1};\n", at);
    else
        fprintf(f, "x[%d:%d];\n", at + bits - 1, at);
}

/* The sums of each word side by side, row 0 in the low bits. */
static void
print_words(FILE *f, const adders *z)
{
    const int last = z->stages - 1;

    for (int64_t k = 0; k < z->words; k++) {
        fprintf(f, "    wire [%" PRId64 ":0] word_%" PRId64 " = {", z->pe * z->sum_bits - 1, k);
        for (int64_t p = z->pe - 1; p >= 0; p--) {
            const adder_out *o = &z->g.out[k * z->pe + p];
            if (o->term < 0)
                fprintf(f, "{%d{1'b0}}", z->sum_bits);
            else
                print_operand(f, z, o->term, last, -o->shift, z->sum_bits);
            fprintf(f, "%s", p > 0 ? ",\n        " : "};\n");
        }
    }
}

static void
print_choice(FILE *f, const adders *z, int word_bits)
{
    if (z->words == 1) {
        fprintf(f, "    always @(posedge clk) if (en) sum_q <= word_0;\n");
        return;
    }
    fprintf(f,
            "    /* verilator lint_off UNUSEDSIGNAL */\n"
            "    wire [%d:0] words;\n"
            "    /* verilator lint_on UNUSEDSIGNAL */\n"
            "    nashc_delay_line #(.W(%d), .TAPS(%d)) u_word (\n"
            "        .clk(clk), .en(en), .a(word), .taps(words)\n    );\n"
            "    always @(posedge clk) if (en)\n        case (words[%d:%d])\n",
            z->stages * word_bits - 1, word_bits, z->stages, z->stages * word_bits - 1,
            (z->stages - 1) * word_bits);
    for (int64_t k = 0; k < z->words - 1; k++)
        fprintf(f, "            %d'd%" PRId64 ": sum_q <= word_%" PRId64 ";\n", word_bits, k, k);
    fprintf(f, "            default: sum_q <= word_%" PRId64 ";\n        endcase\n", z->words - 1);
}

static void
print_graph(FILE *f, const adders *z, const nashc_type *x, const char *name, int word_bits)
{
    const int64_t beat = z->simd * x->bits;

    fprintf(f,
            "// %s.v: %" PRId64 " words of %" PRId64 " constant rows of %" PRId64
            " columns as %d additions, in %d stages.\n"
            "`default_nettype none\nmodule %s (\n    input  wire clk,\n    input  wire en,\n"
            "    input  wire [%" PRId64 ":0] x,\n    input  wire [%d:0] word,\n"
            "    output reg  [%" PRId64 ":0] sum_q\n);\n"
            "    wire unused = &{1'b0, x, word};\n"
            "    // the interval of a term may be wider than that of the sums it is in\n"
            "    /* verilator lint_off UNUSEDSIGNAL */\n",
            name, z->words, z->pe, z->simd, z->g.n_terms - z->g.n_in, z->stages, name, beat - 1,
            word_bits - 1, z->pe * z->sum_bits - 1);
    for (int t = 0; t < z->g.n_terms; t++) {
        if (t < z->g.n_in)
            print_input(f, z, x, t);
        else
            print_addition(f, z, t);
        print_registers(f, z, t);
    }
    fprintf(f, "    /* verilator lint_on UNUSEDSIGNAL */\n");
    print_words(f, z);
    print_choice(f, z, word_bits);
    fprintf(f, "endmodule\n`default_nettype wire\n");
}

/* Parameters that emit_activation sets, and their values where it sets none. */
static const char *const parameters[][2] = {
    {"ACT", "0"},
    {"K", "1"},
    {"TW", "1"},
    {"T_SIGNED", "0"},
    {"ACTVAL", "0"},
    {"HAS_DIR", "0"},
    {"T_SHARED", "0"},
    {"DEEP", "0"},
    {"T_FILE", "\"thresh\""},
    {"MEM_DIR", "\".\""},
    {"DIR_FILE", "\"dir.dat\""},
    {"T_RAM_STYLE", "\"auto\""},
};

static void
print_head(FILE *f, const adders *z, const char *name, int64_t beat, int64_t out)
{
    fprintf(f, "// %s.v: steps, the graph of additions, results.\n`default_nettype none\n", name);
    fprintf(f, "module %s #(\n", name);
    for (size_t i = 0; i < NASHC_COUNT(parameters); i++)
        fprintf(f, "    parameter %s = %s%s\n", parameters[i][0], parameters[i][1],
                i + 1 < NASHC_COUNT(parameters) ? "," : "");
    fprintf(f,
            ") (\n    input  wire clk,\n    input  wire rst_n,\n"
            "    input  wire [%" PRId64 ":0] s_tdata,\n    input  wire s_tvalid,\n"
            "    output wire s_tready,\n    output wire [%" PRId64 ":0] m_tdata,\n"
            "    output wire m_tvalid,\n    input  wire m_tready\n);\n"
            "    wire en, fire, first, writes;\n"
            "    wire [%" PRId64 ":0] x;\n    wire [%" PRId64 ":0] sum;\n",
            beat - 1, out - 1, beat - 1, z->pe * z->sum_bits - 1);
}

static void
print_unit(FILE *f, const adders *z, const nashc_node *n, const char *name, const char *graph,
           int word_bits)
{
    const int64_t beat = z->simd * emit_bits_in(n), out_bits = model_out(n, 0)->bits;

    print_head(f, z, name, beat, z->pe * out_bits);
    fprintf(f,
            "    wire [%d:0] word;\n"
            "    nashc_adder_steps #(.W(%" PRId64 "), .SF(%" PRId64 "), .NF(%" PRId64
            "), .GROUPS(%" PRId64 ")) u_steps (\n"
            "        .clk(clk), .rst_n(rst_n), .s_tdata(s_tdata), .s_tvalid(s_tvalid),\n"
            "        .s_tready(s_tready), .en(en), .fire(fire), .first(first), .writes(writes),\n"
            "        .x(x), .word(word)\n    );\n"
            "    %s u_graph (.clk(clk), .en(en), .x(x), .word(word), .sum_q(sum));\n",
            word_bits - 1, beat, z->sf, z->nf, z->groups, graph);
    fprintf(f,
            "    nashc_results #(\n"
            "        .PE(%" PRId64 "), .STAGES(%d), .SW(%d), .SUM_SIGNED(%d), .ACC_W(%u),\n"
            "        .ACC_SIGNED(%d), .ACCS(%d), .FOLDS(%" PRId64 "), .OUT_W(%" PRId64
            "), .ACT(ACT), .K(K),\n"
            "        .TW(TW), .T_SIGNED(T_SIGNED), .ACTVAL(ACTVAL), .HAS_DIR(HAS_DIR),\n"
            "        .T_SHARED(T_SHARED), .DEEP(DEEP), .T_FILE({MEM_DIR, \"/\", T_FILE}),\n"
            "        .DIR_FILE({MEM_DIR, \"/\", DIR_FILE}), .T_RAM_STYLE(T_RAM_STYLE)\n"
            "    ) u_results (\n"
            "        .clk(clk), .rst_n(rst_n), .fire(fire), .first(first), .writes(writes),\n"
            "        .addr(1'b0), .en(en), .sum(sum), .m_tdata(m_tdata), .m_tvalid(m_tvalid),\n"
            "        .m_tready(m_tready)\n    );\nendmodule\n`default_nettype wire\n",
            z->pe, 1 + z->stages, z->sum_bits, z->sum_signed, z->acc.bits, emit_signed(&z->acc),
            z->sf > 1, z->groups * z->nf, out_bits);
}

static nashc_status
write_modules(const nashc_node *n, nashc_vlog *v, const adders *z, nashc_diag *d)
{
    const char *graph = nashc_vlog_name(v, "adders"), *unit = nashc_vlog_name(v, "unit");
    int word_bits = z->words > 1 ? cost_clog2((uint64_t)z->words) : 1;
    text t, u;

    bool bad = !text_stream_open(&t);
    bad = !text_stream_open(&u) || bad || !graph || !unit;
    if (!bad) {
        print_graph(t.f, z, model_in(n, 0), graph, word_bits);
        print_unit(u.f, z, n, unit, graph, word_bits);
    }
    bad = !text_stream_close(&t) || bad;
    bad = !text_stream_close(&u) || bad;
    if (!bad) {
        nashc_vlog_module(v, graph, t.data);
        nashc_vlog_module(v, unit, u.data);
        nashc_vlog_core(v, unit);
    }
    free(t.data);
    free(u.data);
    return bad ? nashc_enomem(d) : NASHC_OK;
}

nashc_status
emit_adders(const nashc_node *n, nashc_vlog *v, nashc_diag *d)
{
    nashc_arena *a = nashc_arena_create();
    adders z;
    nashc_status s = adders_open(n, a, &z, d);

    if (s == NASHC_OK)
        s = write_modules(n, v, &z, d);
    nashc_arena_free(a);
    if (s != NASHC_OK || !nashc_node_in(n, 2))
        return s;
    return emit_activation(n, v, false, d);
}
