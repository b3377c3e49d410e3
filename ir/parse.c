/* parse.c: text to modules (the grammar is in docs/ir.md).
 *
 * Two steps: the text is read as it stands, types included; then every node is inferred again and
 * compared with what the text says. So graphs may call graphs that come later.
 */
#include "ir/parse.h"
#include "core/base/mem.h"
#include "core/base/num.h"
#include <inttypes.h>
#include <nashc/diag.h>
#include <nashc/plugin.h>
#include <stdio.h>
#include <string.h>

#define MAX_GRAPHS  4096
#define MAX_NEAREST 4096 /* names that a message about an unknown one looks at */

/* --- names ----------------------------------------------------------------------------------- */

/* `; did you mean "%x"?` over the names of the graph, as long as there are few. */
static const char *
nearest_value(nashc_parser *p, const char *name)
{
    const nashc_map *m = &p->g->names;
    const char **names = NASHC_NEW_N(p->scratch, const char *, m->n_live + 1), *near;
    size_t n = 0;

    if (!names || m->n_live > MAX_NEAREST || !p->d)
        return "";
    for (size_t i = 0; i < m->n_entry; i++)
        if (m->entry[i].key)
            names[n++] = m->entry[i].key;
    near = nashc_nearest(p->d, name, names);
    near = *near ? nashc_arena_printf(p->scratch, "; %s", near) : near;
    return near ? near : "";
}

/* Values must stand above their readers: so the list of nodes is in topological order as read, and
 * no graph has a cycle. */
static nashc_status
find_value(nashc_parser *p, const char *name, const char *at, nashc_value **out)
{
    nashc_value *v = nashc_map_get(&p->g->names, name);

    if (!v)
        return nashc_parse_error(p, at, (int)(p->s - at), "no value \"%.80s\" is defined so far%s",
                                 name, nearest_value(p, name));
    *out = v;
    return NASHC_OK;
}

static nashc_status
check_new(nashc_parser *p, const char *name, const char *at)
{
    if (nashc_map_get(&p->g->names, name))
        return nashc_parse_error(p, at, (int)(p->s - at), "value \"%.80s\" is defined twice", name);
    return NASHC_OK;
}

/* --- lines of a graph ------------------------------------------------------------------------ */

/* def { "," def } "=", of no def for a line without results. Two equal names in one line are looked
 * for among the first 64 only, as it takes n^2 steps; parse_call meets the others. */
static nashc_status
parse_defs(nashc_parser *p)
{
    nashc_status s;

    p->n_def = 0;
    nashc_parse_space(p);
    while (*p->s != '=' || p->n_def) {
        nashc_def def = {.at = p->s};
        s = nashc_parse_value_name(p, &def.name);
        if (!s)
            s = check_new(p, def.name, def.at);
        for (size_t i = 0; !s && i < p->n_def && p->n_def < 64; i++)
            if (p->def[i].name == def.name)
                s = nashc_parse_error(p, def.at, (int)(p->s - def.at),
                                      "value \"%.80s\" is defined twice", def.name);
        def.len = (int)(p->s - def.at);
        if (!s)
            s = nashc_parse_need(p, ":");
        if (!s)
            s = nashc_parse_type(p, &def.type, &def.type_at, &def.type_len);
        if (s)
            return s;
        /* p->def is kept from line to line: one allocation for the whole text */
        if (!nashc_mem_grow((void **)&p->def, &p->cap_def, p->n_def + 1, sizeof(def)))
            return nashc_enomem(p->d);
        p->def[p->n_def++] = def;
        if (!nashc_parse_accept(p, ","))
            break;
        nashc_parse_space(p);
    }
    return nashc_parse_need(p, "=");
}

/* "(" [ vals ] ")" into p->in. */
static nashc_status
parse_operands(nashc_parser *p)
{
    nashc_status s = nashc_parse_need(p, "(");

    p->n_in = 0;
    if (s || nashc_parse_accept(p, ")"))
        return s;
    do {
        nashc_value *v = NULL;
        const char *name, *at;
        nashc_parse_space(p);
        at = p->s;
        if (!nashc_parse_word(p, "_")) {
            s = nashc_parse_value_name(p, &name);
            if (!s)
                s = find_value(p, name, at, &v);
            if (s)
                return s;
        }
        if (!nashc_mem_grow((void **)&p->in, &p->cap_in, p->n_in + 1, sizeof(nashc_value *)))
            return nashc_enomem(p->d);
        p->in[p->n_in++] = v;
    } while (nashc_parse_accept(p, ","));
    return nashc_parse_need(p, ")");
}

