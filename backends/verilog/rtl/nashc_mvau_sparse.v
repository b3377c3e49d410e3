// nashc_mvau_sparse.v: nashc_mvau whose weight words that are all zero take no step. ROUND steps a
// vector, frames without a gap: x is read in the first SF of them (SF = MW/SIMD) and kept; S_FILE
// tells of each step which beat it meets and whether a result leaves after it. W_FILE has the words
// of the steps, 0 where a step only waits for a beat or makes a result of no words. Vectors belong
// to groups 0 .. GROUPS-1 in turn, each group has ROUND steps of its own.
// LATENCY = 4 + PIPE + TLAT, TLAT = 0 (ACT 0), 1 (ACT 1), N or DEEP: 2*N-1 (ACT 2),
// N = clog2(K+1). Stages: the step's line, operands, then those of nashc_mac.
// Memory: GROUPS*ROUND lines of PE*SIMD*WW and of clog2(SF)+1 bits, SF*SIMD*XW bits of a vector,
// thresholds as in nashc_thresholding_*. GROUPS*PE divides MH, SIMD divides MW; SF >= 2, ROUND >=
// SF. A step meets a beat that is there; the last step of a vector makes a result and does not meet
// beat 0, which the next vector may replace meanwhile.
`default_nettype none
module nashc_mvau_sparse #(
    parameter MW          = 8,          // columns
    parameter MH          = 4,          // rows of all groups
    parameter GROUPS      = 1,          // vectors belong to groups in turn
    parameter PE          = 2,          // rows per step
    parameter SIMD        = 4,          // columns per step
    parameter ROUND       = 3,          // steps per vector
    parameter MODE        = 2,          // 2 product, 3 bipolar x
    parameter XW          = 4,          // bits per input
    parameter X_SIGNED    = 0,
    parameter WW          = 4,          // bits per weight
    parameter W_SIGNED    = 1,
    parameter ACC_W       = 12,         // bits per accumulator
    parameter ACC_SIGNED  = 1,
    parameter DOT         = 0,          // 0: MODE 0 is none of its modes
    parameter MUL_STYLE   = 0,          // 0 multipliers, 1 bit planes
    parameter LANES       = 1,          // MODE 2 with MUL_STYLE 0: rows that share a multiplier
    parameter PIPE        = 0,          // 1: one more stage inside the sum
    parameter ACT         = 0,          // 0 none, 1 parallel thresholds, 2 binary search
    parameter K           = 1,          // thresholds per row
    parameter TW          = 12,         // bits per threshold
    parameter T_SIGNED    = 1,
    parameter OUT_W       = 12,         // bits per output
    parameter ACTVAL      = 0,          // added to the count
    parameter HAS_DIR     = 0,          // 1: DIR_FILE tells the rows that count acc < T
    parameter T_SHARED    = 0,          // 1: one row of thresholds for all
    parameter DEEP        = 0,          // ACT 2: one more stage per comparison
    parameter MEM_DIR     = ".",
    parameter W_FILE      = "memblock.dat",
    parameter S_FILE      = "steps.dat",
    parameter T_FILE      = "thresh",
    parameter DIR_FILE    = "dir.dat",
    parameter W_RAM_STYLE = "auto",
    parameter T_RAM_STYLE = "auto"
) (
    input  wire                clk,
    input  wire                rst_n,
    input  wire [SIMD*XW-1:0]  s_tdata,
    input  wire                s_tvalid,
    output wire                s_tready,
    output wire [PE*OUT_W-1:0] m_tdata,
    output wire                m_tvalid,
    input  wire                m_tready
);
    localparam SF    = MW / SIMD;
    localparam LINES = GROUPS * ROUND;
    localparam SFW   = (SF <= 1) ? 1 : $clog2(SF);
    localparam LW    = (LINES <= 1) ? 1 : $clog2(LINES);
    localparam RW    = (ROUND <= 1) ? 1 : $clog2(ROUND);
    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    localparam [SFW-1:0] SF_LAST    = SF - 1;
    localparam [LW-1:0]  LINE_LAST  = LINES - 1;
    localparam [RW-1:0]  ROUND_LAST = ROUND - 1;
    /* verilator lint_on WIDTH */

`ifndef SYNTHESIS
    initial if (PE < 1 || SIMD < 1 || GROUPS < 1 || MH % (GROUPS * PE) != 0 || MW % SIMD != 0
                || SF < 2 || ROUND < SF || MODE < 2) begin
        $display("nashc_mvau_sparse: illegal parameters MW=%0d MH=%0d GROUPS=%0d PE=%0d SIMD=%0d",
                 MW, MH, GROUPS, PE, SIMD);
        $display("nashc_mvau_sparse: ROUND=%0d MODE=%0d", ROUND, MODE);
        $finish;
    end
