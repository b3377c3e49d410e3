// nashc_parts.v: which of the two parts of a round a step belongs to: FA steps to the first, then
// FB steps to the second, again and again.
// clog2(max(FA, FB)) + 1 flip-flops. FA, FB >= 1.
`default_nettype none
module nashc_parts #(
    parameter FA = 2,                   // steps of the first part
    parameter FB = 3                    // steps of the second part
) (
    input  wire clk,
    input  wire rst_n,
    input  wire fire,                   // the step happens in this cycle
    output wire second                  // it belongs to the second part
);
    localparam F  = (FA > FB) ? FA : FB;
    localparam FW = (F <= 1) ? 1 : $clog2(F);
    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    localparam [FW-1:0] LAST_A = FA - 1;
    localparam [FW-1:0] LAST_B = FB - 1;
    /* verilator lint_on WIDTH */

`ifndef SYNTHESIS
    initial if (FA < 1 || FB < 1) begin
        $display("nashc_parts: illegal parameters FA=%0d FB=%0d", FA, FB);
        $finish;
    end
`endif

    reg  [FW-1:0] step_q;               // within the part
    reg           second_q;
    wire          last = step_q == (second_q ? LAST_B : LAST_A);
    assign second = second_q;

    always @(posedge clk) begin
        if (!rst_n) begin
            step_q   <= {FW{1'b0}};
            second_q <= 1'b0;
        end else if (fire) begin
            step_q   <= last ? {FW{1'b0}} : step_q + 1'b1;
            second_q <= second_q ^ last;
        end
    end

`ifdef FORMAL
    reg past_q = 1'b0;
    reg [15:0] at_q = 16'd0;            // step of the round, counted apart
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);
        if (rst_n) begin
            if (fire) at_q <= (at_q == FA + FB - 1) ? 16'd0 : at_q + 16'd1;
            assert (at_q < FA + FB);
            assert (second == (at_q >= FA));
            assert (at_q == step_q + (second ? FA : 0));
        end
    end
`endif
endmodule
`default_nettype wire
