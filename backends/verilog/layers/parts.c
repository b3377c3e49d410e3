/* parts.c: the two parts of a round, which hw.concat and hw.split share. */
#include "parts.h"

void
emit_parts(const nashc_node *n, nashc_vlog *v, const char *module)
{
    int count;
    const int64_t *parts = nashc_attr_ints(n, nashc_attr_index(n, "parts"), &count);

    nashc_vlog_core(v, module);
    nashc_vlog_int(v, "PE", emit_int(n, "pe"));
    nashc_vlog_int(v, "NA", parts[0]);
    nashc_vlog_int(v, "NB", parts[1]);
}
