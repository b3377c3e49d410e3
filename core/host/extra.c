/* extra.c: extra passes at named places of a pipeline.
 *
 *     to-hw,repeat<2>(a,b)   with   after:a=x   before:a=y   after:a=z
 *     is                            to-hw,repeat<2>(y,a,x,z,b)
 *
 * Places are those of the pipeline as it was written: what one entry puts in is no place for
 * another.
 */
#include "host.h"
#include <string.h>

typedef struct extra {
    const char *given;  /* "after:NAME=PASSES" */
    const char *name;   /* NAME, as registered if it is an alias */
    const char *passes; /* into given */
    bool before;
    int n_places;
} extra;

typedef struct extender {
    nashc_ctx *ctx;
    nashc_arena *arena;
    nashc_diag *diag;
    extra *list;
    int n;
} extender;

static nashc_status
read_extra(extender *x, const char *given, extra *e)
{
    e->given = given;
    e->before = strncmp(given, "before:", 7) == 0;
    const char *name = given + (e->before ? 7 : 6), *eq = strchr(given, '=');
    if ((!e->before && strncmp(given, "after:", 6) != 0) || !eq || eq <= name) {
        nashc_usage(x->diag,
                    "extra passes \"%s\": expected before:NAME=PASSES or after:NAME=PASSES",
                    nashc_quote(x->diag, given));
        return NASHC_EUSAGE;
    }
    e->passes = eq + 1;
    e->name = nashc_arena_printf(x->arena, "%.*s", (int)(eq - name), name);
    if (!e->name)
        return nashc_enomem(x->diag);
    const nashc_pass *pass = nashc_find(x->ctx, NASHC_D_PASS, e->name);
    const nashc_pipeline *line = nashc_find(x->ctx, NASHC_D_PIPELINE, e->name);
    e->name = pass ? pass->name : line ? line->name : e->name;
    return NASHC_OK;
}

/* Combinators and files have names too, but they are no places. */
static bool
is_place(const extender *x, const nashc_item *it)
{
    return it->kind == NASHC_I_PASS ||
           (it->kind == NASHC_I_SEQUENCE && nashc_find(x->ctx, NASHC_D_PIPELINE, it->name));
}

/* Puts in what belongs before (or after) it, at *link, which moves behind that. Each place gets
 * items of its own: a repro file finds the one that failed by its address. */
static nashc_status
put_in(extender *x, const nashc_item *it, bool before, nashc_item ***link)
{
    for (int i = 0; i < x->n; i++) {
        extra *e = &x->list[i];
        nashc_item *root = NULL;
        if (e->before != before || strcmp(e->name, it->name) != 0)
            continue;
        const char *file = nashc_arena_printf(x->arena, "extra passes %s %s",
                                              before ? "before" : "after", e->name);
        nashc_status s =
            file ? nashc_pipeline_parse(x->ctx, x->arena, file, e->passes, &root, x->diag)
                 : nashc_enomem(x->diag);
        if (s != NASHC_OK)
            return s;
        root->next = **link;
        **link = root;
        *link = &root->next;
        e->n_places++;
    }
    return NASHC_OK;
}

/* Nesting is bounded by the parser. */
static nashc_status
extend_list(extender *x, nashc_item **link)
{
    nashc_status s = NASHC_OK;
    while (s == NASHC_OK && *link) {
        nashc_item *it = *link;
        bool place = is_place(x, it);
        s = extend_list(x, &it->child);
        if (s == NASHC_OK && place)
            s = put_in(x, it, true, &link);
        link = &it->next;
        if (s == NASHC_OK && place)
            s = put_in(x, it, false, &link);
    }
    return s;
}

/* --- messages -------------------------------------------------------------------------------- */

/* Adds the names of all places below it to names, each once. */
static int
collect_names(const extender *x, const nashc_item *it, const char **names, int n)
{
    for (; it; it = it->next) {
        int k = 0;
        while (is_place(x, it) && k < n && strcmp(names[k], it->name) != 0)
            k++;
        if (k == n && is_place(x, it))
            names[n++] = it->name;
        n = collect_names(x, it->child, names, n);
    }
    return n;
}

static int
count_items(const nashc_item *it)
{
    int n = 0;
    for (; it; it = it->next)
        n += 1 + count_items(it->child);
    return n;
}

static nashc_status
no_place(const extender *x, const extra *e, const nashc_item *root)
{
    const char **names = NASHC_NEW_N(x->arena, const char *, count_items(root) + 1);
    if (!names)
        return nashc_enomem(x->diag);
    collect_names(x, root, names, 0);
    const char *near = nashc_nearest(x->diag, e->name, names);
    nashc_usage(x->diag, "extra passes \"%s\": the pipeline has no \"%s\"%s%s",
                nashc_quote(x->diag, e->given), nashc_quote(x->diag, e->name), near[0] ? "; " : "",
                near);
    nashc_help(x->diag, "see `nashc list pipelines`");
    return NASHC_EUSAGE;
}

nashc_status
nashc_pipeline_extend(nashc_ctx *c, nashc_arena *a, nashc_item *root, const char *const *list,
                      nashc_diag *d)
{
    extender x = {.ctx = c, .arena = a, .diag = d};
    nashc_status s = NASHC_OK;
    while (list && list[x.n])
        x.n++;
    if (x.n == 0)
        return NASHC_OK;
    x.list = NASHC_NEW_N(a, extra, x.n);
    if (!x.list)
        return nashc_enomem(d);
    for (int i = 0; s == NASHC_OK && i < x.n; i++)
        s = read_extra(&x, list[i], &x.list[i]);
    if (s == NASHC_OK)
        s = extend_list(&x, &root->child);
    for (int i = 0; s == NASHC_OK && i < x.n; i++)
        if (x.list[i].n_places == 0)
            s = no_place(&x, &x.list[i], root->child);
    return s;
}
