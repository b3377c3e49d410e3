/* args.c: command lines against an option schema, and the help that the schema makes. */
#include "simulate.h"
#include "tool.h"
#include <string.h>

/* --- parsing --------------------------------------------------------------------------------- */

static const nashc_param *
find_param(const nashc_param *schema, const char *name, size_t len)
{
    for (const nashc_param *p = schema; p && p->name; p++)
        if (strlen(p->name) == len && memcmp(p->name, name, len) == 0)
            return p;
    return NULL;
}

static nashc_status
unknown_option(const nashc_param *schema, const char *arg, size_t len, nashc_diag *d)
{
    enum { MOST = 128 };
    const char *names[MOST + 1];
    char name[64];
    int n = 0;
    for (const nashc_param *p = schema; p && p->name && n < MOST; p++)
        names[n++] = p->name;
    names[n] = NULL;
    snprintf(name, sizeof name, "%.*s", (int)len, arg);
    const char *near = nashc_nearest(d, name, names);
    nashc_usage(d, "unknown option \"%s\"%s%s", nashc_quote(d, name), near[0] ? "; " : "", near);
    if (tool_command())
        nashc_help(d, "see `nashc %s --help`", tool_command()->name);
    return NASHC_EUSAGE;
}

/* One dash or two, value behind "=" or as the next word; --no-NAME for switches. An option that may
 * stand without value (NASHC_P_OPTIONAL) takes one by "=" only, or it would eat the next
 * argument. */
static nashc_status
parse_option(nashc_opts *o, const nashc_param *schema, int n, char **argv, int *i, nashc_diag *d)
{
    const char *name = argv[*i] + 1 + (argv[*i][1] == '-');
    size_t len = strcspn(name, "=");
    const char *value = name[len] ? name + len + 1 : NULL;
    const nashc_param *p = find_param(schema, name, len);
    if (!p && len > 3 && strncmp(name, "no-", 3) == 0 && !value) {
        p = find_param(schema, name + 3, len - 3);
        p = p && p->kind == NASHC_P_BOOL ? p : NULL;
        value = "false";
    }
    if (!p)
        return unknown_option(schema, name, len, d);
    if (!value && (p->flags & NASHC_P_OPTIONAL))
        value = p->reserved[0];
    if (!value && p->kind == NASHC_P_BOOL)
        value = "true";
    if (!value) {
        if (*i + 1 >= n)
            return nashc_usage(d, "option \"%s\" needs a value", p->name);
        value = argv[++*i];
    }
    if (p->kind == NASHC_P_PATH && !value[0]) /* of a shell variable that is not set, often */
        return nashc_usage(d, "option \"%s\" needs the name of a file or folder: it is empty",
                           p->name);
    if (nashc_opts_given(o, p->name) && !(p->flags & NASHC_P_REPEAT))
        return nashc_usage(d, "option \"%s\" is given twice", p->name);
    return nashc_opts_set(o, p->name, value, NULL, d);
}

/* A lone "-" is an argument: standard input. args has room for all n. */
nashc_status
tool_parse_args(nashc_opts *o, const nashc_param *schema, int n, char **argv, const char **args,
                int *n_args, nashc_diag *d)
{
    bool only_args = false;
    *n_args = 0;
    for (int i = 0; i < n; i++) {
        if (!only_args && strcmp(argv[i], "--") == 0) {
            only_args = true;
        } else if (!only_args && argv[i][0] == '-' && argv[i][1]) {
            nashc_status s = parse_option(o, schema, n, argv, &i, d);
            if (s != NASHC_OK)
                return s;
        } else {
            args[(*n_args)++] = argv[i];
        }
    }
    return nashc_opts_check(o, NULL, d);
}

/* --- help ------------------------------------------------------------------------------------ */

const char *
tool_option_name(const nashc_param *p, char *buf)
{
    snprintf(buf, 128, "%s%s", p->name[1] ? "--" : "-", p->name);
    return buf;
}

const char *
tool_value_name(const nashc_param *p)
{
    switch (p->kind) {
    case NASHC_P_BOOL:
        return "";
    case NASHC_P_INT:
        return "N";
    case NASHC_P_FLOAT:
        return "X";
    case NASHC_P_INTS:
        return "N,N";
    case NASHC_P_FLOATS:
        return "X,X";
    case NASHC_P_ENUM:
        return p->domain;
    case NASHC_P_PATH:
        return "FILE";
    case NASHC_P_TYPE:
        return "TYPE";
    default:
        return "TEXT";
    }
}

