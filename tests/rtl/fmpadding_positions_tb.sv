// fmpadding_positions_tb.sv: nashc_fmpadding_positions against vectors, with random stalls, checked to the cycle.
`timescale 1ns / 1ns
module fmpadding_positions_tb #(
    parameter C = 4,
    parameter POSITIONS = 2,
    parameter HEIGHT = 3,
    parameter WIDTH = 3,
    parameter TOP = 1,
    parameter LEFT = 1,
    parameter BOTTOM = 1,
    parameter RIGHT = 1,
    parameter ROW_GAP = 0,
    parameter XW = 4,
    parameter X_SIGNED = 0,
    parameter X_BIP = 0,
    parameter OUT_W = 4,
    parameter NIN = 1,
    parameter NIN1 = 0,
    parameter NOUT = 1,
    parameter STEPS = 1,
    parameter LATENCY = 1,
    parameter DEPTH_OUT = 2,
    parameter TOTAL = 1
);
    wire clk, rst_n, s_tvalid, s_tready, s1_tvalid, s1_tready, m_tvalid, m_tready;
    wire [POSITIONS*C*XW-1:0] s_tdata;
    wire [0:0] s1_tdata;
    wire [POSITIONS*C*OUT_W-1:0] m_tdata;

    nashc_fmpadding_positions #(
        .C(C), .POSITIONS(POSITIONS), .HEIGHT(HEIGHT), .WIDTH(WIDTH), .TOP(TOP), .LEFT(LEFT),
        .BOTTOM(BOTTOM), .RIGHT(RIGHT),
        .ROW_GAP(ROW_GAP), .XW(XW), .X_SIGNED(X_SIGNED), .X_BIP(X_BIP),
        .OUT_W(OUT_W)
    ) dut (
        .clk(clk), .rst_n(rst_n),
        .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );

    stream_harness #(
        .IN_W(POSITIONS*C*XW), .IN1_W(1), .OUT_W(POSITIONS*C*OUT_W), .NIN(NIN), .NIN1(NIN1), .NOUT(NOUT),
        .STEPS(STEPS), .LATENCY(LATENCY), .DEPTH(DEPTH_OUT), .TOTAL(TOTAL)
    ) harness (
        .clk(clk), .rst_n(rst_n), .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
        .s1_tdata(s1_tdata), .s1_tvalid(s1_tvalid), .s1_tready(s1_tready),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );
endmodule
