/* rounding.c: rounding modes of quantisers (docs/quantisers.md). Exact: no mode adds 1/2 to its
 * argument, which could carry in the last bit. */
#include "ops.h"

double
ops_round(ops_rounding mode, double u)
{
    double down = trunc(u), rest = fabs(u - down); /* exact */
    double up = down + copysign(1.0, u);           /* next integer away from zero */

    switch (mode) {
    case NASHC_R_ROUND:
        return nearbyint(u);
    case NASHC_R_CEIL:
        return ceil(u);
    case NASHC_R_FLOOR:
        return floor(u);
    case NASHC_R_UP:
        return rest > 0.0 ? up : down;
    case NASHC_R_DOWN:
        return down;
    case NASHC_R_HALF_UP:
        return rest >= 0.5 ? up : down;
    case NASHC_R_HALF_DOWN:
        return rest > 0.5 ? up : down;
    case NASHC_R_DPU:
        return u < 0.0 && rest == 0.5 ? down : nearbyint(u);
    case NASHC_R_SIGN:
        return isnan(u) ? u : u >= 0.0 ? 1.0 : -1.0;
    }
    return u;
}
