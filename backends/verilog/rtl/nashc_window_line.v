// nashc_window_line.v: words pass through a line, in which TAPS of them can be seen at once:
// parallel sliding windows, and frames that are only cut out and strided (TAPS 1).
// One word a step; a frame's words are its steps, each reads, and writes when the window is
// complete: a line (docs/timing.md), whose registers are the output.
// NEWEST: the word of a frame, counted from 0, with which its first window is complete. COUNTk:
// windows of loop k, 0 the innermost; MOVEk: words from one window to the next when loop k goes on;
// MOVE8: when the next frame starts, all at least 1. TAPS0*TAPS1*.. words are seen, tap 0 the
// oldest; GAPk: words from one to the next along loop k of taps, 0 the innermost, at least 1 more
// than the loops inside it span. TAPS0*..*W flip-flops, the other words of the line in a memory for
// each loop of taps, and W flip-flops for a word that waits before the line.
`default_nettype none
module nashc_window_line #(
    parameter W         = 8,            // bits per word
    parameter NEWEST    = 0,
    parameter COUNT0    = 1, parameter COUNT1 = 1, parameter COUNT2 = 1, parameter COUNT3 = 1,
    parameter MOVE0     = 1, parameter MOVE1  = 1, parameter MOVE2  = 1, parameter MOVE3  = 1,
    parameter MOVE8     = 1,
    parameter TAPS0     = 1, parameter TAPS1  = 1, parameter TAPS2  = 1, parameter TAPS3  = 1,
    parameter GAP0      = 1, parameter GAP1   = 1, parameter GAP2   = 1, parameter GAP3   = 1,
    parameter RAM_STYLE = "auto",
    parameter TAPS      = TAPS0 * TAPS1 * TAPS2 * TAPS3         // derived, not to be set
) (
    input  wire              clk,
    input  wire              rst_n,
    input  wire [W-1:0]      s_tdata,
    input  wire              s_tvalid,
    output wire              s_tready,
    output wire [TAPS*W-1:0] m_tdata,   // tap k at [k*W +: W]
    output wire              m_tvalid,
    input  wire              m_tready
);
    function integer larger(input integer a, input integer b);
        larger = (a > b) ? a : b;
    endfunction
    localparam MOST = larger(larger(larger(NEWEST + 1, MOVE0), larger(MOVE1, MOVE2)),
                             larger(MOVE3, MOVE8));
    localparam CW   = (MOST <= 1) ? 1 : $clog2(MOST);   // bits of a count of words to come

`ifndef SYNTHESIS
    initial if (W < 1 || NEWEST < 0 || MOVE0 < 1 || MOVE1 < 1 || MOVE2 < 1 || MOVE3 < 1
                || MOVE8 < 1) begin
        $display("nashc_window_line: illegal parameters W=%0d NEWEST=%0d", W, NEWEST);
        $finish;
    end
