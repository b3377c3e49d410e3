// nashc_pipe.v: the control half of a layer: valid bits of LATENCY stages, one enable, output skid.
// Throughput 1 result/cycle; a step that fires in cycle t shows its result at m in cycle
// t + LATENCY + 1. 2*W + LATENCY + 2 flip-flops. LATENCY >= 0, W >= 1.
`default_nettype none
module nashc_pipe #(
    parameter W       = 8,              // bits per result
    parameter LATENCY = 1               // stages between the step and the skid
) (
    input  wire         clk,
    input  wire         rst_n,
    input  wire         fire,           // the step happens in this cycle (never without en)
    input  wire         writes,         // the current step has a result
    output wire         en,             // the pipeline may advance
    input  wire [W-1:0] data,           // result in the last stage (LATENCY 0: of the step itself)
    output wire [W-1:0] m_tdata,
    output wire         m_tvalid,
    input  wire         m_tready
);
    wire push, room;

    generate
        if (LATENCY == 0) begin : g_direct
            assign en   = !writes || room;
            assign push = fire && writes;
        end else begin : g_stages
            reg  [LATENCY-1:0] v_q;     // stage k+1 holds a result
            wire [LATENCY:0]   v_d = {v_q, fire && writes};
            assign en   = !v_q[LATENCY-1] || room;
            assign push = v_q[LATENCY-1];
            always @(posedge clk) begin
                if (!rst_n) v_q <= {LATENCY{1'b0}};
                else if (en) v_q <= v_d[LATENCY-1:0];
            end
            wire unused = v_d[LATENCY]; // leaves by push
        end
    endgenerate

    nashc_skid #(.W(W)) u_skid (
        .clk(clk), .rst_n(rst_n),
        .s_tdata(data), .s_tvalid(push), .s_tready(room),
        .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
    );

`ifdef FORMAL
    reg past_q = 1'b0;
    reg [7:0] n_in_q = 8'd0, n_out_q = 8'd0;
    integer k;
    reg [7:0] held;
    always @* begin                     // results inside: stages and skid
        held = {7'd0, m_tvalid} + {7'd0, !room};
        for (k = 0; k < LATENCY; k = k + 1) held = held + {7'd0, g_stages.v_q[k]};
    end
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);
        assume (!fire || en);
        if (rst_n) begin
            n_in_q  <= n_in_q + {7'd0, fire && writes};
            n_out_q <= n_out_q + {7'd0, m_tvalid && m_tready};
            assert (n_in_q - n_out_q == held);
            assert (m_tvalid || room);
            assert (en == (!push || room) || LATENCY == 0);
        end
        if (past_q && $past(rst_n) && rst_n && $past(m_tvalid && !m_tready)) begin
            assert (m_tvalid);
            assert (m_tdata == $past(m_tdata));
        end
    end
`endif
endmodule
`default_nettype wire
