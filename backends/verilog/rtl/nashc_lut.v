// nashc_lut.v: y = table[c][x - LO], a table per channel or one for all.
// Throughput 1 beat/cycle, C/PE steps a vector, LATENCY 2. PE memories of (C/PE)*ENTRIES words of
// OUT_W bits (SHARED: ENTRIES words) with registered read. PE divides C; LO <= x < LO+ENTRIES.
// Files {FILE}_<lane>.dat (docs/timing.md).
`default_nettype none
module nashc_lut #(
    parameter C         = 4,            // channels
    parameter PE        = 1,            // lanes, at most 10000
    parameter XW        = 4,            // bits per input
    parameter X_SIGNED  = 0,
    parameter LO        = 0,            // x of the first table entry
    parameter ENTRIES   = 16,           // entries per channel
    parameter OUT_W     = 8,            // bits per output
    parameter SHARED    = 0,            // 1: one table for all channels
    parameter MEM_DIR   = ".",
    parameter FILE      = "lut",
    parameter RAM_STYLE = "auto"
) (
    input  wire                clk,
    input  wire                rst_n,
    input  wire [PE*XW-1:0]    s_tdata,
    input  wire                s_tvalid,
    output wire                s_tready,
    output wire [PE*OUT_W-1:0] m_tdata,
    output wire                m_tvalid,
    input  wire                m_tready
);
    localparam CF    = (SHARED != 0) ? 1 : C / PE;      // folds in the memories
    localparam DEPTH = CF * ENTRIES;
    localparam AW    = (DEPTH <= 1) ? 1 : $clog2(DEPTH);
    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    localparam [AW-1:0] STEP  = ENTRIES;
    localparam [AW-1:0] LAST  = (CF - 1) * ENTRIES;
    localparam [AW-1:0] START = LO;                     // taken modulo the address
    /* verilator lint_on WIDTH */

`ifndef SYNTHESIS
    initial if (PE < 1 || C % PE != 0 || XW < 1 || ENTRIES < 1 || OUT_W < 1) begin
        $display("nashc_lut: illegal parameters C=%0d PE=%0d ENTRIES=%0d", C, PE, ENTRIES);
        $finish;
    end
`endif

    wire                en;
    wire                fire = en && s_tvalid;
    wire [PE*AW-1:0]    addr_d;
    reg  [PE*AW-1:0]    addr_q;
    wire [PE*OUT_W-1:0] y;
    wire [AW-1:0]       base;           // first word of this fold
    assign s_tready = en;

    always @(posedge clk) if (en) addr_q <= addr_d;

    genvar p;
    generate
        if (CF == 1) begin : g_one
            assign base = {AW{1'b0}};
            wire unused = &{1'b0, STEP, LAST};
        end else begin : g_folds
            reg [AW-1:0] base_q;
            always @(posedge clk) begin
                if (!rst_n) base_q <= {AW{1'b0}};
                else if (fire) base_q <= (base_q == LAST) ? {AW{1'b0}} : base_q + STEP;
            end
            assign base = base_q;
        end

        for (p = 0; p < PE; p = p + 1) begin : g_lane
            // decimal digits as characters
            /* verilator lint_off WIDTH */
            localparam [7:0] P0 = (SHARED != 0) ? 48 : 48 + p % 10;
            localparam [7:0] P1 = 48 + (p / 10) % 10;
            localparam [7:0] P2 = 48 + (p / 100) % 10;
            localparam [7:0] P3 = 48 + p / 1000;
            /* verilator lint_on WIDTH */
            localparam [31:0] P4 = {P3, P2, P1, P0};
            localparam PL = (SHARED != 0 || p < 10) ? 8 : (p < 100) ? 16 : (p < 1000) ? 24 : 32;
            localparam [PL-1:0] LANE = P4[PL-1:0];
            // The address may need fewer bits than x has.
            /* verilator lint_off UNUSEDSIGNAL */
            wire signed [XW:0] x = {(X_SIGNED != 0) && s_tdata[p*XW + XW - 1],
                                    s_tdata[p*XW +: XW]};
            /* verilator lint_on UNUSEDSIGNAL */
            // x widens to, or is taken modulo, the address: x - LO fits it.
            /* verilator lint_off WIDTH */
            wire signed [AW-1:0] xa = x;
            /* verilator lint_on WIDTH */
            assign addr_d[p*AW +: AW] = base + xa - START;
            nashc_rom #(
                .W(OUT_W), .DEPTH(DEPTH), .FILE({MEM_DIR, "/", FILE, "_", LANE, ".dat"}),
                .RAM_STYLE(RAM_STYLE)
            ) u_rom (.clk(clk), .en(en), .addr(addr_q[p*AW +: AW]), .q(y[p*OUT_W +: OUT_W]));
        end
    endgenerate

    nashc_pipe #(.W(PE*OUT_W), .LATENCY(2)) u_pipe (
        .clk(clk), .rst_n(rst_n), .fire(fire), .writes(1'b1), .en(en), .data(y),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );
endmodule
`default_nettype wire
