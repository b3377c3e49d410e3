// nashc_window_ring.v: frames of WORDS words through a ring of DEPTH words, given in the order of a
// nest of loops: sliding windows, repeated and transposed frames, word by word.
// Two machines that only share the ring: up to one word in and one out a cycle. A word that came
// in in cycle t can be read in cycle t + 1; LATENCY 1 between that and the output skid.
// COUNTk: iterations of loop k, 0 the innermost; those beyond the nest have 1. MOVEk, FREEk: change
// of the next address and of the oldest one still needed when loop k goes on and those inside start
// anew; MOVE8, FREE8: when the next frame starts. FIRST: both addresses at the start of a frame.
// W*DEPTH memory bits with registered read.
`default_nettype none
module nashc_window_ring #(
    parameter W      = 8,               // bits per word
    parameter WORDS  = 16,              // words a frame
    parameter DEPTH  = 8,               // words in the ring, at least 2
    parameter FIRST  = 0,
    parameter COUNT0 = 1, parameter COUNT1 = 1, parameter COUNT2 = 1, parameter COUNT3 = 1,
    parameter COUNT4 = 1, parameter COUNT5 = 1, parameter COUNT6 = 1, parameter COUNT7 = 1,
    parameter MOVE0  = 0, parameter MOVE1  = 0, parameter MOVE2  = 0, parameter MOVE3  = 0,
    parameter MOVE4  = 0, parameter MOVE5  = 0, parameter MOVE6  = 0, parameter MOVE7  = 0,
    parameter MOVE8  = 16,
    parameter FREE0  = 0, parameter FREE1  = 0, parameter FREE2  = 0, parameter FREE3  = 0,
    parameter FREE4  = 0, parameter FREE5  = 0, parameter FREE6  = 0, parameter FREE7  = 0,
    parameter FREE8  = 16,
    // only an attribute uses it
    /* verilator lint_off UNUSEDPARAM */
    parameter RAM_STYLE = "auto"
    /* verilator lint_on UNUSEDPARAM */
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
    function integer larger(input integer a, input integer b);
        larger = (a > b) ? a : b;
    endfunction

    // The next address is never older than the oldest one needed, of which DEPTH words are here at
    // most; and it is at most a move, or the start of a frame, ahead of what came in.
    localparam MOST = larger(larger(larger(larger(FIRST + 1, MOVE0), larger(MOVE1, MOVE2)),
                                    larger(larger(MOVE3, MOVE4), larger(MOVE5, MOVE6))),
                             larger(MOVE7, MOVE8));
    localparam AW = $clog2(DEPTH);
    localparam CW = $clog2(DEPTH + MOST) + 1;               // bits of distances, with sign

`ifndef SYNTHESIS
    initial if (W < 1 || WORDS < 1 || DEPTH < 2) begin
        $display("nashc_window_ring: illegal parameters W=%0d WORDS=%0d DEPTH=%0d", W, WORDS,
                 DEPTH);
        $finish;
    end
