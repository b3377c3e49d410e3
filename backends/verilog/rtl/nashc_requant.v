// nashc_requant.v: y = clamp(floor((x * m[c] + a[c]) / 2**SHIFT), QMIN, QMAX); EVEN takes 1 from an
// odd quotient without remainder, as rounding ties to even does.
// Throughput 1 beat/cycle, C/PE steps a vector, LATENCY 3. PE multipliers XW+1 by FACTOR_W bits,
// adders and clamps; C*(FACTOR_W+ADDEND_W) memory bits in lines of PE*(FACTOR_W+ADDEND_W), a[c]
// above m[c]. PE divides C; C = PE with one line serves all channels. y is taken modulo 2**OUT_W.
`default_nettype none
module nashc_requant #(
    parameter C         = 4,            // channels
    parameter PE        = 1,            // lanes
    parameter XW        = 8,            // bits per input
    parameter X_SIGNED  = 1,
    parameter FACTOR_W  = 8,            // bits of m, two's complement
    parameter ADDEND_W  = 8,            // bits of a, two's complement
    parameter SHIFT     = 0,
    parameter EVEN      = 0,
    parameter QMIN      = 0,
    parameter QMAX      = 255,
    parameter OUT_W     = 8,            // bits per output
    parameter MEM_DIR   = ".",
    parameter FILE      = "param.dat",
    parameter RAM_STYLE = "auto"
) (
    input  wire                clk,
    input  wire                rst_n,
    input  wire [PE*XW-1:0]    s_tdata,
    input  wire                s_tvalid,
    output wire                s_tready,
    output wire [PE*OUT_W-1:0] m_tdata,
    output wire                m_tvalid,
    input  wire                m_tready
);
    localparam CF = C / PE;
    localparam FW = (CF <= 1) ? 1 : $clog2(CF);
    localparam LW = FACTOR_W + ADDEND_W;            // bits a channel
    localparam PW = XW + 1 + FACTOR_W;  // bits of a product
    localparam SW = ((PW > ADDEND_W) ? PW : ADDEND_W) + 1;
    /* verilator lint_off WIDTH */
    localparam [FW-1:0] LAST = CF - 1;
    /* verilator lint_on WIDTH */

`ifndef SYNTHESIS
    initial if (PE < 1 || C % PE != 0 || XW < 1 || FACTOR_W < 1 || ADDEND_W < 1 || SHIFT < 0
                || QMIN > QMAX) begin
        $display("nashc_requant: illegal parameters C=%0d PE=%0d SHIFT=%0d QMIN=%0d QMAX=%0d",
                 C, PE, SHIFT, QMIN, QMAX);
        $finish;
    end
`endif

    wire                en;
    wire                fire = en && s_tvalid;
    wire [PE*LW-1:0]    param;
    wire [PE*OUT_W-1:0] y_d;
    reg  [FW-1:0]       fold_q;
    reg  [PE*XW-1:0]    x_q;
    reg  [PE*OUT_W-1:0] y_q;
    assign s_tready = en;

    always @(posedge clk) begin
        if (!rst_n) fold_q <= {FW{1'b0}};
        else if (fire) fold_q <= (fold_q == LAST) ? {FW{1'b0}} : fold_q + 1'b1;
    end
    always @(posedge clk) if (en) begin
        x_q <= s_tdata;
        y_q <= y_d;
    end

    nashc_rom #(
        .W(PE*LW), .DEPTH(CF), .FILE({MEM_DIR, "/", FILE}), .RAM_STYLE(RAM_STYLE)
    ) u_rom (.clk(clk), .en(en), .addr(fold_q), .q(param));

    genvar p;
    generate
        for (p = 0; p < PE; p = p + 1) begin : g_lane
            wire signed [XW:0]         x = {(X_SIGNED != 0) && x_q[p*XW + XW - 1], x_q[p*XW +: XW]};
            wire signed [FACTOR_W-1:0] m = param[p*LW +: FACTOR_W];
            wire signed [ADDEND_W-1:0] a = param[p*LW + FACTOR_W +: ADDEND_W];
            reg  signed [PW-1:0]       product_q;
            reg  signed [ADDEND_W-1:0] a_q;
            // Operands widen to the sum; the clamped result has no more than the output's bits.
            /* verilator lint_off WIDTH */
            wire signed [SW-1:0] sum = product_q + a_q;
            wire signed [SW-1:0] down = sum >>> SHIFT;
            wire tie = (EVEN != 0) && down[0] && sum == (down <<< SHIFT);
            wire signed [SW-1:0] q = tie ? down - 1 : down;
            assign y_d[p*OUT_W +: OUT_W] = (q < QMIN) ? QMIN : (q > QMAX) ? QMAX : q;
            /* verilator lint_on WIDTH */
            always @(posedge clk) if (en) begin
                product_q <= x * m;
                a_q <= a;
            end
        end
    endgenerate

    nashc_pipe #(.W(PE*OUT_W), .LATENCY(3)) u_pipe (
        .clk(clk), .rst_n(rst_n), .fire(fire), .writes(1'b1), .en(en), .data(y_q),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );
endmodule
`default_nettype wire
