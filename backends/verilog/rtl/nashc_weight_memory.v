// nashc_weight_memory.v: memory of weights with a registered read, as nashc_rom, which AXI-Lite can
// read and write while it is in use (docs/timing.md, memory files).
// One read/cycle, data one enabled cycle after the address. DEPTH*W bits with two ports, one for
// the unit, one for AXI-Lite. A line is N = 2**clog2(ceil(W/32)) words of 32 bits, word k of line l
// at byte address 4*(l*N + k), low bits first. Words below the last are kept in registers; the last
// one writes the line. A write takes its address and data together, one in two cycles; a word read
// comes two cycles after its address. Responses are OKAY. FILE has exactly DEPTH lines, which are
// the contents at the start. W, DEPTH >= 1.
`default_nettype none
module nashc_weight_memory #(
    parameter W         = 8,            // bits per word
    parameter DEPTH     = 16,           // words
    parameter FILE      = "memblock.dat",
    // only an attribute uses it
    /* verilator lint_off UNUSEDPARAM */
    parameter RAM_STYLE = "auto",
    /* verilator lint_on UNUSEDPARAM */
    parameter AW        = (DEPTH <= 1) ? 1 : $clog2(DEPTH),
    parameter PART_W    = (W <= 32) ? 0 : $clog2((W + 31) / 32), // bits of the number of a word
    parameter BYTE_W    = AW + PART_W + 2       // bits of a byte address
) (
    input  wire          clk,
    input  wire          rst_n,
    input  wire          en,
    input  wire [AW-1:0] addr,
    output wire [W-1:0]  q,
    // the low bits of addresses, and pad bits of data, are not looked at
    /* verilator lint_off UNUSEDSIGNAL */
    input  wire [BYTE_W-1:0] s_axilite_awaddr,
    input  wire          s_axilite_awvalid,
    output wire          s_axilite_awready,
    input  wire [31:0]   s_axilite_wdata,
    input  wire          s_axilite_wvalid,
    output wire          s_axilite_wready,
    output wire [1:0]    s_axilite_bresp,
    output wire          s_axilite_bvalid,
    input  wire          s_axilite_bready,
    input  wire [BYTE_W-1:0] s_axilite_araddr,
    /* verilator lint_on UNUSEDSIGNAL */
    input  wire          s_axilite_arvalid,
    output wire          s_axilite_arready,
    output wire [31:0]   s_axilite_rdata,
    output wire [1:0]    s_axilite_rresp,
    output wire          s_axilite_rvalid,
    input  wire          s_axilite_rready
);
    localparam N = 1 << PART_W;             // words per line

    (* ram_style = RAM_STYLE, no_rw_check *)
    reg [W-1:0] mem [0:DEPTH-1];        // a line that is read while it is written may be either
    initial $readmemh(FILE, mem);

    reg [W-1:0] q_q;
    always @(posedge clk) if (en) q_q <= mem[addr];
    assign q = q_q;

    // --- AXI-Lite ------------------------------------------------------------------------------
    reg             bvalid_q, fetch_q, rvalid_q;
    reg  [BYTE_W-3:0]   word_q;             // number of the word that is read
    reg  [W-1:0]    line_q;             // the line that it is in
    reg  [N*32-1:0] staged_q;           // words of the line to be written
    wire            write = s_axilite_awvalid && s_axilite_wvalid && !bvalid_q;
    wire            start = s_axilite_arvalid && !fetch_q && !rvalid_q;
    wire [BYTE_W-3:0]   wword = s_axilite_awaddr[BYTE_W-1:2];

    // which word of its line a word is; lines of one word have no bits for it
    function [31:0] part(input [BYTE_W-3:0] word);
        part = (PART_W == 0) ? 0 : {{(34-BYTE_W){1'b0}}, word} & (N - 1);
    endfunction

    reg [N*32-1:0] staged_d;
    always @* begin
        staged_d = staged_q;
        staged_d[part(wword)*32 +: 32] = s_axilite_wdata;
    end

    wire commit = write && part(wword) == N - 1;
    wire [AW-1:0] port = write ? wword[BYTE_W-3:PART_W] : s_axilite_araddr[BYTE_W-1:PART_W+2];
    always @(posedge clk) begin
        if (write) staged_q <= staged_d;
        if (commit) mem[port] <= staged_d[W-1:0];
        else line_q <= mem[port];
    end
    // fetch waits for a cycle in which the port does not write
    always @(posedge clk) begin
        if (!rst_n) begin
            bvalid_q <= 1'b0;
            fetch_q  <= 1'b0;
            rvalid_q <= 1'b0;
        end else begin
            bvalid_q <= write || (bvalid_q && !s_axilite_bready);
            fetch_q  <= start && !write;
            rvalid_q <= fetch_q || (rvalid_q && !s_axilite_rready);
        end
        if (start && !write) word_q <= s_axilite_araddr[BYTE_W-1:2];
    end

    reg  [31:0]     rdata_q;
    reg  [N*32-1:0] padded;
    always @* begin
        padded = {N*32{1'b0}};
        padded[W-1:0] = line_q;
    end
    always @(posedge clk) if (fetch_q) rdata_q <= padded[part(word_q)*32 +: 32];

    assign s_axilite_awready = write;
    assign s_axilite_wready  = write;
    assign s_axilite_bresp   = 2'b00;
    assign s_axilite_bvalid  = bvalid_q;
    assign s_axilite_arready = start && !write;
    assign s_axilite_rdata   = rdata_q;
    assign s_axilite_rresp   = 2'b00;
    assign s_axilite_rvalid  = rvalid_q;
endmodule
`default_nettype wire
