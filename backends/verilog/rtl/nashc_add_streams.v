// nashc_add_streams.v: y = s op s1, lane by lane: a sync join of two streams.
// Throughput 1 beat/cycle, LATENCY 1. PE adders, multipliers or comparators; 3*PE*OUT_W + 3
// flip-flops. OUT_W holds every result.
`default_nettype none
module nashc_add_streams #(
    parameter PE        = 1,            // lanes
    parameter XW        = 4,            // bits per element of s
    parameter X_SIGNED  = 0,
    parameter X_BIP     = 0,            // 1: s is bipolar (XW 1)
    parameter X1W       = 4,            // bits per element of s1
    parameter X1_SIGNED = 0,
    parameter X1_BIP    = 0,
    parameter FUNC      = 0,            // as in nashc_elementwise
    parameter OUT_BIP   = 0,            // 1: m is bipolar (OUT_W 1), as are s and s1
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
        $display("nashc_add_streams: illegal parameters PE=%0d XW=%0d X1W=%0d", PE, XW, X1W);
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

    wire [PE*(XW+1)-1:0]  x;
    wire [PE*(X1W+1)-1:0] x1;
    nashc_widen_elements #(
        .PE(PE), .XW(XW), .X_SIGNED(X_SIGNED), .X_BIP(X_BIP), .OUT_W(XW + 1)
    ) u_x (.x(s_tdata), .y(x));
    nashc_widen_elements #(
        .PE(PE), .XW(X1W), .X_SIGNED(X1_SIGNED), .X_BIP(X1_BIP), .OUT_W(X1W + 1)
    ) u_x1 (.x(s1_tdata), .y(x1));
    nashc_elementwise #(
        .PE(PE), .FUNC(FUNC), .XW(XW + 1), .X1W(X1W + 1), .OUT_BIP(OUT_BIP), .OUT_W(OUT_W)
    ) u_op (.x(x), .x1(x1), .y(y_d));

    nashc_pipe #(.W(PE*OUT_W), .LATENCY(1)) u_pipe (
        .clk(clk), .rst_n(rst_n), .fire(fire), .writes(1'b1), .en(en), .data(y_q),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );
endmodule
`default_nettype wire
