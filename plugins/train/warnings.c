/* warnings.c: warnings of training and search, in the list train_warnings. */
#include "plugins/train/warnings.h"

static const nashc_warn hidden_objects = {
    NASHC_DESC(nashc_warn),
    .name = "hidden-objects",
    .help = "the network cannot express some objects of the data, which count as missed; a "
            "finer grid of outputs has room for more",
};

static const nashc_warn missing_test_data = {
    NASHC_DESC(nashc_warn),
    .name = "missing-test-data",
    .help = "the data have no test images and accuracy is that of the training images; name "
            "data with a test part",
};

static const nashc_warn search_odd_map = {
    NASHC_DESC(nashc_warn),
    .name = "search-odd-map",
    .help = "a primitive is left out on edges whose maps have an odd size; size=32x32 in "
            "--data makes them even",
};

static const nashc_warn search_skips = {
    NASHC_DESC(nashc_warn),
    .name = "search-skips",
    .help = "skip_connect crowds out what has weights; a longer --warmup, a smaller "
            "--arch-lr or --version v4 counters that",
};

static const nashc_warn search_slow = {
    NASHC_DESC(nashc_warn),
    .name = "search-slow",
    .help = "some branches miss the rate and are counted at their fastest folding; ask for "
            "a lower --target-fps",
};

const nashc_warn *const train_warnings[] = {&hidden_objects, &missing_test_data, &search_odd_map,
                                            &search_skips,   &search_slow,       NULL};
