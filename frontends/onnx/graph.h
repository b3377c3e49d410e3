/* graph.h: the steps of reading a graph: read.c calls those of symbols.c and graph.c, then node.c
 * for each node. */
#ifndef NASHC_ONNX_GRAPH_H
#define NASHC_ONNX_GRAPH_H

#include "frontends/onnx/reader.h"

/* Opens the functions that the model brings and the branches of each If: r->g becomes a graph, in
 * the arena, in which the nodes of their bodies stand in place of the nodes that call them, each
 * with names of its own; r->origin then tells which function a node comes from, r->guard of which
 * branch it is. A function goes before an operator of the same name. Recursion, more than 64
 * levels, and more than 2^20 nodes are errors. Without either nothing is changed. O(nodes that come
 * out). */
nashc_status onnx_functions_open(nashc_onnx_in *r);

/* Is node i to be read? Asked in order: the conditions of the branches that it is of are evaluated.
 */
nashc_status onnx_node_taken(nashc_onnx_in *r, size_t i, bool *taken);

/* The condition of the node at hand, an If. What depends on the data is an error. */
nashc_status onnx_if_condition(nashc_onnx_in *r, bool *holds);

/* Symbols of initialisers, inputs, node results and annotations; each is defined once. */
nashc_status onnx_graph_symbols(nashc_onnx_in *r);

bool onnx_sym_defined(const onnx_sym *s);

/* `"conv"`, or `3 (Conv)`: node i of the file in messages about the graph. */
const char *onnx_node_text(nashc_onnx_in *r, size_t i);

/* Order of the nodes in which every tensor is written before it is read, conditions of branches
 * before the nodes in them, file order where that is
 * one; an array of n_node indices in the arena. A cycle is an error that names its nodes. */
nashc_status onnx_graph_order(nashc_onnx_in *r, size_t **order);

/* Adds graph inputs with their types, or outputs, once the nodes are there. */
nashc_status onnx_graph_inputs(nashc_onnx_in *r);
nashc_status onnx_graph_outputs(nashc_onnx_in *r);

/* Makes node i of the file the one at hand. */
void onnx_node_enter(nashc_onnx_in *r, size_t i);

/* Adds node i of the file to the graph. */
nashc_status onnx_node_read(nashc_onnx_in *r, size_t i);

/* Reads a whole file, its bytes given, into r->module (NULL: a new one) and r->bound's graph, or
 * @main. Nothing of it is kept but the graph. */
nashc_status onnx_model_read(nashc_onnx_in *r, const uint8_t *data, size_t size);

/* Opset of a domain string as node i of the graph has it, by the function that it comes from, else
 * by the file; i < 0: by the file. 0: not imported. */
int64_t onnx_import_version(const nashc_onnx_in *r, int i, const char *domain);

/* What the protobuf says of an attribute's kind, and whether it is what the row asks for. */
int onnx_attr_type(const Onnx__AttributeProto *a);
nashc_status onnx_attr_check(nashc_onnx_in *r, const Onnx__AttributeProto *a);

/* Are IR version and opsets of the file ones that can be read? */
nashc_status onnx_check_versions(nashc_onnx_in *r);

#endif
