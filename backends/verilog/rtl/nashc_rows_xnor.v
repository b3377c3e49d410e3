// nashc_rows_xnor.v: PE rows of bipolar x bipolar: popcount of the equal bits of x and a row,
// or with DOT the dot product 2*popcount - SIMD, modulo 2**SW. One result/cycle, 1 + PIPE stages.
// Groups of 6 bits go through a 64-entry table held in a memory, whose counts are added: 2.5 to 3.5
// LUT6 per bit as Yosys counts, xnor included. It is also the form that simulates fastest: all rows
// in one function call per clock, few wide operations, 24 bits a round. PE, SIMD >= 1.
`default_nettype none
module nashc_rows_xnor #(
    parameter PE   = 2,                 // rows
    parameter SIMD = 8,                 // columns
    parameter SW   = 4,                 // bits per sum
    parameter DOT  = 0,                 // 1: 2*popcount - SIMD
    parameter PIPE = 0                  // 1: a register stage between tables and sum
) (
    input  wire               clk,
    input  wire               en,
    input  wire [SIMD-1:0]    x,
    input  wire [PE*SIMD-1:0] w,        // row p at [p*SIMD +: SIMD]
    output wire [PE*SW-1:0]   sum
);
    localparam G = (SIMD + 5) / 6;      // tables per row

    // Registers behind the tables would be read ports of a memory; Yosys weighs all ways to deal
    // them out to block RAMs, which takes gigabytes.
    (* logic_block *)
    reg [2:0] ones [0:63];
    integer   n;
    initial for (n = 0; n < 64; n = n + 1)
        ones[n] = {2'b00, n[0]} + {2'b00, n[1]} + {2'b00, n[2]}
                + {2'b00, n[3]} + {2'b00, n[4]} + {2'b00, n[5]};

    // Operands widen to the sum by Verilog's own rules; constants are cut to it.
    /* verilator lint_off WIDTH */
    localparam [SW-1:0] ALL = SIMD;

    function [PE*SW-1:0] rows(input [SIMD-1:0] xi, input [PE*SIMD-1:0] wi);
        integer p, g;
        reg [SIMD-1:0]   same;
        reg [6*G-1:0]    v;
        reg [SW-1:0]     s;
        begin
            for (p = 0; p < PE; p = p + 1) begin
                same = ~(xi ^ wi[p*SIMD +: SIMD]);
                v = same;
                s = 0;
                for (g = 0; g + 3 < G; g = g + 4)
                    s = s + ones[v[6*g +: 6]] + ones[v[6*g+6 +: 6]]
                          + ones[v[6*g+12 +: 6]] + ones[v[6*g+18 +: 6]];
                for (g = G - G % 4; g < G; g = g + 1) s = s + ones[v[6*g +: 6]];
                rows[p*SW +: SW] = (DOT != 0) ? (s << 1) - ALL : s;
            end
        end
    endfunction

    function [PE*G*3-1:0] counts(input [SIMD-1:0] xi, input [PE*SIMD-1:0] wi);
        integer p, g;
        reg [SIMD-1:0] same;
        reg [6*G-1:0]  v;
        begin
            for (p = 0; p < PE; p = p + 1) begin
                same = ~(xi ^ wi[p*SIMD +: SIMD]);
                v = same;
                for (g = 0; g < G; g = g + 1) counts[(p*G+g)*3 +: 3] = ones[v[6*g +: 6]];
            end
        end
    endfunction

    function [PE*SW-1:0] dots(input [PE*SW-1:0] pop);
        integer p;
        reg [SW-1:0] s;
        for (p = 0; p < PE; p = p + 1) begin
            s = pop[p*SW +: SW];
            dots[p*SW +: SW] = (s << 1) - ALL;
        end
    endfunction
    /* verilator lint_on WIDTH */

    generate
        if (PIPE == 0) begin : g_one
            reg [PE*SW-1:0] sum_q;
            always @(posedge clk) if (en) sum_q <= rows(x, w);
            assign sum = sum_q;
        end else begin : g_two
            reg  [PE*G*3-1:0] counts_q;
            wire [PE*SW-1:0]  pop;
            always @(posedge clk) if (en) counts_q <= counts(x, w);
            nashc_rows_sum #(.PE(PE), .SIMD(G), .XW(3), .X_SIGNED(0), .SW(SW)) u_sum (
                .clk(clk), .en(en), .a(counts_q), .sum_q(pop)
            );
            if (DOT != 0) begin : g_dot
                assign sum = dots(pop);
            end else begin : g_pop
                assign sum = pop;
            end
        end
    endgenerate
endmodule
`default_nettype wire
