/* hls.h: how a layer becomes a C function for high-level synthesis: the interface "hls" of
 * nashc_impl. What it takes in cycles is its model, of the interface "hls.model" (nashc/model.h).
 */
#ifndef NASHC_HLS_H
#define NASHC_HLS_H

#include <nashc/flow.h>
#include <nashc/io.h>

NASHC_BEGIN

/* One function being written, src/TOP_LAYER.c:
 *
 *     static const u2 LAYER_weights[4][8] = {..};              nashc_hls_table, in a header
 *     static u2 LAYER_count(i9 x) { .. }                       nashc_hls_helper
 *     void TOP_LAYER(NASHC_IN(u3x4) in, NASHC_OUT(u2x8) out)   made from nashc_hw.streams
 *     {
 *         enum { PE = 4 };                                     nashc_hls_int
 *         ..                                                   nashc_hls_line
 *     }
 *
 * Ports are in and out, or in0, in1 and out0, out1 where there are several. The text is C99 that is
 * C++ too, so that elements may be ap_int<N>: operands of ?: and of mixed arithmetic are cast to
 * one type. Elements hold values, but bip holds 0 for -1 and 1 for +1. All texts live as long as h.
 */
typedef struct nashc_hls nashc_hls;

typedef nashc_status (*nashc_hls_emit)(const nashc_node *n, nashc_hls *h, nashc_diag *d);

#define NASHC_IMPL_HLS(op_name, emit)                                                              \
    {                                                                                              \
        NASHC_DESC(nashc_impl), .iface = "hls", .op = op_name,                                     \
                                .fn = (void (*)(void))(1 ? (emit) : (nashc_hls_emit)0)             \
    }

/* Text, as printf makes it. */
NASHC_API const char *nashc_hls_text(nashc_hls *h, const char *format, ...) NASHC_PRINTF(2, 3);

/* Name of an element type, "u3" or "i12" (bip: "u1"); the design's header then defines it. */
NASHC_API const char *nashc_hls_type(nashc_hls *h, const nashc_type *t);

/* Name of the beats of input or output k, "u3x16": a struct with the member lane[16]. */
NASHC_API const char *nashc_hls_beat(nashc_hls *h, bool input, int k);

/* "LAYER_what": a name at file scope that no other layer has. */
NASHC_API const char *nashc_hls_name(nashc_hls *h, const char *what);

/* A constant of the function, before its first line; |value| < 2^31. */
NASHC_API void nashc_hls_int(nashc_hls *h, const char *name, int64_t value);

/* One line of the function, or of a static function before it. Braces at its ends indent; a line
 * that starts with # stands at the margin. */
NASHC_API void nashc_hls_line(nashc_hls *h, const char *format, ...) NASHC_PRINTF(2, 3);
NASHC_API void nashc_hls_helper(nashc_hls *h, const char *format, ...) NASHC_PRINTF(2, 3);

/* A constant array of rank 1..4 in the layer's header; values holds the elements as they are
 * stored, row-major, and is not kept. Returns its name, nashc_hls_name(h, what). */
NASHC_API const char *nashc_hls_table(nashc_hls *h, const char *what, const nashc_type *elem,
                                      int rank, const int64_t *dim, const int64_t *values);

NASHC_END
#endif
