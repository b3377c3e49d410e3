/* chain_line.c: chains that are a line, clamped here and there: their codes step where the line
 * crosses, and how far the model's arithmetic can be from that is known.
 *
 *     operand of the quantiser  =  clamp(scale * integer + bias)  +- error
 *
 * So nearly all thresholds follow from the line alone; only integers within the error of a crossing
 * need be evaluated (threshold_line.c).
 */
#include "chain.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Roundings of an operation, with room: products and sums round once, values of the origin are
 * taken within three units of the last place (real_of). */
#define ROUNDINGS 16

/* A line, or a clamped one, of its only operand that is not constant? */
static bool
is_straight(const si_chain *chain, const nashc_node *n)
{
    static const char *const straight[] = {
        "nn.add",  "nn.sub", "nn.mul", "nn.batchnorm", "nn.neg",      "q.dequant", "nn.relu",
        "nn.clip", "nn.min", "nn.max", "nn.div",       "nn.identity", NULL};
    int computed = 0;
    for (int i = 0; i < nashc_node_n_in(n); i++)
        computed += nashc_node_in(n, i) && !si_is_const(chain->walk, nashc_node_in(n, i));
    return computed == 1 && nashc_node_is_any(n, straight) &&
           (!nashc_node_is(n, "nn.div") || !si_is_const(chain->walk, nashc_node_in(n, 0)));
}

/* Does q give code from a crossing on that guess_quant knows? */
static bool
has_even_steps(const si_chain *chain, const nashc_node *q)
{
    static const char *const modes[] = {"round", "half_up", "half_down", "floor", "ceil", NULL};
    const nashc_tensor *zero =
        nashc_node_is(q, "q.quant") ? nashc_value_const(nashc_node_in(q, 2)) : NULL;
    bool known = zero && nashc_value_const(nashc_node_in(q, 1)), mode = false;
    for (int i = 0; known && modes[i]; i++)
        mode = mode || strcmp(nashc_node_str(q, "rounding"), modes[i]) == 0;
    for (int64_t i = 0; known && i < nashc_tensor_count(zero); i++)
        known = nashc_tensor_get(zero, i) == nearbyint(nashc_tensor_get(zero, i));
    return known && mode && !chain->unit;
}

bool
si_chain_is_line(const si_chain *chain)
{
    if (!has_even_steps(chain, chain->quantiser) || !chain->tensor->integer ||
        chain->tensor->pending || chain->tensor->n_term > 0)
        return false;
    for (int k = 0; k < chain->n_node; k++) {
        const nashc_node *n = chain->node[k];
        if (n != chain->quantiser && !si_chain_is_via(chain, n) && !is_straight(chain, n))
            return false;
    }
    return true;
}

/* The largest value that node n has in a variant, in units of the integer; infinite: no idea. */
static double
reach_of(const si_chain *chain, const nashc_node *n, int64_t variant, double reach)
{
    const si_value *v = si_of(chain->walk, nashc_node_out(n, 0));
    const si_segment *segment = si_chain_segment(chain, n);
    const nashc_type *t = nashc_value_type(nashc_node_out(n, 0));
    if (!segment || v->kind != SI_FUN)
        return INFINITY;
    int64_t e = segment->element[chain->row_of[variant]];
    double scale = fabs(si_at(&v->scale, t, e)), bias = fabs(si_at(&v->bias, t, e));
    return reach + bias / scale;
}

bool
si_chain_line_error(const void *self, int64_t variant, double *error)
{
    const si_chain *chain = self;
    double scale = fabs(chain->guess_scale[variant]), zero, sum;
    double reach = fmax(fabs(chain->lo[variant]), fabs(chain->hi[variant]));
    if (!chain->guess(chain, variant, 0, &zero))
        return false;
    sum = 2 * reach + fabs(chain->bias[variant] / chain->scale[variant]) +
          (fabs(zero) + fabs(chain->guess_bias[variant])) / scale;
    for (int k = 0; k < chain->n_node; k++)
        if (chain->node[k] != chain->quantiser && !si_chain_is_via(chain, chain->node[k]))
            sum += reach_of(chain, chain->node[k], variant, reach);
    *error = ROUNDINGS * DBL_EPSILON * sum;
    return isfinite(sum);
}