static nashc_status
check_arity(nashc_parser *p, const nashc_op *op, const char *at, int len)
{
    size_t n = p->n_in;

    /* operands left out at the end are not part of the node, as in build.c */
    while (p->n_in && (int64_t)p->n_in > op->min_in && !p->in[p->n_in - 1])
        p->n_in--;
    if ((int64_t)p->n_in < op->min_in || (op->max_in >= 0 && (int64_t)n > op->max_in))
        return nashc_parse_error(p, at, len, "%s has %zu operands, expected %d%s", op->name, n,
                                 (int64_t)n > op->max_in && op->max_in >= 0 ? op->max_in
                                                                            : op->min_in,
                                 op->min_in == op->max_in                     ? ""
                                 : (int64_t)n > op->max_in && op->max_in >= 0 ? " at most"
                                                                              : " or more");
    if ((int64_t)p->n_def < op->min_out || (op->max_out >= 0 && (int64_t)p->n_def > op->max_out))
        return nashc_parse_error(p, at, len, "%s has %zu results, expected %d%s", op->name,
                                 p->n_def, op->min_out,
                                 op->min_out == op->max_out ? "" : " or another number");
    for (int i = 0; i < op->min_in; i++)
        if (!p->in[i])
            return nashc_parse_error(p, at, len, "operand %d of %s cannot be left out", i,
                                     op->name);
    return NASHC_OK;
}

static nashc_status
find_op(nashc_parser *p, const nashc_op **out, const char **at, int *len)
{
    const char *name;
    size_t n = 0;

    nashc_parse_space(p);
    *at = p->s;
    while (nashc_parse_ident_char(p->s[n]))
        n++;
    if (!n)
        return nashc_parse_expected(p, "an operator or a constant");
    /* a word of megabytes must not end up in a message; no op has so long a name */
    *len = n > NASHC_PARSE_SHOWN ? NASHC_PARSE_SHOWN : (int)n;
    name = nashc_arena_printf(p->scratch, "%.*s", *len, p->s);
    if (!name)
        return nashc_enomem(p->d);
    p->s += n;
    *out = nashc_find(p->ctx, NASHC_D_OP, name);
    if (!*out) {
        const char *near = p->d ? nashc_nearest(p->d, name, nashc_names(p->ctx, NASHC_D_OP)) : "";
        nashc_parse_error(p, *at, *len, "unknown op \"%s\"%s%s", name, *near ? "; " : "", near);
        if (p->d && !*near)
            nashc_help(p->d, "a plugin may bring it (--load-plugin)");
        return NASHC_EINPUT;
    }
    return NASHC_OK;
}

/* Notes where the node stands, for the messages of the second step. */
static bool
remember(nashc_parser *p, const char *op_at)
{
    if (!nashc_mem_grow((void **)&p->op_at, &p->cap_op_at, p->n_op_at + 1, sizeof(char *)) ||
        !nashc_mem_grow((void **)&p->type_at, &p->cap_type_at, p->n_type_at + p->n_def,
                        sizeof(char *)))
        return false;
    p->op_at[p->n_op_at++] = op_at;
    for (size_t i = 0; i < p->n_def; i++)
        p->type_at[p->n_type_at++] = p->def[i].type_at;
    return true;
}

/* Attributes, then the name of the node in the source file, which messages use: !"Conv_3". */
static nashc_status
parse_tail(nashc_parser *p, nashc_node *n)
{
    nashc_attr_fault f;
    nashc_status s = nashc_node_parse_attrs(n, &p->s, &f, p->d);

    if (s == NASHC_ENOMEM)
        return nashc_enomem(p->d);
    if (s)
        return nashc_parse_error(p, f.at, f.len, "%s", f.text);
    if (*p->s == '!') {
        p->s++;
        if (*p->s != '"')
            return nashc_parse_expected(p, "a string behind !");
        s = nashc_parse_name(p, "a string", &n->loc.name);
    }
    return s;
}