`endif

    // --- steps: words that do not complete a window, then one that does --------------------------
    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    /* verilator lint_off UNUSEDSIGNAL */               // of the upper bits
    function [CW-1:0] cut(input integer v);
        cut = v;
    endfunction
    /* verilator lint_on UNUSEDSIGNAL */
    /* verilator lint_on WIDTH */
    localparam [5*CW-1:0] WAITS = {cut(MOVE8 - 1), cut(MOVE3 - 1), cut(MOVE2 - 1), cut(MOVE1 - 1),
                                   cut(MOVE0 - 1)};
    wire          move;                 // a word enters the line
    wire [W-1:0]  word;
    reg  [CW-1:0] wait_q;               // words before the one that completes the next window
    wire          due = wait_q == {CW{1'b0}};
    wire [3:0]    which;
    wire [2:0]    loop = which[3] ? 3'd4 : which[2:0];

    nashc_line_end #(.W(W)) u_end (
        .clk(clk), .rst_n(rst_n), .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
        .move(move), .word(word), .due(due), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );
    nashc_loops #(
        .COUNT0(COUNT0), .COUNT1(COUNT1), .COUNT2(COUNT2), .COUNT3(COUNT3)
    ) u_loops (.clk(clk), .rst_n(rst_n), .step(move && due), .which(which));
    wire [CW-1:0] wait_d;
    nashc_choice #(.W(CW), .DEPTH(5)) u_wait (.words(WAITS), .at(loop), .word(wait_d));
    always @(posedge clk) begin
        if (!rst_n) wait_q <= cut(NEWEST);
        else if (move) wait_q <= due ? wait_d : wait_q - 1'b1;
    end

    // --- the line --------------------------------------------------------------------------------
    // Tap k is tap k+1 some words later. Of the loops of taps one goes on from tap k to the next:
    // all places of the line where it is the same one share a memory.
    localparam B1 = TAPS0, B2 = TAPS0 * TAPS1, B3 = TAPS0 * TAPS1 * TAPS2;

    function integer level(input integer next);         // the loop that goes on to tap `next`
        level = (next % B1 != 0) ? 0 : (next % B2 != 0) ? 1 : (next % B3 != 0) ? 2 : 3;
    endfunction

    function integer place(input integer next);         // among those of that loop
        integer at, n;
        begin
            at = (level(next) == 0) ? next : (level(next) == 1) ? next / B1
               : (level(next) == 2) ? next / B2 : next / B3;
            n  = (level(next) == 0) ? TAPS0 : (level(next) == 1) ? TAPS1
               : (level(next) == 2) ? TAPS2 : TAPS3;
            place = at / n * (n - 1) + at % n - 1;
        end
    endfunction

    localparam N0 = (TAPS0 - 1) * TAPS1 * TAPS2 * TAPS3, N1 = (TAPS1 - 1) * TAPS2 * TAPS3;
    localparam N2 = (TAPS2 - 1) * TAPS3, N3 = TAPS3 - 1;
    localparam SPAN1 = (TAPS0 - 1) * GAP0, SPAN2 = SPAN1 + (TAPS1 - 1) * GAP1;
    localparam SPAN3 = SPAN2 + (TAPS2 - 1) * GAP2;

    wire [TAPS*W-1:0] line;             // tap k at [k*W +: W]
    reg  [W-1:0]      newest_q;
    assign m_tdata = line;
    always @(posedge clk) if (move) newest_q <= word;
    assign line[(TAPS-1)*W +: W] = newest_q;

    genvar j, k;
    generate
        for (j = 0; j < 4; j = j + 1) begin : g_level
            localparam N    = (j == 0) ? N0 : (j == 1) ? N1 : (j == 2) ? N2 : N3;
            localparam HELD = (j == 0) ? GAP0 - 1 : (j == 1) ? GAP1 - SPAN1 - 1
                            : (j == 2) ? GAP2 - SPAN2 - 1 : GAP3 - SPAN3 - 1;
            if (N > 0) begin : g_rows
                wire [N*W-1:0] d, q;
                nashc_delay_memory #(.W(N*W), .DEPTH(HELD), .RAM_STYLE(RAM_STYLE)) u_rows (
                    .clk(clk), .rst_n(rst_n), .move(move), .d(d), .q(q)
                );
                for (k = 1; k < TAPS; k = k + 1) begin : g_tap
                    if (level(k) == j) begin : g_here
                        localparam AT = place(k);
                        assign d[AT*W +: W]        = line[k*W +: W];
                        assign line[(k-1)*W +: W] = q[AT*W +: W];
                    end
                end
            end
        end
    endgenerate

`ifdef FORMAL
    // The word that completes the next window is that of all moves so far.
    reg past_q = 1'b0;
    reg [7:0] seen_q = 8'd0, next_q = NEWEST;
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);
        if (rst_n && move) seen_q <= seen_q + 8'd1;
        if (rst_n && move && due) next_q <= next_q + {{(8-CW){1'b0}}, wait_d} + 8'd1;
        if (rst_n) assert (seen_q + {{(8-CW){1'b0}}, wait_q} == next_q);
        if (past_q && $past(rst_n) && rst_n && $past(m_tvalid && !m_tready)) begin
            assert (m_tvalid);
            assert (m_tdata == $past(m_tdata));
        end
    end
`endif
endmodule
`default_nettype wire
