// nashc_dwc.v: width conversion between any two widths, low bits first, one beat a cycle on the
// side with more beats. Steps max(in beats, out beats) a frame, LATENCY 0; a frame's bits must fill
// whole beats on both sides. S_W <= M_W: each step reads, and writes when M_W bits are there.
// S_W > M_W: each step writes, and reads when fewer than M_W bits are there. S_W that divides M_W
// is a line (docs/timing.md) of M_W bits, which are the output, and S_W bits before it; others have
// a buffer of max(S_W, M_W) - gcd(S_W, M_W) bits and a skid, and no barrel shifter if M_W divides
// S_W.
`default_nettype none
module nashc_dwc #(
    parameter S_W = 8,                  // bits per input beat
    parameter M_W = 32                  // bits per output beat
) (
    input  wire           clk,
    input  wire           rst_n,
    input  wire [S_W-1:0] s_tdata,
    input  wire           s_tvalid,
    output wire           s_tready,
    output wire [M_W-1:0] m_tdata,
    output wire           m_tvalid,
    input  wire           m_tready
);
    function integer gcd(input integer a, input integer b);
        integer x, y, t;
        begin
            x = a;
            y = b;
            while (y != 0) begin
                t = x % y;
                x = y;
                y = t;
            end
            gcd = x;
        end
    endfunction

    localparam G  = gcd(S_W, M_W);      // bits per unit
    localparam IU = S_W / G;
    localparam OU = M_W / G;
    localparam BU = ((IU > OU) ? IU : OU) - 1;          // units in the buffer
    localparam FW = (BU < 1) ? 1 : $clog2(BU + 1);

`ifndef SYNTHESIS
    initial if (S_W < 1 || M_W < 1) begin
        $display("nashc_dwc: illegal parameters S_W=%0d M_W=%0d", S_W, M_W);
        $finish;
    end
`endif

    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    localparam [FW:0] IN_U  = IU;
    localparam [FW:0] OUT_U = OU;
    /* verilator lint_on WIDTH */

    generate
        if (BU == 0) begin : g_same
            nashc_skid #(.W(M_W)) u_skid (
                .clk(clk), .rst_n(rst_n),
                .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
                .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
            );
        end else if (IU == 1) begin : g_up
            reg  [FW-1:0]      fill_q;  // units in the line that are no result yet
            reg  [M_W-1:0]     line_q;
            wire               move;
            wire               due = {1'b0, fill_q} == OUT_U - 1'b1;
            wire [S_W-1:0]     word;
            wire [M_W+S_W-1:0] line_d = {word, line_q};
            assign m_tdata = line_q;

            nashc_line_end #(.W(S_W)) u_end (
                .clk(clk), .rst_n(rst_n), .s_tdata(s_tdata), .s_tvalid(s_tvalid),
                .s_tready(s_tready), .move(move), .word(word), .due(due), .m_tvalid(m_tvalid),
                .m_tready(m_tready)
            );
            always @(posedge clk) if (move) line_q <= line_d[M_W+S_W-1:S_W];
            always @(posedge clk) begin
                if (!rst_n) fill_q <= {FW{1'b0}};
                else if (move) fill_q <= due ? {FW{1'b0}} : fill_q + 1'b1;
            end
            wire unused = &{1'b0, line_d[S_W-1:0], IN_U};
`ifdef FORMAL
            reg [11:0] in_q = 12'd0, out_q = 12'd0;     // units moved
            reg        seen_q = 1'b0;
            wire [11:0] inside = in_q - out_q;
            always @(posedge clk) begin
                seen_q <= 1'b1;
                assume (rst_n == seen_q);
                if (rst_n) begin
                    if (s_tvalid && s_tready) in_q <= in_q + 1;
                    if (m_tvalid && m_tready) out_q <= out_q + OU;
                    assert (fill_q < OU);
                    assert (!m_tvalid || fill_q == 0);
                    assert (m_tvalid || s_tready);
                    // what went in came out, or is in the line or before it
                    assert (inside == fill_q + OU * m_tvalid + !s_tready);
                end
                if (seen_q && $past(rst_n) && rst_n && $past(m_tvalid && !m_tready)) begin
                    assert (m_tvalid);
                    assert (m_tdata == $past(m_tdata));
                end
            end
