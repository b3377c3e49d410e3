/* pipeline.c: the text of a pipeline to a tree of passes and combinators.
 *
 *     pipeline = [ item { "," item } ]
 *     item     = NAME [ "<" INT ">" ] [ "(" ( options | pipeline ) ")" ] | "@" FILE
 *              | "if" "<" KEY ">" "(" pipeline ")"
 *     options  = KEY [ "=" VALUE ] { ";" KEY [ "=" VALUE ] }
 *
 * "#" starts a comment up to the end of the line. Combinators (repeat, fixpoint, try) take items,
 * passes and named pipelines take options. The text of a named pipeline hands its own options on:
 *
 *     hardware(device=U250)  with the text  "to-hw,set-folding(device=$device),
 *                                            if<folding-file>(apply-folding(file=$folding-file))"
 *     is                     to-hw,set-folding(device=U250)
 *
 * VALUE "$KEY" is the value of that option, whatever bytes it has; where it is empty the option
 * is left out, so that the pass keeps its default. "if" keeps its items where the option is neither
 * empty nor false.
 */
#include "host.h"
#include <ctype.h>
#include <string.h>

#define MAX_NESTING      64
#define MAX_ITEMS        10000
#define MAX_FILE_SIZE    (1 << 20)
#define FIXPOINT_ROUNDS  100
#define MAX_REPEAT_COUNT 1000

typedef struct parser {
    nashc_ctx *ctx;
    nashc_arena *arena;
    nashc_diag *diag;
    const char *file; /* NULL: the command line */
    const char *text, *at;
    const nashc_pipeline *owner; /* whose text this is: $KEY names an option of it; or NULL */
    const nashc_opts *given;     /* values of the owner's options */
    bool dead;                   /* inside an "if" that does not hold: read, checked, not kept */
    int depth;
    int *n_items;
} parser;

static const struct {
    const char *name;
    nashc_item_kind kind;
} combinators[] = {
    {"repeat", NASHC_I_REPEAT}, {"fixpoint", NASHC_I_FIXPOINT}, {"try", NASHC_I_TRY}};

static nashc_status parse_list(parser *p, char end, nashc_item **out);

bool
nashc_is_combinator(const char *name)
{
    for (size_t i = 0; i < NASHC_COUNT(combinators); i++)
        if (strcmp(combinators[i].name, name) == 0)
            return true;
    return false;
}

/* --- messages -------------------------------------------------------------------------------- */

static nashc_loc
place(const parser *p, const char *at)
{
    nashc_loc loc = {.file = p->file ? p->file : "-passes", .line = 1, .col = 1};
    for (const char *s = p->text; s < at; s++) {
        loc.line += *s == '\n';
        loc.col = *s == '\n' ? 1 : loc.col + 1;
    }
    return loc;
}

/* Source line and caret under [at, at + len). */
static void
mark(const parser *p, const char *at, size_t len)
{
    const char *start = at;
    while (start > p->text && start[-1] != '\n')
        start--;
    size_t n = strcspn(start, "\n");
    const char *line = nashc_arena_printf(p->arena, "%.*s", (int)n, start);
    if (line)
        nashc_caret(p->diag, line, (int)(at - start), (int)len);
}

static nashc_status
complain(parser *p, const char *at, size_t len, const char *fmt, ...)
{
    nashc_loc loc = place(p, at);
    va_list ap;
    va_start(ap, fmt);
    const char *text = nashc_arena_vprintf(p->arena, fmt, ap);
    va_end(ap);
    nashc_error(p->diag, &loc, "%s", text ? text : "out of memory");
    mark(p, at, len);
    return NASHC_EUSAGE;
}

/* --- tokens ---------------------------------------------------------------------------------- */

static void
skip_space(parser *p)
{
    while (*p->at && (isspace((unsigned char)*p->at) || *p->at == '#')) {
        if (*p->at == '#')
            p->at += strcspn(p->at, "\n");
        else
            p->at++;
    }
}

static size_t
word_length(const char *s)
{
    size_t n = 0;
    while (isalnum((unsigned char)s[n]) || (s[n] && strchr("-_.", s[n])))
        n++;
    return n;
}

static char *
copy(parser *p, const char *s, size_t n)
{
    return nashc_arena_printf(p->arena, "%.*s", (int)n, s);
}

static const char *
noun(const nashc_item *it)
{
    return it->kind == NASHC_I_PASS ? "pass" : "pipeline";
}

