/* running.h: whose code runs now, so that a crash, a hang or a silent failure finds its owner. */
#ifndef NASHC_RUNNING_H
#define NASHC_RUNNING_H

#include <nashc/plugin.h>

NASHC_BEGIN

/* One call into the code of a descriptor; on the stack of the caller, filled by nashc_enter. */
typedef struct nashc_frame {
    struct nashc_frame *outer;
    nashc_ctx *ctx;
    nashc_diag *diag;
    const char *name;
    const nashc_node *node; /* at hand; NULL: none, or not known */
    const nashc_node *seen; /* the last one that NASHC_EACH_NODE came to */
    uint32_t kind;          /* nashc_desc_kind */
    int n_messages;         /* of diag, before the call */
} nashc_frame;

/* Notes that the code of descriptor (k, name) is about to run for node n (NULL: none). For
 * NASHC_D_IMPL name is the interface and n a node of its op; for NASHC_D_PLUGIN (a plugin is being
 * loaded) name is its file. Calls nest; every nashc_enter is met by one nashc_leave. f, name and n
 * outlive the call. d: where the code reports; NULL: nowhere. O(1). */
NASHC_API void nashc_enter(nashc_frame *f, nashc_ctx *c, nashc_desc_kind k, const char *name,
                           const nashc_node *n, nashc_diag *d);

/* Ends it. s: what the code returned. A failure that it reported to nobody gets a message that
 * names descriptor, node and status. Returns s, but NASHC_EPLUGIN in place of NASHC_EBUG, and of
 * values that are no status, if a plugin is to blame. */
NASHC_API nashc_status nashc_leave(nashc_frame *f, nashc_status s);

/* Whose code runs in this thread. */
typedef struct nashc_running {
    const char *origin; /* file of the plugin to blame; NULL: nashc itself */
    char what[160];     /* `pass "x"`, made safe for a terminal and for JSON */
    char where[480];    /* ` at node "conv1" (nn.conv)`, or "" */
} nashc_running;

/* False: no code of a descriptor runs. The innermost call of a plugin is to blame; but not if a
 * built-in pass, frontend, backend, executor or command lies between: that one is. Built-in
 * operators do what their caller asks. Only for handlers of signals and ends of the process: it is
 * async-signal-safe, and looks at nodes that a damaged pass may have freed. */
NASHC_API bool nashc_running_now(nashc_running *out);

/* Writes the repro file of the running pipeline (nashc_pm_options.repro, repro_on_bug): the graph
 * from before the running pass. For a process that ends anyway, after a crash: it allocates, so it
 * may fail or hang where the heap is damaged. */
NASHC_API void nashc_running_repro(void);

NASHC_END
#endif
