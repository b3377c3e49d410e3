/* param.c: the values of an option schema: defaults, parsing, checking, access. */
#include "host.h"
#include <string.h>

typedef struct given { /* values of a NASHC_P_REPEAT option, in order */
    const char *text;
    struct given *next;
} given;

typedef struct slot {
    nashc_attr value;
    const char *text; /* as written */
    given *first, *last;
    int n; /* times given */
} slot;

struct nashc_opts {
    nashc_arena *arena;
    const nashc_param *schema;
    int n;
    slot *slot;
};

/* Values start as the defaults of the schema, which admission.c has checked; so only memory can
 * fail here. */
nashc_opts *
nashc_opts_create(nashc_arena *a, const nashc_param *schema)
{
    char err[NASHC_ATTR_ERR];
    nashc_opts *o = NASHC_NEW(a, nashc_opts);
    if (!o)
        return NULL;
    o->arena = a;
    o->schema = schema;
    while (schema && schema[o->n].name)
        o->n++;
    o->slot = NASHC_NEW_N(a, slot, o->n + 1);
    if (!o->slot)
        return NULL;
    for (int i = 0; i < o->n; i++) {
        o->slot[i].text = schema[i].def ? schema[i].def : "";
        if (nashc_attr_default(&schema[i], a, &o->slot[i].value, err) == NASHC_ENOMEM)
            return NULL;
    }
    return o;
}

/* Linear: schemas are short, and options are read once. */
static int
find(const nashc_opts *o, const char *name)
{
    for (int i = 0; i < o->n; i++)
        if (strcmp(o->schema[i].name, name) == 0)
            return i;
    return -1;
}

static nashc_status
report_unknown(const nashc_opts *o, const char *name, const nashc_loc *where, nashc_diag *d)
{
    if (o->n == 0)
        return nashc_error(d, where, "unknown option \"%s\": there are none", nashc_quote(d, name));
    const char **names = NASHC_NEW_N(o->arena, const char *, o->n + 1);
    if (!names)
        return nashc_enomem(d);
    for (int i = 0; i < o->n; i++)
        names[i] = o->schema[i].name;
    const char *near = nashc_nearest(d, name, names);
    return nashc_error(d, where, "unknown option \"%s\"%s%s", nashc_quote(d, name),
                       near[0] ? "; " : "", near);
}

static nashc_status
append_given(nashc_opts *o, slot *s, const char *text)
{
    given *g = NASHC_NEW(o->arena, given);
    if (!g)
        return NASHC_ENOMEM;
    g->text = text;
    if (s->last)
        s->last->next = g;
    else
        s->first = g;
    s->last = g;
    return NASHC_OK;
}

/* text is copied; a value that is refused leaves the former one. EUSAGE: what is wrong is on the
 * command line or in a pipeline's text. */
nashc_status
nashc_opts_set(nashc_opts *o, const char *name, const char *value, const nashc_loc *where,
               nashc_diag *d)
{
    char err[NASHC_ATTR_ERR];
    int i = find(o, name);
    if (i < 0) {
        report_unknown(o, name, where, d);
        return NASHC_EUSAGE;
    }
    slot *s = &o->slot[i];
    nashc_attr parsed;
    const char *text = nashc_arena_strdup(o->arena, value);
    if (!text)
        return nashc_enomem(d);
    nashc_status st = nashc_attr_parse_option(&o->schema[i], text, o->arena, &parsed, err);
    if (st == NASHC_ENOMEM)
        return nashc_enomem(d);
    if (st != NASHC_OK) {
        nashc_error(d, where, "option \"%s\": %s", name, err);
        return NASHC_EUSAGE;
    }
    if ((o->schema[i].flags & NASHC_P_REPEAT) && append_given(o, s, text) != NASHC_OK)
        return nashc_enomem(d);
    s->value = parsed;
    s->text = text;
    s->n++;
    return NASHC_OK;
}

