// nashc_label_select.v: indices of the TOP_K largest of LABELS values, best first; of equal values
// the one with the lowest index. LABELS/PE + TOP_K - 1 steps a frame (the first index leaves with
// the last beat), LATENCY 2. No memory, no multiplier; TOP_K 1: PE comparators in a tree, else a
// chain of PE*TOP_K. PE divides LABELS, 1 <= TOP_K <= LABELS, OUT_W holds LABELS - 1.
`default_nettype none
module nashc_label_select #(
    parameter LABELS   = 10,            // values per frame
    parameter PE       = 1,             // values per beat
    parameter TOP_K    = 1,             // indices per frame, one a beat
    parameter XW       = 8,             // bits per value
    parameter X_SIGNED = 1,
    parameter OUT_W    = 8              // bits per index
) (
    input  wire             clk,
    input  wire             rst_n,
    input  wire [PE*XW-1:0] s_tdata,
    input  wire             s_tvalid,
    output wire             s_tready,
    output wire [OUT_W-1:0] m_tdata,
    output wire             m_tvalid,
    input  wire             m_tready
);
    localparam F  = LABELS / PE;        // beats per frame
    localparam IW = (LABELS <= 1) ? 1 : $clog2(LABELS);
    localparam FW = (F <= 1) ? 1 : $clog2(F);
    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    localparam [FW-1:0] LAST = F - 1;
    localparam [IW-1:0] JUMP = PE;
    /* verilator lint_on WIDTH */
    localparam EW = 1 + IW + XW + 1;    // a candidate: used, index, value with sign

`ifndef SYNTHESIS
    initial if (PE < 1 || LABELS % PE != 0 || TOP_K < 1 || TOP_K > LABELS || XW < 1
                || OUT_W < IW) begin
        $display("nashc_label_select: illegal parameters LABELS=%0d PE=%0d TOP_K=%0d OUT_W=%0d",
                 LABELS, PE, TOP_K, OUT_W);
        $finish;
    end
