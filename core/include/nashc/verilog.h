/* verilog.h: how a layer becomes a Verilog module: the interface "verilog" of nashc_impl. What it
 * takes in cycles and logic is its model, of the interface "verilog.model" (nashc/model.h). */
#ifndef NASHC_VERILOG_H
#define NASHC_VERILOG_H

#include <nashc/flow.h>
#include <nashc/io.h>

NASHC_BEGIN

/* One layer module being written. Its ports are made from nashc_hw.streams; an emitter names the
 * library module inside and its parameters. The library module has the ports clk, rst_n, s_tdata,
 * s_tvalid, s_tready (s1_... for a second input) and m_tdata, m_tvalid, m_tready (several outputs:
 * one vector each, output 0 in the low bits). */
typedef struct nashc_vlog nashc_vlog;

typedef nashc_status (*nashc_verilog_emit)(const nashc_node *n, nashc_vlog *v, nashc_diag *d);

#define NASHC_IMPL_VERILOG(op_name, emit)                                                          \
    {                                                                                              \
        NASHC_DESC(nashc_impl), .iface = "verilog", .op = op_name,                                 \
                                .fn = (void (*)(void))(1 ? (emit) : (nashc_verilog_emit)0)         \
    }

/* The library module of the layer; comes first. */
NASHC_API void nashc_vlog_core(nashc_vlog *v, const char *module);

/* Parameters of it; text must be free of quotes and backslashes. */
NASHC_API void nashc_vlog_int(nashc_vlog *v, const char *name, int64_t value);
NASHC_API void nashc_vlog_str(nashc_vlog *v, const char *name, const char *text);

/* So many of it side by side, 1 unless called: layers of one stream in and one out, whose beats
 * hold a part for each, in the low bits that of the first. All move together. */
NASHC_API void nashc_vlog_copies(nashc_vlog *v, int64_t copies);

/* A further input of it, tied to a constant. */
NASHC_API void nashc_vlog_tie(nashc_vlog *v, const char *port, const char *value);

/* A further output of it, of so many bits, that nothing reads. */
NASHC_API void nashc_vlog_open(nashc_vlog *v, const char *port, int bits);

/* Text for ties, as printf; owned by the design. */
NASHC_API const char *nashc_vlog_text(nashc_vlog *v, const char *format, ...) NASHC_PRINTF(2, 3);

/* "{48{1'b0}}": a constant of so many zero bits, for ties. */
NASHC_API const char *nashc_vlog_zeros(nashc_vlog *v, int64_t bits);

/* "TOP_LAYER_what": name of a module that only this layer has. NULL: memory is out. */
NASHC_API const char *nashc_vlog_name(nashc_vlog *v, const char *what);

/* Text of a module that is not in the library of nashc: a file of its own, rtl/NAME.v. */
NASHC_API void nashc_vlog_module(nashc_vlog *v, const char *name, const char *text);

/* A memory image of depth lines of width bits, zeroed. put writes the low bits of value into
 * [at, at + width) of a line. NULL after memory ran out (the other functions accept that). */
typedef struct nashc_vlog_mem nashc_vlog_mem;
NASHC_API nashc_vlog_mem *nashc_vlog_memory(nashc_vlog *v, int64_t depth, int64_t width);
NASHC_API void nashc_vlog_put(nashc_vlog_mem *m, int64_t line, int64_t at, int width,
                              int64_t value);

/* Writes m to rtl/LAYER_what_HASH.dat and passes that name as a parameter. */
NASHC_API void nashc_vlog_file(nashc_vlog *v, const char *param, const char *what,
                               nashc_vlog_mem *m);

/* Passes the prefix rtl/LAYER_what_HASH, HASH of t, as a parameter and returns it; the files of
 * that prefix are then written by nashc_vlog_image as PREFIX_suffix.dat. */
NASHC_API const char *nashc_vlog_prefix(nashc_vlog *v, const char *param, const char *what,
                                        const nashc_tensor *t);
NASHC_API void nashc_vlog_image(nashc_vlog *v, const char *prefix, nashc_vlog_mem *m,
                                const char *suffix, ...) NASHC_PRINTF(4, 5);

NASHC_END
#endif
