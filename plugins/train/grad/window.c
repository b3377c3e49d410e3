/* window.c: the geometry of windows. */
#include "plugins/train/grad/window.h"

static int64_t
attr_at(const nashc_node *n, const char *name, int i, int64_t def)
{
    int count;
    const int64_t *v = nashc_node_ints(n, name, &count);

    return i < count ? v[i] : def;
}

nashc_status
train_window_of(const nashc_grad_call *c, const nashc_type *map, const nashc_type *out,
                const int64_t *kernel, train_window *w)
{
    const nashc_node *n = c->node;
    int last = map->rank == 4; /* index of the second axis in attribute lists */

    if (map->rank != 3 && map->rank != 4)
        return nashc_node_unsup(c->diag, n, "training knows windows in one or two dimensions only");
    if (map->layout != NASHC_LAYOUT_DEFAULT)
        return nashc_node_unsup(c->diag, n, "training needs channels-first data");
    *w = (train_window){.channels = map->dim[1],
                        .h = last ? map->dim[2] : 1,
                        .w = map->dim[map->rank - 1],
                        .out_h = last ? out->dim[2] : 1,
                        .out_w = out->dim[map->rank - 1]};
    w->kh = !last ? 1 : kernel ? kernel[0] : attr_at(n, "kernel", 0, 1);
    w->kw = kernel ? kernel[last] : attr_at(n, "kernel", last, 1);
    w->sh = last ? attr_at(n, "stride", 0, 1) : 1;
    w->sw = attr_at(n, "stride", last, 1);
    w->dh = last ? attr_at(n, "dilation", 0, 1) : 1;
    w->dw = attr_at(n, "dilation", last, 1);
    w->top = last ? attr_at(n, "pads", 0, 0) : 0;
    w->left = attr_at(n, "pads", last, 0);
    return NASHC_OK;
}

void
train_inside(int64_t offset, int64_t stride, int64_t size, int64_t n, int64_t *lo, int64_t *hi)
{
    *lo = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
    *hi = offset >= size ? 0 : (size - 1 - offset) / stride + 1;
    *lo = *lo > n ? n : *lo;
    *hi = *hi > n ? n : *hi;
    if (*hi < *lo)
        *hi = *lo;
}
