// nashc_pool.v: reduces rows of C channels, channel by channel. The rows are seen as [outer][KH]
// [OW][KW]; row (outer, ow) of the result is the maximum, minimum or sum over all kh and kw.
// Throughput 1 beat/cycle, KH*OW*KW/SIMD*C/PE steps an outer index, each reads; it writes iff kh
// and kw are last. A beat is SIMD rows of PE channels. LATENCY 2 + (SIMD > 1). PE*SIMD adders or
// comparators, OW*C*OUT_W accumulator bits in lines of PE*OUT_W (one line is a register). PE
// divides C, SIMD divides KW and is 1 unless PE = C; OUT_W = XW for maximum and minimum; sums are
// taken modulo 2**OUT_W.
`default_nettype none
module nashc_pool #(
    parameter C         = 4,            // channels
    parameter PE        = 2,            // lanes
    parameter SIMD      = 1,            // rows of a beat
    parameter FUNC      = 4,            // as in nashc_elementwise: 0 add, 4 max, 5 min
    parameter KH        = 2,            // rows of a group, far from each other
    parameter OW        = 3,            // groups beside each other
    parameter KW        = 2,            // rows of a group, next to each other
    parameter XW        = 4,            // bits per input
    parameter X_SIGNED  = 0,
    parameter X_BIP     = 0,            // 1: x is bipolar (XW 1), y is not
    parameter OUT_W     = 4,            // bits per output
    parameter RAM_STYLE = "auto"
) (
    input  wire                clk,
    input  wire                rst_n,
    input  wire [PE*SIMD*XW-1:0] s_tdata, // channel p of row s at [(s*PE+p)*XW +: XW]
    input  wire                s_tvalid,
    output wire                s_tready,
    output wire [PE*OUT_W-1:0] m_tdata,
    output wire                m_tvalid,
    input  wire                m_tready
);
    localparam CF  = C / PE;
    localparam D   = OW * CF;           // accumulators of a lane
    localparam AW  = (D <= 1) ? 1 : $clog2(D);
    localparam CW  = (CF <= 1) ? 1 : $clog2(CF);
    localparam KS  = KW / SIMD;         // beats of a group, next to each other
    localparam KWW = (KS <= 1) ? 1 : $clog2(KS);
    localparam KHW = (KH <= 1) ? 1 : $clog2(KH);
    localparam EW  = (X_BIP != 0) ? 2 : XW;         // bits per accumulated element
    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    localparam [CW-1:0]  CF_LAST = CF - 1;
    localparam [KWW-1:0] KW_LAST = KS - 1;
    localparam [KHW-1:0] KH_LAST = KH - 1;
    localparam [AW-1:0]  STEP    = CF;
    localparam [AW-1:0]  OW_LAST = (OW - 1) * CF;
    /* verilator lint_on WIDTH */

`ifndef SYNTHESIS
    initial if (PE < 1 || C % PE != 0 || SIMD < 1 || KW % SIMD != 0 || (SIMD > 1 && PE != C)
                || KH < 1 || OW < 1 || KW < 1
                || (FUNC != 0 && FUNC != 4 && FUNC != 5)
                || (FUNC != 0 && OUT_W != XW) || (X_BIP != 0 && (FUNC != 0 || XW != 1))) begin
        $display("nashc_pool: illegal parameters C=%0d PE=%0d FUNC=%0d KH=%0d OW=%0d KW=%0d",
                 C, PE, FUNC, KH, OW, KW);
        $display("nashc_pool: SIMD=%0d XW=%0d X_BIP=%0d OUT_W=%0d", SIMD, XW, X_BIP, OUT_W);
        $finish;
    end