static nashc_status
parse_call(nashc_parser *p)
{
    const nashc_op_info *info;
    const nashc_op *op = NULL;
    const char *at = p->s;
    nashc_node *n;
    nashc_status s;
    int len = 1;

    s = find_op(p, &op, &at, &len);
    if (!s)
        s = parse_operands(p);
    if (!s)
        s = check_arity(p, op, at, len);
    if (!s && ++p->n_nodes > NASHC_MAX_NODES)
        s = nashc_parse_error(p, at, len, "more than %d nodes", NASHC_MAX_NODES);
    if (s)
        return s;
    info = nashc_op_schema(p->x, op, p->d);
    n = info ? nashc_node_alloc(p->g, info, (uint32_t)p->n_in, (uint32_t)p->n_def) : NULL;
    /* in step with the list of nodes, see check_all */
    if (!n || !remember(p, at))
        return nashc_enomem(p->d);
    /* so messages about the graph point into its text */
    n->loc = (nashc_loc){.file = p->file, .line = p->line, .col = (int)(at - p->line_at) + 1};
    nashc_node_link(n, NULL);
    for (size_t i = 0; i < p->n_in; i++)
        nashc_use_set(&n->in[i], p->in[i]);
    for (size_t i = 0; i < p->n_def; i++) {
        n->out[i].type = p->def[i].type;
        /* two definitions on this line, beyond those that parse_defs compared */
        if (nashc_map_get(&p->g->names, p->def[i].name))
            return nashc_parse_error(p, p->def[i].at, p->def[i].len,
                                     "value \"%.80s\" is defined twice", p->def[i].name);
        if (!nashc_value_bind(&n->out[i], p->def[i].name))
            return nashc_enomem(p->d);
    }
    return parse_tail(p, n);
}

/* A word followed by "(" is an operator of that name. */
static bool
at_data(const char *s)
{
    static const char *const words[] = {"splat", "blob", "rand"};

    if (*s == '[')
        return true;
    for (size_t i = 0; i < NASHC_COUNT(words); i++) {
        size_t n = strlen(words[i]);
        if (strncmp(s, words[i], n) == 0 && !nashc_parse_ident_char(s[n]) && s[n] != '(')
            return true;
    }
    return false;
}

static nashc_status
parse_line(nashc_parser *p)
{
    nashc_status s = parse_defs(p);

    if (s)
        return s;
    nashc_parse_space(p);
    s = at_data(p->s) ? nashc_parse_data(p) : parse_call(p);
    return s ? s : nashc_parse_newline(p);
}

/* --- graphs ---------------------------------------------------------------------------------- */

static nashc_status
parse_inputs(nashc_parser *p)
{
    nashc_status s = nashc_parse_need(p, "(");

    if (s || nashc_parse_accept(p, ")"))
        return s;
    do {
        const char *name, *at, *type_at;
        nashc_type t;
        int len;
        nashc_parse_space(p);
        at = p->s;
        s = nashc_parse_value_name(p, &name);
        if (!s)
            s = check_new(p, name, at);
        if (!s)
            s = nashc_parse_need(p, ":");
        if (!s)
            s = nashc_parse_type(p, &t, &type_at, &len);
        if (!s && !nashc_graph_add_input(p->g, name, &t))
            s = nashc_enomem(p->d);
        if (s)
            return s;
    } while (nashc_parse_accept(p, ","));
    return nashc_parse_need(p, ")");
}

/* "(" [ [NAME "="] VAL { "," ... } ] ")"; the values are looked up at the end of the graph. */
static nashc_status
parse_outputs(nashc_parser *p)
{
    nashc_status s = nashc_parse_need(p, "(");

    p->n_out = 0;
    if (s || nashc_parse_accept(p, ")"))
        return s;
    do {
        nashc_out_ref o = {0};
        nashc_parse_space(p);
        if (*p->s != '%') {
            s = nashc_parse_some_name(p, "an output, such as %y or name=%y", &o.slot);
            if (!s)
                s = nashc_parse_need(p, "=");
            nashc_parse_space(p);
        }
        o.at = p->s;
        if (!s)
            s = nashc_parse_value_name(p, &o.name);
        if (s)
            return s;
        o.len = (int)(p->s - o.at);
        if (!nashc_mem_grow((void **)&p->out, &p->cap_out, p->n_out + 1, sizeof(o)))
            return nashc_enomem(p->d);
        p->out[p->n_out++] = o;
    } while (nashc_parse_accept(p, ","));
    return nashc_parse_need(p, ")");
}

