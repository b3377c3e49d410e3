/* nashc.c: the command line: options common to all commands, then the command itself. */
#include "tool.h"
#include <jansson.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- messages -------------------------------------------------------------------------------- */

/* Colours the word only, so that what is copied from a terminal is the text of a log. */
static void
print_message(void *user, nashc_severity severity, const char *text)
{
    static const char *const words[] = {" note: ", " warning: ", " error: "};
    static const char *const colors[] = {"\x1b[36m", "\x1b[35m", "\x1b[1;31m"};
    (void)user;
    const char *word = tool_state.color ? strstr(text, words[severity]) : NULL;
    if (!word) {
        fprintf(stderr, "%s\n", text);
        return;
    }
    size_t len = strlen(words[severity]);
    fprintf(stderr, "%.*s%s%.*s\x1b[0m%s\n", (int)(word - text), text, colors[severity], (int)len,
            word, word + len);
}

static void
setup_messages(nashc_ctx *c)
{
    const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
    tool_state.color = isatty(2) && !(no && no[0]) && !(term && strcmp(term, "dumb") == 0);
    nashc_diag_set_sink(nashc_ctx_diag(c), print_message, NULL, tool_state.json_diag);
    nashc_diag_set_verbosity(nashc_ctx_diag(c), tool_state.quiet ? 0 : 1 + tool_state.verbosity);
}

/* --- common options -------------------------------------------------------------------------- */

typedef struct globals {
    char **rest; /* arguments that are not ours */
    int n_rest;
    const char **plugins, **warnings;
    int n_plugins, n_warnings;
    const char *fault; /* of an option of ours */
    const char *memory, *time;
} globals;

/* The value of option name at argv[*i]: behind "=", or the next argument. NULL: another option. */
static const char *
value_of(const char *name, int argc, char **argv, int *i, globals *g)
{
    const char *s = argv[*i];
    size_t len = strlen(name);
    if (s[0] != '-')
        return NULL;
    s += 1 + (s[1] == '-');
    if (strncmp(s, name, len) != 0)
        return NULL;
    if (s[len] == '=')
        return s + len + 1;
    if (s[len])
        return NULL;
    if (*i + 1 >= argc) {
        g->fault = name;
        return "";
    }
    return argv[++*i];
}

static bool
take_switch(const char *s)
{
    if (strcmp(s, "-q") == 0 || strcmp(s, "--quiet") == 0)
        tool_state.quiet = true;
    else if (strcmp(s, "-v") == 0 || strcmp(s, "--verbose") == 0)
        tool_state.verbosity++;
    else if (strcmp(s, "-vv") == 0)
        tool_state.verbosity = 2;
    else if (strcmp(s, "--json") == 0 || strcmp(s, "-json") == 0)
        tool_state.json = true;
    else if (strcmp(s, "-h") == 0 || strcmp(s, "--help") == 0 || strcmp(s, "-help") == 0)
        tool_state.help = true;
    else
        return false;
    return true;
}

static bool
is_version(const char *s)
{
    return strcmp(s, "--version") == 0 || strcmp(s, "-version") == 0;
}

/* Common options may stand anywhere, before the command or behind it; all else is left in order for
 * the command. Behind "--" nothing is ours. */
static void
take_globals(int argc, char **argv, globals *g)
{
    for (int i = 1; i < argc; i++) {
        const char *v;
        if (strcmp(argv[i], "--") == 0) {
            while (i < argc)
                g->rest[g->n_rest++] = argv[i++];
        } else if (take_switch(argv[i])) {
            continue;
        } else if (g->n_rest == 0 && is_version(argv[i])) {
            tool_state.version = true;
        } else if ((v = value_of("load-plugin", argc, argv, &i, g))) {
            g->plugins[g->n_plugins++] = v;
        } else if ((v = value_of("diag", argc, argv, &i, g))) {
            tool_state.json_diag = strcmp(v, "json") == 0;
            if (!tool_state.json_diag && strcmp(v, "text") != 0)
                g->fault = "diag";
        } else if ((v = value_of("max-memory", argc, argv, &i, g))) {
            g->memory = v;
        } else if ((v = value_of("max-time", argc, argv, &i, g))) {
            g->time = v;
        } else if (strncmp(argv[i], "-W", 2) == 0) {
            g->warnings[g->n_warnings++] = argv[i] + 2;
        } else {
            g->rest[g->n_rest++] = argv[i];
        }
    }
}

static nashc_status
load_plugins(nashc_ctx *c, const globals *g, nashc_arena *a)
{
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_status s = nashc_load_default_plugins(c, d);
    for (int i = 0; s == NASHC_OK && i < g->n_plugins; i++)
        s = nashc_load_plugin(c, g->plugins[i], d);
    return s == NASHC_OK ? tool_hand_down(g->plugins, g->n_plugins, a, d) : s;
}

