/* pad.c: constant padding with the integer that stands for the value.
 *
 *     pad(scale i + bias, value)     ==>     scale pad(i, (value - bias) / scale) + bias
 */
#include "integer.h"

/* Off the grid there is no such integer. */
const char *
si_padding_fault(si_job *job, const si_value *x, const nashc_type *t, const si_array *real,
                 si_array *out)
{
    if (!si_zip(job, real, &x->bias, si_apart, out) || !si_zip(job, out, &x->scale, si_div, out) ||
        !si_round_to_integers(out))
        return "the padding value is not on the grid of the integers";
    si_squeeze(out);
    if (!si_channel_only(out, t))
        return "the padding value varies along more than the channels";
    if (out->n > 1) { /* nn.pad takes one value a channel as a vector */
        out->dim[0] = out->n;
        out->rank = 1;
    }
    return NULL;
}

/* The value that nn.pad pads with: 0, one, or one a channel. */
static bool
padding_value(si_walk *walk, const nashc_node *n, const nashc_type *t, si_array *out)
{
    if (!si_known_array(walk, nashc_node_in(n, 1), 0.0, out))
        return false;
    double *v = out->v;
    return out->n == 1 || out->rank != 1 || si_per_channel(walk->job, t, v, out);
}

/* Scale and offset of the border are those of the inside, so they must not vary along it. */
bool
si_pad(si_walk *walk, nashc_node *n)
{
    nashc_value *xv = nashc_node_in(n, 0);
    const nashc_type *t = nashc_value_type(xv);
    si_value *x = si_affine(walk, xv);
    si_array real, padding;
    int count;
    const int64_t *pads = nashc_node_ints(n, "pads", &count);

    if (!x || !padding_value(walk, n, t, &real))
        return false;
    for (int i = 0; i < t->rank; i++)
        if ((pads[i] || pads[i + t->rank]) &&
            (si_varies(&x->scale, t, i) || si_varies(&x->bias, t, i)))
            return si_no(walk->job, "scale or offset vary along a padded axis");
    const char *fault = si_padding_fault(walk->job, x, t, &real, &padding);
    if (fault)
        return si_no(walk->job, fault);
    nashc_value *in[2] = {x->tensor->integer,
                          si_zero(&padding) ? NULL : si_const_int(walk, &padding)};
    nashc_value *integer =
        si_emit(walk, "nn.pad", in, in[1] ? 2 : 1, nashc_node_attr_text(n, walk->job->arena));
    return integer && si_anchor(walk, nashc_node_out(n, 0), integer, &x->scale, &x->bias, NULL,
                                NULL, NULL, NULL);
}
