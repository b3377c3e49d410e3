// nashc_dot.v: dot product of N pairs with one multiplier each, modulo 2**WO.
// Combinational, or one stage behind the products if PIPE. N*(A_W x B_W) multipliers.
// Both operands signed or both unsigned. N, A_W, B_W, WO >= 1.
`default_nettype none
module nashc_dot #(
    parameter N      = 8,               // pairs
    parameter A_W    = 4,               // bits per element of a
    parameter B_W    = 4,               // bits per element of b
    parameter SIGNED = 1,               // elements are two's complement
    parameter WO     = 11,              // bits of the sum
    parameter PIPE   = 0                // 1: a register stage between products and sum
) (
    input  wire             clk,
    input  wire             en,
    input  wire [N*A_W-1:0] a,
    input  wire [N*B_W-1:0] b,
    output wire [WO-1:0]    y
);
    localparam PW = (A_W + B_W < WO) ? A_W + B_W : WO;  // bits per product
    // Operands widen to the sum they enter by Verilog's own rules, and a sum is cut on purpose.
    /* verilator lint_off WIDTH */
    genvar g;
    generate
        if (PIPE != 0) begin : g_stage
            wire [N*PW-1:0] prod;
            reg  [N*PW-1:0] prod_q;
            for (g = 0; g < N; g = g + 1) begin : g_pair
                if (SIGNED != 0) begin : g_signed
                    wire signed [PW-1:0] p = $signed(a[g*A_W +: A_W]) * $signed(b[g*B_W +: B_W]);
                    assign prod[g*PW +: PW] = p;
                end else begin : g_unsigned
                    assign prod[g*PW +: PW] = a[g*A_W +: A_W] * b[g*B_W +: B_W];
                end
            end
            always @(posedge clk) if (en) prod_q <= prod;
            nashc_sum #(.N(N), .W(PW), .SIGNED(SIGNED), .WO(WO)) u_sum (.a(prod_q), .y(y));
        end else begin : g_comb
            localparam NG = (N + 7) / 8;                // groups of 8, one expression each
            localparam GW = (PW + 3 < WO) ? PW + 3 : WO;
            wire [8*NG*A_W-1:0] a0 = a;
            wire [8*NG*B_W-1:0] b0 = b;
            wire [NG*GW-1:0]    part;
            wire unused = &{1'b0, clk, en};
            for (g = 0; g < NG; g = g + 1) begin : g_group
                if (SIGNED != 0) begin : g_signed
                    wire signed [GW-1:0] s =
                        $signed(a0[(8*g+0)*A_W +: A_W]) * $signed(b0[(8*g+0)*B_W +: B_W])
                        + $signed(a0[(8*g+1)*A_W +: A_W]) * $signed(b0[(8*g+1)*B_W +: B_W])
                        + $signed(a0[(8*g+2)*A_W +: A_W]) * $signed(b0[(8*g+2)*B_W +: B_W])
                        + $signed(a0[(8*g+3)*A_W +: A_W]) * $signed(b0[(8*g+3)*B_W +: B_W])
                        + $signed(a0[(8*g+4)*A_W +: A_W]) * $signed(b0[(8*g+4)*B_W +: B_W])
                        + $signed(a0[(8*g+5)*A_W +: A_W]) * $signed(b0[(8*g+5)*B_W +: B_W])
                        + $signed(a0[(8*g+6)*A_W +: A_W]) * $signed(b0[(8*g+6)*B_W +: B_W])
                        + $signed(a0[(8*g+7)*A_W +: A_W]) * $signed(b0[(8*g+7)*B_W +: B_W]);
                    assign part[g*GW +: GW] = s;
                end else begin : g_unsigned
                    assign part[g*GW +: GW] =
                        a0[(8*g+0)*A_W +: A_W] * b0[(8*g+0)*B_W +: B_W]
                        + a0[(8*g+1)*A_W +: A_W] * b0[(8*g+1)*B_W +: B_W]
                        + a0[(8*g+2)*A_W +: A_W] * b0[(8*g+2)*B_W +: B_W]
                        + a0[(8*g+3)*A_W +: A_W] * b0[(8*g+3)*B_W +: B_W]
                        + a0[(8*g+4)*A_W +: A_W] * b0[(8*g+4)*B_W +: B_W]
                        + a0[(8*g+5)*A_W +: A_W] * b0[(8*g+5)*B_W +: B_W]
                        + a0[(8*g+6)*A_W +: A_W] * b0[(8*g+6)*B_W +: B_W]
                        + a0[(8*g+7)*A_W +: A_W] * b0[(8*g+7)*B_W +: B_W];
                end
            end
            nashc_sum #(.N(NG), .W(GW), .SIGNED(SIGNED), .WO(WO)) u_sum (.a(part), .y(y));
        end
    endgenerate
    /* verilator lint_on WIDTH */
endmodule
`default_nettype wire
