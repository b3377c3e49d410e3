/* ops.h: the operators of a supernet. */
#ifndef SEARCH_OPS_H
#define SEARCH_OPS_H

#include <nashc/nashc.h>

/* NULL-terminated. */
extern const nashc_op *const search_ops[];

#endif
