/* build.h: one design being written: shared by the files of the Verilog backend. */
#ifndef NASHC_VERILOG_BUILD_H
#define NASHC_VERILOG_BUILD_H

#include "backends/support/text_stream.h"
#include <jansson.h>
#include <nashc/plugin.h>
#include <nashc/verilog.h>
#include <stdio.h>

typedef struct rtl_file {
    const char *name, *text;
} rtl_file;

extern const rtl_file nashc_rtl_files[]; /* the library, ended by {0} */

/* One stream of the design. */
typedef struct link {
    const nashc_value *v;
    nashc_stream s;
    uint32_t padded;   /* bits of the port: width rounded up to bytes */
    const char *wire;  /* "w3": base name of its wires in the top */
    int input, output; /* index of the port of the top; -1: none */
} link;

/* A pin of an AXI-Lite slave; bits 0: an address. The first LITE_IN are those of the bus lite_s,
 * from its high bits, those up to LITE_BUS of lite_m. */
typedef struct lite_pin {
    const char *name;
    int bits;
    bool out; /* of the slave */
} lite_pin;

enum { LITE_IN = 8, LITE_BUS = 14 };
extern const lite_pin lite_pins[]; /* layer.c; ended by {0} */
int lite_address_bits(const nashc_weights *w);

/* A port of the top for the weights of a layer: the slave s_axilite_K, or the stream s_axis_K after
 * those of the inputs. */
typedef struct weight_port {
    const nashc_node *n;
    nashc_weights w;
    int k;            /* number of the port */
    uint32_t padded;  /* bits of the stream's port */
    const char *name; /* "s_axilite_0" */
} weight_port;

typedef struct design {
    const nashc_module *m;
    const nashc_graph *f; /* graph of layers */
    const nashc_opts *o;
    const nashc_backend *backend; /* this one: its models count */
    const nashc_device *dev;
    nashc_ctx *ctx;
    nashc_arena *a;
    nashc_diag *d;
    const char *dir, *top;
    const char *const *names; /* of layers, by node id */
    link *links;              /* by value id */
    weight_port *weights;     /* in order of the layers */
    int n_weights;
    double clk_ns;
    nashc_flow_result flow;
    bool *used;         /* library modules, by index */
    bool *has_memory;   /* by node id */
    const char **files; /* of rtl/, in order of writing */
    int n_files, cap_files;
    const char *verified; /* what was verified, for the report; "" */
} design;

/* Text built in memory, then written whole. */
typedef text_stream text;

nashc_status text_write(text *t, const char *dir, const char *name, nashc_diag *d);   /* frees t */
nashc_status json_write(json_t *j, const char *dir, const char *name, nashc_diag *d); /* frees j */

/* A line of the IR, fit for a // comment. */
const char *comment_text(design *z, const char *s);

/* Name of port k of n on a side: "in0_V", "out_V" or "out1_V". */
const char *port_name(design *z, bool input, int k, int n);

void add_file(design *z, const char *name);

nashc_status write_layers(design *z);   /* layer.c: rtl/TOP_LAYER.v and *.dat */
nashc_status write_library(design *z);  /* layer.c: rtl/nashc_*.v that are used */
nashc_status write_top(design *z);      /* top.c: rtl/TOP.v, file list, synthesis script */
nashc_status write_tb(design *z);       /* tb.c */
nashc_status write_weights(design *z);  /* weights.c */
nashc_status write_reports(design *z);  /* report.c */
nashc_status write_config(design *z);   /* report.c: final_hw_config.json */
nashc_status write_html(design *z);     /* html.c */
nashc_status write_ip(design *z);       /* ip.c */
nashc_status write_manifest(design *z); /* manifest.c */

/* The bench's part for weights, its pins at the design, and whether there are slaves: then the
 * bench has "writing" and "loaded"; tb_weights.c. */
void tb_weights(const design *z, FILE *f);
void tb_weight_pins(const design *z, FILE *f);
bool tb_has_slaves(const design *z);

/* Does a memory hold nothing before AXI-Lite has written it? */
bool tb_starts_empty(const design *z);

/* Ports for weights, for the manifest; weights.c. */
json_t *weights_json(const design *z);

json_t *resources_json(const nashc_cost *c); /* report.c */
nashc_cost cost_of(const design *z, const nashc_node *n);
uint64_t cycles_of(const design *z, const nashc_node *n);

/* Ends writing: the text is in t->data. */
bool text_close(text *t);

/* rtl/NAME, noted in the file list. */
nashc_status write_rtl(design *z, const char *name, const void *data, size_t size);

/* The design uses the modules of the library that this text instantiates. */
nashc_status use_library(design *z, const char *s);

/* The design uses this module of the library, and so what it instantiates. */
void mark_used(design *z, const char *module);

#endif
