// window_ring_tb.sv: nashc_window_ring against vectors, with random stalls, checked to the cycle against the
// ring of docs/timing.md. steps.hex: a line for each word given of one frame, {address, oldest
// address that is still needed} in 32 bits each.
// Plus arguments as in stream_harness.sv.
`timescale 1ns / 1ns
module window_ring_tb #(
    parameter W = 8,
    parameter WORDS = 16,
    parameter DEPTH = 8,
    parameter FIRST = 0,
    parameter COUNT0 = 1, parameter COUNT1 = 1, parameter COUNT2 = 1, parameter COUNT3 = 1,
    parameter COUNT4 = 1,
    parameter MOVE0 = 0, parameter MOVE1 = 0, parameter MOVE2 = 0, parameter MOVE3 = 0,
    parameter MOVE4 = 0, parameter MOVE8 = 16,
    parameter FREE0 = 0, parameter FREE1 = 0, parameter FREE2 = 0, parameter FREE3 = 0,
    parameter FREE4 = 0, parameter FREE8 = 16,
    parameter NIN = 1,
    parameter NIN1 = 0,
    parameter NOUT = 1,
    parameter STEPS = 1,
    parameter LATENCY = 1,
    parameter DEPTH_OUT = 2,
    parameter TOTAL = 1
);
    reg          clk, rst_n, s_tvalid, m_tready;
    wire         s_tready, m_tvalid;
    wire [W-1:0] m_tdata;
    reg  [W-1:0] in0 [0:NIN-1];
    reg  [W-1:0] out [0:NOUT-1];
    reg  [63:0]  steps [0:STEPS-1];
    integer seed, si, so, i0, n_out, given, cycle, limit, tail, occ, next, oldest;
    reg v, ready, en, fire, push, done0;

    nashc_window_ring #(
        .W(W), .WORDS(WORDS), .DEPTH(DEPTH), .FIRST(FIRST),
        .COUNT0(COUNT0), .COUNT1(COUNT1), .COUNT2(COUNT2), .COUNT3(COUNT3), .COUNT4(COUNT4),
        .MOVE0(MOVE0), .MOVE1(MOVE1), .MOVE2(MOVE2), .MOVE3(MOVE3), .MOVE4(MOVE4), .MOVE8(MOVE8),
        .FREE0(FREE0), .FREE1(FREE1), .FREE2(FREE2), .FREE3(FREE3), .FREE4(FREE4), .FREE8(FREE8)
    ) dut (
        .clk(clk), .rst_n(rst_n),
        .s_tdata(s_tvalid ? in0[i0] : {W{1'bx}}), .s_tvalid(s_tvalid), .s_tready(s_tready),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );

    function integer stalled(input integer percent);
        stalled = $unsigned($random(seed)) % 100 < percent;
    endfunction

    initial begin
        if (!$value$plusargs("seed=%d", seed)) seed = 1;
        if (!$value$plusargs("si=%d", si)) si = 0;
        if (!$value$plusargs("so=%d", so)) so = 0;
        $readmemh("in0.hex", in0);
        $readmemh("out.hex", out);
        $readmemh("steps.hex", steps);
        {clk, rst_n, s_tvalid, m_tready, v} = 5'b00000;
        {i0, n_out, given, cycle, tail, occ} = 0;
        limit = 1000 + (NIN + NOUT * 2) * 20;
        repeat (3) begin
            #5 clk = 1;
            #5 clk = 0;
        end
        rst_n = 1;
        s_tvalid = si == 0;
        m_tready = so == 0;
        forever begin
            #5 clk = 1;
            #5 clk = 0;
        end
    end

    always @(posedge clk) if (rst_n) begin
        next = given / STEPS * WORDS + steps[given % STEPS][63:32];
        oldest = given / STEPS * WORDS + steps[given % STEPS][31:0];
        ready = i0 - oldest < DEPTH;
        en = !v || occ < DEPTH_OUT;
        fire = en && i0 > next;
        push = v && occ < DEPTH_OUT;
        if (s_tready !== ready)
            $fatal(1, "cycle %0d: s_tready is %b, the model says %b", cycle, s_tready, ready);
        if (m_tvalid !== (occ > 0))
            $fatal(1, "cycle %0d: m_tvalid is %b, the model says %b", cycle, m_tvalid, occ > 0);
        if (occ > 0 && n_out < NOUT) begin
            if (m_tdata !== out[n_out])
                $fatal(1, "cycle %0d: word %0d is %h, expected %h", cycle, n_out, m_tdata,
                       out[n_out]);
            if (m_tready) n_out = n_out + 1;
            if (m_tready && n_out == NOUT) $display("PASS %0d beats %0d cycles", n_out, cycle + 1);
        end
        // The state of the next cycle.
        if (fire) given = given + 1;
        if (en) v = fire;
        occ = occ + push - (m_tready && occ > 0);
        done0 = s_tvalid && ready;
        if (done0) i0 <= i0 + 1;
        if (done0 || !s_tvalid) s_tvalid <= i0 + done0 < NIN && !stalled(si);
        m_tready <= !stalled(so);
        cycle = cycle + 1;
        if (n_out == NOUT) begin
            tail = tail + 1;
            if (tail == 20) $finish;
        end else if (cycle > limit) $fatal(1, "%0d of %0d words in %0d cycles", n_out, NOUT, cycle);
    end
endmodule
