// nashc_accumulate.v: DEPTH accumulators of PE lanes: the maximum, minimum or sum (modulo 2**W) of
// what came to an address, from the step called first on. One step/cycle: a step enters with its
// address in one enabled cycle, its x comes in the next, y is its accumulator in the one after that
// and stays until the next step's.
// DEPTH 1: y itself is the accumulator. Else DEPTH*PE*W memory bits with registered read, in
// registers, distributed or block RAM as the tool likes. PE adders, or comparators. W >= XW, PE,
// DEPTH >= 1.
`default_nettype none
module nashc_accumulate #(
    parameter PE        = 2,            // lanes
    parameter FUNC      = 2,            // 0 maximum, 1 minimum, 2 sum
    parameter XW        = 4,            // bits per input
    parameter X_SIGNED  = 0,
    parameter W         = 8,            // bits per accumulator
    parameter DEPTH     = 3,            // accumulators of a lane
    // only an attribute uses it
    /* verilator lint_off UNUSEDPARAM */
    parameter RAM_STYLE = "auto",
    /* verilator lint_on UNUSEDPARAM */
    parameter AW        = (DEPTH <= 1) ? 1 : $clog2(DEPTH)
) (
    input  wire             clk,
    input  wire             en,
    input  wire             step,       // a step enters
    input  wire             first,      // it starts its accumulator anew
    input  wire             again,      // its address is that of the step before it
    input  wire [AW-1:0]    addr,
    input  wire [PE*XW-1:0] x,
    output wire [PE*W-1:0]  y
);
    reg             step_q, first_q;    // of the step whose x is here
    reg  [PE*W-1:0] y_q;
    assign y = y_q;

    always @(posedge clk) if (en) begin
        step_q  <= step;
        first_q <= first;
    end

    // Inputs widen to the accumulator by Verilog's own rules.
    /* verilator lint_off WIDTH */
    function [PE*W-1:0] lanes(input [PE*XW-1:0] xs, input [PE*W-1:0] olds, input start);
        integer p;
        reg [W-1:0] a, b;
        reg         less;
        for (p = 0; p < PE; p = p + 1) begin
            if (X_SIGNED != 0) a = $signed(xs[p*XW +: XW]);
            else a = xs[p*XW +: XW];
            b = olds[p*W +: W];
            if (FUNC == 2) begin
                lanes[p*W +: W] = a + (b & {W{!start}});
            end else begin
                if (X_SIGNED != 0) less = $signed(a) < $signed(b);
                else less = a < b;
                lanes[p*W +: W] = (start || less == (FUNC == 1)) ? a : b;
            end
        end
    endfunction
    /* verilator lint_on WIDTH */

    generate
        if (DEPTH == 1) begin : g_register
            always @(posedge clk) if (en && step_q) y_q <= lanes(x, y_q, first_q);
            wire unused = &{1'b0, again, addr};
        end else begin : g_memory
            (* ram_style = RAM_STYLE, no_rw_check *)
            reg [PE*W-1:0] mem [0:DEPTH-1];     // what is read while it is written is not used
            reg [PE*W-1:0] mem_q;
            reg [AW-1:0]   addr_q;
            reg            again_q;
            wire [PE*W-1:0] y_d = lanes(x, again_q ? y_q : mem_q, first_q);
            always @(posedge clk) if (en) begin
                if (step_q) mem[addr_q] <= y_d;
                mem_q <= mem[addr];
            end
            always @(posedge clk) if (en) begin
                addr_q  <= addr;
                again_q <= again;
                if (step_q) y_q <= y_d;
            end
        end
    endgenerate

`ifdef FORMAL
    // A register an address as reference; addresses of the step in stage 1 and of the last one.
    reg  [DEPTH*PE*W-1:0] ref_q = {DEPTH*PE*W{1'b0}};
    reg  [AW-1:0]         here_q = {AW{1'b0}}, last_q = {AW{1'b0}};
    wire [PE*W-1:0]       was = ref_q[here_q*PE*W +: PE*W];
    integer i;
    always @(posedge clk) begin
        assume (addr < DEPTH);
        assume (again == (addr == (step_q ? here_q : last_q)));
        if (en) begin
            here_q <= addr;
            if (step_q) last_q <= here_q;
            if (step_q) ref_q[here_q*PE*W +: PE*W] <= lanes(x, was, first_q);
        end
        assert (last_q < DEPTH);
        assert (y == ref_q[last_q*PE*W +: PE*W]);
    end
    generate
        if (DEPTH > 1) begin : g_formal
            always @(posedge clk) begin
                assert (g_memory.addr_q == here_q);
                assert (here_q < DEPTH);
                if (step_q) assert (g_memory.again_q == (here_q == last_q));
                if (step_q && here_q != last_q) assert (g_memory.mem_q == was);
                for (i = 0; i < DEPTH; i = i + 1)
                    assert (g_memory.mem[i] == ref_q[i*PE*W +: PE*W]);
            end
        end
    endgenerate
`endif
endmodule
`default_nettype wire
