/* unshare_parameters.c: names that FINN's lists hold and that have nothing to do here.
 *
 *     GiveUniqueParameterTensors            constants are immutable: an edit makes a new one
 *     canonicalize-domains                  the ONNX reader maps domains to one set of ops
 *     RemoveStaticGraphInputs               the reader makes them constants
 *     MovePadAttributeToTensor              the reader knows both forms
 *     LowerConvsToMatMul, RebalanceIm2Col   convolutions stay whole; the backend streams windows
 *     ConvertBipolarMatMulToXnorPopcount    bip stays a type; XNOR is a choice of the backend
 *
 * Accepted so that a list can be used as it is.
 */
#include <nashc/pass.h>

static nashc_status
nothing(nashc_run *r, nashc_graph *g)
{
    (void)r;
    (void)g;
    return NASHC_OK;
}

const nashc_pass nashc_pass_unshare_parameters = {
    NASHC_DESC(nashc_pass),
    .name = "unshare-parameters",
    .alias = "GiveUniqueParameterTensors|canonicalize-domains|remove-static-inputs|"
             "RemoveStaticGraphInputs|pad-attrs-to-inputs|MovePadAttributeToTensor|"
             "debug-marker-remove|lower-convs|LowerConvsToMatMul|rebalance-im2col|"
             "RebalanceIm2Col|bipolar-to-xnor|ConvertBipolarMatMulToXnorPopcount",
    .help = "nothing: accepted from FINN's lists, not needed in this representation",
    .run = nothing,
};
