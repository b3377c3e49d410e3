/* sequence.c: sequences of tensors, as exporters write what a split gives. A sequence has no value:
 * its symbol holds those of its tensors, and who takes one out gets that. */
#include "frontends/onnx/ops/family.h"
#include "frontends/onnx/reader.h"
#include <inttypes.h>
#include <string.h>

/* Sizes of the parts: one number for all, the last one smaller; or a vector; left out: 1. */
static nashc_status
part_sizes(nashc_onnx_in *r, int64_t size, int64_t **out, int *n)
{
    const int64_t *split;
    nashc_status s = nashc_onnx_in_ints(r, 1, "split", &split, n);
    const nashc_type *t = s || !nashc_onnx_given(r, 1) ? NULL : nashc_onnx_in_type(r, 1);
    int64_t step = 1, sum = 0;

    if (s)
        return s;
    if (t && t->rank > 1)
        return nashc_onnx_error(r, "split is %s, expected a number or a vector",
                                nashc_type_str(r->d, t));
    if (!t || t->rank == 0) {
        step = t ? split[0] : step;
        /* divided as it stands: size + step - 1 might not fit */
        if (step < 1 || (size - 1) / step >= ONNX_SMALL)
            return nashc_onnx_error(r, "split %" PRId64 " of a dimension of %" PRId64, step, size);
        *n = (int)((size - 1) / step + 1);
        split = NULL;
    }
    *out = NASHC_NEW_N(r->arena, int64_t, *n + 1);
    for (int i = 0; *out && i < *n; i++) {
        (*out)[i] = split ? split[i] : size - sum < step ? size - sum : step;
        if ((*out)[i] < 1 || (*out)[i] > size - sum)
            return nashc_onnx_error(r, "part %d has size %" PRId64 " of %" PRId64, i, (*out)[i],
                                    size);
        sum += (*out)[i];
    }
    if (*out && sum != size)
        return nashc_onnx_error(r, "parts sum to %" PRId64 ", the dimension is %" PRId64, sum,
                                size);
    return *out ? NASHC_OK : nashc_enomem(r->d);
}

/* Output 0 is the sequence of these. */
static nashc_status
set_sequence(nashc_onnx_in *r, nashc_value **part, int n, int elem)
{
    onnx_sym *s = onnx_sym_find(r, r->node->output[0]);

    if (s) {
        s->part = part;
        s->n_part = n;
        s->elem = elem;
    }
    return NASHC_OK;
}

/* Without keepdims the axis goes; it counts only where no sizes are given. */
static nashc_status
read_split_to_sequence(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0);
    bool drop = !nashc_onnx_given(r, 1) && !nashc_onnx_attr_int(r, "keepdims", 1);
    int64_t *size = NULL, dim[NASHC_MAX_RANK];
    int axis, n;
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    const nashc_type *t = nashc_value_type(x);
    if ((s = nashc_onnx_axis(r, nashc_onnx_attr_int(r, "axis", 0), t->rank, &axis)) ||
        (s = part_sizes(r, t->dim[axis], &size, &n)))
        return s;
    nashc_node *node = nashc_onnx_node(
        r, "nn.split", &x, 1, n,
        nashc_arena_printf(r->arena, "axis=%d parts=%s", axis, nashc_onnx_ints(r, size, n)));
    nashc_value **part = NASHC_NEW_N(r->arena, nashc_value *, n + 1);
    if (!node || !part)
        return node ? nashc_enomem(r->d) : nashc_onnx_status(r);
    for (int i = 0, k = 0; i < t->rank; i++)
        if (i != axis)
            dim[k++] = t->dim[i];
    for (int i = 0; i < n; i++) {
        part[i] = nashc_node_out(node, i);
        if (drop && !(part[i] = nashc_onnx_reshape(r, part[i], dim, t->rank - 1)))
            return nashc_onnx_status(r);
    }
    return set_sequence(r, part, n, nashc_onnx_in_elem(r, 0));
}

/* SAME in the row: its tensors have one element type, so that of the first is asked. */
static nashc_status
read_sequence_construct(nashc_onnx_in *r)
{
    int n = nashc_onnx_n_in(r);
    nashc_value **part = NASHC_NEW_N(r->arena, nashc_value *, n + 1);

    if (!part)
        return nashc_enomem(r->d);
    for (int i = 0; i < n; i++)
        if (!(part[i] = nashc_onnx_in_value(r, i)))
            return nashc_onnx_status(r);
    return set_sequence(r, part, n, nashc_onnx_in_elem(r, 0));
}

