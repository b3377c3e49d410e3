// nashc_window_positions.v: windows of words of several positions: a line of such words, of which
// WINDOWS windows next to each other are given at once.
// Steps, writes, timing and what is kept as nashc_window_line with the same parameters, W of a
// position: it sees rows of SPAN words, and of those only what belongs to a window goes on. Column
// k of window w is position BEGIN + w*STEP + k*APART of its row of SPAN*POSITIONS positions; a row
// has COLUMNS of them. TAPS0*TAPS1*TAPS2*TAPS3 is a multiple of SPAN, the rows are its parts.
`default_nettype none
module nashc_window_positions #(
    parameter W         = 8,            // bits per position
    parameter POSITIONS = 2,            // of a word
    parameter NEWEST    = 0,            // these are of nashc_window_line, in words
    parameter COUNT0    = 1, parameter COUNT1 = 1, parameter COUNT2 = 1, parameter COUNT3 = 1,
    parameter MOVE0     = 1, parameter MOVE1  = 1, parameter MOVE2  = 1, parameter MOVE3  = 1,
    parameter MOVE8     = 1,
    parameter TAPS0     = 1, parameter TAPS1  = 1, parameter TAPS2  = 1, parameter TAPS3  = 1,
    parameter GAP0      = 1, parameter GAP1   = 1, parameter GAP2   = 1, parameter GAP3   = 1,
    parameter WINDOWS   = 2,
    parameter SPAN      = 1,
    parameter COLUMNS   = 1,
    parameter BEGIN     = 0,
    parameter STEP      = 1,
    parameter APART     = 1,
    parameter RAM_STYLE = "auto",
    parameter ROWS      = TAPS0 * TAPS1 * TAPS2 * TAPS3 / SPAN  // derived, not to be set
) (
    input  wire                                clk,
    input  wire                                rst_n,
    input  wire [POSITIONS*W-1:0]              s_tdata,
    input  wire                                s_tvalid,
    output wire                                s_tready,
    output wire [WINDOWS*ROWS*COLUMNS*W-1:0]   m_tdata, // window w, row r, column k at
                                                        // [((w*ROWS+r)*COLUMNS+k)*W +: W]
    output wire                                m_tvalid,
    input  wire                                m_tready
);
`ifndef SYNTHESIS
    initial if (POSITIONS < 1 || BEGIN < 0 || BEGIN >= POSITIONS
                || BEGIN + (WINDOWS - 1) * STEP + (COLUMNS - 1) * APART >= SPAN * POSITIONS) begin
        $display("nashc_window_positions: illegal parameters POSITIONS=%0d SPAN=%0d BEGIN=%0d",
                 POSITIONS, SPAN, BEGIN);
        $finish;
    end
`endif

    // positions beside the windows are seen, but by nobody
    /* verilator lint_off UNUSEDSIGNAL */
    wire [ROWS*SPAN*POSITIONS*W-1:0] seen;
    /* verilator lint_on UNUSEDSIGNAL */

    nashc_window_line #(
        .W(POSITIONS*W), .NEWEST(NEWEST),
        .COUNT0(COUNT0), .COUNT1(COUNT1), .COUNT2(COUNT2), .COUNT3(COUNT3),
        .MOVE0(MOVE0), .MOVE1(MOVE1), .MOVE2(MOVE2), .MOVE3(MOVE3), .MOVE8(MOVE8),
        .TAPS0(TAPS0), .TAPS1(TAPS1), .TAPS2(TAPS2), .TAPS3(TAPS3),
        .GAP0(GAP0), .GAP1(GAP1), .GAP2(GAP2), .GAP3(GAP3), .RAM_STYLE(RAM_STYLE)
    ) u_line (
        .clk(clk), .rst_n(rst_n), .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
        .m_tdata(seen), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );

    genvar w, r, k;
    generate
        for (w = 0; w < WINDOWS; w = w + 1) begin : g_window
            for (r = 0; r < ROWS; r = r + 1) begin : g_row
                for (k = 0; k < COLUMNS; k = k + 1) begin : g_column
                    assign m_tdata[((w*ROWS + r)*COLUMNS + k)*W +: W] =
                        seen[(r*SPAN*POSITIONS + BEGIN + w*STEP + k*APART)*W +: W];
                end
            end
        end
    endgenerate
endmodule
`default_nettype wire
