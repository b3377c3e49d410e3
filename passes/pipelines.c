/* pipelines.c: named pass lists: clean-up, and FINN's lists under our names. */
#include <nashc/pass.h>

#define NAMES "give-unique-node-names,give-readable-tensor-names"

/* QONNX cleanup_model. */
const nashc_pipeline nashc_pipeline_cleanup = {
    NASHC_DESC(nashc_pipeline),
    .name = "cleanup",
    .help = "fold constants, drop what is unused, canonical operand order",
    .text = "extend-partition,infer-shapes,fold-constants,fold-transpose-into-quant-const,"
            "remove-unused-nodes,canonicalize,remove-identity,fold-constants",
};

/* The front half: any imported model to the integer graph. */
const nashc_pipeline nashc_pipeline_streamline = {
    NASHC_DESC(nashc_pipeline),
    .name = "streamline",
    .help = "any imported model to the integer graph, exactly",
    .text = "extend-partition,infer-shapes,fold-constants,remove-unused-nodes,qcdq-to-quant,"
            "reduce-to-pool,resize-to-product,remove-identity,"
            "move-choice-past-quantiser,sign-to-threshold,compare-to-difference,scaled-integer,"
            "canonicalize,remove-identity,"
            "fold-constants(quant=true),remove-stuck-channels(multiple=8),minimize-types,"
            "thresholds-to-requant",
};

/* ConvertQONNXtoFINN. */
const nashc_pipeline nashc_pipeline_convert_qonnx_to_finn = {
    NASHC_DESC(nashc_pipeline),
    .name = "convert-qonnx-to-finn",
    .alias = "ConvertQONNXtoFINN",
    .help = "quantisers to integer weights and thresholds, exact",
    .text = "extract-conv-bias,gemm-to-matmul,fold-transpose-into-quant-const,"
            "fold-quant-weights,quant-to-multithreshold,avgpool-to-sumpool,remove-identity",
};

#define S(pass) pass ",remove-identity,"

/* FINN's Streamline: each step followed by remove-identity. */
#define FINN_STREAMLINE                                                                            \
    S("sub-to-add")                                                                                \
    S("div-to-mul(inexact=true)")                                                                  \
    S("batchnorm-to-affine")                                                                       \
    S("sign-to-threshold")                                                                         \
    S("move-mul-past-maxpool")                                                                     \
    S("move-scalar-linear-past-invariant")                                                         \
    S("absorb-sign-bias-into-multithreshold")                                                      \
    S("move-add-past-mul")                                                                         \
    S("move-scalar-add-past-matmul")                                                               \
    S("move-add-past-conv")                                                                        \
    S("move-scalar-mul-past-matmul")                                                               \
    S("move-scalar-mul-past-conv")                                                                 \
    S("move-add-past-mul")                                                                         \
    S("collapse-adds")                                                                             \
    S("collapse-muls")                                                                             \
    S("move-mul-past-maxpool")                                                                     \
    S("absorb-add-into-multithreshold")                                                            \
    S("factor-mul-sign")                                                                           \
    S("absorb-mul-into-multithreshold")                                                            \
    S("absorb-1bit-mul-into-matmul")                                                               \
    S("absorb-1bit-mul-into-conv") "round-and-clip-thresholds"

const nashc_pipeline nashc_pipeline_finn_streamline = {
    NASHC_DESC(nashc_pipeline), .name = "finn-streamline",
    .alias = "Streamline",      .help = "FINN's Streamline list, for those who want its control",
    .text = FINN_STREAMLINE,
};

/* Steps 1 to 3 of FINN's default build. */
const nashc_pipeline nashc_pipeline_finn_default = {
    NASHC_DESC(nashc_pipeline),
    .name = "finn-default",
    .help = "front half of FINN's default build",
    .text = "cleanup,convert-qonnx-to-finn,infer-shapes,fold-constants," NAMES
            ",absorb-sign-bias-into-multithreshold,finn-streamline,trunc-to-multithreshold,"
            "finn-streamline,absorb-scalar-into-topk,remove-unused-nodes",
};