/* Options whose values are programs outside: which of them does this machine have? */
static const struct outside {
    const char *command, *option;
    bool (*is_there)(const char *value);
} outside[] = {{"sim", "simulator", sim_is_there}};

/* The values of p, an option of c (NULL: of something else), that are there; '|' between them. */
static const char *
values_there(const nashc_param *p, const nashc_command *c, char out[128])
{
    const struct outside *o = outside, *end = outside + NASHC_COUNT(outside);
    char value[64];
    size_t n = 0;

    while (c && o < end && (strcmp(o->command, c->name) || strcmp(o->option, p->name)))
        o++;
    if (!c || o == end)
        return tool_value_name(p);
    out[0] = 0;
    for (const char *s = p->domain; *s; s += strcspn(s, "|"), s += *s == '|') {
        snprintf(value, sizeof value, "%.*s", (int)strcspn(s, "|"), s);
        if (o->is_there(value) && n + strlen(value) + 2 < 128)
            n += (size_t)snprintf(out + n, 128 - n, "%s%s", n ? "|" : "", value);
    }
    return out[0] ? out : "none is installed";
}

/* 27 columns for the option; a longer one has its help on a line of its own. */
static void
print_params(FILE *f, const nashc_param *schema, const char *dashes, const nashc_command *c)
{
    for (const nashc_param *p = schema; p && p->name; p++) {
        char left[256], there[128];
        const char *value = values_there(p, c, there);
        const char *dash = dashes ? dashes : p->name[1] ? "--" : "-";
        bool bare = p->flags & NASHC_P_OPTIONAL;
        snprintf(left, sizeof left, "%s%s%s%s%s%s", dash, p->name, bare ? "[" : "",
                 value[0] ? p->name[1] ? "=" : " " : "", value, bare ? "]" : "");
        if (strlen(left) > 27)
            fprintf(f, "  %s\n  %-28s", left, "");
        else
            fprintf(f, "  %-28s", left);
        fprintf(f, "%s", p->help);
        bool shown = p->def && p->def[0] && p->kind != NASHC_P_BOOL;
        bool on = p->def && p->kind == NASHC_P_BOOL && strcmp(p->def, "true") == 0;
        bool domain = p->domain && p->kind != NASHC_P_ENUM;
        if (shown || on || domain || !p->def || (p->flags & NASHC_P_REPEAT))
            fprintf(f, " (%s%s%s%s%s%s)", domain ? p->domain : "",
                    domain && (shown || !p->def) ? "; " : "", shown || on ? "default " : "",
                    shown || on ? p->def : "",
                    !p->def && !(p->flags & NASHC_P_REPEAT) ? "required" : "",
                    p->flags & NASHC_P_REPEAT ? "repeatable" : "");
        fputc('\n', f);
    }
}

void
tool_print_params(FILE *f, const nashc_param *schema, const char *dashes)
{
    print_params(f, schema, dashes, NULL);
}

void
tool_print_usage(FILE *f, const nashc_command *c)
{
    fprintf(f, "usage: nashc %s %s\n", c->name, c->usage ? c->usage : "");
}

void
tool_print_help(FILE *f, const nashc_command *c)
{
    tool_print_usage(f, c);
    fprintf(f, "\n%s\n", c->help);
    if (c->options && c->options[0].name) {
        fprintf(f, "\noptions:\n");
        print_params(f, c->options, NULL, c);
    }
    fprintf(f,
            "\noptions of every command:\n"
            "  -q, -v, -vv                 less or more detail on standard error\n"
            "  --json                      the result as one JSON document\n"
            "  --diag=text|json            how messages are written (default text)\n"
            "  --load-plugin=FILE          a plugin; any number of times\n"
            "  --max-memory=SIZE           of the run, as 500M or 2G; 0: no limit (default half "
            "of the machine's)\n"
            "  --max-time=N                seconds the run may take; 0: no limit (default 0)\n"
            "  -W[no-][error=]FLAG         silence a warning or make it an error; see `nashc list "
            "warnings`\n");
    if (c->example && c->example[0])
        fprintf(f, "\nexamples:\n");
    for (const char *s = c->example; s && *s; s += strspn(s, "\n")) {
        size_t len = strcspn(s, "\n");
        fprintf(f, "  %.*s\n", (int)len, s);
        s += len;
    }
}
