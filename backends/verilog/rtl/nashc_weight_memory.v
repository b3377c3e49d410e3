// nashc_weight_memory.v: memory of weights with a registered read, as nashc_rom, which AXI-Lite can
// read and write while it is in use (docs/timing.md, memory files).
// One read/cycle, data one enabled cycle after the address. DEPTH*W bits with two ports, one for
// the unit, one for AXI-Lite. A line is N = 2**clog2(ceil(W/32)) words of 32 bits, word k of line l
// at byte address 4*(l*N + k), low bits first. Words below the last are kept in registers; the last
// one writes the line. A write takes its address and data together, one in two cycles; a word read
// comes two cycles after its address. Responses are OKAY. FILE has exactly DEPTH lines, which are
// the contents at the start; RAM_STYLE "ultra": there are none, as UltraRAM has no others.
// W, DEPTH >= 1.
`default_nettype none
module nashc_weight_memory #(
    parameter W         = 8,            // bits per word
    parameter DEPTH     = 16,           // words
    parameter FILE      = "memblock.dat",
    parameter RAM_STYLE = "auto",
    parameter AW        = (DEPTH <= 1) ? 1 : $clog2(DEPTH)
) (
    input  wire          clk,
    input  wire          rst_n,
    input  wire          en,
    input  wire [AW-1:0] addr,
    output wire [W-1:0]  q,
    // {awaddr, awvalid, wdata, wvalid, bready, araddr, arvalid, rready}, addresses of 32 bits, of
    // which those above the memory, and the lowest two, are not looked at, as pad bits of data
    /* verilator lint_off UNUSEDSIGNAL */
    input  wire [100:0]  lite_s,
    /* verilator lint_on UNUSEDSIGNAL */
    output wire [36:0]   lite_m         // {awready, wready, bvalid, arready, rdata, rvalid}
);
    localparam PART_W = (W <= 32) ? 0 : $clog2((W + 31) / 32);  // bits of the number of a word
    localparam N      = 1 << PART_W;            // words per line
    localparam NUM_W  = AW + PART_W;            // bits of the number of a word in the memory

    (* ram_style = RAM_STYLE, no_rw_check *)
    reg [W-1:0] mem [0:DEPTH-1];        // a line that is read while it is written may be either
    // strings of different lengths differ
    /* verilator lint_off WIDTH */
    localparam STARTS_EMPTY = (RAM_STYLE == "ultra") ? 1 : 0;
    /* verilator lint_on WIDTH */
    generate
        if (STARTS_EMPTY == 0) begin : g_start
            initial $readmemh(FILE, mem);
        end
    endgenerate

    reg [W-1:0] q_q;
    always @(posedge clk) if (en) q_q <= mem[addr];
    assign q = q_q;

    // --- AXI-Lite ------------------------------------------------------------------------------
    wire [NUM_W-1:0] wword = lite_s[NUM_W+70:71], rword = lite_s[NUM_W+3:4];
    wire [31:0]      wdata = lite_s[67:36];
    wire             awvalid = lite_s[68], wvalid = lite_s[35], bready = lite_s[34];
    wire             arvalid = lite_s[1], rready = lite_s[0];

    reg              bvalid_q, fetch_q, rvalid_q;
    reg  [NUM_W-1:0] word_q;            // number of the word that is read
    reg  [W-1:0]     line_q;            // the line that it is in
    wire [N*32-1:0]  staged;            // the line to be written: this word and those before
    wire             write = awvalid && wvalid && !bvalid_q;
    wire             start = arvalid && !fetch_q && !rvalid_q;

    // which word of its line a word is; lines of one word have no bits for it
    function [31:0] part(input [NUM_W-1:0] word);
        part = (PART_W == 0) ? 0 : {{(32-NUM_W){1'b0}}, word} & (N - 1);
    endfunction

    genvar k;
    generate
        for (k = 0; k < N; k = k + 1) begin : g_word
            if (k == N - 1) begin : g_last
                assign staged[k*32 +: 32] = wdata;
            end else begin : g_kept
                reg [31:0] staged_q;
                always @(posedge clk) if (write && part(wword) == k) staged_q <= wdata;
                assign staged[k*32 +: 32] = staged_q;
            end
        end
        if (N*32 > W) begin : g_pad
            wire unused = &{1'b0, staged[N*32-1:W]};
        end
    endgenerate

    wire commit = write && part(wword) == N - 1;
    wire [AW-1:0] port = write ? wword[NUM_W-1:PART_W] : rword[NUM_W-1:PART_W];
    always @(posedge clk) begin
        if (commit) mem[port] <= staged[W-1:0];
        else line_q <= mem[port];
    end
    // fetch waits for a cycle in which the port does not write
    always @(posedge clk) begin
        if (!rst_n) begin
            bvalid_q <= 1'b0;
            fetch_q  <= 1'b0;
            rvalid_q <= 1'b0;
        end else begin
            bvalid_q <= write || (bvalid_q && !bready);
            fetch_q  <= start && !write;
            rvalid_q <= fetch_q || (rvalid_q && !rready);
        end
        if (start && !write) word_q <= rword;
    end

    reg  [31:0]     rdata_q, rdata_d;
    reg  [N*32-1:0] padded;
    integer         i;
    always @* begin
        padded = {N*32{1'b0}};
        padded[W-1:0] = line_q;
        rdata_d = 32'd0;
        for (i = 0; i < N; i = i + 1)
            if (part(word_q) == i) rdata_d = rdata_d | padded[i*32 +: 32];
    end
    always @(posedge clk) if (fetch_q) rdata_q <= rdata_d;

    assign lite_m = {write, write, bvalid_q, start && !write, rdata_q, rvalid_q};
endmodule
`default_nettype wire
