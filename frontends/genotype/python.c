/* python.c: the published literal, read as data:
 *
 *     name = Genotype_res18(normal0=[('max_pool_3x3', 0), ('skip_connect', 1), ...], normal1=[...],
 * ...)
 *
 * alone, among other assignments, or in a log. Nothing is evaluated. */
#include "frontends/genotype/reader.h"
#include <ctype.h>
#include <string.h>

#define MAX_LITERALS 4096

typedef struct cursor {
    geno_in *in;
    const char *text, *end, *s, *line_start;
} cursor;

static int
col(const cursor *c, const char *at)
{
    return (int)(at - c->line_start) + 1;
}

/* All movement over newlines goes through here or skip(), so that lines count right. */
static void
step_over(cursor *c)
{
    if (*c->s++ == '\n') {
        c->in->line++;
        c->line_start = c->s;
    }
}

/* Blanks, newlines and comments. */
static void
skip(cursor *c)
{
    while (c->s < c->end && (isspace((unsigned char)*c->s) || *c->s == '#')) {
        if (*c->s == '#')
            while (c->s + 1 < c->end && c->s[1] != '\n')
                c->s++;
        step_over(c);
    }
}

static bool
take(cursor *c, char what)
{
    skip(c);
    if (c->s >= c->end || *c->s != what)
        return false;
    c->s++;
    return true;
}

static bool
word_char(char ch)
{
    return isalnum((unsigned char)ch) || ch == '_';
}

static geno_token
take_word(cursor *c)
{
    skip(c);
    const char *from = c->s;
    while (c->s < c->end && word_char(*c->s))
        c->s++;
    return (geno_token){from, (int)(c->s - from), col(c, from)};
}

/* A fault at the cursor. */
static nashc_status
expected(cursor *c, const char *what)
{
    geno_token at = {c->s, c->s < c->end, 0};
    skip(c);
    at.s = c->s;
    at.len = c->s < c->end;
    at.col = col(c, c->s);
    return geno_fault(c->in, 2, &at, "expected %s, found %s%s%s", what, at.len ? "\"" : "",
                      at.len ? geno_word(c->in, &at) : "the end of the text", at.len ? "\"" : "");
}

/* --- one literal ----------------------------------------------------------------------------- */

/* ('conv_1x1', 0) of step k. */
static nashc_status
tuple(cursor *c, int k)
{
    nashc_geno_edge e = {0};
    if (!take(c, '('))
        return expected(c, "a tuple ('PRIMITIVE', SOURCE)");
    skip(c);
    char quote = c->s < c->end ? *c->s : 0;
    if (quote != '\'' && quote != '"')
        return expected(c, "the name of a primitive in quotes");
    c->s++;
    geno_token op = take_word(c);
    if (!take(c, quote))
        return expected(c, "the closing quote");
    if (!take(c, ','))
        return expected(c, "\",\" and the source");
    geno_token source = take_word(c);
    if (!geno_int(&source, &e.source)) {
        c->s = source.s;
        return expected(c, "the number of a state");
    }
    (void)take(c, ',');
    if (!take(c, ')'))
        return expected(c, "\")\": a tuple has two items");
    return geno_put_edge(c->in, &op, k, &op, &source, &e);
}

/* Steps are numbered in the order of the list. */
static nashc_status
list(cursor *c)
{
    if (!take(c, '['))
        return expected(c, "a list of tuples");
    for (int k = 1; !take(c, ']'); k++) {
        nashc_status s = tuple(c, k);
        if (s != NASHC_OK)
            return s;
        if (take(c, ','))
            continue;
        if (!take(c, ']'))
            return expected(c, "\",\" or \"]\"");
        break;
    }
    return NASHC_OK;
}

