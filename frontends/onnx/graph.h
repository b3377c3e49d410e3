/* graph.h: the steps of reading a graph, between read.c, graph.c and node.c. */
#ifndef NASHC_ONNX_GRAPH_H
#define NASHC_ONNX_GRAPH_H

#include "frontends/onnx/reader.h"

/* Symbols of initialisers, inputs, node results and annotations; each is defined once. */
nashc_status onnx_graph_symbols(onnx_in *r);

/* Order of the nodes in which every tensor is written before it is read, file order where that is
 * one; an array of n_node indices in the arena. A cycle is an error that names its nodes. */
nashc_status onnx_graph_order(onnx_in *r, size_t **order);

/* Adds graph inputs with their types, or outputs, once the nodes are there. */
nashc_status onnx_graph_inputs(onnx_in *r);
nashc_status onnx_graph_outputs(onnx_in *r);

/* Declared type of a value: element and shape; dimensions by options; batch symbols become 1. */
nashc_status onnx_value_type(onnx_in *r, const char *what, const char *name,
                             const Onnx__TypeProto *tp, nashc_type *out, int *elem);

/* Adds node i of the file to the graph. */
nashc_status onnx_node_read(onnx_in *r, size_t i);

/* Reads a whole file, its bytes given, into r->module (NULL: a new one) and r->bound's graph, or
 * @main. Nothing of it is kept but the graph. */
nashc_status onnx_model_read(onnx_in *r, const uint8_t *data, size_t size);

/* Opset of a domain string as the file imports it; 0: not imported. */
int64_t onnx_import_version(const onnx_in *r, const char *domain);

/* What the protobuf says of an attribute's kind, and whether it is what the row asks for. */
int onnx_attr_type(const Onnx__AttributeProto *a);
nashc_status onnx_attr_check(onnx_in *r, const Onnx__AttributeProto *a);

/* Are IR version and opsets of the file ones that can be read? */
nashc_status onnx_check_versions(onnx_in *r);

#endif