static nashc_status
bind_outputs(nashc_parser *p)
{
    nashc_map seen = {0}; /* results are told apart by these names */
    nashc_status s = NASHC_OK;

    for (size_t i = 0; !s && i < p->n_out; i++) {
        const nashc_out_ref *o = &p->out[i];
        const char *name = o->slot ? o->slot : o->name;
        nashc_value *v = nashc_map_get(&p->g->names, o->name);
        if (!v)
            s = nashc_parse_error(p, o->at, o->len, "output \"%.80s\" is not defined%s", o->name,
                                  nearest_value(p, o->name));
        else if (nashc_map_get(&seen, name))
            s = nashc_parse_error(p, o->at, o->len, "output \"%.80s\" is given twice", name);
        else if (!nashc_map_put(&seen, name, v))
            s = nashc_enomem(p->d);
        if (!s)
            nashc_graph_add_output(p->g, o->slot, v);
        if (!s && p->g->outputs.n_in != i + 1)
            s = nashc_enomem(p->d);
    }
    nashc_map_free(&seen);
    return s;
}

/* The head names the outputs before their values exist: they wait in p->out for the end of the
 * graph. */
static nashc_status
parse_graph(nashc_parser *p)
{
    const char *name, *at;
    nashc_status s;

    nashc_parse_space(p);
    at = p->s;
    if (*p->s != '@')
        return nashc_parse_expected(p, "the name of the graph, such as @main");
    p->s++;
    s = nashc_parse_name(p, "the name of the graph behind @", &name);
    if (s)
        return s;
    if (p->m->n_graphs == MAX_GRAPHS)
        return nashc_parse_error(p, at, 1, "more than %d graphs", MAX_GRAPHS);
    if (nashc_module_graph(p->m, name))
        return nashc_parse_error(p, at, (int)(p->s - at), "graph \"%.80s\" is defined twice", name);
    p->g = nashc_module_add_graph(p->m, name);
    if (!p->g)
        return nashc_enomem(p->d);
    s = parse_inputs(p);
    if (!s)
        s = nashc_parse_need(p, "->");
    if (!s)
        s = parse_outputs(p);
    if (!s)
        s = nashc_parse_need(p, "{");
    if (!s)
        s = nashc_parse_newline(p);
    for (;;) {
        if (s)
            return s;
        nashc_parse_blank_lines(p);
        if (nashc_parse_word(p, "}"))
            break;
        if (!*p->s)
            return nashc_parse_expected(p, "} at the end of the graph");
        s = parse_line(p);
    }
    s = bind_outputs(p);
    return s ? s : nashc_parse_newline(p);
}

/* --- the file -------------------------------------------------------------------------------- */

/* A value without quotes goes up to a blank; it is text in any case. */
static nashc_status
parse_meta(nashc_parser *p)
{
    for (;;) {
        const char *key, *value, *at;
        nashc_status s;
        nashc_parse_space(p);
        if (!*p->s || *p->s == '\n')
            return nashc_parse_newline(p);
        at = p->s;
        s = nashc_parse_name(p, "a key", &key);
        if (!s)
            s = nashc_parse_need(p, "=");
        if (s)
            return s;
        nashc_parse_space(p);
        if (*p->s == '"') {
            s = nashc_parse_name(p, "a value", &value);
        } else {
            size_t n = strcspn(p->s, " \t\r\n#\"");
            if (!n)
                return nashc_parse_expected(p, "the value of the key");
            value = nashc_intern_n(p->x, p->s, n);
            p->s += n;
        }
        if (s || !value)
            return s ? s : nashc_enomem(p->d);
        if (nashc_module_meta(p->m, key))
            return nashc_parse_error(p, at, 1, "key \"%.80s\" is given twice", key);
        nashc_module_set_meta(p->m, key, value);
        /* set_meta tells nothing: interned texts are compared by address */
        if (nashc_module_meta(p->m, key) != value)
            return nashc_enomem(p->d);
    }
}

static nashc_status
parse_file(nashc_parser *p)
{
    const char *at;
    int64_t version;
    nashc_status s;

    nashc_parse_blank_lines(p);
    if (!nashc_parse_word(p, "nashc"))
        return nashc_parse_expected(p, "\"nashc 1\" at the begin");
    nashc_parse_space(p);
    at = p->s;
    if (!nashc_num_parse_int(&p->s, &version) || version != 1)
        return nashc_parse_error(p, at, nashc_parse_span(at),
                                 "expected version 1 of the text form");
    s = nashc_parse_newline(p);
    while (!s) {
        nashc_parse_blank_lines(p);
        if (!*p->s)
            break;
        if (nashc_parse_word(p, "meta"))
            s = parse_meta(p);
        else if (nashc_parse_word(p, "graph"))
            s = parse_graph(p);
        else
            s = nashc_parse_expected(p, "graph or meta");
    }
    return s;
}