/* normal0=[...] */
static nashc_status
field(cursor *c)
{
    geno_token name = take_word(c);
    geno_token number = {name.s + 6, name.len - 6, 0};
    int k;
    if (geno_is(&name, "normal") || geno_is(&name, "reduce"))
        return geno_fault(c->in, 2, &name,
                          "this is a DARTS cell genotype, not a NASH backbone genotype");
    if (name.len < 7 || memcmp(name.s, "normal", 6) != 0 || !geno_int(&number, &k) || k < 0)
        return name.len ? geno_fault(c->in, 2, &name, "\"%s\" is no field normalN",
                                     geno_word(c->in, &name))
                        : expected(c, "a field normalN=[...]");
    if (k < GENO_MAX_GROUPS && c->in->group[k])
        return geno_fault(c->in, 3, &name, "field \"normal%d\" is given twice", k);
    if (!take(c, '='))
        return expected(c, "\"=\"");
    nashc_status s = geno_new_group(c->in, k, name.col);
    return s == NASHC_OK ? list(c) : s;
}

/* From behind "Genotype". Fields may come in any order, but all from 0 on must be there. */
static nashc_status
literal(cursor *c)
{
    int line = c->in->line, at = col(c, c->s);
    (void)take_word(c);
    if (!take(c, '('))
        return expected(c, "\"(\"");
    while (!take(c, ')')) {
        nashc_status s = field(c);
        if (s != NASHC_OK)
            return s;
        if (take(c, ','))
            continue;
        if (!take(c, ')'))
            return expected(c, "\",\" or \")\"");
        break;
    }
    for (int i = 0; i < c->in->n_groups; i++)
        if (!c->in->group[i])
            return geno_fault_at(c->in, 3, line, at, "field \"normal%d\" is missing", i);
    if (c->in->n_groups == 0)
        return geno_fault_at(c->in, 4, line, at, "the literal is empty");
    return NASHC_OK;
}

/* --- which literal --------------------------------------------------------------------------- */

typedef struct found {
    cursor at;
    int line;
    geno_token name; /* len 0: none */
} found;

/* The word before "=" before from, on its line. */
static geno_token
name_before(const cursor *c, const char *from)
{
    const char *s = from;
    while (s > c->line_start && (s[-1] == ' ' || s[-1] == '\t'))
        s--;
    if (s == c->line_start || *--s != '=')
        return (geno_token){from, 0, 0};
    while (s > c->line_start && (s[-1] == ' ' || s[-1] == '\t'))
        s--;
    const char *end = s;
    while (s > c->line_start && word_char(s[-1]))
        s--;
    return (geno_token){s, (int)(end - s), 0};
}

/* Is a literal's type name here, as a word of its own with "(" behind? */
static bool
at_literal(const cursor *c)
{
    static const char type[] = "Genotype";
    const char *s = c->s + sizeof type - 1;
    if (c->end - c->s < (ptrdiff_t)sizeof type || memcmp(c->s, type, sizeof type - 1) != 0 ||
        (c->s > c->text && word_char(c->s[-1])))
        return false;
    while (s < c->end && word_char(*s))
        s++;
    while (s < c->end && (*s == ' ' || *s == '\t'))
        s++;
    return s < c->end && *s == '(';
}

/* Each is noted with its place and its line, to be read again if it is chosen. Comments are passed
 * over. */
static int
find_literals(cursor *c, found *out)
{
    int n = 0;
    while (c->s < c->end && n < MAX_LITERALS) {
        if (*c->s == '#')
            skip(c);
        else if (at_literal(c)) {
            out[n++] = (found){*c, c->in->line, name_before(c, c->s)};
            c->s += 8;
        } else
            step_over(c);
    }
    return n;
}

static bool
same_name(const geno_token *a, const geno_token *b)
{
    return a->len == b->len && memcmp(a->s, b->s, (size_t)a->len) == 0;
}

