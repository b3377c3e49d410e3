/* registry.c: contexts, and the one table in which built-in and plugin descriptors live. */
#include "host.h"
#include <ctype.h>
#include <string.h>

#define MAX_NAME 120

/* What the registry needs to know of each kind. The first members of all descriptors agree. */
typedef struct head {
    uint32_t struct_size, flags;
    const char *name;
} head;

typedef struct kind_info {
    const char *noun;
    size_t field;    /* of nashc_plugin */
    size_t min_size; /* of the descriptor in ABI 1.0 */
} kind_info;

static const kind_info kinds[NASHC_N_DESC] = {
    [NASHC_D_OP] = {"op", offsetof(nashc_plugin, ops), sizeof(nashc_op)},
    [NASHC_D_PASS] = {"pass", offsetof(nashc_plugin, passes), sizeof(nashc_pass)},
    [NASHC_D_PIPELINE] = {"pipeline", offsetof(nashc_plugin, pipelines),
                          offsetof(nashc_pipeline, options)},
    [NASHC_D_FRONTEND] = {"frontend", offsetof(nashc_plugin, frontends), sizeof(nashc_frontend)},
    [NASHC_D_BACKEND] = {"backend", offsetof(nashc_plugin, backends), sizeof(nashc_backend)},
    [NASHC_D_EXECUTOR] = {"executor", offsetof(nashc_plugin, executors), sizeof(nashc_executor)},
    [NASHC_D_IMPL] = {"impl", offsetof(nashc_plugin, impls), sizeof(nashc_impl)},
    [NASHC_D_COMMAND] = {"command", offsetof(nashc_plugin, commands), sizeof(nashc_command)},
    [NASHC_D_DEVICE] = {"device", offsetof(nashc_plugin, devices), sizeof(nashc_device)},
};

/* --- lookup ---------------------------------------------------------------------------------- */

/* The map holds index + 1. */
static int
find_index(const nashc_table *t, const char *key)
{
    return (int)(intptr_t)nashc_map_get(&t->map, key) - 1;
}

static bool
set_key(nashc_table *t, const char *key, int index)
{
    return nashc_map_put(&t->map, key, (void *)(intptr_t)(index + 1));
}

/* The next '|' separated part of *s, copied; *s moves on. NULL at the end. */
static const char *
next_alias(nashc_ctx *c, const char **s)
{
    if (!*s || !**s)
        return NULL;
    size_t len = strcspn(*s, "|");
    const char *part = nashc_arena_printf(c->arena, "%.*s", (int)len, *s);
    *s += len + ((*s)[len] == '|');
    return part;
}

static const char *
entry_alias(nashc_desc_kind k, const void *desc)
{
    if (k == NASHC_D_PASS)
        return ((const nashc_pass *)desc)->alias;
    if (k == NASHC_D_PIPELINE)
        return ((const nashc_pipeline *)desc)->alias;
    if (k == NASHC_D_DEVICE)
        return ((const nashc_device *)desc)->part;
    return NULL;
}

static const char *
entry_name(nashc_ctx *c, nashc_desc_kind k, const void *desc)
{
    if (k != NASHC_D_IMPL)
        return ((const head *)desc)->name;
    const nashc_impl *impl = desc;
    return nashc_arena_printf(c->arena, "%s/%s", impl->iface ? impl->iface : "",
                              impl->op ? impl->op : "");
}

/* Adds without any check. An entry of the same name is hidden by the new one. */
static bool
add_entry(nashc_ctx *c, nashc_desc_kind k, const void *desc, const char *origin)
{
    nashc_table *t = &c->table[k];
    const char *name = entry_name(c, k, desc), *alias = entry_alias(k, desc);
    if (!name || !nashc_mem_grow((void **)&t->entry, &t->cap, t->n + 1, sizeof *t->entry))
        return false;
    int old = find_index(t, name), now = (int)t->n;
    if (old >= 0)
        t->entry[old].hidden = true;
    t->entry[t->n++] = (nashc_entry){desc, name, alias, origin, false};
    bool ok = set_key(t, name, now);
    /* Several boards may carry one part: the first keeps it. */
    for (const char *part; ok && (part = next_alias(c, &alias));)
        if (find_index(t, part) < 0 || find_index(t, part) == old)
            ok = set_key(t, part, now);
    nashc_mem_free(t->names);
    t->names = NULL;
    return ok;
}

