// nashc_sum.v: sum of N elements of W bits, modulo 2**WO. Combinational, N-1 adders.
// Groups of 8 elements are one expression each, then groups of 8 groups, then a chain: few wide
// operations simulate fast, and synthesis rebalances each of them. N, W, WO >= 1.
`default_nettype none
module nashc_sum #(
    parameter N      = 8,               // elements
    parameter W      = 4,               // bits per element
    parameter SIGNED = 0,               // elements are two's complement
    parameter WO     = 7                // bits of the sum
) (
    input  wire [N*W-1:0] a,
    output wire [WO-1:0]  y
);
    localparam N1 = (N + 7) / 8;        // groups
    localparam N2 = (N1 + 7) / 8;       // groups of groups
    localparam W1 = (N == 1) ? W : (W + 3 < WO) ? W + 3 : WO;
    localparam W2 = (N1 == 1) ? W1 : (W1 + 3 < WO) ? W1 + 3 : WO;

    // The zeros that fill the last group may stay unused.
    /* verilator lint_off UNUSEDSIGNAL */
    wire [N1*8*W-1:0]  e0;              // elements
    wire [N2*8*W1-1:0] e1;              // sums of 8 elements
    /* verilator lint_on UNUSEDSIGNAL */
    wire [N2*W2-1:0]   e2;              // sums of 64 elements
    // Operands widen to the sum they enter by Verilog's own rules, and the last sum is cut on purpose.
    /* verilator lint_off WIDTH */
    assign e0 = a;

    genvar g;
    generate
        for (g = 0; g < N2 * 8; g = g + 1) begin : g_one
            if (g >= N1) begin : g_none
                assign e1[g*W1 +: W1] = {W1{1'b0}};
            end else if (N == 1) begin : g_single
                assign e1[g*W1 +: W1] = a;
            end else if (SIGNED != 0) begin : g_signed
                wire signed [W1-1:0] s =
                    $signed(e0[(8*g+0)*W +: W]) + $signed(e0[(8*g+1)*W +: W])
                    + $signed(e0[(8*g+2)*W +: W]) + $signed(e0[(8*g+3)*W +: W])
                    + $signed(e0[(8*g+4)*W +: W]) + $signed(e0[(8*g+5)*W +: W])
                    + $signed(e0[(8*g+6)*W +: W]) + $signed(e0[(8*g+7)*W +: W]);
                assign e1[g*W1 +: W1] = s;
            end else begin : g_unsigned
                assign e1[g*W1 +: W1] =
                    e0[(8*g+0)*W +: W] + e0[(8*g+1)*W +: W] + e0[(8*g+2)*W +: W]
                    + e0[(8*g+3)*W +: W] + e0[(8*g+4)*W +: W] + e0[(8*g+5)*W +: W]
                    + e0[(8*g+6)*W +: W] + e0[(8*g+7)*W +: W];
            end
        end

        for (g = 0; g < N2; g = g + 1) begin : g_two
            if (N1 == 1) begin : g_single
                assign e2[g*W2 +: W2] = e1[W1-1:0];
            end else if (SIGNED != 0) begin : g_signed
                wire signed [W2-1:0] s =
                    $signed(e1[(8*g+0)*W1 +: W1]) + $signed(e1[(8*g+1)*W1 +: W1])
                    + $signed(e1[(8*g+2)*W1 +: W1]) + $signed(e1[(8*g+3)*W1 +: W1])
                    + $signed(e1[(8*g+4)*W1 +: W1]) + $signed(e1[(8*g+5)*W1 +: W1])
                    + $signed(e1[(8*g+6)*W1 +: W1]) + $signed(e1[(8*g+7)*W1 +: W1]);
                assign e2[g*W2 +: W2] = s;
            end else begin : g_unsigned
                assign e2[g*W2 +: W2] =
                    e1[(8*g+0)*W1 +: W1] + e1[(8*g+1)*W1 +: W1] + e1[(8*g+2)*W1 +: W1]
                    + e1[(8*g+3)*W1 +: W1] + e1[(8*g+4)*W1 +: W1] + e1[(8*g+5)*W1 +: W1]
                    + e1[(8*g+6)*W1 +: W1] + e1[(8*g+7)*W1 +: W1];
            end
        end

        for (g = 0; g < N2; g = g + 1) begin : g_chain
            wire signed [WO-1:0] s;
            if (g == 0) begin : g_first
                if (SIGNED != 0) begin : g_signed
                    assign s = $signed(e2[W2-1:0]);
                end else begin : g_unsigned
                    assign s = e2[W2-1:0];
                end
            end else if (SIGNED != 0) begin : g_signed
                assign s = g_chain[g-1].s + $signed(e2[g*W2 +: W2]);
            end else begin : g_unsigned
                assign s = g_chain[g-1].s + e2[g*W2 +: W2];
            end
        end
    endgenerate
    assign y = g_chain[N2-1].s;
    /* verilator lint_on WIDTH */
endmodule
`default_nettype wire
