// nashc_delay_memory.v: q is what d was DEPTH + 1 moves ago.
// One word a move. W*(DEPTH+1) flip-flops up to DEPTH 1; from there on W, W*DEPTH memory bits with
// registered read of what is overwritten, and clog2(DEPTH) flip-flops for its address. W >= 1.
`default_nettype none
module nashc_delay_memory #(
    parameter W         = 8,            // bits per word
    parameter DEPTH     = 3,
    // only an attribute uses it
    /* verilator lint_off UNUSEDPARAM */
    parameter RAM_STYLE = "auto"
    /* verilator lint_on UNUSEDPARAM */
) (
    input  wire         clk,
    input  wire         rst_n,
    input  wire         move,
    input  wire [W-1:0] d,
    output wire [W-1:0] q
);
    generate
        if (DEPTH < 2) begin : g_registers
            reg  [(DEPTH+1)*W-1:0] words_q;
            wire [(DEPTH+2)*W-1:0] words_d = {words_q, d};
            always @(posedge clk) if (move) words_q <= words_d[(DEPTH+1)*W-1:0];
            assign q = words_q[DEPTH*W +: W];
            wire unused = &{1'b0, rst_n, words_d[(DEPTH+1)*W +: W]};
        end else begin : g_memory
            localparam AW = $clog2(DEPTH);
            // constants are cut to the width of what they meet
            /* verilator lint_off WIDTH */
            localparam [AW-1:0] LAST = DEPTH - 1;
            /* verilator lint_on WIDTH */
            (* ram_style = RAM_STYLE *)
            reg [W-1:0]  mem [0:DEPTH-1];
            reg [W-1:0]  q_q;
            reg [AW-1:0] at_q;
            assign q = q_q;
            always @(posedge clk) if (move) begin
                q_q       <= mem[at_q];
                mem[at_q] <= d;
            end
            always @(posedge clk) begin
                if (!rst_n) at_q <= {AW{1'b0}};
                else if (move) at_q <= (at_q == LAST) ? {AW{1'b0}} : at_q + 1'b1;
            end
        end
    endgenerate

`ifdef FORMAL
    // All words that are still to come, the last one first.
    reg  [(DEPTH+1)*W-1:0] past_words_q = {(DEPTH+1)*W{1'b0}};
    wire [(DEPTH+2)*W-1:0] past_words_d = {past_words_q, d};
    reg  past_q = 1'b0;
    integer i;
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);
        assume (rst_n || !move);
        if (move) past_words_q <= past_words_d[(DEPTH+1)*W-1:0];
        if (rst_n) assert (q == past_words_q[DEPTH*W +: W]);
    end
    generate
        if (DEPTH < 2) begin : g_formal_registers
            always @(posedge clk) if (rst_n) assert (g_registers.words_q == past_words_q);
        end else begin : g_formal
            always @(posedge clk) if (rst_n) begin
                assert (g_memory.at_q <= g_memory.LAST);
                for (i = 0; i < DEPTH; i = i + 1)
                    assert (g_memory.mem[(g_memory.at_q + DEPTH - 1 - i) % DEPTH]
                            == past_words_q[i*W +: W]);
            end
        end
    endgenerate
`endif
endmodule
`default_nettype wire
