// nashc_mvau.v: matrix-vector unit, y[r] = act(sum_c W[c][r] * x[c]), PE rows and SIMD columns a
// step. NF*SF steps a vector (NF = MH/PE, SF = MW/SIMD), frames without a gap: x is read while
// nf == 0 and replayed after that; a result leaves after each sf == SF-1.
// LATENCY = 2 + PIPE + (SF > 1) + TLAT, TLAT = 0 (ACT 0), 1 (ACT 1), N or DEEP: 2*N-1 (ACT 2),
// N = clog2(K+1). Stages: operands, (PIPE), sum, accumulator if SF > 1, thresholds.
// Memory: MW*MH*WW weight bits in lines of PE*SIMD*WW (registered read; none if W_EXT), replay
// SF*SIMD*XW bits if NF > 1 and SF > 1, thresholds as in nashc_thresh_*. Multipliers: PE*SIMD in
// MODE 2 and 3 with MUL_STYLE 0, else none. PE divides MH, SIMD divides MW; ACC_W holds every
// partial sum; OUT_W = ACC_W if ACT is 0.
`default_nettype none
module nashc_mvau #(
    parameter MW         = 8,           // columns
    parameter MH         = 4,           // rows
    parameter PE         = 2,           // rows per step
    parameter SIMD       = 4,           // columns per step
    parameter MODE       = 2,           // 0 xnor, 1 bipolar weights, 2 product, 3 bipolar x
    parameter XW         = 4,           // bits per input
    parameter X_SIGNED   = 0,
    parameter WW         = 4,           // bits per weight
    parameter W_SIGNED   = 1,
    parameter ACC_W      = 12,          // bits per accumulator
    parameter ACC_SIGNED = 1,
    parameter DOT        = 0,           // MODE 0: 0 popcount, 1 dot product 2*popcount - MW
    parameter MUL_STYLE  = 0,           // MODE 2, 3: 0 multipliers, 1 bit planes
    parameter PIPE       = 0,           // 1: one more stage inside the sum
    parameter W_EXT      = 0,           // 1: weights come from s1
    parameter ACT        = 0,           // 0 none, 1 parallel thresholds, 2 binary search
    parameter K          = 1,           // thresholds per row
    parameter TW         = 12,          // bits per threshold
    parameter T_SIGNED   = 1,
    parameter OUT_W      = 12,          // bits per output
    parameter ACTVAL     = 0,           // added to the count
    parameter HAS_DIR    = 0,           // 1: DIR_FILE tells the rows that count acc < T
    parameter T_SHARED   = 0,           // 1: one row of thresholds for all
    parameter DEEP       = 0,           // ACT 2: one more stage per comparison
    parameter MEM_DIR    = ".",
    parameter W_FILE     = "memblock.dat",
    parameter T_FILE     = "thresh",
    parameter DIR_FILE   = "dir.dat",
    parameter W_STYLE    = "auto",
    parameter T_STYLE    = "auto"
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
    input  wire                  m_tready
);
    localparam NF  = MH / PE;
    localparam SF  = MW / SIMD;
    localparam N   = $clog2(K + 1);
    localparam AST = 2 + PIPE + ((SF > 1) ? 1 : 0);     // stages up to the accumulator
    localparam TLAT = (ACT == 0) ? 0 : (ACT == 1) ? 1 : (DEEP != 0) ? 2 * N - 1 : N;
    localparam SFW = (SF <= 1) ? 1 : $clog2(SF);
    localparam NFW = (NF <= 1) ? 1 : $clog2(NF);
    localparam WAW = (NF * SF <= 1) ? 1 : $clog2(NF * SF);
    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    localparam [SFW-1:0] SF_LAST = SF - 1;
    localparam [NFW-1:0] NF_LAST = NF - 1;
    /* verilator lint_on WIDTH */

`ifndef SYNTHESIS
    initial if (PE < 1 || SIMD < 1 || MH % PE != 0 || MW % SIMD != 0 || MODE < 0 || MODE > 3
                || (MODE <= 1 && WW != 1) || ((MODE == 0 || MODE == 3) && XW != 1)
                || (DOT != 0 && MODE != 0) || ACT < 0 || ACT > 2
                || (ACT == 0 && OUT_W != ACC_W) || K < 1) begin
        $display("nashc_mvau: illegal parameters MW=%0d MH=%0d PE=%0d SIMD=%0d MODE=%0d XW=%0d",
                 MW, MH, PE, SIMD, MODE, XW);
        $display("nashc_mvau: WW=%0d ACC_W=%0d OUT_W=%0d DOT=%0d ACT=%0d K=%0d",
                 WW, ACC_W, OUT_W, DOT, ACT, K);
        $finish;
    end
