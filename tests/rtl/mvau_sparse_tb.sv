// mvau_sparse_tb.sv: nashc_mvau_sparse against vectors, with random stalls, checked to the cycle.
`timescale 1ns / 1ns
module mvau_sparse_tb #(
    parameter MW = 8,
    parameter MH = 4,
    parameter GROUPS = 1,
    parameter PE = 2,
    parameter SIMD = 2,
    parameter ROUND = 8,
    parameter MODE = 2,
    parameter XW = 4,
    parameter X_SIGNED = 0,
    parameter WW = 4,
    parameter W_SIGNED = 1,
    parameter ACC_W = 12,
    parameter ACC_SIGNED = 1,
    parameter DOT = 0,
    parameter MUL_STYLE = 0,
    parameter LANES = 1,
    parameter PIPE = 0,
    parameter ACT = 0,
    parameter K = 1,
    parameter TW = 12,
    parameter T_SIGNED = 1,
    parameter OUT_W = 12,
    parameter ACTVAL = 0,
    parameter HAS_DIR = 0,
    parameter T_SHARED = 0,
    parameter DEEP = 0,
    parameter NIN = 1,
    parameter NIN1 = 0,
    parameter NOUT = 1,
    parameter STEPS = 1,
    parameter LATENCY = 0,
    parameter DEPTH_OUT = 2,
    parameter TOTAL = 1
);
    wire clk, rst_n, s_tvalid, s_tready, s1_tvalid, m_tvalid, m_tready;
    wire [0:0] s1_tdata;
    wire [SIMD*XW-1:0] s_tdata;
    wire [PE*OUT_W-1:0] m_tdata;

    nashc_mvau_sparse #(
        .MW(MW),
        .MH(MH),
        .GROUPS(GROUPS),
        .PE(PE),
        .SIMD(SIMD),
        .ROUND(ROUND),
        .MODE(MODE),
        .XW(XW),
        .X_SIGNED(X_SIGNED),
        .WW(WW),
        .W_SIGNED(W_SIGNED),
        .ACC_W(ACC_W),
        .ACC_SIGNED(ACC_SIGNED),
        .DOT(DOT),
        .MUL_STYLE(MUL_STYLE),
        .LANES(LANES),
        .PIPE(PIPE),
        .ACT(ACT),
        .K(K),
        .TW(TW),
        .T_SIGNED(T_SIGNED),
        .OUT_W(OUT_W),
        .ACTVAL(ACTVAL),
        .HAS_DIR(HAS_DIR),
        .T_SHARED(T_SHARED),
        .DEEP(DEEP)
    ) dut (
        .clk(clk), .rst_n(rst_n),
        .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );

    stream_harness #(
        .IN_W(SIMD*XW), .IN1_W(1), .OUT_W(PE*OUT_W), .NIN(NIN), .NIN1(NIN1), .NOUT(NOUT),
        .STEPS(STEPS), .LATENCY(LATENCY), .DEPTH(DEPTH_OUT), .TOTAL(TOTAL)
    ) harness (
        .clk(clk), .rst_n(rst_n), .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
        .s1_tdata(s1_tdata), .s1_tvalid(s1_tvalid), .s1_tready(1'b0),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );
endmodule
