/* infer.c: types of the results of one node. */
#include "core/base/mem.h"
#include "ir/impl.h"
#include <nashc/diag.h>
#include <nashc/running.h>
#include <string.h>

/* Only damage: what a type means is for verify to judge. */
static bool
sound_type(const nashc_type *t)
{
    bool good = t->kind <= NASHC_K_MINI && t->rank <= NASHC_MAX_RANK;
    for (int i = 0; good && i < t->rank; i++)
        good = t->dim[i] >= -1;
    return good;
}

nashc_status
nashc_node_infer(const nashc_node *n, nashc_type *types, nashc_diag *d)
{
    bool known = n->op->infer != NULL;

    for (uint32_t i = 0; i < n->n_out; i++)
        /* what infer leaves alone stays as it is */
        types[i] = n->out[i].type;
    for (uint32_t i = 0; i < n->n_in; i++)
        if (n->in[i].val && n->in[i].val->type.kind == NASHC_K_NONE)
            known = false;
    if (!known)
        return NASHC_OK;
    nashc_frame f;
    nashc_enter(&f, n->graph->module->ctx, NASHC_D_OP, n->op->name, n, d);
    nashc_status s = n->op->infer(n, types, d);
    for (uint32_t i = 0; s == NASHC_OK && i < n->n_out; i++)
        if (!sound_type(&types[i]))
            s = nashc_bug(d, &n->loc, "infer of %s gives result %u a type that cannot be",
                          n->op->name, i);
    return nashc_leave(&f, s);
}