`endif

    // --- steps: channels within kw within ow within kh -------------------------------------------
    wire           en;
    wire           fire = en && s_tvalid;
    reg  [CW-1:0]  cf_q;
    reg  [KWW-1:0] kw_q;
    reg  [AW-1:0]  base_q;              // ow*CF
    reg  [KHW-1:0] kh_q;
    wire           cf_last = cf_q == CF_LAST;
    wire           kw_last = kw_q == KW_LAST;
    wire           ow_last = base_q == OW_LAST;
    wire           kh_last = kh_q == KH_LAST;
    assign s_tready = en;

    always @(posedge clk) begin
        if (!rst_n) begin
            cf_q   <= {CW{1'b0}};
            kw_q   <= {KWW{1'b0}};
            base_q <= {AW{1'b0}};
            kh_q   <= {KHW{1'b0}};
        end else if (fire) begin
            cf_q <= cf_last ? {CW{1'b0}} : cf_q + 1'b1;
            if (cf_last) kw_q <= kw_last ? {KWW{1'b0}} : kw_q + 1'b1;
            if (cf_last && kw_last) base_q <= ow_last ? {AW{1'b0}} : base_q + STEP;
            if (cf_last && kw_last && ow_last) kh_q <= kh_last ? {KHW{1'b0}} : kh_q + 1'b1;
        end
    end

    // --- stage 1: the beat; SIMD > 1: its rows as one -------------------------------------------
    reg  [PE*SIMD*XW-1:0] x_q;
    wire [PE*SIMD*EW-1:0] x;
    wire [PE*OUT_W-1:0]   y;
    always @(posedge clk) if (en) x_q <= s_tdata;

    genvar p;
    generate
        if (X_BIP != 0) begin : g_signs
            for (p = 0; p < PE * SIMD; p = p + 1) begin : g_lane
                assign x[p*2 +: 2] = {!x_q[p], 1'b1};
            end
        end else begin : g_plain
            assign x = x_q;
        end
    endgenerate

    /* verilator lint_off WIDTH */
    wire [AW-1:0] addr = base_q + cf_q; // cf_q has at most as many bits
    /* verilator lint_on WIDTH */
    localparam SIGNED = (X_BIP != 0) ? 1 : X_SIGNED;
    localparam RW     = (SIMD > 1) ? OUT_W : EW;        // bits of what is accumulated
    wire [AW+2:0]     here = {fire, kw_q == {KWW{1'b0}} && kh_q == {KHW{1'b0}},
                              CF == 1 && kw_q != {KWW{1'b0}}, addr};
    wire [AW+2:0]     step;             // of the beat whose rows come next cycle
    wire [PE*RW-1:0]  row;
    generate
        if (SIMD > 1) begin : g_rows
            // Inputs widen to the result by Verilog's own rules.
            /* verilator lint_off WIDTH */
            function [PE*OUT_W-1:0] reduce(input [PE*SIMD*EW-1:0] rows);
                integer l, s;
                reg [OUT_W-1:0] a, b;
                reg             less;
                for (l = 0; l < PE; l = l + 1) begin
                    b = {OUT_W{1'b0}};
                    for (s = 0; s < SIMD; s = s + 1) begin
                        if (SIGNED != 0) a = $signed(rows[(s*PE+l)*EW +: EW]);
                        else a = rows[(s*PE+l)*EW +: EW];
                        if (SIGNED != 0) less = $signed(a) < $signed(b);
                        else less = a < b;
                        if (FUNC == 0) b = a + b;
                        else if (s == 0 || less == (FUNC == 5)) b = a;
                    end
                    reduce[l*OUT_W +: OUT_W] = b;
                end
            endfunction
            /* verilator lint_on WIDTH */
            reg [AW+2:0]       step_q;
            reg [PE*OUT_W-1:0] row_q;
            always @(posedge clk) if (en) begin
                step_q <= here;
                row_q  <= reduce(x);
            end
            assign step = step_q;
            assign row  = row_q;
        end else begin : g_row
            assign step = here;
            assign row  = x;
        end
    endgenerate

    // --- the last stage: accumulators ------------------------------------------------------------
    nashc_accumulate #(
        .PE(PE), .FUNC(FUNC), .XW(RW), .X_SIGNED(SIGNED), .ACC_W(OUT_W), .ACCS(D),
        .RAM_STYLE(RAM_STYLE)
    ) u_acc (
        .clk(clk), .en(en), .step(step[AW+2]), .first(step[AW+1]), .again(step[AW]),
        .addr(step[AW-1:0]), .x(row), .y(y)
    );

    nashc_pipe #(.W(PE*OUT_W), .LATENCY((SIMD > 1) ? 3 : 2)) u_pipe (
        .clk(clk), .rst_n(rst_n), .fire(fire), .writes(kw_last && kh_last), .en(en), .data(y),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );

`ifdef FORMAL
    reg past_q = 1'b0;
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);
        if (rst_n) begin
            assert (cf_q <= CF_LAST);
            assert (kw_q <= KW_LAST);
            assert (kh_q <= KH_LAST);
            assert (base_q <= OW_LAST && base_q % CF == 0);
            assert (addr < D);
        end
        if (past_q && $past(rst_n) && rst_n && $past(m_tvalid && !m_tready)) begin
            assert (m_tvalid);
            assert (m_tdata == $past(m_tdata));
        end
    end
`endif
endmodule
`default_nettype wire
