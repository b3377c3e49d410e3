/* wire.h: the protobuf layer of the ONNX reader: check, bounded memory, unpack. */
#ifndef NASHC_ONNX_WIRE_H
#define NASHC_ONNX_WIRE_H

#include "frontends/onnx/onnx.pb-c.h"
#include <nashc/diag.h>

/* Memory that unpacking one file may take. */
typedef struct onnx_budget {
    size_t left;
    bool spent; /* a request was refused */
    ProtobufCAllocator allocator;
} onnx_budget;

/* Walks the wire format of a model without unpacking it: every field ends inside its message, tags
 * and lengths are legal, messages nest at most 64 deep, strings hold no NUL byte. What is wrong is
 * reported with its byte offset. Iterative, O(size). */
nashc_status onnx_wire_check(const uint8_t *data, size_t size, const nashc_loc *loc, nashc_diag *d);

/* Checks and unpacks. The model is freed by onnx__model_proto__free_unpacked with the allocator of
 * the budget, which must outlive it. NULL: reported, *status says how. */
Onnx__ModelProto *onnx_unpack(const uint8_t *data, size_t size, onnx_budget *budget,
                              const nashc_loc *loc, nashc_diag *d, nashc_status *status);

#endif
