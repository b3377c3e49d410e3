/* write_shape.c: shapes, ranges and reductions of the IR as ONNX nodes. */
#include "frontends/onnx/write/writer.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Operand i of the node being written; NULL: left out. */
static const nashc_value *
in(const onnx_out *o, int i)
{
    return nashc_node_in(o->node, i);
}

/* Node op of operand 0 and one more tensor. */
static nashc_status
with_list(onnx_out *o, const char *op, const char *list)
{
    int work = onnx_work_elem(o);
    const char *names[2] = {onnx_use(o, in(o, 0), work), list}, *out = onnx_begin(o, work);

    onnx_emit(o, "", op, names, 2, &out, 1);
    return onnx_finish(o, work, out);
}

static nashc_status
write_shaped(onnx_out *o)
{
    const char *op = nashc_node_opname(o->node);
    bool tile = !strcmp(op, "nn.tile");
    int n;

    if (!strcmp(op, "nn.reshape") && strcmp(onnx_get_str(o, "layout"), "DEFAULT") != 0)
        return onnx_write_vendor(o); /* Reshape has nothing that would tell */
    const int64_t *v = onnx_get_ints(o, tile ? "repeats" : "shape", &n);

    return with_list(o,
                     tile                      ? "Tile"
                     : strcmp(op, "nn.expand") ? "Reshape"
                                               : "Expand",
                     onnx_put_shape(o, v, n));
}

static nashc_status
write_transpose(onnx_out *o)
{
    int n, work = onnx_work_elem(o);
    const int64_t *perm = onnx_get_ints(o, "perm", &n);
    const char *x = onnx_use(o, in(o, 0), work), *out = onnx_begin(o, work);

    onnx_emit1(o, "Transpose", x, NULL, NULL, out);
    onnx_put_ints(o, "perm", perm, n);
    return onnx_finish(o, work, out);
}

/* Operands are brought to one container first: Concat converts nothing. */
static nashc_status
write_concat(onnx_out *o)
{
    int n = nashc_node_n_in(o->node), work = onnx_work_elem(o);
    const char **names = NASHC_NEW_N(o->arena, const char *, n + 1);

    if (!names)
        return nashc_enomem(o->d);
    for (int i = 0; i < n; i++)
        names[i] = onnx_use(o, in(o, i), work);
    const char *out = onnx_begin(o, work);
    onnx_emit(o, "", "Concat", names, n, &out, 1);
    onnx_put_int(o, "axis", onnx_get_int(o, "axis"));
    return onnx_finish(o, work, out);
}

/* Parts have the container of the operand: a split computes nothing, so nothing is to be
 * converted. */
static nashc_status
write_split(onnx_out *o)
{
    int n, elem = onnx_container(nashc_value_type(in(o, 0)));
    const int64_t *parts = onnx_get_ints(o, "parts", &n);
    int n_out = nashc_node_n_out(o->node);
    const char *names[2] = {onnx_use(o, in(o, 0), elem), onnx_put_shape(o, parts, n)};
    const char **out = NASHC_NEW_N(o->arena, const char *, n_out + 1);

    if (!out)
        return nashc_enomem(o->d);
    for (int i = 0; i < n_out; i++)
        out[i] = onnx_define(o, nashc_node_out(o->node, i), elem);
    onnx_emit(o, "", "Split", names, 2, out, n_out);
    onnx_put_int(o, "axis", onnx_get_int(o, "axis"));
    return NASHC_OK;
}

/* In the IR a negative end lies before the first element; in ONNX it counts from behind, unless it
 * is far below. */
static nashc_status
write_slice(onnx_out *o)
{
    static const char *const lists[] = {"starts", "ends", "axes", "steps"};
    int n = 0, work = onnx_work_elem(o);
    const char *names[5] = {onnx_use(o, in(o, 0), work)};
    int64_t v[NASHC_MAX_RANK];

    for (int k = 0; k < 4; k++) {
        const int64_t *list = onnx_get_ints(o, lists[k], &n);
        for (int i = 0; i < n; i++)
            v[i] = k == 1 && list[i] < 0 ? INT32_MIN : list[i]; /* before the first one */
        names[k + 1] = onnx_put_shape(o, v, n);
    }
    const char *out = onnx_begin(o, work);
    onnx_emit(o, "", "Slice", names, 5, &out, 1);
    return onnx_finish(o, work, out);
}

/* Indices are int64 whatever container the IR's integers have. */
static nashc_status
write_gather(onnx_out *o)
{
    int work = onnx_work_elem(o);
    const char *names[2] = {onnx_use(o, in(o, 0), work), onnx_use(o, in(o, 1), NASHC_ONNX_INT64)};
    const char *out = onnx_begin(o, work);

    onnx_emit(o, "", "Gather", names, 2, &out, 1);
    onnx_put_int(o, "axis", onnx_get_int(o, "axis"));
    return onnx_finish(o, work, out);
}

