// nashc_rows_packed.v: PE rows of x times weights, LANES rows to a multiplier, modulo 2**SW: the
// weights of LANES rows stand side by side in one operand, B = XW+WW bits apart; so do the
// products. One result/cycle, 1 + PIPE stages, ceil(PE/LANES)*SIMD multipliers of
// (LANES-1)*B+WW+1 by XW+1 bits: 25 by 9 for two rows of 8 by 8.
// Where that would be more than 25 bits, lanes stand D = ceil(B/2) apart and products overlap by
// half: six rows of 4 by 4. A product is low + 2**D * high; LUTs multiply the low parts, modulo
// 2**D, once more, and what is left of the packed product without them is the high parts, which are
// below 2**D: digits that do not meet. Not for X_SIGNED.
// Signed weights enter with 2**(WW-1) added, which is a flipped bit, so lanes need no borrow; what
// that adds to a row, 2**(WW-1) times the sum of x, is the same for all and taken off again. A
// negative x makes products negative: each lane then lacks the 1 that the lanes below it borrowed,
// which is the top bit below it. |product| < 2**(XW+WW-1) if X_SIGNED, so that bit is right.
// PE, SIMD, WW, LANES >= 1, XW >= 2.
`default_nettype none
module nashc_rows_packed #(
    parameter PE       = 4,             // rows
    parameter SIMD     = 4,             // columns
    parameter XW       = 8,             // bits per input
    parameter X_SIGNED = 0,
    parameter WW       = 8,             // bits per weight
    parameter W_SIGNED = 1,
    parameter SW       = 18,            // bits per sum
    parameter PIPE     = 0,             // 1: a register stage between products and sum
    parameter LANES    = 2              // rows per multiplier
) (
    input  wire                  clk,
    input  wire                  en,
    input  wire [SIMD*XW-1:0]    x,
    input  wire [PE*SIMD*WW-1:0] w,     // element (p,s) at [(p*SIMD+s)*WW +: WW]
    output reg  [PE*SW-1:0]      sum_q
);
    localparam B  = XW + WW;                            // bits per product
    localparam OVERLAP = ((LANES - 1) * B + WW + 1 > 25 && LANES > 1) ? 1 : 0;
    localparam D  = (OVERLAP != 0) ? (B + 1) / 2 : B;   // bits from lane to lane
    localparam M  = (PE + LANES - 1) / LANES;           // multipliers a column
    localparam HW = (OVERLAP != 0) ? B - D : 1;         // bits of a high part
    localparam AW = (LANES - 1) * D + WW + 1;           // bits of the packed operand, a sign
    localparam PW = (LANES - 1) * D + B;                // bits of a packed product
    localparam LW = LANES * D;                          // bits of its low parts
    localparam NP = M * LANES;                          // rows, those that are not there included
    localparam AX = XW + ((SIMD <= 1) ? 0 : $clog2(SIMD));  // bits of the sum of x

    // Operands widen to the sum by Verilog's own rules, and a sum is cut on purpose.
    /* verilator lint_off WIDTH */
    function [M*SIMD*PW-1:0] products(input [SIMD*XW-1:0] xi, input [PE*SIMD*WW-1:0] wi);
        integer m, i, k;
        reg [NP*SIMD*WW-1:0] all;
        reg signed [AW-1:0]  a;
        reg signed [XW:0]    b;
        begin
            all = wi;
            for (i = 0; i < SIMD; i = i + 1) begin
                b = {X_SIGNED != 0 && xi[i*XW+XW-1], xi[i*XW +: XW]};
                for (m = 0; m < M; m = m + 1) begin
                    a = 0;
                    for (k = 0; k < LANES; k = k + 1) begin
                        a[k*D +: WW] = all[((m*LANES+k)*SIMD+i)*WW +: WW];
                        if (W_SIGNED != 0) a[k*D+WW-1] = !a[k*D+WW-1];
                    end
                    products[(m*SIMD+i)*PW +: PW] = a * b;
                end
            end
        end
    endfunction

    function [M*SIMD*LW-1:0] lows(input [SIMD*XW-1:0] xi, input [PE*SIMD*WW-1:0] wi);
        integer m, i, k;
        reg [NP*SIMD*WW-1:0] all;
        reg [WW-1:0]         a;
        reg [D-1:0]          c, b;
        begin
            all = wi;
            lows = 0;
            for (i = 0; i < SIMD && OVERLAP != 0; i = i + 1)
                for (m = 0; m < M; m = m + 1)
                    for (k = 0; k < LANES; k = k + 1) begin
                        a = all[((m*LANES+k)*SIMD+i)*WW +: WW];
                        if (W_SIGNED != 0) a[WW-1] = !a[WW-1];
                        c = a;
                        b = xi[i*XW +: XW];
                        lows[(m*SIMD+i)*LW + k*D +: D] = c * b;
                    end
        end
    endfunction

    // Products of B bits each from packed ones.
    function [M*SIMD*LANES*B-1:0] apart(input [M*SIMD*PW-1:0] all, input [M*SIMD*LW-1:0] low);
        integer n, k;
        reg [PW-1:0] rest;
        begin
            apart = all;
            for (n = 0; n < M * SIMD && OVERLAP != 0; n = n + 1) begin
                rest = all[n*PW +: PW] - low[n*LW +: LW];
                for (k = 0; k < LANES; k = k + 1)
                    apart[(n*LANES+k)*B +: B] = {rest[(k+1)*D +: HW], low[n*LW+k*D +: D]};
            end
        end
    endfunction

    function signed [AX:0] total(input [SIMD*XW-1:0] xi);
        integer i;
        begin
            total = 0;
            for (i = 0; i < SIMD; i = i + 1)
                if (X_SIGNED != 0) total = total + $signed(xi[i*XW +: XW]);
                else total = total + xi[i*XW +: XW];
        end
    endfunction

    function [PE*SW-1:0] sums(input [M*SIMD*LANES*B-1:0] all, input signed [AX:0] sum_x);
        integer p, i, at;
        reg signed [SW-1:0] s;
        begin
            for (p = 0; p < PE; p = p + 1) begin
                s = 0;
                for (i = 0; i < SIMD; i = i + 1) begin
                    at = ((p / LANES * SIMD + i) * LANES + p % LANES) * B;
                    if (X_SIGNED != 0) begin
                        s = s + $signed(all[at +: B]);
                        if (p % LANES != 0) s = s + $signed({1'b0, all[at-1]});
                    end else s = s + all[at +: B];
                end
                if (W_SIGNED != 0) s = s - (sum_x <<< (WW - 1));
                sums[p*SW +: SW] = s;
            end
        end
    endfunction
    /* verilator lint_on WIDTH */

    generate
        if (PIPE == 0) begin : g_one
            always @(posedge clk)
                if (en) sum_q <= sums(apart(products(x, w), lows(x, w)), total(x));
        end else begin : g_two
            reg [M*SIMD*PW-1:0] prod_q;
            reg [M*SIMD*LW-1:0] low_q;
            reg [AX:0]          x_q;
            always @(posedge clk) if (en) begin
                prod_q <= products(x, w);
                low_q  <= lows(x, w);
                x_q    <= total(x);
                sum_q  <= sums(apart(prod_q, low_q), x_q);
            end
        end
    endgenerate

`ifdef FORMAL
    // One product at a time as reference, as many enabled cycles old.
    reg signed [SW-1:0]  a, b, s;
    reg [PE*SW-1:0]      ref_d, ref_q = {PE*SW{1'b0}}, early_q = {PE*SW{1'b0}};
    reg [1:0]            old_q = 2'b00; // full once the registers hold results
    integer p, i;
    always @* for (p = 0; p < PE; p = p + 1) begin
        s = {SW{1'b0}};
        for (i = 0; i < SIMD; i = i + 1) begin
            a = X_SIGNED ? $signed(x[i*XW +: XW]) : $signed({1'b0, x[i*XW +: XW]});
            b = W_SIGNED ? $signed(w[(p*SIMD+i)*WW +: WW])
                         : $signed({1'b0, w[(p*SIMD+i)*WW +: WW]});
            s = s + a * b;
        end
        ref_d[p*SW +: SW] = s;
    end
    always @(posedge clk) begin
        if (en) begin
            early_q <= ref_d;
            ref_q   <= (PIPE == 0) ? ref_d : early_q;
            old_q   <= {old_q[0], 1'b1};
        end
        if (old_q[PIPE]) assert (sum_q == ref_q);
    end
`endif
endmodule
`default_nettype wire