/* --- checks ---------------------------------------------------------------------------------- */

typedef struct check {
    nashc_ctx *ctx;
    nashc_diag *diag;
    const char *origin;
} check;

static bool
legal_name(const char *s)
{
    if (!s || !s[0] || strlen(s) > MAX_NAME)
        return false;
    for (; *s; s++)
        if (!isalnum((unsigned char)*s) && !strchr("._-/<>", *s))
            return false;
    return true;
}

nashc_status
nashc_schema_check(const nashc_param *schema, const char *owner, nashc_diag *d)
{
    char err[NASHC_ATTR_ERR];
    for (const nashc_param *p = schema; p && p->name; p++) {
        if (!legal_name(p->name))
            return nashc_error(d, NULL, "%s: option with an illegal name \"%s\"", owner,
                               nashc_quote(d, p->name));
        if (!p->help || !p->help[0])
            return nashc_error(d, NULL, "%s: option \"%s\" has no help", owner, p->name);
        if (!nashc_param_valid(p, err))
            return nashc_error(d, NULL, "%s: option \"%s\": %s", owner, p->name, err);
        for (const nashc_param *q = schema; q != p; q++)
            if (strcmp(q->name, p->name) == 0)
                return nashc_error(d, NULL, "%s: option \"%s\" is declared twice", owner, p->name);
    }
    return NASHC_OK;
}

static nashc_status
check_shape(const check *ck, nashc_desc_kind k, const void *desc, const char *owner)
{
    nashc_diag *d = ck->diag;
    const nashc_op *op = desc;
    const nashc_pass *pass = desc;
    const nashc_pipeline *pipeline = desc;
    const nashc_executor *ex = desc;
    const nashc_impl *impl = desc;

    switch (k) {
    case NASHC_D_OP:
        if (op->min_in < 0 || op->min_out < 1 || (op->max_in >= 0 && op->max_in < op->min_in) ||
            (op->max_out >= 0 && op->max_out < op->min_out))
            return nashc_error(d, NULL, "%s: operand or result counts are not ranges", owner);
        if (!op->infer && !(op->flags & NASHC_OP_OPAQUE))
            return nashc_error(d, NULL, "%s: infer is missing", owner);
        break;
    case NASHC_D_PASS:
        if (!pass->run && !pass->patterns)
            return nashc_error(d, NULL, "%s: neither patterns nor run", owner);
        for (int i = 0; pass->patterns && pass->patterns[i]; i++)
            if (!pass->patterns[i]->root || !pass->patterns[i]->rewrite)
                return nashc_error(d, NULL, "%s: pattern %d has no root or no rewrite", owner, i);
        break;
    case NASHC_D_PIPELINE:
        if (!pipeline->text)
            return nashc_error(d, NULL, "%s: no text", owner);
        break;
    case NASHC_D_FRONTEND:
        if (!((const nashc_frontend *)desc)->probe || !((const nashc_frontend *)desc)->read)
            return nashc_error(d, NULL, "%s: probe or read is missing", owner);
        break;
    case NASHC_D_BACKEND:
        if (!((const nashc_backend *)desc)->write)
            return nashc_error(d, NULL, "%s: write is missing", owner);
        break;
    case NASHC_D_EXECUTOR:
        if (!ex->prepare || !ex->run || !ex->free)
            return nashc_error(d, NULL, "%s: prepare, run or free is missing", owner);
        break;
    case NASHC_D_IMPL:
        if (!impl->fn == !impl->rule)
            return nashc_error(d, NULL, "%s: neither a function nor a rule, or both", owner);
        break;
    case NASHC_D_COMMAND:
        if (!((const nashc_command *)desc)->main)
            return nashc_error(d, NULL, "%s: main is missing", owner);
        break;
    case NASHC_D_DEVICE:
        if (!((const nashc_device *)desc)->part || !((const nashc_device *)desc)->family)
            return nashc_error(d, NULL, "%s: part or family is missing", owner);
        break;
    }
    return NASHC_OK;
}