/* An option without default has to be given; one that repeats may be given not at all. */
nashc_status
nashc_opts_check(const nashc_opts *o, const nashc_loc *where, nashc_diag *d)
{
    for (int i = 0; i < o->n; i++)
        if (!o->schema[i].def && o->slot[i].n == 0 && !(o->schema[i].flags & NASHC_P_REPEAT)) {
            nashc_error(d, where, "option \"%s\" is required: %s", o->schema[i].name,
                        o->schema[i].help);
            return NASHC_EUSAGE;
        }
    return NASHC_OK;
}

/* "unknown option "x" of backend "b"", with what there is. */
static nashc_status
report_unknown_of(const nashc_opts *o, const char *key, const char *owner, nashc_diag *d)
{
    const char **names = NASHC_NEW_N(o->arena, const char *, o->n + 1);
    const char *all = "";
    if (!names)
        return nashc_enomem(d);
    for (int i = 0; all && i < o->n; i++) {
        names[i] = o->schema[i].name;
        all = nashc_arena_printf(o->arena, "%s%s%s", all, i ? ", " : "", names[i]);
    }
    const char *near = nashc_nearest(d, key, names);
    nashc_usage(d, "unknown option \"%s\" of %s%s%s", nashc_quote(d, key), owner,
                near[0] ? "; " : "", near);
    if (o->n == 0)
        nashc_help(d, "%s has no options", owner);
    else if (all)
        nashc_help(d, "options of %s: %s", owner, all);
    return NASHC_EUSAGE;
}

/* "key" without "=" is a switch. Stops at the first fault, and says whose option it was. */
nashc_status
nashc_opts_set_pairs(nashc_opts *o, const char *const *pairs, const char *owner, nashc_diag *d)
{
    nashc_status s = NASHC_OK;
    for (; s == NASHC_OK && pairs && *pairs; pairs++) {
        const char *eq = strchr(*pairs, '=');
        const char *key = nashc_arena_printf(o->arena, "%.*s", (int)strcspn(*pairs, "="), *pairs);
        if (!key)
            return nashc_enomem(d);
        if (find(o, key) < 0)
            return report_unknown_of(o, key, owner, d);
        s = nashc_opts_set(o, key, eq ? eq + 1 : "true", NULL, d);
        if (s != NASHC_OK && s != NASHC_ENOMEM)
            nashc_note(d, "of %s", owner);
    }
    return s == NASHC_OK ? nashc_opts_check(o, NULL, d) : s;
}

/* --- access ---------------------------------------------------------------------------------- */

/* Unknown names read as nothing: accessors are called with names that the schema has, and a
 * plugin's mistake must not crash. */
static const slot *
get(const nashc_opts *o, const char *name)
{
    static const slot none = {.text = ""};
    int i = o ? find(o, name) : -1;
    return i < 0 ? &none : &o->slot[i];
}

bool
nashc_opts_bool(const nashc_opts *o, const char *name)
{
    return get(o, name)->value.u.i != 0;
}

int64_t
nashc_opts_int(const nashc_opts *o, const char *name)
{
    return get(o, name)->value.u.i;
}

double
nashc_opts_float(const nashc_opts *o, const char *name)
{
    return get(o, name)->value.u.f;
}

/* Kinds that are no text come back as they were written. */
const char *
nashc_opts_str(const nashc_opts *o, const char *name)
{
    const slot *s = get(o, name);
    return s->value.s ? s->value.s : s->text;
}

const int64_t *
nashc_opts_ints(const nashc_opts *o, const char *name, int *count)
{
    const slot *s = get(o, name);
    *count = s->value.n;
    return s->value.u.ints;
}

bool
nashc_opts_given(const nashc_opts *o, const char *name)
{
    return get(o, name)->n > 0;
}

int
nashc_opts_n(const nashc_opts *o, const char *name)
{
    return get(o, name)->n;
}

const char *
nashc_opts_str_at(const nashc_opts *o, const char *name, int i)
{
    const given *g = get(o, name)->first;
    while (g && i-- > 0)
        g = g->next;
    return g ? g->text : "";
}
