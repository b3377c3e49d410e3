// nashc_fifo.v: queue of DEPTH words, first-word fall-through, registered flags (docs/timing.md).
// Throughput 1 beat/cycle, latency 1 cycle in every style: a word written in cycle t can be read in
// cycle t+1, a place freed in cycle t can be filled in cycle t+1. DEPTH counts the output register.
// Memory: style 1 two registers; style 2 (DEPTH-1)*W bits with asynchronous read + W flip-flops;
// style 3 (DEPTH-1)*W bits with synchronous read + W flip-flops (the bypass of an empty memory).
// DEPTH >= 2, W >= 1, style 1 only with DEPTH 2.
`default_nettype none
module nashc_fifo #(
    parameter W         = 8,            // bits per beat
    parameter DEPTH     = 2,            // words
    parameter STYLE     = 0,            // 0: 1 if DEPTH is 2, 2 up to DEPTH 65, else 3
    parameter MONITOR   = 0,            // 1: maxcount works
    // only an attribute uses it
    /* verilator lint_off UNUSEDPARAM */
    parameter RAM_STYLE = "auto",
    /* verilator lint_on UNUSEDPARAM */
    parameter CW        = $clog2(DEPTH + 1)
) (
    input  wire          clk,
    input  wire          rst_n,
    input  wire [W-1:0]  s_tdata,
    input  wire          s_tvalid,
    output wire          s_tready,
    output wire [W-1:0]  m_tdata,
    output wire          m_tvalid,
    input  wire          m_tready,
    output wire [CW-1:0] count,         // words held
    output wire [CW-1:0] maxcount       // largest count since reset
);
    localparam KIND = (STYLE != 0) ? STYLE : (DEPTH == 2) ? 1 : (DEPTH <= 65) ? 2 : 3;
    localparam MD   = DEPTH - 1;        // words in the memory
    localparam AW   = (MD <= 1) ? 1 : $clog2(MD);
    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    localparam [AW-1:0] LAST  = MD - 1;
    localparam [CW-1:0] LIMIT = DEPTH;
    /* verilator lint_on WIDTH */

`ifndef SYNTHESIS
    initial if (W < 1 || DEPTH < 2 || STYLE < 0 || STYLE > 3 || (KIND == 1 && DEPTH != 2)) begin
        $display("nashc_fifo: illegal parameters W=%0d DEPTH=%0d STYLE=%0d", W, DEPTH, STYLE);
        $finish;
    end
`endif

    reg  [CW-1:0] count_q;
    wire push = s_tvalid && s_tready;
    wire pop  = m_tvalid && m_tready;
    wire [CW-1:0] count_d = count_q + {{(CW-1){1'b0}}, push} - {{(CW-1){1'b0}}, pop};

    always @(posedge clk) begin
        if (!rst_n) count_q <= {CW{1'b0}};
        else count_q <= count_d;
    end
    assign count = count_q;

    generate
        if (KIND == 1) begin : g_skid
            nashc_skid #(.W(W)) u_skid (
                .clk(clk), .rst_n(rst_n),
                .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
                .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
            );
        end else begin : g_mem
            (* ram_style = RAM_STYLE, no_rw_check *)
            reg [W-1:0] mem [0:MD-1];   // never read and written at one address in one cycle
            reg [AW-1:0] wa_q, ra_q;
            reg valid_q, ready_q, some_q;               // some_q: the memory holds a word
            wire load  = pop || !valid_q;               // the output register can take a word
            wire read  = load && some_q;
            wire write = push && !(load && !some_q);    // else straight to the output register

            assign s_tready = ready_q;
            assign m_tvalid = valid_q;

            always @(posedge clk) begin
                if (!rst_n) begin
                    wa_q    <= {AW{1'b0}};
                    ra_q    <= {AW{1'b0}};
                    valid_q <= 1'b0;
                    ready_q <= 1'b1;
                    some_q  <= 1'b0;
                end else begin
                    if (write) wa_q <= (wa_q == LAST) ? {AW{1'b0}} : wa_q + 1'b1;
                    if (read) ra_q <= (ra_q == LAST) ? {AW{1'b0}} : ra_q + 1'b1;
                    valid_q <= count_d != {CW{1'b0}};
                    ready_q <= count_d != LIMIT;
                    some_q  <= count_d > 1;
                end
            end

            if (KIND == 2) begin : g_async
                reg [W-1:0] out_q;
                always @(posedge clk) begin
                    if (write) mem[wa_q] <= s_tdata;
                    if (load) out_q <= some_q ? mem[ra_q] : s_tdata;
                end
                assign m_tdata = out_q;
            end else begin : g_sync
                reg [W-1:0] ram_q, bypass_q;
                reg         sel_q;
                always @(posedge clk) begin
                    if (write) mem[wa_q] <= s_tdata;
                    if (read) ram_q <= mem[ra_q];
                end
                always @(posedge clk) if (load) begin
                    bypass_q <= s_tdata;
                    sel_q    <= some_q;
                end
                assign m_tdata = sel_q ? ram_q : bypass_q;
            end

`ifdef FORMAL
            // A shift register as reference: word k of the queue, k = 0 next to leave.
            reg [DEPTH*W-1:0] ref_q = {DEPTH*W{1'b0}};
            reg [DEPTH*W-1:0] ref_d;
            integer           i, at;
            always @* begin
                ref_d = pop ? {{W{1'b0}}, ref_q[DEPTH*W-1:W]} : ref_q;
                if (push) ref_d[(count_q - pop)*W +: W] = s_tdata;
            end
            always @(posedge clk) begin
                ref_q <= ref_d;
                if (rst_n) begin
                    assert (some_q == (count_q > 1));
                    assert (ra_q <= LAST);
                    assert (wa_q <= LAST);
                    if (some_q) begin
                        at = ra_q + count_q - 1;
                        assert (wa_q == (at >= MD ? at - MD : at));
                    end else assert (wa_q == ra_q);
                    if (m_tvalid) assert (m_tdata == ref_q[W-1:0]);
                    for (i = 0; i < MD; i = i + 1) if (i + 1 < count_q) begin
                        at = ra_q + i;
                        assert (mem[at >= MD ? at - MD : at] == ref_q[(i+1)*W +: W]);
                    end
                end
            end
`endif
        end

        if (MONITOR != 0) begin : g_monitor
            reg [CW-1:0] max_q;
            always @(posedge clk) begin
                if (!rst_n) max_q <= {CW{1'b0}};
                else if (count_d > max_q) max_q <= count_d;
            end
            assign maxcount = max_q;
        end else begin : g_no_monitor
            assign maxcount = {CW{1'b0}};
        end
    endgenerate

`ifdef FORMAL
    reg past_q = 1'b0;
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);
        if (rst_n) begin
            assert (count_q <= LIMIT);
            assert (m_tvalid == (count_q != 0));
            assert (s_tready == (count_q != LIMIT));
        end
        if (past_q && $past(rst_n) && rst_n && $past(m_tvalid && !m_tready)) begin
            assert (m_tvalid);
            assert (m_tdata == $past(m_tdata));
        end
    end
`endif
endmodule
`default_nettype wire