/* --- second step ----------------------------------------------------------------------------- */

/* A text is an input, so a type that its operands do not give is the user's error here, shown under
 * the type; in verify.c it is one of a pass. */
static nashc_status
check_node(nashc_parser *p, const nashc_node *n, nashc_type *types, const char *op_at,
           const char *const *type_at)
{
    nashc_status s = nashc_node_infer(n, types, p->d);

    for (uint32_t i = 0; !s && i < n->n_out; i++) {
        char is[NASHC_TYPE_STR_MAX], want[NASHC_TYPE_STR_MAX];
        if (nashc_type_eq(&n->out[i].type, &types[i]))
            continue;
        nashc_type_print(&n->out[i].type, is, sizeof(is));
        nashc_type_print(&types[i], want, sizeof(want));
        return nashc_parse_error(p, type_at[i], (int)strlen(is),
                                 "the type of \"%.80s\" is %s, but %s gives %s", n->out[i].name, is,
                                 n->op->name, want);
    }
    if (!s && n->op->verify)
        s = n->op->verify(n, p->d);
    if (s == NASHC_EINPUT || s == NASHC_EUNSUP)
        nashc_parse_show(p, op_at, (int)strlen(n->op->name));
    return s;
}

/* Walks nodes in the order in which they were read: op_at and type_at go along. Constants have no
 * entry there. */
static nashc_status
check_all(nashc_parser *p)
{
    size_t i_node = 0, i_type = 0, cap = 0;
    nashc_type *types = NULL;
    nashc_status s = NASHC_OK;

    p->line = 0; /* no current line any more */
    for (size_t i = 0; !s && i < p->m->n_graphs; i++)
        for (const nashc_node *n = p->m->graphs[i]->first; n && !s; n = n->next) {
            if (!nashc_mem_grow((void **)&types, &cap, n->n_out, sizeof(*types))) {
                s = nashc_enomem(p->d);
                break;
            }
            s = check_node(p, n, types, p->op_at[i_node++], p->type_at + i_type);
            i_type += n->n_out;
        }
    nashc_mem_free(types);
    return s;
}

/* A copy that ends with a 0, for the scanner; a 0 inside is refused. */
static nashc_status
copy_text(nashc_parser *p, const char *text, size_t size, char **out)
{
    char *copy = size < SIZE_MAX ? nashc_mem_alloc(size + 1) : NULL;

    if (!copy)
        return nashc_enomem(p->d);
    memcpy(copy, text, size);
    copy[size] = 0;
    *out = copy;
    p->text = p->s = p->line_at = copy;
    p->line = 1;
    if (strlen(copy) != size)
        return nashc_parse_error(p, copy + strlen(copy), 1, "the text holds a zero byte");
    return NASHC_OK;
}

/* *out is set only on success. The text need not end with a 0 and is not kept: names are interned,
 * locations hold numbers. */
nashc_status
nashc_parse(nashc_ctx *c, const char *file, const char *text, size_t size, const char *blob_path,
            nashc_module **out, nashc_diag *d)
{
    nashc_parser p = {.ctx = c, .x = nashc_ctx_ir(c), .d = d, .blob_path = blob_path};
    nashc_status s = NASHC_OK;
    char *copy = NULL;

    p.scratch = nashc_arena_create();
    p.m = nashc_module_create(c);
    p.file = file ? nashc_intern(p.x, file) : NULL;
    if (!p.scratch || !p.m || (file && !p.file))
        s = nashc_enomem(d);
    if (!s)
        s = copy_text(&p, text, size, &copy);
    if (!s)
        s = parse_file(&p);
    if (!s)
        s = check_all(&p);
    if (!s)
        s = nashc_verify_calls(p.m, d);
    nashc_blobs_close(p.blobs);
    nashc_mem_free(p.def);
    nashc_mem_free(p.out);
    nashc_mem_free(p.in);
    nashc_mem_free(p.type_at);
    nashc_mem_free(p.op_at);
    nashc_mem_free(copy);
    nashc_arena_free(p.scratch);
    if (s)
        nashc_module_free(p.m);
    else
        *out = p.m;
    return s;
}
