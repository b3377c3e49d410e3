// arith_tb.sv: nashc_sum, nashc_popcount, nashc_gsum, nashc_dot, nashc_planes and nashc_delay against
// sums written as loops, on random operands and corners.
`timescale 1ns / 1ns
module arith_tb #(
    parameter N = 9,                    // elements
    parameter AW = 3,
    parameter BW = 4,
    parameter AS = 1,
    parameter BS = 0,
    parameter WO = 12,
    parameter PIPE = 0,
    parameter ROUNDS = 400
);
    reg clk = 0, en = 1;
    reg [N*AW-1:0] a;
    reg [N*BW-1:0] b;
    reg [N-1:0] g;
    wire [WO-1:0] sum, pop, gated, dot, planes;
    wire [3*BW-1:0] taps;
    reg [WO-1:0] want_sum, want_pop, want_gated, want_dot, want_planes;
    reg [BW-1:0] old;                   // of the round before
    integer seed, i, round, mode, va, vb, vx;

    nashc_sum #(.N(N), .W(BW), .SIGNED(BS), .WO(WO)) u_sum (.a(b), .y(sum));
    nashc_popcount #(.N(N), .WO(WO), .PIPE(PIPE)) u_pop (.clk(clk), .en(en), .a(g), .y(pop));
    nashc_gsum #(.N(N), .W(BW), .SIGNED(BS), .WO(WO)) u_gsum (.gate(g), .x(b), .y(gated));
    nashc_dot #(.N(N), .A_W(AW), .B_W(BW), .SIGNED(AS), .WO(WO), .PIPE(PIPE)) u_dot (
        .clk(clk), .en(en), .a(a), .b(b), .y(dot)
    );
    nashc_planes #(.N(N), .A_W(AW), .A_SIGNED(AS), .B_W(BW), .B_SIGNED(BS), .WO(WO), .PIPE(PIPE))
        u_planes (.clk(clk), .en(en), .a(a), .b(b), .y(planes));
    nashc_delay #(.W(BW), .TAPS(3)) u_delay (.clk(clk), .en(en), .a(b[BW-1:0]), .taps(taps));

    function integer element(input [31:0] bits, input integer width, input integer is_signed);
        element = (is_signed != 0 && bits[width-1]) ? bits - (1 << width) : bits;
    endfunction

    initial begin
        if (!$value$plusargs("seed=%d", seed)) seed = 1;
        b = 0;
        for (round = 0; round < ROUNDS; round = round + 1) begin
            mode = $unsigned($random(seed)) % 8;
            old = b[BW-1:0];
            for (i = 0; i < N; i = i + 1) begin
                a[i*AW +: AW] = mode == 0 ? {AW{1'b1}} : mode == 1 ? 1 << (AW - 1) : $random(seed);
                b[i*BW +: BW] = mode == 0 ? {BW{1'b1}} : mode <= 2 ? 1 << (BW - 1) : $random(seed);
                g[i] = mode <= 2 ? 1'b1 : $random(seed);
            end
            {want_sum, want_pop, want_gated, want_dot, want_planes} = 0;
            for (i = 0; i < N; i = i + 1) begin
                va = element(a[i*AW +: AW], AW, AS);
                vb = element(b[i*BW +: BW], BW, BS);
                vx = element(b[i*BW +: BW], BW, AS);    // nashc_dot: both operands alike
                want_sum = want_sum + vb;
                want_pop = want_pop + g[i];
                want_gated = want_gated + (g[i] ? vb : 0);
                want_dot = want_dot + va * vx;
                want_planes = want_planes + va * vb;
            end
            #5 clk = 1;
            #1;
            if (sum !== want_sum) $fatal(1, "sum %h, expected %h", sum, want_sum);
            if (pop !== want_pop) $fatal(1, "popcount %h, expected %h", pop, want_pop);
            if (gated !== want_gated) $fatal(1, "gsum %h, expected %h", gated, want_gated);
            if (dot !== want_dot) $fatal(1, "dot %h, expected %h", dot, want_dot);
            if (planes !== want_planes) $fatal(1, "planes %h, expected %h", planes, want_planes);
            if (round > 2 && taps !== {old, b[BW-1:0], b[BW-1:0]})
                $fatal(1, "taps %h, expected %h %h", taps, old, b[BW-1:0]);
            #4 clk = 0;
        end
        $display("PASS %0d beats %0d cycles", ROUNDS, ROUNDS);
        $finish;
    end
endmodule
