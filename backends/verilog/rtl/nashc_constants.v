// nashc_constants.v: the words of a $readmemh file, all at once.
// Constants, without any register: a choice between few of them is part of the logic behind it.
// FILE has exactly DEPTH lines.
`default_nettype none
module nashc_constants #(
    parameter W     = 8,                // bits per word
    parameter DEPTH = 4,                // words
    parameter FILE  = "rom.dat"
) (
    output wire [DEPTH*W-1:0] words     // word k at [k*W +: W]
);
    reg [W-1:0] mem [0:DEPTH-1];
    initial $readmemh(FILE, mem);

    genvar k;
    generate
        for (k = 0; k < DEPTH; k = k + 1) begin : g_word
            assign words[k*W +: W] = mem[k];
        end
    endgenerate
endmodule
`default_nettype wire
