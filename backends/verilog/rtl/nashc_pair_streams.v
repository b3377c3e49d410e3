// nashc_pair_streams.v: pairs the beats of two streams, m = {s1, s}; a sync join: s_tready waits
// for s1_tvalid and the other way round. Throughput 1 beat/cycle, LATENCY 0, 2*(W+W1)+2 flip-flops.
// W, W1 >= 1.
`default_nettype none
module nashc_pair_streams #(
    parameter W  = 8,                   // bits per beat of s
    parameter W1 = 8                    // bits per beat of s1
) (
    input  wire            clk,
    input  wire            rst_n,
    input  wire [W-1:0]    s_tdata,
    input  wire            s_tvalid,
    output wire            s_tready,
    input  wire [W1-1:0]   s1_tdata,
    input  wire            s1_tvalid,
    output wire            s1_tready,
    output wire [W+W1-1:0] m_tdata,
    output wire            m_tvalid,
    input  wire            m_tready
);
    wire en;
    wire fire = en && s_tvalid && s1_tvalid;
    assign s_tready  = en && s1_tvalid;
    assign s1_tready = en && s_tvalid;

    nashc_pipe #(.W(W + W1), .LATENCY(0)) u_pipe (
        .clk(clk), .rst_n(rst_n), .fire(fire), .writes(1'b1), .en(en),
        .data({s1_tdata, s_tdata}),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );
endmodule
`default_nettype wire
