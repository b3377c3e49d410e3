// nashc_thresholding_search.v: y = ACTVAL + #{t : T[c][t] <= x} by binary search in N stages,
// N = clog2(K+1). Throughput 1 beat/cycle, C/PE steps a vector, LATENCY N, DEEP: one more for each
// of the stages 1 .. N-1 with (C/PE) << stage > 16 (T_SHARED: 1 << stage). The first thresholds are
// read a step ahead, so x comes from the stream's own register.
// PE*N comparators, PE*N memories of (C/PE) << stage words of TW bits. PE divides C, K >= 1, rows
// ascend.
`default_nettype none
module nashc_thresholding_search #(
    parameter C           = 4,          // channels
    parameter PE          = 1,          // lanes
    parameter XW          = 8,          // bits per input
    parameter X_SIGNED    = 1,
    parameter TW          = 8,          // bits per threshold
    parameter T_SIGNED    = 1,
    parameter K           = 3,          // thresholds per channel
    parameter OUT_W       = 2,          // bits per output
    parameter ACTVAL      = 0,          // added to the count
    parameter HAS_DIR     = 0,          // 1: DIR_FILE tells the channels that count x < T
    parameter T_SHARED    = 0,          // 1: one row for all channels
    parameter DEEP        = 0,          // 1: a register stage between comparison and next read
    parameter MEM_DIR     = ".",
    parameter T_FILE      = "thresh",
    parameter DIR_FILE    = "dir.dat",
    parameter T_RAM_STYLE = "auto"
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
    localparam CF  = C / PE;
    localparam FW  = (CF <= 1) ? 1 : $clog2(CF);
    localparam N   = $clog2(K + 1);
    localparam LF  = (T_SHARED != 0) ? 1 : CF;

    function integer deep(input integer stages);        // those whose read takes a cycle
        integer k;
        begin
            deep = 0;
            for (k = 1; k < stages; k = k + 1)
                deep = deep + ((DEEP != 0 && (LF << k) > 16) ? 1 : 0);
        end
    endfunction
    localparam LAT = N + deep(N);
    // constants are cut to the width of what they meet
    /* verilator lint_off WIDTH */
    localparam [FW-1:0] LAST = CF - 1;
    /* verilator lint_on WIDTH */

`ifndef SYNTHESIS
    initial if (PE < 1 || C % PE != 0 || XW < 1 || TW < 1 || K < 1 || OUT_W < 1) begin
        $display("nashc_thresholding_search: illegal parameters C=%0d PE=%0d K=%0d", C, PE, K);
        $finish;
    end
`endif

    wire                en;
    wire                fire = en && s_tvalid;
    wire [PE*OUT_W-1:0] y;
    reg  [FW-1:0]       fold_q;         // of the next step
    reg  [FW-1:0]       next_q;         // of the one behind it: an address without a sum in front
    wire [FW-1:0]       fold_d = !rst_n ? {FW{1'b0}} : fire ? next_q : fold_q;
    assign s_tready = en;

    always @(posedge clk) begin
        if (en || !rst_n) fold_q <= fold_d;
        if (!rst_n) next_q <= (CF > 1) ? 1 : 0;
        else if (fire) next_q <= (next_q == LAST) ? {FW{1'b0}} : next_q + 1'b1;
    end

    nashc_thresholding_search_core #(
        .FOLDS(CF), .PE(PE), .XW(XW), .X_SIGNED(X_SIGNED), .TW(TW), .T_SIGNED(T_SIGNED), .K(K),
        .OUT_W(OUT_W), .ACTVAL(ACTVAL), .HAS_DIR(HAS_DIR), .T_SHARED(T_SHARED), .DEEP(DEEP),
        .T_FILE({MEM_DIR, "/", T_FILE}), .DIR_FILE({MEM_DIR, "/", DIR_FILE}),
        .T_RAM_STYLE(T_RAM_STYLE)
    ) u_core (.clk(clk), .en(en || !rst_n), .fold(fold_d), .x(s_tdata), .y(y));

    nashc_pipe #(.W(PE*OUT_W), .LATENCY(LAT)) u_pipe (
        .clk(clk), .rst_n(rst_n), .fire(fire), .writes(1'b1), .en(en), .data(y),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );
endmodule
`default_nettype wire