static nashc_item *
new_item(parser *p, nashc_item_kind kind, const char *name)
{
    nashc_item *it = NASHC_NEW(p->arena, nashc_item);
    if (!it)
        return NULL;
    it->kind = kind;
    it->name = name;
    it->opt_text = "";
    return it;
}

/* --- options --------------------------------------------------------------------------------- */

/* Bytes up to the ';' or ')' that ends a value; brackets and quotes protect. */
static size_t
value_length(const char *s)
{
    size_t n = 0;
    int depth = 0;
    bool quoted = false;
    for (; s[n]; n++) {
        char c = s[n];
        if (quoted) {
            quoted = c != '"';
            continue;
        }
        if (c == '"')
            quoted = true;
        else if (c == '(' || c == '[')
            depth++;
        else if (depth > 0 && (c == ')' || c == ']'))
            depth--;
        else if (c == ')' || c == ';')
            break;
    }
    return n;
}

/* Options of a pipeline; those of ABI 2.0 had none. */
static const nashc_param *
pipeline_options(const nashc_pipeline *pl)
{
    return pl && NASHC_HAS(pl, options) ? pl->options : NULL;
}

static const nashc_param *
find_option(const nashc_param *schema, const char *name)
{
    while (schema && schema->name && strcmp(schema->name, name) != 0)
        schema++;
    return schema && schema->name ? schema : NULL;
}

/* The option of the owner that the len bytes at name it. */
static nashc_status
owner_option(parser *p, const char *at, size_t len, const nashc_param **out)
{
    const char *name = copy(p, at, len);
    *out = name ? find_option(pipeline_options(p->owner), name) : NULL;
    if (!name)
        return nashc_enomem(p->diag);
    if (!*out)
        return complain(p, at, len ? len : 1, "pipeline \"%s\" has no option \"%s\"",
                        p->owner->name, nashc_quote(p->diag, name));
    return NASHC_OK;
}

/* KEY=VALUE as text that parses to these again. What holds a quote came without quotes around. */
static const char *
option_text(parser *p, const char *key, const char *value)
{
    bool plain = value[0] && (strchr(value, '"') || !value[strcspn(value, "$()[]; \t\r\n")]);
    const char *quote = plain ? "" : "\"";
    return nashc_arena_printf(p->arena, "%s=%s%s%s", key, quote, value, quote);
}

/* One more KEY=VALUE behind what the item has. */
static nashc_status
keep_text(parser *p, nashc_item *it, const char *text)
{
    const char *old = it->opt_text;
    if (text)
        it->opt_text = nashc_arena_printf(p->arena, "%s%s%s", old, old[0] ? ";" : "", text);
    return text && it->opt_text ? NASHC_OK : nashc_enomem(p->diag);
}

/* One KEY=VALUE as it stands in the text. */
typedef struct option {
    const char *key, *value;
    const char *key_at, *value_at; /* value_at is key_at where the value is left out */
    size_t key_len, value_len;
} option;

static nashc_status
read_option(parser *p, const nashc_item *it, option *o)
{
    skip_space(p);
    *o = (option){.value = "true", .key_at = p->at, .value_at = p->at};
    o->key_len = o->value_len = word_length(p->at);
    if (o->key_len == 0)
        return complain(p, p->at, 1, "expected the name of an option of %s \"%s\"", noun(it),
                        it->name);
    o->key = copy(p, p->at, o->key_len);
    p->at += o->key_len;
    skip_space(p);
    if (*p->at == '=') {
        p->at++;
        while (*p->at == ' ')
            p->at++;
        o->value_at = p->at;
        size_t len = value_length(p->at);
        p->at += len;
        while (len > 0 && isspace((unsigned char)o->value_at[len - 1]))
            len--;
        bool quoted = len >= 2 && o->value_at[0] == '"' && o->value_at[len - 1] == '"';
        o->value = copy(p, o->value_at + quoted, len - 2 * quoted);
        o->value_len = len;
    }
    return o->key && o->value ? NASHC_OK : nashc_enomem(p->diag);
}

