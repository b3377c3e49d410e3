/* admission.c: is a plugin sound? All that it brings is checked before any of it is added. */
#include "host.h"
#include <ctype.h>
#include <string.h>

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

/* min_size: members that came later are optional, told by struct_size (NASHC_HAS). */
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
    [NASHC_D_PLUGIN] = {.noun = "plugin"}, /* is no descriptor */
    [NASHC_D_WARNING] = {"warning", offsetof(nashc_plugin, warnings), sizeof(nashc_warn)},
};

const char *
nashc_desc_noun(nashc_desc_kind k)
{
    return kinds[k < NASHC_N_DESC ? k : NASHC_D_PLUGIN].noun;
}

/* --- names ----------------------------------------------------------------------------------- */

/* The next '|' separated part of *s, copied; *s moves on. NULL at the end. */
const char *
nashc_next_alias(nashc_ctx *c, const char **s)
{
    if (!*s || !**s)
        return NULL;
    size_t len = strcspn(*s, "|");
    const char *part = nashc_arena_printf(c->arena, "%.*s", (int)len, *s);
    *s += len + ((*s)[len] == '|');
    return part;
}

const char *
nashc_desc_alias(nashc_desc_kind k, const void *desc)
{
    if (k == NASHC_D_PASS)
        return ((const nashc_pass *)desc)->alias;
    if (k == NASHC_D_PIPELINE)
        return ((const nashc_pipeline *)desc)->alias;
    if (k == NASHC_D_DEVICE)
        return ((const nashc_device *)desc)->part;
    return NULL;
}

const char *
nashc_desc_name(nashc_ctx *c, nashc_desc_kind k, const void *desc)
{
    if (k != NASHC_D_IMPL)
        return ((const head *)desc)->name;
    const nashc_impl *impl = desc;
    return nashc_arena_printf(c->arena, "%s/%s", impl->iface ? impl->iface : "",
                              impl->op ? impl->op : "");
}

/* --- checks ---------------------------------------------------------------------------------- */

typedef struct check {
    nashc_ctx *ctx;
    nashc_diag *diag;
    nashc_loc file;   /* of the plugin */
    nashc_map *given; /* by kind: names of this plugin so far, to their owners */
} check;

/* Letters, digits and "._-", one of the first two in front: safe in a shell, a path, a pipeline,
 * HTML and generated code. */
static bool
legal_name(const char *s)
{
    if (!s || !isalnum((unsigned char)s[0]) || strlen(s) > NASHC_MAX_NAME)
        return false;
    return s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == 0;
}

/* Words like ".onnx .pb". */
static bool
legal_suffixes(nashc_ctx *c, const char *s)
{
    for (; s && *s; s += strspn(s, " ")) {
        size_t len = strcspn(s, " ");
        if (s[0] != '.' || !legal_name(nashc_arena_printf(c->arena, "%.*s", (int)len - 1, s + 1)))
            return false;
        s += len;
    }
    return true;
}

static nashc_status
illegal(const check *ck, const char *owner, const char *what, const char *name)
{
    nashc_error(ck->diag, &ck->file, "%s: illegal %s \"%s\"", owner, what,
                name ? nashc_quote(ck->diag, name) : "(none)");
    nashc_help(ck->diag,
               "a name has letters, digits, \".\", \"_\" and \"-\", up to %d of them, and "
               "starts with a letter or a digit",
               NASHC_MAX_NAME);
    return NASHC_EINPUT;
}

static nashc_status
check_schema(const check *ck, const nashc_param *schema, const char *owner)
{
    nashc_diag *d = ck->diag;
    char err[NASHC_ATTR_ERR];
    for (const nashc_param *p = schema; p && p->name; p++) {
        if (!legal_name(p->name))
            return illegal(ck, owner, "name of an option:", p->name);
        if (!p->help || !p->help[0])
            return nashc_error(d, &ck->file, "%s: option \"%s\" has no help", owner, p->name);
        if (!nashc_param_valid(p, err))
            return nashc_error(d, &ck->file, "%s: option \"%s\": %s", owner, p->name, err);
        for (const nashc_param *q = schema; q != p; q++)
            if (strcmp(q->name, p->name) == 0)
                return nashc_error(d, &ck->file, "%s: option \"%s\" is declared twice", owner,
                                   p->name);
    }
    return NASHC_OK;
}

/* Can -W name a warning by this? */
static bool
is_flag(const char *name)
{
    return strncmp(name, "no-", 3) != 0 && strcmp(name, "all") != 0 && strcmp(name, "error") != 0;
}

