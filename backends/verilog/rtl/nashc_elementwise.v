// nashc_elementwise.v: y = x op x1, lane by lane.
// Combinational: PE adders, multipliers or comparators.
`default_nettype none
module nashc_elementwise #(
    parameter PE      = 1,              // lanes
    parameter FUNC    = 0,              // 0 add, 1 mul, 2 x <= x1, 3 x >= x1, 4 max, 5 min, 6 sub
    parameter XW      = 5,              // bits per element of x, two's complement
    parameter X1W     = 5,              // bits per element of x1, two's complement
    parameter OUT_BIP = 0,              // 1: y is bipolar (OUT_W 1), x and x1 are -1 or +1
    parameter OUT_W   = 6               // bits per output; y is taken modulo 2**OUT_W
) (
    input  wire [PE*XW-1:0]    x,
    input  wire [PE*X1W-1:0]   x1,
    output wire [PE*OUT_W-1:0] y
);
    localparam W = (OUT_BIP != 0) ? 2 : OUT_W;

`ifndef SYNTHESIS
    initial if (PE < 1 || FUNC < 0 || FUNC > 6 || (OUT_BIP != 0 && OUT_W != 1)) begin
        $display("nashc_elementwise: illegal parameters PE=%0d FUNC=%0d", PE, FUNC);
        $finish;
    end
`endif

    genvar p;
    generate
        for (p = 0; p < PE; p = p + 1) begin : g_lane
            wire signed [XW-1:0]  l = x[p*XW +: XW];
            wire signed [X1W-1:0] r = x1[p*X1W +: X1W];
            wire signed [W-1:0]   v;
            // Operands widen to, or are taken modulo, the width of the result.
            /* verilator lint_off WIDTH */
            if (FUNC == 0) begin : g_add
                assign v = l + r;
            end else if (FUNC == 1) begin : g_mul
                assign v = l * r;
            end else if (FUNC == 2) begin : g_le
                assign v = l <= r;
            end else if (FUNC == 3) begin : g_ge
                assign v = l >= r;
            end else if (FUNC == 4) begin : g_max
                assign v = (l > r) ? l : r;
            end else if (FUNC == 5) begin : g_min
                assign v = (l < r) ? l : r;
            end else begin : g_sub
                assign v = l - r;
            end
            /* verilator lint_on WIDTH */
            if (OUT_BIP != 0) begin : g_bipolar
                assign y[p] = !v[1];
                wire unused = v[0];
            end else begin : g_integer
                assign y[p*OUT_W +: OUT_W] = v;
            end
        end
    endgenerate
endmodule
`default_nettype wire
