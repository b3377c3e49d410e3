// nashc_fmpadding_positions.v: frames of HEIGHT x WIDTH positions with constants around them and
// rows of constants between, POSITIONS next to each other a beat, each with all its C channels.
// OH*OW/POSITIONS steps a frame, OH = TOP + (HEIGHT - 1)*(ROW_GAP + 1) + 1 + BOTTOM, OW = LEFT +
// WIDTH + RIGHT; each writes, and reads iff it belongs to a row of the frame and its beat is one
// of the WIDTH/POSITIONS from beat LEFT/POSITIONS on; LATENCY 1. LEFT % POSITIONS positions of a
// beat wait for the next one in a register. Two counters, a multiplexer, three registers of a beat.
// POSITIONS divides WIDTH and OW; SHARED: one constant word of C channels as nashc_fmpadding has.
`default_nettype none
module nashc_fmpadding_positions #(
    parameter C         = 4,            // channels
    parameter POSITIONS = 2,            // of a beat
    parameter HEIGHT    = 3,            // rows
    parameter WIDTH     = 4,            // columns
    parameter TOP       = 1,            // rows and columns of the border
    parameter LEFT      = 1,
    parameter BOTTOM    = 1,
    parameter RIGHT     = 1,
    parameter ROW_GAP   = 0,            // rows between two of the frame
    parameter XW        = 4,            // bits per input
    parameter X_SIGNED  = 0,
    parameter X_BIP     = 0,            // 1: s is bipolar, m is not
    parameter OUT_W     = 4,            // bits per output
    parameter MEM_DIR   = ".",
    parameter FILE      = "param.dat"   // one line: all channels
) (
    input  wire                         clk,
    input  wire                         rst_n,
    input  wire [POSITIONS*C*XW-1:0]    s_tdata,
    input  wire                         s_tvalid,
    output wire                         s_tready,
    output wire [POSITIONS*C*OUT_W-1:0] m_tdata,
    output wire                         m_tvalid,
    input  wire                         m_tready
);
    localparam BEFORE = LEFT / POSITIONS, LATE = LEFT % POSITIONS;
    localparam BEATS  = WIDTH / POSITIONS;
    localparam AFTER  = (LEFT + WIDTH + RIGHT) / POSITIONS - BEFORE - BEATS;
    localparam PW     = C * OUT_W;      // bits of a position
    localparam LW     = (LATE == 0) ? 1 : LATE * C * XW;

`ifndef SYNTHESIS
    initial if (POSITIONS < 1 || WIDTH % POSITIONS != 0
                || (LEFT + WIDTH + RIGHT) % POSITIONS != 0) begin
        $display("nashc_fmpadding_positions: illegal parameters POSITIONS=%0d WIDTH=%0d",
                 POSITIONS, WIDTH);
        $finish;
    end
`endif

    wire row_in, col_in, col_last;
    wire reads = row_in && col_in;
    wire en;
    wire fire  = en && (!reads || s_tvalid);
    assign s_tready = en && reads;

    nashc_padded_axis #(.SIZE(BEATS), .BEFORE(BEFORE), .GAP(0), .AFTER(AFTER)) u_cols (
        .clk(clk), .rst_n(rst_n), .step(fire), .inner(col_in), .last(col_last)
    );
    // frames follow one another: nothing asks for the last row
    /* verilator lint_off PINCONNECTEMPTY */
    nashc_padded_axis #(.SIZE(HEIGHT), .BEFORE(TOP), .GAP(ROW_GAP), .AFTER(BOTTOM)) u_rows (
        .clk(clk), .rst_n(rst_n), .step(fire && col_last), .inner(row_in), .last()
    );
    /* verilator lint_on PINCONNECTEMPTY */

    // --- the beat, behind the last positions of the one before -----------------------------------
    // A row that leaves some behind has a beat more than it reads, so none come into the next row.
    wire [PW-1:0]             value;
    wire [POSITIONS*PW-1:0]   x, y;
    wire [POSITIONS*C*XW-1:0] moved;
    reg  [POSITIONS*C*XW-1:0] moved_q;
    wire                      had;      // the step before read
    reg                       reads_q, had_q;
    always @(posedge clk) if (en) begin
        moved_q <= moved;
        reads_q <= reads;
        had_q   <= had;
    end
    generate
        if (LATE == 0) begin : g_whole
            assign moved = s_tdata;
            assign had   = 1'b0;
        end else begin : g_late
            reg [LW-1:0] late_q;
            reg          last_q;
            always @(posedge clk) begin
                if (!rst_n) last_q <= 1'b0;
                else if (fire) last_q <= reads;
                if (fire && reads) late_q <= s_tdata[POSITIONS*C*XW-1 -: LW];
            end
            assign moved = {s_tdata[POSITIONS*C*XW-LW-1:0], late_q};
            assign had   = last_q;
        end
    endgenerate

    nashc_rom #(.W(PW), .DEPTH(1), .FILE({MEM_DIR, "/", FILE})) u_rom (
        .clk(clk), .en(en), .addr(1'b0), .q(value)
    );
    nashc_widen_elements #(
        .PE(POSITIONS*C), .XW(XW), .X_SIGNED(X_SIGNED), .X_BIP(X_BIP), .OUT_W(OUT_W)
    ) u_x (.x(moved_q), .y(x));
    genvar p;
    generate
        for (p = 0; p < POSITIONS; p = p + 1) begin : g_position
            assign y[p*PW +: PW] = (p < LATE ? had_q : reads_q) ? x[p*PW +: PW] : value;
        end
    endgenerate

    nashc_pipe #(.W(POSITIONS*PW), .LATENCY(1)) u_pipe (
        .clk(clk), .rst_n(rst_n), .fire(fire), .writes(1'b1), .en(en), .data(y),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );

`ifdef FORMAL
    reg past_q = 1'b0;
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);
        if (past_q && $past(rst_n) && rst_n && $past(m_tvalid && !m_tready)) begin
            assert (m_tvalid);
            assert (m_tdata == $past(m_tdata));
        end
    end
`endif
endmodule
`default_nettype wire
