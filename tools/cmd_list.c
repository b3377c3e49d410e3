/* cmd_list.c: nashc list: what is there, from the descriptors, as text, JSON or Markdown. */
#include "tool.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const nashc_param options[] = {
    {.name = "markdown", .def = "false", .help = "write Markdown", .kind = NASHC_P_BOOL},
    {0},
};

/* What is printed of one descriptor. */
typedef struct row {
    const char *name, *alias, *help, *origin, *extra; /* extra: text of a pipeline, a part ... */
    const char *extra_name;
    const nashc_param *params;
    bool inexact;            /* a pass that moves floats, or changes values on purpose */
    const char *domain, *op; /* of a foreign operator; the IR operator that it is */
    bool refused;            /* it is known, but not read */
} row;

typedef struct kind {
    const char *noun; /* as on the command line */
    int desc;         /* nashc_desc_kind; -1: plugins, -2: imports */
} kind;

static const kind kinds[] = {
    {"passes", NASHC_D_PASS},
    {"pipelines", NASHC_D_PIPELINE},
    {"ops", NASHC_D_OP},
    {"frontends", NASHC_D_FRONTEND},
    {"backends", NASHC_D_BACKEND},
    {"executors", NASHC_D_EXECUTOR},
    {"impls", NASHC_D_IMPL},
    {"commands", NASHC_D_COMMAND},
    {"devices", NASHC_D_DEVICE},
    {"warnings", NASHC_D_WARNING},
    {"plugins", -1},
    {"imports", -2},
};

/* One row for all kinds, so that text, JSON and Markdown are written once. */
static row
describe(int k, const void *desc, nashc_arena *a)
{
    switch (k) {
    case NASHC_D_OP: {
        const nashc_op *op = desc;
        return (row){.name = op->name, .help = op->help, .params = op->attrs};
    }
    case NASHC_D_PASS: {
        const nashc_pass *p = desc;
        return (row){.name = p->name,
                     .alias = p->alias,
                     .help = p->help,
                     .params = p->options,
                     .inexact = p->flags & NASHC_PASS_INEXACT};
    }
    case NASHC_D_PIPELINE: {
        const nashc_pipeline *p = desc;
        return (row){.name = p->name,
                     .alias = p->alias,
                     .help = p->help,
                     .extra = p->text,
                     .extra_name = "passes",
                     .params = NASHC_HAS(p, options) ? p->options : NULL};
    }
    case NASHC_D_FRONTEND: {
        const nashc_frontend *f = desc;
        return (row){.name = f->name,
                     .help = f->help,
                     .params = f->options,
                     .extra = f->suffixes,
                     .extra_name = "suffixes"};
    }
    case NASHC_D_BACKEND: {
        const nashc_backend *b = desc;
        return (row){.name = b->name,
                     .help = b->help,
                     .params = b->options,
                     .extra = b->suffixes,
                     .extra_name = "suffixes"};
    }
    case NASHC_D_EXECUTOR: {
        const nashc_executor *e = desc;
        return (row){.name = e->name, .help = e->help, .params = e->options};
    }
    case NASHC_D_COMMAND: {
        const nashc_command *c = desc;
        return (row){.name = c->name, .help = c->help, .params = c->options};
    }
    case NASHC_D_DEVICE: {
        const nashc_device *v = desc;
        const char *text = nashc_arena_printf(
            a,
            "%s: %" PRIu64 " LUT%u, %" PRIu64 " FF, %" PRIu64 " block RAMs of 18 Kibit, %" PRIu64
            " UltraRAMs, %" PRIu64 " DSP, %g ns",
            v->family, v->lut, v->lut_inputs, v->ff, v->bram18, v->uram, v->dsp, v->clk_ns);
        return (row){.name = v->name,
                     .alias = v->part,
                     .help = v->help,
                     .extra = text,
                     .extra_name = "resources"};
    }
    case NASHC_D_WARNING: {
        const nashc_warn *w = desc;
        return (row){.name = w->name, .help = w->help};
    }
    default: {
        const nashc_impl *i = desc;
        return (row){.name = nashc_arena_printf(a, "%s/%s", i->iface, i->op),
                     .help = nashc_arena_printf(a, "%s for the interface %s", i->op, i->iface)};
    }
    }
}

