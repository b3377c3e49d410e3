// pair_streams_tb.sv: nashc_pair_streams against vectors, with random stalls, checked to the cycle.
`timescale 1ns / 1ns
module pair_streams_tb #(
    parameter W = 8,
    parameter W1 = 5,
    parameter NIN = 1,
    parameter NIN1 = 0,
    parameter NOUT = 1,
    parameter STEPS = 1,
    parameter LATENCY = 0,
    parameter DEPTH_OUT = 2,
    parameter TOTAL = 1
);
    wire clk, rst_n, s_tvalid, s_tready, s1_tvalid, s1_tready, m_tvalid, m_tready;
    wire [W-1:0] s_tdata;
    wire [W1-1:0] s1_tdata;
    wire [W+W1-1:0] m_tdata;

    nashc_pair_streams #(
        .W(W),
        .W1(W1)
    ) dut (
        .clk(clk), .rst_n(rst_n),
        .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
        .s1_tdata(s1_tdata), .s1_tvalid(s1_tvalid), .s1_tready(s1_tready),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );

    stream_harness #(
        .IN_W(W), .IN1_W(W1), .OUT_W(W+W1), .NIN(NIN), .NIN1(NIN1), .NOUT(NOUT),
        .STEPS(STEPS), .LATENCY(LATENCY), .DEPTH(DEPTH_OUT), .TOTAL(TOTAL)
    ) harness (
        .clk(clk), .rst_n(rst_n), .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
        .s1_tdata(s1_tdata), .s1_tvalid(s1_tvalid), .s1_tready(s1_tready),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );
endmodule
