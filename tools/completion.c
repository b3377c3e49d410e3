/* completion.c: completion scripts for bash, zsh and fish, from the descriptors.
 *
 * What an option takes follows from its kind (a file, one of an enumeration) or from its name: a
 * device, a pass ... Lists of passes are completed behind the last "," or "(".
 */
#include "tool.h"
#include <string.h>

/* Options whose value is the name of something. */
static const struct naming {
    const char *option;
    const char *what; /* names the list in the scripts */
} namings[] = {
    {"device", "device"},     {"passes", "pass"},       {"print-before", "pass"},
    {"print-after", "pass"},  {"explain", "pass"},      {"extra-passes", "pass"},
    {"backend", "backend"},   {"to", "backend"},        {"format", "backend"},
    {"frontend", "frontend"}, {"executor", "executor"},
};

static const struct list {
    const char *what;
    nashc_desc_kind kinds[4];
    int n_kinds;
    const char *more; /* names beside those of the descriptors */
} lists[] = {
    {"device", {NASHC_D_DEVICE}, 1, ""},
    {"pass", {NASHC_D_PASS, NASHC_D_PIPELINE}, 2, "all"},
    {"backend", {NASHC_D_BACKEND}, 1, ""},
    {"frontend", {NASHC_D_FRONTEND}, 1, ""},
    {"executor", {NASHC_D_EXECUTOR}, 1, ""},
    {"warning", {NASHC_D_WARNING}, 1, ""},
    {"topic", {NASHC_D_COMMAND, NASHC_D_PASS, NASHC_D_PIPELINE, NASHC_D_OP}, 4, ""},
    {"kind",
     {0},
     0,
     "passes pipelines ops frontends backends executors impls commands devices warnings plugins "
     "imports"},
};

/* What the first argument of a command is, if it is the name of something. */
static const struct naming arguments[] = {{"help", "topic"}, {"list", "kind"}};

static const char *
name_of(const struct naming *table, size_t n, const char *option)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(table[i].option, option) == 0)
            return table[i].what;
    return NULL;
}

/* An enumeration lists its own values, whatever it is called. */
static const char *
named(const nashc_param *p)
{
    return p->kind == NASHC_P_ENUM ? NULL : name_of(namings, NASHC_COUNT(namings), p->name);
}

static void
print_names(nashc_ctx *c, const struct list *l)
{
    printf("%s", l->more);
    for (int k = 0; k < l->n_kinds; k++)
        for (const char *const *name = nashc_names(c, l->kinds[k]); *name; name++)
            printf(" %s", *name);
}

/* "a|b" as "a b". */
static void
print_domain(const char *domain)
{
    for (; *domain; domain++)
        putchar(*domain == '|' ? ' ' : *domain);
}

/* s inside single quotes; characters of escape get a backslash. */
static void
print_quoted(const char *s, const char *escape)
{
    for (; *s; s++) {
        if (*s == '\'')
            printf("'\\''");
        else
            printf("%s%c", strchr(escape, *s) ? "\\" : "", *s);
    }
}

/* --- bash ------------------------------------------------------------------------------------ */

static void
bash_command(const nashc_command *cmd)
{
    char name[128];

    printf("    %s)\n        words='--help --json --diag --load-plugin -q -v", cmd->name);
    for (const nashc_param *p = cmd->options; p && p->name; p++)
        printf(" %s", tool_option_name(p, name));
    printf("'\n        case $opt in\n");
    for (const nashc_param *p = cmd->options; p && p->name; p++) {
        const char *what = named(p);
        if (!what && p->kind != NASHC_P_ENUM)
            continue;
        printf("        %s) values='", tool_option_name(p, name));
        if (what)
            printf("'$_nashc_%s", what);
        else
            print_domain(p->domain);
        printf(what ? " ;;\n" : "' ;;\n");
    }
    printf("        esac\n");
    const char *first = name_of(arguments, NASHC_COUNT(arguments), cmd->name);
    if (first)
        printf("        [ $COMP_CWORD = 2 ] && values=$_nashc_%s\n", first);
    printf("        ;;\n");
}

