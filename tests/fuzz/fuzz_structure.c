/* fuzz_structure.c: ONNX models changed by structure, each compared with its streamlined graph.
 *
 * The mutator unpacks the model, changes attributes, operands, operators, shapes, element types,
 * names and outputs, and packs it again, so that most of what it makes is a model. What nashc reads
 * is run as it is and streamlined, on the same inputs; other numbers, a broken invariant, or "out
 * of memory" for a small model end the run.
 */
#include "memory_file.h"
#include "onnx_edit.h"
#include <math.h>
#include <nashc/nashc.h>
#include <nashc/pass.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_SIZE  (1 << 14) /* bytes of a model */
#define MAX_WORK  4096      /* elements of its largest tensor */
#define MAX_NODES 48
#define EXTREME   0x1p40 /* beside such factors doubles lose the offsets of a sum */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    Onnx__ModelProto *m = onnx__model_proto__unpack(NULL, size, data);
    size_t packed = 0;

    if (!m || !m->graph) {
        if (m)
            onnx__model_proto__free_unpacked(m, NULL);
        return LLVMFuzzerMutate(data, size, max_size);
    }
    onnx_edit(m, seed);
    if (onnx__model_proto__get_packed_size(m) <= max_size)
        packed = onnx__model_proto__pack(m, data);
    onnx__model_proto__free_unpacked(m, NULL);
    return packed;
}

static bool
is_extreme(const nashc_node *n)
{
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *v = nashc_node_in(n, i);
        const nashc_tensor *t = v ? nashc_value_const(v) : NULL;
        for (int64_t k = 0; t && k < nashc_tensor_count(t); k++)
            if (!(fabs(nashc_tensor_get(t, k)) < EXTREME))
                return true;
    }
    return false;
}

/* Is m small enough to be run many times a second, with numbers of this world? */
static bool
is_small(const nashc_module *m)
{
    const nashc_graph *g = nashc_module_main(m);
    int n = 0;

    for (nashc_node *node = nashc_graph_first(g); node; node = nashc_node_next(node), n++) {
        if (is_extreme(node))
            return false;
        for (int i = 0; i < nashc_node_n_out(node); i++)
            if (nashc_type_count(nashc_value_type(nashc_node_out(node, i))) > MAX_WORK)
                return false;
    }
    for (int i = 0; i < nashc_graph_n_inputs(g); i++)
        if (nashc_type_count(nashc_value_type(nashc_graph_input(g, i))) > MAX_WORK)
            return false;
    return n <= MAX_NODES;
}

/* Prints what was said and ends: status is a fault of nashc. */
static void
fault(nashc_diag *d, const char *step, nashc_status status)
{
    fprintf(stderr, "%s: status %d\n", step, (int)status);
    for (int i = 0; i < nashc_diag_count(d, NASHC_NOTE); i++)
        fprintf(stderr, "%s\n", nashc_diag_text(d, i));
    abort();
}

/* Refusals are fine, as long as they are refusals. */
static bool
is_fault(nashc_status s)
{
    return s == NASHC_EMISMATCH || s == NASHC_EBUG || s == NASHC_ENOMEM || s == NASHC_EPLUGIN;
}

static void
compare(nashc_ctx *c, nashc_module *m)
{
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_pm_options o = {.struct_size = sizeof(o), .verify_each = 1, .bisect_limit = -1};
    nashc_module *s = is_small(m) ? nashc_module_clone(m) : NULL;
    nashc_status status = s ? nashc_run_pipeline(&s, "streamline", &o, d) : NASHC_EINPUT;

    if (is_fault(status))
        fault(d, "streamline", status);
    if (status == NASHC_OK && (status = nashc_check_equal(m, s, 4, 1, false, "streamline", d)) &&
        is_fault(status))
        fault(d, "comparison", status);
    if (s)
        nashc_module_free(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nashc_ctx *c = nashc_ctx_create();
    nashc_module *m = NULL;
    char path[32];
    int fd = size <= MAX_SIZE ? memory_file(data, size, path) : -1;

    if (fd >= 0 && !nashc_read_model(c, path, "onnx", &m, nashc_ctx_diag(c))) {
        compare(c, m);
        nashc_module_free(m);
    }
    if (fd >= 0)
        close(fd);
    nashc_ctx_free(c);
    return 0;
}
