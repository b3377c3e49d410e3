// nashc_vvau.v: depthwise products, y[c] = act(sum_k w[k][c] * x[k][c]), of PE channels and SIMD
// products each a step. KERNEL/SIMD*C/PE steps a result vector, k outer, channels inner; each
// reads, it writes iff k is last. A beat is SIMD rows of PE channels.
// LATENCY = 2 + PIPE + (KERNEL > SIMD) + TLAT, TLAT as in nashc_results. Stages: operands, then
// those of nashc_mac.
// Memory: KERNEL*C*WW weight bits in lines of PE*SIMD*WW (registered read; none if W_EXT), C*ACC_W
// accumulator bits if KERNEL > SIMD (a register if PE = C), thresholds as in
// nashc_thresholding_*. Multipliers: PE*SIMD in MODE 2 and 3 with MUL_STYLE 0, else none. PE
// divides C, SIMD divides KERNEL and is 1 unless PE = C; ACC_W holds every partial sum; OUT_W =
// ACC_W if ACT is 0.
`default_nettype none
module nashc_vvau #(
    parameter C           = 4,          // channels
    parameter KERNEL      = 9,          // products per result
    parameter PE          = 2,          // channels per step
    parameter SIMD        = 1,          // products per channel and step
    parameter MODE        = 2,          // 0 xnor, 1 bipolar weights, 2 product, 3 bipolar x
    parameter XW          = 4,          // bits per input
    parameter X_SIGNED    = 0,
    parameter WW          = 4,          // bits per weight
    parameter W_SIGNED    = 1,
    parameter ACC_W       = 12,         // bits per accumulator
    parameter ACC_SIGNED  = 1,
    parameter DOT         = 0,          // MODE 0: 0 popcount, 1 dot product 2*popcount - KERNEL
    parameter MUL_STYLE   = 0,          // MODE 2, 3: 0 multipliers, 1 bit planes
    parameter PIPE        = 0,          // 1: one more stage inside the product
    parameter W_EXT       = 0,          // 1: weights come from s1
    parameter W_AXILITE   = 0,          // 1: the weights can be written through lite_s
    parameter ACT         = 0,          // 0 none, 1 parallel thresholds, 2 binary search
    parameter K           = 1,          // thresholds per channel
    parameter TW          = 12,         // bits per threshold
    parameter T_SIGNED    = 1,
    parameter OUT_W       = 12,         // bits per output
    parameter ACTVAL      = 0,          // added to the count
    parameter HAS_DIR     = 0,          // 1: DIR_FILE tells the channels that count acc < T
    parameter T_SHARED    = 0,          // 1: one row of thresholds for all
    parameter DEEP        = 0,          // ACT 2: one more stage per comparison
    parameter MEM_DIR     = ".",
    parameter W_FILE      = "memblock.dat",
    parameter T_FILE      = "thresh",
    parameter DIR_FILE    = "dir.dat",
    parameter W_RAM_STYLE = "auto",
    parameter T_RAM_STYLE = "auto"
) (
    input  wire                clk,
    input  wire                rst_n,
    input  wire [PE*SIMD*XW-1:0] s_tdata, // channel p of row s at [(s*PE+p)*XW +: XW]
    input  wire                s_tvalid,
    output wire                s_tready,
    input  wire [PE*SIMD*WW-1:0] s1_tdata,
    input  wire                s1_tvalid,
    output wire                s1_tready,
    output wire [PE*OUT_W-1:0] m_tdata,
    output wire                m_tvalid,
    input  wire                m_tready,
    input  wire [100:0]        lite_s,  // as nashc_weight_memory
    output wire [36:0]         lite_m
);
    localparam CF    = C / PE;
    localparam KS    = KERNEL / SIMD;
    localparam LINES = KS * CF;                         // of weights
    localparam CW    = (CF <= 1) ? 1 : $clog2(CF);
    localparam KW    = (KS <= 1) ? 1 : $clog2(KS);
    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    localparam [CW-1:0]  CF_LAST = CF - 1;
    localparam [KW-1:0]  K_LAST  = KS - 1;
    /* verilator lint_on WIDTH */

`ifndef SYNTHESIS
    initial if (PE < 1 || C % PE != 0 || SIMD < 1 || KERNEL < 1 || KERNEL % SIMD != 0
                || (SIMD > 1 && PE != C)) begin
        $display("nashc_vvau: illegal parameters C=%0d KERNEL=%0d PE=%0d SIMD=%0d", C, KERNEL, PE,
                 SIMD);
        $finish;
    end
