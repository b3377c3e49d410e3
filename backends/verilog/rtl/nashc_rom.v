// nashc_rom.v: memory of constants from a $readmemh file with a registered read.
// One read/cycle, data one enabled cycle after the address. DEPTH*W bits; DEPTH 1 is a constant
// without a register. FILE has exactly DEPTH lines.
`default_nettype none
module nashc_rom #(
    parameter W         = 8,            // bits per word
    parameter DEPTH     = 16,           // words
    parameter FILE      = "rom.dat",
    // only an attribute uses it
    /* verilator lint_off UNUSEDPARAM */
    parameter RAM_STYLE = "auto",
    /* verilator lint_on UNUSEDPARAM */
    parameter AW        = (DEPTH <= 1) ? 1 : $clog2(DEPTH)
) (
    input  wire          clk,
    input  wire          en,
    input  wire [AW-1:0] addr,
    output wire [W-1:0]  q
);
    (* ram_style = RAM_STYLE *)
    reg [W-1:0] mem [0:DEPTH-1];
    initial $readmemh(FILE, mem);

    generate
        if (DEPTH == 1) begin : g_const
            assign q = mem[0];
            wire unused = &{1'b0, clk, en, addr};
        end else begin : g_read
            reg [W-1:0] q_q;
            always @(posedge clk) if (en) q_q <= mem[addr];
            assign q = q_q;
        end
    endgenerate
endmodule
`default_nettype wire