/* What the rest of nashc takes for granted of a descriptor, so that no caller needs to check it. */
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
            return nashc_error(d, &ck->file, "%s: operand or result counts are not ranges", owner);
        if (!op->infer && !(op->flags & NASHC_OP_OPAQUE))
            return nashc_error(d, &ck->file, "%s: infer is missing", owner);
        break;
    case NASHC_D_PASS:
        if (!pass->run && !pass->patterns)
            return nashc_error(d, &ck->file, "%s: neither patterns nor run", owner);
        for (int i = 0; pass->patterns && pass->patterns[i]; i++)
            if (!pass->patterns[i]->root || !pass->patterns[i]->rewrite)
                return nashc_error(d, &ck->file, "%s: pattern %d has no root or no rewrite", owner,
                                   i);
        break;
    case NASHC_D_PIPELINE:
        if (!pipeline->text)
            return nashc_error(d, &ck->file, "%s: no text", owner);
        break;
    case NASHC_D_FRONTEND:
        if (!((const nashc_frontend *)desc)->probe || !((const nashc_frontend *)desc)->read)
            return nashc_error(d, &ck->file, "%s: probe or read is missing", owner);
        if (!legal_suffixes(ck->ctx, ((const nashc_frontend *)desc)->suffixes))
            return illegal(ck, owner, "suffixes", ((const nashc_frontend *)desc)->suffixes);
        break;
    case NASHC_D_BACKEND:
        if (!((const nashc_backend *)desc)->write)
            return nashc_error(d, &ck->file, "%s: write is missing", owner);
        if (!legal_suffixes(ck->ctx, ((const nashc_backend *)desc)->suffixes))
            return illegal(ck, owner, "suffixes", ((const nashc_backend *)desc)->suffixes);
        break;
    case NASHC_D_EXECUTOR:
        if (!ex->prepare || !ex->run || !ex->free)
            return nashc_error(d, &ck->file, "%s: prepare, run or free is missing", owner);
        break;
    case NASHC_D_IMPL:
        if (!legal_name(impl->iface) || !legal_name(impl->op))
            return illegal(ck, owner, "interface or op", impl->iface);
        if (!impl->fn == !impl->rule)
            return nashc_error(d, &ck->file, "%s: neither a function nor a rule, or both", owner);
        break;
    case NASHC_D_COMMAND:
        if (!((const nashc_command *)desc)->main)
            return nashc_error(d, &ck->file, "%s: main is missing", owner);
        break;
    case NASHC_D_PLUGIN: /* is no descriptor */
        break;
    case NASHC_D_WARNING:
        if (!is_flag(((const nashc_warn *)desc)->name))
            return nashc_error(d, &ck->file, "%s: -W reads this name as something else", owner);
        break;
    case NASHC_D_DEVICE:
        if (!legal_name(((const nashc_device *)desc)->part))
            return illegal(ck, owner, "part", ((const nashc_device *)desc)->part);
        if (!legal_name(((const nashc_device *)desc)->family))
            return illegal(ck, owner, "family", ((const nashc_device *)desc)->family);
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

/* --- whose name is it ------------------------------------------------------------------------ */

/* Names of passes and pipelines, aliases included, are one space: both stand in a pipeline. */
static nashc_desc_kind
space_of(nashc_desc_kind k)
{
    return k == NASHC_D_PIPELINE ? NASHC_D_PASS : k;
}

static nashc_status
taken(const check *ck, const char *owner, const char *key, const char *holder, const char *from)
{
    return nashc_error(ck->diag, &ck->file, "%s: the name \"%s\" is taken by %s%s%s", owner, key,
                       holder, from ? " from " : "", from ? from : "");
}

/* Does another descriptor of the registry have the name, one that desc does not replace? An
 * override replaces the entry of its own name only. */
static nashc_status
check_registered(const check *ck, nashc_desc_kind k, const void *desc, const char *owner,
                 const char *key)
{
    const nashc_table *own = &ck->ctx->table[k];
    const char *name = nashc_desc_name(ck->ctx, k, desc);
    if (!name)
        return nashc_enomem(ck->diag);
    int old = nashc_table_find(own, name);
    bool override = ((const head *)desc)->flags & NASHC_F_OVERRIDE;
    for (int other = 0; other < NASHC_N_DESC; other++) {
        const nashc_table *t = &ck->ctx->table[other];
        int i = space_of((nashc_desc_kind)other) == space_of(k) ? nashc_table_find(t, key) : -1;
        if (i < 0 || (override && t == own && i == old))
            continue;
        const char *holder =
            nashc_arena_printf(ck->ctx->arena, "%s \"%s\"", kinds[other].noun, t->entry[i].name);
        taken(ck, owner, key, holder ? holder : "?", t->entry[i].origin);
        if (t == own && !override)
            nashc_help(ck->diag, "a descriptor with NASHC_F_OVERRIDE may replace it");
        return NASHC_EINPUT;
    }
    return NASHC_OK;
}

