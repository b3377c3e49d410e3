/* infer.c: types of the results of one node. */
#include "core/base/mem.h"
#include "ir/impl.h"
#include <nashc/diag.h>
#include <nashc/plugin.h>
#include <string.h>

nashc_status
nashc_node_infer(const nashc_node *n, nashc_type *types, nashc_diag *d)
{
    bool known = n->op->infer != NULL;

    for (uint32_t i = 0; i < n->n_out; i++)
        types[i] = n->out[i].type;
    for (uint32_t i = 0; i < n->n_in; i++)
        if (n->in[i].val && n->in[i].val->type.kind == NASHC_K_NONE)
            known = false;
    return known ? n->op->infer(n, types, d) : NASHC_OK;
}
