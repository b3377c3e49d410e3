// nashc_rows_packed.v: PE rows of x times weights, LANES rows to a multiplier, modulo 2**SW: the
// weights of LANES rows stand side by side in one operand, B = XW+WW bits apart; so do the
// products. One result/cycle, 1 + PIPE stages, ceil(PE/LANES)*SIMD multipliers of
// (LANES-1)*B+WW+1 by XW+1 bits: 25 by 9 for two rows of 8 by 8.
// Where that would be more than 25 bits, lanes stand D = ceil(B/2) apart and products overlap by
// half: six rows of 4 by 4. A product is low + 2**D * high; LUTs multiply the low parts, modulo
// 2**D, once more, and what is left of the packed product without them is the high parts, which are
// below 2**D: digits that do not meet. Not for X_SIGNED.
// Signed weights enter with 2**(WW-1) added, which is a flipped bit, so lanes need no borrow; what
// that adds to a row, 2**(WW-1) times the sum of x, is the same for all and taken off again. The
// highest lane keeps its sign unless lanes overlap. A negative x makes products negative: each lane
// then lacks the 1 that the lanes below it borrowed, which is the top bit below it. |product| <
// 2**(XW+WW-1) if X_SIGNED, so that bit is right.
// Four columns are added up before the register, which is narrower than that of their products.
// PE, SIMD, LANES >= 1, XW, WW >= 2.
`default_nettype none
module nashc_rows_packed #(
    parameter PE       = 4,             // rows
    parameter SIMD     = 4,             // columns
    parameter XW       = 8,             // bits per input
    parameter X_SIGNED = 0,
    parameter WW       = 8,             // bits per weight
    parameter W_SIGNED = 1,
    parameter SW       = 18,            // bits per sum
    parameter PIPE     = 0,             // 1: a register stage behind the sums of four columns
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
    localparam TOP = (OVERLAP == 0) ? W_SIGNED : 0;     // the highest lane is signed
    localparam LS = (X_SIGNED != 0 || TOP != 0) ? 1 : 0;    // some products are
    localparam LB = B + ((LS != X_SIGNED) ? 1 : 0);     // bits of any of them
    localparam T  = (SIMD < 4) ? SIMD : 4;              // columns of a group
    localparam G  = (SIMD + T - 1) / T;
    localparam GW = (LB + $clog2(T) < SW) ? LB + $clog2(T) : SW;    // bits of its sum
    localparam AX = XW + ((SIMD <= 1) ? 0 : $clog2(SIMD));  // bits of the sum of x

    // Operands widen to the sum by Verilog's own rules, and a sum is cut on purpose.
    /* verilator lint_off WIDTH */
    function flipped(input integer lane);
        flipped = W_SIGNED != 0 && (TOP == 0 || lane != LANES - 1);
    endfunction

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
                        if (flipped(k)) a[k*D+WW-1] = !a[k*D+WW-1];
                    end
                    a[AW-1] = TOP != 0 && a[AW-2];
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

    // Product i of row p among all, and those of a row, groups ending in zeros.
    function [B-1:0] product(input [M*SIMD*LANES*B-1:0] all_i, input integer p, input integer i);
        product = all_i[((p / LANES * SIMD + i) * LANES + p % LANES) * B +: B];
    endfunction

    function [PE*G*T*LB-1:0] terms(input [M*SIMD*LANES*B-1:0] all_i);
        integer p, i;
        begin
            terms = 0;
            for (p = 0; p < PE; p = p + 1)
                for (i = 0; i < SIMD; i = i + 1)
                    if (X_SIGNED != 0 || (TOP != 0 && p % LANES == LANES - 1))
                        terms[(p*G*T+i)*LB +: LB] = $signed(product(all_i, p, i));
                    else terms[(p*G*T+i)*LB +: LB] = product(all_i, p, i);
        end
    endfunction

    // What products lack: the top bits of those below them.
    function [PE*G*T-1:0] borrows(input [M*SIMD*LANES*B-1:0] all_i);
        integer p, i;
        begin
            borrows = 0;
            for (p = 0; p < PE && X_SIGNED != 0; p = p + 1)
                for (i = 0; i < SIMD && p % LANES != 0; i = i + 1)
                    borrows[p*G*T+i] = product(all_i, p - 1, i) >> (B - 1);
        end
    endfunction

    // Rows with what they lack, and without what flipped bits have added.
    function [PE*SW-1:0] whole(input [PE*SW-1:0] rows_i, input [PE-1:0] lack_i,
                               input signed [AX:0] total);
        integer p;
        reg signed [SW-1:0] s;
        for (p = 0; p < PE; p = p + 1) begin
            s = rows_i[p*SW +: SW];
            if (flipped(p % LANES)) s = s - (total <<< (WW - 1));
            if (X_SIGNED != 0 && p % LANES != 0) s = s + $signed({1'b0, lack_i[p]});
            whole[p*SW +: SW] = s;
        end
    endfunction

    wire [M*SIMD*LANES*B-1:0] all = apart(products(x, w), lows(x, w));
    wire [PE*G*GW-1:0]        groups, groups_p;
    wire [PE*G-1:0]           lack, lack_p;
    wire [AX-1:0]             sum_x, sum_x_p;
    wire [PE*SW-1:0]          rows;
    wire [PE-1:0]             left;
    wire                      none;                     // numbers x lack nothing
    wire                      unused = none;
    /* verilator lint_on WIDTH */

    nashc_sum_tree #(.N(1), .T(SIMD), .W(XW), .A_SIGNED(X_SIGNED), .SW(AX)) u_x (
        .a(x), .c({SIMD{1'b0}}), .y(sum_x), .left(none)
    );
    nashc_sum_tree #(.N(PE*G), .T(T), .W(LB), .A_SIGNED(LS), .SW(GW)) u_groups (
        .a(terms(all)), .c(borrows(all)), .y(groups), .left(lack)
    );
    nashc_sum_tree #(.N(PE), .T(G), .W(GW), .A_SIGNED(LS), .SW(SW)) u_rows (
        .a(groups_p), .c(lack_p), .y(rows), .left(left)
    );
    generate
        if (PIPE == 0) begin : g_one
            assign {groups_p, lack_p, sum_x_p} = {groups, lack, sum_x};
        end else begin : g_two
            reg [PE*G*(GW+1)+AX-1:0] q;
            always @(posedge clk) if (en) q <= {groups, lack, sum_x};
            assign {groups_p, lack_p, sum_x_p} = q;
        end
    endgenerate
    always @(posedge clk)
        if (en) sum_q <= whole(rows, left, {X_SIGNED != 0 && sum_x_p[AX-1], sum_x_p});

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
