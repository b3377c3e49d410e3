// nashc_rows_sum.v: for each of PE rows the sum of SIMD elements, modulo 2**SW, behind a register.
// One result/cycle, 1 stage, PE*(SIMD-1) adders. Functions with loops over wide operands, called by
// one clocked block, are the form that simulates fast (see nashc_rows_xnor.v). PE, SIMD,
// XW, SW >= 1.
`default_nettype none
module nashc_rows_sum #(
    parameter PE       = 2,             // rows
    parameter SIMD     = 8,             // elements per row
    parameter XW       = 4,             // bits per element
    parameter X_SIGNED = 0,             // elements are two's complement
    parameter SW       = 7              // bits per sum
) (
    input  wire                  clk,
    input  wire                  en,
    input  wire [PE*SIMD*XW-1:0] a,     // element i of row p at [(p*SIMD+i)*XW +: XW]
    output reg  [PE*SW-1:0]      sum_q
);
    localparam NP = ((SIMD + 3) / 4) * 4;           // rows end in zeros up to a multiple of 4

    // Operands widen to the sum by Verilog's own rules.
    /* verilator lint_off WIDTH */
    function [PE*SW-1:0] rows(input [PE*SIMD*XW-1:0] all);
        integer p, i;
        reg [NP*XW-1:0] v;
        reg signed [SW-1:0] s;
        begin
            for (p = 0; p < PE; p = p + 1) begin
                v = all[p*SIMD*XW +: SIMD*XW];
                s = 0;
                for (i = 0; i < NP; i = i + 4)
                    if (X_SIGNED != 0)
                        s = s + $signed(v[i*XW +: XW]) + $signed(v[(i+1)*XW +: XW])
                              + $signed(v[(i+2)*XW +: XW]) + $signed(v[(i+3)*XW +: XW]);
                    else
                        s = s + v[i*XW +: XW] + v[(i+1)*XW +: XW] + v[(i+2)*XW +: XW]
                              + v[(i+3)*XW +: XW];
                rows[p*SW +: SW] = s;
            end
        end
    endfunction
    /* verilator lint_on WIDTH */

    always @(posedge clk) if (en) sum_q <= rows(a);
endmodule
`default_nettype wire
