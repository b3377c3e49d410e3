/* plugin.c: what training adds to nashc: rules of gradients, and commands. */
#include "plugins/train/grad/rules.h"
#include "plugins/train/run/commands.h"
#include "plugins/train/search/ops.h"
#include "plugins/train/warnings.h"
#include <nashc/plugin.h>

static const nashc_command *const commands[] = {&train_command_train, &train_command_eval,
                                                &train_command_search, NULL};

static const nashc_plugin train = {
    NASHC_DESC(nashc_plugin),
    .abi = NASHC_ABI,
    .name = "train",
    .version = "1.0",
    .help = "quantisation-aware training",
    .ops = search_ops,
    .impls = train_impls,
    .commands = commands,
    .warnings = train_warnings,
};

const nashc_plugin *
nashc_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &train;
}
