// nashc_results.v: the part of a matrix unit behind the sums of its steps, for PE rows:
// accumulators, thresholds, control and output. A step fires with its flags in one enabled cycle;
// its sum is there STAGES enabled cycles later.
// LATENCY = STAGES + (ACCS > 0) + TLAT, TLAT = 0 (ACT 0), 1 (ACT 1), N = clog2(K+1) (ACT 2), DEEP:
// and one for each of the stages 1 .. N-1 with FOLDS << stage > 16 (T_SHARED: 1 << stage).
// ACCS*PE*ACC_W bits of accumulators, memories as in nashc_thresholding_*.
// STAGES >= 2; ACC_W holds every partial sum; OUT_W = ACC_W if ACT is 0, SW = ACC_W if ACCS is 0.
`default_nettype none
module nashc_results #(
    parameter PE          = 2,          // rows per step
    parameter STAGES      = 2,          // from a step to its sum
    parameter SW          = 12,         // bits per sum
    parameter SUM_SIGNED  = 1,
    parameter ACC_W       = 12,         // bits per accumulator
    parameter ACC_SIGNED  = 1,
    parameter ACCS        = 1,          // accumulators of a row; 0: a step is a result
    parameter ACT         = 0,          // 0 none, 1 parallel thresholds, 2 binary search
    parameter FOLDS       = 1,          // results come from folds 0 .. FOLDS-1, over and over
    parameter K           = 1,          // thresholds per row
    parameter TW          = 12,         // bits per threshold
    parameter T_SIGNED    = 1,
    parameter OUT_W       = 12,         // bits per output
    parameter ACTVAL      = 0,          // added to the count
    parameter HAS_DIR     = 0,          // 1: DIR_FILE tells the rows that count acc < T
    parameter T_SHARED    = 0,          // 1: one row of thresholds for all
    parameter DEEP        = 0,          // ACT 2: one more stage per comparison
    parameter T_FILE      = "thresh",
    parameter DIR_FILE    = "dir.dat",
    parameter T_RAM_STYLE = "auto",
    parameter AW          = (ACCS <= 1) ? 1 : $clog2(ACCS)
) (
    input  wire                clk,
    input  wire                rst_n,
    input  wire                fire,    // the step happens in this cycle (never without en)
    input  wire                first,   // it is the first of its result
    input  wire                writes,  // it is the last
    input  wire [AW-1:0]       addr,    // its accumulator; of several not the last step's
    output wire                en,      // stages may advance
    input  wire [PE*SW-1:0]    sum,
    output wire [PE*OUT_W-1:0] m_tdata,
    output wire                m_tvalid,
    input  wire                m_tready
);
    localparam N    = $clog2(K + 1);
    localparam AST  = STAGES + ((ACCS > 0) ? 1 : 0);    // stages up to the accumulator
    localparam LF   = (T_SHARED != 0) ? 1 : FOLDS;

    function integer deep(input integer stages);        // those whose read takes a cycle
        integer k;
        begin
            deep = 0;
            for (k = 1; k < stages; k = k + 1)
                deep = deep + ((DEEP != 0 && (LF << k) > 16) ? 1 : 0);
        end
    endfunction
    localparam TLAT = (ACT == 0) ? 0 : (ACT == 1) ? 1 : N + deep(N);

    // --- accumulator ---------------------------------------------------------------------------
    wire [PE*ACC_W-1:0] acc;
    generate
        if (ACCS == 0) begin : g_no_acc
            assign acc = sum;
            wire unused = &{1'b0, first, addr};
        end else begin : g_acc
            // A step enters one cycle before its sum is there. The delay line has other taps too.
            /* verilator lint_off UNUSEDSIGNAL */
            wire [STAGES*(AW+2)-1:0] steps;
            /* verilator lint_on UNUSEDSIGNAL */
            wire          step, start;
            wire [AW-1:0] at;
            nashc_delay_line #(.W(AW + 2), .TAPS(STAGES)) u_step (
                .clk(clk), .en(en), .a({fire, first, addr}), .taps(steps)
            );
            assign {step, start, at} = steps[(STAGES-1)*(AW+2) +: AW+2];
            nashc_accumulate #(
                .PE(PE), .FUNC(0), .XW(SW), .X_SIGNED(SUM_SIGNED), .ACC_W(ACC_W), .ACCS(ACCS)
            ) u_acc (
                .clk(clk), .en(en), .step(step), .first(start), .again(1'b0), .addr(at), .x(sum),
                .y(acc)
            );
`ifdef FORMAL
            // Flags and sums of the steps once more; one accumulator, wider than a sum.
            reg [STAGES-2:0]   fired_q;
            reg                step_q, start_q;
            reg [PE*ACC_W-1:0] sum_q;
            integer p, k;
            always @(posedge clk) if (en) begin
                fired_q <= {fired_q, fire};
                step_q  <= step;
                start_q <= start;
                for (p = 0; p < PE; p = p + 1)
                    if (step_q)
                        sum_q[p*ACC_W +: ACC_W] <=
                            (start_q ? {ACC_W{1'b0}} : sum_q[p*ACC_W +: ACC_W])
                            + {{(ACC_W-SW){SUM_SIGNED != 0 && sum[p*SW+SW-1]}}, sum[p*SW +: SW]};
            end
            always @(posedge clk) begin
                for (k = 1; k < STAGES; k = k + 1)
                    assert (steps[k*(AW+2)+AW+1] == fired_q[k-1]);
                assert (acc == sum_q);
            end
`endif
        end
    endgenerate

    // --- activation and output -----------------------------------------------------------------
    wire [PE*OUT_W-1:0] y;
    generate
        if (ACT == 0) begin : g_raw
            assign y = acc;
        end else begin : g_act
            localparam FW = (FOLDS <= 1) ? 1 : $clog2(FOLDS);
            // constants are cut to the width of what they meet
            /* verilator lint_off WIDTH */
            localparam [FW-1:0] LAST = FOLDS - 1;
            /* verilator lint_on WIDTH */
            // The fold of the result that enters the accumulator's stage next.
            reg  [AST-2:0] last_q;
            wire [AST-1:0] last_d = {last_q, fire && writes};
            reg  [FW-1:0]  fold_q;
            always @(posedge clk) begin
                if (!rst_n) begin
                    last_q <= {(AST-1){1'b0}};
                    fold_q <= {FW{1'b0}};
                end else if (en) begin
                    last_q <= last_d[AST-2:0];
                    if (last_q[AST-2]) fold_q <= (fold_q == LAST) ? {FW{1'b0}} : fold_q + 1'b1;
                end
            end
            wire unused = last_d[AST-1];
`ifdef FORMAL
            always @(posedge clk) if (rst_n) assert (fold_q <= LAST);
`endif

            if (ACT == 1) begin : g_par
                nashc_thresholding_parallel_core #(
                    .FOLDS(FOLDS), .PE(PE), .XW(ACC_W), .X_SIGNED(ACC_SIGNED), .TW(TW),
                    .T_SIGNED(T_SIGNED), .K(K), .OUT_W(OUT_W), .ACTVAL(ACTVAL),
                    .HAS_DIR(HAS_DIR), .T_SHARED(T_SHARED), .T_FILE(T_FILE), .DIR_FILE(DIR_FILE),
                    .T_RAM_STYLE(T_RAM_STYLE)
                ) u_act (.clk(clk), .en(en), .fold(fold_q), .x(acc), .y(y));
            end else begin : g_bs
                nashc_thresholding_search_core #(
                    .FOLDS(FOLDS), .PE(PE), .XW(ACC_W), .X_SIGNED(ACC_SIGNED), .TW(TW),
                    .T_SIGNED(T_SIGNED), .K(K), .OUT_W(OUT_W), .ACTVAL(ACTVAL),
                    .HAS_DIR(HAS_DIR), .T_SHARED(T_SHARED), .DEEP(DEEP), .T_FILE(T_FILE),
                    .DIR_FILE(DIR_FILE), .T_RAM_STYLE(T_RAM_STYLE)
                ) u_act (.clk(clk), .en(en), .fold(fold_q), .x(acc), .y(y));
            end
        end
    endgenerate

    nashc_pipe #(.W(PE*OUT_W), .LATENCY(AST + TLAT)) u_pipe (
        .clk(clk), .rst_n(rst_n), .fire(fire), .writes(writes), .en(en), .data(y),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );

`ifdef FORMAL
    reg past_q = 1'b0;
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);
        assume (!fire || en);
        if (past_q && $past(rst_n) && rst_n && $past(m_tvalid && !m_tready)) begin
            assert (m_tvalid);
            assert (m_tdata == $past(m_tdata));
        end
    end
`endif
endmodule
`default_nettype wire
