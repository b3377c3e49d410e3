// nashc_choice.v: one of DEPTH words that are all there.
// Places of words are rounded up to powers of two: where a word begins is then `at` with zeros
// behind it, and the choice a function of the bits of `at` alone. Of another product Yosys makes a
// shifter over all words, several times as large.
// Beyond DEPTH there is no word: `word` is undefined.
`default_nettype none
module nashc_choice #(
    parameter W     = 8,                // bits per word
    parameter DEPTH = 4,                // words
    parameter AW    = (DEPTH <= 1) ? 1 : $clog2(DEPTH)
) (
    input  wire [DEPTH*W-1:0] words,    // word k at [k*W +: W]
    input  wire [AW-1:0]      at,
    output wire [W-1:0]       word
);
    localparam PLACE = 1 << $clog2(W);
    wire [DEPTH*PLACE-1:0] places;

    genvar k;
    generate
        for (k = 0; k < DEPTH; k = k + 1) begin : g_word
            assign places[k*PLACE +: W] = words[k*W +: W];
            if (W < PLACE) begin : g_rest
                assign places[k*PLACE + W +: PLACE - W] = {(PLACE-W){1'b0}};
            end
        end
    endgenerate
    assign word = places[at*PLACE +: W];
endmodule
`default_nettype wire