static nashc_status
parse_option(parser *p, nashc_item *it, const nashc_param *schema)
{
    option o;
    const nashc_param *q;
    nashc_status s = read_option(p, it, &o);
    bool known = s == NASHC_OK && find_option(schema, o.key);
    bool handed = s == NASHC_OK && p->owner && o.value_at[0] == '$';
    if (handed) {
        s = owner_option(p, o.value_at + 1, o.value_len - 1, &q);
        o.value = s == NASHC_OK ? nashc_opts_str(p->given, q->name) : "";
        if (s == NASHC_OK && known && !o.value[0])
            return NASHC_OK;
    }
    if (s != NASHC_OK)
        return s;
    const char *at = known ? o.value_at : o.key_at;
    nashc_loc loc = place(p, at);
    s = nashc_opts_set(it->opts, o.key, o.value, &loc, p->diag);
    if (s != NASHC_OK && s != NASHC_ENOMEM)
        mark(p, at, known ? o.value_len : o.key_len);
    if (s != NASHC_OK)
        return s;
    size_t written = (size_t)(o.value_at + o.value_len - o.key_at);
    return keep_text(p, it, handed ? option_text(p, o.key, o.value) : copy(p, o.key_at, written));
}

/* What stands in the brackets behind a pass or a named pipeline, if there are any. */
static nashc_status
parse_options(parser *p, nashc_item *it, const nashc_param *schema)
{
    nashc_status s = NASHC_OK;
    if (*p->at == '<')
        return complain(p, p->at, 1, "%s \"%s\" takes no count", noun(it), it->name);
    if (!(it->opts = nashc_opts_create(p->arena, schema)))
        return nashc_enomem(p->diag);
    if (*p->at != '(')
        return NASHC_OK;
    p->at++;
    skip_space(p);
    while (s == NASHC_OK && *p->at != ')') {
        s = parse_option(p, it, schema);
        skip_space(p);
        if (s != NASHC_OK || *p->at == ')')
            break;
        if (*p->at != ';')
            return complain(p, p->at, 1, "expected \";\" or \")\" behind an option of %s \"%s\"",
                            noun(it), it->name);
        p->at++;
    }
    p->at += s == NASHC_OK;
    return s;
}

/* Are the required ones there? An item that is not kept may lack them. */
static nashc_status
check_options(parser *p, const char *at, size_t len, const nashc_item *it)
{
    nashc_loc loc = place(p, at);
    nashc_status s = p->dead ? NASHC_OK : nashc_opts_check(it->opts, &loc, p->diag);
    if (s != NASHC_OK)
        mark(p, at, len);
    return s;
}

static nashc_status
parse_pass(parser *p, const char *at, size_t len, const nashc_pass *pass, nashc_item **out)
{
    nashc_item *it = new_item(p, NASHC_I_PASS, pass->name);
    if (!it)
        return nashc_enomem(p->diag);
    it->pass = pass;
    *out = it;
    nashc_status s = parse_options(p, it, pass->options);
    return s == NASHC_OK ? check_options(p, at, len, it) : s;
}

/* --- combinators, named pipelines, files ----------------------------------------------------- */

static nashc_status
parse_combinator(parser *p, const char *at, size_t len, int which, nashc_item **out)
{
    nashc_item *it = new_item(p, combinators[which].kind, combinators[which].name);
    if (!it)
        return nashc_enomem(p->diag);
    *out = it;
    it->count = it->kind == NASHC_I_FIXPOINT ? FIXPOINT_ROUNDS : 1;
    bool counted = *p->at == '<';
    if (counted) {
        const char *number = ++p->at;
        if (!nashc_num_parse_int(&p->at, &it->count) || *p->at != '>' || it->count < 1 ||
            it->count > MAX_REPEAT_COUNT)
            return complain(p, number, strcspn(number, ">,()"), "expected a count from 1 to %d",
                            MAX_REPEAT_COUNT);
        p->at++;
        if (it->kind == NASHC_I_TRY)
            return complain(p, number, 1, "\"try\" takes no count");
    }
    if (it->kind == NASHC_I_REPEAT && !counted)
        return complain(p, at, len, "\"repeat\" needs a count: repeat<4>(a,b)");
    if (*p->at != '(')
        return complain(p, at, len, "\"%s\" needs passes: %s(a,b)", it->name, it->name);
    p->at++;
    p->depth++;
    nashc_status s = parse_list(p, ')', &it->child);
    p->depth--;
    return s;
}

/* Does the option of the owner switch an "if" on? */
static bool
holds(const parser *p, const nashc_param *q)
{
    if (q->kind == NASHC_P_BOOL)
        return nashc_opts_bool(p->given, q->name);
    return nashc_opts_str(p->given, q->name)[0] != 0;
}

