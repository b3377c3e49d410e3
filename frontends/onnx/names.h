/* names.h: a map from names to pointers, in order of insertion. */
#ifndef NASHC_ONNX_NAMES_H
#define NASHC_ONNX_NAMES_H

#include <nashc/base.h>

typedef struct onnx_names onnx_names;

/* In arena a; n: names expected. NULL when memory is out. */
onnx_names *onnx_names_create(nashc_arena *a, size_t n);
void *onnx_names_get(const onnx_names *m, const char *name); /* NULL: not there */

/* The name must be new and must outlive the map. False when memory is out. */
bool onnx_names_put(onnx_names *m, const char *name, void *item);
size_t onnx_names_count(const onnx_names *m);
void *onnx_names_at(const onnx_names *m, size_t i);

#endif
