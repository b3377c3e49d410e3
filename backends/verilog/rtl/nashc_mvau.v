// nashc_mvau.v: matrix-vector unit, y[r] = act(sum_c W[c][r] * x[c]), PE rows and SIMD columns a
// step. NF*SF steps a vector (NF = MH/GROUPS/PE, SF = MW/SIMD), frames without a gap: x is read
// while nf == 0 and replayed after that; a result leaves after each sf == SF-1. Vectors belong to
// groups 0 .. GROUPS-1 in turn, each group has its own MH/GROUPS rows of W.
// LATENCY = 2 + PIPE + (SF > 1) + TLAT, TLAT as in nashc_results. Stages: operands, then those of
// nashc_mac.
// Memory: MW*MH*WW weight bits in lines of PE*SIMD*WW (registered read; none if W_EXT), replay
// SF*SIMD*XW bits if NF > 1 and SF > 1, thresholds as in nashc_thresholding_*. Multipliers:
// PE*SIMD/LANES in MODE 2 and 3 with MUL_STYLE 0, else none. GROUPS*PE divides MH, SIMD divides MW;
// ACC_W holds every partial sum; OUT_W = ACC_W if ACT is 0.
`default_nettype none
module nashc_mvau #(
    parameter MW          = 8,          // columns
    parameter MH          = 4,          // rows of all groups
    parameter GROUPS      = 1,          // vectors belong to groups in turn
    parameter PE          = 2,          // rows per step
    parameter SIMD        = 4,          // columns per step
    parameter MODE        = 2,          // 0 xnor, 1 bipolar weights, 2 product, 3 bipolar x
    parameter XW          = 4,          // bits per input
    parameter X_SIGNED    = 0,
    parameter WW          = 4,          // bits per weight
    parameter W_SIGNED    = 1,
    parameter ACC_W       = 12,         // bits per accumulator
    parameter ACC_SIGNED  = 1,
    parameter DOT         = 0,          // MODE 0: 0 popcount, 1 dot product 2*popcount - MW
    parameter MUL_STYLE   = 0,          // MODE 2, 3: 0 multipliers, 1 bit planes
    parameter LANES       = 1,          // MODE 2 with MUL_STYLE 0: rows that share a multiplier
    parameter PIPE        = 0,          // 1: one more stage inside the sum
    parameter W_EXT       = 0,          // 1: weights come from s1
    parameter W_AXILITE   = 0,          // 1: the weights can be written through lite_s
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
    parameter T_FILE      = "thresh",
    parameter DIR_FILE    = "dir.dat",
    parameter W_RAM_STYLE = "auto",
    parameter T_RAM_STYLE = "auto"
) (
    input  wire                  clk,
    input  wire                  rst_n,
    input  wire [SIMD*XW-1:0]    s_tdata,
    input  wire                  s_tvalid,
    output wire                  s_tready,
    input  wire [PE*SIMD*WW-1:0] s1_tdata,
    input  wire                  s1_tvalid,
    output wire                  s1_tready,
    output wire [PE*OUT_W-1:0]   m_tdata,
    output wire                  m_tvalid,
    input  wire                  m_tready,
    input  wire [100:0]          lite_s, // as nashc_weight_memory
    output wire [36:0]           lite_m
);
    localparam NF  = MH / GROUPS / PE;
    localparam SF  = MW / SIMD;
    localparam LINES = GROUPS * NF * SF;                // of weights
    localparam SFW = (SF <= 1) ? 1 : $clog2(SF);
    localparam NFW = (NF <= 1) ? 1 : $clog2(NF);
    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    localparam [SFW-1:0] SF_LAST = SF - 1;
    localparam [NFW-1:0] NF_LAST = NF - 1;
    /* verilator lint_on WIDTH */

`ifndef SYNTHESIS
    initial if (PE < 1 || SIMD < 1 || GROUPS < 1 || MH % (GROUPS * PE) != 0 || MW % SIMD != 0)
    begin
        $display("nashc_mvau: illegal parameters MW=%0d MH=%0d GROUPS=%0d PE=%0d SIMD=%0d",
                 MW, MH, GROUPS, PE, SIMD);
        $finish;
    end
