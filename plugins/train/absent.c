/* absent.c: the commands of training where it could not be built: they say what is missing. */
#include <nashc/nashc.h>

static int
say(nashc_ctx *c, const nashc_opts *o, int n_args, const char *const *args)
{
    nashc_diag *d = nashc_ctx_diag(c);

    (void)o, (void)n_args, (void)args;
    nashc_io_error(d, NULL, "this nashc was built without training");
    nashc_help(d,
               "apt-get install libjpeg-dev libpng-dev zlib1g-dev libopenblas0, then build again");
    return nashc_status_exit(NASHC_EIO);
}

static const nashc_param options[] = {
    {.name = "data", .def = "", .help = "images and labels", .kind = NASHC_P_STRING},
    {.name = "o", .def = "", .help = "folder of the run", .kind = NASHC_P_PATH},
    {0},
};

static const nashc_command train_command = {
    NASHC_DESC(nashc_command),
    .name = "train",
    .help = "train a network (not built in here)",
    .usage = "MODEL --data SPEC -o RUN",
    .example = "nashc train network.ngt --data fashion-mnist -o run",
    .options = options,
    .min_args = 0,
    .max_args = -1,
    .main = say,
};

static const nashc_command eval_command = {
    NASHC_DESC(nashc_command),
    .name = "eval",
    .help = "accuracy on labelled images (not built in here)",
    .usage = "MODEL --data SPEC",
    .example = "nashc eval run --data fashion-mnist",
    .options = options,
    .min_args = 0,
    .max_args = -1,
    .main = say,
};

static const nashc_command search_command = {
    NASHC_DESC(nashc_command),
    .name = "search",
    .help = "search the branches of a backbone (not built in here)",
    .usage = "--data SPEC -o RUN",
    .example = "nashc search --data fashion-mnist -o found",
    .options = options,
    .min_args = 0,
    .max_args = -1,
    .main = say,
};

static const nashc_command *const commands[] = {&train_command, &eval_command, &search_command,
                                                NULL};

static const nashc_plugin train = {
    NASHC_DESC(nashc_plugin),           .abi = NASHC_ABI,     .name = "train", .version = "1.0",
    .help = "says what training needs", .commands = commands,
};

const nashc_plugin *
nashc_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &train;
}
