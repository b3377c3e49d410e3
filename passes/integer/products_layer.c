/* products_layer.c: what convolutions and matrix products on integers have in common.
 *
 *     sum of (s_w w) (s_x i + b_x)  =  scale * (sum of m w i) + bias
 *
 * where scale and the multipliers m come from s_w and s_x (products.c), and bias from b_x.
 */
#include "products_layer.h"

#include <math.h>
#include <stdlib.h>

#define MAX_SUM 0x1p60
#define NO_ROOM 60 /* for anything more */

/* By channel, if it varies along nothing else. */
static bool
by_axis(si_job *job, const si_array *a, const nashc_type *t, int axis, si_array *out)
{
    if (a->n == 1) {
        *out = *a;
        return true;
    }
    return si_along(job, a, t, axis, out);
}

bool
si_layer_operand(si_job *job, nashc_node *n, const si_value *x, int x_axis, const char *op,
                 const char *attrs, si_layer_build *build)
{
    const nashc_type *t = nashc_value_type(x->tensor->integer);
    *build = (si_layer_build){.n = n, .x = x, .x_axis = x_axis};
    build->layer =
        (si_products_layer){.op = op, .attrs = attrs, .node = n, .x = x->tensor->integer};
    build->bias = si_scalar(job, 0.0);
    if (!by_axis(job, &x->scale, t, x_axis, &build->x_scale))
        return false;
    build->has_bias = by_axis(job, &x->bias, t, x_axis, &build->x_bias);
    return true;
}

bool
si_layer_begin(si_walk *walk, si_layer_build *build)
{
    int64_t outputs = build->p.outputs;
    build->layer.period = outputs;
    build->least = malloc((size_t)outputs * 2 * sizeof(*build->least) + 1);
    if (!build->least)
        return si_no_memory(walk->job);
    build->most = build->least + outputs;
    if (!si_code_weights(walk->job, build->n, &build->p, build->codes, &build->w_scale,
                         &build->x_scale, &build->coded))
        return false;
    build->layer.w_tensor = build->coded.tensor;
    build->layer.w = nashc_build_const(walk->build, NULL, si_ref(build->coded.tensor));
    return build->layer.w != NULL;
}

void
si_layer_end(si_layer_build *build)
{
    si_drop_coded(&build->coded);
    free(build->least);
}

/* A number for each output, against the result. */
static bool
by_output(si_job *job, const si_layer_build *build, const double *v, si_array *out)
{
    int rank = nashc_value_type(nashc_node_out(build->n, 0))->rank;
    return si_per_axis(job, v, build->p.outputs, build->layer.axis, rank, out);
}

bool
si_layer_offsets(si_job *job, si_layer_build *build)
{
    si_offsets(&build->p, &build->coded, build->codes, &build->w_scale, &build->x_scale,
               &build->x_bias, build->least);
    return by_output(job, build, build->least, &build->bias);
}

bool
si_layer_intervals(si_job *job, si_layer_build *build, bool zero)
{
    const si_tensor *tensor = build->x->tensor;
    const nashc_type *t = nashc_value_type(build->layer.x);
    bool padded = build->layer.x != tensor->integer; /* the padding integer may lie outside */
    si_array lo, hi;
    if (padded || !by_axis(job, &tensor->lo, t, build->x_axis, &lo) ||
        !by_axis(job, &tensor->hi, t, build->x_axis, &hi)) {
        lo = si_scalar(job, (double)t->lo);
        hi = si_scalar(job, (double)t->hi);
    }
    if (si_failed(job))
        return false;
    si_intervals(&build->p, &build->coded, &lo, &hi, zero, build->least, build->most);
    for (int64_t o = 0; o < build->p.outputs; o++)
        if (fabs(build->least[o]) > MAX_SUM || fabs(build->most[o]) > MAX_SUM)
            return si_no(job, "its sums would need more than 61 bits");
    return true;
}

bool
si_layer_emit(si_walk *walk, const si_layer_build *build, bool turns)
{
    si_job *job = walk->job;
    si_products_layer *layer = si_alloc(job, 1, sizeof(*layer));
    si_array lo, hi, scale;
    if (!layer || !by_output(job, build, build->least, &lo) ||
        !by_output(job, build, build->most, &hi) ||
        !by_output(job, build, build->coded.scale, &scale))
        return false;
    *layer = build->layer;
    nashc_value *in[2] = {layer->w_first ? layer->w : layer->x,
                          layer->w_first ? layer->x : layer->w};
    nashc_value *r = si_emit(walk, layer->op, in, 2, layer->attrs);
    if (r && build->p.transposed) { /* the op knows which taps meet */
        si_array least = si_scalar(job, (double)nashc_value_type(r)->lo);
        si_array most = si_scalar(job, (double)nashc_value_type(r)->hi);
        if (!si_zip(job, &lo, &least, si_max, &lo) || !si_zip(job, &hi, &most, si_min, &hi))
            return false;
    }
    return r && si_anchor(walk, nashc_node_out(build->n, 0), r, &scale, &build->bias, &lo, &hi,
                          turns ? layer : NULL, NULL);
}

int
si_layer_growth(si_walk *walk, nashc_value *w, int axis, bool axis_0, bool axis_1)
{
    nashc_tensor *codes;
    si_array scale;
    if (!w || !si_is_const(walk, w) || !si_weight_codes(walk, w, axis, &codes, &scale))
        return NO_ROOM;
    const nashc_type *t = nashc_tensor_type(codes);
    bool first = axis_0 && (!axis_1 || t->dim[0] < t->dim[1]);
    double outputs = (double)t->dim[first ? 0 : 1];
    return t->bits + ilogb((double)nashc_type_count(t) / outputs) + 1;
}
