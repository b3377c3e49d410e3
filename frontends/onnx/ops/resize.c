/* resize.c: Resize and Upsample, with sizes computed from scales or the other way round. */
#include "frontends/onnx/ops/family.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* One scale for each axis, 1 where it is not resized; sizes are given or follow. */
typedef struct plan {
    int64_t sizes[NASHC_MAX_RANK];
    double scales[NASHC_MAX_RANK];
    double cubic_a;
    bool by_scales;
} plan;

static nashc_status
by_scales(onnx_in *r, const nashc_type *x, const double *scales, int n, const int64_t *axes,
          plan *p)
{
    int axis;
    nashc_status s;

    for (int i = 0; i < x->rank; i++) {
        p->sizes[i] = x->dim[i];
        p->scales[i] = 1;
    }
    for (int i = 0; i < n; i++) {
        if ((s = onnx_axis(r, axes ? axes[i] : i, x->rank, &axis)))
            return s;
        double size = floor((double)x->dim[axis] * scales[i]);
        if (!(scales[i] > 0) || !(size >= 1))
            return onnx_err(r, "scale %g of axis %d leaves nothing", scales[i], axis);
        if (size > (double)NASHC_MAX_ELEMENTS)
            return onnx_err(r, "scale %g of axis %d makes the output too large", scales[i], axis);
        p->sizes[axis] = (int64_t)size;
        p->scales[axis] = scales[i];
    }
    p->by_scales = true;
    return NASHC_OK;
}

static nashc_status
read_scales(onnx_in *r, int i, const nashc_type *x, const int64_t *axes, int n_axes, plan *p)
{
    const nashc_tensor *t = onnx_in_const(r, i);
    double v[NASHC_MAX_RANK];
    int want = axes ? n_axes : x->rank;

    if (!t)
        return r->failed ? onnx_build_status(r)
                         : onnx_unsup(r, "scales \"%s\" are not constant", onnx_in_name(r, i));
    if (nashc_tensor_count(t) != want)
        return onnx_err(r, "%" PRId64 " scales for %d dimensions", nashc_tensor_count(t), want);
    for (int k = 0; k < want; k++)
        v[k] = nashc_tensor_get(t, k);
    return by_scales(r, x, v, want, axes, p);
}

/* The policies that keep the aspect ratio: one scale for all axes in question, the least or the
 * greatest that the sizes ask for; the sizes follow, half an element rounded up. */
static nashc_status
keep_ratio(onnx_in *r, const nashc_type *x, const int64_t *axes, int n, plan *p)
{
    const char *policy = onnx_attr_str(r, "keep_aspect_ratio_policy", "stretch");
    bool larger = !strcmp(policy, "not_smaller");
    double scale = 0;
    int axis;
    nashc_status s;

    p->by_scales = false;
    if (!strcmp(policy, "stretch"))
        return NASHC_OK;
    if (!larger && strcmp(policy, "not_larger"))
        return onnx_err(r, "keep_aspect_ratio_policy '%s' is not known", nashc_quote(r->d, policy));
    for (int i = 0; i < x->rank; i++)
        p->scales[i] = 1;
    for (int i = 0; i < n; i++) {
        if ((s = onnx_axis(r, axes ? axes[i] : i, x->rank, &axis)))
            return s;
        double k = (double)p->sizes[axis] / (double)x->dim[axis];
        scale = i == 0 ? k : larger ? fmax(scale, k) : fmin(scale, k);
    }
    for (int i = 0; i < n; i++) {
        if ((s = onnx_axis(r, axes ? axes[i] : i, x->rank, &axis)))
            return s;
        p->scales[axis] = scale;
        p->sizes[axis] = (int64_t)floor(scale * (double)x->dim[axis] + 0.5);
        if (p->sizes[axis] < 1)
            return onnx_err(r, "axis %d keeps no element", axis);
    }
    p->by_scales = true;
    return NASHC_OK;
}

static nashc_status
read_sizes(onnx_in *r, int i, const nashc_type *x, const int64_t *axes, int n_axes, plan *p)
{
    const int64_t *v;
    int n, axis, want = axes ? n_axes : x->rank;
    nashc_status s = onnx_in_ints(r, i, "sizes", &v, &n);

    if (s)
        return s;
    if (n != want)
        return onnx_err(r, "%d sizes for %d dimensions", n, want);
    for (int k = 0; k < x->rank; k++)
        p->sizes[k] = x->dim[k];
    for (int k = 0; k < n; k++) {
        if ((s = onnx_axis(r, axes ? axes[k] : k, x->rank, &axis)))
            return s;
        if (v[k] < 1 || v[k] > NASHC_MAX_ELEMENTS)
            return onnx_err(r, "size %" PRId64 " of axis %d", v[k], axis);
        p->sizes[axis] = v[k];
    }
    return keep_ratio(r, x, axes, n, p);
}