static row
describe_import(const nashc_import *m, const char *frontend, nashc_arena *a)
{
    bool standard = !strcmp(m->domain, "ai.onnx");
    return (row){.name = standard ? m->name : nashc_arena_printf(a, "%s.%s", m->domain, m->name),
                 .help = m->refused ? m->refused
                         : m->op    ? m->op
                                    : "several ops",
                 .extra = nashc_arena_printf(a, "%d", m->since),
                 .extra_name = "since version",
                 .origin = strcmp(m->origin, "built-in") ? m->origin : frontend,
                 .domain = m->domain,
                 .op = m->op,
                 .refused = m->refused != NULL};
}

/* Foreign operators of all frontends, one frontend after the other. */
static bool
import_at(nashc_ctx *c, int i, nashc_arena *a, row *out)
{
    const nashc_frontend *f;
    nashc_import m = {0};
    for (int k = 0; (f = nashc_desc_at(c, NASHC_D_FRONTEND, k)); k++) {
        if (!NASHC_HAS(f, import) || !f->import)
            continue;
        if (f->import(c, i, &m)) {
            *out = describe_import(&m, f->name, a);
            return true;
        }
        int n = 0;
        while (f->import(c, n, &m))
            n++;
        i -= n; /* those of the next one count from here */
    }
    return false;
}

/* False beyond the last, and where memory is out for a name. */
static bool
row_at(nashc_ctx *c, int k, int i, nashc_arena *a, row *out)
{
    if (k == -2)
        return import_at(c, i, a, out);
    if (k == -1) {
        const nashc_plugin *p = nashc_plugin_at(c, i);
        if (!p)
            return false;
        *out = (row){.name = p->name,
                     .help = p->help,
                     .origin = "",
                     .extra = p->version,
                     .extra_name = "version"};
        return true;
    }
    const void *desc = nashc_desc_at(c, (nashc_desc_kind)k, i);
    if (!desc)
        return false;
    *out = describe(k, desc, a);
    out->origin = nashc_desc_origin(c, (nashc_desc_kind)k, i);
    return out->name != NULL;
}

/* --- text ------------------------------------------------------------------------------------ */

static void
print_params_short(const nashc_param *p)
{
    for (; p && p->name; p++) {
        const char *value = tool_value_name(p);
        printf("      %s%s%s%s%s%s: %s\n", p->name, value[0] ? "=" : "", value,
               p->def && p->def[0] ? " [" : "", p->def ? p->def : "",
               p->def && p->def[0] ? "]" : "", p->help);
    }
}

static void
print_text(const row *r)
{
    bool foreign = r->origin && r->origin[0] && strcmp(r->origin, "built-in") != 0;
    printf("%s%s%s%s\n    %s%s%s%s\n", r->name, r->alias ? " (" : "", r->alias ? r->alias : "",
           r->alias ? ")" : "", r->help, foreign ? " [from " : "", foreign ? r->origin : "",
           foreign ? "]" : "");
    if (r->extra && r->extra[0])
        printf("    %s: %s\n", r->extra_name, r->extra);
    print_params_short(r->params);
}

/* --- Markdown -------------------------------------------------------------------------------- */

/* Text inside a table cell. */
static void
print_cell(const char *s)
{
    for (; s && *s; s++) {
        if (*s == '|' || *s == '\\')
            putchar('\\');
        putchar(*s == '\n' ? ' ' : *s);
    }
}

