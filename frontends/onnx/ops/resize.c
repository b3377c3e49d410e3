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

/* Sizes round down, as the standard says; scales are kept beside them, since coordinates are
 * computed by scales and not by the sizes that came out. */
static nashc_status
by_scales(nashc_onnx_in *r, const nashc_type *x, const double *scales, int n, const int64_t *axes,
          plan *p)
{
    int axis;
    nashc_status s;

    for (int i = 0; i < x->rank; i++) {
        p->sizes[i] = x->dim[i];
        p->scales[i] = 1;
    }
    for (int i = 0; i < n; i++) {
        if ((s = nashc_onnx_axis(r, axes ? axes[i] : i, x->rank, &axis)))
            return s;
        double size = floor((double)x->dim[axis] * scales[i]);
        /* written so that NaN fails, too */
        if (!(scales[i] > 0) || !(size >= 1))
            return nashc_onnx_error(r, "scale %g of axis %d leaves nothing", scales[i], axis);
        /* before the cast, which is undefined beyond int64 */
        if (size > (double)NASHC_MAX_ELEMENTS)
            return nashc_onnx_error(r, "scale %g of axis %d makes the output too large", scales[i],
                                    axis);
        p->sizes[axis] = (int64_t)size;
        p->scales[axis] = scales[i];
    }
    p->by_scales = true;
    return NASHC_OK;
}

/* A known vector of one scale for each axis, or for each of axes. */
static nashc_status
read_scales(nashc_onnx_in *r, int i, const nashc_type *x, const int64_t *axes, int n_axes, plan *p)
{
    const nashc_tensor *t = nashc_onnx_in_param(r, i);
    double v[NASHC_MAX_RANK];
    int want = axes ? n_axes : x->rank;

    if (!t)
        return nashc_onnx_failed(r) ? nashc_onnx_status(r)
                                    : nashc_onnx_unsup(r, "scales \"%s\" are not constant",
                                                       nashc_onnx_in_name(r, i));
    if (nashc_tensor_count(t) != want)
        return nashc_onnx_error(r, "%" PRId64 " scales for %d dimensions", nashc_tensor_count(t),
                                want);
    for (int k = 0; k < want; k++)
        v[k] = nashc_tensor_get(t, k);
    return by_scales(r, x, v, want, axes, p);
}

/* The policies that keep the aspect ratio: one scale for all axes in question, the least or the
 * greatest that the sizes ask for; the sizes follow, half an element rounded up. */
static nashc_status
keep_ratio(nashc_onnx_in *r, const nashc_type *x, const int64_t *axes, int n, plan *p)
{
    const char *policy = nashc_onnx_attr_str(r, "keep_aspect_ratio_policy", "stretch");
    bool larger = !strcmp(policy, "not_smaller");
    double scale = 0;
    int axis;
    nashc_status s;

    p->by_scales = false;
    if (!strcmp(policy, "stretch"))
        return NASHC_OK;
    if (!larger && strcmp(policy, "not_larger"))
        return nashc_onnx_error(r, "keep_aspect_ratio_policy '%s' is not known",
                                nashc_quote(nashc_onnx_diag(r), policy));
    for (int i = 0; i < x->rank; i++)
        p->scales[i] = 1;
    for (int i = 0; i < n; i++) {
        if ((s = nashc_onnx_axis(r, axes ? axes[i] : i, x->rank, &axis)))
            return s;
        double k = (double)p->sizes[axis] / (double)x->dim[axis];
        /* one scale for all: the tightest axis decides, or the loosest */
        scale = i == 0 ? k : larger ? fmax(scale, k) : fmin(scale, k);
    }
    for (int i = 0; i < n; i++) {
        if ((s = nashc_onnx_axis(r, axes ? axes[i] : i, x->rank, &axis)))
            return s;
        p->scales[axis] = scale;
        p->sizes[axis] = (int64_t)floor(scale * (double)x->dim[axis] + 0.5);
        if (p->sizes[axis] < 1)
            return nashc_onnx_error(r, "axis %d keeps no element", axis);
    }
    p->by_scales = true;
    return NASHC_OK;
}

