// nashc_split.v: NA elements to output 0, then NB elements to output 1, again and again: one stream
// becomes two, each behind its own skid. (NA + NB)/PE steps a round, each reads and writes one
// output; LATENCY 0. 4*PE*XW + 4 flip-flops and the count. PE divides NA and NB.
`default_nettype none
module nashc_split #(
    parameter PE = 1,                   // lanes
    parameter NA = 2,                   // elements to output 0 a round
    parameter NB = 3,                   // elements to output 1 a round
    parameter XW = 4                    // bits per element
) (
    input  wire               clk,
    input  wire               rst_n,
    input  wire [PE*XW-1:0]   s_tdata,
    input  wire               s_tvalid,
    output wire               s_tready,
    output wire [2*PE*XW-1:0] m_tdata,
    output wire [1:0]         m_tvalid,
    input  wire [1:0]         m_tready
);
    localparam W = PE * XW;

`ifndef SYNTHESIS
    initial if (PE < 1 || NA % PE != 0 || NB % PE != 0 || XW < 1) begin
        $display("nashc_split: illegal parameters PE=%0d NA=%0d NB=%0d XW=%0d", PE, NA, NB, XW);
        $finish;
    end
`endif

    wire [1:0] room;
    wire       second;
    wire       fire = s_tvalid && s_tready;
    wire [1:0] push = {fire && second, fire && !second};
    assign s_tready = second ? room[1] : room[0];   // registers of the skids

    nashc_parts #(.FA(NA / PE), .FB(NB / PE)) u_parts (
        .clk(clk), .rst_n(rst_n), .fire(fire), .second(second)
    );

    genvar k;
    generate
        for (k = 0; k < 2; k = k + 1) begin : g_out
            nashc_skid #(.W(W)) u_skid (
                .clk(clk), .rst_n(rst_n),
                .s_tdata(s_tdata), .s_tvalid(push[k]), .s_tready(room[k]),
                .m_tdata(m_tdata[k*W +: W]), .m_tvalid(m_tvalid[k]), .m_tready(m_tready[k])
            );
        end
    endgenerate

`ifdef FORMAL
    reg past_q = 1'b0;
    reg [7:0] n0_q = 8'd0, n1_q = 8'd0; // beats inside, by what went in and came out
    always @(posedge clk) begin
        past_q <= 1'b1;
        assume (rst_n == past_q);
        if (rst_n) begin
            n0_q <= n0_q + {7'd0, push[0]} - {7'd0, m_tvalid[0] && m_tready[0]};
            n1_q <= n1_q + {7'd0, push[1]} - {7'd0, m_tvalid[1] && m_tready[1]};
            // an output holds what was meant for it, and the other one does not stop it
            assert (n0_q == {7'd0, m_tvalid[0]} + {7'd0, !room[0]});
            assert (n1_q == {7'd0, m_tvalid[1]} + {7'd0, !room[1]});
            assert (m_tvalid[0] || room[0]);
            assert (m_tvalid[1] || room[1]);
            assert (!(push[0] && push[1]));
        end
        if (past_q && $past(rst_n) && rst_n) begin
            if ($past(m_tvalid[0] && !m_tready[0])) begin
                assert (m_tvalid[0]);
                assert (m_tdata[W-1:0] == $past(m_tdata[W-1:0]));
            end
            if ($past(m_tvalid[1] && !m_tready[1])) begin
                assert (m_tvalid[1]);
                assert (m_tdata[2*W-1:W] == $past(m_tdata[2*W-1:W]));
            end
        end
    end
`endif
endmodule
`default_nettype wire
