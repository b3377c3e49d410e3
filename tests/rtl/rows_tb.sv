// rows_tb.sv: nashc_rows_xnor, nashc_rows_plus_minus, nashc_rows_multiply, nashc_rows_bit_planes, nashc_rows_sum and
// nashc_delay_line against sums written as loops, on random operands and corners.
`timescale 1ns / 1ns
module rows_tb #(
    parameter PE = 2,
    parameter SIMD = 9,                 // elements per row
    parameter XW = 3,
    parameter WW = 4,
    parameter X_SIGNED = 1,
    parameter W_SIGNED = 0,
    parameter SW = 12,
    parameter PIPE = 0,
    parameter ROUNDS = 200
);
    reg clk = 0, en = 1;
    // Operands come all at once, as from registers: Verilator 5.006 misses what a process with delays
    // changes bit by bit.
    reg [SIMD*XW-1:0] x, next_x;
    reg [SIMD-1:0] xb, next_xb;
    reg [PE*SIMD*WW-1:0] w, next_w;
    reg [PE*SIMD-1:0] wb, next_wb;
    wire [PE*SW-1:0] pop, dot, pm, mul, planes, bmul, bplanes, sum;
    reg [PE*SW-1:0] want_pop, want_dot, want_pm, want_mul, want_bmul, want_sum;
    wire [3*XW-1:0] taps;
    reg [XW-1:0] old;                   // of the clock before
    integer seed, i, p, round, mode, vx, vw, bx, bw, same;

    nashc_rows_xnor #(.PE(PE), .SIMD(SIMD), .SW(SW), .DOT(0), .PIPE(PIPE)) u_pop (
        .clk(clk), .en(en), .x(xb), .w(wb), .sum(pop)
    );
    nashc_rows_xnor #(.PE(PE), .SIMD(SIMD), .SW(SW), .DOT(1), .PIPE(PIPE)) u_dot (
        .clk(clk), .en(en), .x(xb), .w(wb), .sum(dot)
    );
    nashc_rows_plus_minus #(.PE(PE), .SIMD(SIMD), .XW(XW), .X_SIGNED(X_SIGNED), .SW(SW), .PIPE(PIPE)) u_pm (
        .clk(clk), .en(en), .x(x), .w(wb), .sum_q(pm)
    );
    nashc_rows_multiply #(
        .PE(PE), .SIMD(SIMD), .XW(XW), .X_SIGNED(X_SIGNED), .WW(WW), .W_SIGNED(W_SIGNED), .SW(SW), .PIPE(PIPE)
    ) u_mul (.clk(clk), .en(en), .x(x), .w(w), .sum(mul));
    nashc_rows_bit_planes #(
        .PE(PE), .SIMD(SIMD), .XW(XW), .X_SIGNED(X_SIGNED), .WW(WW), .W_SIGNED(W_SIGNED), .SW(SW), .PIPE(PIPE)
    ) u_planes (.clk(clk), .en(en), .x(x), .w(w), .sum_q(planes));
    nashc_rows_multiply #(
        .PE(PE), .SIMD(SIMD), .XW(1), .X_BIP(1), .WW(WW), .W_SIGNED(W_SIGNED), .SW(SW), .PIPE(PIPE)
    ) u_bmul (.clk(clk), .en(en), .x(xb), .w(w), .sum(bmul));
    nashc_rows_bit_planes #(
        .PE(PE), .SIMD(SIMD), .XW(1), .X_BIP(1), .WW(WW), .W_SIGNED(W_SIGNED), .SW(SW), .PIPE(PIPE)
    ) u_bplanes (.clk(clk), .en(en), .x(xb), .w(w), .sum_q(bplanes));
    nashc_rows_sum #(.PE(PE), .SIMD(SIMD), .XW(WW), .X_SIGNED(W_SIGNED), .SW(SW)) u_sum (
        .clk(clk), .en(en), .a(w), .sum_q(sum)
    );
    nashc_delay_line #(.W(XW), .TAPS(3)) u_delay (.clk(clk), .en(en), .a(x[XW-1:0]), .taps(taps));

    function integer element(input [31:0] bits, input integer width, input integer is_signed);
        element = (is_signed != 0 && bits[width-1]) ? bits - (1 << width) : bits;
    endfunction

    initial begin
        if (!$value$plusargs("seed=%d", seed)) seed = 1;
        x = 0;
        for (round = 0; round < ROUNDS; round = round + 1) begin
            mode = $unsigned($random(seed)) % 8;
            for (i = 0; i < SIMD; i = i + 1) begin
                next_x[i*XW +: XW] = mode == 0 ? {XW{1'b1}} : mode == 1 ? 1 << (XW - 1) : $random(seed);
                next_xb[i] = mode == 0 ? 1'b1 : $random(seed);
            end
            for (i = 0; i < PE * SIMD; i = i + 1) begin
                next_w[i*WW +: WW] = mode == 0 ? {WW{1'b1}} : mode <= 2 ? 1 << (WW - 1) : $random(seed);
                next_wb[i] = mode == 0 ? 1'b1 : mode == 1 ? 1'b0 : $random(seed);
            end
            {want_pop, want_dot, want_pm, want_mul, want_bmul, want_sum} = 0;
            for (p = 0; p < PE; p = p + 1)
                for (i = 0; i < SIMD; i = i + 1) begin
                    vx = element(next_x[i*XW +: XW], XW, X_SIGNED);
                    vw = element(next_w[(p*SIMD+i)*WW +: WW], WW, W_SIGNED);
                    bx = next_xb[i] ? 1 : -1;
                    bw = next_wb[p*SIMD+i] ? 1 : -1;
                    same = bx == bw;
                    want_pop[p*SW +: SW] = want_pop[p*SW +: SW] + same;
                    want_dot[p*SW +: SW] = want_dot[p*SW +: SW] + bx * bw;
                    want_pm[p*SW +: SW] = want_pm[p*SW +: SW] + vx * bw;
                    want_mul[p*SW +: SW] = want_mul[p*SW +: SW] + vx * vw;
                    want_bmul[p*SW +: SW] = want_bmul[p*SW +: SW] + bx * vw;
                    want_sum[p*SW +: SW] = want_sum[p*SW +: SW] + vw;
                end
            x <= next_x;
            xb <= next_xb;
            w <= next_w;
            wb <= next_wb;
            repeat (1 + PIPE) begin
                #5 old = taps[2*XW-1:XW];
                clk = 1;
                #5 clk = 0;
            end
            if (pop !== want_pop) $fatal(1, "popcount %h, expected %h", pop, want_pop);
            if (dot !== want_dot) $fatal(1, "xnor dot %h, expected %h", dot, want_dot);
            if (pm !== want_pm) $fatal(1, "pm %h, expected %h", pm, want_pm);
            if (mul !== want_mul) $fatal(1, "mul %h, expected %h", mul, want_mul);
            if (planes !== want_mul) $fatal(1, "planes %h, expected %h", planes, want_mul);
            if (bmul !== want_bmul) $fatal(1, "bipolar mul %h, expected %h", bmul, want_bmul);
            if (bplanes !== want_bmul) $fatal(1, "bipolar planes %h, expected %h", bplanes, want_bmul);
            if (sum !== want_sum) $fatal(1, "sum %h, expected %h", sum, want_sum);
            if (round > 0 && taps !== {old, x[XW-1:0], x[XW-1:0]})
                $fatal(1, "taps %h, expected %h %h", taps, old, x[XW-1:0]);
        end
        $display("PASS %0d beats %0d cycles", ROUNDS * PE, ROUNDS * (1 + PIPE));
        $finish;
    end
endmodule
