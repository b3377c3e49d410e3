// nashc_delay_line.v: all the taps of a delay line that moves with en: tap k is a, k enabled
// cycles old.
// W*(TAPS-1) flip-flops. W, TAPS >= 1.
`default_nettype none
module nashc_delay_line #(
    parameter W    = 8,                 // bits
    parameter TAPS = 2                  // taps, the undelayed one included
) (
    input  wire              clk,
    input  wire              en,
    input  wire [W-1:0]      a,
    output wire [TAPS*W-1:0] taps       // tap k at [k*W +: W]
);
    generate
        if (TAPS == 1) begin : g_none
            assign taps = a;
            wire unused = &{1'b0, clk, en};
        end else begin : g_line
            reg [(TAPS-1)*W-1:0] line_q;
            assign taps = {line_q, a};
            always @(posedge clk) if (en) line_q <= taps[(TAPS-1)*W-1:0];
        end
    endgenerate
endmodule
`default_nettype wire
