/* tensor.c: integer tensors of the new graph and what they stand for in the model.
 *
 *     v of the model  ==  scale * integer + bias      "v is anchored": all that follows goes by it
 */
#include "integer.h"

/* The interval of the type is a first bound; layers know better ones, by channel. */
si_tensor *
si_new_tensor(si_job *job, nashc_value *integer, nashc_value *origin, const si_array *scale,
              const si_array *bias)
{
    si_tensor *r = si_alloc(job, 1, sizeof(*r));
    if (!r)
        return NULL;
    r->integer = integer;
    r->origin = origin;
    r->scale = *scale;
    r->bias = *bias;
    if (integer) {
        const nashc_type *t = nashc_value_type(integer);
        r->lo = si_scalar(job, (double)t->lo);
        r->hi = si_scalar(job, (double)t->hi);
    }
    return !si_failed(job) ? r : NULL;
}

/* Which way scale * i goes: its direction. */
static double
sign_of(double x, double unused)
{
    (void)unused;
    return (x > 0) - (x < 0);
}

/* An affine function is monotone in each channel, up or down. */
bool
si_make_affine(si_job *job, const nashc_value *v, si_tensor *tensor, const si_array *scale,
               const si_array *bias, si_value *out)
{
    const nashc_type *t = nashc_value_type(v);
    out->kind = SI_FUN;
    out->tensor = tensor;
    out->affine = out->monotone = true;
    out->scale = *scale;
    out->bias = *bias;
    out->by_channel = si_channel_only(scale, t) && si_channel_only(bias, t);
    return si_zip(job, scale, scale, sign_of, &out->direction);
}

bool
si_set_affine(si_walk *walk, nashc_value *v, si_tensor *tensor, const si_array *scale,
              const si_array *bias)
{
    return si_make_affine(walk->job, v, tensor, scale, bias, si_of(walk, v));
}

/* Only noted: the model is edited when the walk is over, as later nodes still read v. */
bool
si_replace_float(si_walk *walk, nashc_value *v, nashc_value *real, nashc_value *same)
{
    si_float *f = si_alloc(walk->job, 1, sizeof(*f));
    if (real && nashc_value_type(v)->kind == NASHC_K_F64 &&
        nashc_value_type(real)->kind != NASHC_K_F64)
        real = si_emit(walk, "nn.cast", &real, 1, "to=f64"); /* readers ask for the model's type */
    if (!f || !real)
        return false;
    f->old = v;
    f->real = real;
    f->same = same;
    *walk->floats_end = f;
    walk->floats_end = &f->next;
    return true;
}

/* The value that integer stands for, as the model's type. Dead unless someone reads it. */
static nashc_value *
emit_real(si_walk *walk, const nashc_value *v, nashc_value *integer, const si_array *scale,
          const si_array *bias)
{
    bool is_float = nashc_type_is_float(nashc_value_type(v));
    if (si_all_eq(scale, 1.0) && si_zero(bias))
        return is_float ? si_emit(walk, "nn.cast", &integer, 1, "to=f32") : integer;
    nashc_value *in[2] = {integer, si_const_real(walk, scale)};
    in[0] = si_emit(walk, "nn.mul", in, 2, NULL);
    if (!in[0] || si_zero(bias))
        return in[0];
    in[1] = si_const_real(walk, bias);
    return si_emit(walk, "nn.add", in, 2, NULL);
}

bool
si_anchor(si_walk *walk, nashc_value *v, nashc_value *integer, const si_array *scale,
          const si_array *bias, const si_array *lo, const si_array *hi, si_products_layer *layer,
          nashc_value *real)
{
    si_tensor *tensor = integer ? si_new_tensor(walk->job, integer, v, scale, bias) : NULL;
    if (!tensor)
        return false;
    if (lo && hi) {
        tensor->lo = *lo;
        tensor->hi = *hi;
    }
    tensor->layer = layer;
    if (!si_set_affine(walk, v, tensor, scale, bias))
        return false;
    if (integer == v) /* the model has integers here: nothing to recompute */
        return true;
    bool same = si_all_eq(scale, 1.0) && si_zero(bias);
    real = real ? real : emit_real(walk, v, integer, scale, bias);
    return si_replace_float(walk, v, real, same ? integer : NULL);
}
