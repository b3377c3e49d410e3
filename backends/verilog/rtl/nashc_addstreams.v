// nashc_addstreams.v: y = s + s1, or s - s1, lane by lane: a sync join of two streams.
// Throughput 1 beat/cycle, LATENCY 1. PE adders; PE*OUT_W + 2*PE*OUT_W + 3 flip-flops. OUT_W holds
// every result.
`default_nettype none
module nashc_addstreams #(
    parameter PE        = 1,            // lanes
    parameter XW        = 4,            // bits per element of s
    parameter X_SIGNED  = 0,
    parameter X1W       = 4,            // bits per element of s1
    parameter X1_SIGNED = 0,
    parameter SUB       = 0,            // 1: subtract s1
    parameter OUT_W     = 5             // bits per output
) (
    input  wire                clk,
    input  wire                rst_n,
    input  wire [PE*XW-1:0]    s_tdata,
    input  wire                s_tvalid,
    output wire                s_tready,
    input  wire [PE*X1W-1:0]   s1_tdata,
    input  wire                s1_tvalid,
    output wire                s1_tready,
    output wire [PE*OUT_W-1:0] m_tdata,
    output wire                m_tvalid,
    input  wire                m_tready
);
`ifndef SYNTHESIS
    initial if (PE < 1 || XW < 1 || X1W < 1 || OUT_W < 1) begin
        $display("nashc_addstreams: illegal parameters PE=%0d XW=%0d X1W=%0d", PE, XW, X1W);
        $finish;
    end
`endif

    wire                en;
    wire                fire = en && s_tvalid && s1_tvalid;
    wire [PE*OUT_W-1:0] y_d;
    reg  [PE*OUT_W-1:0] y_q;
    assign s_tready  = en && s1_tvalid;
    assign s1_tready = en && s_tvalid;

    always @(posedge clk) if (en) y_q <= y_d;

    genvar p;
    generate
        for (p = 0; p < PE; p = p + 1) begin : g_lane
            wire signed [XW:0]  a = {(X_SIGNED != 0) && s_tdata[p*XW + XW - 1],
                                     s_tdata[p*XW +: XW]};
            wire signed [X1W:0] b = {(X1_SIGNED != 0) && s1_tdata[p*X1W + X1W - 1],
                                     s1_tdata[p*X1W +: X1W]};
            wire signed [OUT_W-1:0] y;
            // Operands widen to, or are taken modulo, the output's width.
            /* verilator lint_off WIDTH */
            if (SUB != 0) begin : g_sub
                assign y = a - b;
            end else begin : g_add
                assign y = a + b;
            end
            /* verilator lint_on WIDTH */
            assign y_d[p*OUT_W +: OUT_W] = y;
        end
    endgenerate

    nashc_pipe #(.W(PE*OUT_W), .LATENCY(1)) u_pipe (
        .clk(clk), .rst_n(rst_n), .fire(fire), .writes(1'b1), .en(en), .data(y_q),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );
endmodule
`default_nettype wire
