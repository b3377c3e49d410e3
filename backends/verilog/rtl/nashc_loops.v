// nashc_loops.v: a nest of 8 loops, 0 the innermost, of COUNTk iterations each; those beyond the
// nest have 1. `which` is the loop that goes on with the next step, while those inside it start
// anew; 8: all of them do. clog2(COUNTk) + 1 flip-flops for each loop of more than one.
`default_nettype none
module nashc_loops #(
    parameter COUNT0 = 1, parameter COUNT1 = 1, parameter COUNT2 = 1, parameter COUNT3 = 1,
    parameter COUNT4 = 1, parameter COUNT5 = 1, parameter COUNT6 = 1, parameter COUNT7 = 1
) (
    input  wire       clk,
    input  wire       rst_n,
    input  wire       step,
    output wire [3:0] which
);
    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    function [31:0] whole(input integer v);
        whole = v;
    endfunction
    /* verilator lint_on WIDTH */

    localparam [8*32-1:0] COUNTS = {whole(COUNT7), whole(COUNT6), whole(COUNT5), whole(COUNT4),
                                    whole(COUNT3), whole(COUNT2), whole(COUNT1), whole(COUNT0)};
    wire [7:0] top;                     // the loop is in its last iteration
    genvar k;
    generate
        for (k = 0; k < 8; k = k + 1) begin : g_loop
            localparam [31:0] COUNT = COUNTS[k*32 +: 32];
            if (COUNT <= 1) begin : g_once
                assign top[k] = 1'b1;
            end else begin : g_count
                localparam BITS = $clog2(COUNT);
                /* verilator lint_off WIDTH */
                localparam [BITS-1:0] TOP = COUNT - 1;
                /* verilator lint_on WIDTH */
                reg  [BITS-1:0] at_q;
                reg             top_q;
                wire [BITS-1:0] at_d = top_q ? {BITS{1'b0}} : at_q + 1'b1;
                wire            goes = step && (k == 0 || &top[(k == 0 ? 0 : k - 1):0]);
                always @(posedge clk) begin
                    if (!rst_n) begin
                        at_q  <= {BITS{1'b0}};
                        top_q <= 1'b0;
                    end else if (goes) begin
                        at_q  <= at_d;
                        top_q <= at_d == TOP;
                    end
                end
                assign top[k] = top_q;
`ifdef FORMAL
                always @(posedge clk) if (rst_n) assert (at_q <= TOP && top_q == (at_q == TOP));
`endif
            end
        end
    endgenerate

    wire unused = &{1'b0, clk, rst_n, step};            // by no loop at all
    assign which = !top[0] ? 4'd0 : !top[1] ? 4'd1 : !top[2] ? 4'd2 : !top[3] ? 4'd3
                 : !top[4] ? 4'd4 : !top[5] ? 4'd5 : !top[6] ? 4'd6 : !top[7] ? 4'd7 : 4'd8;

`ifdef FORMAL
    reg past_q = 1'b0;
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);
    end
`endif
endmodule
`default_nettype wire