static nashc_status
emit(onnx_in *r, nashc_value *x, const plan *p, const char *mode, const char *coord,
     const char *nearest)
{
    const nashc_type *t = nashc_value_type(x);
    const char *scales = "", *cubic = "";
    bool is_nearest = !strcmp(mode, "nearest");

    if (t->rank == 0)
        return onnx_err(r, "input \"%s\" is a scalar", onnx_in_name(r, 0));
    if (p->cubic_a != 0 && p->cubic_a != -0.75)
        cubic = nashc_arena_printf(r->arena, " cubic_a=%.9g", p->cubic_a);
    if (p->by_scales) {
        for (int i = 0; i < t->rank; i++)
            scales = nashc_arena_printf(r->arena, "%s%s%.17g", scales, i ? "," : "", p->scales[i]);
        scales = nashc_arena_printf(r->arena, " scales=[%s]", scales);
    }
    return onnx_set(r, 0,
                    onnx_op1(r, "nn.resize", x, "sizes=%s mode=%s coord=%s%s%s%s%s",
                             onnx_ints(r, p->sizes, t->rank), mode, coord,
                             is_nearest ? " nearest=" : "", is_nearest ? nearest : "", scales,
                             cubic),
                    onnx_in_elem(r, 0));
}

static bool
one_of(const char *s, const char *const *names)
{
    for (; *names; names++)
        if (!strcmp(s, *names))
            return true;
    return false;
}

nashc_status
onnx_read_resize(onnx_in *r)
{
    static const char *const modes[] = {"nearest", "linear", "cubic", NULL};
    static const char *const coords[] = {"half_pixel",
                                         "asymmetric",
                                         "align_corners",
                                         "pytorch_half_pixel",
                                         "half_pixel_symmetric",
                                         "tf_half_pixel_for_nn",
                                         NULL};
    static const char *const nearests[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
                                           "ceil", NULL};
    nashc_value *x = onnx_in_value(r, 0);
    const char *mode = onnx_attr_str(r, "mode", "nearest");
    const char *coord = onnx_attr_str(r, "coordinate_transformation_mode", "half_pixel");
    const char *nearest = onnx_attr_str(r, "nearest_mode", "round_prefer_floor");
    int n_axes;
    const int64_t *axes = onnx_attr_ints(r, "axes", &n_axes);
    plan p = {0};
    nashc_status s;

    if (!x)
        return onnx_build_status(r);
    if (!one_of(mode, modes) || !one_of(nearest, nearests))
        return onnx_err(r, "mode '%s' or '%s' is not known", nashc_quote(r->d, mode),
                        nashc_quote(r->d, nearest));
    if (!one_of(coord, coords))
        return onnx_unsup(r, "coordinate transformation '%s'", nashc_quote(r->d, coord));
    if (onnx_attr_int(r, "antialias", 0) || onnx_attr_int(r, "exclude_outside", 0))
        return onnx_unsup(r, "antialias and exclude_outside are not supported");
    if (!strcmp(mode, "cubic"))
        p.cubic_a = onnx_attr_float(r, "cubic_coeff_a", -0.75);
    bool scales = onnx_has(r, 2), sizes = onnx_has(r, 3);
    if (scales == sizes)
        return onnx_err(r, "%s",
                        scales ? "both scales and sizes are given"
                               : "neither scales nor sizes are given");
    s = scales ? read_scales(r, 2, nashc_value_type(x), axes, n_axes, &p)
               : read_sizes(r, 3, nashc_value_type(x), axes, n_axes, &p);
    return s ? s : emit(r, x, &p, mode, coord, nearest);
}

/* Opset 10: scales as operand 1; coordinates x / scale, rounded down. */
nashc_status
onnx_read_resize10(onnx_in *r)
{
    nashc_value *x = onnx_in_value(r, 0);
    const char *mode = onnx_attr_str(r, "mode", "nearest");
    plan p = {0};
    nashc_status s;

    if (!x)
        return onnx_build_status(r);
    if (strcmp(mode, "nearest") && strcmp(mode, "linear"))
        return onnx_err(r, "mode '%s' is not known", nashc_quote(r->d, mode));
    if ((s = read_scales(r, 1, nashc_value_type(x), NULL, 0, &p)))
        return s;
    return emit(r, x, &p, mode, "asymmetric", "floor");
}

nashc_status
onnx_read_upsample(onnx_in *r)
{
    const Onnx__AttributeProto *a = onnx_attr(r, "scales");
    const char *mode = onnx_attr_str(r, "mode", "nearest");
    nashc_value *x = onnx_in_value(r, 0);
    double v[NASHC_MAX_RANK];
    plan p = {0};
    nashc_status s;

    if (!x)
        return onnx_build_status(r);
    if (r->row->since >= 9)
        return onnx_read_resize10(r);
    const nashc_type *t = nashc_value_type(x);
    if (!a || a->n_floats != t->rank)
        return onnx_err(r, "%zu scales for %d dimensions", a ? a->n_floats : 0, t->rank);
    for (int i = 0; i < t->rank; i++)
        v[i] = (double)a->floats[i];
    if (strcmp(mode, "nearest") && strcmp(mode, "linear"))
        return onnx_err(r, "mode '%s' is not known", nashc_quote(r->d, mode));
    if ((s = by_scales(r, t, v, t->rank, NULL, &p)))
        return s;
    return emit(r, x, &p, mode, "asymmetric", "floor");
}
