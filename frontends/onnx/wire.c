/* wire.c: checks the protobuf encoding of an ONNX file before protobuf-c sees it.
 *
 * protobuf-c reports neither where nor why a file does not parse, recurses without a limit, and
 * allocates what the file asks for. So the file is walked first with an explicit stack, by the
 * little that has to be known of the schema: which fields are messages and which are strings.
 */
#include "frontends/onnx/wire.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 64 };

typedef enum msg {
    M_MODEL,
    M_GRAPH,
    M_NODE,
    M_ATTR,
    M_TENSOR,
    M_SEGMENT,
    M_SPARSE,
    M_VALUE,
    M_TYPE,
    M_TYPE_TENSOR,
    M_SHAPE,
    M_DIM,
    M_OPSET,
    M_ENTRY,
    M_NOTE,
    M_FUNCTION
} msg;

static const char *const msg_names[] = {
    "model",         "graph",          "node",       "attribute",   "tensor", "tensor segment",
    "sparse tensor", "value info",     "type",       "tensor type", "shape",  "dimension",
    "opset import",  "key-value pair", "annotation", "function",
};

/* What a field of wire type 2 holds. */
enum { IS_STRING = -1, IS_BYTES = -2 };

typedef struct field {
    uint8_t in;     /* msg */
    uint8_t number; /* all below 64 */
    int8_t holds;   /* msg, IS_STRING or IS_BYTES */
} field;

static const field fields[] = {
    {M_MODEL, 2, IS_STRING},     {M_MODEL, 3, IS_STRING},     {M_MODEL, 7, M_GRAPH},
    {M_MODEL, 8, M_OPSET},       {M_MODEL, 14, M_ENTRY},      {M_MODEL, 25, M_FUNCTION},
    {M_GRAPH, 1, M_NODE},        {M_GRAPH, 2, IS_STRING},     {M_GRAPH, 5, M_TENSOR},
    {M_GRAPH, 11, M_VALUE},      {M_GRAPH, 12, M_VALUE},      {M_GRAPH, 13, M_VALUE},
    {M_GRAPH, 14, M_NOTE},       {M_GRAPH, 15, M_SPARSE},     {M_NODE, 1, IS_STRING},
    {M_NODE, 2, IS_STRING},      {M_NODE, 3, IS_STRING},      {M_NODE, 4, IS_STRING},
    {M_NODE, 5, M_ATTR},         {M_NODE, 7, IS_STRING},      {M_ATTR, 1, IS_STRING},
    {M_ATTR, 4, IS_BYTES},       {M_ATTR, 5, M_TENSOR},       {M_ATTR, 6, M_GRAPH},
    {M_ATTR, 9, IS_BYTES},       {M_ATTR, 21, IS_STRING},     {M_ATTR, 22, M_SPARSE},
    {M_TENSOR, 3, M_SEGMENT},    {M_TENSOR, 6, IS_BYTES},     {M_TENSOR, 8, IS_STRING},
    {M_TENSOR, 9, IS_BYTES},     {M_TENSOR, 13, M_ENTRY},     {M_SPARSE, 1, M_TENSOR},
    {M_SPARSE, 2, M_TENSOR},     {M_VALUE, 1, IS_STRING},     {M_VALUE, 2, M_TYPE},
    {M_TYPE, 1, M_TYPE_TENSOR},  {M_TYPE_TENSOR, 2, M_SHAPE}, {M_SHAPE, 1, M_DIM},
    {M_DIM, 2, IS_STRING},       {M_OPSET, 1, IS_STRING},     {M_ENTRY, 1, IS_STRING},
    {M_ENTRY, 2, IS_STRING},     {M_NOTE, 1, IS_STRING},      {M_NOTE, 2, M_ENTRY},
    {M_FUNCTION, 1, IS_STRING},  {M_NODE, 8, IS_STRING},      {M_FUNCTION, 4, IS_STRING},
    {M_FUNCTION, 5, IS_STRING},  {M_FUNCTION, 7, M_NODE},     {M_FUNCTION, 9, M_OPSET},
    {M_FUNCTION, 10, IS_STRING}, {M_FUNCTION, 11, M_ATTR},    {M_FUNCTION, 13, IS_STRING},
};

static const field *
field_find(msg in, uint64_t number)
{
    for (size_t i = 0; i < NASHC_COUNT(fields); i++)
        if (fields[i].in == in && fields[i].number == number)
            return &fields[i];
    return NULL;
}

typedef struct walk {
    const uint8_t *data;
    size_t size, at;
    const nashc_loc *loc;
    nashc_diag *d;
    int depth;
    struct {
        msg kind;
        size_t end;
    } level[MAX_DEPTH];
} walk;

static nashc_status
cut_off(walk *w, const char *what, size_t at)
{
    return nashc_error(w->d, w->loc, "truncated protobuf: %s at byte %zu ends at byte %zu", what,
                       at, w->level[w->depth].end);
}

