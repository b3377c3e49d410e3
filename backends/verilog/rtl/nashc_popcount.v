// nashc_popcount.v: number of ones among N bits. Groups of 6 bits go through a 64-entry table, whose
// counts are added: about 1.25 LUT6 per bit. Combinational, or one stage behind the tables if PIPE.
// N >= 1; WO bits must hold the count, or it is taken modulo 2**WO.
`default_nettype none
module nashc_popcount #(
    parameter N    = 64,                // bits
    parameter WO   = 7,                 // bits of the count
    parameter PIPE = 0                  // 1: a register stage between tables and sum
) (
    input  wire          clk,
    input  wire          en,
    input  wire [N-1:0]  a,
    output wire [WO-1:0] y
);
    localparam G = (N + 5) / 6;

    reg [2:0] ones [0:63];
    integer   i;
    initial for (i = 0; i < 64; i = i + 1)
        ones[i] = {2'b00, i[0]} + {2'b00, i[1]} + {2'b00, i[2]}
                + {2'b00, i[3]} + {2'b00, i[4]} + {2'b00, i[5]};

    wire [6*G-1:0] bits;
    wire [3*G-1:0] part, counts;

    genvar g;
    generate
        if (6 * G == N) begin : g_exact
            assign bits = a;
        end else begin : g_pad
            assign bits = {{(6*G-N){1'b0}}, a};
        end
        for (g = 0; g < G; g = g + 1) begin : g_group
            assign part[3*g +: 3] = ones[bits[6*g +: 6]];
        end
        if (PIPE != 0) begin : g_stage
            reg [3*G-1:0] part_q;
            always @(posedge clk) if (en) part_q <= part;
            assign counts = part_q;
        end else begin : g_comb
            assign counts = part;
            wire unused = &{1'b0, clk, en};
        end
    endgenerate

    nashc_sum #(.N(G), .W(3), .SIGNED(0), .WO(WO)) u_sum (.a(counts), .y(y));
endmodule
`default_nettype wire
