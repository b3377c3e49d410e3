/* versions.c: opsets and IR version that a file imports, checked. */
#include "frontends/onnx/graph.h"
#include <inttypes.h>
#include <string.h>

/* "" and "ai.onnx" are one domain; of several entries the first counts. */
static int64_t
version_in(Onnx__OperatorSetIdProto *const *import, size_t n, const char *domain)
{
    for (size_t i = 0; i < n; i++) {
        const char *have = import[i]->domain ? import[i]->domain : "";
        if (!strcmp(have, "ai.onnx"))
            have = "";
        if (!strcmp(have, domain))
            return import[i]->version;
    }
    return 0;
}

int64_t
onnx_import_version(const nashc_onnx_in *r, int i, const char *domain)
{
    const Onnx__FunctionProto *f = i >= 0 && r->origin ? r->origin[i] : NULL;
    int64_t own = f ? version_in(f->opset_import, f->n_opset_import, domain) : 0;

    return own ? own : version_in(r->model->opset_import, r->model->n_opset_import, domain);
}

/* The IR version is checked before the graph, as older and newer files may differ in all that
 * follows. */
nashc_status
onnx_check_versions(nashc_onnx_in *r)
{
    const Onnx__ModelProto *m = r->model;
    bool found = false;

    if (!m->has_ir_version && !m->graph)
        return nashc_error(r->d, &r->file, "not an ONNX file: neither IR version nor graph");
    if (m->ir_version > ONNX_IR_MAX)
        return nashc_error(r->d, &r->file,
                           "IR version %" PRId64 " is unknown; the newest known one is %d",
                           m->ir_version, ONNX_IR_MAX);
    if (m->ir_version < ONNX_IR_MIN)
        return nashc_error(r->d, &r->file,
                           "IR version %" PRId64 " is older than %d; export the model again",
                           m->ir_version, ONNX_IR_MIN);
    if (!m->graph)
        return nashc_error(r->d, &r->file, "the model has no graph");
    for (size_t i = 0; i < m->n_opset_import; i++) {
        const char *domain = m->opset_import[i]->domain;
        found = found || !domain || !*domain || !strcmp(domain, "ai.onnx");
    }
    r->opset = onnx_import_version(r, -1, "");
    if (!found) {
        nashc_error(r->d, &r->file, "the model imports no version of the standard operators");
        nashc_help(r->d, "opset_import must have an entry for the domain \"\"");
        return NASHC_EINPUT;
    }
    if (r->opset < ONNX_OPSET_MIN || r->opset > ONNX_OPSET_MAX) {
        nashc_error(r->d, &r->file, "opset %" PRId64 " is not known, only %d to %d", r->opset,
                    ONNX_OPSET_MIN, ONNX_OPSET_MAX);
        nashc_help(r->d, "convert the model, for instance with onnx.version_converter");
        return NASHC_EINPUT;
    }
    return NASHC_OK;
}
