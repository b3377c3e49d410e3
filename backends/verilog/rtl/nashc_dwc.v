// nashc_dwc.v: width conversion between any two widths, low bits first, one beat a cycle on the
// side with more beats. Steps max(in beats, out beats) a frame, LATENCY 0; a frame's bits must fill
// whole beats on both sides. S_W <= M_W: each step reads, and writes when M_W bits are there.
// S_W > M_W: each step writes, and reads when fewer than M_W bits are there. Buffer of
// max(S_W, M_W) - gcd(S_W, M_W) bits, no barrel shifter if one width divides the other.
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

    wire reads, writes, room;
    wire en   = !writes || room;
    wire fire = en && (!reads || s_tvalid);
    wire [M_W-1:0] data;
    assign s_tready = en && reads;

    nashc_skid #(.W(M_W)) u_skid (
        .clk(clk), .rst_n(rst_n),
        .s_tdata(data), .s_tvalid(fire && writes), .s_tready(room),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );

    generate
        if (BU == 0) begin : g_same
            assign reads  = 1'b1;
            assign writes = 1'b1;
            assign data   = s_tdata;
        end else begin : g_convert
            // constants are cut to the width of what they meet
            /* verilator lint_off WIDTH */
            localparam [FW:0] IN_U  = IU;
            localparam [FW:0] OUT_U = OU;
            /* verilator lint_on WIDTH */
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

            if (IU == 1) begin : g_up   // whole ratio: a shift register, no multiplexer
                reg  [M_W-S_W-1:0] buf_q;
                wire [M_W-1:0]     all = {s_tdata, buf_q};
                assign reads  = 1'b1;
                assign writes = fill == OUT_U - 1'b1;
                assign fill_d = writes ? {(FW+1){1'b0}} : fill + 1'b1;
                assign data   = all;
                always @(posedge clk) if (fire) buf_q <= all[M_W-1:S_W];
            end else if (OU == 1) begin : g_down
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