/* bash has no descriptions, so all is words; completion behind "," or "(" keeps what stands
 * before. */
static void
bash(nashc_ctx *c)
{
    const nashc_command *cmd;

    printf("# bash completion for nashc\n");
    for (size_t i = 0; i < NASHC_COUNT(lists); i++) {
        printf("_nashc_%s='", lists[i].what);
        print_names(c, &lists[i]);
        printf("'\n");
    }
    printf("_nashc() {\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} opt=${COMP_WORDS[COMP_CWORD-1]} words= values= "
           "head\n"
           "    if [ \"$COMP_CWORD\" = 1 ]; then\n        COMPREPLY=($(compgen -W '");
    for (int i = 0; (cmd = nashc_desc_at(c, NASHC_D_COMMAND, i)); i++)
        printf("%s ", cmd->name);
    printf("--help --version' -- \"$cur\"))\n        return\n    fi\n"
           "    # bash splits words at \"=\"\n"
           "    if [ \"$cur\" = = ]; then cur=\n"
           "    elif [ \"$opt\" = = ]; then opt=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
           "    case $opt in --*) ;; -??*) opt=-$opt ;; esac\n"
           "    case $opt in --Werror|--Wno-error) values=$_nashc_warning ;; esac\n"
           "    case ${COMP_WORDS[1]} in\n");
    for (int i = 0; (cmd = nashc_desc_at(c, NASHC_D_COMMAND, i)); i++)
        bash_command(cmd);
    printf("    esac\n    case $cur in\n"
           "    -W*) head=${_nashc_warning// / -W}${_nashc_warning// / -Wno-}\n"
           "        COMPREPLY=($(compgen -W \"-Wall -Werror $head\" -- \"$cur\")) ;;\n"
           "    -*) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) ;;\n"
           "    *)  if [ -n \"$values\" ]; then\n"
           "            head=${cur%%\"${cur##*[,(]}\"}\n"
           "            COMPREPLY=($(compgen -P \"$head\" -W \"$values\" -- \"${cur##*[,(]}\"))\n"
           "        else\n            COMPREPLY=($(compgen -f -- \"$cur\"))\n        fi ;;\n"
           "    esac\n}\ncomplete -o filenames -F _nashc nashc\n");
}

/* --- zsh ------------------------------------------------------------------------------------- */

static void
zsh_option(const nashc_param *p)
{
    const char *what = named(p), *value = tool_value_name(p);
    bool many = p->flags & NASHC_P_REPEAT, bare = p->flags & NASHC_P_OPTIONAL;
    char name[128];

    printf("            '%s%s", many ? "*" : "", tool_option_name(p, name));
    if (value[0] && p->name[1])
        printf(bare ? "=-" : "=");
    printf("[");
    print_quoted(p->help, "[]:\\");
    printf("]");
    if (value[0])
        printf(":%s%s:", bare ? ":" : "", what ? what : p->kind == NASHC_P_ENUM ? "value" : value);
    if (what) {
        printf("_nashc_%s", what);
    } else if (p->kind == NASHC_P_ENUM) {
        printf("(");
        print_domain(p->domain);
        printf(")");
    } else if (p->kind == NASHC_P_PATH) {
        printf("_files");
    }
    printf("' \\\n");
}

