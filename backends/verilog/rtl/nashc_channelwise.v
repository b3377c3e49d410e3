// nashc_channelwise.v: y = x op p[c] with a constant per channel.
// Throughput 1 beat/cycle, C/PE steps a vector, LATENCY 2. PE adders, multipliers (FUNC 1) or
// comparators; C*PW memory bits in lines of PE*PW. PE divides C; y is taken modulo 2**OUT_W.
`default_nettype none
module nashc_channelwise #(
    parameter C         = 4,            // channels
    parameter PE        = 1,            // lanes
    parameter FUNC      = 0,            // 0 add, 1 mul, 2 x <= p, 3 x >= p, 4 max, 5 min
    parameter XW        = 8,            // bits per input
    parameter X_SIGNED  = 1,
    parameter X_BIP     = 0,            // 1: x is bipolar (XW 1), y is not
    parameter PW        = 8,            // bits per constant
    parameter P_SIGNED  = 1,
    parameter OUT_W     = 9,            // bits per output
    parameter MEM_DIR   = ".",
    parameter FILE      = "param.dat",
    parameter RAM_STYLE = "auto"
) (
    input  wire                clk,
    input  wire                rst_n,
    input  wire [PE*XW-1:0]    s_tdata,
    input  wire                s_tvalid,
    output wire                s_tready,
    output wire [PE*OUT_W-1:0] m_tdata,
    output wire                m_tvalid,
    input  wire                m_tready
);
    localparam CF = C / PE;
    localparam FW = (CF <= 1) ? 1 : $clog2(CF);
    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    localparam [FW-1:0] LAST = CF - 1;
    /* verilator lint_on WIDTH */

`ifndef SYNTHESIS
    initial if (PE < 1 || C % PE != 0 || FUNC < 0 || FUNC > 5 || XW < 1 || PW < 1) begin
        $display("nashc_channelwise: illegal parameters C=%0d PE=%0d FUNC=%0d", C, PE, FUNC);
        $finish;
    end
`endif

    wire                en;
    wire                fire = en && s_tvalid;
    wire [PE*PW-1:0]    param;
    wire [PE*OUT_W-1:0] y_d;
    reg  [FW-1:0]       fold_q;
    reg  [PE*XW-1:0]    x_q;
    reg  [PE*OUT_W-1:0] y_q;
    assign s_tready = en;

    always @(posedge clk) begin
        if (!rst_n) fold_q <= {FW{1'b0}};
        else if (fire) fold_q <= (fold_q == LAST) ? {FW{1'b0}} : fold_q + 1'b1;
    end
    always @(posedge clk) if (en) begin
        x_q <= s_tdata;
        y_q <= y_d;
    end

    nashc_rom #(
        .W(PE*PW), .DEPTH(CF), .FILE({MEM_DIR, "/", FILE}), .RAM_STYLE(RAM_STYLE)
    ) u_rom (.clk(clk), .en(en), .addr(fold_q), .q(param));

    wire [PE*(XW+1)-1:0] x;
    wire [PE*(PW+1)-1:0] c;
    nashc_widen_elements #(
        .PE(PE), .XW(XW), .X_SIGNED(X_SIGNED), .X_BIP(X_BIP), .OUT_W(XW + 1)
    ) u_x (.x(x_q), .y(x));
    nashc_widen_elements #(.PE(PE), .XW(PW), .X_SIGNED(P_SIGNED), .X_BIP(0), .OUT_W(PW + 1)) u_c (
        .x(param), .y(c)
    );
    nashc_elementwise #(.PE(PE), .FUNC(FUNC), .XW(XW + 1), .X1W(PW + 1), .OUT_W(OUT_W)) u_op (
        .x(x), .x1(c), .y(y_d)
    );

    nashc_pipe #(.W(PE*OUT_W), .LATENCY(2)) u_pipe (
        .clk(clk), .rst_n(rst_n), .fire(fire), .writes(1'b1), .en(en), .data(y_q),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );
endmodule
`default_nettype wire
