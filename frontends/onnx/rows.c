/* rows.c: the tables of ONNX operators that a context has, found by domain, name and version.
 *
 * The index is made anew for each file that is read or written: plugins may have come in between,
 * and its two hundred rows take less time than opening the file.
 */
#include "frontends/onnx/rows.h"
#include "frontends/onnx/names.h"
#include <string.h>

/* One row, and the table it is from. */
typedef struct form {
    const nashc_onnx_row *row;
    const nashc_impl *table;
    const char *origin;
    struct form *next; /* of the same domain and name */
} form;

struct onnx_rows {
    nashc_ctx *ctx;
    nashc_arena *arena;
    nashc_diag *d;
    onnx_names *domains; /* to the operators of each (onnx_names), to their forms */
    onnx_names *writers; /* IR operators, to their rows */
};

const char *
onnx_domain_of(const char *name)
{
    static const char *const general[] = {"onnx.brevitas", "finn.custom_op.general"};

    if (!*name)
        return ONNX_DOMAIN_STD;
    for (size_t i = 0; i < NASHC_COUNT(general); i++)
        if (!strcmp(name, general[i]))
            return ONNX_DOMAIN_QONNX;
    if (!strncmp(name, ONNX_DOMAIN_FINN, strlen(ONNX_DOMAIN_FINN)))
        return ONNX_DOMAIN_FINN; /* .hls and .rtl behind it say how a layer is built */
    return name;
}

/* --- attribute lists ---------------------------------------------------------------------------
 */

/* Copies the word up to one of the marks; false: empty or too long. */
static bool
word(const char **at, const char *marks, char out[32])
{
    size_t n = strcspn(*at, marks);

    if (!n || n > 31)
        return false;
    memcpy(out, *at, n);
    out[n] = 0;
    *at += n;
    return true;
}

bool
onnx_attr_next(const char **at, onnx_attr_spec *out)
{
    const char *s = *at;

    *out = (onnx_attr_spec){.copied = true};
    while (*s == ' ')
        s++;
    *at = s;
    if (!*s)
        return false;
    bool good = word(&s, ">-: ", out->name);
    memcpy(out->ir, out->name, sizeof out->ir);
    if (good && *s == '-') {
        out->copied = false;
        s++;
    } else if (good && *s == '>') {
        s++;
        good = word(&s, ":> ", out->ir);
    }
    if (good && *s == ':' && s[1] && strchr("fistFIS*", s[1]) && (!s[2] || s[2] == ' ')) {
        out->kind = s[1];
        *at = s + 2;
    } else {
        *at = s + strlen(s);
    }
    return true;
}

/* --- checks ------------------------------------------------------------------------------------
 */

static bool
has_attr(const nashc_op *op, const char *name)
{
    for (const nashc_param *p = op->attrs; p && p->name; p++)
        if (!strcmp(p->name, name))
            return true;
    return false;
}

/* What is wrong with the attributes; NULL: nothing. */
static const char *
wrong_attrs(const onnx_rows *m, const nashc_onnx_row *row, const nashc_op *op)
{
    const char *at = row->attrs;
    onnx_attr_spec spec;

    if (!at)
        return "no attrs; an operator without attributes has \"\"";
    while (!(row->flags & NASHC_ONNX_REFUSE) && onnx_attr_next(&at, &spec)) {
        if (!spec.kind)
            return nashc_arena_printf(m->arena, "attrs \"%s\" are malformed at \"%s\"",
                                      nashc_quote(m->d, row->attrs), spec.name);
        if (spec.copied && op && !has_attr(op, spec.ir))
            return nashc_arena_printf(m->arena, "%s has no attribute \"%s\"", op->name, spec.ir);
        if (spec.copied && (!op || strchr("tS*", spec.kind)))
            return nashc_arena_printf(m->arena, "attribute \"%s\" cannot be copied: write %s-:%c",
                                      spec.name, spec.name, spec.kind);
    }
    return NULL;
}

static const char *
wrong(const onnx_rows *m, const nashc_onnx_row *row)
{
    const nashc_op *op = row->op ? nashc_find(m->ctx, NASHC_D_OP, row->op) : NULL;

    if (!row->domain || !*row->name)
        return "no domain or no name";
    if (row->since < 1)
        return "since is below 1";
    if (row->min_in < 0 || row->max_in < -1 || (row->max_in >= 0 && row->max_in < row->min_in) ||
        row->max_out < 1)
        return "operand or result counts are not ranges";
    if (row->op && !strcmp(row->name, "*"))
        return "a row of any name is no 1:1 row";
    if (row->op && !op)
        return nashc_arena_printf(m->arena, "there is no IR operator \"%s\"", row->op);
    if (!row->op && !row->read && !(row->flags & (NASHC_ONNX_REFUSE | NASHC_ONNX_KEEP)))
        return "neither an IR operator nor a function";
    return wrong_attrs(m, row, op);
}

/* --- the index ---------------------------------------------------------------------------------
 */

/* The entry of name, made if it is not there; NULL: memory is out. */
static onnx_names *
names_in(onnx_rows *m, onnx_names *of, const char *name)
{
    onnx_names *found = onnx_names_get(of, name);

    if (!found && (found = onnx_names_create(m->arena, 8)) && !onnx_names_put(of, name, found))
        return NULL;
    return found;
}

/* The place of a form of since in the list at *at; *at NULL: at its end. */
static form **
place_of(form **at, int since)
{
    while (*at && (*at)->row->since != since)
        at = &(*at)->next;
    return at;
}

