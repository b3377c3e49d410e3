// nashc_rows_plus_minus.v: PE rows of x times bipolar weights: sum of +-x = 2 * (sum of x where the
// weight is 1) - (sum of all x), modulo 2**SW. One result/cycle, 1 + PIPE stages, no multiplier:
// (PE+1)*SIMD adders, the sum of all x is shared by the rows. PE, SIMD, XW >= 1.
`default_nettype none
module nashc_rows_plus_minus #(
    parameter PE       = 2,             // rows
    parameter SIMD     = 8,             // columns
    parameter XW       = 8,             // bits per input
    parameter X_SIGNED = 0,
    parameter SW       = 12,            // bits per sum
    parameter PIPE     = 0              // 1: a register stage between the sums and their difference
) (
    input  wire               clk,
    input  wire               en,
    input  wire [SIMD*XW-1:0] x,
    input  wire [PE*SIMD-1:0] w,        // row p at [p*SIMD +: SIMD]
    output reg  [PE*SW-1:0]   sum_q
);
    localparam NP = ((SIMD + 3) / 4) * 4;

    // Operands widen to the sum by Verilog's own rules.
    /* verilator lint_off WIDTH */
    function signed [SW-1:0] gated(input [SIMD*XW-1:0] xi, input [SIMD-1:0] wi);
        integer i;
        reg [NP*XW-1:0] v;
        reg [NP-1:0]    g;
        reg signed [SW-1:0] s;
        begin
            v = xi;
            g = wi;
            s = 0;
            for (i = 0; i < NP; i = i + 4)
                if (X_SIGNED != 0)
                    s = s + $signed({XW{g[i]}} & v[i*XW +: XW])
                          + $signed({XW{g[i+1]}} & v[(i+1)*XW +: XW])
                          + $signed({XW{g[i+2]}} & v[(i+2)*XW +: XW])
                          + $signed({XW{g[i+3]}} & v[(i+3)*XW +: XW]);
                else
                    s = s + ({XW{g[i]}} & v[i*XW +: XW])
                          + ({XW{g[i+1]}} & v[(i+1)*XW +: XW])
                          + ({XW{g[i+2]}} & v[(i+2)*XW +: XW])
                          + ({XW{g[i+3]}} & v[(i+3)*XW +: XW]);
            gated = s;
        end
    endfunction
    /* verilator lint_on WIDTH */

    function [PE*SW-1:0] some(input [SIMD*XW-1:0] xi, input [PE*SIMD-1:0] wi);
        integer p;
        for (p = 0; p < PE; p = p + 1) some[p*SW +: SW] = gated(xi, wi[p*SIMD +: SIMD]);
    endfunction

    function [PE*SW-1:0] less(input [PE*SW-1:0] ones, input [SW-1:0] all);
        integer p;
        for (p = 0; p < PE; p = p + 1) less[p*SW +: SW] = (ones[p*SW +: SW] << 1) - all;
    endfunction

    generate
        if (PIPE == 0) begin : g_one
            always @(posedge clk)
                if (en) sum_q <= less(some(x, w), gated(x, {SIMD{1'b1}}));
        end else begin : g_two
            reg [PE*SW-1:0] some_q;
            reg [SW-1:0]    all_q;
            always @(posedge clk) if (en) begin
                some_q <= some(x, w);
                all_q  <= gated(x, {SIMD{1'b1}});
                sum_q  <= less(some_q, all_q);
            end
        end
    endgenerate
endmodule
`default_nettype wire
