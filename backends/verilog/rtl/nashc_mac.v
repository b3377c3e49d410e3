// nashc_mac.v: the part of a matrix unit behind its operands: sums of products of PE rows and SIMD
// columns a step, and nashc_results. A step fires with its flags in one enabled cycle, x and w are
// registers outside that hold its operands in the next.
// LATENCY = 2 + PIPE + (ACCS > 0) + TLAT, TLAT as in nashc_results. Stages: operands, (PIPE), sum,
// accumulator if ACCS > 0, thresholds.
// Multipliers: PE*SIMD/LANES in MODE 2 and 3 with MUL_STYLE 0, else none. ACCS*PE*ACC_W bits of
// accumulators.
// BLOCKS divides PE; ACC_W holds every partial sum; OUT_W = ACC_W if ACT is 0.
`default_nettype none
module nashc_mac #(
    parameter BLOCKS      = 1,          // blocks of PE/BLOCKS rows that share an x
    parameter PE          = 2,          // rows per step
    parameter SIMD        = 4,          // columns per step
    parameter MODE        = 2,          // 0 xnor, 1 bipolar weights, 2 product, 3 bipolar x
    parameter XW          = 4,          // bits per input
    parameter X_SIGNED    = 0,
    parameter WW          = 4,          // bits per weight
    parameter W_SIGNED    = 1,
    parameter ACC_W       = 12,         // bits per accumulator
    parameter ACC_SIGNED  = 1,
    parameter DOT         = 0,          // MODE 0: 0 popcount, 1 dot product
    parameter MUL_STYLE   = 0,          // MODE 2, 3: 0 multipliers, 1 bit planes
    parameter LANES       = 1,          // MODE 2 with MUL_STYLE 0: rows that share a multiplier
    parameter PIPE        = 0,          // 1: one more stage inside the sum
    parameter ACCS        = 1,          // accumulators of a row; 0: a step is a result
    parameter ACT         = 0,          // 0 none, 1 parallel thresholds, 2 binary search
    parameter FOLDS       = 1,          // results come from folds 0 .. FOLDS-1, over and over
    parameter K           = 1,          // thresholds per row
    parameter TW          = 12,         // bits per threshold
    parameter T_SIGNED    = 1,
    parameter OUT_W       = 12,         // bits per output
    parameter ACTVAL      = 0,          // added to the count
    parameter HAS_DIR     = 0,          // 1: DIR_FILE tells the rows that count acc < T
    parameter T_SHARED    = 0,          // 1: one row of thresholds for all
    parameter DEEP        = 0,          // ACT 2: one more stage per comparison
    parameter T_FILE      = "thresh",
    parameter DIR_FILE    = "dir.dat",
    parameter T_RAM_STYLE = "auto",
    parameter AW          = (ACCS <= 1) ? 1 : $clog2(ACCS)
) (
    input  wire                      clk,
    input  wire                      rst_n,
    input  wire                      fire, // the step happens in this cycle (never without en)
    input  wire                      first, // it is the first of its result
    input  wire                      writes, // it is the last
    input  wire [AW-1:0]             addr, // its accumulator; of several not the last step's
    output wire                      en, // stages may advance
    input  wire [BLOCKS*SIMD*XW-1:0] x,
    input  wire [PE*SIMD*WW-1:0]     w, // element (p,s) at [(p*SIMD+s)*WW +: WW]
    output wire [PE*OUT_W-1:0]       m_tdata,
    output wire                      m_tvalid,
    input  wire                      m_tready
);
    localparam R    = PE / BLOCKS;      // rows of a block

`ifndef SYNTHESIS
    initial if (PE < 1 || BLOCKS < 1 || PE % BLOCKS != 0 || MODE < 0 || MODE > 3
                || (MODE <= 1 && WW != 1) || ((MODE == 0 || MODE == 3) && XW != 1)
                || (DOT != 0 && MODE != 0) || ACT < 0 || ACT > 2
                || (ACT == 0 && OUT_W != ACC_W) || K < 1) begin
        $display("nashc_mac: illegal parameters BLOCKS=%0d PE=%0d MODE=%0d XW=%0d WW=%0d",
                 BLOCKS, PE, MODE, XW, WW);
        $display("nashc_mac: ACC_W=%0d OUT_W=%0d DOT=%0d ACT=%0d K=%0d", ACC_W, OUT_W, DOT, ACT, K);
        $finish;
    end