`endif

    // --- steps ---------------------------------------------------------------------------------
    reg  [SFW-1:0] sf_q;
    reg  [NFW-1:0] nf_q;
    wire           en;
    wire           reads  = nf_q == {NFW{1'b0}};
    wire           writes = sf_q == SF_LAST;
    wire           w_here;
    wire           x_here = !reads || s_tvalid;
    wire           fire   = en && x_here && w_here;
    assign s_tready  = en && reads && w_here;

    always @(posedge clk) begin
        if (!rst_n) begin
            sf_q <= {SFW{1'b0}};
            nf_q <= {NFW{1'b0}};
        end else if (fire) begin
            sf_q <= writes ? {SFW{1'b0}} : sf_q + 1'b1;
            if (writes) nf_q <= (nf_q == NF_LAST) ? {NFW{1'b0}} : nf_q + 1'b1;
        end
    end

    // --- stage 1: operands ---------------------------------------------------------------------
    wire [SIMD*XW-1:0]    x;
    wire [PE*SIMD*WW-1:0] w;

    generate
        if (NF == 1 || SF == 1) begin : g_hold          // one beat: the register itself replays
            reg [SIMD*XW-1:0] x_q;
            always @(posedge clk) if (fire && reads) x_q <= s_tdata;
            assign x = x_q;
        end else if (SF <= 64) begin : g_replay         // read behind the register of its address
            reg [SIMD*XW-1:0] mem [0:SF-1];
            reg [SFW-1:0]     at_q = {SFW{1'b0}};       // else Yosys makes it a registered read
            always @(posedge clk) begin
                if (fire && reads) mem[sf_q] <= s_tdata;
                if (en) at_q <= sf_q;
            end
            assign x = mem[at_q];
        end else begin : g_replay_sync
            (* no_rw_check *)
            reg [SIMD*XW-1:0] mem [0:SF-1];             // never read while it is written
            reg [SIMD*XW-1:0] new_q, old_q;
            reg               sel_q;
            always @(posedge clk) begin
                if (fire && reads) mem[sf_q] <= s_tdata;
                if (en && !reads) old_q <= mem[sf_q];
            end
            always @(posedge clk) if (en) begin
                new_q <= s_tdata;
                sel_q <= reads;
            end
            assign x = sel_q ? new_q : old_q;
        end
    endgenerate

    nashc_weights #(
        .W(PE*SIMD*WW), .DEPTH(LINES), .W_EXT(W_EXT), .W_AXILITE(W_AXILITE),
        .FILE({MEM_DIR, "/", W_FILE}), .RAM_STYLE(W_RAM_STYLE)
    ) u_weights (
        .clk(clk), .rst_n(rst_n), .en(en), .fire(fire), .taken(x_here), .here(w_here), .q(w),
        .s_tdata(s1_tdata), .s_tvalid(s1_tvalid), .s_tready(s1_tready),
        .lite_s(lite_s), .lite_m(lite_m)
    );

    // --- sums, accumulators, thresholds, output --------------------------------------------------
    nashc_mac #(
        .PE(PE), .SIMD(SIMD), .MODE(MODE), .XW(XW), .X_SIGNED(X_SIGNED), .WW(WW),
        .W_SIGNED(W_SIGNED), .ACC_W(ACC_W), .ACC_SIGNED(ACC_SIGNED), .DOT(DOT),
        .MUL_STYLE(MUL_STYLE), .LANES(LANES), .PIPE(PIPE), .ACCS((SF > 1) ? 1 : 0), .ACT(ACT),
        .FOLDS(GROUPS*NF), .K(K), .TW(TW), .T_SIGNED(T_SIGNED), .OUT_W(OUT_W), .ACTVAL(ACTVAL),
        .HAS_DIR(HAS_DIR),
        .T_SHARED(T_SHARED), .DEEP(DEEP), .T_FILE({MEM_DIR, "/", T_FILE}),
        .DIR_FILE({MEM_DIR, "/", DIR_FILE}), .T_RAM_STYLE(T_RAM_STYLE)
    ) u_mac (
        .clk(clk), .rst_n(rst_n), .fire(fire), .first(sf_q == {SFW{1'b0}}), .writes(writes),
        .addr(1'b0), .en(en), .x(x), .w(w),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );

`ifdef FORMAL
    reg past_q = 1'b0;
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);
        if (rst_n) begin
            assert (sf_q <= SF_LAST);
            assert (nf_q <= NF_LAST);
            assert (!(s_tready && !reads));
            assert (!(s_tvalid && s_tready) || fire);   // no beat without a step
            assert (!(s1_tvalid && s1_tready) || fire);
        end
        if (past_q && $past(rst_n) && rst_n && $past(m_tvalid && !m_tready)) begin
            assert (m_tvalid);
            assert (m_tdata == $past(m_tdata));
        end
    end
`endif
endmodule
`default_nettype wire