/* One value for each channel, of integers: padding x - v with 0, and v added again. */
static nashc_status
pad_channels(onnx_out *o, int work, const int64_t *pads, int n)
{
    const nashc_value *x = in(o, 0), *v = in(o, 1), *y = nashc_node_out(o->node, 0);
    const nashc_tensor *t = nashc_value_const(v);
    const nashc_type *xt = nashc_value_type(x);
    int64_t channels = nashc_type_channels(xt), dim[NASHC_MAX_RANK];
    int axis = nashc_type_channel_axis(xt);

    /* exact only for integers: floats might round in x - v + v */
    if (!t || !nashc_type_is_int(xt) || !nashc_type_is_int(nashc_tensor_type(t)) ||
        !nashc_type_is_int(nashc_value_type(y)) || nashc_tensor_count(t) != channels ||
        work == NASHC_ONNX_FLOAT16 || pads[axis] || pads[axis + xt->rank] ||
        strcmp(onnx_get_str(o, "mode"), "constant"))
        return onnx_write_vendor(o);
    for (int i = 0; i < xt->rank; i++)
        dim[i] = i == axis ? channels : 1;
    nashc_tensor *shaped = nashc_tensor_reshaped((nashc_tensor *)t, xt->rank, dim);
    if (!shaped)
        return nashc_enomem(o->d);
    const char *value = onnx_put_tensor(o, nashc_value_name(v), shaped, work);
    nashc_tensor_unref(shaped);
    const char *moved = onnx_between_like(o, x, NULL, work);
    onnx_emit1(o, "Sub", onnx_use(o, x, work), value, NULL, moved);
    const char *names[2] = {moved, onnx_put_shape(o, pads, n)};
    names[0] = onnx_emit(o, "", "Pad", names, 2, NULL, 1);
    const char *out = onnx_begin(o, work);
    onnx_emit1(o, "Add", names[0], value, NULL, out);
    return onnx_finish(o, work, out);
}

static nashc_status
write_pad(onnx_out *o)
{
    int n, work = onnx_work_elem(o);
    const int64_t *pads = onnx_get_ints(o, "pads", &n);

    if (in(o, 1) && nashc_type_count(nashc_value_type(in(o, 1))) != 1)
        return pad_channels(o, work, pads, n);
    const char *names[3] = {onnx_use(o, in(o, 0), work), onnx_put_shape(o, pads, n), NULL};
    if (in(o, 1)) {
        const nashc_value *v = in(o, 1);
        /* also one that is computed */
        names[2] = nashc_value_type(v)->rank == 0 ? onnx_use(o, v, work) : NULL;
        if (!names[2] && !nashc_value_const(v))
            return onnx_write_vendor(o);
        if (!names[2]) { /* the standard wants a scalar */
            nashc_tensor *t = nashc_tensor_reshaped((nashc_tensor *)nashc_value_const(v), 0, NULL);
            if (!t)
                return nashc_enomem(o->d);
            names[2] = onnx_put_tensor(o, nashc_value_name(v), t, work);
            nashc_tensor_unref(t);
        }
    }
    const char *out = onnx_begin(o, work);
    onnx_emit(o, "", "Pad", names, names[2] ? 3 : 2, &out, 1);
    onnx_put_str(o, "mode", onnx_get_str(o, "mode"));
    /* the file is written anew with the newer opset, see write_onnx */
    if (!strcmp(onnx_get_str(o, "mode"), "wrap") && o->opset < 19)
        o->opset = 19;
    return onnx_finish(o, work, out);
}

static nashc_status
write_resize(onnx_out *o)
{
    int n, n_scales, work = onnx_work_elem(o);
    const int64_t *sizes = onnx_get_ints(o, "sizes", &n);
    const double *scales = nashc_node_floats(o->node, "scales", &n_scales);
    nashc_type shape = nashc_type_f32();

    for (int k = 0; k < n_scales; k++) /* the standard takes scales or sizes, and rounds down */
        if (floor((double)nashc_value_type(in(o, 0))->dim[k] * scales[k]) != (double)sizes[k])
            return onnx_write_vendor(o);
    const char *names[4] = {onnx_use(o, in(o, 0), work), NULL, NULL, NULL};

    /* the standard refuses both at once */
    if (n_scales) {
        shape.rank = 1;
        shape.dim[0] = n_scales;
        names[2] = onnx_put_array(o, scales, &shape, NASHC_ONNX_FLOAT);
    } else {
        names[3] = onnx_put_shape(o, sizes, n);
    }
    const char *out = onnx_begin(o, work);
    onnx_emit(o, "", "Resize", names, n_scales ? 3 : 4, &out, 1);
    onnx_put_str(o, "mode", onnx_get_str(o, "mode"));
    onnx_put_str(o, "coordinate_transformation_mode", onnx_get_str(o, "coord"));
    onnx_put_str(o, "nearest_mode", onnx_get_str(o, "nearest"));
    if (!strcmp(onnx_get_str(o, "mode"), "cubic"))
        onnx_put_float(o, "cubic_coeff_a", onnx_get_float(o, "cubic_a"));
    if (!strcmp(onnx_get_str(o, "coord"), "half_pixel_symmetric") && o->opset < 19)
        o->opset = 19;
    return onnx_finish(o, work, out);
}