/* Without a policy the scales are what the sizes say, and need not be kept. */
static nashc_status
read_sizes(nashc_onnx_in *r, int i, const nashc_type *x, const int64_t *axes, int n_axes, plan *p)
{
    const int64_t *v;
    int n, axis, want = axes ? n_axes : x->rank;
    nashc_status s = nashc_onnx_in_ints(r, i, "sizes", &v, &n);

    if (s)
        return s;
    if (n != want)
        return nashc_onnx_error(r, "%d sizes for %d dimensions", n, want);
    for (int k = 0; k < x->rank; k++)
        p->sizes[k] = x->dim[k];
    for (int k = 0; k < n; k++) {
        if ((s = nashc_onnx_axis(r, axes ? axes[k] : k, x->rank, &axis)))
            return s;
        if (v[k] < 1 || v[k] > NASHC_MAX_ELEMENTS)
            return nashc_onnx_error(r, "size %" PRId64 " of axis %d", v[k], axis);
        p->sizes[axis] = v[k];
    }
    return keep_ratio(r, x, axes, n, p);
}

/* %.17g reads back as the same double; -0.75 is the default of nn.resize, too. */
static nashc_status
emit(nashc_onnx_in *r, nashc_value *x, const plan *p, const char *mode, const char *coord,
     const char *nearest)
{
    const nashc_type *t = nashc_value_type(x);
    const char *scales = "", *cubic = "";
    bool is_nearest = !strcmp(mode, "nearest");

    if (t->rank == 0)
        return nashc_onnx_error(r, "input \"%s\" is a scalar", nashc_onnx_in_name(r, 0));
    if (p->cubic_a != 0 && p->cubic_a != -0.75)
        cubic = nashc_arena_printf(nashc_onnx_arena(r), " cubic_a=%.9g", p->cubic_a);
    if (p->by_scales) {
        for (int i = 0; i < t->rank; i++)
            scales = nashc_arena_printf(nashc_onnx_arena(r), "%s%s%.17g", scales, i ? "," : "",
                                        p->scales[i]);
        scales = nashc_arena_printf(nashc_onnx_arena(r), " scales=[%s]", scales);
    }
    return nashc_onnx_set(r, 0,
                          nashc_onnx_op1(r, "nn.resize", x, "sizes=%s mode=%s coord=%s%s%s%s%s",
                                         nashc_onnx_ints(r, p->sizes, t->rank), mode, coord,
                                         is_nearest ? " nearest=" : "", is_nearest ? nearest : "",
                                         scales, cubic),
                          nashc_onnx_in_elem(r, 0));
}

/* names ends with NULL. */
static bool
one_of(const char *s, const char *const *names)
{
    for (; *names; names++)
        if (!strcmp(s, *names))
            return true;
    return false;
}

