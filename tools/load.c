/* load.c: reading the model a command was given, with the options for it. */
#include "tool.h"
#include <string.h>

const char *const *
tool_list(const nashc_opts *o, const char *name, nashc_arena *a)
{
    int n = nashc_opts_n(o, name);
    const char **list = NASHC_NEW_N(a, const char *, n + 1);
    for (int i = 0; list && i < n; i++)
        list[i] = nashc_opts_str_at(o, name, i);
    return list;
}

/* --frontend-option, and --weights as one of them; NULL when memory is out. */
static const char *const *
frontend_options(const nashc_opts *o, nashc_arena *a)
{
    int n = nashc_opts_n(o, "frontend-option");
    const char **list = NASHC_NEW_N(a, const char *, n + 2);

    for (int i = 0; list && i < n; i++)
        list[i] = nashc_opts_str_at(o, "frontend-option", i);
    if (list && nashc_opts_given(o, "weights"))
        list[n] = nashc_arena_printf(a, "weights=%s", nashc_opts_str(o, "weights"));
    return list;
}

nashc_status
tool_load(nashc_ctx *c, const nashc_opts *o, const char *path, nashc_module **out)
{
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_arena *a = nashc_arena_create();
    const char *const *options = a ? frontend_options(o, a) : NULL;
    nashc_status s = options ? NASHC_OK : nashc_enomem(d);
    if (s == NASHC_OK)
        s = nashc_read_model_opts(c, path, nashc_opts_str(o, "frontend"), options, out, d);
    nashc_arena_free(a);
    return s;
}

/* --- what the hardware receives -------------------------------------------------------------- */

/* "NAME=VALUE" to its parts; no "=": every input. */
static const char *
split_name(const char *text, nashc_arena *a, const char **name)
{
    const char *eq = strrchr(text, '=');
    *name = eq ? nashc_arena_printf(a, "%.*s", (int)(eq - text), text) : "";
    return eq ? eq + 1 : text;
}

/* The value of option opt for the input name: the one given for it, else one given for all. */
static const char *
value_for(const nashc_opts *o, const char *opt, const char *name, nashc_arena *a)
{
    const char *found = NULL;
    for (int i = 0; i < nashc_opts_n(o, opt); i++) {
        const char *who, *value = split_name(nashc_opts_str_at(o, opt, i), a, &who);
        if (who && (strcmp(who, name) == 0 || (!who[0] && !found)))
            found = value;
    }
    return found;
}

/* It becomes part of a pipeline's text: what would end the option there is refused. */
static bool
plain_value(const char *s)
{
    return s[0] && !strpbrk(s, ";()\"");
}

/* "" where nothing was said of the inputs; NULL: *s says why. */
const char *
tool_input_passes(const nashc_opts *o, nashc_arena *a, nashc_status *s, nashc_diag *d)
{
    const char *text = "";
    int n = nashc_opts_n(o, "input-datatype");
    *s = NASHC_OK;
    if (n == 0 && (nashc_opts_n(o, "input-scale") > 0 || nashc_opts_n(o, "input-bias") > 0)) {
        *s = nashc_usage(d, "--input-scale and --input-bias need --input-datatype");
        return NULL;
    }
    for (int i = 0; i < n && text; i++) {
        const char *name, *type = split_name(nashc_opts_str_at(o, "input-datatype", i), a, &name);
        const char *scale = value_for(o, "input-scale", name ? name : "", a);
        const char *bias = value_for(o, "input-bias", name ? name : "", a);
        if (!name)
            break;
        if (!plain_value(type) || (scale && !plain_value(scale)) || (bias && !plain_value(bias))) {
            *s = nashc_usage(d, "\"%s\" is no datatype of an input",
                             nashc_quote(d, nashc_opts_str_at(o, "input-datatype", i)));
            return NULL;
        }
        text = nashc_arena_printf(a, "%s%sset-input-datatype(datatype=%s%s%s%s%s%s%s%s)", text,
                                  i ? "," : "", type, scale ? ";scale=" : "", scale ? scale : "",
                                  bias ? ";bias=" : "", bias ? bias : "",
                                  name[0] ? ";input=\"" : "", name, name[0] ? "\"" : "");
    }
    if (!text)
        *s = nashc_enomem(d);
    return text;
}

const char *
tool_passes(const nashc_opts *o, const char *passes, nashc_arena *a, nashc_status *s, nashc_diag *d)
{
    const char *first = tool_input_passes(o, a, s, d);
    if (!first)
        return NULL;
    const char *text =
        nashc_arena_printf(a, "%s%s%s", first, first[0] && passes[0] ? "," : "", passes);
    if (!text)
        *s = nashc_enomem(d);
    return text;
}

/* For commands that run a model: an unknown batch becomes 1. */
nashc_status
tool_make_static(nashc_module **m, nashc_diag *d)
{
    const nashc_graph *g = nashc_module_main(*m);
    for (int i = 0; g && i < nashc_graph_n_inputs(g); i++)
        if (!nashc_type_is_static(nashc_value_type(nashc_graph_input(g, i))))
            return nashc_run_pipeline(m, "fix-batch", NULL, d);
    return NASHC_OK;
}
