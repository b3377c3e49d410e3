/* hand_down.c: commands that nashc starts itself know the plugins of this one. */
#define _DEFAULT_SOURCE 1 /* realpath */
#include "tool.h"
#include <stdlib.h>
#include <string.h>

#define PLUGIN_PATH "NASHC_PLUGIN_PATH"

/* By the variable, as every process below has it, whoever starts it. Full names, as one may work in
 * another folder; behind what stands there, which was loaded first here too. */
nashc_status
tool_hand_down(const char *const *plugin, int n, nashc_arena *a, nashc_diag *d)
{
    const char *old = getenv(PLUGIN_PATH), *all = old && old[0] ? old : "";

    for (int i = 0; all && i < n; i++) {
        char *full = realpath(plugin[i], NULL);
        const char *name = full ? full : plugin[i];
        if (strchr(name, ':')) {
            nashc_loc loc = {.file = plugin[i]};
            nashc_remark(d, &loc,
                         "commands that nashc starts itself do without this plugin: its name holds "
                         "a colon, at which " PLUGIN_PATH " is divided");
        } else {
            all = nashc_arena_printf(a, "%s%s%s", all, all[0] ? ":" : "", name);
        }
        free(full);
    }
    return all && (n == 0 || setenv(PLUGIN_PATH, all, 1) == 0) ? NASHC_OK : nashc_enomem(d);
}
