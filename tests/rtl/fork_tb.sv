// fork_tb.sv: nashc_fork with independent random stalls on each output, checked to the cycle.
`timescale 1ns / 1ns
module fork_tb #(
    parameter W = 8,
    parameter N = 3,
    parameter BEATS = 500
);
    reg clk, rst_n, s_tvalid;
    reg [N-1:0] m_tready;
    reg [W-1:0] word;
    wire s_tready;
    wire [N*W-1:0] m_tdata;
    wire [N-1:0] m_tvalid;
    integer seed, si, so, cycle, n_in, k, least;
    integer occ [0:N-1], n_out [0:N-1];
    reg room;

    nashc_fork #(.W(W), .N(N)) dut (
        .clk(clk), .rst_n(rst_n), .s_tdata(s_tvalid ? word : {W{1'bx}}), .s_tvalid(s_tvalid),
        .s_tready(s_tready), .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );

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
        clk = 0;
        rst_n = 0;
        s_tvalid = 0;
        m_tready = 0;
        word = beat(0);
        n_in = 0;
        cycle = 0;
        for (k = 0; k < N; k = k + 1) {occ[k], n_out[k]} = 0;
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
        room = 1;
        for (k = 0; k < N; k = k + 1) if (occ[k] >= 2) room = 0;
        if (s_tready !== room) $fatal(1, "cycle %0d: s_tready is %b", cycle, s_tready);
        least = BEATS;
        for (k = 0; k < N; k = k + 1) begin
            if (m_tvalid[k] !== (occ[k] > 0)) $fatal(1, "cycle %0d: m_tvalid[%0d]", cycle, k);
            if (occ[k] > 0 && m_tdata[k*W +: W] !== beat(n_out[k]))
                $fatal(1, "cycle %0d: output %0d beat %0d is %h", cycle, k, n_out[k],
                       m_tdata[k*W +: W]);
            if (occ[k] > 0 && m_tready[k]) begin
                n_out[k] = n_out[k] + 1;
                occ[k] = occ[k] - 1;
            end
            if (s_tvalid && room) occ[k] = occ[k] + 1;
            if (n_out[k] < least) least = n_out[k];
        end
        if (s_tvalid && room) begin
            n_in = n_in + 1;
            word <= beat(n_in);
        end
        if (room || !s_tvalid) s_tvalid <= n_in < BEATS && !stalled(si);
        for (k = 0; k < N; k = k + 1) m_tready[k] <= !stalled(so);
        cycle = cycle + 1;
        if (least == BEATS) begin
            if (si == 0 && so == 0 && cycle != BEATS + 1) $fatal(1, "%0d cycles", cycle);
            $display("PASS %0d beats %0d cycles", BEATS * N, cycle);
            $finish;
        end
        if (cycle > BEATS * 100) $fatal(1, "stuck at beat %0d", least);
    end
endmodule
