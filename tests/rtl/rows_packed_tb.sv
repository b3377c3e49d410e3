// rows_packed_tb.sv: nashc_rows_packed for every x and every weight of every lane, the lanes below it at all of
// their ends and zero: they reach a lane through one bit only, their sign. Up to 12 bits in all, for all weights of all
// lanes. There are no streams: runs with stalls end at once.
`timescale 1ns / 1ns
module rows_packed_tb #(
    parameter XW = 4,
    parameter X_SIGNED = 0,
    parameter WW = 4,
    parameter W_SIGNED = 1,
    parameter LANES = 3
);
    localparam SW = XW + WW + 1;
    localparam ALL = (XW + LANES * WW <= 12) ? 1 : 0;
    localparam [WW-1:0] TOP = W_SIGNED ? {1'b0, {WW-1{1'b1}}} : {WW{1'b1}};

    reg clk = 0;
    reg [XW-1:0] x;
    reg [LANES*WW-1:0] w;
    wire [LANES*SW-1:0] sum;
    integer i, lane, below, si, so, count = 0;

    nashc_rows_packed #(
        .PE(LANES), .SIMD(1), .XW(XW), .X_SIGNED(X_SIGNED), .WW(WW), .W_SIGNED(W_SIGNED), .SW(SW), .LANES(LANES)
    ) dut (.clk(clk), .en(1'b1), .x(x), .w(w), .sum_q(sum));

    function signed [SW-1:0] element(input [31:0] bits, input integer width, input integer is_signed);
        element = (is_signed != 0 && bits[width-1]) ? bits - (1 << width) : bits;
    endfunction

    task check;
        integer k;
        reg signed [SW-1:0] want;
        begin
            #1 clk = 1;
            #1 clk = 0;
            for (k = 0; k < LANES; k = k + 1) begin
                want = element(x, XW, X_SIGNED) * element(w[k*WW +: WW], WW, W_SIGNED);
                if (sum[k*SW +: SW] !== want)
                    $fatal(1, "x %h w %h lane %0d: %h, expected %h", x, w, k, sum[k*SW +: SW], want);
            end
            count = count + 1;
        end
    endtask

    initial begin
        if (!$value$plusargs("si=%d", si)) si = 0;
        if (!$value$plusargs("so=%d", so)) so = 0;
        if (si != 0 || so != 0) count = 0;
        else if (ALL) for (i = 0; i < 1 << (XW + LANES * WW); i = i + 1) begin
            {x, w} = i;
            check;
        end
        else for (lane = 0; lane < LANES; lane = lane + 1)
            for (below = 0; below < (lane == 0 ? 1 : 3); below = below + 1)
                for (i = 0; i < 1 << (XW + WW); i = i + 1) begin
                    w = {LANES{below == 0 ? {WW{1'b0}} : below == 1 ? TOP : ~TOP}};
                    {x, w[lane*WW +: WW]} = i;
                    check;
                end
        $display("PASS %0d beats %0d cycles", count, count);
        $finish;
    end
endmodule
