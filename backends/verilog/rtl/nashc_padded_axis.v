// nashc_padded_axis.v: positions along one axis of a padded frame, one a step, again and again:
// BEFORE of the border, SIZE of the frame with GAP others between any two, AFTER of the border.
// clog2(positions + 1) + clog2(GAP + 1) flip-flops. SIZE >= 1; BEFORE, GAP and AFTER may be 0.
`default_nettype none
module nashc_padded_axis #(
    parameter SIZE   = 3,               // positions of the frame
    parameter BEFORE = 1,               // before them
    parameter GAP    = 0,               // between two of them
    parameter AFTER  = 1                // behind them
) (
    input  wire clk,
    input  wire rst_n,
    input  wire step,                   // go on to the next position
    output wire inner,                  // it is one of the frame
    output wire last                    // it is the last of all
);
    localparam UNIT  = GAP + 1;
    localparam SPAN  = (SIZE - 1) * UNIT + 1;
    localparam TOTAL = BEFORE + SPAN + AFTER;
    // one more than the position needs, so that a position before the frame becomes one behind it
    localparam AW    = $clog2(TOTAL + 1);
    localparam GW    = (UNIT <= 2) ? 1 : $clog2(UNIT);
    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    localparam [AW-1:0] LAST_AT = TOTAL - 1;
    localparam [AW-1:0] BEGIN_AT = BEFORE;
    localparam [AW-1:0] COUNT = SPAN;
    localparam [GW-1:0] GAP_END = GAP;
    localparam [GW-1:0] GAP_START = (UNIT - BEFORE % UNIT) % UNIT;
    /* verilator lint_on WIDTH */

`ifndef SYNTHESIS
    initial if (SIZE < 1 || BEFORE < 0 || GAP < 0 || AFTER < 0) begin
        $display("nashc_padded_axis: illegal parameters SIZE=%0d BEFORE=%0d GAP=%0d AFTER=%0d",
                 SIZE, BEFORE, GAP, AFTER);
        $finish;
    end
`endif

    reg  [AW-1:0] at_q;
    wire [AW-1:0] from_begin = at_q - BEGIN_AT;
    wire          hit;                  // the position is a multiple of UNIT behind the first
    assign last   = at_q == LAST_AT;
    assign inner = from_begin < COUNT && hit;

    always @(posedge clk) begin
        if (!rst_n) at_q <= {AW{1'b0}};
        else if (step) at_q <= last ? {AW{1'b0}} : at_q + 1'b1;
    end

    generate
        if (GAP == 0) begin : g_dense
            assign hit = 1'b1;
        end else begin : g_gaps
            reg [GW-1:0] gap_q;
            assign hit = gap_q == {GW{1'b0}};
            always @(posedge clk) begin
                if (!rst_n) gap_q <= GAP_START;
                else if (step) gap_q <= last ? GAP_START
                                      : (gap_q == GAP_END) ? {GW{1'b0}} : gap_q + 1'b1;
            end
`ifdef FORMAL
            always @(posedge clk) if (rst_n) begin
                assert (gap_q == ({31'd0, at_q} + {31'd0, GAP_START}) % UNIT);
                assert (gap_q <= GAP_END);
            end
`endif
        end
    endgenerate

`ifdef FORMAL
    reg past_q = 1'b0;
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);
        if (rst_n) begin
            assert (at_q <= LAST_AT);
            // in full width, where nothing wraps
            assert (inner == ({31'd0, at_q} >= BEFORE && {31'd0, at_q} < BEFORE + SPAN
                               && ({31'd0, at_q} - BEFORE) % UNIT == 0));
        end
    end
`endif
endmodule
`default_nettype wire