`endif

    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    /* verilator lint_off UNUSEDSIGNAL */               // of the upper bits
    function [CW-1:0] cut(input integer v);
        cut = v;
    endfunction
    /* verilator lint_on UNUSEDSIGNAL */

    function [AW-1:0] turned(input integer v);          // places in the ring, 0 .. DEPTH-1
        turned = ((v % DEPTH) + DEPTH) % DEPTH;
    endfunction

    localparam [AW-1:0] LAST  = DEPTH - 1;
    localparam [AW:0]   SIZE  = DEPTH;
    localparam [CW-1:0] BEGIN_AHEAD = -FIRST - 1;
    localparam [CW-1:0] BEGIN_LEVEL = -FIRST - DEPTH;
    /* verilator lint_on WIDTH */
    localparam [AW-1:0]   START = turned(FIRST);
    localparam [9*CW-1:0] MOVES = {cut(-MOVE8), cut(-MOVE7), cut(-MOVE6), cut(-MOVE5),
                                   cut(-MOVE4), cut(-MOVE3), cut(-MOVE2), cut(-MOVE1),
                                   cut(-MOVE0)};
    localparam [9*CW-1:0] FREES = {cut(-FREE8), cut(-FREE7), cut(-FREE6), cut(-FREE5),
                                   cut(-FREE4), cut(-FREE3), cut(-FREE2), cut(-FREE1),
                                   cut(-FREE0)};
    localparam [9*AW-1:0] TURNS = {turned(MOVE8), turned(MOVE7), turned(MOVE6), turned(MOVE5),
                                   turned(MOVE4), turned(MOVE3), turned(MOVE2), turned(MOVE1),
                                   turned(MOVE0)};

    // --- the next word -------------------------------------------------------------------------
    wire en;
    // Words in since the next one, less 1, and since the oldest one, less DEPTH: signs tell.
    reg  [CW-1:0] ahead_q, level_q;
    wire fire = en && !ahead_q[CW-1];
    wire take = s_tvalid && s_tready;
    assign s_tready = level_q[CW-1];

    wire [3:0] which;                   // loop that goes on next, 8: the next frame starts
    nashc_loops #(
        .COUNT0(COUNT0), .COUNT1(COUNT1), .COUNT2(COUNT2), .COUNT3(COUNT3), .COUNT4(COUNT4),
        .COUNT5(COUNT5), .COUNT6(COUNT6), .COUNT7(COUNT7)
    ) u_loops (.clk(clk), .rst_n(rst_n), .step(fire), .which(which));
    wire [CW-1:0] moved, freed;
    wire [AW-1:0] turn;
    nashc_choice #(.W(CW), .DEPTH(9)) u_move (.words(MOVES), .at(which), .word(moved));
    nashc_choice #(.W(CW), .DEPTH(9)) u_free (.words(FREES), .at(which), .word(freed));
    nashc_choice #(.W(AW), .DEPTH(9)) u_turn (.words(TURNS), .at(which), .word(turn));
    wire [CW-1:0] move = fire ? moved : {CW{1'b0}};
    wire [CW-1:0] free = fire ? freed : {CW{1'b0}};
    // One chain of carries each: the word that came in is the carry into it.
    wire [CW:0] ahead_d = {ahead_q, 1'b1} + {move, take};
    wire [CW:0] level_d = {level_q, 1'b1} + {free, take};

    // --- the ring ------------------------------------------------------------------------------
    reg [AW-1:0] in_q, out_q;
    wire [AW:0]  next = {1'b0, out_q} + {1'b0, turn};
    wire [AW:0]  over = next - SIZE;

    always @(posedge clk) begin
        if (!rst_n) begin
            in_q    <= {AW{1'b0}};
            out_q   <= START;
            ahead_q <= BEGIN_AHEAD;
            level_q <= BEGIN_LEVEL;
        end else if (fire || take) begin
            if (take) in_q <= (in_q == LAST) ? {AW{1'b0}} : in_q + 1'b1;
            if (fire) out_q <= (next >= SIZE) ? over[AW-1:0] : next[AW-1:0];
            ahead_q <= ahead_d[CW:1];
            level_q <= level_d[CW:1];
        end
    end

    (* ram_style = RAM_STYLE *)
    reg [W-1:0] mem [0:DEPTH-1];
    reg [W-1:0] word_q;
    always @(posedge clk) begin
        if (take) mem[in_q] <= s_tdata;
        if (fire) word_q <= mem[out_q];
    end

    nashc_pipe #(.W(W), .LATENCY(1)) u_pipe (
        .clk(clk), .rst_n(rst_n), .fire(fire), .writes(1'b1), .en(en), .data(word_q),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );
    wire unused = &{1'b0, over[AW], ahead_d[0], level_d[0]};

`ifdef FORMAL
    reg past_q = 1'b0;
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);
        if (rst_n) begin
            assert (in_q <= LAST);
            assert (out_q <= LAST);
        end
        if (past_q && $past(rst_n) && rst_n && $past(m_tvalid && !m_tready)) begin
            assert (m_tvalid);
            assert (m_tdata == $past(m_tdata));
        end
    end
`endif
endmodule
`default_nettype wire
