/* infer_shapes.c: runs every op's type inference again.
 *
 * Types are kept current by every edit, and shape, element, interval and layout are one type here;
 * so this changes something only after attributes were edited by hand.
 */
#include <nashc/pass.h>

static nashc_status
infer(nashc_run *r, nashc_graph *g)
{
    return nashc_graph_infer(g, nashc_run_diag(r));
}

const nashc_pass nashc_pass_infer_shapes = {
    NASHC_DESC(nashc_pass), .name = "infer-shapes",
    .alias = "InferShapes", .help = "re-infer the type of every value, shapes included",
    .run = infer,
};