/* The last one of the wanted name; without a wish "binary", else the only name there is. */
static nashc_status
choose(geno_in *in, const found *f, int n, int *out)
{
    const char *wish = in->opts ? nashc_opts_str(in->opts, "select") : "";
    bool one_name = true;
    *out = -1;
    for (int i = 0; i < n; i++) {
        one_name = one_name && same_name(&f[i].name, &f[0].name);
        if (geno_is(&f[i].name, wish[0] ? wish : "binary"))
            *out = i;
    }
    if (*out >= 0)
        return NASHC_OK;
    *out = n - 1;
    if (n > 0 && one_name && !wish[0])
        return NASHC_OK;
    if (n == 0)
        return geno_fault_at(in, 1, 1, 1,
                             "neither \"nash-genotype 1\" nor a literal Genotype(...)");
    if (wish[0])
        return geno_fault_at(in, 2, 1, 1, "no genotype is named \"%s\"", nashc_quote(in->d, wish));
    nashc_status s = geno_fault_at(in, 2, f[0].line, 1,
                                   "%d genotypes of different names, none of them \"binary\"", n);
    nashc_help(in->d, "choose one with --frontend-option=select=NAME");
    return s;
}

/* --- what the literal does not say ----------------------------------------------------------- */

/* By the numbers of steps alone: that is all a literal tells of its backbone. */
static bool
fits(const geno_in *in, const nashc_backbone *b)
{
    bool fit = b->n_groups == in->n_groups;
    for (int i = 0; i < b->n_groups && fit; i++)
        fit = nashc_backbone_steps(b, i) == in->group[i]->n_edges;
    return fit;
}

/* The only backbone of these numbers of steps. */
static nashc_status
infer_backbone(geno_in *in)
{
    const nashc_impl *p, *match = NULL;
    int n = 0;
    if (in->given & 1u << GENO_BACKBONE)
        return NASHC_OK;
    for (int i = 0; (p = nashc_desc_at(in->ctx, NASHC_D_IMPL, i)); i++) {
        if (strcmp(p->iface, "backbone") != 0 || !fits(in, p->rule))
            continue;
        match = p;
        n++;
    }
    if (n != 1) {
        geno_fault_at(in, 4, in->group[0]->line, in->group[0]->col,
                      "%s has these numbers of steps; give --frontend-option=backbone=NAME",
                      n ? "more than one backbone" : "no known backbone");
        return NASHC_EINPUT;
    }
    in->g->backbone = match->rule;
    in->g->backbone_name = match->op;
    in->given |= 1u << GENO_BACKBONE;
    return NASHC_OK;
}

/* Sets g->version as a side effect, which is the result if it holds. */
static bool
all_allowed(geno_in *in, nashc_geno_version v)
{
    in->g->version = v;
    for (int i = 0; i < in->n_groups; i++)
        for (int k = 0; k < in->group[i]->n_edges; k++) {
            const nashc_geno_edge *e = &in->group[i]->edge[k];
            int kernel,
                stride = i < in->g->backbone->n_groups ? in->g->backbone->group[i].stride : 1;
            const nashc_primitive *p = nashc_geno_primitive(in->ctx, e->op, &kernel);
            if (!geno_allowed(in->g, p, e->op, e->source == 0 && stride > 1))
                return false;
        }
    return true;
}

/* v4 if there are convolutions only, else v3 where its rules hold. */
static void
infer_version(geno_in *in)
{
    if (!in->have_version && !all_allowed(in, NASHC_GENO_V4) && !all_allowed(in, NASHC_GENO_V3))
        in->g->version = NASHC_GENO_CUSTOM;
}

/* A log holds one literal an epoch: choose() takes the last one of the name. */
nashc_status
geno_parse_python(geno_in *in, const char *text, size_t size)
{
    int which;
    cursor c = {in, text, text + size, text, text};
    found *f = NASHC_NEW_N(in->arena, found, MAX_LITERALS);
    if (!f)
        return nashc_enomem(in->d);
    in->line = 1;
    int n = find_literals(&c, f);
    nashc_status s = choose(in, f, n, &which);
    if (s != NASHC_OK)
        return s;
    c = f[which].at;
    in->line = f[which].line;
    if (!(in->given & 1u << GENO_NAME) && f[which].name.len)
        in->g->name = nashc_arena_printf(in->arena, "%.*s", f[which].name.len, f[which].name.s);
    s = literal(&c);
    in->last_line = in->line;
    if (s == NASHC_OK)
        s = infer_backbone(in);
    if (s == NASHC_OK)
        infer_version(in);
    return s;
}