`endif

    // --- steps ---------------------------------------------------------------------------------
    wire           en;
    wire           w_here;
    wire           fire = en && s_tvalid && w_here;
    reg  [CW-1:0]  cf_q;
    reg  [KW-1:0]  k_q;
    wire           cf_last = cf_q == CF_LAST;
    wire           k_last  = k_q == K_LAST;
    assign s_tready = en && w_here;

    always @(posedge clk) begin
        if (!rst_n) begin
            cf_q   <= {CW{1'b0}};
            k_q    <= {KW{1'b0}};
        end else if (fire) begin
            cf_q <= cf_last ? {CW{1'b0}} : cf_q + 1'b1;
            if (cf_last) k_q <= k_last ? {KW{1'b0}} : k_q + 1'b1;
        end
    end

    // --- stage 1: operands ---------------------------------------------------------------------
    reg  [PE*SIMD*XW-1:0] x_q;
    wire [PE*SIMD*XW-1:0] x;            // channel p of row s at [(p*SIMD+s)*XW +: XW]
    wire [PE*SIMD*WW-1:0] w;
    always @(posedge clk) if (en) x_q <= s_tdata;
    genvar at_p, at_s;
    generate
        for (at_p = 0; at_p < PE; at_p = at_p + 1) begin : g_channel
            for (at_s = 0; at_s < SIMD; at_s = at_s + 1) begin : g_row
                assign x[(at_p*SIMD+at_s)*XW +: XW] = x_q[(at_s*PE+at_p)*XW +: XW];
            end
        end
    endgenerate
    nashc_weights #(
        .W(PE*SIMD*WW), .DEPTH(LINES), .W_EXT(W_EXT), .W_AXILITE(W_AXILITE),
        .FILE({MEM_DIR, "/", W_FILE}), .RAM_STYLE(W_RAM_STYLE)
    ) u_weights ( // line k*CF + cf
        .clk(clk), .rst_n(rst_n), .en(en), .fire(fire), .taken(s_tvalid), .here(w_here), .q(w),
        .s_tdata(s1_tdata), .s_tvalid(s1_tvalid), .s_tready(s1_tready),
        .lite_s(lite_s), .lite_m(lite_m)
    );

    // --- products, accumulators, thresholds, output ----------------------------------------------
    nashc_mac #(
        .BLOCKS(PE), .PE(PE), .SIMD(SIMD), .MODE(MODE), .XW(XW), .X_SIGNED(X_SIGNED), .WW(WW),
        .W_SIGNED(W_SIGNED), .ACC_W(ACC_W), .ACC_SIGNED(ACC_SIGNED), .DOT(DOT),
        .MUL_STYLE(MUL_STYLE), .PIPE(PIPE), .ACCS((KS > 1) ? CF : 0), .ACT(ACT), .FOLDS(CF),
        .K(K), .TW(TW), .T_SIGNED(T_SIGNED), .OUT_W(OUT_W), .ACTVAL(ACTVAL), .HAS_DIR(HAS_DIR),
        .T_SHARED(T_SHARED), .DEEP(DEEP), .T_FILE({MEM_DIR, "/", T_FILE}),
        .DIR_FILE({MEM_DIR, "/", DIR_FILE}), .T_RAM_STYLE(T_RAM_STYLE)
    ) u_mac (
        .clk(clk), .rst_n(rst_n), .fire(fire), .first(k_q == {KW{1'b0}}), .writes(k_last),
        .addr(cf_q[((KS > 1) ? CW : 1)-1:0]), .en(en), .x(x), .w(w),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );

`ifdef FORMAL
    reg past_q = 1'b0;
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);
        if (rst_n) begin
            assert (cf_q <= CF_LAST);
            assert (k_q <= K_LAST);
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
