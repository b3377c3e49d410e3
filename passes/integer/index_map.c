/* index_map.c: which element of its operand each element of a moving node is. */
#include "index_map.h"

/* The indices are doubles: exact up to 2^53 elements. */
int64_t *
si_index_map(si_job *job, const nashc_node *n, const nashc_tensor *const *constant, int out,
             const nashc_type *in)
{
    nashc_type f64 = nashc_type_f64(), t = nashc_type_with_elem(in, &f64);
    int n_in = nashc_node_n_in(n), n_out = nashc_node_n_out(n);
    const nashc_tensor **operand = si_alloc(job, n_in, sizeof(*operand));
    nashc_tensor **result = si_alloc(job, n_out, sizeof(*result));
    nashc_buf indices;
    if (!operand || !result)
        return NULL;
    if (!nashc_buf_alloc(&indices, &t)) {
        si_no_memory(job);
        return NULL;
    }
    for (int64_t i = 0; i < indices.n; i++)
        nashc_buf_set(&indices, i, (double)i);
    operand[0] = si_keep(job, nashc_tensor_take(&indices));
    for (int i = 1; i < n_in; i++) /* indices of a gather, and the like */
        operand[i] = constant[i];
    if (!operand[0] || !si_eval(job, n, NULL, NULL, operand, n_in, n_out, result))
        return NULL;
    int64_t *map = nashc_buf_to_i64(nashc_tensor_buf(result[out]));
    if (!map)
        si_no_memory(job);
    return map;
}

int64_t
si_channel_of(const nashc_type *t, int64_t e)
{
    int axis = nashc_type_channel_axis(t);
    if (axis < 0)
        return 0;
    for (int i = t->rank - 1; i > axis; i--)
        e /= t->dim[i];
    return e % t->dim[axis];
}

int64_t
si_first_of_channel(const nashc_type *t, int64_t c)
{
    int axis = nashc_type_channel_axis(t);
    for (int i = axis + 1; axis >= 0 && i < t->rank; i++)
        c *= t->dim[i];
    return c;
}
