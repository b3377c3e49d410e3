// nashc_fmpadding.v: frames of H x W pixels with a border of constants, channels innermost.
// (TOP + H + BOTTOM)*(LEFT + W + RIGHT)*C/SIMD steps a frame; each writes, and reads iff its pixel
// lies inside; LATENCY 1. Three counters, a multiplexer and three registers of SIMD*OUT_W bits;
// C*OUT_W memory bits in lines of SIMD*OUT_W (SHARED: one line). SIMD divides C; H, W >= 1, the
// border may be 0 on any side; OUT_W holds the elements and the constants.
`default_nettype none
module nashc_fmpadding #(
    parameter C         = 4,            // channels
    parameter SIMD      = 1,            // lanes
    parameter H         = 3,            // rows
    parameter W         = 3,            // columns
    parameter TOP       = 1,            // rows and columns of the border
    parameter LEFT      = 1,
    parameter BOTTOM    = 1,
    parameter RIGHT     = 1,
    parameter XW        = 4,            // bits per input
    parameter X_SIGNED  = 0,
    parameter X_BIP     = 0,            // 1: s is bipolar, m is not
    parameter OUT_W     = 4,            // bits per output
    parameter SHARED    = 1,            // 1: one line of constants for all channels
    parameter MEM_DIR   = ".",
    parameter FILE      = "param.dat"
) (
    input  wire                  clk,
    input  wire                  rst_n,
    input  wire [SIMD*XW-1:0]    s_tdata,
    input  wire                  s_tvalid,
    output wire                  s_tready,
    output wire [SIMD*OUT_W-1:0] m_tdata,
    output wire                  m_tvalid,
    input  wire                  m_tready
);
    localparam CF    = C / SIMD;
    localparam OH    = TOP + H + BOTTOM;
    localparam OW    = LEFT + W + RIGHT;
    localparam LINES = (SHARED != 0) ? 1 : CF;
    localparam FW    = (CF <= 1) ? 1 : $clog2(CF);
    localparam AW    = (LINES <= 1) ? 1 : FW;
    // one more than the position needs, so that a position before the frame becomes one behind it
    localparam RW    = $clog2(OH + 1);
    localparam CW    = $clog2(OW + 1);
    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    localparam [FW-1:0] LAST_FOLD = CF - 1;
    localparam [RW-1:0] LAST_ROW  = OH - 1;
    localparam [RW-1:0] FIRST_ROW = TOP;
    localparam [RW-1:0] ROWS      = H;
    localparam [CW-1:0] LAST_COL  = OW - 1;
    localparam [CW-1:0] FIRST_COL = LEFT;
    localparam [CW-1:0] COLS      = W;
    /* verilator lint_on WIDTH */

`ifndef SYNTHESIS
    initial if (SIMD < 1 || C % SIMD != 0 || H < 1 || W < 1 || TOP < 0 || LEFT < 0 || BOTTOM < 0
                || RIGHT < 0) begin
        $display("nashc_fmpadding: illegal parameters C=%0d SIMD=%0d H=%0d W=%0d", C, SIMD, H, W);
        $finish;
    end
`endif

    reg  [FW-1:0] fold_q;               // of the step
    reg  [RW-1:0] row_q;
    reg  [CW-1:0] col_q;
    wire [RW-1:0] row      = row_q - FIRST_ROW;
    wire [CW-1:0] col      = col_q - FIRST_COL;
    wire          reads    = row < ROWS && col < COLS;
    wire          fold_end = fold_q == LAST_FOLD;
    wire          col_end  = fold_end && col_q == LAST_COL;
    wire          row_end  = col_end && row_q == LAST_ROW;
    wire          en;
    wire          fire     = en && (!reads || s_tvalid);
    assign s_tready = en && reads;

    always @(posedge clk) begin
        if (!rst_n) begin
            fold_q <= {FW{1'b0}};
            col_q  <= {CW{1'b0}};
            row_q  <= {RW{1'b0}};
        end else if (fire) begin
            fold_q <= fold_end ? {FW{1'b0}} : fold_q + 1'b1;
            if (fold_end) col_q <= col_end ? {CW{1'b0}} : col_q + 1'b1;
            if (col_end) row_q <= row_end ? {RW{1'b0}} : row_q + 1'b1;
        end
    end

    wire [AW-1:0]         line;
    wire [SIMD*OUT_W-1:0] value, x;
    reg  [SIMD*XW-1:0]    x_q;
    reg                   reads_q;
    always @(posedge clk) if (en) begin
        x_q     <= s_tdata;
        reads_q <= reads;
    end

    generate
        if (LINES == 1) begin : g_one
            assign line = 1'b0;
        end else begin : g_folds
            assign line = fold_q;
        end
    endgenerate
    nashc_rom #(.W(SIMD*OUT_W), .DEPTH(LINES), .FILE({MEM_DIR, "/", FILE})) u_rom (
        .clk(clk), .en(en), .addr(line), .q(value)
    );

    nashc_widen #(.PE(SIMD), .XW(XW), .X_SIGNED(X_SIGNED), .X_BIP(X_BIP), .OUT_W(OUT_W)) u_x (
        .x(x_q), .y(x)
    );

    nashc_pipe #(.W(SIMD*OUT_W), .LATENCY(1)) u_pipe (
        .clk(clk), .rst_n(rst_n), .fire(fire), .writes(1'b1), .en(en), .data(reads_q ? x : value),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );

`ifdef FORMAL
    reg past_q = 1'b0;
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);
        if (rst_n) begin
            assert (fold_q <= LAST_FOLD);
            assert (row_q <= LAST_ROW);
            assert (col_q <= LAST_COL);
            // in full width, where nothing wraps
            assert (reads == ({31'd0, row_q} >= TOP && {31'd0, row_q} < TOP + H
                               && {31'd0, col_q} >= LEFT && {31'd0, col_q} < LEFT + W));
        end
        if (past_q && $past(rst_n) && rst_n && $past(m_tvalid && !m_tready)) begin
            assert (m_tvalid);
            assert (m_tdata == $past(m_tdata));
        end
    end
`endif
endmodule
`default_nettype wire
