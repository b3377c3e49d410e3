/* cmd_help.c: nashc help: one command explained; the manual page and the completion scripts. */
#include "tool.h"
#include <stdlib.h>
#include <string.h>

static const nashc_param options[] = {
    {.name = "man", .def = "false", .help = "write the manual page", .kind = NASHC_P_BOOL},
    {.name = "completion",
     .def = "bash",
     .domain = "bash|zsh|fish",
     .help = "write the completion script for a shell",
     .kind = NASHC_P_ENUM,
     .flags = NASHC_P_OPTIONAL,
     .reserved = {"bash"}},
    {0},
};

/* --- manual page ----------------------------------------------------------------------------- */

/* Text for troff: backslashes and hyphens escaped, no control line by accident. */
static void
troff(const char *s)
{
    if (*s == '.' || *s == '\'')
        printf("\\&");
    for (; *s; s++) {
        if (*s == '\\')
            printf("\\e");
        else if (*s == '-')
            printf("\\-");
        else
            putchar(*s);
    }
}

/* Options from the descriptors, so that the page says what this build has. */
static void
man_params(const nashc_param *p)
{
    for (; p && p->name; p++) {
        char name[128];
        const char *value = tool_value_name(p);
        printf(".TP\n.B ");
        troff(tool_option_name(p, name));
        if (value[0]) {
            printf(" ");
            troff(value);
        }
        printf("\n");
        troff(p->help);
        if (p->def && p->def[0] && p->kind != NASHC_P_BOOL) {
            printf(" (default ");
            troff(p->def);
            printf(")");
        }
        printf("\n");
    }
}

static void
man_page(nashc_ctx *c)
{
    const nashc_command *cmd;
    const nashc_warn *w;
    printf(".TH NASHC 1 \"\" \"nashc %s\" \"User Commands\"\n", NASHC_VERSION);
    printf(".SH NAME\nnashc \\- compile quantised neural networks to hardware\n");
    printf(".SH SYNOPSIS\n.B nashc\n.I COMMAND\n[options]\n.SH COMMANDS\n");
    for (int i = 0; (cmd = nashc_desc_at(c, NASHC_D_COMMAND, i)); i++) {
        printf(".SS nashc %s ", cmd->name);
        troff(cmd->usage ? cmd->usage : "");
        printf("\n");
        troff(cmd->help);
        printf(".\n");
        man_params(cmd->options);
        for (const char *s = cmd->example; s && *s; s += strspn(s, "\n")) {
            char line[512];
            size_t len = strcspn(s, "\n");
            snprintf(line, sizeof line, "%.*s", (int)len, s);
            printf(".PP\n.nf\n    ");
            troff(line);
            printf("\n.fi\n");
            s += len;
        }
    }
    printf(".SH OPTIONS OF EVERY COMMAND\n.TP\n.B \\-q, \\-v, \\-vv\nless or more detail\n"
           ".TP\n.B \\-\\-json\nthe result as one JSON document\n"
           ".TP\n.B \\-\\-diag text|json\nhow messages are written\n"
           ".TP\n.B \\-\\-load\\-plugin FILE\na plugin; any number of times\n"
           ".TP\n.B \\-W[no\\-][error=]FLAG\nsilence a warning or make it an error\n");
    printf(".SH WARNINGS\n");
    for (int i = 0; (w = nashc_desc_at(c, NASHC_D_WARNING, i)); i++) {
        printf(".TP\n.B ");
        troff(w->name);
        printf("\n");
        troff(w->help);
        printf("\n");
    }
    printf(".SH EXIT STATUS\n0 done, 1 input malformed or not supported, 2 wrong usage, 3 results "
           "differ,\n4 a file, an outside program or a plugin failed, 70 a bug in nashc\n");
    printf(".SH ENVIRONMENT\n.TP\n.B NASHC_PLUGIN_PATH\nfolders and files of plugins, separated by "
           "colons\n.TP\n.B XDG_CACHE_HOME\nabove the folder nashc that keeps built simulators; "
           "~/.cache if not set\n.TP\n.B NO_COLOR\nno colours\n");
}