`endif

    // --- steps ---------------------------------------------------------------------------------
    reg  [SFW-1:0] sf_q;
    reg  [NFW-1:0] nf_q;
    wire           en;
    wire           reads  = nf_q == {NFW{1'b0}};
    wire           writes = sf_q == SF_LAST;
    wire           w_here = (W_EXT == 0) || s1_tvalid;
    wire           x_here = !reads || s_tvalid;
    wire           fire   = en && x_here && w_here;
    assign s_tready  = en && reads && w_here;
    assign s1_tready = (W_EXT != 0) && en && x_here;

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
        end else if (SF <= 64) begin : g_replay
            reg [SIMD*XW-1:0] mem [0:SF-1];
            reg [SIMD*XW-1:0] x_q;
            always @(posedge clk) begin
                if (fire && reads) mem[sf_q] <= s_tdata;
                if (en) x_q <= reads ? s_tdata : mem[sf_q];
            end
            assign x = x_q;
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

        if (W_EXT != 0) begin : g_weights_in
            reg [PE*SIMD*WW-1:0] w_q;
            always @(posedge clk) if (en) w_q <= s1_tdata;
            assign w = w_q;
        end else begin : g_weights
            // constants are cut to the width of what they meet
            /* verilator lint_off WIDTH */
            localparam [WAW-1:0] LAST = NF * SF - 1;
            /* verilator lint_on WIDTH */
            reg [WAW-1:0] line_q;
            always @(posedge clk) begin
                if (!rst_n) line_q <= {WAW{1'b0}};
                else if (fire) line_q <= (line_q == LAST) ? {WAW{1'b0}} : line_q + 1'b1;
            end
            nashc_rom #(
                .W(PE*SIMD*WW), .DEPTH(NF*SF), .FILE({MEM_DIR, "/", W_FILE}), .RAM_STYLE(W_STYLE)
            ) u_rom (.clk(clk), .en(en), .addr(line_q), .q(w));
            wire unused = &{1'b0, s1_tdata, s1_tvalid};
        end
    endgenerate

    // --- stage 2 (+ PIPE): sums of a step, modulo 2**ACC_W ---------------------------------------
    localparam LOG = (SIMD <= 1) ? 0 : $clog2(SIMD);
    localparam NAT = (MODE == 0) ? ((DOT != 0) ? LOG + 3 : LOG + 1)
                   : (MODE == 1) ? XW + 1 + LOG
                   : (MODE == 2) ? XW + WW + LOG : WW + 2 + LOG;
    localparam SW  = (NAT < ACC_W) ? NAT : ACC_W;       // bits per sum
    localparam SUM_SIGNED = (MODE == 0) ? DOT : (MODE == 2) ? (X_SIGNED | W_SIGNED) : 1;

    wire [PE*SW-1:0] sum;

    generate
        if (MODE == 0) begin : g_xnor
            nashc_rows_xnor #(.PE(PE), .SIMD(SIMD), .SW(SW), .DOT(DOT), .PIPE(PIPE)) u_rows (
                .clk(clk), .en(en), .x(x), .w(w), .sum(sum)
            );
        end else if (MODE == 1) begin : g_pm
            nashc_rows_pm #(
                .PE(PE), .SIMD(SIMD), .XW(XW), .X_SIGNED(X_SIGNED), .SW(SW), .PIPE(PIPE)
            ) u_rows (.clk(clk), .en(en), .x(x), .w(w), .sum_q(sum));
        end else if (MUL_STYLE == 0) begin : g_mul
            nashc_rows_mul #(
                .PE(PE), .SIMD(SIMD), .XW(XW), .X_SIGNED(X_SIGNED), .X_BIPOLAR(MODE == 3),
                .WW(WW), .W_SIGNED(W_SIGNED), .SW(SW), .PIPE(PIPE)
            ) u_rows (.clk(clk), .en(en), .x(x), .w(w), .sum(sum));
        end else begin : g_planes
            nashc_rows_planes #(
                .PE(PE), .SIMD(SIMD), .XW(XW), .X_SIGNED(X_SIGNED), .X_BIPOLAR(MODE == 3),
                .WW(WW), .W_SIGNED(W_SIGNED), .SW(SW), .PIPE(PIPE)
            ) u_rows (.clk(clk), .en(en), .x(x), .w(w), .sum_q(sum));
        end
    endgenerate

    // --- accumulator ---------------------------------------------------------------------------
    // Sums in ACC_W bits, plus the accumulators unless the step is the first of its row.
    /* verilator lint_off WIDTH */
    function [PE*ACC_W-1:0] add(input [PE*SW-1:0] sums, input [PE*ACC_W-1:0] old, input first);
        integer p;
        reg [ACC_W-1:0] wide;
        for (p = 0; p < PE; p = p + 1) begin
            if (SUM_SIGNED != 0) wide = $signed(sums[p*SW +: SW]);
            else wide = sums[p*SW +: SW];
            add[p*ACC_W +: ACC_W] = wide + (old[p*ACC_W +: ACC_W] & {ACC_W{!first}});
        end
    endfunction
    /* verilator lint_on WIDTH */

    wire [PE*ACC_W-1:0] acc;
    generate
        if (SF == 1) begin : g_no_acc
            assign acc = add(sum, {PE*ACC_W{1'b0}}, 1'b1);
        end else begin : g_acc
            // What the sums' stage holds: a step at all, and the first of its row.
            reg  [AST-2:0]      step_q, first_q;
            wire [AST-1:0]      step_d  = {step_q, fire};
            wire [AST-1:0]      first_d = {first_q, sf_q == {SFW{1'b0}}};
            reg  [PE*ACC_W-1:0] acc_q;
            always @(posedge clk) begin
                if (!rst_n) step_q <= {(AST-1){1'b0}};
                else if (en) step_q <= step_d[AST-2:0];
            end
            always @(posedge clk) if (en) first_q <= first_d[AST-2:0];
            always @(posedge clk)
                if (en && step_q[AST-2]) acc_q <= add(sum, acc_q, first_q[AST-2]);
            assign acc = acc_q;
            wire unused = &{1'b0, step_d[AST-1], first_d[AST-1]};
        end
    endgenerate

    // --- activation and output -----------------------------------------------------------------
    wire [PE*OUT_W-1:0] y;
    generate
        if (ACT == 0) begin : g_raw
            assign y = acc;
        end else begin : g_act
            // The fold of the result that enters the accumulator's stage next.
            reg  [AST-2:0] last_q;
            wire [AST-1:0] last_d = {last_q, fire && writes};
            reg  [NFW-1:0] fold_q;
            always @(posedge clk) begin
                if (!rst_n) begin
                    last_q <= {(AST-1){1'b0}};
                    fold_q <= {NFW{1'b0}};
                end else if (en) begin
                    last_q <= last_d[AST-2:0];
                    if (last_q[AST-2])
                        fold_q <= (fold_q == NF_LAST) ? {NFW{1'b0}} : fold_q + 1'b1;
                end
            end
            wire unused = last_d[AST-1];

            if (ACT == 1) begin : g_par
                nashc_thpar_core #(
                    .CF(NF), .PE(PE), .XW(ACC_W), .X_SIGNED(ACC_SIGNED), .TW(TW),
                    .T_SIGNED(T_SIGNED), .K(K), .OUT_W(OUT_W), .ACTVAL(ACTVAL),
                    .HAS_DIR(HAS_DIR), .T_SHARED(T_SHARED), .T_FILE({MEM_DIR, "/", T_FILE}),
                    .DIR_FILE({MEM_DIR, "/", DIR_FILE}), .T_STYLE(T_STYLE)
                ) u_act (.clk(clk), .en(en), .fold(fold_q), .x(acc), .y(y));
            end else begin : g_bs
                nashc_thbs_core #(
                    .CF(NF), .PE(PE), .XW(ACC_W), .X_SIGNED(ACC_SIGNED), .TW(TW),
                    .T_SIGNED(T_SIGNED), .K(K), .OUT_W(OUT_W), .ACTVAL(ACTVAL),
                    .HAS_DIR(HAS_DIR), .T_SHARED(T_SHARED), .DEEP(DEEP),
                    .T_FILE({MEM_DIR, "/", T_FILE}), .DIR_FILE({MEM_DIR, "/", DIR_FILE}),
                    .T_STYLE(T_STYLE)
                ) u_act (.clk(clk), .en(en), .fold(fold_q), .x(acc), .y(y));
            end
        end
    endgenerate

    nashc_pipe #(.W(PE*OUT_W), .LATENCY(AST + TLAT)) u_pipe (
        .clk(clk), .rst_n(rst_n), .fire(fire), .writes(writes), .en(en), .data(y),
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
