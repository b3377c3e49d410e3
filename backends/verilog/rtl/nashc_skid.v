// nashc_skid.v: two-deep register slice that cuts both the valid and the ready path.
// Throughput 1 beat/cycle, latency 1 cycle, 2*W + 2 flip-flops. W >= 1.
`default_nettype none
module nashc_skid #(
    parameter W = 8                     // bits per beat
) (
    input  wire         clk,
    input  wire         rst_n,
    input  wire [W-1:0] s_tdata,
    input  wire         s_tvalid,
    output wire         s_tready,
    output wire [W-1:0] m_tdata,
    output wire         m_tvalid,
    input  wire         m_tready
);
    reg [W-1:0] out_q, spare_q;         // spare_q catches the beat that arrives as m stalls
    reg         out_full_q, spare_full_q;

    assign s_tready = !spare_full_q;    // a register: no path from m_tready
    assign m_tvalid = out_full_q;
    assign m_tdata  = out_q;

    wire take  = s_tvalid && s_tready;
    wire drain = m_tready || !out_full_q;

    always @(posedge clk) begin
        if (drain) out_q <= spare_full_q ? spare_q : s_tdata;
        if (s_tready) spare_q <= s_tdata;
    end

    always @(posedge clk) begin
        if (!rst_n) begin
            out_full_q   <= 1'b0;
            spare_full_q <= 1'b0;
        end else begin
            if (drain) out_full_q <= spare_full_q || take;
            spare_full_q <= !drain && (spare_full_q || take);
        end
    end

`ifdef FORMAL
    reg past_q = 1'b0;
    reg [7:0] n_in_q = 8'd0, n_out_q = 8'd0;
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);       // reset in the first cycle only
        if (rst_n) begin
            n_in_q  <= n_in_q + {7'd0, take};
            n_out_q <= n_out_q + {7'd0, m_tvalid && m_tready};
            // beats are neither lost nor made
            assert (n_in_q - n_out_q == {7'd0, out_full_q} + {7'd0, spare_full_q});
            assert (out_full_q || !spare_full_q);
        end
        if (past_q && $past(rst_n) && rst_n && $past(m_tvalid && !m_tready)) begin
            assert (m_tvalid);          // once raised, valid and data hold
            assert (m_tdata == $past(m_tdata));
        end
    end
`endif
endmodule
`default_nettype wire
