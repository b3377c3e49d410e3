/* compile.h: what compile.c and design.c share. */
#ifndef NASHC_HOST_COMPILE_H
#define NASHC_HOST_COMPILE_H

#include "host.h"
#include <nashc/compile.h>
#include <nashc/ports.h>
#include <string.h>

/* Does be take a model instead of layers? */
static inline bool
nashc_writes_program(const nashc_backend *be)
{
    return be->needs && strcmp(be->needs, "streamlined") == 0;
}

/* o with the default for each member that is not given. */
void nashc_compile_take(nashc_compile_options *to, const nashc_compile_options *o);

/* Simulates the layers of m and adds up their costs: all of *r but backend, device and fits. */
nashc_status nashc_compile_measure(const nashc_module *m, const nashc_compile_options *o,
                                   nashc_compile_result *r, nashc_arena *a, nashc_diag *d);

/* The most cycles of a layer, without stalls; its name into *name (NULL: not asked for). */
uint64_t nashc_compile_slowest(const nashc_compile_result *r, const char **name);

/* --- retarget.c ------------------------------------------------------------------------------- */

/* Folds *m, measured as *r, for fewer cycles while its interval misses the target that its layers
 * meet, and with --fit for more while its FIFOs overfill the device; *m and *r are the best of what
 * was tried. */
nashc_status nashc_compile_retarget(nashc_module **m, const nashc_compile_options *o,
                                    nashc_compile_result *r, nashc_arena *a, nashc_diag *d);

/* --- design.c -------------------------------------------------------------------------------- */

/* The backend of o and its options, checked; of r (NULL: not known yet) its device. Owned by a. */
nashc_status nashc_design_backend(nashc_ctx *c, const nashc_compile_options *o,
                                  const nashc_compile_result *r, nashc_arena *a,
                                  const nashc_backend **out, nashc_opts **opts, nashc_diag *d);

/* Makes the folder name in dir, if it is not there. */
nashc_status nashc_design_folder(const char *dir, const char *name, nashc_arena *a, nashc_diag *d);

/* --- packing.c ------------------------------------------------------------------------------- */

/* Writes DIR/driver/packing.h and packing.py: frames, and weights of layers that take them. */
nashc_status nashc_design_packing(const nashc_ports *z, const nashc_graph *layers, const char *dir,
                                  nashc_arena *a, nashc_diag *d);

#endif
