/* parse_data.c: constants in the text: lists, splat, blob and rand. */
#include "core/base/mem.h"
#include "core/base/num.h"
#include "core/base/rng.h"
#include "ir/parse.h"
#include <inttypes.h>
#include <nashc/diag.h>
#include <string.h>

/* One number into element i of b. */
static nashc_status
parse_element(nashc_parser *p, nashc_buf *b, int64_t i)
{
    const char *at = p->s;
    char type[NASHC_TYPE_STR_MAX];
    bool ok;

    /* integers, and the mantissa of fixed point, as print.c writes them */
    if (b->cell <= NASHC_U64) {
        int64_t v = 0;
        ok = nashc_num_parse_int(&p->s, &v);
        if (!ok)
            return nashc_parse_error(p, at, nashc_parse_span(at), "expected an integer");
        nashc_buf_set_int(b, i, v);
    } else if (b->cell == NASHC_DOUBLE) {
        ok = nashc_num_parse_f64(&p->s, (double *)b->data + i);
    } else {
        float v = 0;
        ok = nashc_num_parse_f32(&p->s, &v);
        /* nashc_buf_set would round without a word */
        if (ok && b->type.kind == NASHC_K_MINI && !nashc_type_holds(&b->type, (double)v))
            b->fault = true;
        else
            nashc_buf_set(b, i, (double)v);
    }
    if (!ok)
        return nashc_parse_error(p, at, nashc_parse_span(at), "expected a number");
    if (b->fault)
        return nashc_parse_error(p, at, (int)(p->s - at), "%.*s does not belong to type %s",
                                 p->s - at > 40 ? 40 : (int)(p->s - at), at,
                                 nashc_type_print(&b->type, type, sizeof(type)));
    return NASHC_OK;
}

/* The list stands on one line; its length must be that of the type. */
static nashc_status
parse_list(nashc_parser *p, nashc_buf *b)
{
    const char *open = p->s++;
    nashc_status s = NASHC_OK;
    int64_t n = 0;

    for (;; p->s++) {
        nashc_parse_space(p);
        if (*p->s == ']' && n == 0)
            break;
        if (n == b->n)
            return nashc_parse_error(p, p->s, nashc_parse_span(p->s),
                                     "the type has %" PRId64 " elements, the list more", b->n);
        s = parse_element(p, b, n++);
        if (s)
            return s;
        nashc_parse_space(p);
        if (*p->s == ']')
            break;
        if (*p->s != ',')
            return nashc_parse_error(p, p->s, 1, "expected , or ] in the list");
    }
    p->s++;
    if (n != b->n)
        return nashc_parse_error(p, open, (int)(p->s - open),
                                 "the type has %" PRId64 " elements, the list %" PRId64, b->n, n);
    return NASHC_OK;
}

/* One element is parsed into a buffer of one and its cell copied. */
static nashc_status
parse_splat(nashc_parser *p, nashc_buf *b)
{
    size_t cell = nashc_cell_size(b->cell);
    const char *at = p->s;
    nashc_buf one;
    nashc_status s;

    if (!b->n)
        return nashc_parse_error(p, at, 1, "splat of a type without elements");
    one = *b;
    one.n = 1;
    s = parse_element(p, &one, 0);
    for (int64_t i = 1; !s && i < b->n; i++)
        memcpy((char *)b->data + (size_t)i * cell, b->data, cell);
    return s;
}

/* Uniform over the interval of an integer type, over [-1, 1) for floats. */
static nashc_status
parse_rand(nashc_parser *p, nashc_buf *b)
{
    const nashc_type *t = &b->type;
    const char *at = p->s;
    nashc_rng rng;
    int64_t seed;

    if (!nashc_num_parse_int(&p->s, &seed))
        return nashc_parse_error(p, at, nashc_parse_span(at), "expected a seed");
    nashc_rng_seed(&rng, (uint64_t)seed);
    for (int64_t i = 0; i < b->n; i++) {
        if (b->cell > NASHC_U64)
            nashc_buf_set(b, i, 2 * nashc_rng_unit(&rng) - 1);
        else if (t->kind == NASHC_K_BIP && t->lo < t->hi)
            nashc_buf_set_int(b, i, 2 * nashc_rng_range(&rng, 0, 1) - 1);
        else
            nashc_buf_set_int(b, i, nashc_rng_range(&rng, t->lo, t->hi));
    }
    return NASHC_OK;
}

