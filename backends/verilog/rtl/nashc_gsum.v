// nashc_gsum.v: sum of those of N elements whose gate bit is set, modulo 2**WO: a matrix row of 0/1
// weights. Combinational, N gated adders, no multiplier. N, W, WO >= 1.
`default_nettype none
module nashc_gsum #(
    parameter N      = 8,               // elements
    parameter W      = 4,               // bits per element
    parameter SIGNED = 0,               // elements are two's complement
    parameter WO     = 7                // bits of the sum
) (
    input  wire [N-1:0]   gate,
    input  wire [N*W-1:0] x,
    output wire [WO-1:0]  y
);
    localparam NG = (N + 7) / 8;        // groups of 8, one expression each
    localparam WG = (W + 3 < WO) ? W + 3 : WO;

    wire [8*NG-1:0]   g0;
    wire [8*NG*W-1:0] x0;
    wire [NG*WG-1:0]  part;
    // Operands widen to the sum they enter by Verilog's own rules, and a sum is cut on purpose.
    /* verilator lint_off WIDTH */
    assign g0 = gate;
    assign x0 = x;

    genvar g;
    generate
        for (g = 0; g < NG; g = g + 1) begin : g_group
            if (SIGNED != 0) begin : g_signed
                wire signed [WG-1:0] s =
                    $signed({W{g0[8*g+0]}} & x0[(8*g+0)*W +: W])
                    + $signed({W{g0[8*g+1]}} & x0[(8*g+1)*W +: W])
                    + $signed({W{g0[8*g+2]}} & x0[(8*g+2)*W +: W])
                    + $signed({W{g0[8*g+3]}} & x0[(8*g+3)*W +: W])
                    + $signed({W{g0[8*g+4]}} & x0[(8*g+4)*W +: W])
                    + $signed({W{g0[8*g+5]}} & x0[(8*g+5)*W +: W])
                    + $signed({W{g0[8*g+6]}} & x0[(8*g+6)*W +: W])
                    + $signed({W{g0[8*g+7]}} & x0[(8*g+7)*W +: W]);
                assign part[g*WG +: WG] = s;
            end else begin : g_unsigned
                assign part[g*WG +: WG] =
                    ({W{g0[8*g+0]}} & x0[(8*g+0)*W +: W])
                    + ({W{g0[8*g+1]}} & x0[(8*g+1)*W +: W])
                    + ({W{g0[8*g+2]}} & x0[(8*g+2)*W +: W])
                    + ({W{g0[8*g+3]}} & x0[(8*g+3)*W +: W])
                    + ({W{g0[8*g+4]}} & x0[(8*g+4)*W +: W])
                    + ({W{g0[8*g+5]}} & x0[(8*g+5)*W +: W])
                    + ({W{g0[8*g+6]}} & x0[(8*g+6)*W +: W])
                    + ({W{g0[8*g+7]}} & x0[(8*g+7)*W +: W]);
            end
        end
    endgenerate
    /* verilator lint_on WIDTH */

    nashc_sum #(.N(NG), .W(WG), .SIGNED(SIGNED), .WO(WO)) u_sum (.a(part), .y(y));
endmodule
`default_nettype wire
