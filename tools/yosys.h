/* yosys.h: the layers of a design through Yosys: the parts of nashc synth. */
#ifndef NASHC_TOOL_YOSYS_H
#define NASHC_TOOL_YOSYS_H

#include "tool.h"

typedef struct yosys_family {
    const char *name, *command;
    const struct yosys_cell *cells;
} yosys_family;

typedef struct yosys_job {
    nashc_diag *d;
    nashc_arena *a;
    const char *dir, *top;
    const char *version; /* of Yosys */
    const yosys_family *family;
    const char *liberty; /* absolute path of the cells of family asic; NULL: another family */
    double seconds;      /* for a layer at most; 0: no limit */
    uint64_t memory;     /* bytes likewise */
} yosys_job;

const yosys_family *yosys_find_family(const char *name); /* NULL: none */

/* Looks for Yosys and asks for its version. */
nashc_status yosys_version(yosys_job *j);

/* What Yosys found of a layer: of an FPGA its primitives, of family asic cells of the library and
 * the sum of their areas, in the library's unit. */
typedef struct yosys_figures {
    nashc_cost cost;
    uint64_t gates;
    double area;
} yosys_figures;

/* Family asic, with the library of that file, which is looked at; EIO, EINPUT: reported. */
nashc_status yosys_use_liberty(yosys_job *j, const char *path);

/* Cells of the layer name. What keeps Yosys from it is no error: *why says it, owned by j->a, and
 * is NULL otherwise. */
nashc_status yosys_layer(const yosys_job *j, const char *name, yosys_figures *out,
                         const char **why);

#endif
