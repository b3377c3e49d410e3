/* pareto.h: networks as points of accuracy against cost: fronts, hypervolume, pictures. */
#ifndef NASHC_TOOL_PARETO_H
#define NASHC_TOOL_PARETO_H

#include "tool.h"

/* What accuracy is set against. */
typedef enum pareto_axis { PARETO_LUT, PARETO_BRAM, PARETO_DSP, PARETO_FPS, PARETO_N } pareto_axis;
extern const char *const pareto_names[PARETO_N]; /* "LUT": titles */
extern const char *const pareto_keys[PARETO_N];  /* "lut": columns */

/* A network compiled for one target. */
typedef struct pareto_point {
    const char *run, *group; /* group NULL: none */
    double target;           /* frames a second asked for; 0: none */
    double accuracy;         /* 0 .. 1 */
    double at[PARETO_N];     /* LUT, BRAM of 18 kbit, DSP, frames a second */
    uint64_t ff, uram, latency;
    bool fits, reached;   /* the device; the target */
    bool front[PARETO_N]; /* no point of the same target that fits is as good and better in one */
} pareto_point;

typedef struct pareto {
    pareto_point *point;
    int n;
    const double *target;
    int n_targets;
    const char **group; /* their names */
    int n_groups;
    const char *device; /* NULL: none */
    double clock_ns;
} pareto;

/* Sets front of all points. O(n^2). */
void pareto_mark(pareto *p);

/* Area that the points dominate, of 1: accuracy 0 .. 1 times the cost from 0 to 1.1 times the
 * largest of all points (frames a second: from 0 to the largest), those of one target and those
 * that fit only. without: a group that is left out, NULL: none. */
double pareto_hypervolume(const pareto *p, pareto_axis a, double target, const char *without);

/* pareto_page.c: files in dir. */
nashc_status pareto_write_csv(const pareto *p, const char *dir, nashc_diag *d);
nashc_status pareto_write_svg(const pareto *p, const char *dir, nashc_diag *d);
nashc_status pareto_write_html(const pareto *p, const char *dir, nashc_diag *d);

#endif
