/* layout.h: how an operator runs channels-last: the interface "channels-last" of nashc_impl. */
#ifndef NASHC_LAYOUT_H
#define NASHC_LAYOUT_H

#include <nashc/io.h>
#include <nashc/rewrite.h>

NASHC_BEGIN

#define NASHC_TURN_ALL     1u /* all operands are data and turn, else the first alone, */
#define NASHC_TURN_WEIGHTS 2u /* and the second, weights [O,I,..] to [O,..,I] */
#define NASHC_TURN_ROWS    4u /* operands behind the first are constants of one or C rows */
#define NASHC_TURN_FLOAT   8u /* insert-cl turns it on its own account, on floats too */

/* How x -- op(.., z) -- y becomes x -- to last -- op'(.., z') -- to first -- y, for data of rank 3
 * [N,C,W] and 4 [N,C,H,W]. op' is op with other attributes: an operator that knows channels by
 * nashc_type_channel_axis needs no more than NASHC_TURN_*. Operators of NASHC_OP_ELTWISE with one
 * result need no rule: all their operands turn. */
typedef struct nashc_layout_rule {
    uint32_t struct_size, flags; /* NASHC_TURN_* */
    const char *axis, *axes;     /* attributes: an axis of x, a list of axes; NULL: none */
    const char *lists[2];        /* lists with one entry, or two, for each axis; NULL: none */

    /* NULL: always; false, with nashc_rw_miss, where n must stay. Edits nothing. */
    bool (*may)(nashc_rw *rw, nashc_node *n);

    /* Where the fields do not say it: the whole rewrite, true iff it edited. It must not turn what
     * is channels-last already, so that passes that only turn come to an end. NULL: the fields. */
    bool (*turn)(nashc_rw *rw, nashc_node *n);
} nashc_layout_rule;

/* An operator has one rule; a plugin replaces that of a built-in with NASHC_F_OVERRIDE. */
#define NASHC_IMPL_CHANNELS_LAST(op_name, layout_rule)                                             \
    {                                                                                              \
        NASHC_DESC(nashc_impl), .flags = 0, .iface = "channels-last", .op = op_name, .fn = NULL,   \
                                .rule = 1 ? (layout_rule) : (const nashc_layout_rule *)0           \
    }

NASHC_END
#endif
