/* scatter.c: ScatterND with known indices: what a slice on the left of an assignment becomes.
 *
 *     data [D1..Dk, rest], indices [.., k], updates [.., rest]
 *
 * The first k axes of data become one; a row of it is then one of data or of updates. Rows that
 * follow each other in what they are taken from are one slice, and the result is their
 * concatenation.
 */
#include "frontends/onnx/ops/family.h"
#include <inttypes.h>
#include <string.h>

enum { MAX_ROWS = 1 << 20, MAX_RUNS = 4096 };

typedef struct scatter {
    int64_t n_rows, n_updates;
    int64_t rest[NASHC_MAX_RANK]; /* shape of a row */
    int n_rest, depth;            /* depth: k */
    int64_t *from;                /* by row: of data (its own), or -1 - row of updates */
} scatter;

/* Shapes that fit each other. */
static nashc_status
set_shapes(nashc_onnx_in *r, const nashc_type *data, const nashc_type *index,
           const nashc_type *updates, scatter *p)
{
    int k = index->rank ? (int)index->dim[index->rank - 1] : 0;

    if (k < 1 || k > data->rank || updates->rank != index->rank - 1 + data->rank - k)
        return nashc_onnx_error(r, "indices %s of data %s",
                                nashc_type_str(nashc_onnx_diag(r), index),
                                nashc_type_str(nashc_onnx_diag(r), data));
    p->depth = k;
    p->n_rows = p->n_updates = 1;
    for (int i = 0; i < k; i++)
        p->n_rows *= data->dim[i];
    for (int i = 0; i < index->rank - 1; i++) {
        p->n_updates *= index->dim[i];
        if (updates->dim[i] != index->dim[i])
            return nashc_onnx_error(r, "updates %s of indices %s",
                                    nashc_type_str(nashc_onnx_diag(r), updates),
                                    nashc_type_str(nashc_onnx_diag(r), index));
    }
    p->n_rest = data->rank - k;
    for (int i = 0; i < p->n_rest; i++) {
        p->rest[i] = data->dim[k + i];
        if (updates->dim[index->rank - 1 + i] != p->rest[i])
            return nashc_onnx_error(r, "updates %s of data %s",
                                    nashc_type_str(nashc_onnx_diag(r), updates),
                                    nashc_type_str(nashc_onnx_diag(r), data));
    }
    if (p->n_rows > MAX_ROWS)
        return nashc_onnx_unsup(r, "it writes to one of %" PRId64 " rows, at most %d are supported",
                                p->n_rows, MAX_ROWS);
    return NASHC_OK;
}

/* Where each row comes from; of equal indices the last one counts. */
static nashc_status
find_rows(nashc_onnx_in *r, const nashc_type *data, const nashc_tensor *index, scatter *p)
{
    p->from = NASHC_NEW_N(nashc_onnx_arena(r), int64_t, p->n_rows + 1);
    if (!p->from)
        return nashc_enomem(nashc_onnx_diag(r));
    for (int64_t i = 0; i < p->n_rows; i++)
        p->from[i] = i;
    for (int64_t u = 0; u < p->n_updates; u++) {
        int64_t row = 0;
        for (int i = 0; i < p->depth; i++) {
            int64_t at = nashc_tensor_get_int(index, u * p->depth + i), size = data->dim[i];
            if (at < -size || at >= size)
                return nashc_onnx_error(r, "index %" PRId64 " is out of a dimension of %" PRId64,
                                        at, size);
            /* row-major over the first k axes */
            row = row * size + (at < 0 ? at + size : at);
        }
        p->from[row] = -1 - u;
    }
    return NASHC_OK;
}

/* x with what is counted by rows as one axis. */
static nashc_value *
as_rows(nashc_onnx_in *r, nashc_value *x, int64_t n, const scatter *p)
{
    int64_t dim[NASHC_MAX_RANK + 1] = {n};

    memcpy(dim + 1, p->rest, (size_t)p->n_rest * sizeof(*dim));
    return nashc_onnx_reshape(r, x, dim, p->n_rest + 1);
}

/* Slices of both, one behind the other. */
static nashc_value *
join_runs(nashc_onnx_in *r, nashc_value *const *x, const scatter *p)
{
    nashc_value **run = NASHC_NEW_N(nashc_onnx_arena(r), nashc_value *, MAX_RUNS);
    int n = 0;

    for (int64_t i = 0, end; run && i < p->n_rows; i = end) {
        bool update = p->from[i] < 0;
        int64_t at = update ? -1 - p->from[i] : p->from[i];
        for (end = i + 1; end < p->n_rows; end++)
            /* updates count down from -1, so the next one is one less; a change of source ends the
             * run, as no step leads from one range to the other */
            if (p->from[end] != (update ? p->from[end - 1] - 1 : p->from[end - 1] + 1))
                break;
        if (n == MAX_RUNS) {
            nashc_onnx_unsup(r, "its indices lie in more than %d pieces", MAX_RUNS);
            return NULL;
        }
        run[n++] =
            end - i == (update ? p->n_updates : p->n_rows)
                ? x[update]
                : nashc_onnx_op1(r, "nn.slice", x[update],
                                 "starts=[%" PRId64 "] ends=[%" PRId64 "] axes=[0] steps=[1]", at,
                                 at + end - i);
    }
    return !run ? NULL : n == 1 ? run[0] : nashc_onnx_op(r, "nn.concat", run, n, "axis=0");
}

static nashc_status
read_scatter_nd(nashc_onnx_in *r)
{
    const char *reduction = nashc_onnx_attr_str(r, "reduction", "none");
    const nashc_tensor *index = nashc_onnx_in_param(r, 1);
    nashc_value *x[2] = {nashc_onnx_in_value(r, 0), nashc_onnx_in_value(r, 2)};
    scatter p = {0};
    nashc_status s;

    if (!x[0] || !x[1])
        return nashc_onnx_status(r);
    if (strcmp(reduction, "none"))
        return nashc_onnx_unsup(r, "reduction '%s' is not supported, only none",
                                nashc_quote(nashc_onnx_diag(r), reduction));
    if (!index || !nashc_type_is_int(nashc_tensor_type(index)))
        return nashc_onnx_unsup(r, "indices \"%s\" are not constant integers",
                                nashc_onnx_in_name(r, 1));
    const nashc_type *t = nashc_value_type(x[0]);
    if ((s = set_shapes(r, t, nashc_tensor_type(index), nashc_value_type(x[1]), &p)) ||
        (s = find_rows(r, t, index, &p)))
        return s;
    x[0] = as_rows(r, x[0], p.n_rows, &p);
    x[1] = as_rows(r, x[1], p.n_updates, &p);
    nashc_value *y = x[0] && x[1] ? join_runs(r, x, &p) : NULL;
    return nashc_onnx_set(r, 0, y ? nashc_onnx_reshape(r, y, t->dim, t->rank) : NULL,
                          nashc_onnx_in_elem(r, 0));
}

static const nashc_onnx_row rows[] = {
    {AI_ONNX, "ScatterND", 11, NULL, "reduction-:s", 3, 3, 1, 0, read_scatter_nd},
    {0},
};

extern const nashc_impl nashc_impl_onnx_scatter;

const nashc_impl nashc_impl_onnx_scatter = NASHC_IMPL_ONNX("scatter", rows);
