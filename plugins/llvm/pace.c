/* pace.c: a step costs what is estimated, but what it costs threads to meet depends on what else
 * the machine does: beside other programs that want its processors it may be a thousand times more.
 */
#include "pace.h"

#define FIRST_GAP 8
#define LAST_GAP  1024

bool
cpu_pace_shares(cpu_pace *p)
{
    if (p->seconds[1] == 0 || p->seconds[0] == 0)
        return p->seconds[1] == 0;
    bool shared = p->seconds[1] < p->seconds[0];
    if (p->left-- > 0)
        return shared;
    p->gap = p->gap < LAST_GAP / 2 ? 2 * p->gap : LAST_GAP;
    p->left = p->gap;
    return !shared;
}

void
cpu_pace_took(cpu_pace *p, bool shared, double seconds)
{
    double *least = &p->seconds[shared];
    bool before = p->seconds[1] < p->seconds[0];
    bool known = *least > 0;

    if (!known || seconds < *least)
        *least = seconds;
    else /* a single run that took very long says little */
        *least += ((seconds < 4 * *least ? seconds : 4 * *least) - *least) / 4;
    if (!known || before != (p->seconds[1] < p->seconds[0]))
        p->gap = p->left = FIRST_GAP;
}