/* ONNX knows channels-first only. */
static nashc_status
write_depth_space(onnx_out *o)
{
    bool to_space = !strcmp(nashc_node_opname(o->node), "nn.depth_to_space");
    int work = onnx_work_elem(o);

    if (nashc_value_type(in(o, 0))->layout != NASHC_LAYOUT_DEFAULT)
        return onnx_write_vendor(o);
    const char *x = onnx_use(o, in(o, 0), work), *out = onnx_begin(o, work);
    onnx_emit1(o, to_space ? "DepthToSpace" : "SpaceToDepth", x, NULL, NULL, out);
    onnx_put_int(o, "blocksize", onnx_get_int(o, "block"));
    if (to_space)
        onnx_put_str(o, "mode", onnx_get_str(o, "mode"));
    return onnx_finish(o, work, out);
}

static nashc_status
write_reduce(onnx_out *o)
{
    const char *op = nashc_node_opname(o->node), *name = "ReduceMin";
    int n, work = onnx_work_elem(o);
    const int64_t *axes = onnx_get_ints(o, "axes", &n);
    bool sum = !strcmp(op, "nn.reduce_sum");

    if (sum)
        name = "ReduceSum";
    else if (!strcmp(op, "nn.reduce_mean"))
        name = "ReduceMean";
    else if (!strcmp(op, "nn.reduce_max"))
        name = "ReduceMax";
    /* The axes became an operand with opset 13 for the sum, with 18 for the others. */
    bool operand = sum || o->opset >= 18;
    const char *names[2] = {onnx_use(o, in(o, 0), work), operand ? onnx_put_shape(o, axes, n) : ""};
    const char *out = onnx_begin(o, work);
    onnx_emit(o, "", name, names, operand ? 2 : 1, &out, 1);
    if (!operand)
        onnx_put_ints(o, "axes", axes, n);
    onnx_put_int(o, "keepdims", onnx_get_bool(o, "keepdims"));
    return onnx_finish(o, work, out);
}

/* No common container here: x keeps its own, and the result is int64 whatever that is. */
static nashc_status
write_argmax(onnx_out *o)
{
    const nashc_value *y = nashc_node_out(o->node, 0);
    const char *x = onnx_use(o, in(o, 0), onnx_container(nashc_value_type(in(o, 0))));

    onnx_emit1(o, "ArgMax", x, NULL, NULL, onnx_define(o, y, NASHC_ONNX_INT64));
    onnx_put_int(o, "axis", onnx_get_int(o, "axis"));
    onnx_put_int(o, "keepdims", onnx_get_bool(o, "keepdims"));
    onnx_put_int(o, "select_last_index", onnx_get_bool(o, "select_last"));
    return NASHC_OK;
}

/* Values keep the container of the operand; indices are int64. */
static nashc_status
write_topk(onnx_out *o)
{
    int elem = onnx_container(nashc_value_type(in(o, 0)));
    int64_t k = onnx_get_int(o, "k");
    const char *names[2] = {onnx_use(o, in(o, 0), elem), onnx_put_shape(o, &k, 1)};
    const char *out[2] = {onnx_define(o, nashc_node_out(o->node, 0), elem),
                          onnx_define(o, nashc_node_out(o->node, 1), NASHC_ONNX_INT64)};

    onnx_emit(o, "", "TopK", names, 2, out, 2);
    onnx_put_int(o, "axis", onnx_get_int(o, "axis"));
    onnx_put_int(o, "largest", onnx_get_bool(o, "largest"));
    onnx_put_int(o, "sorted", onnx_get_bool(o, "sorted"));
    return NASHC_OK;
}

const onnx_writer onnx_shape_writers[] = {
    {"nn.reshape", write_shaped},
    {"nn.expand", write_shaped},
    {"nn.tile", write_shaped},
    {"nn.transpose", write_transpose},
    {"nn.concat", write_concat},
    {"nn.split", write_split},
    {"nn.slice", write_slice},
    {"nn.gather", write_gather},
    {"nn.pad", write_pad},
    {"nn.resize", write_resize},
    {"nn.depth_to_space", write_depth_space},
    {"nn.space_to_depth", write_depth_space},
    {"nn.reduce_mean", write_reduce},
    {"nn.reduce_sum", write_reduce},
    {"nn.reduce_max", write_reduce},
    {"nn.reduce_min", write_reduce},
    {"nn.argmax", write_argmax},
    {"nn.topk", write_topk},
    {0},
};
