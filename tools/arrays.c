/* arrays.c: reads .npz files for the library, which links no zip. */
#include "tool.h"

/* As an interface (nashc_impl), since frontends in the library want weights and must not know of
 * zip. */
static nashc_status
read_npz(const char *path, nashc_array_sink *put, void *user, nashc_diag *d)
{
    tool_arrays a;
    nashc_status s = tool_arrays_read(path, &a, d);
    for (size_t i = 0; i < a.n && s == NASHC_OK; i++)
        s = put(user, a.at[i].name, a.at[i].rank, a.at[i].dim, &a.at[i].buf, d);
    tool_arrays_free(&a);
    return s;
}

static const nashc_impl npz = NASHC_ARRAYS("npz", read_npz);

const nashc_impl *const tool_impls[] = {&npz, NULL};
