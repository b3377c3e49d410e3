/* node_diag.c: messages that name a node and the types of its operands. */
#include "core/base/diag.h"
#include <nashc/ir.h>

/* A node is named by its name in the source file, else by its first result. */
static void
report_node(nashc_diag *d, const nashc_node *n, const char *fmt, va_list ap)
{
    if (!d)
        return;
    nashc_loc loc = n && nashc_node_loc(n) ? *nashc_node_loc(n) : (nashc_loc){0};
    const char *name = loc.name, *sigil = "";
    if (!name && n && nashc_node_n_out(n) > 0 && nashc_node_out(n, 0)) {
        name = nashc_value_name(nashc_node_out(n, 0));
        sigil = "%";
    }
    /* it is part of the text already */
    loc.name = NULL;
    const char *text = nashc_arena_vprintf(nashc_diag_arena(d), fmt, ap);
    if (text && n)
        text = nashc_arena_printf(nashc_diag_arena(d), "node \"%s%s\" (%s): %s", sigil,
                                  nashc_quote(d, name ? name : "?"), nashc_node_opname(n), text);
    /* name apart: readers of JSON messages want it alone */
    nashc_diag_add(d, NASHC_ERROR, &loc, name, text);
}

nashc_status
nashc_node_error(nashc_diag *d, const nashc_node *n, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report_node(d, n, fmt, ap);
    va_end(ap);
    return NASHC_EINPUT;
}

nashc_status
nashc_node_unsup(nashc_diag *d, const nashc_node *n, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report_node(d, n, fmt, ap);
    va_end(ap);
    return NASHC_EUNSUP;
}

const char *
nashc_type_str(nashc_diag *d, const nashc_type *t)
{
    char buf[NASHC_TYPE_STR_MAX];
    if (!d)
        return "";
    const char *s = nashc_arena_strdup(nashc_diag_arena(d), nashc_type_print(t, buf, sizeof buf));
    return s ? s : "";
}
