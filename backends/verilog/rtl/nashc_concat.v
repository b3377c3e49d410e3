// nashc_concat.v: NA elements of s, then NB elements of s1, again and again: one stream of two.
// (NA + NB)/PE steps a round, each reads one input and writes; LATENCY 1. A multiplexer and three
// registers of PE*OUT_W bits. PE divides NA and NB; OUT_W holds the elements of both.
`default_nettype none
module nashc_concat #(
    parameter PE        = 1,            // lanes
    parameter NA        = 2,            // elements of s a round
    parameter NB        = 3,            // elements of s1 a round
    parameter XW        = 4,            // bits per element of s
    parameter X_SIGNED  = 0,
    parameter X_BIP     = 0,            // 1: s is bipolar, m is not
    parameter X1W       = 4,            // bits per element of s1
    parameter X1_SIGNED = 0,
    parameter X1_BIP    = 0,
    parameter OUT_W     = 4             // bits per output
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
    initial if (PE < 1 || NA % PE != 0 || NB % PE != 0) begin
        $display("nashc_concat: illegal parameters PE=%0d NA=%0d NB=%0d", PE, NA, NB);
        $finish;
    end
`endif

    wire                en;
    wire                second;
    wire                fire = en && (second ? s1_tvalid : s_tvalid);
    wire [PE*OUT_W-1:0] a, b;
    reg  [PE*OUT_W-1:0] y_q;
    assign s_tready  = en && !second;
    assign s1_tready = en && second;

    nashc_parts #(.FA(NA / PE), .FB(NB / PE)) u_parts (
        .clk(clk), .rst_n(rst_n), .fire(fire), .second(second)
    );
    nashc_widen_elements #(
        .PE(PE), .XW(XW), .X_SIGNED(X_SIGNED), .X_BIP(X_BIP), .OUT_W(OUT_W)
    ) u_a (.x(s_tdata), .y(a));
    nashc_widen_elements #(
        .PE(PE), .XW(X1W), .X_SIGNED(X1_SIGNED), .X_BIP(X1_BIP), .OUT_W(OUT_W)
    ) u_b (.x(s1_tdata), .y(b));

    always @(posedge clk) if (en) y_q <= second ? b : a;

    nashc_pipe #(.W(PE*OUT_W), .LATENCY(1)) u_pipe (
        .clk(clk), .rst_n(rst_n), .fire(fire), .writes(1'b1), .en(en), .data(y_q),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );
endmodule
`default_nettype wire