#define LINEAR(extra)                                                                              \
    "absorb-scalar-into-topk,sub-to-add,div-to-mul(inexact=true),remove-identity,collapse-muls,"   \
    "batchnorm-to-affine,sign-to-threshold,move-add-past-mul,move-scalar-add-past-matmul,"         \
    "move-add-past-conv,move-scalar-mul-past-matmul,move-scalar-mul-past-conv,"                    \
    "move-scalar-linear-past-invariant,trunc-to-multithreshold,move-add-past-mul,"                 \
    "collapse-adds,collapse-muls,"                                                                 \
    "absorb-add-into-multithreshold,factor-mul-sign,move-maxpool-past-multithreshold," extra       \
    "absorb-mul-into-multithreshold,absorb-1bit-mul-into-matmul,absorb-1bit-mul-into-conv,"        \
    "round-and-clip-thresholds"

#define NONLINEAR "move-linear-past-eltwise-add,move-linear-past-fork"

/* FINN's ResNet-50 example. */
const nashc_pipeline nashc_pipeline_resnet = {
    NASHC_DESC(nashc_pipeline),
    .name = "resnet",
    .help = "FINN's list for residual networks",
    .text = "cleanup,convert-qonnx-to-finn,fold-constants,repeat<4>(" LINEAR(
        "") "," NONLINEAR
            ",remove-unused-nodes),absorb-negative-mul,round-and-clip-thresholds," NAMES,
};

/* The list NASH uses: the residual one, with two additions (docs/passes.md). */
const nashc_pipeline nashc_pipeline_nash = {
    NASHC_DESC(nashc_pipeline),
    .name = "nash",
    .help = "the list NASH uses: residual networks with a scaled max pool in the stem",
    .text = "cleanup,convert-qonnx-to-finn,fold-constants,absorb-sign-bias-into-multithreshold,"
            "repeat<4>(" LINEAR("move-mul-past-maxpool,") "," NONLINEAR
                                                          ",remove-unused-nodes),absorb-negative-"
                                                          "mul,round-and-clip-thresholds," NAMES,
};

/* FINN's MobileNet-v1 example. */
const nashc_pipeline nashc_pipeline_mobilenet = {
    NASHC_DESC(nashc_pipeline),
    .name = "mobilenet",
    .help = "FINN's list for depthwise separable networks",
    .text = "cleanup,convert-qonnx-to-finn,fold-constants,finn-streamline,move-mul-past-dwconv,"
            "absorb-mul-into-multithreshold,trunc-to-multithreshold,avgpool-to-nhwc,"
            "absorb-transpose-into-multithreshold,move-transpose-past-scalar-mul,"
            "move-scalar-linear-past-invariant,absorb-transpose-into-flatten,"
            "move-flatten-past-affine,move-flatten-past-topk,move-scalar-mul-past-matmul,"
            "collapse-muls,remove-identity,round-and-clip-thresholds,"
            "cancel-transposes," NAMES,
};

/* ConvertToChannelsLastAndClean. */
const nashc_pipeline nashc_pipeline_to_channels_last = {
    NASHC_DESC(nashc_pipeline),
    .name = "to-channels-last",
    .alias = "ConvertToChannelsLastAndClean",
    .help = "run convolutions, pools and what is between them channels-last",
    .text = "insert-cl,cancel-transposes,fixpoint(move-cl-upstream,cancel-transposes,"
            "move-cf-downstream,cancel-transposes,move-transpose-past-join-concat,"
            "absorb-transpose-into-flatten,absorb-cf-into-matmul,canonicalize),fold-constants",
};

/* How products are built: rows of schemas, and a step of the lists. */
#define MUL_OPTION                                                                                 \
    {                                                                                              \
        .name = "mul", .def = "auto", .domain = "auto|lut|dsp",                                    \
        .help = "what multiplies: LUTs, DSP blocks, or as the device has room",                    \
        .kind = NASHC_P_ENUM                                                                       \
    }