static const nashc_param *
entry_schema(nashc_desc_kind k, const void *desc)
{
    switch (k) {
    case NASHC_D_OP:
        return ((const nashc_op *)desc)->attrs;
    case NASHC_D_PASS:
        return ((const nashc_pass *)desc)->options;
    case NASHC_D_PIPELINE:
        return NASHC_HAS((const nashc_pipeline *)desc, options)
                   ? ((const nashc_pipeline *)desc)->options
                   : NULL;
    case NASHC_D_FRONTEND:
        return ((const nashc_frontend *)desc)->options;
    case NASHC_D_BACKEND:
        return ((const nashc_backend *)desc)->options;
    case NASHC_D_EXECUTOR:
        return ((const nashc_executor *)desc)->options;
    case NASHC_D_COMMAND:
        return ((const nashc_command *)desc)->options;
    default:
        return NULL;
    }
}

static const char *
entry_help(nashc_desc_kind k, const void *desc)
{
    switch (k) {
    case NASHC_D_PASS:
        return ((const nashc_pass *)desc)->help;
    case NASHC_D_PIPELINE:
        return ((const nashc_pipeline *)desc)->help;
    case NASHC_D_IMPL:
        return "-"; /* has none */
    default:        /* name and help are neighbours in all others */
        return ((const nashc_op *)desc)->help;
    }
}

/* Is key taken by another descriptor, and may desc not replace it? */
static nashc_status
check_free(const check *ck, nashc_desc_kind k, const void *desc, const char *key)
{
    const nashc_table *t = &ck->ctx->table[k];
    int i = find_index(t, key);
    if (i < 0 || ((const head *)desc)->flags & NASHC_F_OVERRIDE)
        return NASHC_OK;
    nashc_error(ck->diag, NULL, "%s: %s \"%s\" exists already, from %s", ck->origin, kinds[k].noun,
                key, t->entry[i].origin);
    nashc_help(ck->diag, "a descriptor with NASHC_F_OVERRIDE may replace it");
    return NASHC_EINPUT;
}

static nashc_status
check_one(const check *ck, nashc_desc_kind k, const void *desc)
{
    const head *h = desc;
    nashc_diag *d = ck->diag;
    if (h->struct_size < kinds[k].min_size || h->struct_size > (1u << 20))
        return nashc_error(d, NULL, "%s: a %s descriptor has struct_size %u, expected %zu or more",
                           ck->origin, kinds[k].noun, h->struct_size, kinds[k].min_size);
    const char *name = entry_name(ck->ctx, k, desc);
    if (!legal_name(name))
        return nashc_error(d, NULL, "%s: a %s has the illegal name \"%s\"", ck->origin,
                           kinds[k].noun, nashc_quote(d, name));
    const char *owner =
        nashc_arena_printf(ck->ctx->arena, "%s: %s \"%s\"", ck->origin, kinds[k].noun, name);
    if (!owner)
        return nashc_enomem(d);
    const char *help = entry_help(k, desc);
    if (!help || !help[0])
        return nashc_error(d, NULL, "%s: no help", owner);
    nashc_status s = check_shape(ck, k, desc, owner);
    if (s == NASHC_OK)
        s = nashc_schema_check(entry_schema(k, desc), owner, d);
    if (s == NASHC_OK)
        s = check_free(ck, k, desc, name);
    const char *alias = k == NASHC_D_DEVICE ? NULL : entry_alias(k, desc);
    for (const char *part; s == NASHC_OK && (part = next_alias(ck->ctx, &alias));)
        s = check_free(ck, k, desc, part);
    return s;
}

