// stream_harness.sv: drives one streaming module with random stalls on every port and checks each
// output beat against out.hex and each ready and valid, in every cycle, against the model of
// docs/timing.md. Files of the run's folder: in0.hex, in1.hex, out.hex (a beat a line) and
// steps.hex (a step a line: bit 0 reads s, bit 1 reads s1, bit 2 writes).
// Plus arguments: +seed=N, +si=N and +so=N: percent of stalled cycles on the inputs, the output.
`timescale 1ns / 1ns
module stream_harness #(
    parameter IN_W    = 8,
    parameter IN1_W   = 1,
    parameter OUT_W   = 8,
    parameter NIN     = 0,              // beats of s
    parameter NIN1    = 0,              // beats of s1
    parameter NOUT    = 1,              // beats of m
    parameter STEPS   = 1,              // lines of steps.hex
    parameter LATENCY = 0,
    parameter DEPTH   = 2,              // words of the output buffer
    parameter LINE    = 0,              // 1: a line, which keeps one result
    parameter TOTAL   = 1               // steps of the run; 0: it never ends by itself
) (
    output reg              clk,
    output reg              rst_n,
    output wire [IN_W-1:0]  s_tdata,
    output reg              s_tvalid,
    input  wire             s_tready,
    output wire [IN1_W-1:0] s1_tdata,
    output reg              s1_tvalid,
    input  wire             s1_tready,
    input  wire [OUT_W-1:0] m_tdata,
    input  wire             m_tvalid,
    output reg              m_tready
);
    reg [IN_W-1:0]  in0 [0:(NIN > 0 ? NIN : 1)-1];
    reg [IN1_W-1:0] in1 [0:(NIN1 > 0 ? NIN1 : 1)-1];
    reg [OUT_W-1:0] out [0:NOUT-1];
    reg [2:0]       steps [0:STEPS-1];
    integer seed, si, so, i0, i1, n_out, cycle, limit, tail;

    // The model of docs/timing.md.
    integer step, occ, wrote;           // wrote: the last step did
    reg [LATENCY:0] v;                  // v[LATENCY]: the last stage holds a result
    reg [2:0] now;
    reg room, en, fire, push, ready0, ready1, done0, done1;

    assign s_tdata  = s_tvalid ? in0[i0] : {IN_W{1'bx}};    // a bubble has no data
    assign s1_tdata = s1_tvalid ? in1[i1] : {IN1_W{1'bx}};

    initial begin
        if (!$value$plusargs("seed=%d", seed)) seed = 1;
        if (!$value$plusargs("si=%d", si)) si = 0;
        if (!$value$plusargs("so=%d", so)) so = 0;
        if (NIN > 0) $readmemh("in0.hex", in0);
        if (NIN1 > 0) $readmemh("in1.hex", in1);
        $readmemh("out.hex", out);
        $readmemh("steps.hex", steps);
        clk = 0;
        rst_n = 0;
        {s_tvalid, s1_tvalid, m_tready} = 3'b000;
        i0 = 0;
        i1 = 0;
        n_out = 0;
        cycle = 0;
        step = 0;
        occ = 0;
        wrote = 0;
        tail = 0;
        v = 0;
        limit = 1000 + (NIN + NIN1 + NOUT * 2 + TOTAL + LATENCY) * 20;
        #1;
        repeat (3) begin
            #5 clk = 1;
            #5 clk = 0;
        end
        rst_n = 1;
        s_tvalid = NIN > 0 && si == 0;
        s1_tvalid = NIN1 > 0 && si == 0;
        m_tready = so == 0;
        forever begin
            #5 clk = 1;
            #5 clk = 0;
        end
    end

    function integer stalled(input integer percent);
        stalled = $unsigned($random(seed)) % 100 < percent;
    endfunction

    always @(posedge clk) if (rst_n) begin
        now = steps[step];
        room = occ < DEPTH;
        en = (LINE != 0) ? occ <= wrote : (LATENCY == 0) ? !now[2] || room : !v[LATENCY] || room;
        ready0 = en && now[0] && (!now[1] || s1_tvalid);
        ready1 = en && now[1] && (!now[0] || s_tvalid);
        fire = en && (!now[0] || s_tvalid) && (!now[1] || s1_tvalid);
        push = (LATENCY == 0) ? fire && now[2] : v[LATENCY] && room;
        if (NIN > 0 && s_tready !== ready0)
            $fatal(1, "cycle %0d: s_tready is %b, the model says %b", cycle, s_tready, ready0);
        if (NIN1 > 0 && s1_tready !== ready1)
            $fatal(1, "cycle %0d: s1_tready is %b, the model says %b", cycle, s1_tready, ready1);
        if (m_tvalid !== (occ > 0))
            $fatal(1, "cycle %0d: m_tvalid is %b, the model says %b", cycle, m_tvalid, occ > 0);
        if (occ > 0 && (TOTAL != 0 || n_out < NOUT)) begin
            if (n_out >= NOUT) $fatal(1, "cycle %0d: beat %0d is one too many", cycle, n_out);
            if (m_tdata !== out[n_out])
                $fatal(1, "cycle %0d: beat %0d is %h, expected %h", cycle, n_out, m_tdata,
                       out[n_out]);
            if (m_tready) begin
                n_out = n_out + 1;
                // Without stalls the number of cycles is known in closed form.
                if (n_out == NOUT && TOTAL != 0 && si == 0 && so == 0
                        && cycle + 1 != TOTAL + LATENCY + 1)
                    $fatal(1, "%0d cycles, expected %0d", cycle + 1, TOTAL + LATENCY + 1);
                if (n_out == NOUT) $display("PASS %0d beats %0d cycles", n_out, cycle + 1);
            end
        end
        // The state of the next cycle.
        if (fire) wrote = now[2];
        if (fire) step = (step + 1) % STEPS;
        if (LATENCY > 0 && en) v = (v << 1) | ((fire && now[2]) << 1);
        occ = occ + push - (m_tready && occ > 0);
        done0 = s_tvalid && ready0;
        done1 = s1_tvalid && ready1;
        if (done0) i0 <= i0 + 1;
        if (done1) i1 <= i1 + 1;
        if (done0 || !s_tvalid) s_tvalid <= i0 + done0 < NIN && !stalled(si);
        if (done1 || !s1_tvalid) s1_tvalid <= i1 + done1 < NIN1 && !stalled(si);
        m_tready <= !stalled(so);
        cycle = cycle + 1;
        if (n_out == NOUT) begin
            tail = tail + 1;
            if (tail == 40) $finish;
        end else if (cycle > limit) $fatal(1, "%0d of %0d beats in %0d cycles", n_out, NOUT, cycle);
    end
endmodule
