/* registry.c: contexts, and the one table in which built-in and plugin descriptors live. */
#include "flowsim.h"
#include "host.h"
#include <string.h>

/* --- lookup ---------------------------------------------------------------------------------- */

/* The map holds index + 1. */
int
nashc_table_find(const nashc_table *t, const char *key)
{
    return (int)(intptr_t)nashc_map_get(&t->map, key) - 1;
}

static bool
set_key(nashc_table *t, const char *key, int index)
{
    return nashc_map_put(&t->map, key, (void *)(intptr_t)(index + 1));
}

/* Adds without any check. An entry of the same name is hidden by the new one. */
static bool
add_entry(nashc_ctx *c, nashc_desc_kind k, const void *desc, const char *origin)
{
    nashc_table *t = &c->table[k];
    const char *name = nashc_desc_name(c, k, desc), *alias = nashc_desc_alias(k, desc);
    if (!name || !nashc_mem_grow((void **)&t->entry, &t->cap, t->n + 1, sizeof *t->entry))
        return false;
    int old = nashc_table_find(t, name), now = (int)t->n;
    if (old >= 0)
        t->entry[old].hidden = true;
    bool foreign = strcmp(origin, "built-in") != 0;
    t->entry[t->n++] = (nashc_entry){desc, name, alias, origin, false, foreign};
    bool ok = set_key(t, name, now);
    /* Several boards may carry one part: the first keeps it. */
    for (const char *part; ok && (part = nashc_next_alias(c, &alias));)
        if (nashc_table_find(t, part) < 0 || nashc_table_find(t, part) == old)
            ok = set_key(t, part, now);
    nashc_mem_free(t->names);
    t->names = NULL;
    return ok;
}

/* --- registration ---------------------------------------------------------------------------- */

static bool
keep_plugin(nashc_ctx *c, const nashc_plugin *p, const char *origin)
{
    if (!nashc_mem_grow((void **)&c->plugin, &c->cap_plugins, c->n_plugins + 1, sizeof *c->plugin))
        return false;
    c->plugin[c->n_plugins++] = (struct nashc_plugin_row){p, origin};
    return true;
}

/* All is checked before anything is added (nashc_admit), so only memory can leave a plugin half
 * registered; the context is then not used on. */
nashc_status
nashc_register(nashc_ctx *c, const nashc_plugin *p, const char *origin, nashc_diag *d)
{
    const char *from = nashc_arena_strdup(c->arena, origin);
    nashc_status s = from ? nashc_admit(c, p, from, d) : nashc_enomem(d);
    bool room = s == NASHC_OK;
    for (int k = 0; room && k < NASHC_N_DESC; k++) {
        const void *const *list = nashc_plugin_list(p, (nashc_desc_kind)k);
        for (int i = 0; room && list[i]; i++)
            room = add_entry(c, (nashc_desc_kind)k, list[i], from);
    }
    if (s == NASHC_OK && !(room && keep_plugin(c, p, from)))
        return nashc_enomem(d);
    return s;
}

/* --- contexts -------------------------------------------------------------------------------- */

extern const nashc_executor nashc_executor_reference;
extern const nashc_frontend nashc_frontend_nashir;

/* The host's own descriptors come in by the same way as a plugin's. */
nashc_ctx *
nashc_ctx_create(void)
{
    static const nashc_executor *const executors[] = {&nashc_executor_reference, NULL};
    static const nashc_frontend *const frontends[] = {&nashc_frontend_nashir, NULL};
    static const nashc_plugin host = {NASHC_DESC(nashc_plugin),
                                      .abi = NASHC_ABI,
                                      .name = "host",
                                      .version = NASHC_VERSION,
                                      .help = "reference executor and the reader of the text form",
                                      .frontends = frontends,
                                      .executors = executors};
    nashc_ctx *c = nashc_mem_calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->arena = nashc_arena_create();
    c->diag = nashc_diag_create();
    c->ir = nashc_irctx_create();
    if (!c->arena || !c->diag || !c->ir) {
        nashc_ctx_free(c);
        return NULL;
    }
    /* A fault here is a fault of the build; it stays in the diagnostics, where tests look. */
    nashc_status s = nashc_register(c, &host, "built-in", c->diag);
    if (s == NASHC_OK)
        s = nashc_register(c, &nashc_builtins, "built-in", c->diag);
    if (s == NASHC_ENOMEM) {
        nashc_ctx_free(c);
        return NULL;
    }
    return c;
}

/* Libraries of plugins are never unloaded: other contexts may have their descriptors. */
void
nashc_ctx_free(nashc_ctx *c)
{
    if (!c)
        return;
    for (int k = 0; k < NASHC_N_DESC; k++) {
        nashc_mem_free(c->table[k].entry);
        nashc_map_free(&c->table[k].map);
        nashc_mem_free(c->table[k].names);
    }
    nashc_mem_free(c->plugin);
    flow_seen_free(c->flow_seen);
    nashc_irctx_free(c->ir);
    nashc_diag_free(c->diag);
    nashc_arena_free(c->arena);
    nashc_mem_free(c);
}