/* if<KEY>(...); *out stays NULL where it does not hold. */
static nashc_status
parse_if(parser *p, const char *at, size_t len, nashc_item **out)
{
    if (!p->owner)
        return complain(p, at, len, "\"if\" asks for an option of the named pipeline it stands in");
    if (*p->at != '<')
        return complain(p, at, len, "\"if\" needs an option: if<KEY>(a,b)");
    size_t n = word_length(++p->at);
    const nashc_param *q;
    nashc_status s = owner_option(p, p->at, n, &q);
    nashc_item *it = new_item(p, NASHC_I_SEQUENCE, "");
    if (s != NASHC_OK || !it)
        return s != NASHC_OK ? s : nashc_enomem(p->diag);
    p->at += n;
    if (p->at[0] != '>' || p->at[1] != '(')
        return complain(p, p->at, 1, "\"if\" needs passes: if<%s>(a,b)", q->name);
    p->at += 2;
    bool outside = p->dead, kept = holds(p, q);
    p->dead = outside || !kept;
    p->depth++;
    s = parse_list(p, ')', &it->child);
    p->depth--;
    p->dead = outside;
    *out = kept ? it : NULL;
    return s;
}

/* Parses another text at this place, a file or (owner) that of a pipeline with its options; the
 * parser comes back as it was. */
static nashc_status
parse_nested(parser *p, const char *file, const char *text, const nashc_pipeline *owner,
             nashc_item *it)
{
    parser inner = *p;
    inner.file = file;
    inner.text = inner.at = text;
    inner.owner = owner;
    inner.given = it->opts;
    inner.depth++;
    return parse_list(&inner, 0, &it->child);
}

static nashc_status
parse_pipeline_name(parser *p, const char *at, size_t len, const nashc_pipeline *pl,
                    nashc_item **out)
{
    const nashc_param *schema = pipeline_options(pl);
    if (*p->at == '(' && !(schema && schema->name))
        return complain(p, at, len, "pipeline \"%s\" takes no options", pl->name);
    nashc_item *it = new_item(p, NASHC_I_SEQUENCE, pl->name);
    const char *file = nashc_arena_printf(p->arena, "pipeline %s", pl->name);
    if (!it || !file)
        return nashc_enomem(p->diag);
    *out = it;
    if (p->depth >= MAX_NESTING)
        return complain(p, at, len, "pipeline \"%s\" contains itself", pl->name);
    nashc_status s = parse_options(p, it, schema);
    if (s == NASHC_OK)
        s = check_options(p, at, len, it);
    return s == NASHC_OK ? parse_nested(p, file, pl->text, pl, it) : s;
}

static nashc_status
parse_file(parser *p, nashc_item **out)
{
    const char *at = p->at++;
    size_t len = strcspn(p->at, ",()<>;\n\r\t #");
    const char *path = copy(p, p->at, len);
    char *data = NULL;
    size_t size;
    nashc_item *it = new_item(p, NASHC_I_SEQUENCE, path);
    if (!path || !it)
        return nashc_enomem(p->diag);
    if (len == 0)
        return complain(p, at, 1, "expected a file name behind \"@\"");
    if (p->depth >= MAX_NESTING)
        return complain(p, at, len + 1, "pipeline file \"%s\" contains itself", path);
    *out = it;
    p->at += len;
    nashc_status s = nashc_file_read(path, MAX_FILE_SIZE, &data, &size, p->diag);
    if (s != NASHC_OK) {
        mark(p, at, len + 1);
        return s;
    }
    const char *text = nashc_arena_strdup(p->arena, data);
    if (!text)
        s = nashc_enomem(p->diag);
    else if (strlen(text) != size)
        s = complain(p, at, len + 1, "file \"%s\" is not text", path);
    else
        s = parse_nested(p, path, text, NULL, it);
    nashc_mem_free(data);
    return s;
}

/* --- items ----------------------------------------------------------------------------------- */

static nashc_status
unknown_name(parser *p, const char *at, size_t len, const char *name)
{
    const char *const *passes = nashc_names(p->ctx, NASHC_D_PASS);
    const char *const *pipelines = nashc_names(p->ctx, NASHC_D_PIPELINE);
    int n = 0;
    while (passes[n])
        n++;
    for (int i = 0; pipelines[i]; i++)
        n++;
    const char **all = NASHC_NEW_N(p->arena, const char *, n + 1 + (int)NASHC_COUNT(combinators));
    if (!all)
        return nashc_enomem(p->diag);
    n = 0;
    for (int i = 0; passes[i]; i++)
        all[n++] = passes[i];
    for (int i = 0; pipelines[i]; i++)
        all[n++] = pipelines[i];
    for (size_t i = 0; i < NASHC_COUNT(combinators); i++)
        all[n++] = combinators[i].name;
    const char *near = nashc_nearest(p->diag, name, all);
    nashc_status s =
        complain(p, at, len, "unknown pass \"%s\"%s%s", name, near[0] ? "; " : "", near);
    nashc_help(p->diag, "see `nashc list passes` and `nashc list pipelines`");
    return s;
}