`endif
        end else begin : g_convert
            wire           reads, writes, room;
            wire           en   = !writes || room;
            wire           fire = en && (!reads || s_tvalid);
            wire [M_W-1:0] data;
            assign s_tready = en && reads;

            nashc_skid #(.W(M_W)) u_skid (
                .clk(clk), .rst_n(rst_n),
                .s_tdata(data), .s_tvalid(fire && writes), .s_tready(room),
                .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
            );

            reg  [FW-1:0] fill_q;       // units in the buffer
            wire [FW:0]   fill = {1'b0, fill_q};
            wire [FW:0]   fill_d;

            always @(posedge clk) begin
                if (!rst_n) fill_q <= {FW{1'b0}};
                else if (fire) fill_q <= fill_d[FW-1:0];
            end
            wire unused = fill_d[FW];   // never set: the buffer has BU units
`ifdef FORMAL
            reg [11:0] in_q = 12'd0, out_q = 12'd0;     // units moved
            reg        seen_q = 1'b0;
            wire [11:0] inside = in_q - out_q;
            always @(posedge clk) begin
                seen_q <= 1'b1;
                assume (rst_n == seen_q);
                if (rst_n) begin
                    if (s_tvalid && s_tready) in_q <= in_q + IU;
                    if (m_tvalid && m_tready) out_q <= out_q + OU;
                    assert (fill <= BU);
                    // what went in came out, or is in the buffer or the skid
                    assert (inside == fill + OU * (m_tvalid + !room));
                    assert (m_tvalid || room);
                end
            end
`endif

            if (OU == 1) begin : g_down // whole ratio: a shift register, no multiplexer
                reg  [S_W-M_W-1:0] buf_q;
                wire [S_W-1:0]     rest = {{M_W{1'b0}}, buf_q};
                wire [S_W-1:0]     all  = reads ? s_tdata : rest;
                assign reads  = fill_q == {FW{1'b0}};
                assign writes = 1'b1;
                assign fill_d = reads ? IN_U - 1'b1 : fill - 1'b1;
                assign data   = all[M_W-1:0];
                always @(posedge clk) if (fire) buf_q <= all[S_W-1:M_W];
            end else begin : g_gear
                localparam BW = BU * G;                 // bits in the buffer
                localparam AW = (IU + OU - 1) * G;  // what a step may see
                reg  [BW-1:0] buf_q;                    // zero above its fill
                wire [BW-1:0] held = (fill_q == {FW{1'b0}}) ? {BW{1'b0}} : buf_q;
                wire [AW-1:0] next = {{(AW-S_W){1'b0}}, s_tdata} << (fill_q * G);
                wire [AW-1:0] all  = {{(AW-BW){1'b0}}, held} | (reads ? next : {AW{1'b0}});
                wire [FW:0]   sum  = fill + (reads ? IN_U : {(FW+1){1'b0}});
                if (IU < OU) begin : g_wider
                    assign reads  = 1'b1;
                    assign writes = sum >= OUT_U;
                    wire [AW-1:0] low = {{(AW-BW){1'b0}}, all[BW-1:0]};
                    // What leaves the buffer is zero above it.
                    /* verilator lint_off UNUSEDSIGNAL */
                    wire [AW-1:0] left = writes ? all >> M_W : low;
                    /* verilator lint_on UNUSEDSIGNAL */
                    always @(posedge clk) if (fire) buf_q <= left[BW-1:0];
                end else begin : g_narrower
                    assign reads  = fill < OUT_U;
                    assign writes = 1'b1;
                    // What leaves the buffer is zero above it.
                    /* verilator lint_off UNUSEDSIGNAL */
                    wire [AW-1:0] left = all >> M_W;
                    /* verilator lint_on UNUSEDSIGNAL */
                    always @(posedge clk) if (fire) buf_q <= left[BW-1:0];
                end
                assign fill_d = writes ? sum - OUT_U : sum;
                assign data   = all[M_W-1:0];
            end
        end
    endgenerate
endmodule
`default_nettype wire
