// nashc_adder_steps.v: steps of a matrix unit with constant weights: the part in front of its sums.
// NF*SF steps a vector, frames without a gap: x is read while nf == 0 and replayed after that.
// A step fires in one enabled cycle; x and word are registers that hold its beat and its number,
// 0 .. GROUPS*NF*SF-1, in the next.
// W flip-flops, and if NF > 1 and SF > 1 a memory of SF*W bits. All parameters >= 1.
`default_nettype none
module nashc_adder_steps #(
    parameter W      = 16,              // bits per beat of x
    parameter SF     = 2,               // beats of a vector
    parameter NF     = 2,               // rounds of it
    parameter GROUPS = 1,               // vectors belong to groups in turn
    parameter WORD_W = (GROUPS * NF * SF <= 1) ? 1 : $clog2(GROUPS * NF * SF)  // derived
) (
    input  wire              clk,
    input  wire              rst_n,
    input  wire [W-1:0]      s_tdata,
    input  wire              s_tvalid,
    output wire              s_tready,
    input  wire              en,        // stages may advance
    output wire              fire,      // a step happens in this cycle
    output wire              first,     // it is the first of its result
    output wire              writes,    // it is the last
    output wire [W-1:0]      x,
    output reg  [WORD_W-1:0] word
);
    localparam WORDS = GROUPS * NF * SF;
    localparam SFW = (SF <= 1) ? 1 : $clog2(SF);
    localparam NFW = (NF <= 1) ? 1 : $clog2(NF);
    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    localparam [SFW-1:0]    SF_LAST = SF - 1;
    localparam [NFW-1:0]    NF_LAST = NF - 1;
    localparam [WORD_W-1:0] LAST    = WORDS - 1;
    /* verilator lint_on WIDTH */

    reg  [SFW-1:0]    sf_q;
    reg  [NFW-1:0]    nf_q;
    reg  [WORD_W-1:0] word_q;           // of the step that fires next
    wire              reads = nf_q == {NFW{1'b0}};
    assign first    = sf_q == {SFW{1'b0}};
    assign writes   = sf_q == SF_LAST;
    assign fire     = en && (!reads || s_tvalid);
    assign s_tready = en && reads;

    always @(posedge clk) begin
        if (!rst_n) begin
            sf_q   <= {SFW{1'b0}};
            nf_q   <= {NFW{1'b0}};
            word_q <= {WORD_W{1'b0}};
        end else if (fire) begin
            sf_q   <= writes ? {SFW{1'b0}} : sf_q + 1'b1;
            word_q <= (word_q == LAST) ? {WORD_W{1'b0}} : word_q + 1'b1;
            if (writes) nf_q <= (nf_q == NF_LAST) ? {NFW{1'b0}} : nf_q + 1'b1;
        end
    end
    always @(posedge clk) if (en) word <= word_q;

    reg [W-1:0] x_q;
    assign x = x_q;
    generate
        if (NF == 1 || SF == 1) begin : g_hold          // one beat: the register itself replays
            always @(posedge clk) if (fire && reads) x_q <= s_tdata;
        end else begin : g_replay
            reg [W-1:0] mem [0:SF-1];
            always @(posedge clk) begin
                if (fire && reads) mem[sf_q] <= s_tdata;
                if (en) x_q <= reads ? s_tdata : mem[sf_q];
            end
        end
    endgenerate

`ifdef FORMAL
    reg past_q = 1'b0;
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);
        if (rst_n) begin
            assert (sf_q <= SF_LAST && nf_q <= NF_LAST && word_q <= LAST);
            assert (word_q % (NF * SF) == nf_q * SF + sf_q);
            if (past_q && $past(rst_n && fire)) assert (word == $past(word_q));
            assert (!(s_tvalid && s_tready) || fire);   // no beat without a step
        end
    end
`endif
endmodule
`default_nettype wire
