// nashc_rows_multiply.v: PE rows of x times weights with one multiplier per pair, modulo 2**SW.
// One result/cycle, 1 + PIPE stages, PE*SIMD multipliers. A bipolar x (XW 1, X_BIP) counts as
// +1 or -1. PE, SIMD, XW, WW >= 1.
`default_nettype none
module nashc_rows_multiply #(
    parameter PE       = 2,             // rows
    parameter SIMD     = 8,             // columns
    parameter XW       = 4,             // bits per input
    parameter X_SIGNED = 0,
    parameter X_BIP    = 0,             // 1: x is bipolar (XW 1)
    parameter WW       = 4,             // bits per weight
    parameter W_SIGNED = 1,
    parameter SW       = 11,            // bits per sum
    parameter PIPE     = 0              // 1: a register stage between products and sum
) (
    input  wire                  clk,
    input  wire                  en,
    input  wire [SIMD*XW-1:0]    x,
    input  wire [PE*SIMD*WW-1:0] w,     // element (p,s) at [(p*SIMD+s)*WW +: WW]
    output wire [PE*SW-1:0]      sum
);
    // Both operands signed or both unsigned: AW and BW are their widths then.
    localparam SIGNED = (X_BIP != 0 || X_SIGNED != 0 || W_SIGNED != 0) ? 1 : 0;
    localparam AW = (X_BIP != 0) ? 2 : (SIGNED != 0 && X_SIGNED == 0) ? XW + 1 : XW;
    localparam BW = (SIGNED != 0 && W_SIGNED == 0) ? WW + 1 : WW;
    localparam PW = (AW + BW < SW) ? AW + BW : SW;      // bits per product

    // Operands widen to the sum by Verilog's own rules, and a sum is cut on purpose.
    /* verilator lint_off WIDTH */
    function [SIMD*AW-1:0] columns(input [SIMD*XW-1:0] xi);
        integer i;
        begin
            columns = 0;
            if (X_BIP != 0)
                for (i = 0; i < SIMD; i = i + 1) columns[i*AW +: AW] = {!xi[i], 1'b1};
            else if (AW == XW) columns = xi;
            else for (i = 0; i < SIMD; i = i + 1) columns[i*AW +: AW] = xi[i*XW +: XW];
        end
    endfunction

    function [SIMD*BW-1:0] row(input [SIMD*WW-1:0] wi);
        integer i;
        begin
            row = 0;
            if (BW == WW) row = wi;
            else for (i = 0; i < SIMD; i = i + 1) row[i*BW +: BW] = wi[i*WW +: WW];
        end
    endfunction

    function [PE*SIMD*PW-1:0] products(input [SIMD*XW-1:0] xi, input [PE*SIMD*WW-1:0] wi);
        integer p, i;
        reg [SIMD*AW-1:0] a;
        reg [SIMD*BW-1:0] b;
        begin
            a = columns(xi);
            for (p = 0; p < PE; p = p + 1) begin
                b = row(wi[p*SIMD*WW +: SIMD*WW]);
                for (i = 0; i < SIMD; i = i + 1)
                    if (SIGNED != 0)
                        products[(p*SIMD+i)*PW +: PW] =
                            $signed(a[i*AW +: AW]) * $signed(b[i*BW +: BW]);
                    else
                        products[(p*SIMD+i)*PW +: PW] = a[i*AW +: AW] * b[i*BW +: BW];
            end
        end
    endfunction

    // Products of their own width: a multiplier as wide as the sum would be several.
    function [PE*SW-1:0] sums(input [PE*SIMD*PW-1:0] all);
        integer p, i;
        reg signed [SW-1:0] s;
        begin
            for (p = 0; p < PE; p = p + 1) begin
                s = 0;
                for (i = 0; i < SIMD; i = i + 1)
                    if (SIGNED != 0) s = s + $signed(all[(p*SIMD+i)*PW +: PW]);
                    else s = s + all[(p*SIMD+i)*PW +: PW];
                sums[p*SW +: SW] = s;
            end
        end
    endfunction
    /* verilator lint_on WIDTH */

    generate
        if (PIPE == 0) begin : g_one
            reg [PE*SW-1:0] sum_q;
            always @(posedge clk) if (en) sum_q <= sums(products(x, w));
            assign sum = sum_q;
        end else begin : g_two
            reg [PE*SIMD*PW-1:0] prod_q;
            always @(posedge clk) if (en) prod_q <= products(x, w);
            nashc_rows_sum #(.PE(PE), .SIMD(SIMD), .XW(PW), .X_SIGNED(SIGNED), .SW(SW)) u_sum (
                .clk(clk), .en(en), .a(prod_q), .sum_q(sum)
            );
        end
    endgenerate
endmodule
`default_nettype wire