static void
zsh(nashc_ctx *c)
{
    const nashc_command *cmd;

    printf("#compdef nashc\n");
    for (size_t i = 0; i < NASHC_COUNT(lists); i++) {
        printf("_nashc_%s() {\n    compset -P '*[,(]'\n    compadd -- ", lists[i].what);
        print_names(c, &lists[i]);
        printf("\n}\n");
    }
    printf("_nashc_flag() {\n    compset -P 'no-error=' || compset -P 'error=' || "
           "compset -P no-\n    _nashc_warning\n}\n");
    printf("_nashc() {\n    if (( CURRENT == 2 )); then\n        local -a commands=(\n");
    for (int i = 0; (cmd = nashc_desc_at(c, NASHC_D_COMMAND, i)); i++) {
        printf("            '%s:", cmd->name);
        print_quoted(cmd->help, "");
        printf("'\n");
    }
    printf("        )\n        _describe command commands\n        return\n    fi\n"
           "    local command=$words[2]\n    shift words\n    (( CURRENT-- ))\n"
           "    case $command in\n");
    for (int i = 0; (cmd = nashc_desc_at(c, NASHC_D_COMMAND, i)); i++) {
        const char *first = name_of(arguments, NASHC_COUNT(arguments), cmd->name);
        printf("    %s)\n        _arguments \\\n", cmd->name);
        for (const nashc_param *p = cmd->options; p && p->name; p++)
            zsh_option(p);
        printf("            '--json[the result as one JSON document]' \\\n"
               "            '*--load-plugin=[a plugin]:FILE:_files' \\\n"
               "            '*-W-[silence a warning or make it an error]:FLAG:_nashc_flag' \\\n");
        if (first)
            printf("            ':name:_nashc_%s'\n        ;;\n", first);
        else
            printf("            '*:FILE:_files'\n        ;;\n");
    }
    printf("    esac\n}\n_nashc \"$@\"\n");
}

/* --- fish ------------------------------------------------------------------------------------ */

static void
fish_option(const nashc_command *cmd, const nashc_param *p)
{
    const char *what = named(p);

    printf("complete -c nashc -n '__fish_seen_subcommand_from %s' -%s %s", cmd->name,
           p->name[1] ? "l" : "s", p->name);
    if (what) {
        printf(" -x -a '(__nashc_behind $__nashc_%s)'", what);
    } else if (p->kind == NASHC_P_ENUM) {
        printf(" -x -a '");
        print_domain(p->domain);
        printf("'");
    } else if (p->kind == NASHC_P_PATH) {
        printf(" -r");
    } else if (p->kind != NASHC_P_BOOL && !(p->flags & NASHC_P_OPTIONAL)) {
        printf(" -x");
    }
    printf(" -d '");
    for (const char *s = p->help; *s; s++)
        printf("%s%c", *s == '\'' || *s == '\\' ? "\\" : "", *s);
    printf("'\n");
}

static void
fish(nashc_ctx *c)
{
    const nashc_command *cmd;

    printf("# fish completion for nashc\n");
    for (size_t i = 0; i < NASHC_COUNT(lists); i++) {
        printf("set -g __nashc_%s ", lists[i].what);
        print_names(c, &lists[i]);
        printf("\n");
    }
    printf("function __nashc_behind\n"
           "    set -l word (commandline -ct | string replace -r '^-[^=]*=' '')\n"
           "    set -l head (string match -r '^.*[,(]' -- $word)\n"
           "    test -n \"$head\"; or set head ''\n"
           "    printf '%%s\\n' $head$argv\nend\n");
    printf("set -l n $__nashc_warning\nset -l flags all error $n no-$n error=$n no-error=$n\n"
           "complete -c nashc -s W -x -a \"$flags\" -d 'silence a warning or make it an error'\n");
    for (int i = 0; (cmd = nashc_desc_at(c, NASHC_D_COMMAND, i)); i++) {
        const char *first = name_of(arguments, NASHC_COUNT(arguments), cmd->name);
        printf("complete -c nashc -f -n __fish_use_subcommand -a %s -d '%s'\n", cmd->name,
               cmd->help);
        if (first)
            printf("complete -c nashc -f -n '__fish_seen_subcommand_from %s' -a '$__nashc_%s'\n",
                   cmd->name, first);
        for (const nashc_param *p = cmd->options; p && p->name; p++)
            fish_option(cmd, p);
    }
}

/* --- all of them ----------------------------------------------------------------------------- */

void
tool_print_completion(nashc_ctx *c, const char *shell)
{
    if (strcmp(shell, "zsh") == 0)
        zsh(c);
    else if (strcmp(shell, "fish") == 0)
        fish(c);
    else
        bash(c);
}
