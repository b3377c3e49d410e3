// fifo_tb.sv: nashc_fifo against vectors, with random stalls, checked to the cycle.
`timescale 1ns / 1ns
module fifo_tb #(
    parameter W = 8,
    parameter DEPTH = 4,
    parameter STYLE = 0,
    parameter MONITOR = 1,
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
    wire [0:0] s1_tdata;
    wire [W-1:0] m_tdata;
    wire [$clog2(DEPTH+1)-1:0] count, maxcount;
    integer peak = 0;

    always @(negedge clk) if (rst_n) begin
        if (count !== harness.occ) $fatal(1, "count is %0d, the model says %0d", count, harness.occ);
        if (harness.occ > peak) peak = harness.occ;
        if (maxcount !== peak) $fatal(1, "maxcount is %0d, the model says %0d", maxcount, peak);
    end

    nashc_fifo #(
        .W(W),
        .DEPTH(DEPTH),
        .STYLE(STYLE),
        .MONITOR(MONITOR)
    ) dut (
        .clk(clk), .rst_n(rst_n),
        .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready),
        .count(count), .maxcount(maxcount)
    );

    stream_harness #(
        .IN_W(W), .IN1_W(1), .OUT_W(W), .NIN(NIN), .NIN1(NIN1), .NOUT(NOUT),
        .STEPS(STEPS), .LATENCY(LATENCY), .DEPTH(DEPTH_OUT), .TOTAL(TOTAL)
    ) harness (
        .clk(clk), .rst_n(rst_n), .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
        .s1_tdata(s1_tdata), .s1_tvalid(s1_tvalid), .s1_tready(s1_tready),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );
endmodule