#define ADDERS_OPTION                                                                              \
    {                                                                                              \
        .name = "adder-graphs", .def = "auto", .domain = "auto|off|on",                            \
        .help = "constant weights as additions: where cheaper, nowhere, wherever they can be",     \
        .kind = NASHC_P_ENUM                                                                       \
    }
#define ADDER_GRAPHS "choose-adder-graphs(use=$adder-graphs;backend=$backend;device=$device),"

#define FIT_OPTION                                                                                 \
    {                                                                                              \
        .name = "fit", .def = "false",                                                             \
        .help = "in place of a target: most frames a second that the device has room for",         \
        .kind = NASHC_P_BOOL                                                                       \
    }
#define FILL_OPTION                                                                                \
    {                                                                                              \
        .name = "fill", .def = "0",                                                                \
        .help = "fit: per cent of each resource to fill; 0: what the device allows planners",      \
        .kind = NASHC_P_FLOAT                                                                      \
    }

/* How the hardware is wanted: the options of the list below, handed on by `compile`. */
static const nashc_param hardware_options[] = {
    {.name = "backend", .def = "", .help = "whose models of layers count", .kind = NASHC_P_STRING},
    {.name = "device",
     .def = "",
     .help = "device that costs are counted for; see `nashc list devices`",
     .kind = NASHC_P_STRING},
    {.name = "clock-ns", .def = "10", .help = "clock period", .kind = NASHC_P_FLOAT},
    {.name = "target-fps",
     .def = "0",
     .help = "fold until so many frames a second; 0: at most 64 multipliers a layer",
     .kind = NASHC_P_FLOAT},
    {.name = "mvau-wwidth-max",
     .def = "0",
     .domain = "0..",
     .help = "most weight bits a PE reads a cycle; 0: no limit",
     .kind = NASHC_P_INT},
    {.name = "folding",
     .def = "exact",
     .domain = "exact|compat",
     .help = "cheapest folding for the target, or FINN's algorithm",
     .kind = NASHC_P_ENUM},
    {.name = "two-pass",
     .def = "true",
     .help = "compat: fold again for the slowest layer if the target is missed",
     .kind = NASHC_P_BOOL},
    FIT_OPTION,
    FILL_OPTION,
    {.name = "mem-mode",
     .def = "",
     .help =
         "where the weights of all layers live: internal_decoupled, internal_embedded or external",
     .kind = NASHC_P_STRING},
    {.name = "runtime-writeable-weights",
     .def = "false",
     .help = "AXI-Lite can replace the weights of all layers",
     .kind = NASHC_P_BOOL},
    {.name = "folding-file",
     .def = "",
     .help = "FINN folding file that replaces the folding and FIFO depths found",
     .kind = NASHC_P_PATH},
    {.name = "zero-words",
     .def = "",
     .help = "all-zero weight words of all layers: read: they take a step; skip: they take none",
     .kind = NASHC_P_STRING},
    MUL_OPTION,
    ADDERS_OPTION,
    {0},
};

/* The back half: the integer graph to layers, folded, with converters and FIFOs. */
const nashc_pipeline nashc_pipeline_hardware = {
    NASHC_DESC(nashc_pipeline),
    .name = "hardware",
    .help = "the integer graph to folded hardware layers with width converters and FIFOs",
    .text =
        "to-channels-last,to-hw,if<mem-mode>(set-weights(mem-mode=$mem-mode)),"
        "if<runtime-writeable-weights>(set-weights(runtime-writeable-weights=true)),"
        "if<zero-words>(set-weights(zero-words=$zero-words)),"
        "set-folding(clock-ns=$clock-ns;target-fps=$target-fps;"
        "mvau-wwidth-max=$mvau-wwidth-max;folding=$folding;two-pass=$two-pass;fit=$fit;fill=$fill;"
        "mul=$mul;adder-graphs=$adder-graphs;backend=$backend;device=$device),"
        "if<folding-file>(apply-folding(file=$folding-file))," ADDER_GRAPHS
        "insert-dwc,insert-fifo(backend=$backend;file=$folding-file),"
        "if<device>(place-memories(backend=$backend;device=$device;fit=$fit;fill=$fill))",
    .options = hardware_options,
};

