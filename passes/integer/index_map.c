/* index_map.c: which element of its operand each element of a moving node is. */
#include "integer.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* map[e]: which element of operand 0 result element e is; on the heap, NULL: S->st. */
int64_t *
si_index_map(si_state *S, const nashc_node *n, int out, const nashc_type *in)
{
    nashc_type f64 = nashc_type_f64(), t = nashc_type_with_elem(in, &f64);
    int n_in = nashc_node_n_in(n), n_out = nashc_node_n_out(n);
    nashc_tensor **op = si_alloc(S, n_in, sizeof(*op)), **res = si_alloc(S, n_out, sizeof(*res));
    nashc_buf buf;
    if (!op || !res)
        return NULL;
    if (!nashc_buf_alloc(&buf, &t)) {
        si_fail(S, nashc_enomem(S->diag));
        return NULL;
    }
    for (int64_t i = 0; i < buf.n; i++)
        nashc_buf_set(&buf, i, (double)i);
    op[0] = si_keep(S, nashc_tensor_take(&buf));
    for (int i = 1; i < n_in; i++)
        if (nashc_node_in(n, i))
            op[i] = (nashc_tensor *)(uintptr_t)si_known(S, nashc_node_in(n, i));
    if (!op[0] || S->st != NASHC_OK || !si_eval(S, n, NULL, NULL, op, n_in, n_out, res))
        return NULL;
    int64_t *map = nashc_buf_to_i64(nashc_tensor_buf(res[out]));
    if (!map)
        si_fail(S, nashc_enomem(S->diag));
    return map;
}

int64_t
si_first_of_channel(const nashc_type *t, int64_t c)
{
    int axis = nashc_type_channel_axis(t);
    for (int i = axis + 1; axis >= 0 && i < t->rank; i++)
        c *= t->dim[i];
    return c;
}
