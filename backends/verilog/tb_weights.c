/* tb_weights.c: the bench's part for weights that come in from outside, or can.
 *
 * Streams give the lines of weights/LAYER.dat for ever, stalled at random as the inputs are.
 * With +weights=1, by default where a memory starts empty, the slaves of AXI-Lite are written
 * first, with the words of their files, and read again; then the design is reset and all goes on as
 * without, so that cycles are those of the models. W_DIR is the folder of the files.
 */
#include "build.h"
#include <inttypes.h>
#include <string.h>

/* Writes s with the number of a port for each "~", its name for each "#". */
static void
put_port(FILE *f, const char *s, const weight_port *p)
{
    for (; *s; s++) {
        if (*s == '~')
            fprintf(f, "%d", p->k);
        else if (*s == '#')
            fputs(p->name, f);
        else
            putc(*s, f);
    }
}

/* Lines go round for ever, as the layer takes all of them once a frame or more often. The generator
 * of stalls is that of the inputs with another seed. */
static void
stream_part(const design *z, FILE *f, const weight_port *p)
{
    fprintf(f, "\n    localparam W%d_LINES = %" PRId64 ", W%d_BITS = %u;\n", p->k, p->w.lines, p->k,
            p->padded);
    fprintf(f, "    initial $readmemh({W_DIR, \"/%s.dat\"}, w%d_mem);\n",
            z->names[nashc_node_id(p->n)], p->k);
    put_port(f,
             "    reg  [W~_BITS-1:0] w~_mem [0:W~_LINES-1];\n"
             "    reg  [W~_BITS-1:0] w~_data;\n"
             "    reg         w~_valid = 1'b0, w~_go;\n"
             "    wire        w~_ready;\n"
             "    integer     w~_next = 0, w~_seed;\n"
             "    always @(posedge clk) begin\n"
             "        if (cycle == 0) w~_seed = seed + 2 * ~;\n"
             "        w~_seed = w~_seed * 1664525 + 1013904223;\n"
             "        w~_go = seed == 0 || w~_seed[28];\n"
             "        w~_go = w~_go && up && (!w~_valid || w~_ready);\n"
             "        if (w~_go) begin\n"
             "            w~_valid <= 1'b1;\n"
             "            w~_data  <= w~_mem[w~_next];\n"
             "            w~_next  <= (w~_next == W~_LINES - 1) ? 0 : w~_next + 1;\n"
             "        end else if (w~_ready) begin\n"
             "            w~_valid <= 1'b0;\n"
             "        end\n"
             "    end\n",
             p);
}

/* A state machine for each slave: all words written, then all read and compared, one at a time. It
 * waits for the answer before the next word, as a slow master would. */
static void
slave_part(const design *z, FILE *f, const weight_port *p)
{
    fprintf(f, "\n    localparam L%d_WORDS = %" PRId64 ", L%d_BITS = %d;\n", p->k,
            p->w.lines * nashc_flow_weight_words(&p->w), p->k, lite_address_bits(&p->w));
    fprintf(f, "    initial $readmemh({W_DIR, \"/%s.dat\"}, l%d_mem);\n",
            z->names[nashc_node_id(p->n)], p->k);
    put_port(f,
             "    reg  [31:0] l~_mem [0:L~_WORDS-1];\n"
             "    reg         l~_awvalid = 1'b0, l~_arvalid = 1'b0, l~_reads = 1'b0;\n"
             "    reg         l~_busy = 1'b0, l~_done = 1'b0;\n"
             "    wire        l~_awready, l~_bvalid, l~_arready, l~_rvalid;\n"
             "    wire [31:0] l~_rdata;\n"
             "    integer     l~_at = 0;\n"
             "    wire [L~_BITS-1:0] l~_address = l~_at * 4;\n"
             "    always @(posedge clk) if (writing && !l~_done) begin\n"
             "        if (!l~_busy) begin\n"
             "            l~_busy    <= 1'b1;\n"
             "            l~_awvalid <= !l~_reads;\n"
             "            l~_arvalid <= l~_reads;\n"
             "        end else begin\n"
             "            if (l~_awready) l~_awvalid <= 1'b0;\n"
             "            if (l~_arready) l~_arvalid <= 1'b0;\n"
             "        end\n"
             "        if (l~_rvalid && l~_rdata !== l~_mem[l~_at]) begin\n"
             "            $display(\"#: word %0d is %h, expected %h\", l~_at, l~_rdata, "
             "l~_mem[l~_at]);\n"
             "            errors = errors + 1;\n"
             "        end\n"
             "        if (l~_bvalid || l~_rvalid) begin\n"
             "            l~_busy <= 1'b0;\n"
             "            l~_at   <= (l~_at == L~_WORDS - 1) ? 0 : l~_at + 1;\n"
             "            if (l~_at == L~_WORDS - 1) l~_reads <= 1'b1;\n"
             "            if (l~_at == L~_WORDS - 1) l~_done <= l~_reads;\n"
             "        end\n"
             "    end\n",
             p);
}

bool
tb_has_slaves(const design *z)
{
    for (int i = 0; i < z->n_weights; i++)
        if (z->weights[i].w.written)
            return true;
    return false;
}

/* Then writing is no option: without it outputs are undefined. */
bool
tb_starts_empty(const design *z)
{
    for (int i = 0; i < z->n_weights; i++)
        if (z->weights[i].w.empty)
            return true;
    return false;
}

/* loaded when every slave is; 10 cycles of waiting first, so that the reset is over. */
void
tb_weights(const design *z, FILE *f)
{
    const char *all = "";

    for (const weight_port *p = z->weights; p < z->weights + z->n_weights; p++)
        (p->w.streamed ? stream_part : slave_part)(z, f, p);
    if (!tb_has_slaves(z))
        return;
    fprintf(f, "\n    always @(posedge clk) if (!loaded) begin\n"
               "        waited  <= waited + 1;\n"
               "        writing <= waited > 9;\n"
               "        if (");
    for (const weight_port *p = z->weights; p < z->weights + z->n_weights; p++)
        if (p->w.written) {
            fprintf(f, "%sl%d_done", all, p->k);
            all = " && ";
        }
    fprintf(f, ") begin\n"
               "            loaded  <= 1'b1;\n"
               "            writing <= 1'b0;\n"
               "        end\n    end\n");
}

void
tb_weight_pins(const design *z, FILE *f)
{
    for (const weight_port *p = z->weights; p < z->weights + z->n_weights; p++)
        put_port(f,
                 p->w.streamed ? ",\n        .#_TDATA(w~_data),\n        .#_TVALID(w~_valid),\n"
                                 "        .#_TREADY(w~_ready)"
                               : ",\n        .#_awaddr(l~_address), .#_awvalid(l~_awvalid),\n"
                                 "        .#_awready(l~_awready), .#_wdata(l~_mem[l~_at]),\n"
                                 "        .#_wstrb(4'hf), .#_wvalid(l~_awvalid), .#_wready(),\n"
                                 "        .#_bresp(), .#_bvalid(l~_bvalid), .#_bready(1'b1),\n"
                                 "        .#_araddr(l~_address), .#_arvalid(l~_arvalid),\n"
                                 "        .#_arready(l~_arready), .#_rdata(l~_rdata), .#_rresp(),\n"
                                 "        .#_rvalid(l~_rvalid), .#_rready(1'b1)",
                 p);
}
