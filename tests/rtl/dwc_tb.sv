// dwc_tb.sv: nashc_dwc against vectors, with random stalls, checked to the cycle.
`timescale 1ns / 1ns
module dwc_tb #(
    parameter S_W = 8,
    parameter M_W = 32,
    parameter NIN = 1,
    parameter NIN1 = 0,
    parameter NOUT = 1,
    parameter STEPS = 1,
    parameter LATENCY = 0,
    parameter DEPTH_OUT = 2,
    parameter LINE = 0,
    parameter TOTAL = 1
);
    wire clk, rst_n, s_tvalid, s_tready, s1_tvalid, s1_tready, m_tvalid, m_tready;
    wire [S_W-1:0] s_tdata;
    wire [0:0] s1_tdata;
    wire [M_W-1:0] m_tdata;

    nashc_dwc #(
        .S_W(S_W),
        .M_W(M_W)
    ) dut (
        .clk(clk), .rst_n(rst_n),
        .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );

    stream_harness #(
        .IN_W(S_W), .IN1_W(1), .OUT_W(M_W), .NIN(NIN), .NIN1(NIN1), .NOUT(NOUT),
        .STEPS(STEPS), .LATENCY(LATENCY), .DEPTH(DEPTH_OUT), .LINE(LINE), .TOTAL(TOTAL)
    ) harness (
        .clk(clk), .rst_n(rst_n), .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
        .s1_tdata(s1_tdata), .s1_tvalid(s1_tvalid), .s1_tready(s1_tready),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );
endmodule
