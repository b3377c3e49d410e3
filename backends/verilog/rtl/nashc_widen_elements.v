// nashc_widen_elements.v: elements of XW bits as elements of OUT_W bits: by sign or by zeros, or
// from the one bit of a bipolar element, 0 and 1, to -1 and +1.
// Wires and at most an inverter a lane.
`default_nettype none
module nashc_widen_elements #(
    parameter PE       = 1,             // lanes
    parameter XW       = 4,             // bits per input
    parameter X_SIGNED = 0,
    parameter X_BIP    = 0,             // 1: x is bipolar (XW 1), y is not
    parameter OUT_W    = 5              // bits per output; less than XW: y is taken modulo
) (
    input  wire [PE*XW-1:0]    x,
    output wire [PE*OUT_W-1:0] y
);
`ifndef SYNTHESIS
    initial if (PE < 1 || XW < 1 || OUT_W < 1 || (X_BIP != 0 && (XW != 1 || OUT_W < 2))) begin
        $display("nashc_widen_elements: illegal parameters PE=%0d XW=%0d X_BIP=%0d OUT_W=%0d",
                 PE, XW, X_BIP, OUT_W);
        $finish;
    end
`endif

    genvar p;
    generate
        for (p = 0; p < PE; p = p + 1) begin : g_lane
            wire [XW-1:0] e = x[p*XW +: XW];
            // The output may need fewer bits than the value has.
            /* verilator lint_off UNUSEDSIGNAL */
            wire signed [XW:0] v;
            /* verilator lint_on UNUSEDSIGNAL */
            if (X_BIP != 0) begin : g_bipolar
                assign v = {!e[0], 1'b1};
            end else begin : g_integer
                assign v = {(X_SIGNED != 0) && e[XW-1], e};
            end
            // v widens to, or is taken modulo, the output's width.
            /* verilator lint_off WIDTH */
            wire signed [OUT_W-1:0] w = v;
            /* verilator lint_on WIDTH */
            assign y[p*OUT_W +: OUT_W] = w;
        end
    endgenerate
endmodule
`default_nettype wire
