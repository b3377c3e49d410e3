/* size.c: models that a run cannot compute, told by their shapes alone.
 *
 * A result lies in memory as a whole when it is computed, floats as doubles (docs/numerics.md).
 * Where one takes more than the whole run may, it would end with "out of memory" after minutes, in
 * whatever asks for it first; the shapes name the node before anything is done.
 */
#include "tool.h"

/* Bytes of a result while it is computed, at least; an unknown size counts as 1. */
static double
bytes_of(const nashc_type *t)
{
    double bytes = nashc_type_is_float(t) ? 8 : 1;

    for (int k = 0; k < t->rank; k++)
        bytes *= t->dim[k] >= 0 ? (double)t->dim[k] : 1;
    return bytes;
}

static nashc_status
too_large(const nashc_node *n, double bytes, nashc_diag *d)
{
    nashc_node_unsup(d, n, "its result takes %.1f GB when it is computed: too large for this run",
                     bytes / 1e9);
    nashc_help(d, "a smaller input or batch takes less, `--verify none` computes nothing; %s",
               tool_limits_told());
    return NASHC_EUNSUP;
}

nashc_status
tool_check_size(const nashc_module *m, nashc_diag *d)
{
    const nashc_graph *g = nashc_module_main(m);
    double most = (double)tool_memory_limit(), bytes;

    if (!g || most <= 0)
        return NASHC_OK;
    NASHC_EACH_NODE(g, n)
    {
        for (int i = 0; i < nashc_node_n_out(n); i++)
            if ((bytes = bytes_of(nashc_value_type(nashc_node_out(n, i)))) > most)
                return too_large(n, bytes, d);
    }
    return NASHC_OK;
}
