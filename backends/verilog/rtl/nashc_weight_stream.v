// nashc_weight_stream.v: streams the lines of a memory file for ever, in order: the weight source
// of a matrix unit with W_EXT = 1. Throughput 1 line/cycle, LATENCY 1, DEPTH steps a round,
// each writes. DEPTH*W memory bits with registered read. W, DEPTH >= 1.
`default_nettype none
module nashc_weight_stream #(
    parameter W         = 8,            // bits per line
    parameter DEPTH     = 16,           // lines
    parameter MEM_DIR   = ".",
    parameter FILE      = "memblock.dat",
    parameter RAM_STYLE = "auto"
) (
    input  wire         clk,
    input  wire         rst_n,
    output wire [W-1:0] m_tdata,
    output wire         m_tvalid,
    input  wire         m_tready
);
    localparam AW = (DEPTH <= 1) ? 1 : $clog2(DEPTH);
    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    localparam [AW-1:0] LAST = DEPTH - 1;
    /* verilator lint_on WIDTH */

`ifndef SYNTHESIS
    initial if (W < 1 || DEPTH < 1) begin
        $display("nashc_weight_stream: illegal parameters W=%0d DEPTH=%0d", W, DEPTH);
        $finish;
    end
`endif

    reg  [AW-1:0] line_q;
    wire          en;
    wire [W-1:0]  word;

    always @(posedge clk) begin
        if (!rst_n) line_q <= {AW{1'b0}};
        else if (en) line_q <= (line_q == LAST) ? {AW{1'b0}} : line_q + 1'b1;
    end

    nashc_rom #(.W(W), .DEPTH(DEPTH), .FILE({MEM_DIR, "/", FILE}), .RAM_STYLE(RAM_STYLE)) u_rom (
        .clk(clk), .en(en), .addr(line_q), .q(word)
    );

    nashc_pipe #(.W(W), .LATENCY(1)) u_pipe (
        .clk(clk), .rst_n(rst_n), .fire(en && rst_n), .writes(1'b1), .en(en), .data(word),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );
endmodule
`default_nettype wire
