/* onnx_edit.h: random changes of an unpacked ONNX model. */
#ifndef ONNX_EDIT_H
#define ONNX_EDIT_H

#include "frontends/onnx/onnx.pb-c.h"

/* One to four changes of m, which has a graph and was unpacked with the default allocator (malloc);
 * the same for the same seed. m stays such that it can be packed and freed. */
void onnx_edit(Onnx__ModelProto *m, unsigned seed);

#endif