static nashc_status
clash(const onnx_rows *m, const form *a, const form *b)
{
    const nashc_onnx_row *row = b->row;

    nashc_error(m->d, NULL, "%s: ONNX operator %s.%s of version %d exists already, from %s",
                b->origin, onnx_domain_of(row->domain), row->name, row->since, a->origin);
    nashc_help(m->d, "load one of both; a table with NASHC_F_OVERRIDE may replace rows");
    return NASHC_EINPUT;
}

static nashc_status
add_row(onnx_rows *m, const form *f)
{
    const char *why = wrong(m, f->row);

    if (why)
        return nashc_error(m->d, NULL, "%s: ONNX operator \"%s\" of table \"%s\": %s", f->origin,
                           nashc_quote(m->d, f->row->name), f->table->op, why);
    onnx_names *ops = names_in(m, m->domains, onnx_domain_of(f->row->domain));
    form *copy = NASHC_NEW(m->arena, form);
    if (!ops || !copy)
        return nashc_enomem(m->d);
    *copy = *f;
    form *first = onnx_names_get(ops, f->row->name);
    if (!first)
        return onnx_names_put(ops, f->row->name, copy) ? NASHC_OK : nashc_enomem(m->d);
    form **at = place_of(&first, f->row->since);
    if (!*at)
        *at = copy;
    else if (f->table->flags & NASHC_F_OVERRIDE)
        **at = (form){f->row, f->table, f->origin, (*at)->next};
    else
        return clash(m, *at, f);
    return NASHC_OK;
}

/* Is row the better one to write an operator by? */
static bool
better(const nashc_onnx_row *row, const nashc_onnx_row *than)
{
    const char *a = onnx_domain_of(row->domain), *b = onnx_domain_of(than->domain);

    if (!strcmp(a, b))
        return row->since > than->since;
    return !strcmp(a, ONNX_DOMAIN_STD);
}

/* Rows that an override replaced are no longer in the lists, so none of them writes. */
static nashc_status
choose_writers(onnx_rows *m, const onnx_names *ops)
{
    for (size_t k = 0; k < onnx_names_count(ops); k++)
        for (const form *f = onnx_names_at(ops, k); f; f = f->next) {
            const nashc_onnx_row **have =
                f->row->op ? onnx_names_get(m->writers, f->row->op) : NULL;
            if (have && better(f->row, *have))
                *have = f->row;
            if (have || !f->row->op)
                continue;
            have = NASHC_NEW(m->arena, const nashc_onnx_row *);
            if (!have || !onnx_names_put(m->writers, f->row->op, (void *)have))
                return nashc_enomem(m->d);
            *have = f->row;
        }
    return NASHC_OK;
}

/* The first table from impl *k on; NULL: no more. *k is then behind it. */
static const nashc_impl *
next_table(nashc_ctx *c, int *k, const char **origin)
{
    const nashc_impl *impl;

    while ((impl = nashc_desc_at(c, NASHC_D_IMPL, *k))) {
        *origin = nashc_desc_origin(c, NASHC_D_IMPL, (*k)++);
        if (!strcmp(impl->iface, "onnx") && impl->rule)
            return impl;
    }
    return NULL;
}

nashc_status
onnx_rows_build(nashc_ctx *c, nashc_arena *a, nashc_diag *d, const onnx_rows **out)
{
    onnx_rows *m = NASHC_NEW(a, onnx_rows);
    form f = {0};
    nashc_status s = NASHC_OK;

    if (m)
        *m = (onnx_rows){c, a, d, onnx_names_create(a, 8), onnx_names_create(a, 128)};
    if (!m || !m->domains || !m->writers)
        return nashc_enomem(d);
    for (int k = 0; (f.table = next_table(c, &k, &f.origin));)
        for (f.row = f.table->rule; f.row->name; f.row++)
            if ((s = add_row(m, &f)))
                return s;
    for (size_t i = 0; !s && i < onnx_names_count(m->domains); i++)
        s = choose_writers(m, onnx_names_at(m->domains, i));
    *out = m;
    return s;
}

/* --- queries -----------------------------------------------------------------------------------
 */

bool
onnx_rows_has_domain(const onnx_rows *m, const char *domain)
{
    return onnx_names_get(m->domains, domain) != NULL;
}

const nashc_onnx_row *
onnx_rows_find(const onnx_rows *m, const char *domain, const char *name, int64_t version,
               int *since)
{
    const onnx_names *ops = onnx_names_get(m->domains, domain);
    const form *f = ops ? onnx_names_get(ops, name) : NULL;
    const nashc_onnx_row *best = NULL;

    *since = 0;
    if (ops && !f)
        f = onnx_names_get(ops, "*");
    for (; f; f = f->next) {
        if (!*since || f->row->since < *since)
            *since = f->row->since;
        if (f->row->since <= version && (!best || f->row->since > best->since))
            best = f->row;
    }
    return best;
}

const nashc_onnx_row *
onnx_rows_for_op(const onnx_rows *m, const char *op)
{
    const nashc_onnx_row *const *row = onnx_names_get(m->writers, op);

    return row ? *row : NULL;
}

const nashc_onnx_row *
onnx_rows_at(nashc_ctx *c, int i, const char **origin)
{
    const nashc_impl *table;

    for (int k = 0; (table = next_table(c, &k, origin));)
        for (const nashc_onnx_row *row = table->rule; row->name; row++)
            if (i-- == 0)
                return row;
    return NULL;
}
