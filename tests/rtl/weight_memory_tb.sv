// weight_memory_tb.sv: nashc_weight_memory inside nashc_mvau: weights are written and read through AXI-Lite, then
// results are those of the new weights. Rounds: the weights of the file, then others, all streams stalled at random.
`timescale 1ns / 1ns
module weight_memory_tb #(
    parameter MW = 6,
    parameter MH = 4,
    parameter PE = 2,
    parameter SIMD = 3,
    parameter XW = 4,
    parameter WW = 6,
    parameter ROUNDS = 3,
    parameter VECTORS = 5
);
    localparam SF = MW / SIMD, NF = MH / PE, LINES = SF * NF, W = PE * SIMD * WW, ACC_W = 20;
    localparam N = (W <= 32) ? 1 : 1 << $clog2((W + 31) / 32);

    reg clk = 0, rst_n = 0;
    reg [SIMD*XW-1:0] s_tdata;
    reg s_tvalid = 0, m_tready = 0, awvalid = 0, wvalid = 0, bready = 0, arvalid = 0, rready = 0;
    wire s_tready, m_tvalid, awready, wready, bvalid, arready, rvalid, s1_tready;
    reg [31:0] addr = 0, wdata = 0;
    wire [31:0] rdata;
    wire [PE*ACC_W-1:0] m_tdata;
    reg [W-1:0] mem [0:LINES-1];
    reg [XW-1:0] x [0:VECTORS*MW-1];
    integer seed, si, so, i, k, round, fed, got, cycles = 0, beats = 0;
    reg [N*32-1:0] line;

    nashc_mvau #(
        .MW(MW), .MH(MH), .PE(PE), .SIMD(SIMD), .XW(XW), .WW(WW), .ACC_W(ACC_W), .OUT_W(ACC_W), .W_AXILITE(1)
    ) dut (
        .clk(clk), .rst_n(rst_n), .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready), .s1_tdata({W{1'b0}}),
        .s1_tvalid(1'b0), .s1_tready(s1_tready), .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready),
        .lite_s({addr, awvalid, wdata, wvalid, bready, addr, arvalid, rready}),
        .lite_m({awready, wready, bvalid, arready, rdata, rvalid})
    );

    always begin
        #5 clk = 1;
        cycles = cycles + 1;
        #5 clk = 0;
    end

    // All drive and look at the falling edge: what is ready and valid there moves at the next rising one.
    task write_word(input integer word, input [31:0] value);
        begin
            addr = word * 4;
            wdata = value;
            awvalid = 1;
            repeat ($unsigned($random(seed)) % 3) @(negedge clk);   // the address alone is not taken
            wvalid = 1;
            #1 while (!(awready && wready)) @(negedge clk) #1;
            @(negedge clk) {awvalid, wvalid} = 0;
            repeat ($unsigned($random(seed)) % 3) @(negedge clk);
            bready = 1;
            while (!bvalid) @(negedge clk);
            @(negedge clk) bready = 0;
        end
    endtask

    task read_word(input integer word, input [31:0] want);
        begin
            addr = word * 4;
            arvalid = 1;
            #1 while (!arready) @(negedge clk) #1;
            @(negedge clk) arvalid = 0;
            repeat ($unsigned($random(seed)) % 4) @(negedge clk);
            rready = 1;
            while (!rvalid) @(negedge clk);
            if (rdata !== want) $fatal(1, "word %0d reads %h, expected %h", word, rdata, want);
            @(negedge clk) rready = 0;
        end
    endtask

    function signed [ACC_W-1:0] result(input integer vector, input integer row);
        integer c;
        reg signed [WW-1:0] w;
        begin
            result = 0;
            for (c = 0; c < MW; c = c + 1) begin
                w = mem[row/PE*SF + c/SIMD][((row%PE)*SIMD + c%SIMD)*WW +: WW];
                result = result + w * $signed({1'b0, x[vector*MW+c]});
            end
        end
    endfunction

    task stream;
        integer p;
        begin
            for (i = 0; i < VECTORS * MW; i = i + 1) x[i] = $random(seed);
            {fed, got} = 0;
            while (got < VECTORS * NF) begin
                if (!s_tvalid && fed < VECTORS * SF && $unsigned($random(seed)) % 100 >= si) begin
                    for (i = 0; i < SIMD; i = i + 1) s_tdata[i*XW +: XW] = x[fed*SIMD+i];
                    s_tvalid = 1;
                end
                m_tready = $unsigned($random(seed)) % 100 >= so;
                #1 if (m_tvalid && m_tready) begin
                    for (p = 0; p < PE; p = p + 1)
                        if (m_tdata[p*ACC_W +: ACC_W] !== result(got / NF, got % NF * PE + p))
                            $fatal(1, "round %0d beat %0d lane %0d: %h, expected %h", round, got, p,
                                   m_tdata[p*ACC_W +: ACC_W], result(got / NF, got % NF * PE + p));
                    got = got + 1;
                end
                i = s_tvalid && s_tready;
                fed = fed + i;
                @(negedge clk) if (i) s_tvalid = 0;
            end
            m_tready = 0;
            beats = beats + got;
        end
    endtask

    initial begin
        if (!$value$plusargs("seed=%d", seed)) seed = 1;
        if (!$value$plusargs("si=%d", si)) si = 0;
        if (!$value$plusargs("so=%d", so)) so = 0;
        $readmemh("memblock.dat", mem);
        repeat (3) @(negedge clk);
        rst_n = 1;
        for (round = 0; round < ROUNDS; round = round + 1) begin
            if (round > 0) for (i = 0; i < LINES; i = i + 1) begin
                for (k = 0; k < N; k = k + 1) line[k*32 +: 32] = $random(seed);
                for (k = 0; k < N; k = k + 1) write_word(i * N + k, line[k*32 +: 32]);
                mem[i] = line[W-1:0];
            end
            for (k = 0; k < LINES * N; k = k + 1) begin
                line = 0;
                line[W-1:0] = mem[k/N];
                read_word(k, line[k%N*32 +: 32]);
            end
            stream;
        end
        $display("PASS %0d beats %0d cycles", beats, cycles);
        $finish;
    end
endmodule