/* Either scales or sizes; roi is read by modes that are refused. */
static nashc_status
read_resize(nashc_onnx_in *r)
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
    nashc_value *x = nashc_onnx_in_value(r, 0);
    const char *mode = nashc_onnx_attr_str(r, "mode", "nearest");
    const char *coord = nashc_onnx_attr_str(r, "coordinate_transformation_mode", "half_pixel");
    const char *nearest = nashc_onnx_attr_str(r, "nearest_mode", "round_prefer_floor");
    int n_axes;
    const int64_t *axes = nashc_onnx_attr_ints(r, "axes", &n_axes);
    plan p = {0};
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    if (!one_of(mode, modes) || !one_of(nearest, nearests))
        return nashc_onnx_error(r, "mode '%s' or '%s' is not known",
                                nashc_quote(nashc_onnx_diag(r), mode),
                                nashc_quote(nashc_onnx_diag(r), nearest));
    if (!one_of(coord, coords))
        return nashc_onnx_unsup(r, "coordinate transformation '%s'",
                                nashc_quote(nashc_onnx_diag(r), coord));
    if (nashc_onnx_attr_int(r, "antialias", 0) || nashc_onnx_attr_int(r, "exclude_outside", 0))
        return nashc_onnx_unsup(r, "antialias and exclude_outside are not supported");
    if (!strcmp(mode, "cubic"))
        p.cubic_a = nashc_onnx_attr_float(r, "cubic_coeff_a", -0.75);
    /* the one that does not count may be there, as an empty tensor */
    bool scales = nashc_onnx_has(r, 2), sizes = nashc_onnx_has(r, 3);
    if (scales == sizes)
        return nashc_onnx_error(r, "%s",
                                scales ? "both scales and sizes are given"
                                       : "neither scales nor sizes are given");
    s = scales ? read_scales(r, 2, nashc_value_type(x), axes, n_axes, &p)
               : read_sizes(r, 3, nashc_value_type(x), axes, n_axes, &p);
    return s ? s : emit(r, x, &p, mode, coord, nearest);
}

/* Opset 10: scales as operand 1; coordinates x / scale, rounded down. */
static nashc_status
read_resize10(nashc_onnx_in *r)
{
    nashc_value *x = nashc_onnx_in_value(r, 0);
    const char *mode = nashc_onnx_attr_str(r, "mode", "nearest");
    plan p = {0};
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    if (strcmp(mode, "nearest") && strcmp(mode, "linear"))
        return nashc_onnx_error(r, "mode '%s' is not known", nashc_quote(nashc_onnx_diag(r), mode));
    if ((s = read_scales(r, 1, nashc_value_type(x), NULL, 0, &p)))
        return s;
    return emit(r, x, &p, mode, "asymmetric", "floor");
}

/* Scales as attribute in opset 7; opset 9 is Resize of opset 10. */
static nashc_status
read_upsample(nashc_onnx_in *r)
{
    int n;
    const float *scales = nashc_onnx_attr_floats(r, "scales", &n);
    const char *mode = nashc_onnx_attr_str(r, "mode", "nearest");
    nashc_value *x = nashc_onnx_in_value(r, 0);
    double v[NASHC_MAX_RANK];
    plan p = {0};
    nashc_status s;

    if (!x)
        return nashc_onnx_status(r);
    if (nashc_onnx_version(r) >= 9)
        return read_resize10(r);
    const nashc_type *t = nashc_value_type(x);
    if (!scales || n != t->rank)
        return nashc_onnx_error(r, "%d scales for %d dimensions", n, t->rank);
    for (int i = 0; i < t->rank; i++)
        v[i] = (double)scales[i];
    if (strcmp(mode, "nearest") && strcmp(mode, "linear"))
        return nashc_onnx_error(r, "mode '%s' is not known", nashc_quote(nashc_onnx_diag(r), mode));
    if ((s = by_scales(r, t, v, t->rank, NULL, &p)))
        return s;
    return emit(r, x, &p, mode, "asymmetric", "floor");
}

static const nashc_onnx_row rows[] = {
    {AI_ONNX, "Resize", 10, NULL, "mode-:s", 2, 2, 1, 0, read_resize10},
    {AI_ONNX, "Resize", 11, NULL,
     "antialias-:i axes-:I coordinate_transformation_mode-:s cubic_coeff_a-:f exclude_outside-:i "
     "extrapolation_value-:f keep_aspect_ratio_policy-:s mode-:s nearest_mode-:s",
     1, 4, 1, 0, read_resize},
    {AI_ONNX, "Upsample", 7, NULL, "mode-:s scales-:F", 1, 1, 1, 0, read_upsample},
    {AI_ONNX, "Upsample", 9, NULL, "mode-:s", 2, 2, 1, 0, read_upsample},
    {0},
};

extern const nashc_impl nashc_impl_onnx_resize;

const nashc_impl nashc_impl_onnx_resize = NASHC_IMPL_ONNX("resize", rows);
