// nashc_sum_tree.v: for each of N rows the sum of T terms, modulo 2**SW, as a tree of adders of two
// operands. No register. N*(T-1) adders in clog2(T) levels, each as wide as its sum can get.
// Term k counts 2**(k*RISE) times, and with NEG the last one is taken off.
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
    output wire [N*SW-1:0]  y
);
    // Of the sum of a pair; a term that is taken off makes it signed.
    localparam HALF   = (T + 1) / 2;
    localparam SIGNED = (A_SIGNED != 0 || NEG != 0) ? 1 : 0;
    localparam NAT    = W + RISE + 1 + ((SIGNED != A_SIGNED) ? 1 : 0);
    localparam HW     = (T == 1 || NAT > SW) ? SW : NAT;

    // Operands widen to the sum by Verilog's own rules, and a sum is cut on purpose.
    /* verilator lint_off WIDTH */
    function [N*HALF*HW-1:0] halved(input [N*T*W-1:0] all);
        integer p, k;
        reg signed [HW-1:0] s, t;
        for (p = 0; p < N; p = p + 1)
            for (k = 0; k < HALF; k = k + 1) begin
                if (A_SIGNED != 0) s = $signed(all[(p*T+2*k)*W +: W]);
                else s = all[(p*T+2*k)*W +: W];
                t = 0;
                if (2 * k + 1 < T) begin
                    if (A_SIGNED != 0) t = $signed(all[(p*T+2*k+1)*W +: W]);
                    else t = all[(p*T+2*k+1)*W +: W];
                end
                if (T == 1) halved[p*HW +: HW] = (NEG != 0) ? -s : s;
                else if (NEG != 0 && 2 * k + 2 == T)
                    halved[(p*HALF+k)*HW +: HW] = s - (t <<< RISE);
                else if (2 * k + 1 < T) halved[(p*HALF+k)*HW +: HW] = s + (t <<< RISE);
                else halved[(p*HALF+k)*HW +: HW] = s;
            end
    endfunction
    /* verilator lint_on WIDTH */

`ifdef YOSYS
    (* keep *)
`endif
    wire [N*HALF*HW-1:0] half = halved(a);

    generate
        if (T == 1) begin : g_sum
            assign y = half;
        end else begin : g_rest
            nashc_sum_tree #(
                .N(N), .T(HALF), .W(HW), .A_SIGNED(SIGNED), .RISE(2 * RISE),
                .NEG((T % 2 != 0) ? NEG : 0), .SW(SW)
            ) u_rest (.a(half), .y(y));
        end
    endgenerate
endmodule
`default_nettype wire
