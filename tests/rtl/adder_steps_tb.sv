// adder_steps_tb.sv: nashc_adder_steps: every step of three rounds of groups, with its beat, word and flags, whatever
// is late. si: per cent of cycles without input, so: without room for what comes behind.
`timescale 1ns / 1ns
module adder_steps_tb #(
    parameter W = 5,
    parameter SF = 2,
    parameter NF = 2,
    parameter GROUPS = 1
);
    localparam WORDS = GROUPS * NF * SF;
    localparam WORD_W = (WORDS <= 1) ? 1 : $clog2(WORDS);
    localparam VECTORS = 12 * GROUPS, STEPS = VECTORS * NF * SF;

    reg clk = 0, rst_n = 0, s_tvalid = 0, en = 0, old = 0;
    reg [W-1:0] beats [0:VECTORS*SF-1];
    integer seed, si, so, step = 0, taken = 0, cycles = 0, was = 0, v, sf, k;
    wire s_tready, fire, first, writes;
    wire [W-1:0] x;
    wire [WORD_W-1:0] word;
    wire [W-1:0] s_tdata = s_tvalid ? beats[taken] : {W{1'bx}};

    nashc_adder_steps #(.W(W), .SF(SF), .NF(NF), .GROUPS(GROUPS)) dut (
        .clk(clk), .rst_n(rst_n), .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready), .en(en), .fire(fire),
        .first(first), .writes(writes), .x(x), .word(word)
    );

    // Step i: beat and word; the registers show it in the enabled cycle after it.
    task check;
        begin
            v = was / (NF * SF);
            sf = was % SF;
            if (x !== beats[v*SF+sf] || word != was % WORDS)
                $fatal(1, "step %0d: x %h word %0d, expected %h and %0d", was, x, word, beats[v*SF+sf], was % WORDS);
        end
    endtask

    initial begin
        if (!$value$plusargs("seed=%d", seed)) seed = 1;
        if (!$value$plusargs("si=%d", si)) si = 0;
        if (!$value$plusargs("so=%d", so)) so = 0;
        for (k = 0; k < VECTORS * SF; k = k + 1) beats[k] = $random(seed);
        #1 clk = 1; #1 clk = 0;
        rst_n = 1;
        while (step < STEPS) begin
            s_tvalid = taken < VECTORS * SF && (s_tvalid || $unsigned($random(seed)) % 100 >= si);
            en = $unsigned($random(seed)) % 100 >= so;
            #1;
            if (old) check;
            if (fire && (first != (step % SF == 0) || writes != (step % SF == SF - 1)))
                $fatal(1, "step %0d: first %b writes %b", step, first, writes);
            if (fire != (en && (s_tvalid || step / SF % NF != 0)) || s_tready && !en)
                $fatal(1, "step %0d: fire %b en %b s_tvalid %b", step, fire, en, s_tvalid);
            if (s_tready != (en && step / SF % NF == 0)) $fatal(1, "step %0d: s_tready %b", step, s_tready);
            old = en ? fire : old;
            was = fire ? step : was;
            k = s_tvalid && s_tready;
            v = fire;
            clk = 1;
            #1 clk = 0;
            if (k) s_tvalid = 0;
            taken = taken + k;
            step = step + v;
            cycles = cycles + 1;
        end
        $display("PASS %0d beats %0d cycles", taken, cycles);
    end
endmodule
