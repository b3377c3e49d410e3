/* compile.h: what compile.c and design.c share. */
#ifndef NASHC_HOST_COMPILE_H
#define NASHC_HOST_COMPILE_H

#include "host.h"
#include <nashc/compile.h>

/* o with the default for each member that is not given. */
void nashc_compile_take(nashc_compile_options *to, const nashc_compile_options *o);

/* --- design.c -------------------------------------------------------------------------------- */

/* The backend of o and its options, checked; of r (NULL: not known yet) its device. Owned by a. */
nashc_status nashc_design_backend(nashc_ctx *c, const nashc_compile_options *o,
                                  const nashc_compile_result *r, nashc_arena *a,
                                  const nashc_backend **out, nashc_opts **opts, nashc_diag *d);

#endif
