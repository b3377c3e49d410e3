/* size.c: models that a run cannot compute, or not soon, told by their shapes alone.
 *
 * A result lies in memory as a whole when it is computed, floats as doubles (docs/numerics.md).
 * Where one takes more than the whole run may, it would end with "out of memory" after minutes, in
 * whatever asks for it first; the shapes name the node before anything is done. Likewise, what
 * takes an hour says so before it begins, and what takes longer than anybody waits is refused.
 */
#include "tool.h"

#define N_PASSES       36    /* of the default pipeline */
#define STEPS_A_SECOND 1e9   /* of the reference executor, on a slow machine */
#define TOLD_SECONDS   120.0 /* what takes longer is told beforehand */
#define MOST_SECONDS   864e3 /* ten days: refused, unless --max-time says more */

/* Bytes of a result while it is computed, at least; an unknown size counts as 1. */
static double
bytes_of(const nashc_type *t)
{
    double bytes = nashc_type_is_float(t) ? 8 : 1;

    for (int k = 0; k < t->rank; k++)
        bytes *= t->dim[k] >= 0 ? (double)t->dim[k] : 1;
    return bytes;
}

static nashc_status
too_large(const nashc_node *n, double bytes, nashc_diag *d)
{
    nashc_node_unsup(d, n, "its result takes %.1f GB when it is computed: too large for this run",
                     bytes / 1e9);
    nashc_help(d, "a smaller input or batch takes less, `--verify none` computes nothing; %s",
               tool_limits_told());
    return NASHC_EUNSUP;
}

double
tool_steps(const nashc_module *m)
{
    double sum = 1;
    const nashc_graph *g = nashc_module_main(m);

    NASHC_EACH_NODE(g, n)
    sum += nashc_node_steps(n);
    return sum;
}

/* Half of the passes change the graph; it is run before and after, on the corners too. */
double
tool_checked_runs(int n)
{
    return N_PASSES * ((double)NASHC_CHECK_CORNERS + n);
}

/* "3 minutes", from two units of it on the larger one. */
static const char *
duration(double seconds, char text[40])
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {
        {"years", 31557600}, {"days", 86400}, {"hours", 3600}, {"minutes", 60}, {"seconds", 1}};
    size_t i = 0;

    while (i + 1 < NASHC_COUNT(units) && seconds < 2 * units[i].seconds)
        i++;
    snprintf(text, 40, "%.0f %s", seconds / units[i].seconds, units[i].name);
    return text;
}

/* Says what `runs` runs of the model take where that is long. */
static nashc_status
check_time(const nashc_module *m, double runs, const char *remedy, nashc_diag *d)
{
    const nashc_graph *g = nashc_module_main(m);
    const nashc_node *most = NULL;
    double steps = tool_steps(m), seconds = runs * steps / STEPS_A_SECOND;
    double bound = tool_state.max_time > 0 ? 10 * (double)tool_state.max_time : MOST_SECONDS;
    char text[40];

    if (seconds <= TOLD_SECONDS && seconds <= bound)
        return NASHC_OK;
    NASHC_EACH_NODE(g, n)
    if (!most || nashc_node_steps(n) > nashc_node_steps(most))
        most = n;
    if (seconds > bound) {
        nashc_node_unsup(d, most,
                         "takes %.0f million of the %.0f million steps that a run of the "
                         "model has: %.0f runs would take about %s",
                         nashc_node_steps(most) / 1e6, steps / 1e6, runs, duration(seconds, text));
        nashc_help(d, "%s; --max-time=SECONDS allows more than %.0f", remedy,
                   tool_state.max_time > 0 ? (double)tool_state.max_time : MOST_SECONDS);
        return NASHC_EUNSUP;
    }
    const char *what = nashc_quote(d, nashc_value_name(nashc_node_out(most, 0)));
    nashc_warning(
        d, nashc_node_loc(most), "long-run",
        "%.0f runs of the model, of %.0f million steps, may take about %s; \"%s\" has %.0f "
        "million of the steps",
        runs, steps / 1e6, duration(seconds, text), what, nashc_node_steps(most) / 1e6);
    nashc_help(d, "%s; --max-time=SECONDS ends it earlier", remedy);
    return nashc_diag_warning_failed(d) ? NASHC_EUNSUP : NASHC_OK; /* before the time is spent */
}

nashc_status
tool_check_size(const nashc_module *m, double runs, const char *remedy, nashc_diag *d)
{
    const nashc_graph *g = nashc_module_main(m);
    double most = (double)tool_memory_limit(), bytes;

    if (!g)
        return NASHC_OK;
    NASHC_EACH_NODE(g, n)
    {
        for (int i = 0; most > 0 && i < nashc_node_n_out(n); i++)
            if ((bytes = bytes_of(nashc_value_type(nashc_node_out(n, i)))) > most)
                return too_large(n, bytes, d);
    }
    return check_time(m, runs, remedy, d);
}
