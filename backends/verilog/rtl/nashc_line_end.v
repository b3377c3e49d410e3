// nashc_line_end.v: the control of a line of registers that is itself the output of a layer: words
// move into it one by one, and a word that completes a result stays until the result has left.
// Throughput 1 word/cycle. One word waits outside the line, so no ready depends on m_tready; the
// cycle model is that of a line (docs/timing.md). W + 2 flip-flops. W >= 1.
`default_nettype none
module nashc_line_end #(
    parameter W = 8                     // bits per word
) (
    input  wire         clk,
    input  wire         rst_n,
    input  wire [W-1:0] s_tdata,
    input  wire         s_tvalid,
    output wire         s_tready,
    output wire         move,           // `word` enters the line in this cycle
    output wire [W-1:0] word,
    input  wire         due,            // the next word that does completes a result
    output wire         m_tvalid,
    input  wire         m_tready
);
    reg [W-1:0] spare_q;                // catches the word that arrives as m stalls
    reg         spare_full_q, done_q;   // done_q: the line holds a result

    wire here  = spare_full_q || s_tvalid;
    wire drain = m_tready || !done_q;
    assign s_tready = !spare_full_q;    // a register: no path from m_tready
    assign m_tvalid = done_q;
    assign word     = spare_full_q ? spare_q : s_tdata;
    assign move     = here && drain;

    always @(posedge clk) if (s_tready) spare_q <= s_tdata;
    always @(posedge clk) begin
        if (!rst_n) begin
            spare_full_q <= 1'b0;
            done_q       <= 1'b0;
        end else begin
            spare_full_q <= here && !drain;
            if (drain) done_q <= move && due;
        end
    end

`ifdef FORMAL
    reg past_q = 1'b0;
    reg [7:0] n_in_q = 8'd0, n_out_q = 8'd0;
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);       // reset in the first cycle only
        if (rst_n) begin
            n_in_q  <= n_in_q + {7'd0, s_tvalid && s_tready};
            n_out_q <= n_out_q + {7'd0, move};
            // words are neither lost nor made
            assert (n_in_q - n_out_q == {7'd0, spare_full_q});
            assert (done_q || !spare_full_q);
        end
        if (past_q && $past(rst_n) && rst_n && $past(m_tvalid && !m_tready)) begin
            assert (m_tvalid);          // once raised, valid holds,
            assert (!$past(move));      // and so does the line
        end
        if (past_q && $past(rst_n) && rst_n && $past(s_tvalid && s_tready && !move))
            assert (word == $past(s_tdata));
    end
`endif
endmodule
`default_nettype wire
