/* build.h: one design being written: shared by the files of the HLS backend. */
#ifndef NASHC_HLS_BUILD_H
#define NASHC_HLS_BUILD_H

#include <nashc/hls.h>
#include <nashc/plugin.h>
#include <stdio.h>

extern const char nashc_hls_runtime[]; /* runtime/nashc_hls.h, embedded */

/* One stream of the design. */
typedef struct hls_link {
    const nashc_value *v;
    nashc_stream s;
    const char *beat;  /* "u3x16": type of its beats */
    const char *name;  /* "w3" inside, "s_axis_0" and "m_axis_0" at the top */
    int input, output; /* index of the port of the top; -1: none */
} hls_link;

typedef struct hls_design {
    const nashc_graph *f; /* graph of layers */
    const nashc_opts *o;
    const nashc_device *dev; /* NULL: none */
    nashc_ctx *ctx;
    nashc_arena *a;
    nashc_diag *d;
    const char *dir, *top;
    const char *const *names; /* of layers, by node id */
    hls_link *links;          /* by value id */
    double clk_ns;
    bool uints[65], ints[65]; /* element types in use, by bits */
    const char **beats;       /* types of beats in use, in order of first use */
    nashc_stream *beat_of;
    int n_beats;
} hls_design;

/* Streams of a layer, constants left out. */
typedef struct hls_ports {
    nashc_stream in[NASHC_FLOW_PORTS], out[NASHC_FLOW_PORTS];
    int n_in, n_out;
} hls_ports;

nashc_status hls_ports_of(hls_design *z, const nashc_node *n, hls_ports *out);

/* "u3"; the type is marked as used. */
const char *hls_type_name(hls_design *z, const nashc_type *t);

/* Type of the beats of s, "u3x16"; marked as used. NULL: no memory. */
const char *hls_beat_name(hls_design *z, const nashc_stream *s);

/* Name of port k of n of a layer: "in", or "in0" where there are several. */
const char *hls_port_name(hls_design *z, bool input, int k, int n);

/* Link of graph input or output i. */
const hls_link *hls_input(const hls_design *z, int i);
const hls_link *hls_output(const hls_design *z, int i);

/* A line of the IR, fit for a comment. */
const char *hls_comment(hls_design *z, const char *s);

/* A file of the design, to be written with nashc_out_printf; NULL: reported. */
nashc_outfile *hls_open(hls_design *z, const char *name);

/* "TOP_LAYER(NASHC_IN(u3x4) in, NASHC_OUT(u2x8) out)" of layer n. */
void hls_print_signature(hls_design *z, nashc_outfile *f, const nashc_node *n, const hls_ports *p);

nashc_status hls_write_layers(hls_design *z);   /* function.c: src/TOP_LAYER.c and .h */
nashc_status hls_write_header(hls_design *z);   /* header.c: src/TOP.h, src/nashc_hls.h */
nashc_status hls_write_top(hls_design *z);      /* top.c: src/TOP.c, src/TOP_hls.cpp */
nashc_status hls_write_bench(hls_design *z);    /* tb.c: tb/tb_TOP.c and .cpp */
nashc_status hls_write_vectors(hls_design *z);  /* vectors.c: tb/inK.hex, tb/outK.hex */
nashc_status hls_write_scripts(hls_design *z);  /* scripts.c: Makefile, vitis.tcl, bambu.sh */
nashc_status hls_write_manifest(hls_design *z); /* manifest.c */

#endif
