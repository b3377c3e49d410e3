// nashc_rows_packed.v: PE rows of x times weights, LANES rows to a multiplier, modulo 2**SW: the
// weights of LANES rows stand side by side in one operand, XW+WW bits apart; so do the products.
// One result/cycle, 1 + PIPE stages, ceil(PE/LANES)*SIMD multipliers of (LANES-1)*(XW+WW)+WW+1 by
// XW+1 bits: 25 by 9 for two rows of 8 by 8.
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
    localparam B  = XW + WW;                            // bits per lane
    localparam M  = (PE + LANES - 1) / LANES;           // multipliers a column
    localparam AW = (LANES - 1) * B + WW + 1;           // bits of the packed operand, a sign
    localparam PW = LANES * B;                          // bits of a packed product
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
                        a[k*B +: WW] = all[((m*LANES+k)*SIMD+i)*WW +: WW];
                        if (W_SIGNED != 0) a[k*B+WW-1] = !a[k*B+WW-1];
                    end
                    products[(m*SIMD+i)*PW +: PW] = a * b;
                end
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

    function [PE*SW-1:0] sums(input [M*SIMD*PW-1:0] all, input signed [AX:0] sum_x);
        integer p, i, at;
        reg signed [SW-1:0] s;
        begin
            for (p = 0; p < PE; p = p + 1) begin
                s = 0;
                for (i = 0; i < SIMD; i = i + 1) begin
                    at = (p / LANES * SIMD + i) * PW + p % LANES * B;
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
            always @(posedge clk) if (en) sum_q <= sums(products(x, w), total(x));
        end else begin : g_two
            reg [M*SIMD*PW-1:0] prod_q;
            reg [AX:0]          x_q;
            always @(posedge clk) if (en) begin
                prod_q <= products(x, w);
                x_q    <= total(x);
                sum_q  <= sums(prod_q, x_q);
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
