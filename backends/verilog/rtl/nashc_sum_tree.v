// nashc_sum_tree.v: for each of N rows the sum of T terms, modulo 2**SW, as a tree of adders of two
// operands. No register. N*(T-1) adders in clog2(T) levels, each as wide as its sum can get.
// Term k counts 2**(k*RISE) times, and with NEG the last one is taken off. A term may lack 1 (none
// with NEG): all but that of term 0, `left`, enter the adders as carries, which costs nothing.
// Yosys joins additions that feed one another into carry-save adders of two LUTs a bit; a sum that
// it has to keep stays a carry chain of one LUT a bit. N, T, W, SW >= 1.
`default_nettype none
module nashc_sum_tree #(
    parameter N        = 2,             // rows
    parameter T        = 1,             // terms of a row
    parameter W        = 8,             // bits per term
    parameter A_SIGNED = 1,             // terms are two's complement
    parameter RISE     = 0,
    parameter NEG      = 0,
    parameter SW       = 10             // bits per sum
) (
    input  wire [N*T*W-1:0] a,          // term k of row p at [(p*T+k)*W +: W]
    input  wire [N*T-1:0]   c,          // what the terms lack
    output wire [N*SW-1:0]  y,
    output wire [N-1:0]     left        // what y lacks
);
    // Of the sum of a pair; a term that is taken off makes it signed.
    localparam HALF   = (T + 1) / 2;
    localparam SIGNED = (A_SIGNED != 0 || NEG != 0) ? 1 : 0;
    localparam NAT    = W + RISE + 1 + ((SIGNED != A_SIGNED) ? 1 : 0);
    localparam HW     = (T == 1 || NAT > SW) ? SW : NAT;

    // Operands widen to the sum by Verilog's own rules, and a sum is cut on purpose.
    /* verilator lint_off WIDTH */
    function [N*HALF*HW-1:0] halved(input [N*T*W-1:0] all, input [N*T-1:0] lack);
        integer p, k;
        reg signed [HW-1:0] s, t;
        reg signed [HW:0]   sum;
        for (p = 0; p < N; p = p + 1)
            for (k = 0; k < HALF; k = k + 1) begin
                if (A_SIGNED != 0) s = $signed(all[(p*T+2*k)*W +: W]);
                else s = all[(p*T+2*k)*W +: W];
                if (2 * k + 1 < T) begin
                    if (A_SIGNED != 0) t = $signed(all[(p*T+2*k+1)*W +: W]);
                    else t = all[(p*T+2*k+1)*W +: W];
                    t = t <<< RISE;
                    // two equal bits below the lowest one carry into it
                    sum = {s, lack[p*T+2*k+1]} + {t, lack[p*T+2*k+1]};
                    s = (NEG != 0 && 2 * k + 2 == T) ? s - t : sum >>> 1;
                end else if (NEG != 0 && T == 1) s = -s;
                halved[(p*HALF+k)*HW +: HW] = s;
            end
    endfunction

    function [N*HALF-1:0] lacks(input [N*T-1:0] lack);
        integer p, k;
        for (p = 0; p < N; p = p + 1)
            for (k = 0; k < HALF; k = k + 1) lacks[p*HALF+k] = lack[p*T+2*k];
    endfunction
    /* verilator lint_on WIDTH */

`ifdef YOSYS
    (* keep *)
`endif
    wire [N*HALF*HW-1:0] half = halved(a, c);
    wire [N*HALF-1:0]    rest = lacks(c);

    generate
        if (T == 1) begin : g_sum
            assign y = half;
            assign left = rest;
        end else begin : g_rest
            nashc_sum_tree #(
                .N(N), .T(HALF), .W(HW), .A_SIGNED(SIGNED), .RISE(2 * RISE),
                .NEG((T % 2 != 0) ? NEG : 0), .SW(SW)
            ) u_rest (.a(half), .c(rest), .y(y), .left(left));
        end
    endgenerate
endmodule
`default_nettype wire
