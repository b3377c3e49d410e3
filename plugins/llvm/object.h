/* object.h: a program as an object file with one C function, and the files around it. */
#ifndef CPU_OBJECT_H
#define CPU_OBJECT_H

#include "cg.h"

/* The folder being written. */
typedef struct cpu_package {
    const nashc_module *m; /* as given: names and types of inputs and outputs */
    const nashc_graph *graph;
    const char *dir, *top, *cpu;
    size_t memory; /* bytes that a call works in, with what it takes to align them */
    size_t code;   /* bytes of the object file */
    nashc_arena *a;
} cpu_package;

/* nashc_backend.write (object.c). */
nashc_status cpu_object_write(const nashc_module *m, const char *path, const nashc_opts *o,
                              nashc_diag *d);

/* Header, example, Makefile, manifest (package.c). */
nashc_status cpu_package_write(const cpu_package *z, nashc_diag *d);

/* A file of the folder; NULL: reported. */
nashc_outfile *cpu_package_open(const cpu_package *z, const char *name, const char *suffix,
                                nashc_diag *d);

#endif
