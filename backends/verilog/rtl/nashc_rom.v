// nashc_rom.v: memory of constants from a $readmemh file with a registered read.
// One read/cycle, data one enabled cycle after the address. DEPTH*W bits; DEPTH 1 is a constant
// without a register. FILE has exactly DEPTH lines. RAM_STYLE "distributed" is LUTs and flip-flops:
// what tools call distributed RAM has no registered read of its own, and Yosys refuses it.
`default_nettype none
module nashc_rom #(
    parameter W         = 8,            // bits per word
    parameter DEPTH     = 16,           // words
    parameter FILE      = "rom.dat",
    parameter RAM_STYLE = "auto",       // auto, block, distributed
    parameter AW        = (DEPTH <= 1) ? 1 : $clog2(DEPTH)
) (
    input  wire          clk,
    input  wire          en,
    input  wire [AW-1:0] addr,
    output wire [W-1:0]  q
);
    // strings of different lengths differ
    /* verilator lint_off WIDTH */
    localparam IN_LUTS = (RAM_STYLE == "distributed") ? 1 : 0;
    /* verilator lint_on WIDTH */

    generate
        if (DEPTH == 1) begin : g_const
            reg [W-1:0] mem [0:0];
            initial $readmemh(FILE, mem);
            assign q = mem[0];
            wire unused = &{1'b0, clk, en, addr};
        end else if (IN_LUTS != 0) begin : g_logic
`ifdef YOSYS
            (* logic_block *)
`else
            (* rom_style = "distributed" *)
`endif
            reg [W-1:0] mem [0:DEPTH-1];
            initial $readmemh(FILE, mem);
            reg [W-1:0] q_q;
            always @(posedge clk) if (en) q_q <= mem[addr];
            assign q = q_q;
        end else begin : g_memory
            (* rom_style = RAM_STYLE *)
            reg [W-1:0] mem [0:DEPTH-1];
            initial $readmemh(FILE, mem);
            reg [W-1:0] q_q;
            always @(posedge clk) if (en) q_q <= mem[addr];
            assign q = q_q;
        end
    endgenerate
endmodule
`default_nettype wire
