/* channel_index.c: channels and the elements that belong to them. */
#include "channel_index.h"

int64_t
si_channel_of(const nashc_type *t, int64_t e)
{
    int axis = nashc_type_channel_axis(t);
    if (axis < 0)
        return 0;
    for (int i = t->rank - 1; i > axis; i--)
        e /= t->dim[i];
    return e % t->dim[axis];
}

int64_t
si_first_of_channel(const nashc_type *t, int64_t c)
{
    int axis = nashc_type_channel_axis(t);
    for (int i = axis + 1; axis >= 0 && i < t->rank; i++)
        c *= t->dim[i];
    return c;
}
