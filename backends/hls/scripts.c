/* scripts.c: Makefile for the host's compiler, Tcl for Vitis HLS, a shell script for Bambu. */
#include "build.h"

static nashc_status
write_makefile(hls_design *z)
{
    nashc_outfile *f = hls_open(z, "Makefile");

    if (!f)
        return NASHC_EIO;
    nashc_out_printf(
        f,
        "# make check: builds the C of this folder with the host's compiler and runs the bench.\n"
        "# Exact widths, with a clang that has _BitInt: make check CC=clang "
        "CPPFLAGS=-DNASHC_BITINT\n"
        "CFLAGS ?= -O2\n"
        "override CFLAGS += -std=c99 -Wno-unknown-pragmas\n"
        "BENCH = tb/tb_%s\n\n"
        "check: $(BENCH)\n\tcd tb && ./tb_%s\n\n"
        "$(BENCH): $(wildcard src/*.c src/*.h) tb/tb_%s.c\n"
        "\t$(CC) $(CFLAGS) $(CPPFLAGS) -Isrc -o $@ $(filter %%.c,$^)\n\n"
        "clean:\n\trm -f $(BENCH)\n\n.PHONY: check clean\n",
        z->top, z->top, z->top);
    return nashc_out_commit(f, z->d);
}

/* Vitis HLS compiles the bench in a folder of its own, to which it copies the vectors. */
static nashc_status
write_vitis(hls_design *z)
{
    nashc_outfile *f = hls_open(z, "vitis.tcl");
    int n_in = nashc_graph_n_inputs(z->f), n_out = nashc_graph_n_outputs(z->f);

    if (!f)
        return NASHC_EIO;
    nashc_out_printf(f,
                     "# In this folder: vitis_hls -f vitis.tcl\n"
                     "open_project -reset %s_vitis\n"
                     "set_top %s\n"
                     "add_files src/%s_hls.cpp -cflags \"-Isrc\"\n"
                     "add_files -tb tb/tb_%s_hls.cpp -cflags \"-Isrc -Wno-unknown-pragmas\"\n",
                     z->top, z->top, z->top, z->top);
    for (int i = 0; i < n_in + n_out; i++)
        nashc_out_printf(f, "add_files -tb tb/%s%d.hex\n", i < n_in ? "in" : "out",
                         i < n_in ? i : i - n_in);
    nashc_out_printf(f,
                     "open_solution -reset solution1 -flow_target vivado\n"
                     "set_part %s\n"
                     "create_clock -period %g -name default\n"
                     "csim_design\ncsynth_design\n"
                     "# cosim_design\n"
                     "export_design -format ip_catalog\nexit\n",
                     z->dev && z->dev->part ? z->dev->part : "xc7z020clg400-1", z->clk_ns);
    return nashc_out_commit(f, z->d);
}

/* Bambu reads pragmas of interfaces, unroll, inline and dataflow (since 2024.03). It names devices
 * in its own way: a list is in `bambu --help`. */
static nashc_status
write_bambu(hls_design *z)
{
    nashc_outfile *f = hls_open(z, "bambu.sh");

    if (!f)
        return NASHC_EIO;
    nashc_out_printf(f,
                     "#!/bin/sh\n"
                     "# Verilog by Bambu (PandA 2024.03 or later); arguments go to bambu, as\n"
                     "#     sh bambu.sh --device-name=xc7z020-1clg484-VVD\n"
                     "#     sh bambu.sh --generate-tb=$PWD/tb/tb_%s_hls.cpp --simulate "
                     "--simulator=VERILATOR\n"
                     "here=$(cd \"$(dirname \"$0\")\" && pwd) || exit 1\n"
                     "mkdir -p \"$here/%s_bambu\" && cd \"$here/%s_bambu\" || exit 1\n"
                     "cp \"$here\"/tb/*.hex . || exit 1\n"
                     "exec bambu \"$here/src/%s_hls.cpp\" -I\"$here/src\" --top-fname=%s \\\n"
                     "    --generate-interface=INFER --compiler=I386_CLANG16 --std=c++14 -O2 \\\n"
                     "    --clock-period=%g \"$@\"\n",
                     z->top, z->top, z->top, z->top, z->top, z->clk_ns);
    return nashc_out_commit(f, z->d);
}

nashc_status
hls_write_scripts(hls_design *z)
{
    nashc_status s = write_makefile(z);

    if (s == NASHC_OK)
        s = write_vitis(z);
    return s == NASHC_OK ? write_bambu(z) : s;
}