nashc_irctx *
nashc_ctx_ir(nashc_ctx *c)
{
    return c->ir;
}

nashc_diag *
nashc_ctx_diag(nashc_ctx *c)
{
    return c->diag;
}

/* --- queries --------------------------------------------------------------------------------- */

/* O(1). Ops end at unknown.NAME, made at demand: an imported graph with operators that nobody knows
 * is still a graph. */
const void *
nashc_find(nashc_ctx *c, nashc_desc_kind k, const char *name)
{
    int i = nashc_table_find(&c->table[k], name);
    if (i >= 0)
        return c->table[k].entry[i].desc;
    return k == NASHC_D_OP ? nashc_op_unknown(c->ir, name) : NULL;
}

/* The i-th entry that is not replaced. */
static const nashc_entry *
visible_entry(nashc_ctx *c, nashc_desc_kind k, int i)
{
    const nashc_table *t = &c->table[k];
    for (size_t e = 0; i >= 0 && e < t->n; e++)
        if (!t->entry[e].hidden && i-- == 0)
            return &t->entry[e];
    return NULL;
}

/* O(n) each, so O(n^2) for a list: hundreds of entries. */
const void *
nashc_desc_at(nashc_ctx *c, nashc_desc_kind k, int i)
{
    const nashc_entry *e = visible_entry(c, k, i);
    return e ? e->desc : NULL;
}

const char *
nashc_desc_origin(nashc_ctx *c, nashc_desc_kind k, int i)
{
    const nashc_entry *e = visible_entry(c, k, i);
    return e ? e->origin : NULL;
}

const nashc_plugin *
nashc_plugin_at(nashc_ctx *c, int i)
{
    return i >= 0 && (size_t)i < c->n_plugins ? c->plugin[i].plugin : NULL;
}

const char *
nashc_plugin_of(const nashc_ctx *c, nashc_desc_kind k, const char *name, const char *op)
{
    const nashc_table *t = c && k < NASHC_N_DESC ? &c->table[k] : NULL;
    for (size_t i = 0; t && i < t->n; i++) {
        const nashc_entry *e = &t->entry[i];
        const nashc_impl *impl = k == NASHC_D_IMPL ? e->desc : NULL;
        bool same = impl ? op && strcmp(impl->iface, name) == 0 && strcmp(impl->op, op) == 0
                         : strcmp(e->name, name) == 0;
        if (same && !e->hidden)
            return e->foreign ? e->origin : NULL;
    }
    return NULL;
}

/* Built at demand, thrown away by the next registration; for messages of misspelt names. */
const char *const *
nashc_names(nashc_ctx *c, nashc_desc_kind k)
{
    static const char *const none[] = {NULL};
    nashc_table *t = &c->table[k];
    if (!t->names) {
        int n = 0;
        t->names = nashc_mem_calloc(t->n + 1, sizeof *t->names);
        if (!t->names)
            return none;
        for (size_t i = 0; i < t->n; i++)
            if (!t->entry[i].hidden)
                t->names[n++] = t->entry[i].name;
    }
    return t->names;
}

const void *
nashc_lookup(nashc_ctx *c, nashc_desc_kind k, const char *name, nashc_diag *d)
{
    const void *desc = nashc_find(c, k, name);
    if (desc)
        return desc;
    const char *near = nashc_nearest(d, name, nashc_names(c, k));
    nashc_usage(d, "unknown %s \"%s\"%s%s", nashc_desc_noun(k), nashc_quote(d, name),
                near[0] ? "; " : "", near);
    nashc_help(d, "see `nashc list %s%s`", nashc_desc_noun(k), k == NASHC_D_PASS ? "es" : "s");
    return NULL;
}

/* Keyed "iface/op", as an op has one implementation for each interface. */
static const nashc_impl *
find_impl(nashc_ctx *c, const char *iface, const char *op)
{
    char key[2 * NASHC_MAX_NAME + 2];
    int n = snprintf(key, sizeof key, "%s/%s", iface, op);
    if (n < 0 || (size_t)n >= sizeof key)
        return NULL;
    return nashc_find(c, NASHC_D_IMPL, key);
}

void (*nashc_impl_find(nashc_ctx *c, const char *iface, const char *op))(void)
{
    const nashc_impl *impl = find_impl(c, iface, op);
    return impl ? impl->fn : NULL;
}

const void *
nashc_impl_rule(nashc_ctx *c, const char *iface, const char *op)
{
    const nashc_impl *impl = find_impl(c, iface, op);
    return impl ? impl->rule : NULL;
}
