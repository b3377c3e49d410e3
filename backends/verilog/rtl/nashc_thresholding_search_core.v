// nashc_thresholding_search_core.v: thresholds by binary search, PE lanes, N = clog2(K+1) stages,
// the data path only.
// The fold enters in one enabled cycle, x in the next; y leaves N stages after x, DEEP: one more
// for each of the stages 1, 2, .. whose memory has more than 16 words. PE*N comparators and PE*N
// memories of FOLDS << stage words of TW bits with registered read; up to 16 words are part of the
// comparison, as their address is no more than what a LUT takes beside two bits of x. Rows ascend;
// nodes at or above K never fire. Files {T_FILE}_<lane>_<stage>.dat (docs/timing.md).
`default_nettype none
module nashc_thresholding_search_core #(
    parameter FOLDS       = 1,          // folds: channels / PE
    parameter PE          = 1,          // lanes, at most 10000
    parameter XW          = 8,          // bits per input
    parameter X_SIGNED    = 1,
    parameter TW          = 8,          // bits per threshold
    parameter T_SIGNED    = 1,
    parameter K           = 3,          // thresholds per channel
    parameter OUT_W       = 2,          // bits per output
    parameter ACTVAL      = 0,          // added to the count
    parameter HAS_DIR     = 0,          // 1: DIR_FILE tells the channels that count x < T
    parameter T_SHARED    = 0,          // 1: one row for all channels
    parameter DEEP        = 0,          // 1: a register stage between comparison and next read
    parameter T_FILE      = "thresh",
    parameter DIR_FILE    = "dir.dat",
    parameter T_RAM_STYLE = "auto",
    parameter FW          = (FOLDS <= 1) ? 1 : $clog2(FOLDS)
) (
    input  wire                clk,
    input  wire                en,
    input  wire [FW-1:0]       fold,
    input  wire [PE*XW-1:0]    x,
    output wire [PE*OUT_W-1:0] y
);
    localparam N    = $clog2(K + 1);
    localparam LF   = (T_SHARED != 0) ? 1 : FOLDS;  // folds in the memories
    localparam FEW  = 16;               // words that are no memory

    // The cycle in which stage k compares, after x came in.
    function integer compares(input integer k);
        integer i;
        begin
            compares = 0;
            for (i = 1; i <= k; i = i + 1)
                compares = compares + (((LF << i) <= FEW) ? 1 : 1 + DEEP);
        end
    endfunction
    localparam TAPS = compares(N - 1) + 1;
    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    localparam [OUT_W-1:0] BASE = ACTVAL;
    localparam [N-1:0]     FULL = K;
    /* verilator lint_on WIDTH */

    // A stage that compares with tap k of x reads with tap k of the fold, which came a cycle
    // before, or, of few words, chooses with tap k + 1. A shared row needs no fold.
    /* verilator lint_off UNUSEDSIGNAL */
    wire [(TAPS+1)*FW-1:0] fold_at;
    /* verilator lint_on UNUSEDSIGNAL */
    wire [TAPS*PE*XW-1:0] x_at;
    wire [PE-1:0]         flip;         // lane counts x < T
    wire [PE*OUT_W-1:0]   y_d;
    reg  [PE*OUT_W-1:0]   y_q;

    nashc_delay_line #(.W(FW), .TAPS(TAPS+1)) u_fold (.clk(clk), .en(en), .a(fold), .taps(fold_at));
    nashc_delay_line #(.W(PE*XW), .TAPS(TAPS)) u_x (.clk(clk), .en(en), .a(x), .taps(x_at));

    genvar p, k;
    generate
        for (k = 0; k < N; k = k + 1) begin : g_stage
            localparam TAP  = compares(k);
            localparam NEXT = compares(k + 1) - TAP;    // cycles to the next stage
            localparam D    = LF << k;                  // words per memory
            localparam FTAP = TAP + ((D <= FEW) ? 1 : 0);
            localparam AW   = (D <= 1) ? 1 : $clog2(D);
            localparam FA   = (LF <= 1) ? 0 : $clog2(LF);
            // The node of prefix i is threshold i*STEP + HALF; LIM is the last prefix below K.
            localparam STEP = 1 << (N - k);
            localparam HALF = (1 << (N - k - 1)) - 1;
            localparam LIM  = (K - 1 - HALF) / STEP;
            // decimal digits as characters
            /* verilator lint_off WIDTH */
            localparam [7:0] S0 = 48 + k % 10;
            localparam [7:0] S1 = 48 + k / 10;
            /* verilator lint_on WIDTH */
            localparam [15:0] S2 = {S1, S0};
            localparam SL   = (k < 10) ? 8 : 16;
            localparam [SL-1:0] STAGE = S2[SL-1:0];

            wire [PE*(k+1)-1:0] found;  // bits found, newest lowest, in the cycle that compares
            // The last stage has no next one.
            /* verilator lint_off UNUSEDSIGNAL */
            wire [PE*(k+1)-1:0] ready;  // the same in the cycle that reads the next stage
            wire [PE*(k+1)-1:0] known;  // the same in the cycle that compares the next stage
            /* verilator lint_on UNUSEDSIGNAL */

            if (k < N - 1) begin : g_more
                // The delay line also returns its input.
                /* verilator lint_off UNUSEDSIGNAL */
                wire [(1+NEXT)*PE*(k+1)-1:0] taps;
                /* verilator lint_on UNUSEDSIGNAL */
                nashc_delay_line #(.W(PE*(k+1)), .TAPS(1+NEXT)) u_found (
                    .clk(clk), .en(en), .a(found), .taps(taps)
                );
                assign ready = taps[(NEXT-1)*PE*(k+1) +: PE*(k+1)];
                assign known = taps[NEXT*PE*(k+1) +: PE*(k+1)];
            end else begin : g_last
                assign ready = found;
                assign known = found;
                wire unused = &{1'b0, ready, known};
            end

            for (p = 0; p < PE; p = p + 1) begin : g_lane
                // decimal digits as characters
                /* verilator lint_off WIDTH */
                localparam [7:0] P0 = (T_SHARED != 0) ? 48 : 48 + p % 10;
                localparam [7:0] P1 = 48 + (p / 10) % 10;
                localparam [7:0] P2 = 48 + (p / 100) % 10;
                localparam [7:0] P3 = 48 + p / 1000;
                /* verilator lint_on WIDTH */
                localparam [31:0] P4 = {P3, P2, P1, P0};
                localparam PL = (T_SHARED != 0 || p < 10) ? 8 : (p < 100) ? 16
                              : (p < 1000) ? 24 : 32;
                localparam [PL-1:0] LANE = P4[PL-1:0];
                wire [AW-1:0]      addr;
                wire [TW-1:0]      t;
                wire signed [XW:0] xe;
                wire signed [TW:0] te;
                wire               hit;

                if (k == 0) begin : g_addr_fold
                    assign addr = (FA == 0) ? {AW{1'b0}} : fold_at[FTAP*FW +: AW];
                end else begin : g_addr_found
                    wire [k-1:0] prefix = (D <= FEW) ? g_stage[k-1].known[p*k +: k]
                                                     : g_stage[k-1].ready[p*k +: k];
                    if (FA == 0) begin : g_shared
                        assign addr = prefix;
                    end else begin : g_both
                        assign addr = {fold_at[FTAP*FW +: FA], prefix};
                    end
                end
                if (D <= FEW) begin : g_few
                    wire [D*TW-1:0] words;
                    nashc_constants #(
                        .W(TW), .DEPTH(D), .FILE({T_FILE, "_", LANE, "_", STAGE, ".dat"})
                    ) u_words (.words(words));
                    nashc_choice #(.W(TW), .DEPTH(D)) u_choice (
                        .words(words), .at(addr), .word(t)
                    );
                end else begin : g_memory
                    nashc_rom #(
                        .W(TW), .DEPTH(D), .FILE({T_FILE, "_", LANE, "_", STAGE, ".dat"}),
                        .RAM_STYLE(T_RAM_STYLE)
                    ) u_rom (.clk(clk), .en(en), .addr(addr), .q(t));
                end

                assign xe = {(X_SIGNED != 0) && x_at[(TAP*PE+p)*XW + XW - 1],
                             x_at[(TAP*PE+p)*XW +: XW]};
                assign te = {(T_SIGNED != 0) && t[TW-1], t};
                // The comparison widens its narrower operand by Verilog's own rules.
                /* verilator lint_off WIDTH */
                if (LIM < (1 << k) - 1) begin : g_partial
                    assign hit = xe >= te && g_stage[k-1].known[p*k +: k] <= LIM;
                end else begin : g_whole
                    assign hit = xe >= te;
                end
                /* verilator lint_on WIDTH */
                if (k == 0) begin : g_found_first
                    assign found[p] = hit;
                end else begin : g_found
                    assign found[p*(k+1) +: k+1] = {g_stage[k-1].known[p*k +: k], hit};
                end
            end
        end

        if (HAS_DIR != 0) begin : g_dir
            nashc_rom #(.W(PE), .DEPTH(FOLDS), .FILE(DIR_FILE), .RAM_STYLE("auto")) u_dir (
                .clk(clk), .en(en), .addr(fold_at[(TAPS-1)*FW +: FW]), .q(flip)
            );
        end else begin : g_no_dir
            assign flip = {PE{1'b0}};
        end

        for (p = 0; p < PE; p = p + 1) begin : g_out
            wire [N-1:0] up  = g_stage[N-1].found[p*N +: N];
            wire [N-1:0] cnt = flip[p] ? FULL - up : up;
            // The count widens to, or is taken modulo, the output's width.
            /* verilator lint_off WIDTH */
            assign y_d[p*OUT_W +: OUT_W] = BASE + cnt;
            /* verilator lint_on WIDTH */
        end
    endgenerate

    always @(posedge clk) if (en) y_q <= y_d;
    assign y = y_q;
endmodule
`default_nettype wire
