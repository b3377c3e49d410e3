// nashc_duplicate_streams.v: copies each beat to OUTPUTS outputs, each behind its own skid.
// Throughput 1 beat/cycle, LATENCY 0; a step needs room in every skid, and each skid holds two
// beats, so a free output runs up to two beats ahead of a blocked one. 2*OUTPUTS*(W+1) flip-flops.
// OUTPUTS >= 1, W >= 1.
`default_nettype none
module nashc_duplicate_streams #(
    parameter W       = 8,              // bits per beat
    parameter OUTPUTS = 2               // outputs
) (
    input  wire                 clk,
    input  wire                 rst_n,
    input  wire [W-1:0]         s_tdata,
    input  wire                 s_tvalid,
    output wire                 s_tready,
    output wire [OUTPUTS*W-1:0] m_tdata,
    output wire [OUTPUTS-1:0]   m_tvalid,
    input  wire [OUTPUTS-1:0]   m_tready
);
`ifndef SYNTHESIS
    initial if (W < 1 || OUTPUTS < 1) begin
        $display("nashc_duplicate_streams: illegal parameters W=%0d OUTPUTS=%0d", W, OUTPUTS);
        $finish;
    end
`endif

    wire [OUTPUTS-1:0] room;
    wire         fire = s_tvalid && s_tready;
    assign s_tready = &room;            // registers of the skids

    genvar k;
    generate
        for (k = 0; k < OUTPUTS; k = k + 1) begin : g_out
            nashc_skid #(.W(W)) u_skid (
                .clk(clk), .rst_n(rst_n),
                .s_tdata(s_tdata), .s_tvalid(fire), .s_tready(room[k]),
                .m_tdata(m_tdata[k*W +: W]), .m_tvalid(m_tvalid[k]), .m_tready(m_tready[k])
            );
        end
    endgenerate

`ifdef FORMAL
    reg past_q = 1'b0;
    reg [7:0] n_in_q = 8'd0, n0_q = 8'd0, nl_q = 8'd0;
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);
        if (rst_n) begin
            n_in_q <= n_in_q + {7'd0, fire};
            n0_q   <= n0_q + {7'd0, m_tvalid[0] && m_tready[0]};
            nl_q   <= nl_q + {7'd0, m_tvalid[OUTPUTS-1] && m_tready[OUTPUTS-1]};
            // each output sees every beat once; none is more than two behind the input
            assert (n_in_q - n0_q == {7'd0, m_tvalid[0]} + {7'd0, !room[0]});
            assert (n_in_q - nl_q == {7'd0, m_tvalid[OUTPUTS-1]} + {7'd0, !room[OUTPUTS-1]});
            assert (m_tvalid[0] || room[0]);
            assert (m_tvalid[OUTPUTS-1] || room[OUTPUTS-1]);
        end
        if (past_q && $past(rst_n) && rst_n) begin
            if ($past(m_tvalid[0] && !m_tready[0])) begin
                assert (m_tvalid[0]);
                assert (m_tdata[W-1:0] == $past(m_tdata[W-1:0]));
            end
            if ($past(m_tvalid[OUTPUTS-1] && !m_tready[OUTPUTS-1])) begin
                assert (m_tvalid[OUTPUTS-1]);
                assert (m_tdata[OUTPUTS*W-1 -: W] == $past(m_tdata[OUTPUTS*W-1 -: W]));
            end
        end
    end
`endif
endmodule
`default_nettype wire