/* A varint of at most 10 bytes inside the current message. */
static nashc_status
varint(walk *w, const char *what, uint64_t *out)
{
    size_t start = w->at, end = w->level[w->depth].end;
    uint64_t v = 0;

    for (int shift = 0; shift < 70; shift += 7) {
        if (w->at >= end)
            return cut_off(w, what, start);
        uint8_t byte = w->data[w->at++];
        v |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
        if (!(byte & 0x80)) {
            *out = v;
            return NASHC_OK;
        }
    }
    return nashc_error(w->d, w->loc,
                       "malformed protobuf: varint at byte %zu is longer than 10 bytes", start);
}

static nashc_status
skip(walk *w, const char *what, uint64_t n)
{
    if (n > w->level[w->depth].end - w->at)
        return cut_off(w, what, w->at);
    w->at += (size_t)n;
    return NASHC_OK;
}

static nashc_status
enter(walk *w, msg kind, size_t size)
{
    if (w->depth + 1 == MAX_DEPTH)
        return nashc_error(
            w->d, w->loc,
            "messages nest more than %d deep at byte %zu: a hostile file, or control "
            "flow, which has no hardware form",
            MAX_DEPTH, w->at);
    w->depth++;
    w->level[w->depth].kind = kind;
    w->level[w->depth].end = w->at + size;
    return NASHC_OK;
}

/* The length-delimited field number of the current message. */
static nashc_status
delimited(walk *w, uint64_t number)
{
    msg kind = w->level[w->depth].kind;
    const field *f = field_find(kind, number);
    size_t start = w->at;
    uint64_t n;
    nashc_status s = varint(w, "a length", &n);

    if (s)
        return s;
    if (n > w->level[w->depth].end - w->at)
        return nashc_error(w->d, w->loc,
                           "truncated protobuf: field %" PRIu64 " of a %s at byte %zu says %" PRIu64
                           " bytes, %zu are left",
                           number, msg_names[kind], start, n, w->level[w->depth].end - w->at);
    if (f && f->holds >= 0)
        return enter(w, (msg)f->holds, (size_t)n);
    if (f && f->holds == IS_STRING && memchr(w->data + w->at, 0, (size_t)n))
        return nashc_error(w->d, w->loc, "a name at byte %zu holds a NUL byte", w->at);
    return skip(w, "a field", n);
}

static nashc_status
one_field(walk *w)
{
    msg kind = w->level[w->depth].kind;
    size_t start = w->at;
    uint64_t tag, ignored;
    nashc_status s = varint(w, "a tag", &tag);

    if (s)
        return s;
    uint64_t number = tag >> 3;
    if (number == 0 || number > 0x1fffffff)
        return nashc_error(w->d, w->loc, "malformed protobuf: field number %" PRIu64 " at byte %zu",
                           number, start);
    if ((tag & 7) != 2 && field_find(kind, number))
        return nashc_error(w->d, w->loc,
                           "malformed protobuf: field %" PRIu64
                           " of a %s at byte %zu has wire type "
                           "%d, expected 2",
                           number, msg_names[kind], start, (int)(tag & 7));
    switch (tag & 7) {
    case 0:
        return varint(w, "a number", &ignored);
    case 1:
        return skip(w, "a 64-bit number", 8);
    case 2:
        return delimited(w, number);
    case 5:
        return skip(w, "a 32-bit number", 4);
    default:
        return nashc_error(w->d, w->loc,
                           "malformed protobuf: field %" PRIu64 " at byte %zu has wire type %d; "
                           "groups are not part of ONNX",
                           number, start, (int)(tag & 7));
    }
}

nashc_status
onnx_wire_check(const uint8_t *data, size_t size, const nashc_loc *loc, nashc_diag *d)
{
    walk w = {.data = data, .size = size, .loc = loc, .d = d};

    w.level[0].kind = M_MODEL;
    w.level[0].end = size;
    for (;;) {
        while (w.depth > 0 && w.at == w.level[w.depth].end)
            w.depth--;
        if (w.at == size)
            return NASHC_OK;
        nashc_status s = one_field(&w);
        if (s)
            return s;
    }
}

/* --- memory -------------------------------------------------------------------------------------
 */

static void *
budget_alloc(void *user, size_t size)
{
    onnx_budget *b = user;

    if (size > b->left) {
        b->spent = true;
        return NULL;
    }
    b->left -= size;
    return malloc(size ? size : 1);
}

static void
budget_free(void *user, void *p)
{
    (void)user;
    free(p);
}

Onnx__ModelProto *
onnx_unpack(const uint8_t *data, size_t size, onnx_budget *budget, const nashc_loc *loc,
            nashc_diag *d, nashc_status *status)
{
    *status = onnx_wire_check(data, size, loc, d);
    if (*status)
        return NULL;
    /* Measured on real files, unpacking takes up to 10 times the file, plus a constant. */
    budget->left = ((size_t)32 << 20) + 24 * size;
    budget->spent = false;
    budget->allocator = (ProtobufCAllocator){budget_alloc, budget_free, budget};
    Onnx__ModelProto *m = onnx__model_proto__unpack(&budget->allocator, size, data);
    if (!m && budget->spent)
        *status = nashc_error(d, loc,
                              "unpacking %zu bytes takes far more memory than a model needs", size);
    else if (!m)
        *status = nashc_error(d, loc, "not an ONNX file: the fields do not follow ONNX's schema");
    return m;
}
