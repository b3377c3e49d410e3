/* slide.c: windows that never leave the image: a copy with a border takes care of those that would.
 * What stands in the border does not count: 0 in sums, the least value of the cell otherwise. */
#include "window.h"

#define MOST_TAPS 49 /* that are unrolled */

/* Extents of what windows reach. */
static void
reach(const cpu_window *w, int64_t *h, int64_t *width)
{
    int64_t down = (w->oh - 1) * w->sh + (w->kh - 1) * w->dh + 1;
    int64_t right = (w->ow - 1) * w->sw + (w->kw - 1) * w->dw + 1;

    *h = down > w->top + w->h ? down : w->top + w->h;
    *width = right > w->left + w->width ? right : w->left + w->width;
}

static bool
leaves(const cpu_window *w)
{
    int64_t h, width;

    reach(w, &h, &width);
    return h > w->h || width > w->width;
}

/* The byte that fills the border, -1 if there is none. */
static int
border(nashc_cell cell, const cpu_window *w)
{
    if (w->kind == CPU_SUM || w->kind == CPU_DEPTHWISE || (w->narrow && !cpu_cell_signed(cell)))
        return 0;
    return w->narrow && nashc_cell_size(cell) == 1 ? 0x80 : -1;
}

bool
cpu_slide_can(const cpu_program *p, const cpu_window *w)
{
    return w->kh * w->kw <= MOST_TAPS &&
           (!leaves(w) || border(p->value[cpu_id(w->x)].cell, w) >= 0);
}

int64_t
cpu_slide_size(const cpu_program *p, const cpu_window *w)
{
    int64_t h, width;

    if (!cpu_slide_can(p, w) || !leaves(w))
        return 0;
    reach(w, &h, &width);
    return w->batch * h * width * w->c * (int64_t)nashc_cell_size(p->value[cpu_id(w->x)].cell);
}

void
cpu_slide_feed(cpu_cg *g, const cpu_window *w)
{
    nashc_cell cell = g->p->value[cpu_id(w->x)].cell;
    int size = (int)nashc_cell_size(cell);
    int64_t h, width, row = w->width * w->c * size;
    LLVMValueRef n, y, byte = LLVMConstInt(g->i8, (unsigned)border(cell, w), 0);
    cpu_loop l;
    cpu_if inside;

    reach(w, &h, &width);
    cpu_loop_begin(g, &l, g->from, g->to, 1, NULL, 0);
    LLVMValueRef to = cpu_at(g, cpu_ptr_scratch(g), cpu_muli(g, l.i, width * w->c * size));
    LLVMBuildMemSet(g->b, to, byte, cpu_int(g, width * w->c * size), 1);
    cpu_divide(g, l.i, w->batch, h, &n, &y);
    y = cpu_plus(g, y, -w->top);
    cpu_if_begin(g, &inside, LLVMBuildICmp(g->b, LLVMIntULT, y, cpu_int(g, w->h), ""), NULL, 0);
    LLVMValueRef from = cpu_muli(g, cpu_addi(g, cpu_muli(g, n, w->h), y), row);
    LLVMBuildMemCpy(g->b, cpu_at(g, to, cpu_int(g, w->left * w->c * size)), (unsigned)size,
                    cpu_at(g, cpu_ptr_value(g, cpu_id(w->x)), from), (unsigned)size,
                    cpu_int(g, row));
    cpu_if_end(g, &inside, NULL);
    cpu_loop_end(g, &l, NULL);
}

double
cpu_slide_share(const cpu_program *p, const cpu_window *w, int64_t *units)
{
    int64_t h, width;

    reach(w, &h, &width);
    *units = w->batch * h;
    return (double)cpu_slide_size(p, w) / 16;
}

LLVMValueRef
cpu_slide_image(cpu_cg *g, const cpu_window *w, LLVMValueRef n)
{
    int64_t size = (int64_t)nashc_cell_size(g->p->value[cpu_id(w->x)].cell), h, width;

    if (!leaves(w))
        return cpu_at(g, cpu_ptr_value(g, cpu_id(w->x)),
                      cpu_muli(g, n, w->h * w->width * w->c * size));
    reach(w, &h, &width);
    return cpu_at(g, cpu_ptr_scratch(g), cpu_muli(g, n, h * width * w->c * size));
}

LLVMValueRef
cpu_slide_window(cpu_cg *g, const cpu_window *w, const cpu_window_at *at, LLVMValueRef acc)
{
    int64_t h, width;

    reach(w, &h, &width);
    if (!leaves(w)) /* the image as it lies, whose last rows and columns may not matter */
        width = w->width;
    LLVMValueRef line = cpu_muli(g, at->oy, w->sh * width);
    LLVMValueRef first = cpu_muli(g, cpu_addi(g, line, cpu_muli(g, at->ox, w->sw)), w->c);
    first = cpu_addi(g, first, at->c);
    for (int64_t y = 0; y < w->kh; y++)
        for (int64_t x = 0; x < w->kw; x++) {
            LLVMValueRef index = cpu_plus(g, first, (y * w->dh * width + x * w->dw) * w->c);
            acc = cpu_window_take(g, w, at, at->image, index, cpu_int(g, y * w->kw + x), acc);
        }
    return acc;
}
