// nashc_fmpadding.v: frames of HEIGHT x WIDTH pixels with constants around them, and rows and
// columns of constants between the pixels, channels innermost.
// OH*OW*C/SIMD steps a frame, OH = TOP + (HEIGHT - 1)*(ROW_GAP + 1) + 1 + BOTTOM, OW alike; each
// writes, and reads iff it belongs to a pixel; LATENCY 1. Three counters, a multiplexer, three
// registers of SIMD*OUT_W bits; C*OUT_W memory bits in lines of SIMD*OUT_W (SHARED: one line).
// SIMD divides C; HEIGHT, WIDTH >= 1, border and gaps may be 0; OUT_W holds elements and constants.
`default_nettype none
module nashc_fmpadding #(
    parameter C        = 4,             // channels
    parameter SIMD     = 1,             // lanes
    parameter HEIGHT   = 3,             // rows
    parameter WIDTH    = 3,             // columns
    parameter TOP      = 1,             // rows and columns of the border
    parameter LEFT     = 1,
    parameter BOTTOM   = 1,
    parameter RIGHT    = 1,
    parameter ROW_GAP  = 0,             // rows and columns between two of the frame
    parameter COL_GAP  = 0,
    parameter XW       = 4,             // bits per input
    parameter X_SIGNED = 0,
    parameter X_BIP    = 0,             // 1: s is bipolar, m is not
    parameter OUT_W    = 4,             // bits per output
    parameter SHARED   = 1,             // 1: one line of constants for all channels
    parameter MEM_DIR  = ".",
    parameter FILE     = "param.dat"
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
    localparam LINES = (SHARED != 0) ? 1 : CF;
    localparam FW    = (CF <= 1) ? 1 : $clog2(CF);
    localparam AW    = (LINES <= 1) ? 1 : FW;
    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    localparam [FW-1:0] LAST_FOLD = CF - 1;
    /* verilator lint_on WIDTH */

`ifndef SYNTHESIS
    initial if (SIMD < 1 || C % SIMD != 0) begin
        $display("nashc_fmpadding: illegal parameters C=%0d SIMD=%0d", C, SIMD);
        $finish;
    end
`endif

    reg  [FW-1:0] fold_q;               // of the step
    wire          row_in, col_in, col_last;
    wire          reads    = row_in && col_in;
    wire          fold_end = fold_q == LAST_FOLD;
    wire          en;
    wire          fire     = en && (!reads || s_tvalid);
    assign s_tready = en && reads;

    always @(posedge clk) begin
        if (!rst_n) fold_q <= {FW{1'b0}};
        else if (fire) fold_q <= fold_end ? {FW{1'b0}} : fold_q + 1'b1;
    end
    nashc_padded_axis #(.SIZE(WIDTH), .BEFORE(LEFT), .GAP(COL_GAP), .AFTER(RIGHT)) u_cols (
        .clk(clk), .rst_n(rst_n), .step(fire && fold_end), .inner(col_in), .last(col_last)
    );
    // frames follow one another: nothing asks for the last row
    /* verilator lint_off PINCONNECTEMPTY */
    nashc_padded_axis #(.SIZE(HEIGHT), .BEFORE(TOP), .GAP(ROW_GAP), .AFTER(BOTTOM)) u_rows (
        .clk(clk), .rst_n(rst_n), .step(fire && fold_end && col_last), .inner(row_in), .last()
    );
    /* verilator lint_on PINCONNECTEMPTY */

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

    nashc_widen_elements #(
        .PE(SIMD), .XW(XW), .X_SIGNED(X_SIGNED), .X_BIP(X_BIP), .OUT_W(OUT_W)
    ) u_x (.x(x_q), .y(x));

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
        end
        if (past_q && $past(rst_n) && rst_n && $past(m_tvalid && !m_tready)) begin
            assert (m_tvalid);
            assert (m_tdata == $past(m_tdata));
        end
    end
`endif
endmodule
`default_nettype wire
