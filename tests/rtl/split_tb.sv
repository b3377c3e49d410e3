// split_tb.sv: nashc_split with independent random stalls on each output, checked to the cycle.
`timescale 1ns / 1ns
module split_tb #(
    parameter PE = 1,
    parameter NA = 2,
    parameter NB = 3,
    parameter XW = 4,
    parameter STEPS = 1,
    parameter BEATS = 500
);
    wire clk, rst_n, s_tvalid, s_tready;
    wire [PE*XW-1:0] s_tdata;
    wire [2*PE*XW-1:0] m_tdata;
    wire [1:0] m_tvalid, m_tready;

    nashc_split #(.PE(PE), .NA(NA), .NB(NB), .XW(XW)) dut (
        .clk(clk), .rst_n(rst_n), .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );

    outs_harness #(.W(PE*XW), .N(2), .STEPS(STEPS), .BEATS(BEATS)) harness (
        .clk(clk), .rst_n(rst_n), .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );
endmodule
