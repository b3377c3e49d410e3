// nashc_rows_bit_planes.v: PE rows of x times weights without multipliers, modulo 2**SW: for each
// bit plane of one operand the gated sum of the other, weighted by the plane's power of two
// (negative for a sign bit). The planes are those of the narrower operand. Two columns are gated
// together: 0, one of them, or their sum, which all rows and planes share; that choice of five bits
// and the addition of what it gives are one LUT a bit, so eight columns are a chain of additions.
// One result/cycle, 1 + PIPE stages, PE*planes*SIMD/2 adders with a choice.
// A bipolar x (XW 1, X_BIP) counts as +1 or -1. PE, SIMD, XW, WW >= 1.
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
    localparam AR = (X_PLANES != 0) ? 1 : PE;           // rows of a
    localparam BR = (X_PLANES != 0) ? PE : 1;           // rows of b
    localparam T  = (SIMD + 1) / 2;                     // pairs of columns
    localparam G  = (T + 3) / 4;                        // chains
    localparam N  = PE * AW;                            // gated sums
    localparam GW = BW + ((T == 1) ? 1 : (T == 2) ? 2 : 3); // bits of a chain
    localparam NAT = GW + ((G <= 1) ? 0 : $clog2(G));
    localparam PW = (NAT < SW) ? NAT : SW;              // bits per gated sum

    // Operands widen to the sum by Verilog's own rules, and a sum is cut on purpose.
    /* verilator lint_off WIDTH */
    function [SIMD*AW-1:0] signs(input [SIMD*XW-1:0] xi);
        integer i;
        for (i = 0; i < SIMD; i = i + 1) signs[i*AW +: AW] = {!xi[i*XW], 1'b1};
    endfunction

    // Pairs of b, each as second, first and sum, of GW bits.
    function [BR*T*3*GW-1:0] pairs(input [BR*SIMD*BW-1:0] bi);
        integer r, i;
        reg signed [GW-1:0] u, v;
        for (r = 0; r < BR; r = r + 1)
            for (i = 0; i < SIMD; i = i + 2) begin
                if (B_SIGNED != 0) u = $signed(bi[(r*SIMD+i)*BW +: BW]);
                else u = bi[(r*SIMD+i)*BW +: BW];
                v = 0;
                if (i + 1 < SIMD) begin
                    if (B_SIGNED != 0) v = $signed(bi[(r*SIMD+i+1)*BW +: BW]);
                    else v = bi[(r*SIMD+i+1)*BW +: BW];
                end
                pairs[(r*T+i/2)*3*GW +: 3*GW] = {u + v, v, u};
            end
    endfunction

    // Chains and in each of them the pair j of what its columns' planes let through.
    function [N*G*GW-1:0] more(input [N*G*GW-1:0] sums, input [AR*SIMD*AW-1:0] ai,
                               input [BR*T*3*GW-1:0] bi, input integer j);
        integer p, k, t, at;
        reg [3*GW-1:0] c;
        reg [AW-1:0]   u, v;
        begin
            more = sums;
            for (p = 0; p < PE; p = p + 1)
                for (t = j; t < T; t = t + 4) begin
                    c  = bi[((X_PLANES != 0 ? p : 0)*T+t)*3*GW +: 3*GW];
                    u  = ai[((X_PLANES != 0 ? 0 : p)*SIMD+2*t)*AW +: AW];
                    v  = (2 * t + 1 < SIMD)
                       ? ai[((X_PLANES != 0 ? 0 : p)*SIMD+2*t+1)*AW +: AW] : {AW{1'b0}};
                    at = (p*AW*G + t/4) * GW;
                    for (k = 0; k < AW; k = k + 1) begin
                        more[at +: GW] = sums[at +: GW]
                            + (u[k] ? (v[k] ? c[2*GW +: GW] : c[0 +: GW])
                                    : (v[k] ? c[GW +: GW] : {GW{1'b0}}));
                        at = at + G * GW;
                    end
                end
        end
    endfunction

    // Kept as in nashc_sum_tree, from where a chain adds. One block, which simulates fast.
    reg [AR*SIMD*AW-1:0] a;
    reg [BR*T*3*GW-1:0]  b;
    reg [N*G*GW-1:0]     one;
`ifdef YOSYS
    (* keep *)
`endif
    reg [N*G*GW-1:0]     two, three, four;
    always @* begin
        a     = (X_BIP != 0) ? signs(x) : (X_PLANES != 0) ? x : w;
        b     = pairs((X_PLANES != 0) ? w : x);
        one   = more({N*G*GW{1'b0}}, a, b, 0);
        two   = more(one, a, b, 1);
        three = more(two, a, b, 2);
        four  = more(three, a, b, 3);
    end
    /* verilator lint_on WIDTH */

    wire [N*PW-1:0]  gated;
    wire [PE*SW-1:0] total;
    wire [N-1:0]     left;
    wire [PE-1:0]    none;
    wire unused = &{1'b0, left, none};                  // no term lacks anything
    nashc_sum_tree #(.N(N), .T(G), .W(GW), .A_SIGNED(B_SIGNED), .SW(PW)) u_gated (
        .a(four), .c({N*G{1'b0}}), .y(gated), .left(left)
    );
    generate
        if (PIPE == 0) begin : g_one
            nashc_sum_tree #(
                .N(PE), .T(AW), .W(PW), .A_SIGNED(B_SIGNED), .RISE(1), .NEG(A_SIGNED), .SW(SW)
            ) u_total (.a(gated), .c({N{1'b0}}), .y(total), .left(none));
        end else begin : g_two
            reg [N*PW-1:0] gated_q;
            always @(posedge clk) if (en) gated_q <= gated;
            nashc_sum_tree #(
                .N(PE), .T(AW), .W(PW), .A_SIGNED(B_SIGNED), .RISE(1), .NEG(A_SIGNED), .SW(SW)
            ) u_total (.a(gated_q), .c({N{1'b0}}), .y(total), .left(none));
        end
    endgenerate
    always @(posedge clk) if (en) sum_q <= total;
endmodule
`default_nettype wire
