/* external.c: tensor data beside the model file. */
#include "frontends/onnx/sandbox.h"
#include "frontends/onnx/tensor.h"
#include <inttypes.h>
#include <string.h>

static const char *
entry(const Onnx__TensorProto *t, const char *key)
{
    for (size_t i = 0; i < t->n_external_data; i++)
        if (t->external_data[i]->key && !strcmp(t->external_data[i]->key, key))
            return t->external_data[i]->value ? t->external_data[i]->value : "";
    return NULL;
}

/* A decimal number without sign; *out stays as it is where the key is absent. */
static nashc_status
number(nashc_onnx_in *r, const Onnx__TensorProto *t, const char *what, const char *key,
       int64_t *out)
{
    const char *s = entry(t, key);
    int64_t v = 0;

    if (!s)
        return NASHC_OK;
    if (*s == '-')
        return nashc_error(r->d, &r->file, "%s: external data with a negative %s %s", what, key,
                           nashc_quote(r->d, s));
    for (const char *p = s; *p || p == s; p++)
        if (*p < '0' || *p > '9' || !nashc_mul_size(v, 10, &v) || !nashc_add_size(v, *p - '0', &v))
            return nashc_error(r->d, &r->file, "%s: external data has %s \"%s\", not a number",
                               what, key, nashc_quote(r->d, s));
    *out = v;
    return NASHC_OK;
}

nashc_status
onnx_external_read(nashc_onnx_in *r, const Onnx__TensorProto *t, const char *what, int64_t need,
                   uint8_t **out)
{
    const char *location = entry(t, "location");
    int64_t offset = 0, length = -1, end;
    onnx_sandbox f = {.what = what, .kind = "external data"};
    nashc_status s;

    if (!location || !*location)
        return nashc_error(r->d, &r->file, "%s: external data without a location", what);
    if ((s = onnx_sandbox_legal(r, &f, location)) || (s = number(r, t, what, "offset", &offset)) ||
        (s = number(r, t, what, "length", &length)))
        return s;
    if (length >= 0 && length != need)
        return nashc_error(r->d, &r->file,
                           "%s: external length %" PRId64 " is not the %" PRId64
                           " bytes of its shape",
                           what, length, need);
    if ((s = onnx_sandbox_open(r, &f, location)))
        return s;
    if (!nashc_add_size(offset, need, &end) || end > f.size || (length < 0 && end != f.size))
        s = nashc_error(r->d, &r->file,
                        "%s: external data at offset %" PRId64 ", %" PRId64
                        " bytes, does not fit file \"%s\" of %" PRId64 " bytes",
                        what, offset, need, nashc_quote(r->d, location), f.size);
    if (!s)
        s = onnx_sandbox_read(r, &f, offset, need, out);
    onnx_sandbox_close(&f);
    return s;
}