/* Within the plugin first, then against the registry. */
static nashc_status
check_key(const check *ck, nashc_desc_kind k, const void *desc, const char *owner, const char *key)
{
    nashc_map *given = &ck->given[space_of(k)];
    if (!key)
        return nashc_enomem(ck->diag);
    if (k != NASHC_D_IMPL && !legal_name(key))
        return illegal(ck, owner, "name", key);
    if (space_of(k) == NASHC_D_PASS && nashc_is_combinator(key))
        return taken(ck, owner, key, "the grammar of pipelines", NULL);
    const char *other = nashc_map_get(given, key);
    if (other)
        return taken(ck, owner, key, other, "the same plugin");
    if (!nashc_map_put(given, key, (void *)owner))
        return nashc_enomem(ck->diag);
    return check_registered(ck, k, desc, owner, key);
}

/* Parts of devices are no keys: several boards carry one part. */
static nashc_status
check_keys(const check *ck, nashc_desc_kind k, const void *desc, const char *owner)
{
    const char *alias = k == NASHC_D_DEVICE ? NULL : nashc_desc_alias(k, desc);
    nashc_status s = check_key(ck, k, desc, owner, nashc_desc_name(ck->ctx, k, desc));
    while (s == NASHC_OK && alias && *alias)
        s = check_key(ck, k, desc, owner, nashc_next_alias(ck->ctx, &alias));
    return s;
}

/* --- one descriptor, all of them ------------------------------------------------------------- */

/* struct_size is read before anything else: it says which members there are. 1 MiB catches
 * garbage. */
static nashc_status
check_one(const check *ck, nashc_desc_kind k, const void *desc)
{
    const head *h = desc;
    nashc_diag *d = ck->diag;
    if (h->struct_size < kinds[k].min_size || h->struct_size > (1u << 20))
        return nashc_error(d, &ck->file, "a %s descriptor has struct_size %u, expected %zu or more",
                           kinds[k].noun, h->struct_size, kinds[k].min_size);
    const char *name = nashc_desc_name(ck->ctx, k, desc);
    const char *owner = nashc_arena_printf(ck->ctx->arena, "%s \"%s\"", kinds[k].noun,
                                           name ? nashc_quote(d, name) : "");
    if (!owner)
        return nashc_enomem(d);
    const char *help = entry_help(k, desc);
    if (!help || !help[0])
        return nashc_error(d, &ck->file, "%s: no help", owner);
    if (!name || (k != NASHC_D_IMPL && !legal_name(name)))
        return illegal(ck, owner, "name", name);
    nashc_status s = check_shape(ck, k, desc, owner);
    if (s == NASHC_OK)
        s = check_schema(ck, entry_schema(k, desc), owner);
    return s == NASHC_OK ? check_keys(ck, k, desc, owner) : s;
}

static nashc_status
check_plugin(const check *ck, const nashc_plugin *p)
{
    static const char *const reserved[] = {"built-in", "host", "tool"}; /* of nashc itself */
    nashc_diag *d = ck->diag;
    if (p->struct_size < offsetof(nashc_plugin, ops))
        return nashc_error(d, &ck->file, "plugin descriptor has struct_size %u", p->struct_size);
    if (p->abi >> 16 != NASHC_ABI_MAJOR || (p->abi & 0xffff) > NASHC_ABI_MINOR)
        return nashc_error(d, &ck->file, "built for plugin ABI %u.%u, this nashc provides %d.%d",
                           p->abi >> 16, p->abi & 0xffff, NASHC_ABI_MAJOR, NASHC_ABI_MINOR);
    if (!p->name || !p->version || !p->help)
        return nashc_error(d, &ck->file, "plugin without name, version or help");
    if (!legal_name(p->name))
        return illegal(ck, "the plugin", "name", p->name);
    for (size_t i = 0; i < NASHC_COUNT(reserved); i++)
        if (strcmp(p->name, reserved[i]) == 0 && strcmp(ck->file.file, "built-in") != 0)
            return taken(ck, "the plugin", p->name, "nashc itself", NULL);
    return NASHC_OK;
}

/* A plugin built before this kind existed is too short for the field, so it has none. */
const void *const *
nashc_plugin_list(const nashc_plugin *p, nashc_desc_kind k)
{
    static const void *const none[] = {NULL};
    if (k == NASHC_D_PLUGIN || p->struct_size < kinds[k].field + sizeof(void *))
        return none;
    const void *const *list = *(const void *const *const *)((const char *)p + kinds[k].field);
    return list ? list : none;
}

nashc_status
nashc_admit(nashc_ctx *c, const nashc_plugin *p, const char *origin, nashc_diag *d)
{
    nashc_map given[NASHC_N_DESC] = {{0}};
    check ck = {c, d, {.file = origin}, given};
    nashc_status s = check_plugin(&ck, p);
    for (int k = 0; s == NASHC_OK && k < NASHC_N_DESC; k++) {
        const void *const *list = nashc_plugin_list(p, (nashc_desc_kind)k);
        for (int i = 0; s == NASHC_OK && list[i]; i++)
            s = check_one(&ck, (nashc_desc_kind)k, list[i]);
    }
    for (int k = 0; k < NASHC_N_DESC; k++)
        nashc_map_free(&given[k]);
    return s;
}
