// outs_harness.sv: drives one module with one input and N outputs of LATENCY 0, with independent
// random stalls on each port, and checks every beat, valid and ready, in every cycle, against the
// model of docs/timing.md. steps.hex tells which outputs a step writes, a line a step.
// Plus arguments: +seed=N, +si=N and +so=N: percent of stalled cycles on the input, the outputs.
`timescale 1ns / 1ns
module outs_harness #(
    parameter W     = 8,
    parameter N     = 2,
    parameter STEPS = 1,                // lines of steps.hex
    parameter BEATS = 500
) (
    output reg            clk,
    output reg            rst_n,
    output wire [W-1:0]   s_tdata,
    output reg            s_tvalid,
    input  wire           s_tready,
    input  wire [N*W-1:0] m_tdata,
    input  wire [N-1:0]   m_tvalid,
    output reg  [N-1:0]   m_tready
);
    reg [N-1:0] steps [0:STEPS-1];
    reg [N-1:0] writes;
    reg [W-1:0] word;
    reg [W-1:0] held [0:2*N-1];         // beats inside, two places an output
    integer seed, si, so, cycle, n_in, n_out, k, left;
    integer occ [0:N-1], at [0:N-1];
    reg room;

    assign s_tdata = s_tvalid ? word : {W{1'bx}};   // a bubble has no data

    function [W-1:0] beat(input integer i);
        beat = (i * 32'h9E3779B1) >> 7;
    endfunction
    function integer stalled(input integer percent);
        stalled = $unsigned($random(seed)) % 100 < percent;
    endfunction

    initial begin
        if (!$value$plusargs("seed=%d", seed)) seed = 1;
        if (!$value$plusargs("si=%d", si)) si = 0;
        if (!$value$plusargs("so=%d", so)) so = 0;
        $readmemh("steps.hex", steps);
        clk = 0;
        rst_n = 0;
        s_tvalid = 0;
        m_tready = 0;
        word = beat(0);
        n_in = 0;
        n_out = 0;
        cycle = 0;
        for (k = 0; k < N; k = k + 1) {occ[k], at[k]} = 0;
        #1;
        repeat (3) begin
            #5 clk = 1;
            #5 clk = 0;
        end
        rst_n = 1;
        s_tvalid = 1;
        m_tready = {N{so == 0}};
        forever begin
            #5 clk = 1;
            #5 clk = 0;
        end
    end

    always @(posedge clk) if (rst_n) begin
        writes = steps[n_in % STEPS];
        room = 1;
        left = 0;
        for (k = 0; k < N; k = k + 1) if (writes[k] && occ[k] >= 2) room = 0;
        if (s_tready !== room) $fatal(1, "cycle %0d: s_tready is %b", cycle, s_tready);
        for (k = 0; k < N; k = k + 1) begin
            if (m_tvalid[k] !== (occ[k] > 0)) $fatal(1, "cycle %0d: m_tvalid[%0d]", cycle, k);
            if (occ[k] > 0 && m_tdata[k*W +: W] !== held[2*k+at[k]])
                $fatal(1, "cycle %0d: output %0d is %h, expected %h", cycle, k, m_tdata[k*W +: W],
                       held[2*k+at[k]]);
            if (s_tvalid && room && writes[k]) held[2*k+(at[k]+occ[k])%2] = word;
            if (occ[k] > 0 && m_tready[k]) begin
                n_out = n_out + 1;
                at[k] = 1 - at[k];
                occ[k] = occ[k] - 1;
            end
            if (s_tvalid && room && writes[k]) occ[k] = occ[k] + 1;
            left = left + occ[k];
        end
        if (s_tvalid && room) begin
            n_in = n_in + 1;
            word <= beat(n_in);
        end
        if (room || !s_tvalid) s_tvalid <= n_in < BEATS && !stalled(si);
        for (k = 0; k < N; k = k + 1) m_tready[k] <= !stalled(so);
        cycle = cycle + 1;
        if (n_in == BEATS && left == 0) begin
            if (si == 0 && so == 0 && cycle != BEATS + 1) $fatal(1, "%0d cycles", cycle);
            $display("PASS %0d beats %0d cycles", n_out, cycle);
            $finish;
        end
        if (cycle > BEATS * 100) $fatal(1, "stuck behind beat %0d", n_in);
    end
endmodule
