/* warnings.c: warnings of passes, nashc_warn_<name>. */
#include <nashc/diag.h>

const nashc_warn nashc_warn_adder_graph = {
    NASHC_DESC(nashc_warn),
    .name = "adder-graph",
    .help = "a layer keeps its multipliers although additions were asked for; fewer "
            "weights, digits or bits are in reach of the backend",
};

const nashc_warn nashc_warn_folding_gap = {
    NASHC_DESC(nashc_warn),
    .name = "folding-gap",
    .help = "the folding may cost more than the cheapest one, by no more than the message "
            "says; another rate may be easier to solve",
};

const nashc_warn nashc_warn_folding_ignored = {
    NASHC_DESC(nashc_warn),
    .name = "folding-ignored",
    .help = "something in a folding file has no effect; remove it, or name a layer that "
            "takes it",
};

const nashc_warn nashc_warn_many_thresholds = {
    NASHC_DESC(nashc_warn),
    .name = "many-thresholds",
    .help = "thresholds take much memory; an activation of fewer bits, or with even steps, "
            "takes less",
};

const nashc_warn nashc_warn_rounded_scales = {
    NASHC_DESC(nashc_warn),
    .name = "rounded-scales",
    .help = "terms of a sum have scales without a common unit, and their multipliers are "
            "rounded; scales that are multiples of one unit are exact",
};

const nashc_warn nashc_warn_runtime_weights = {
    NASHC_DESC(nashc_warn),
    .name = "runtime-weights",
    .help = "thresholds were made for the weights of the model; with others the design is "
            "exact, but equals the model only while sums stay in the range that the message "
            "names",
};

const nashc_warn nashc_warn_unknown_layer = {
    NASHC_DESC(nashc_warn),
    .name = "unknown-layer",
    .help = "a folding file names a layer that is not there; `nashc estimate` shows the "
            "names",
};
