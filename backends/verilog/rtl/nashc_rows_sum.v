// nashc_rows_sum.v: for each of PE rows the sum of N elements, modulo 2**WO, behind a register.
// One result/cycle, 1 stage, PE*(N-1) adders. Functions with loops over wide operands, called by
// one clocked block, are the form that simulates fast (see nashc_rows_xnor.v). PE, N, W, WO >= 1.
`default_nettype none
module nashc_rows_sum #(
    parameter PE     = 2,               // rows
    parameter N      = 8,               // elements per row
    parameter W      = 4,               // bits per element
    parameter SIGNED = 0,               // elements are two's complement
    parameter WO     = 7                // bits per sum
) (
    input  wire              clk,
    input  wire              en,
    input  wire [PE*N*W-1:0] a,         // element i of row p at [(p*N+i)*W +: W]
    output reg  [PE*WO-1:0]  sum_q
);
    localparam NP = ((N + 3) / 4) * 4;  // rows end in zeros up to a multiple of 4

    // Operands widen to the sum by Verilog's own rules.
    /* verilator lint_off WIDTH */
    function [PE*WO-1:0] rows(input [PE*N*W-1:0] all);
        integer p, i;
        reg [NP*W-1:0] v;
        reg signed [WO-1:0] s;
        begin
            for (p = 0; p < PE; p = p + 1) begin
                v = all[p*N*W +: N*W];
                s = 0;
                for (i = 0; i < NP; i = i + 4)
                    if (SIGNED != 0)
                        s = s + $signed(v[i*W +: W]) + $signed(v[(i+1)*W +: W])
                              + $signed(v[(i+2)*W +: W]) + $signed(v[(i+3)*W +: W]);
                    else
                        s = s + v[i*W +: W] + v[(i+1)*W +: W] + v[(i+2)*W +: W]
                              + v[(i+3)*W +: W];
                rows[p*WO +: WO] = s;
            end
        end
    endfunction
    /* verilator lint_on WIDTH */

    always @(posedge clk) if (en) sum_q <= rows(a);
endmodule
`default_nettype wire
