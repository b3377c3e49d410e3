/* remove_dwc_fifo.c: take out converters and FIFOs, so that the layers can be folded anew.
 *
 *     a -- hw.dwc -- hw.fifo -- b     ==>     a -- b
 *
 * Both pass on what they get, so values stay. Terminates: a node goes each time.
 */
#include "hw.h"
#include <nashc/rewrite.h>

static bool
remove_layer(nashc_rw *rw, nashc_node *n)
{
    nashc_rw_replace(rw, nashc_node_out(n, 0), nashc_node_in(n, 0));
    return true;
}

static const nashc_pattern fifo_pattern = {"hw.fifo", remove_layer};
static const nashc_pattern dwc_pattern = {"hw.dwc", remove_layer};

const nashc_pass nashc_pass_remove_dwc_fifo = {
    NASHC_DESC(nashc_pass),
    .name = "remove-dwc-fifo",
    .help = "take out converters and FIFOs, before another folding",
    .needs = "hw-only",
    .patterns = (const nashc_pattern *const[]){&fifo_pattern, &dwc_pattern, NULL},
};
