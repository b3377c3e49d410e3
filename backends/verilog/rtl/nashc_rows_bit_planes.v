// nashc_rows_bit_planes.v: PE rows of x times weights without multipliers, modulo 2**SW: for each
// bit plane of one operand the gated sum of the other, weighted by the plane's power of two
// (negative for a sign bit). One result/cycle, 1 + PIPE stages, PE*SIMD*planes gated adders: the
// planes are those of the narrower operand. A bipolar x (XW 1, X_BIP) counts as +1 or -1.
// PE, SIMD, XW, WW >= 1.
`default_nettype none
module nashc_rows_bit_planes #(
    parameter PE       = 2,             // rows
    parameter SIMD     = 8,             // columns
    parameter XW       = 4,             // bits per input
    parameter X_SIGNED = 0,
    parameter X_BIP    = 0,             // 1: x is bipolar (XW 1)
    parameter WW       = 4,             // bits per weight
    parameter W_SIGNED = 1,
    parameter SW       = 11,            // bits per sum
    parameter PIPE     = 0              // 1: a register stage between gated sums and their sum
) (
    input  wire                  clk,
    input  wire                  en,
    input  wire [SIMD*XW-1:0]    x,
    input  wire [PE*SIMD*WW-1:0] w,     // element (p,s) at [(p*SIMD+s)*WW +: WW]
    output reg  [PE*SW-1:0]      sum_q
);
    // a has the planes, b is gated. +-1 is -2*(not x) + 1: planes "not x" (sign) and "always".
    localparam X_PLANES = (X_BIP != 0 || XW < WW) ? 1 : 0;
    localparam AW = (X_BIP != 0) ? 2 : (X_PLANES != 0) ? XW : WW;
    localparam BW = (X_PLANES != 0) ? WW : XW;
    localparam A_SIGNED = (X_BIP != 0) ? 1 : (X_PLANES != 0) ? X_SIGNED : W_SIGNED;
    localparam B_SIGNED = (X_PLANES != 0) ? W_SIGNED : X_SIGNED;
    localparam NP  = ((SIMD + 3) / 4) * 4;
    localparam NAT = BW + ((SIMD <= 1) ? 0 : $clog2(SIMD));
    localparam GW  = (NAT < SW) ? NAT : SW;             // bits per gated sum

    // Operands widen to the sum by Verilog's own rules, and a sum is cut on purpose.
    /* verilator lint_off WIDTH */
    function signed [GW-1:0] gated(input [NP*AW-1:0] a, input integer k, input [NP*BW-1:0] v);
        integer i;
        reg signed [GW-1:0] s;
        begin
            s = 0;
            for (i = 0; i < NP; i = i + 4)
                if (B_SIGNED != 0)
                    s = s + $signed({BW{a[i*AW+k]}} & v[i*BW +: BW])
                          + $signed({BW{a[(i+1)*AW+k]}} & v[(i+1)*BW +: BW])
                          + $signed({BW{a[(i+2)*AW+k]}} & v[(i+2)*BW +: BW])
                          + $signed({BW{a[(i+3)*AW+k]}} & v[(i+3)*BW +: BW]);
                else
                    s = s + ({BW{a[i*AW+k]}} & v[i*BW +: BW])
                          + ({BW{a[(i+1)*AW+k]}} & v[(i+1)*BW +: BW])
                          + ({BW{a[(i+2)*AW+k]}} & v[(i+2)*BW +: BW])
                          + ({BW{a[(i+3)*AW+k]}} & v[(i+3)*BW +: BW]);
            gated = s;
        end
    endfunction

    function [NP*AW-1:0] signs(input [SIMD*XW-1:0] xi);
        integer i;
        begin
            signs = 0;
            for (i = 0; i < SIMD; i = i + 1) signs[i*AW +: AW] = {!xi[i], 1'b1};
        end
    endfunction

    function [PE*AW*GW-1:0] sums(input [SIMD*XW-1:0] xi, input [PE*SIMD*WW-1:0] wi);
        integer p, k;
        reg [SIMD*WW-1:0] r;
        reg [NP*AW-1:0]   a;
        reg [NP*BW-1:0]   v;
        for (p = 0; p < PE; p = p + 1) begin
            r = wi[p*SIMD*WW +: SIMD*WW];
            a = (X_BIP != 0) ? signs(xi) : (X_PLANES != 0) ? xi : r;
            v = (X_PLANES != 0) ? r : xi;
            for (k = 0; k < AW; k = k + 1) sums[(p*AW+k)*GW +: GW] = gated(a, k, v);
        end
    endfunction

    function [PE*SW-1:0] total(input [PE*AW*GW-1:0] parts);
        integer p, k;
        reg [SW-1:0] s, t;
        begin
            for (p = 0; p < PE; p = p + 1) begin
                s = 0;
                for (k = 0; k < AW; k = k + 1) begin
                    if (B_SIGNED != 0) t = $signed(parts[(p*AW+k)*GW +: GW]);
                    else t = parts[(p*AW+k)*GW +: GW];
                    if (A_SIGNED != 0 && k == AW - 1) s = s - (t << k);
                    else s = s + (t << k);
                end
                total[p*SW +: SW] = s;
            end
        end
    endfunction
    /* verilator lint_on WIDTH */

    generate
        if (PIPE == 0) begin : g_one
            always @(posedge clk) if (en) sum_q <= total(sums(x, w));
        end else begin : g_two
            reg [PE*AW*GW-1:0] sums_q;
            always @(posedge clk) if (en) begin
                sums_q <= sums(x, w);
                sum_q  <= total(sums_q);
            end
        end
    endgenerate
endmodule
`default_nettype wire
