// nashc_weights.v: where a unit has its weights from, a line of W bits a step, DEPTH lines a round.
// Constants of FILE; W_AXILITE: a memory that begins with FILE and is written through lite_*
// (nashc_weight_memory); W_EXT: the stream s, a beat a line in the order of the lines.
// q is the line of the step one enabled cycle after it; a step waits for `here`. Memory: DEPTH*W
// bits, none if W_EXT. W, DEPTH >= 1.
`default_nettype none
module nashc_weights #(
    parameter W         = 8,            // bits per line
    parameter DEPTH     = 16,           // lines
    parameter W_EXT     = 0,            // 1: lines come from s
    parameter W_AXILITE = 0,            // 1: they can be written through lite_s
    parameter FILE      = "memblock.dat",
    parameter RAM_STYLE = "auto"
) (
    input  wire         clk,
    input  wire         rst_n,
    input  wire         en,
    input  wire         fire,           // a step; only if en and here
    input  wire         taken,          // a step needs nothing but the line
    output wire         here,
    output wire [W-1:0] q,
    input  wire [W-1:0] s_tdata,
    input  wire         s_tvalid,
    output wire         s_tready,
    input  wire [100:0] lite_s,
    output wire [36:0]  lite_m
);
    localparam AW = (DEPTH <= 1) ? 1 : $clog2(DEPTH);
    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    localparam [AW-1:0] LAST = DEPTH - 1;
    /* verilator lint_on WIDTH */

    generate
        if (W_EXT != 0) begin : g_stream
            reg [W-1:0] q_q;
            always @(posedge clk) if (en) q_q <= s_tdata;
            assign q = q_q;
            assign here = s_tvalid;
            assign s_tready = en && taken;
            assign lite_m = 37'd0;
            wire unused = &{1'b0, rst_n, fire, lite_s};
        end else begin : g_file
            reg [AW-1:0] line_q;
            always @(posedge clk) begin
                if (!rst_n) line_q <= {AW{1'b0}};
                else if (fire) line_q <= (line_q == LAST) ? {AW{1'b0}} : line_q + 1'b1;
            end
            assign here = 1'b1;
            assign s_tready = 1'b0;
            wire unused = &{1'b0, taken, s_tdata, s_tvalid};
            if (W_AXILITE != 0) begin : g_written
                nashc_weight_memory #(
                    .W(W), .DEPTH(DEPTH), .FILE(FILE), .RAM_STYLE(RAM_STYLE)
                ) u_memory (
                    .clk(clk), .rst_n(rst_n), .en(en), .addr(line_q), .q(q),
                    .lite_s(lite_s), .lite_m(lite_m)
                );
            end else begin : g_constant
                nashc_rom #(.W(W), .DEPTH(DEPTH), .FILE(FILE), .RAM_STYLE(RAM_STYLE)) u_rom (
                    .clk(clk), .en(en), .addr(line_q), .q(q)
                );
                assign lite_m = 37'd0;
                wire unused_lite = &{1'b0, lite_s};
            end
        end
    endgenerate

`ifdef FORMAL
    reg past_q = 1'b0;
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);
        assume (fire == (en && here && taken));
        if (rst_n) begin
            assert ((s_tvalid && s_tready) == (fire && W_EXT != 0));    // a beat a step
            if (past_q && $past(rst_n) && $past(W_EXT != 0 && fire)) assert (q == $past(s_tdata));
            if (past_q && $past(rst_n) && $past(!en)) assert ($stable(q));
        end
    end
`endif
endmodule
`default_nettype wire