/* --- command --------------------------------------------------------------------------------- */

static void
explain_pass(const nashc_pass *p)
{
    printf("pass %s%s%s%s\n\n%s\n", p->name, p->alias ? " (" : "", p->alias ? p->alias : "",
           p->alias ? ")" : "", p->help);
    if (p->needs)
        printf("needs: %s\n", p->needs);
    if (p->gives)
        printf("gives: %s\n", p->gives);
    if (p->options && p->options[0].name) {
        printf("\noptions:\n");
        tool_print_params(stdout, p->options, "");
    }
}

static void
explain_pipeline(const nashc_pipeline *p)
{
    printf("pipeline %s\n\n%s\n\n%s\n", p->name, p->help, p->text);
    if (NASHC_HAS(p, options) && p->options && p->options[0].name) {
        printf("\noptions:\n");
        tool_print_params(stdout, p->options, "");
    }
}

static void
explain_op(const nashc_op *op)
{
    printf("op %s\n\n%s\n", op->name, op->help);
    if (op->attrs && op->attrs[0].name) {
        printf("\nattributes:\n");
        tool_print_params(stdout, op->attrs, "");
    }
}

/* The nearest of all names that are explained. */
static nashc_status
unknown_name(nashc_ctx *c, const char *name, nashc_diag *d)
{
    static const nashc_desc_kind kinds[] = {NASHC_D_COMMAND, NASHC_D_PASS, NASHC_D_PIPELINE,
                                            NASHC_D_OP};
    const char **all = NULL;
    size_t n = 0;

    for (size_t k = 0; k < NASHC_COUNT(kinds); k++) {
        const char *const *names = nashc_names(c, kinds[k]);
        size_t more = 0;
        while (names[more])
            more++;
        const char **grown = realloc(all, (n + more + 1) * sizeof *all);
        if (!grown) {
            free(all);
            return nashc_enomem(d);
        }
        all = grown;
        memcpy(all + n, names, (more + 1) * sizeof *all);
        n += more;
    }
    const char *near = nashc_nearest(d, name, all);
    free(all);
    nashc_usage(d, "nothing is known by the name \"%s\"%s%s", nashc_quote(d, name),
                near[0] ? "; " : "", near);
    nashc_help(d, "see `nashc list commands`, passes, pipelines or ops");
    return NASHC_EUSAGE;
}

/* In the order in which names are looked up: a command first, so that `help run` is about the
 * command. */
static int
explain(nashc_ctx *c, const char *name)
{
    nashc_diag *d = nashc_ctx_diag(c);
    const void *found;
    if ((found = nashc_find(c, NASHC_D_COMMAND, name))) {
        tool_print_help(stdout, found);
    } else if ((found = nashc_find(c, NASHC_D_PASS, name))) {
        explain_pass(found);
    } else if ((found = nashc_find(c, NASHC_D_PIPELINE, name))) {
        explain_pipeline(found);
    } else if (strncmp(name, "unknown.", 8) != 0 && (found = nashc_find(c, NASHC_D_OP, name))) {
        explain_op(found);
    } else {
        return nashc_status_exit(unknown_name(c, name, d));
    }
    return 0;
}

static int
help_main(nashc_ctx *c, const nashc_opts *o, int n_args, const char *const *args)
{
    if (nashc_opts_bool(o, "man")) {
        man_page(c);
        return 0;
    }
    if (nashc_opts_given(o, "completion")) {
        tool_print_completion(c, nashc_opts_str(o, "completion"));
        return 0;
    }
    if (n_args > 0)
        return explain(c, args[0]);
    tool_print_overview(c, stdout);
    return 0;
}

const nashc_command nashc_command_help = {
    NASHC_DESC(nashc_command),
    .name = "help",
    .help = "explain a command, a pass, a pipeline or an op",
    .usage = "[NAME]",
    .example = "nashc help opt\nnashc help move-mul-past-maxpool",
    .options = options,
    .min_args = 0,
    .max_args = 1,
    .main = help_main,
};
