// nashc_planes.v: dot product of N pairs without multipliers, modulo 2**WO: for each bit plane of a
// the gated sum of b, weighted by the plane's power of two (negative for the sign bit).
// Combinational, or one stage behind the gated sums if PIPE. A_W*N gated adders, so a should be the
// narrower operand. N, A_W, B_W, WO >= 1.
`default_nettype none
module nashc_planes #(
    parameter N        = 8,             // pairs
    parameter A_W      = 2,             // bits per element of a
    parameter A_SIGNED = 1,
    parameter B_W      = 4,             // bits per element of b
    parameter B_SIGNED = 0,
    parameter WO       = 9,             // bits of the sum
    parameter PIPE     = 0              // 1: a register stage between gated sums and their sum
) (
    input  wire             clk,
    input  wire             en,
    input  wire [N*A_W-1:0] a,
    input  wire [N*B_W-1:0] b,
    output wire [WO-1:0]    y
);
    localparam NAT = B_W + ((N <= 1) ? 0 : $clog2(N));
    localparam SW  = (NAT < WO) ? NAT : WO;             // bits per gated sum

    wire [A_W*SW-1:0] sums, parts;

    genvar k, s;
    generate
        for (k = 0; k < A_W; k = k + 1) begin : g_plane
            wire [N-1:0] gate;
            for (s = 0; s < N; s = s + 1) begin : g_bit
                assign gate[s] = a[s*A_W + k];
            end
            nashc_gsum #(.N(N), .W(B_W), .SIGNED(B_SIGNED), .WO(SW)) u_gsum (
                .gate(gate), .x(b), .y(sums[k*SW +: SW])
            );
        end

        if (PIPE != 0) begin : g_stage
            reg [A_W*SW-1:0] sums_q;
            always @(posedge clk) if (en) sums_q <= sums;
            assign parts = sums_q;
        end else begin : g_comb
            assign parts = sums;
            wire unused = &{1'b0, clk, en};
        end

        for (k = 0; k < A_W; k = k + 1) begin : g_add
            wire [WO-1:0] term, wide, total;
            if (SW == WO) begin : g_full
                assign wide = parts[k*SW +: SW];
            end else begin : g_extend
                wire sign = (B_SIGNED != 0) && parts[k*SW + SW - 1];
                assign wide = {{(WO-SW){sign}}, parts[k*SW +: SW]};
            end
            assign term = wide << k;
            if (A_SIGNED != 0 && k == A_W - 1) begin : g_minus
                if (k == 0) begin : g_first
                    assign total = -term;
                end else begin : g_next
                    assign total = g_add[k-1].total - term;
                end
            end else if (k == 0) begin : g_first
                assign total = term;
            end else begin : g_plus
                assign total = g_add[k-1].total + term;
            end
        end
    endgenerate
    assign y = g_add[A_W-1].total;
endmodule
`default_nettype wire
