/* warnings.c: warnings of the commands, in the list tool_warnings. */
#include "tool.h"

static const nashc_warn cycle_model = {
    NASHC_DESC(nashc_warn),
    .name = "cycle-model",
    .help = "the simulated design takes other cycles than the models of its layers say; "
            "figures of estimates are off by as much: please report it, or correct the "
            "model of your plugin",
};

static const nashc_warn long_run = {
    NASHC_DESC(nashc_warn),
    .name = "long-run",
    .help = "what was asked for may take long; the message names an option that makes it "
            "shorter, and --max-time ends it",
};

static const nashc_warn pareto_slow = {
    NASHC_DESC(nashc_warn),
    .name = "pareto-slow",
    .help = "a network misses the rate and its point is that of the rate it reaches; ask "
            "for a lower --target-fps",
};

const nashc_warn *const tool_warnings[] = {&cycle_model, &long_run, &pareto_slow, NULL};
