/* npz.c: x_train, y_train, x_test, y_test of a .npz file; x as bytes or numbers. */
#include "plugins/train/data/data.h"
#include "tools/tool.h"
#include <math.h>
#include <string.h>

/* N x H x W is one channel, N x D is a vector: height 1, as long as it is wide. The file's array is
 * freed, so images are copied. */
static nashc_status
take_images(train_images *p, const tool_array *x, const char *name, nashc_diag *d)
{
    nashc_loc loc = {.file = p->spec.path};
    char shape[200];
    bool bytes = x->buf.cell == NASHC_U8;
    int64_t c = x->rank == 4 ? x->dim[1] : 1, h = x->rank >= 3 ? x->dim[x->rank - 2] : 1;

    if (x->rank < 2 || x->rank > 4 || x->dim[0] < 1 || x->buf.n < 1)
        return nashc_error(d, &loc, "array \"%s\" is %s, expected N x C x H x W", name,
                           tool_shape_text(x->dim, x->rank, shape));
    if (!bytes && !nashc_type_is_float(&x->buf.type))
        return nashc_error(d, &loc, "array \"%s\" holds neither uint8 nor floats", name);
    p->n = x->dim[0];
    p->c = (int)c;
    p->h = (int)h;
    p->w = (int)x->dim[x->rank - 1];
    size_t size = (size_t)x->buf.n;
    void *v = nashc_arena_alloc(p->arena, size * (bytes ? 1 : sizeof(float)));
    if (!v)
        return nashc_enomem(d);
    p->u8 = bytes ? memcpy(v, x->buf.data, size) : NULL;
    p->f32 = bytes ? NULL : v;
    for (int64_t i = 0; !bytes && i < x->buf.n; i++) {
        p->f32[i] = (float)nashc_buf_get(&x->buf, i);
        if (!isfinite(p->f32[i]))
            return nashc_error(d, &loc, "array \"%s\": image %" PRId64 " is not finite", name,
                               i / (x->buf.n / p->n));
    }
    return NASHC_OK;
}

/* Classes are numbered from 0; 2^20 catches labels that are no numbers of classes. */
static nashc_status
take_labels(train_images *p, const tool_array *y, const char *name, nashc_diag *d)
{
    nashc_loc loc = {.file = p->spec.path};

    if (y->buf.n != p->n || !nashc_type_is_int(&y->buf.type))
        return nashc_error(d, &loc, "array \"%s\" must be %" PRId64 " integers, one for each image",
                           name, p->n);
    p->label = NASHC_NEW_N(p->arena, int32_t, p->n);
    if (!p->label)
        return nashc_enomem(d);
    for (int64_t i = 0; i < p->n; i++) {
        int64_t v = nashc_buf_get_int(&y->buf, i);
        if (v < 0 || v >= 1 << 20)
            return nashc_error(d, &loc, "array \"%s\": label %" PRId64 " of image %" PRId64, name,
                               v, i);
        p->label[i] = (int32_t)v;
        p->n_classes = v >= p->n_classes ? (int)v + 1 : p->n_classes;
    }
    return NASHC_OK;
}

/* Which third array is wanted follows from the task. */
nashc_status
train_read_npz(train_images *p, const train_wish *wish, nashc_diag *d)
{
    static const char *const names[][2] = {
        {"y_train", "y_test"}, {"boxes_train", "boxes_test"}, {"mask_train", "mask_test"}};
    nashc_loc loc = {.file = p->spec.path};
    const char *xn = p->spec.test ? "x_test" : "x_train", *yn = names[wish->target][p->spec.test];
    tool_arrays a;
    nashc_status s = tool_arrays_read(p->spec.path, &a, d);

    if (s != NASHC_OK)
        return s;
    const tool_array *x = tool_arrays_find(&a, xn), *y = tool_arrays_find(&a, yn);
    if (!x || !y)
        s = nashc_error(d, &loc, "there is no array \"%s\"", x ? yn : xn);
    if (s == NASHC_OK)
        s = take_images(p, x, xn, d);
    if (s == NASHC_OK)
        s = wish->target == NASHC_TARGET_LABEL   ? take_labels(p, y, yn, d)
            : wish->target == NASHC_TARGET_BOXES ? train_take_boxes(p, y, yn, d)
                                                 : train_take_mask(p, y, yn, d);
    tool_arrays_free(&a);
    return s;
}