static nashc_status
parse_item(parser *p, nashc_item **out)
{
    const char *at = p->at;
    if (++*p->n_items > MAX_ITEMS)
        return complain(p, at, 1, "more than %d passes", MAX_ITEMS);
    if (*at == '@')
        return parse_file(p, out);
    size_t len = word_length(at);
    if (len == 0)
        return complain(p, at, 1, *at ? "expected a pass, found \"%s\"" : "expected a pass",
                        nashc_quote(p->diag, copy(p, at, 1)));
    const char *name = copy(p, at, len);
    if (!name)
        return nashc_enomem(p->diag);
    p->at += len;
    skip_space(p);
    for (size_t i = 0; i < NASHC_COUNT(combinators); i++)
        if (strcmp(combinators[i].name, name) == 0)
            return parse_combinator(p, at, len, (int)i, out);
    if (strcmp(name, "if") == 0)
        return parse_if(p, at, len, out);
    const nashc_pass *pass = nashc_find(p->ctx, NASHC_D_PASS, name);
    if (pass)
        return parse_pass(p, at, len, pass, out);
    const nashc_pipeline *pl = nashc_find(p->ctx, NASHC_D_PIPELINE, name);
    if (pl)
        return parse_pipeline_name(p, at, len, pl, out);
    return unknown_name(p, at, len, name);
}

/* Items up to end (which is consumed unless it is 0). */
static nashc_status
parse_list(parser *p, char end, nashc_item **out)
{
    nashc_item **tail = out;
    *out = NULL;
    if (p->depth > MAX_NESTING)
        return complain(p, p->at, 1, "nested deeper than %d", MAX_NESTING);
    skip_space(p);
    while (*p->at && *p->at != end) {
        nashc_item *it = NULL;
        nashc_status s = parse_item(p, &it);
        if (s != NASHC_OK)
            return s;
        *tail = it;
        tail = it ? &it->next : tail;
        skip_space(p);
        if (*p->at == end || !*p->at)
            break;
        if (*p->at != ',')
            return complain(p, p->at, 1, "expected \",\"%s before \"%s\"", end ? " or \")\"" : "",
                            nashc_quote(p->diag, copy(p, p->at, 1)));
        p->at++;
        skip_space(p);
        if (*p->at == end)
            return complain(p, p->at, 1, "expected a pass behind \",\"");
    }
    if (end && *p->at != end)
        return complain(p, p->at, 1, "expected \"%c\" at the end", end);
    p->at += end != 0;
    return NASHC_OK;
}

nashc_status
nashc_pipeline_parse(nashc_ctx *c, nashc_arena *a, const char *file, const char *text,
                     nashc_item **out, nashc_diag *d)
{
    int n_items = 0;
    parser p = {.ctx = c,
                .arena = a,
                .diag = d,
                .file = file,
                .text = text,
                .at = text,
                .n_items = &n_items};
    nashc_item *root = new_item(&p, NASHC_I_SEQUENCE, "");
    if (!root)
        return nashc_enomem(d);
    nashc_status s = parse_list(&p, 0, &root->child);
    if (s == NASHC_OK)
        *out = root;
    return s;
}

nashc_status
nashc_check_pipeline_opts(nashc_ctx *c, const char *text, const nashc_pm_options *o, nashc_diag *d)
{
    nashc_arena *a = nashc_arena_create();
    nashc_item *root = NULL;
    nashc_status s = a ? nashc_pipeline_parse(c, a, NULL, text, &root, d) : nashc_enomem(d);
    if (s == NASHC_OK && o)
        s = nashc_check_pass_names(c, o, d);
    if (s == NASHC_OK && o && NASHC_HAS(o, extra_passes))
        s = nashc_pipeline_extend(c, a, root, o->extra_passes, d);
    nashc_arena_free(a);
    return s;
}

nashc_status
nashc_check_pipeline(nashc_ctx *c, const char *text, nashc_diag *d)
{
    return nashc_check_pipeline_opts(c, text, NULL, d);
}
