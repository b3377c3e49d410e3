/* pareto.h: networks as points of accuracy against cost: fronts, hypervolume, pictures. */
#ifndef NASHC_TOOL_PARETO_H
#define NASHC_TOOL_PARETO_H

#include "tool.h"

/* What accuracy is set against. */
typedef enum pareto_axis {
    PARETO_LUT,
    PARETO_BRAM,
    PARETO_DSP,
    PARETO_FPS,
    PARETO_AREA,
    PARETO_N
} pareto_axis;
extern const char *const pareto_names[PARETO_N]; /* "LUT": titles */
extern const char *const pareto_keys[PARETO_N];  /* "lut": columns */

/* What networks are compiled for. */
typedef struct pareto_goal {
    const char *device; /* NULL: none */
    double clock_ns;
    double fps; /* frames a second asked for; 0: none */
} pareto_goal;

/* A network compiled for one goal. */
typedef struct pareto_point {
    const char *run, *group; /* group NULL: none */
    const pareto_goal *goal;
    double accuracy;     /* 0 .. 1: the figure of the runs' task */
    double at[PARETO_N]; /* LUT, BRAM of 18 kbit, DSP, frames a second, area of cells */
    uint64_t ff, uram, latency;
    bool fits, reached;   /* the device; the target */
    bool front[PARETO_N]; /* no point of the same goal that fits is as good and better in one */
} pareto_point;

typedef struct pareto {
    pareto_point *point;
    int n;
    pareto_goal *goal;
    int n_goals;
    const char **group; /* their names */
    int n_groups;
    int n_axes;          /* PARETO_AREA, the last one, only with a library of cells */
    const char *library; /* of cells; NULL: none */
    const char *figure;  /* "accuracy", or that of another task */
} pareto;

/* Sets front of all points. O(n^2). */
void pareto_mark(pareto *p);

/* Area that the points dominate, of 1: accuracy 0 .. 1 times the cost from 0 to 1.1 times the
 * largest of all points (frames a second: from 0 to the largest), those of one goal and those that
 * fit only. without: a group that is left out, NULL: none. */
double pareto_hypervolume(const pareto *p, pareto_axis a, const pareto_goal *goal,
                          const char *without);

/* "Pynq-Z1, 500 frames/s", in text: the device only where there are several. */
const char *pareto_goal_name(const pareto *p, const pareto_goal *goal, char text[200]);

/* pareto_page.c: files in dir. */
nashc_status pareto_write_csv(const pareto *p, const char *dir, nashc_diag *d);
nashc_status pareto_write_svg(const pareto *p, const char *dir, nashc_diag *d);
nashc_status pareto_write_html(const pareto *p, const char *dir, nashc_diag *d);

#endif
