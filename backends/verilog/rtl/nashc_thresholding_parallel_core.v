// nashc_thresholding_parallel_core.v: parallel threshold comparators of PE lanes, data path only.
// The fold enters in one enabled cycle, x in the next, y leaves in the one after that (two stages
// from fold to y). PE*K comparators, PE*K popcount bits, FOLDS*PE*K*TW memory bits
// (T_SHARED: K*TW).
`default_nettype none
module nashc_thresholding_parallel_core #(
    parameter FOLDS       = 1,          // folds: channels / PE
    parameter PE          = 1,          // lanes
    parameter XW          = 8,          // bits per input
    parameter X_SIGNED    = 1,
    parameter TW          = 8,          // bits per threshold
    parameter T_SIGNED    = 1,
    parameter K           = 1,          // thresholds per channel
    parameter OUT_W       = 1,          // bits per output
    parameter ACTVAL      = 0,          // added to the count
    parameter HAS_DIR     = 0,          // 1: DIR_FILE tells the channels that count x < T
    parameter T_SHARED    = 0,          // 1: one row for all channels
    parameter T_FILE      = "thresh.dat",
    parameter DIR_FILE    = "dir.dat",
    parameter T_RAM_STYLE = "auto",
    parameter FW          = (FOLDS <= 1) ? 1 : $clog2(FOLDS)
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
    localparam KP    = ((K + 5) / 6) * 6;
    localparam CW    = $clog2(K + 1);   // bits of a count
    localparam ROWS  = (T_SHARED != 0) ? 1 : PE;
    localparam LINES = (T_SHARED != 0) ? 1 : FOLDS;
    localparam LW    = (LINES <= 1) ? 1 : $clog2(LINES);

    wire [ROWS*K*TW-1:0] t_rows;        // thresholds of this fold
    wire [PE-1:0]        flip;          // lane counts x < T
    reg  [PE*OUT_W-1:0]  y_q;

    nashc_rom #(.W(ROWS*K*TW), .DEPTH(LINES), .FILE(T_FILE), .RAM_STYLE(T_RAM_STYLE)) u_rows (
        .clk(clk), .en(en), .addr(fold[LW-1:0]), .q(t_rows)
    );

    generate
        if (HAS_DIR != 0) begin : g_dir
            nashc_rom #(.W(PE), .DEPTH(FOLDS), .FILE(DIR_FILE), .RAM_STYLE("auto")) u_dir (
                .clk(clk), .en(en), .addr(fold), .q(flip)
            );
        end else begin : g_no_dir
            assign flip = {PE{1'b0}};
        end
    endgenerate

    // A count of 6 comparators comes from a table, as in nashc_rows_xnor.v.
    reg [2:0] ones [0:63];
    integer   n;
    initial for (n = 0; n < 64; n = n + 1)
        ones[n] = {2'b00, n[0]} + {2'b00, n[1]} + {2'b00, n[2]}
                + {2'b00, n[3]} + {2'b00, n[4]} + {2'b00, n[5]};

    // Comparisons widen the narrower operand, the count widens to the output or is taken modulo it.
    /* verilator lint_off WIDTH */
    localparam [OUT_W-1:0] BASE = ACTVAL;

    function [PE*OUT_W-1:0] lanes(input [PE*XW-1:0] xi, input [ROWS*K*TW-1:0] ti,
                                  input [PE-1:0] fi);
        integer p, k;
        reg [K*TW-1:0]    row;
        reg signed [XW:0] v;
        reg signed [TW:0] t;
        reg [KP-1:0]      fired;
        reg [CW-1:0]      cnt;
        for (p = 0; p < PE; p = p + 1) begin
            row = ti[((T_SHARED != 0) ? 0 : p)*K*TW +: K*TW];
            v = {(X_SIGNED != 0) && xi[p*XW+XW-1], xi[p*XW +: XW]};
            fired = 0;
            for (k = 0; k < K; k = k + 1) begin
                t = {(T_SIGNED != 0) && row[k*TW+TW-1], row[k*TW +: TW]};
                fired[k] = (v >= t) != fi[p];
            end
            cnt = 0;
            for (k = 0; k < KP; k = k + 6) cnt = cnt + ones[fired[k +: 6]];
            lanes[p*OUT_W +: OUT_W] = BASE + cnt;
        end
    endfunction
    /* verilator lint_on WIDTH */

    always @(posedge clk) if (en) y_q <= lanes(x, t_rows, flip);
    assign y = y_q;
endmodule
`default_nettype wire
