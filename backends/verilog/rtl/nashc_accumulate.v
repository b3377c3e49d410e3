// nashc_accumulate.v: ACCS accumulators of PE lanes: the maximum, minimum or sum (modulo 2**ACC_W)
// of what came to an address, from the step called first on. One step/cycle: a step enters with its
// address in one enabled cycle, its x comes in the next, y is its accumulator in the one after that
// and stays until the next step's.
// ACCS 1: y itself is the accumulator. Else ACCS*PE*ACC_W memory bits with registered read, in
// registers, distributed or block RAM as the tool likes. PE adders, or comparators. ACC_W >= XW,
// PE, ACCS >= 1.
`default_nettype none
module nashc_accumulate #(
    parameter PE        = 2,            // lanes
    parameter FUNC      = 0,            // as in nashc_elementwise: 0 add, 4 max, 5 min
    parameter XW        = 4,            // bits per input
    parameter X_SIGNED  = 0,
    parameter ACC_W     = 8,            // bits per accumulator
    parameter ACCS      = 3,            // accumulators of a lane
    // only an attribute uses it
    /* verilator lint_off UNUSEDPARAM */
    parameter RAM_STYLE = "auto",
    /* verilator lint_on UNUSEDPARAM */
    parameter AW        = (ACCS <= 1) ? 1 : $clog2(ACCS)
) (
    input  wire                clk,
    input  wire                en,
    input  wire                step,    // a step enters
    input  wire                first,   // it starts its accumulator anew
    input  wire                again,   // its address is that of the step before it
    input  wire [AW-1:0]       addr,
    input  wire [PE*XW-1:0]    x,
    output wire [PE*ACC_W-1:0] y
);
    reg                 step_q, first_q;        // of the step whose x is here
    reg  [PE*ACC_W-1:0] y_q;
    assign y = y_q;

    always @(posedge clk) if (en) begin
        step_q  <= step;
        first_q <= first;
    end

    // Inputs widen to the accumulator by Verilog's own rules.
    /* verilator lint_off WIDTH */
    function [PE*ACC_W-1:0] lanes(input [PE*XW-1:0] xs, input [PE*ACC_W-1:0] olds, input start);
        integer p;
        reg [ACC_W-1:0] a, b;
        reg             less;
        for (p = 0; p < PE; p = p + 1) begin
            if (X_SIGNED != 0) a = $signed(xs[p*XW +: XW]);
            else a = xs[p*XW +: XW];
            b = olds[p*ACC_W +: ACC_W];
            if (FUNC == 0) begin
                lanes[p*ACC_W +: ACC_W] = a + (b & {ACC_W{!start}});
            end else begin
                if (X_SIGNED != 0) less = $signed(a) < $signed(b);
                else less = a < b;
                lanes[p*ACC_W +: ACC_W] = (start || less == (FUNC == 5)) ? a : b;
            end
        end
    endfunction
    /* verilator lint_on WIDTH */

    generate
        if (ACCS == 1) begin : g_register
            always @(posedge clk) if (en && step_q) y_q <= lanes(x, y_q, first_q);
            wire unused = &{1'b0, again, addr};
        end else begin : g_memory
            (* ram_style = RAM_STYLE, no_rw_check *)
            reg [PE*ACC_W-1:0]  mem [0:ACCS-1]; // what is read while it is written is not used
            reg [PE*ACC_W-1:0]  mem_q;
            reg [AW-1:0]        addr_q;
            reg                 again_q;
            wire [PE*ACC_W-1:0] y_d = lanes(x, again_q ? y_q : mem_q, first_q);
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
    reg  [ACCS*PE*ACC_W-1:0] ref_q = {ACCS*PE*ACC_W{1'b0}};
    reg  [AW-1:0]         here_q = {AW{1'b0}}, last_q = {AW{1'b0}};
    wire [PE*ACC_W-1:0]       was = ref_q[here_q*PE*ACC_W +: PE*ACC_W];
    integer i;
    always @(posedge clk) begin
        assume (addr < ACCS);
        assume (again == (addr == (step_q ? here_q : last_q)));
        if (en) begin
            here_q <= addr;
            if (step_q) last_q <= here_q;
            if (step_q) ref_q[here_q*PE*ACC_W +: PE*ACC_W] <= lanes(x, was, first_q);
        end
        assert (last_q < ACCS);
        assert (y == ref_q[last_q*PE*ACC_W +: PE*ACC_W]);
    end
    generate
        if (ACCS > 1) begin : g_formal
            always @(posedge clk) begin
                assert (g_memory.addr_q == here_q);
                assert (here_q < ACCS);
                if (step_q) assert (g_memory.again_q == (here_q == last_q));
                if (step_q && here_q != last_q) assert (g_memory.mem_q == was);
                for (i = 0; i < ACCS; i = i + 1)
                    assert (g_memory.mem[i] == ref_q[i*PE*ACC_W +: PE*ACC_W]);
            end
        end
    endgenerate
`endif
endmodule
`default_nettype wire
