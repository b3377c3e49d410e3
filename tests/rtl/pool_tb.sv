// pool_tb.sv: nashc_pool against vectors, with random stalls, checked to the cycle.
`timescale 1ns / 1ns
module pool_tb #(
    parameter C = 4,
    parameter PE = 2,
    parameter SIMD = 1,
    parameter FUNC = 4,
    parameter KH = 2,
    parameter OW = 3,
    parameter KW = 2,
    parameter XW = 4,
    parameter X_SIGNED = 0,
    parameter X_BIP = 0,
    parameter OUT_W = 4,
    parameter NIN = 1,
    parameter NIN1 = 0,
    parameter NOUT = 1,
    parameter STEPS = 1,
    parameter LATENCY = 0,
    parameter DEPTH_OUT = 2,
    parameter TOTAL = 1
);
    wire clk, rst_n, s_tvalid, s_tready, s1_tvalid, s1_tready, m_tvalid, m_tready;
    wire [PE*SIMD*XW-1:0] s_tdata;
    wire [0:0] s1_tdata;
    wire [PE*OUT_W-1:0] m_tdata;

    nashc_pool #(
        .C(C),
        .PE(PE),
        .SIMD(SIMD),
        .FUNC(FUNC),
        .KH(KH),
        .OW(OW),
        .KW(KW),
        .XW(XW),
        .X_SIGNED(X_SIGNED),
        .X_BIP(X_BIP),
        .OUT_W(OUT_W)
    ) dut (
        .clk(clk), .rst_n(rst_n),
        .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );

    stream_harness #(
        .IN_W(PE*SIMD*XW), .IN1_W(1), .OUT_W(PE*OUT_W), .NIN(NIN), .NIN1(NIN1), .NOUT(NOUT),
        .STEPS(STEPS), .LATENCY(LATENCY), .DEPTH(DEPTH_OUT), .TOTAL(TOTAL)
    ) harness (
        .clk(clk), .rst_n(rst_n), .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
        .s1_tdata(s1_tdata), .s1_tvalid(s1_tvalid), .s1_tready(s1_tready),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );
endmodule
