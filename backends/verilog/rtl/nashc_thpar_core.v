// nashc_thpar_core.v: parallel threshold comparators of PE lanes, the data path only.
// The fold enters in one enabled cycle, x in the next, y leaves in the one after that (two stages
// from fold to y). PE*K comparators, PE*K popcount bits, CF*PE*K*TW memory bits (T_SHARED: K*TW).
`default_nettype none
module nashc_thpar_core #(
    parameter CF        = 1,            // folds: channels / PE
    parameter PE        = 1,            // lanes
    parameter XW        = 8,            // bits per input
    parameter X_SIGNED  = 1,
    parameter TW        = 8,            // bits per threshold
    parameter T_SIGNED  = 1,
    parameter K         = 1,            // thresholds per channel
    parameter OUT_W     = 1,            // bits per output
    parameter ACTVAL    = 0,            // added to the count
    parameter HAS_DIR   = 0,            // 1: DIR_FILE tells the channels that count x < T
    parameter T_SHARED  = 0,            // 1: one row for all channels
    parameter T_FILE    = "thresh.dat",
    parameter DIR_FILE  = "dir.dat",
    parameter T_STYLE   = "auto",
    parameter FW        = (CF <= 1) ? 1 : $clog2(CF)
) (
    input  wire                clk,
    input  wire                en,
    // One row for all needs no fold.
    /* verilator lint_off UNUSEDSIGNAL */
    input  wire [FW-1:0]       fold,
    /* verilator lint_on UNUSEDSIGNAL */
    input  wire [PE*XW-1:0]    x,
    output wire [PE*OUT_W-1:0] y
);
    localparam KG   = (K + 7) / 8;      // groups of 8 comparators, one expression each
    localparam CW   = $clog2(K + 1);    // bits of a count
    localparam ROWS = (T_SHARED != 0) ? 1 : PE;
    localparam LINES = (T_SHARED != 0) ? 1 : CF;
    localparam LW   = (LINES <= 1) ? 1 : $clog2(LINES);
    localparam [8*KG-1:0] REAL = {8*KG{1'b1}} >> (8 * KG - K);
    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    localparam [OUT_W-1:0] BASE = ACTVAL;
    /* verilator lint_on WIDTH */

    wire [ROWS*K*TW-1:0] rows;          // thresholds of this fold
    wire [PE-1:0]        flip;          // lane counts x < T
    wire [PE*OUT_W-1:0]  y_d;
    reg  [PE*OUT_W-1:0]  y_q;

    nashc_rom #(.W(ROWS*K*TW), .DEPTH(LINES), .FILE(T_FILE), .RAM_STYLE(T_STYLE)) u_rows (
        .clk(clk), .en(en), .addr(fold[LW-1:0]), .q(rows)
    );

    genvar p, g;
    generate
        if (HAS_DIR != 0) begin : g_dir
            nashc_rom #(.W(PE), .DEPTH(CF), .FILE(DIR_FILE), .RAM_STYLE("auto")) u_dir (
                .clk(clk), .en(en), .addr(fold), .q(flip)
            );
        end else begin : g_no_dir
            assign flip = {PE{1'b0}};
        end

        for (p = 0; p < PE; p = p + 1) begin : g_lane
            localparam R = (T_SHARED != 0) ? 0 : p;
            wire signed [XW:0]     xe;
            // Groups of 8 may end in comparators that do not exist.
            /* verilator lint_off UNUSEDSIGNAL */
            wire        [8*KG-1:0] hit, fired;
            /* verilator lint_on UNUSEDSIGNAL */
            wire        [CW-1:0]   cnt;
            wire        [8*KG*TW-1:0] t;

            assign xe = {(X_SIGNED != 0) && x[p*XW + XW - 1], x[p*XW +: XW]};
            if (8 * KG == K) begin : g_exact
                assign t = rows[R*K*TW +: K*TW];
            end else begin : g_pad
                assign t = {{(8*KG-K)*TW{1'b0}}, rows[R*K*TW +: K*TW]};
            end

            for (g = 0; g < KG; g = g + 1) begin : g_group
                // The comparison widens its narrower operand by Verilog's own rules.
                /* verilator lint_off WIDTH */
                if (T_SIGNED != 0) begin : g_signed
                    assign hit[8*g +: 8] = {
                        xe >= $signed(t[(8*g+7)*TW +: TW]), xe >= $signed(t[(8*g+6)*TW +: TW]),
                        xe >= $signed(t[(8*g+5)*TW +: TW]), xe >= $signed(t[(8*g+4)*TW +: TW]),
                        xe >= $signed(t[(8*g+3)*TW +: TW]), xe >= $signed(t[(8*g+2)*TW +: TW]),
                        xe >= $signed(t[(8*g+1)*TW +: TW]), xe >= $signed(t[(8*g+0)*TW +: TW])};
                end else begin : g_unsigned
                    assign hit[8*g +: 8] = {
                        xe >= $signed({1'b0, t[(8*g+7)*TW +: TW]}),
                        xe >= $signed({1'b0, t[(8*g+6)*TW +: TW]}),
                        xe >= $signed({1'b0, t[(8*g+5)*TW +: TW]}),
                        xe >= $signed({1'b0, t[(8*g+4)*TW +: TW]}),
                        xe >= $signed({1'b0, t[(8*g+3)*TW +: TW]}),
                        xe >= $signed({1'b0, t[(8*g+2)*TW +: TW]}),
                        xe >= $signed({1'b0, t[(8*g+1)*TW +: TW]}),
                        xe >= $signed({1'b0, t[(8*g+0)*TW +: TW]})};
                end
                /* verilator lint_on WIDTH */
            end
            assign fired = (hit ^ {8*KG{flip[p]}}) & REAL;

            if (K == 1) begin : g_one
                assign cnt = fired[0];
            end else begin : g_count
                nashc_popcount #(.N(K), .WO(CW), .PIPE(0)) u_count (
                    .clk(clk), .en(en), .a(fired[K-1:0]), .y(cnt)
                );
            end
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
