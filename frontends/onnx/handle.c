/* handle.c: what the function of a row asks about the node and the reader at large. */
#include "frontends/onnx/reader.h"

const char *
nashc_onnx_op_type(const nashc_onnx_in *r)
{
    return r->node->op_type;
}

const char *
nashc_onnx_domain(const nashc_onnx_in *r)
{
    return r->node->domain ? r->node->domain : "";
}

int64_t
nashc_onnx_version(const nashc_onnx_in *r)
{
    return r->version;
}

nashc_diag *
nashc_onnx_diag(const nashc_onnx_in *r)
{
    return r->d;
}

nashc_arena *
nashc_onnx_arena(const nashc_onnx_in *r)
{
    return r->arena;
}

nashc_build *
nashc_onnx_build(const nashc_onnx_in *r)
{
    return r->build;
}

const nashc_loc *
nashc_onnx_loc(const nashc_onnx_in *r)
{
    return &r->file;
}

bool
nashc_onnx_failed(const nashc_onnx_in *r)
{
    return r->failed;
}

nashc_status
nashc_onnx_status(const nashc_onnx_in *r)
{
    nashc_status s = nashc_build_status(r->build);

    return s ? s : NASHC_EINPUT;
}

int
nashc_onnx_n_out(const nashc_onnx_in *r)
{
    return (int)r->node->n_output;
}
