/* plugin.h: what a plugin exports, and the one table all descriptors live in. */
#ifndef NASHC_PLUGIN_H
#define NASHC_PLUGIN_H

#include <nashc/eval.h>
#include <nashc/io.h>
#include <nashc/pass.h>

NASHC_BEGIN

/* Arrays are NULL-terminated; a NULL array has none of the kind. All is const and static. */
typedef struct nashc_plugin {
    uint32_t struct_size, abi; /* abi: NASHC_ABI of the headers it was built with */
    const char *name, *version, *help;
    const nashc_op *const *ops;
    const nashc_pass *const *passes;
    const nashc_pipeline *const *pipelines;
    const nashc_frontend *const *frontends;
    const nashc_backend *const *backends;
    const nashc_executor *const *executors;
    const nashc_impl *const *impls;
    const nashc_command *const *commands;
    const nashc_device *const *devices;
    const nashc_warn *const *warnings; /* since ABI 2.1 */
} nashc_plugin;

/* The only symbol that a plugin exports. */
#define NASHC_PLUGIN_ENTRY "nashc_plugin_entry"
typedef const nashc_plugin *nashc_plugin_entry_fn(uint32_t host_abi);
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const nashc_plugin *
nashc_plugin_entry(uint32_t host_abi);

/* dlopen, check, and add as a unit; on a fault nothing is added and one diagnostic says why. */
NASHC_API nashc_status nashc_load_plugin(nashc_ctx *c, const char *path, nashc_diag *d);

/* Plugins of NASHC_PLUGIN_PATH (folders and files, ':' between) and of the install folder, sorted.
 * What cannot be loaded is skipped with the warning plugin-skipped; its status comes back where
 * that was made an error. */
NASHC_API nashc_status nashc_load_default_plugins(nashc_ctx *c, nashc_diag *d);

/* Adds the descriptors of p, checked like a loaded one; origin names it in messages. p and all it
 * points to must outlive c. */
NASHC_API nashc_status nashc_register(nashc_ctx *c, const nashc_plugin *p, const char *origin,
                                      nashc_diag *d);

typedef enum nashc_desc_kind {
    NASHC_D_OP,
    NASHC_D_PASS,
    NASHC_D_PIPELINE,
    NASHC_D_FRONTEND,
    NASHC_D_BACKEND,
    NASHC_D_EXECUTOR,
    NASHC_D_IMPL,
    NASHC_D_COMMAND,
    NASHC_D_DEVICE,
    NASHC_D_PLUGIN, /* no descriptor: for nashc_enter (running.h) */
    NASHC_D_WARNING
} nashc_desc_kind;

/* Descriptor by name or alias, NULL if there is none; by index in order of registration; and who
 * brought it ("built-in", or the file of a plugin). Impls have the name "iface/op". */
NASHC_API const void *nashc_find(nashc_ctx *c, nashc_desc_kind k, const char *name);
NASHC_API const void *nashc_desc_at(nashc_ctx *c, nashc_desc_kind k, int i);
NASHC_API const char *nashc_desc_origin(nashc_ctx *c, nashc_desc_kind k, int i);
NASHC_API const nashc_plugin *nashc_plugin_at(nashc_ctx *c, int i);

/* All names (not aliases) of a kind, NULL-terminated, for nashc_nearest; owned by c. */
NASHC_API const char *const *nashc_names(nashc_ctx *c, nashc_desc_kind k);

/* Finds by name or alias, or reports `unknown pass "x"; did you mean ...`. */
NASHC_API const void *nashc_lookup(nashc_ctx *c, nashc_desc_kind k, const char *name,
                                   nashc_diag *d);

/* Reports a name in what follows -W (nashc_diag_warn_option) that no descriptor of c has, as the
 * warning unknown-warning. To be asked when all plugins are loaded, as they bring names too. OK, or
 * EUSAGE where the warning was made an error. */
NASHC_API nashc_status nashc_check_warn_option(nashc_ctx *c, const char *option, nashc_diag *d);

NASHC_END
#endif