/* The sequence that operand 0 is; NULL: reported. */
static const onnx_sym *
sequence(nashc_onnx_in *r)
{
    const onnx_sym *s = onnx_in_sym(r, 0);

    if (s && s->part)
        return s;
    nashc_onnx_error(r, "input \"%s\" is not a sequence", nashc_onnx_in_name(r, 0));
    return NULL;
}

/* No node: the part itself becomes the result. Negative positions count from behind. */
static nashc_status
read_sequence_at(nashc_onnx_in *r)
{
    const onnx_sym *seq = sequence(r);
    const int64_t *at;
    int n, i;
    nashc_status s;

    if (!seq)
        return nashc_onnx_status(r);
    if ((s = nashc_onnx_in_ints(r, 1, "position", &at, &n)))
        return s;
    if (n != 1 || at[0] < -seq->n_part || at[0] >= seq->n_part)
        return nashc_onnx_error(r, "position %s of a sequence of %d tensors",
                                nashc_onnx_ints(r, at, n), seq->n_part);
    i = (int)(at[0] < 0 ? at[0] + seq->n_part : at[0]);
    return nashc_onnx_set(r, 0, seq->part[i], seq->elem);
}

/* Known while reading, so what is computed from it is known, too. */
static nashc_status
read_sequence_length(nashc_onnx_in *r)
{
    const onnx_sym *seq = sequence(r);
    nashc_type t = nashc_type_for_range(0, ONNX_SMALL);
    int64_t n = seq ? seq->n_part : 0;

    return seq ? nashc_onnx_set_tensor(r, 0, nashc_tensor_from_i64(&t, &n), NASHC_ONNX_INT64)
               : nashc_onnx_status(r);
}

/* new_axis: stacked along an axis of its own. */
static nashc_status
read_concat_from_sequence(nashc_onnx_in *r)
{
    const onnx_sym *seq = sequence(r);
    bool stack = nashc_onnx_attr_int(r, "new_axis", 0) != 0;
    int axis;
    nashc_status s;

    if (!seq || !seq->n_part)
        return seq ? nashc_onnx_unsup(r, "the sequence is empty") : nashc_onnx_status(r);
    int rank = nashc_value_type(seq->part[0])->rank + stack;
    nashc_value **in = NASHC_NEW_N(r->arena, nashc_value *, seq->n_part + 1);
    if (!in)
        return nashc_enomem(r->d);
    if (rank > NASHC_MAX_RANK)
        return nashc_onnx_unsup(r, "the result has %d dimensions, at most %d are supported", rank,
                                NASHC_MAX_RANK);
    if ((s = nashc_onnx_axis(r, nashc_onnx_attr_int(r, "axis", 0), rank, &axis)))
        return s;
    for (int i = 0; i < seq->n_part; i++) {
        const nashc_type *t = nashc_value_type(seq->part[i]);
        int64_t dim[NASHC_MAX_RANK + 1];
        for (int k = 0, j = 0; k < t->rank + stack; k++)
            dim[k] = stack && k == axis ? 1 : t->dim[j++];
        in[i] = stack ? nashc_onnx_reshape(r, seq->part[i], dim, t->rank + 1) : seq->part[i];
        if (!in[i])
            return nashc_onnx_status(r);
    }
    return nashc_onnx_set(r, 0, nashc_onnx_op(r, "nn.concat", in, seq->n_part, "axis=%d", axis),
                          seq->elem);
}

static const nashc_onnx_row rows[] = {
    {AI_ONNX, "ConcatFromSequence", 11, NULL, "axis-:i new_axis-:i", 1, 1, 1, 0,
     read_concat_from_sequence},
    {AI_ONNX, "SequenceAt", 11, NULL, "", 2, 2, 1, INF, read_sequence_at},
    {AI_ONNX, "SequenceConstruct", 11, NULL, "", 1, ANY, 1, INF | SAME, read_sequence_construct},
    {AI_ONNX, "SequenceLength", 11, NULL, "", 1, 1, 1, 0, read_sequence_length},
    {AI_ONNX, "SplitToSequence", 11, NULL, "axis-:i keepdims-:i", 1, 2, 1, INF,
     read_split_to_sequence},
    {0},
};

extern const nashc_impl nashc_impl_onnx_sequence;

const nashc_impl nashc_impl_onnx_sequence = NASHC_IMPL_ONNX("sequence", rows);
