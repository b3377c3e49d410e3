/* tasks.c: tasks by name, and what they share. */
#include "plugins/train/task/task.h"
#include <nashc/nashc.h>
#include <stdio.h>
#include <string.h>

nashc_status
train_task_find(nashc_ctx *c, const char *name, const nashc_task **out, nashc_diag *d)
{
    const nashc_impl *p;
    char known[400] = "";

    *out = nashc_impl_rule(c, "task", name);
    if (*out)
        return NASHC_OK;
    for (int i = 0; (p = nashc_desc_at(c, NASHC_D_IMPL, i)); i++) {
        size_t n = strlen(known);
        if (strcmp(p->iface, "task") == 0)
            snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", p->op);
    }
    return nashc_usage(d, "unknown task \"%s\"; known are %s", nashc_quote(d, name), known);
}

/* The first of equal ones, as hw.label_select and ArgMax have it. */
int32_t
train_largest(const float *x, int64_t n, int64_t stride)
{
    int32_t at = 0;

    for (int32_t k = 1; k < n; k++)
        at = x[k * stride] > x[at * stride] ? k : at;
    return at;
}

/* How many are before label: larger ones, and equal ones of lower number, so that place 0 is
 * train_largest. */
int64_t
train_place_of(const float *x, int64_t n, int32_t label)
{
    int64_t before = 0;

    for (int64_t k = 0; k < n; k++)
        before += x[k] > x[label] || (x[k] == x[label] && k < label);
    return before;
}

/* Intersection over union; 0 for boxes without area. */
double
train_box_overlap(const train_box *a, const train_box *b)
{
    double w =
        (a->right < b->right ? a->right : b->right) - (a->left > b->left ? a->left : b->left);
    double h =
        (a->bottom < b->bottom ? a->bottom : b->bottom) - (a->top > b->top ? a->top : b->top);
    double both = w > 0.0 && h > 0.0 ? w * h : 0.0;
    double all = (a->right - a->left) * (a->bottom - a->top) +
                 (b->right - b->left) * (b->bottom - b->top) - both;

    return all > 0.0 ? both / all : 0.0;
}