/* What `nashc compile` and nashc_compile() run. */
const nashc_pipeline nashc_pipeline_compile = {
    NASHC_DESC(nashc_pipeline),
    .name = "compile",
    .help = "any imported model to folded hardware layers, as `nashc compile` does it",
    .text = "fix-batch,streamline,check-streamlined,"
            "hardware(backend=$backend;device=$device;clock-ns=$clock-ns;target-fps=$target-fps;"
            "mvau-wwidth-max=$mvau-wwidth-max;folding=$folding;two-pass=$two-pass;fit=$fit;"
            "fill=$fill;folding-file=$folding-file;mem-mode=$mem-mode;"
            "runtime-writeable-weights=$runtime-writeable-weights;mul=$mul;"
            "adder-graphs=$adder-graphs;zero-words=$zero-words)",
    .options = hardware_options,
};

static const nashc_param refold_options[] = {
    {.name = "backend", .def = "", .help = "whose models of layers count", .kind = NASHC_P_STRING},
    {.name = "folding-file",
     .def = "",
     .help = "FINN folding file; without one the layers stay as they are",
     .kind = NASHC_P_PATH},
    {.name = "device",
     .def = "",
     .help = "device that costs are counted for",
     .kind = NASHC_P_STRING},
    ADDERS_OPTION,
    {0},
};

/* What they run on a graph that consists of layers already. */
const nashc_pipeline nashc_pipeline_refold = {
    NASHC_DESC(nashc_pipeline),
    .name = "refold",
    .help = "hardware layers folded anew from a FINN folding file",
    .text = "if<folding-file>(remove-dwc-fifo,apply-folding(file=$folding-file)," ADDER_GRAPHS
            "insert-dwc,insert-fifo(backend=$backend;file=$folding-file))",
    .options = refold_options,
};

static const nashc_param retarget_options[] = {
    {.name = "backend", .def = "", .help = "whose models of layers count", .kind = NASHC_P_STRING},
    {.name = "device",
     .def = "",
     .help = "device that costs are counted for",
     .kind = NASHC_P_STRING},
    {.name = "clock-ns", .def = "10", .help = "clock period", .kind = NASHC_P_FLOAT},
    {.name = "target-fps",
     .def = "0",
     .help = "frames a second that every layer must reach",
     .kind = NASHC_P_FLOAT},
    FIT_OPTION,
    FILL_OPTION,
    {.name = "reserve",
     .def = "[]",
     .help = "fit: LUT, FF, BRAM_18K, URAM, DSP to be left for FIFOs",
     .kind = NASHC_P_INTS},
    {.name = "mvau-wwidth-max",
     .def = "0",
     .domain = "0..",
     .help = "most weight bits a PE reads a cycle; 0: no limit",
     .kind = NASHC_P_INT},
    MUL_OPTION,
    ADDERS_OPTION,
    {0},
};

/* What nashc_compile() runs where layers that are fast enough wait for each other, or leave no room
 * for their FIFOs. */
const nashc_pipeline nashc_pipeline_retarget = {
    NASHC_DESC(nashc_pipeline),
    .name = "retarget",
    .help = "hardware layers folded anew for another target",
    .text =
        "remove-dwc-fifo,set-folding(clock-ns=$clock-ns;target-fps=$target-fps;short=0;fit=$fit;"
        "fill=$fill;reserve=$reserve;anew=true;"
        "mvau-wwidth-max=$mvau-wwidth-max;mul=$mul;adder-graphs=$adder-graphs;"
        "backend=$backend;device=$device)," ADDER_GRAPHS "insert-dwc,insert-fifo(backend=$backend),"
        "if<device>(place-memories(backend=$backend;device=$device;fit=$fit;fill=$fill))",
    .options = retarget_options,
};
