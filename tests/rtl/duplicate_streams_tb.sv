// duplicate_streams_tb.sv: nashc_duplicate_streams with independent random stalls on each output, checked to the cycle.
`timescale 1ns / 1ns
module duplicate_streams_tb #(
    parameter W = 8,
    parameter OUTPUTS = 3,
    parameter STEPS = 1,
    parameter BEATS = 500
);
    wire clk, rst_n, s_tvalid, s_tready;
    wire [W-1:0] s_tdata;
    wire [OUTPUTS*W-1:0] m_tdata;
    wire [OUTPUTS-1:0] m_tvalid, m_tready;

    nashc_duplicate_streams #(.W(W), .OUTPUTS(OUTPUTS)) dut (
        .clk(clk), .rst_n(rst_n), .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );

    outs_harness #(.W(W), .N(OUTPUTS), .STEPS(STEPS), .BEATS(BEATS)) harness (
        .clk(clk), .rst_n(rst_n), .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );
endmodule