`endif

    reg  [FW-1:0] beat_q;               // of the step
    reg  [IW-1:0] base_q;               // index of lane 0
    wire          tail;                 // the step only writes
    wire          en;
    wire          last   = beat_q == LAST;
    wire          reads  = !tail;
    wire          writes = tail || last;
    wire          fire   = en && (tail || s_tvalid);
    assign s_tready = en && reads;

    always @(posedge clk) begin
        if (!rst_n) begin
            beat_q <= {FW{1'b0}};
            base_q <= {IW{1'b0}};
        end else if (fire && reads) begin
            beat_q <= last ? {FW{1'b0}} : beat_q + 1'b1;
            base_q <= last ? {IW{1'b0}} : base_q + JUMP;
        end
    end

    // Stage 1: candidates of a beat (one if TOP_K is 1) and what the step is.
    localparam NC = (TOP_K == 1) ? 1 : PE;
    wire [PE*EW-1:0] lane;
    wire [NC*EW-1:0] cand_d;
    reg  [NC*EW-1:0] cand_q;
    reg              step1_q, first1_q, tail1_q;

    always @(posedge clk) begin
        if (!rst_n) step1_q <= 1'b0;
        else if (en) step1_q <= fire;
    end
    always @(posedge clk) if (en) begin
        cand_q   <= cand_d;
        first1_q <= beat_q == {FW{1'b0}};
        tail1_q  <= tail;
    end

    // Stage 2: the TOP_K best so far, best in the low bits; a writing step shifts the list down.
    wire [TOP_K*EW-1:0] list_d;
    reg  [TOP_K*EW-1:0] list_q;
    always @(posedge clk) if (en && step1_q) list_q <= list_d;

    genvar p;
    generate
        for (p = 0; p < PE; p = p + 1) begin : g_lane
            // constants are cut to the width of what they meet
            /* verilator lint_off WIDTH */
            localparam [IW-1:0] OFFSET = p;
            /* verilator lint_on WIDTH */
            assign lane[p*EW +: EW] = {1'b1, base_q + OFFSET,
                (X_SIGNED != 0) && s_tdata[p*XW + XW - 1], s_tdata[p*XW +: XW]};
        end

        if (TOP_K == 1) begin : g_best
            assign tail = 1'b0;
            // A heap: leaves PE .. 2*PE-1, node i has children 2i and 2i+1. From left to right
            // stand first the leaves of the lowest level, from node DEEP on: lanes in this order,
            // so of equal values the left one has the lower index.
            localparam DEEP = 1 << $clog2(PE);
            for (p = 2 * PE - 1; p >= 1; p = p - 1) begin : g_node
                wire [EW-1:0] win;
                if (p >= PE) begin : g_leaf
                    localparam AT = (p >= DEEP) ? p - DEEP : p + PE - DEEP;
                    assign win = lane[AT*EW +: EW];
                end else begin : g_pick
                    wire [EW-1:0] a = g_node[2*p].win;
                    wire [EW-1:0] b = g_node[2*p+1].win;
                    wire up = $signed(b[XW:0]) > $signed(a[XW:0]);
                    assign win = up ? b : a;
                end
            end
            assign cand_d = g_node[1].win;
            wire better = $signed(cand_q[XW:0]) > $signed(list_q[XW:0]);
            assign list_d = (first1_q || better) ? cand_q : list_q;
            wire unused = &{1'b0, tail1_q, list_q[EW-1]};
        end else begin : g_list
            localparam TW = (TOP_K <= 2) ? 1 : $clog2(TOP_K);
            // constants are cut to the width of what they meet
            /* verilator lint_off WIDTH */
            localparam [TW-1:0] TAIL = TOP_K - 1;
            /* verilator lint_on WIDTH */
            reg [TW-1:0] tail_q;        // writing steps left
            assign tail   = tail_q != {TW{1'b0}};
            assign cand_d = lane;
            always @(posedge clk) begin
                if (!rst_n) tail_q <= {TW{1'b0}};
                else if (fire && writes) tail_q <= tail ? tail_q - 1'b1 : TAIL;
            end

            reg [TOP_K*EW-1:0] list;
            reg [EW-1:0]   e, h;
            reg            in;          // e displaces what follows
            integer        i, j;
            always @* begin
                list = first1_q ? {TOP_K*EW{1'b0}} : list_q;
                e    = {EW{1'b0}};
                h    = {EW{1'b0}};
                in   = 1'b0;
                for (i = 0; i < PE; i = i + 1) begin    // insert lane i
                    e  = cand_q[i*EW +: EW];
                    in = 1'b0;
                    for (j = 0; j < TOP_K; j = j + 1) begin
                        h  = list[j*EW +: EW];
                        in = in || !h[EW-1] || $signed(e[XW:0]) > $signed(h[XW:0]);
                        if (in) begin
                            list[j*EW +: EW] = e;
                            e = h;
                        end
                    end
                end
            end
            assign list_d = tail1_q ? {{EW{1'b0}}, list_q[TOP_K*EW-1:EW]} : list;
        end
    endgenerate

    wire [OUT_W-1:0] index;
    generate
        if (OUT_W == IW) begin : g_exact
            assign index = list_q[XW+1 +: IW];
        end else begin : g_pad
            assign index = {{(OUT_W-IW){1'b0}}, list_q[XW+1 +: IW]};
        end
    endgenerate

    nashc_pipe #(.W(OUT_W), .LATENCY(2)) u_pipe (
        .clk(clk), .rst_n(rst_n), .fire(fire), .writes(writes), .en(en), .data(index),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );

`ifdef FORMAL
    reg past_q = 1'b0;
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);
        if (rst_n) begin
            assert (beat_q <= LAST);
            assert (base_q == beat_q * JUMP);
            assert (!tail || beat_q == {FW{1'b0}});
            assert (!(s_tready && tail));               // a writing step takes nothing
        end
        if (past_q && $past(rst_n) && rst_n && $past(m_tvalid && !m_tready)) begin
            assert (m_tvalid);
            assert (m_tdata == $past(m_tdata));
        end
    end
`endif
endmodule
`default_nettype wire
