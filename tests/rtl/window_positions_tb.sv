// window_positions_tb.sv: nashc_window_positions against vectors, with random stalls, checked to the cycle.
`timescale 1ns / 1ns
module window_positions_tb #(
    parameter W = 8,
    parameter POSITIONS = 2,
    parameter NEWEST = 0,
    parameter COUNT0 = 1,
    parameter COUNT1 = 1,
    parameter COUNT2 = 1,
    parameter COUNT3 = 1,
    parameter MOVE0 = 1,
    parameter MOVE1 = 1,
    parameter MOVE2 = 1,
    parameter MOVE3 = 1,
    parameter MOVE8 = 1,
    parameter TAPS0 = 1,
    parameter TAPS1 = 1,
    parameter TAPS2 = 1,
    parameter TAPS3 = 1,
    parameter GAP0 = 1,
    parameter GAP1 = 1,
    parameter GAP2 = 1,
    parameter GAP3 = 1,
    parameter WINDOWS = 2,
    parameter SPAN = 1,
    parameter COLUMNS = 1,
    parameter BEGIN = 0,
    parameter STEP = 1,
    parameter APART = 1,
    parameter NIN = 1,
    parameter NIN1 = 0,
    parameter NOUT = 1,
    parameter STEPS = 1,
    parameter LATENCY = 0,
    parameter DEPTH_OUT = 2,
    parameter LINE = 1,
    parameter TOTAL = 1
);
    localparam OUT = WINDOWS * (TAPS0 * TAPS1 * TAPS2 * TAPS3 / SPAN) * COLUMNS * W;
    wire clk, rst_n, s_tvalid, s_tready, s1_tvalid, s1_tready, m_tvalid, m_tready;
    wire [POSITIONS*W-1:0] s_tdata;
    wire [0:0] s1_tdata;
    wire [OUT-1:0] m_tdata;

    nashc_window_positions #(
        .W(W),
        .POSITIONS(POSITIONS),
        .NEWEST(NEWEST),
        .COUNT0(COUNT0),
        .COUNT1(COUNT1),
        .COUNT2(COUNT2),
        .COUNT3(COUNT3),
        .MOVE0(MOVE0),
        .MOVE1(MOVE1),
        .MOVE2(MOVE2),
        .MOVE3(MOVE3),
        .MOVE8(MOVE8),
        .TAPS0(TAPS0),
        .TAPS1(TAPS1),
        .TAPS2(TAPS2),
        .TAPS3(TAPS3),
        .GAP0(GAP0),
        .GAP1(GAP1),
        .GAP2(GAP2),
        .GAP3(GAP3),
        .WINDOWS(WINDOWS),
        .SPAN(SPAN),
        .COLUMNS(COLUMNS),
        .BEGIN(BEGIN),
        .STEP(STEP),
        .APART(APART)
    ) dut (
        .clk(clk), .rst_n(rst_n),
        .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );

    stream_harness #(
        .IN_W(POSITIONS*W), .IN1_W(1), .OUT_W(OUT), .NIN(NIN), .NIN1(NIN1), .NOUT(NOUT),
        .STEPS(STEPS), .LATENCY(LATENCY), .DEPTH(DEPTH_OUT), .LINE(LINE), .TOTAL(TOTAL)
    ) harness (
        .clk(clk), .rst_n(rst_n), .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
        .s1_tdata(s1_tdata), .s1_tvalid(s1_tvalid), .s1_tready(s1_tready),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );
endmodule