/* The file is opened at the first blob and kept open for all others of the text. */
static nashc_status
parse_blob(nashc_parser *p, const nashc_type *t, nashc_tensor **out)
{
    const char *at = p->s;
    nashc_loc loc = nashc_parse_loc(p, at);
    uint64_t prefix;
    nashc_status s;

    if (!nashc_num_parse_hex64(&p->s, &prefix))
        return nashc_parse_error(p, at, nashc_parse_span(at), "expected 16 hex digits");
    if (!p->blob_path) {
        s = nashc_parse_error(p, at, 16, "there is no blob file for this text");
        nashc_help(p->d, "blobs are read from the .nashblob file beside a .nashir file");
        return s;
    }
    if (!p->blobs) {
        s = nashc_blobs_open(p->blob_path, &p->blobs, p->d);
        if (s)
            return s;
    }
    return nashc_blobs_load(p->blobs, t, prefix, out, p->d, &loc);
}

/* The elements that stand in the text itself, or follow from it. */
static nashc_status
parse_elements(nashc_parser *p, const nashc_def *def, nashc_tensor **out)
{
    bool list = *p->s == '[', splat = !list && nashc_parse_word(p, "splat");
    const nashc_type *t = &def->type;
    const char *at = p->s;
    int64_t n = nashc_type_count(t), size;
    nashc_status s;
    nashc_buf b;

    if (!list && !splat)
        nashc_parse_word(p, "rand");
    nashc_parse_space(p);
    if (!nashc_mul_size(n, (int64_t)nashc_cell_size(nashc_type_cell(t)), &size) ||
        size > NASHC_MAX_BYTES - p->made)
        return nashc_parse_error(p, at, 1, "constants made by the text exceed %" PRId64 " bytes",
                                 NASHC_MAX_BYTES);
    if (list && strnlen(p->s, (size_t)n) < (size_t)n) /* before memory is taken for it */
        return nashc_parse_error(p, at, 1, "the type has %" PRId64 " elements, the list fewer", n);
    p->made += size;
    if (!nashc_buf_alloc(&b, t))
        return nashc_enomem(p->d);
    s = list ? parse_list(p, &b) : splat ? parse_splat(p, &b) : parse_rand(p, &b);
    if (s) {
        nashc_buf_free(&b);
        return s;
    }
    *out = nashc_tensor_take(&b);
    return *out ? NASHC_OK : nashc_enomem(p->d);
}

nashc_status
nashc_parse_data(nashc_parser *p)
{
    const nashc_def *def = p->def;
    nashc_tensor *t = NULL;
    nashc_status s;
    nashc_value *v;

    if (p->n_def != 1)
        return nashc_parse_error(p, p->s, nashc_parse_span(p->s),
                                 "a constant defines one value, not %zu", p->n_def);
    if (def->type.kind == NASHC_K_NONE || nashc_type_count(&def->type) < 0)
        return nashc_parse_error(p, def->type_at, def->type_len,
                                 "a constant needs a known element and shape of at most %" PRId64
                                 " elements",
                                 NASHC_MAX_ELEMENTS);
    if (nashc_parse_word(p, "blob")) {
        nashc_parse_space(p);
        s = parse_blob(p, &def->type, &t);
    } else {
        s = parse_elements(p, def, &t);
    }
    if (s)
        return s;
    t = nashc_module_intern(p->m, t);
    v = t ? nashc_graph_add_const(p->g, def->name, t) : NULL;
    return v ? NASHC_OK : nashc_enomem(p->d);
}