static nashc_status
set_limits(nashc_ctx *c, const globals *g)
{
    nashc_status s = tool_limit_memory(g->memory, nashc_ctx_diag(c));
    return s == NASHC_OK && g->time ? tool_limit_time(g->time, nashc_ctx_diag(c)) : s;
}

static nashc_status
set_warnings(nashc_ctx *c, const globals *g)
{
    nashc_status s = NASHC_OK;
    for (int i = 0; s == NASHC_OK && i < g->n_warnings; i++)
        s = nashc_diag_warn_option(nashc_ctx_diag(c), g->warnings[i]);
    return s;
}

/* Are the names in -W those of warnings? Once plugins are there, which bring some. */
static nashc_status
check_warnings(nashc_ctx *c, const globals *g)
{
    nashc_status s = NASHC_OK;
    for (int i = 0; s == NASHC_OK && i < g->n_warnings; i++)
        s = nashc_check_warn_option(c, g->warnings[i], nashc_ctx_diag(c));
    return s;
}

/* --- version and overview -------------------------------------------------------------------- */

/* What this build can do, for bug reports: parts that are plugins may be missing. */
static void
print_version(nashc_ctx *c)
{
    printf("nashc %s\nplugin ABI %d.%d\n", NASHC_VERSION, NASHC_ABI_MAJOR, NASHC_ABI_MINOR);
    printf("executor cpu (LLVM): %s\n", nashc_find(c, NASHC_D_EXECUTOR, "cpu") ? "yes" : "no");
    printf("search and training: %s\n", nashc_find(c, NASHC_D_COMMAND, "train") ? "yes" : "no");
    const nashc_plugin *p;
    bool any = false;
    for (int i = 0; (p = nashc_plugin_at(c, i)); i++) {
        if (strcmp(p->name, "built-in") == 0 || strcmp(p->name, "host") == 0 ||
            strcmp(p->name, "tool") == 0)
            continue;
        printf("plugin %s %s: %s\n", p->name, p->version, p->help);
        any = true;
    }
    if (!any)
        printf("plugins: none\n");
}

void
tool_print_overview(nashc_ctx *c, FILE *f)
{
    const nashc_command *cmd;
    fprintf(f, "usage: nashc COMMAND [options]\n\n"
               "Compiles quantised neural networks to hardware.\n\ncommands:\n");
    for (int i = 0; (cmd = nashc_desc_at(c, NASHC_D_COMMAND, i)); i++)
        fprintf(f, "  %-12s%s\n", cmd->name, cmd->help);
    fprintf(f, "\n`nashc COMMAND --help` explains one; `nashc --version` tells what is there.\n\n"
               "example:\n  nashc opt model.onnx -passes=streamline -o model.nashir\n");
}

/* --- running a command ----------------------------------------------------------------------- */

static int
fail(nashc_ctx *c, nashc_status s)
{
    tool_flush(c);
    return nashc_status_exit(s);
}

/* The frame names the command in a crash report: it may be a plugin's. */
static int
call_command(nashc_ctx *c, const nashc_command *cmd, const nashc_opts *o, int n_args,
             const char *const *args)
{
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_frame f;
    nashc_enter(&f, c, NASHC_D_COMMAND, cmd->name, NULL, d);
    int exit_code = cmd->main(c, o, n_args, args);
    if (exit_code == 0 && nashc_diag_warning_failed(d))
        exit_code = 1;
    bool good = exit_code >= 0 && exit_code <= 255;
    nashc_status s = good
                         ? NASHC_OK
                         : nashc_bug(d, NULL, "command \"%s\" returned %d, which is no exit status",
                                     cmd->name, exit_code);
    s = nashc_leave(&f, s);
    tool_flush(c);
    return good ? exit_code : nashc_status_exit(s);
}

/* A command that has an option "json", as one of a plugin may, learns of --json by it. */
static nashc_status
pass_json(const nashc_command *cmd, nashc_opts *o, nashc_diag *d)
{
    for (const nashc_param *p = cmd->options; tool_state.json && p && p->name; p++)
        if (strcmp(p->name, "json") == 0)
            return nashc_opts_set(o, "json", "true", NULL, d);
    return NASHC_OK;
}

/* Is the first argument of cmd a model, which may come on standard input? */
static bool
reads_model(const nashc_command *cmd)
{
    const nashc_param *p = cmd->options;
    while (p && p->name && strcmp(p->name, "frontend") != 0)
        p++;
    return p && p->name;
}