`endif

    // --- steps ---------------------------------------------------------------------------------
    reg  [RW-1:0]  step_q;              // of the vector
    reg  [LW-1:0]  line_q;              // of all groups
    reg  [SFW-1:0] beat_q;              // beats of the vector that were read, if reads_q
    reg            reads_q;             // some are to come
    wire           en;
    wire           fire = en && (!reads_q || s_tvalid);
    wire           ends = step_q == ROUND_LAST;
    assign s_tready = en && reads_q;

    always @(posedge clk) begin
        if (!rst_n) begin
            step_q  <= {RW{1'b0}};
            line_q  <= {LW{1'b0}};
            beat_q  <= {SFW{1'b0}};
            reads_q <= 1'b1;
        end else if (fire) begin
            step_q <= ends ? {RW{1'b0}} : step_q + 1'b1;
            line_q <= (line_q == LINE_LAST) ? {LW{1'b0}} : line_q + 1'b1;
            if (reads_q) beat_q <= (beat_q == SF_LAST) ? {SFW{1'b0}} : beat_q + 1'b1;
            reads_q <= ends || (reads_q && beat_q != SF_LAST);
        end
    end

    // --- stage 1: what the step does ------------------------------------------------------------
    reg            fired_q;
    reg            first_q;             // no step since the last result
    reg  [LW-1:0]  word_q;
    wire [SFW:0]   line;
    wire [SFW-1:0] beat   = line[SFW:1];
    wire           writes = line[0];

    nashc_rom #(.W(SFW+1), .DEPTH(LINES), .FILE({MEM_DIR, "/", S_FILE})) u_steps (
        .clk(clk), .en(en), .addr(line_q), .q(line)
    );
    always @(posedge clk) begin
        if (!rst_n) begin
            fired_q <= 1'b0;
            first_q <= 1'b1;
        end else if (en) begin
            fired_q <= fire;
            if (fired_q) first_q <= writes;
        end
    end
    always @(posedge clk) if (en) word_q <= line_q;

    // --- stage 2: operands ---------------------------------------------------------------------
    wire [PE*SIMD*WW-1:0] w;
    reg  [SIMD*XW-1:0]    x_q;
    generate
        if (SF <= 64) begin : g_kept
            reg [SIMD*XW-1:0] mem [0:SF-1];
            always @(posedge clk) begin
                if (fire && reads_q) mem[beat_q] <= s_tdata;
                if (en) x_q <= mem[beat];
            end
        end else begin : g_kept_sync
            (* no_rw_check *)
            reg [SIMD*XW-1:0] mem [0:SF-1];             // never read while it is written
            always @(posedge clk) begin
                if (fire && reads_q) mem[beat_q] <= s_tdata;
                if (en) x_q <= mem[beat];
            end
        end
    endgenerate
    nashc_rom #(
        .W(PE*SIMD*WW), .DEPTH(LINES), .FILE({MEM_DIR, "/", W_FILE}), .RAM_STYLE(W_RAM_STYLE)
    ) u_weights (
        .clk(clk), .en(en), .addr(word_q), .q(w)
    );

    // --- sums, accumulators, thresholds, output --------------------------------------------------
    nashc_mac #(
        .PE(PE), .SIMD(SIMD), .MODE(MODE), .XW(XW), .X_SIGNED(X_SIGNED), .WW(WW),
        .W_SIGNED(W_SIGNED), .ACC_W(ACC_W), .ACC_SIGNED(ACC_SIGNED), .DOT(DOT),
        .MUL_STYLE(MUL_STYLE), .LANES(LANES), .PIPE(PIPE), .ACCS(1), .ACT(ACT),
        .FOLDS(MH/PE), .K(K), .TW(TW), .T_SIGNED(T_SIGNED), .OUT_W(OUT_W), .ACTVAL(ACTVAL),
        .HAS_DIR(HAS_DIR),
        .T_SHARED(T_SHARED), .DEEP(DEEP), .T_FILE({MEM_DIR, "/", T_FILE}),
        .DIR_FILE({MEM_DIR, "/", DIR_FILE}), .T_RAM_STYLE(T_RAM_STYLE)
    ) u_mac (
        .clk(clk), .rst_n(rst_n), .fire(fired_q && en), .first(first_q), .writes(writes),
        .addr(1'b0), .en(en), .x(x_q), .w(w),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );

`ifdef FORMAL
    reg past_q = 1'b0;
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);
        if (rst_n) begin
            assert (beat_q <= SF_LAST);
            assert (step_q <= ROUND_LAST);
            assert (line_q <= LINE_LAST);
            // the first SF steps of a vector read its beats, and no others
            assert (reads_q ? step_q == beat_q : step_q > SF_LAST);
            assert (!(s_tvalid && s_tready) || fire);   // no beat without a step
        end
        if (past_q && $past(rst_n) && rst_n && $past(m_tvalid && !m_tready)) begin
            assert (m_tvalid);
            assert (m_tdata == $past(m_tdata));
        end
    end
`endif
endmodule
`default_nettype wire