static const void *const *
plugin_list(const nashc_plugin *p, nashc_desc_kind k)
{
    static const void *const none[] = {NULL};
    if (p->struct_size < kinds[k].field + sizeof(void *))
        return none;
    const void *const *list = *(const void *const *const *)((const char *)p + kinds[k].field);
    return list ? list : none;
}

/* No name twice inside one plugin; pairs, as lists are short. */
static nashc_status
check_twins(const check *ck, nashc_desc_kind k, const void *const *list, int i)
{
    const char *name = entry_name(ck->ctx, k, list[i]);
    for (int j = 0; j < i; j++) {
        const char *other = entry_name(ck->ctx, k, list[j]);
        if (name && other && strcmp(name, other) == 0)
            return nashc_error(ck->diag, NULL, "%s: %s \"%s\" is listed twice", ck->origin,
                               kinds[k].noun, name);
    }
    return NASHC_OK;
}

static bool
keep_plugin(nashc_ctx *c, const nashc_plugin *p, const char *origin)
{
    if (!nashc_mem_grow((void **)&c->plugin, &c->cap_plugins, c->n_plugins + 1, sizeof *c->plugin))
        return false;
    c->plugin[c->n_plugins++] = (struct nashc_plugin_row){p, origin};
    return true;
}

nashc_status
nashc_register(nashc_ctx *c, const nashc_plugin *p, const char *origin, nashc_diag *d)
{
    check ck = {c, d, nashc_arena_strdup(c->arena, origin)};
    nashc_status s = ck.origin ? NASHC_OK : nashc_enomem(d);
    if (s == NASHC_OK && p->struct_size < offsetof(nashc_plugin, ops))
        s = nashc_error(d, NULL, "%s: plugin descriptor has struct_size %u", origin,
                        p->struct_size);
    if (s == NASHC_OK && (p->abi >> 16 != NASHC_ABI_MAJOR || (p->abi & 0xffff) > NASHC_ABI_MINOR))
        s = nashc_error(d, &(nashc_loc){.file = ck.origin},
                        "built for plugin ABI %u.%u, this nashc provides %d.%d", p->abi >> 16,
                        p->abi & 0xffff, NASHC_ABI_MAJOR, NASHC_ABI_MINOR);
    if (s == NASHC_OK && (!legal_name(p->name) || !p->version || !p->help))
        s = nashc_error(d, NULL, "%s: plugin without name, version or help", origin);
    for (int k = 0; s == NASHC_OK && k < NASHC_N_DESC; k++) {
        const void *const *list = plugin_list(p, (nashc_desc_kind)k);
        for (int i = 0; s == NASHC_OK && list[i]; i++) {
            s = check_one(&ck, (nashc_desc_kind)k, list[i]);
            if (s == NASHC_OK && p != &nashc_builtins)
                s = check_twins(&ck, (nashc_desc_kind)k, list, i);
        }
    }
    bool room = s == NASHC_OK;
    for (int k = 0; room && k < NASHC_N_DESC; k++) {
        const void *const *list = plugin_list(p, (nashc_desc_kind)k);
        for (int i = 0; room && list[i]; i++)
            room = add_entry(c, (nashc_desc_kind)k, list[i], ck.origin);
    }
    if (s == NASHC_OK && !(room && keep_plugin(c, p, ck.origin)))
        return nashc_enomem(d);
    return s;
}

/* --- contexts -------------------------------------------------------------------------------- */

extern const nashc_executor nashc_executor_reference;
extern const nashc_frontend nashc_frontend_nashir;

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

const void *
nashc_find(nashc_ctx *c, nashc_desc_kind k, const char *name)
{
    int i = find_index(&c->table[k], name);
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
    nashc_usage(d, "unknown %s \"%s\"%s%s", kinds[k].noun, nashc_quote(d, name),
                near[0] ? "; " : "", near);
    nashc_help(d, "see `nashc list %ss`", kinds[k].noun);
    return NULL;
}

static const nashc_impl *
find_impl(nashc_ctx *c, const char *iface, const char *op)
{
    char key[2 * MAX_NAME + 2];
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