static int
run_command(nashc_ctx *c, const nashc_command *cmd, int n, char **argv, nashc_arena *a)
{
    nashc_diag *d = nashc_ctx_diag(c);
    tool_state.command = cmd;
    if (tool_state.help) {
        tool_print_help(stdout, cmd);
        return 0;
    }
    nashc_opts *o = nashc_opts_create(a, cmd->options);
    const char **args = NASHC_NEW_N(a, const char *, n + 1);
    int n_args = 0;
    if (!o || !args)
        return fail(c, nashc_enomem(d));
    nashc_status s = tool_parse_args(o, cmd->options, n, argv, args, &n_args, d);
    if (s == NASHC_OK)
        s = pass_json(cmd, o, d);
    if (s == NASHC_OK &&
        (n_args < cmd->min_args || (cmd->max_args >= 0 && n_args > cmd->max_args))) {
        s = nashc_usage(d, "%s: %s arguments: %d", cmd->name,
                        n_args < cmd->min_args ? "too few" : "too many", n_args);
        nashc_help(d, "usage: nashc %s %s", cmd->name, cmd->usage ? cmd->usage : "");
    }
    if (s != NASHC_OK)
        return fail(c, s);
    tool_state.pass_timeout = (unsigned)nashc_opts_int(o, "pass-timeout");
    if (n_args > 0 && strcmp(args[0], "-") == 0 && reads_model(cmd))
        s = tool_stdin_take(&args[0], a, d);
    int exit_code = s == NASHC_OK ? call_command(c, cmd, o, n_args, args) : fail(c, s);
    tool_stdin_drop();
    return exit_code;
}

/* Behind a command --version is the tool's too, unless the command has an option of that name. */
static bool
asks_version(const nashc_command *cmd, const globals *g)
{
    for (const nashc_param *p = cmd->options; p && p->name; p++)
        if (strcmp(p->name, "version") == 0)
            return false;
    for (int i = 1; i < g->n_rest && strcmp(g->rest[i], "--") != 0; i++)
        if (is_version(g->rest[i]))
            return true;
    return false;
}

/* Limits before plugins, whose code they bind; warnings before plugins, whose loading may warn. */
static int
dispatch(nashc_ctx *c, const globals *g, nashc_arena *a)
{
    nashc_diag *d = nashc_ctx_diag(c);
    static const nashc_plugin tool = {NASHC_DESC(nashc_plugin),
                                      .abi = NASHC_ABI,
                                      .name = "tool",
                                      .version = NASHC_VERSION,
                                      .help = "commands of nashc",
                                      .impls = tool_impls,
                                      .commands = tool_commands,
                                      .warnings = tool_warnings};
    if (g->fault)
        return fail(c, nashc_usage(d, "option \"%s\" needs %s", g->fault,
                                   strcmp(g->fault, "diag") == 0 ? "text or json" : "a value"));
    nashc_status s = nashc_register(c, &tool, "built-in", d);
    if (s == NASHC_OK && nashc_diag_count(d, NASHC_ERROR) > 0)
        s = NASHC_EBUG; /* a built-in descriptor is at fault */
    if (s == NASHC_OK)
        s = set_limits(c, g);
    if (s == NASHC_OK)
        s = set_warnings(c, g);
    if (s == NASHC_OK)
        s = load_plugins(c, g, a);
    if (s == NASHC_OK)
        s = check_warnings(c, g);
    if (s != NASHC_OK)
        return fail(c, s);
    tool_flush(c);
    if (tool_state.version) {
        print_version(c);
        return 0;
    }
    if (g->n_rest == 0) {
        tool_print_overview(c, tool_state.help ? stdout : stderr);
        return tool_state.help ? 0 : 2;
    }
    if (g->rest[0][0] == '-')
        return fail(c,
                    nashc_usage(d, "expected a command before \"%s\"", nashc_quote(d, g->rest[0])));
    const nashc_command *cmd = nashc_lookup(c, NASHC_D_COMMAND, g->rest[0], d);
    if (!cmd)
        return fail(c, NASHC_EUSAGE);
    if (asks_version(cmd, g)) {
        print_version(c);
        return 0;
    }
    return run_command(c, cmd, g->n_rest - 1, g->rest + 1, a);
}

/* Results that never reached the disk are no results. */
static int
finish(int exit_code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return exit_code;
    fprintf(stderr, "nashc: error: standard output cannot be written\n");
    return exit_code ? exit_code : 4;
}

int
main(int argc, char **argv)
{
    /* libraries must not print numbers with commas */
    setlocale(LC_ALL, "C");
    tool_catch_signals();
    /* tests make any allocation fail, those of JSON, too */
    json_set_alloc_funcs(nashc_mem_alloc, nashc_mem_free);
    nashc_ctx *c = nashc_ctx_create();
    nashc_arena *a = nashc_arena_create();
    globals g = {0};
    if (a) {
        g.rest = NASHC_NEW_N(a, char *, argc + 1);
        g.plugins = NASHC_NEW_N(a, const char *, argc + 1);
        g.warnings = NASHC_NEW_N(a, const char *, argc + 1);
    }
    if (!c || !a || !g.rest || !g.plugins || !g.warnings) {
        fprintf(stderr, "nashc: error: out of memory\n");
        return 4;
    }
    take_globals(argc, argv, &g);
    setup_messages(c);
    int exit_code = dispatch(c, &g, a);
    nashc_arena_free(a);
    nashc_ctx_free(c);
    return finish(exit_code);
}