static void
print_markdown(const row *r)
{
    printf("| `%s` | ", r->name);
    print_cell(r->alias);
    printf(" | ");
    print_cell(r->help);
    printf(" | ");
    if (r->extra && r->extra[0]) {
        putchar('`');
        print_cell(r->extra);
        putchar('`');
    }
    for (const nashc_param *p = r->params; p && p->name; p++) {
        printf("%s`%s`", p != r->params || (r->extra && r->extra[0]) ? ", " : "", p->name);
        if (p->def && p->def[0]) {
            printf("=`");
            print_cell(p->def);
            printf("`");
        }
        printf(": ");
        print_cell(p->help);
    }
    printf(" |\n");
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void
set_text(json_t *o, const char *key, const char *value)
{
    if (value)
        json_object_set_new(o, key, json_string(value));
}

static json_t *
json_row(const row *r)
{
    json_t *o = json_object(), *params = json_array();
    set_text(o, "name", r->name);
    set_text(o, "alias", r->alias);
    set_text(o, "help", r->help);
    set_text(o, "origin", r->origin && r->origin[0] ? r->origin : NULL);
    if (r->extra_name)
        set_text(o, r->extra_name, r->extra);
    if (r->inexact)
        json_object_set_new(o, "inexact", json_true());
    set_text(o, "domain", r->domain);
    set_text(o, "op", r->op);
    if (r->refused)
        json_object_set_new(o, "refused", json_true());
    for (const nashc_param *p = r->params; p && p->name; p++) {
        json_t *j = json_object();
        set_text(j, "name", p->name);
        set_text(j, "value", tool_value_name(p));
        set_text(j, "default", p->def);
        set_text(j, "domain", p->domain);
        set_text(j, "help", p->help);
        json_array_append_new(params, j);
    }
    json_object_set_new(o, "options", params);
    return o;
}

static void
print_json(nashc_ctx *c, const kind *k, nashc_arena *a)
{
    json_t *list = json_array();
    row r;
    for (int i = 0; row_at(c, k->desc, i, a, &r); i++)
        json_array_append_new(list, json_row(&r));
    char *text = json_dumps(list, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    printf("%s\n", text ? text : "[]");
    free(text);
    json_decref(list);
}

/* --- command --------------------------------------------------------------------------------- */

/* Singular or plural. */
static const kind *
find_kind(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < NASHC_COUNT(kinds); i++) {
        size_t n = strlen(kinds[i].noun);
        if (strcmp(kinds[i].noun, name) == 0 ||
            (len + 1 == n && strncmp(kinds[i].noun, name, len) == 0))
            return &kinds[i];
    }
    return strcmp(name, "pass") == 0 ? &kinds[0] : NULL;
}

static void
print_kind(nashc_ctx *c, const kind *k, bool markdown, nashc_arena *a)
{
    row r;
    if (tool_json()) {
        print_json(c, k, a);
        return;
    }
    if (markdown)
        printf("| name | alias | what | options |\n| --- | --- | --- | --- |\n");
    for (int i = 0; row_at(c, k->desc, i, a, &r); i++) {
        if (markdown)
            print_markdown(&r);
        else
            print_text(&r);
    }
}

static int
list_main(nashc_ctx *c, const nashc_opts *o, int n_args, const char *const *args)
{
    nashc_diag *d = nashc_ctx_diag(c);
    const char *names[NASHC_COUNT(kinds) + 1] = {NULL};
    (void)n_args;
    for (size_t i = 0; i < NASHC_COUNT(kinds); i++)
        names[i] = kinds[i].noun;
    const kind *k = find_kind(args[0]);
    if (!k) {
        const char *near = nashc_nearest(d, args[0], names);
        nashc_usage(d, "there is no list of \"%s\"%s%s", nashc_quote(d, args[0]),
                    near[0] ? "; " : "", near);
        return nashc_status_exit(NASHC_EUSAGE);
    }
    nashc_arena *a = nashc_arena_create();
    if (!a)
        return nashc_status_exit(nashc_enomem(d));
    print_kind(c, k, nashc_opts_bool(o, "markdown"), a);
    nashc_arena_free(a);
    return 0;
}

const nashc_command nashc_command_list = {
    NASHC_DESC(nashc_command),
    .name = "list",
    .help =
        "list passes, pipelines, ops, frontends, backends, executors, impls, commands, devices, "
        "warnings, plugins or imports",
    .usage = "passes|pipelines|ops|frontends|backends|executors|impls|commands|devices|"
             "warnings|plugins|imports [--json|--markdown]",
    .example = "nashc list passes\nnashc list devices --json",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .main = list_main,
};
