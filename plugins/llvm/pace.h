/* pace.h: is it worth to share out the steps of a sample? What the clock says about both ways. */
#ifndef CPU_PACE_H
#define CPU_PACE_H

#include <stdbool.h>

typedef struct cpu_pace {
    double seconds[2]; /* of a run alone and of a shared one: the least of late; 0: not known */
    int gap, left;     /* runs between trials of the slower way, and to the next one */
} cpu_pace;

/* Whether the next run is to be shared: the faster way, the other one now and then, ever more
 * rarely while it stays the slower one. All zero: the first run is shared, the second one is not.
 */
bool cpu_pace_shares(cpu_pace *p);

/* The run took that long. */
void cpu_pace_took(cpu_pace *p, bool shared, double seconds);

#endif