`endif

    // --- sums of a step, modulo 2**ACC_W ---------------------------------------------------------
    localparam LOG = (SIMD <= 1) ? 0 : $clog2(SIMD);
    localparam NAT = (MODE == 0) ? ((DOT != 0) ? LOG + 3 : LOG + 1)
                   : (MODE == 1) ? XW + 1 + LOG
                   : (MODE == 2) ? XW + WW + LOG : WW + 2 + LOG;
    localparam SW  = (ACCS > 0 && NAT < ACC_W) ? NAT : ACC_W;   // bits per sum
    localparam SUM_SIGNED = (MODE == 0) ? DOT : (MODE == 2) ? (X_SIGNED | W_SIGNED) : 1;

    wire [PE*SW-1:0] sum;

    genvar b;
    generate
        for (b = 0; b < BLOCKS; b = b + 1) begin : g_block
            wire [SIMD*XW-1:0]   xb = x[b*SIMD*XW +: SIMD*XW];
            wire [R*SIMD*WW-1:0] wb = w[b*R*SIMD*WW +: R*SIMD*WW];
            wire [R*SW-1:0]      sb;
            assign sum[b*R*SW +: R*SW] = sb;
            if (MODE == 0) begin : g_xnor
                nashc_rows_xnor #(.PE(R), .SIMD(SIMD), .SW(SW), .DOT(DOT), .PIPE(PIPE)) u_rows (
                    .clk(clk), .en(en), .x(xb), .w(wb), .sum(sb)
                );
            end else if (MODE == 1) begin : g_pm
                nashc_rows_plus_minus #(
                    .PE(R), .SIMD(SIMD), .XW(XW), .X_SIGNED(X_SIGNED), .SW(SW), .PIPE(PIPE)
                ) u_rows (.clk(clk), .en(en), .x(xb), .w(wb), .sum_q(sb));
            end else if (MUL_STYLE == 0 && LANES > 1) begin : g_packed
                nashc_rows_packed #(
                    .PE(R), .SIMD(SIMD), .XW(XW), .X_SIGNED(X_SIGNED), .WW(WW),
                    .W_SIGNED(W_SIGNED), .SW(SW), .PIPE(PIPE), .LANES(LANES)
                ) u_rows (.clk(clk), .en(en), .x(xb), .w(wb), .sum_q(sb));
            end else if (MUL_STYLE == 0) begin : g_mul
                nashc_rows_multiply #(
                    .PE(R), .SIMD(SIMD), .XW(XW), .X_SIGNED(X_SIGNED), .X_BIP(MODE == 3),
                    .WW(WW), .W_SIGNED(W_SIGNED), .SW(SW), .PIPE(PIPE)
                ) u_rows (.clk(clk), .en(en), .x(xb), .w(wb), .sum(sb));
            end else begin : g_planes
                nashc_rows_bit_planes #(
                    .PE(R), .SIMD(SIMD), .XW(XW), .X_SIGNED(X_SIGNED), .X_BIP(MODE == 3),
                    .WW(WW), .W_SIGNED(W_SIGNED), .SW(SW), .PIPE(PIPE)
                ) u_rows (.clk(clk), .en(en), .x(xb), .w(wb), .sum_q(sb));
            end
        end
    endgenerate

    // --- accumulators, thresholds, control, output -----------------------------------------------
    nashc_results #(
        .PE(PE), .STAGES(2 + PIPE), .SW(SW), .SUM_SIGNED(SUM_SIGNED), .ACC_W(ACC_W),
        .ACC_SIGNED(ACC_SIGNED), .ACCS(ACCS), .ACT(ACT), .FOLDS(FOLDS), .K(K), .TW(TW),
        .T_SIGNED(T_SIGNED), .OUT_W(OUT_W), .ACTVAL(ACTVAL), .HAS_DIR(HAS_DIR),
        .T_SHARED(T_SHARED), .DEEP(DEEP), .T_FILE(T_FILE), .DIR_FILE(DIR_FILE),
        .T_RAM_STYLE(T_RAM_STYLE)
    ) u_results (
        .clk(clk), .rst_n(rst_n), .fire(fire), .first(first), .writes(writes), .addr(addr), .en(en),
        .sum(sum), .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );
endmodule
`default_nettype wire
