/* cmd_reduce.c: nashc reduce: shrinks a model while a command still fails on it.
 *
 * Delta debugging: outputs are dropped, intermediate results become the outputs, runs of nodes are
 * cut out (their results become inputs) or bypassed, large constants become plain. A change stays
 * if the command ends with the same status as on the whole model. Rounds go on until nothing helps.
 */
#include "tool.h"
#include <string.h>

#define MAX_WORDS 256

static const nashc_param options[] = {
    {.name = "test",
     .help = "command that fails on the model; {} stands for the file, else it is put last",
     .kind = NASHC_P_STRING},
    {.name = "o",
     .def = "reduced.nashir",
     .help = "the smallest model found",
     .kind = NASHC_P_PATH},
    {.name = "timeout",
     .def = "60",
     .domain = "1..86400",
     .help = "seconds a run of the command may take",
     .kind = NASHC_P_INT},
    TOOL_LOAD_OPTIONS,
    {0},
};

typedef struct reducer {
    nashc_ctx *ctx;
    nashc_diag *diag;
    nashc_arena *arena;
    nashc_module *best;
    const char *words[MAX_WORDS + 2];
    char *folder;
    const char *file;
    int wanted; /* exit status on the whole model */
    int64_t timeout, n_runs;
    nashc_status status; /* of what cannot be worked around */
} reducer;

/* --- the command ----------------------------------------------------------------------------- */

/* Splits at blanks; '...' and "..." keep them. */
static nashc_status
split_command(reducer *r, const char *text)
{
    int n = 0;
    bool placed = false;
    while (*(text += strspn(text, " \t"))) {
        char *word = NASHC_NEW_N(r->arena, char, strlen(text) + 1);
        size_t w = 0;
        char quote = 0;
        if (!word || n == MAX_WORDS)
            return nashc_usage(r->diag, "the command of --test is too long");
        for (; *text && (quote || !strchr(" \t", *text)); text++) {
            if (quote ? *text == quote : *text == '\'' || *text == '"')
                quote = quote ? 0 : *text;
            else
                word[w++] = *text;
        }
        if (quote)
            return nashc_usage(r->diag, "the command of --test lacks a closing %c", quote);
        if (strcmp(word, "{}") == 0)
            placed = true;
        r->words[n++] = strcmp(word, "{}") == 0 ? r->file : word;
    }
    if (n == 0)
        return nashc_usage(r->diag, "the command of --test is empty");
    if (!placed)
        r->words[n++] = r->file;
    return NASHC_OK;
}

/* Exit status of the command on m; -1 after a failure of ours. 124 out of time, as the program
 * timeout has it: a model that hangs can be reduced like one that crashes. */
static int
run_command(reducer *r, const nashc_module *m)
{
    tool_process p = {0};
    r->status = nashc_write_nashir(m, r->file, r->diag);
    if (r->status == NASHC_OK)
        r->status = tool_process_run(r->words, NULL, (double)r->timeout, &p, r->diag);
    if (r->status != NASHC_OK)
        return -1;
    int status = p.timed_out ? 124 : p.exit_status;
    tool_process_free(&p);
    r->n_runs++;
    return status;
}

/* --- candidates ------------------------------------------------------------------------------ */

static int
total_nodes(const nashc_module *m)
{
    return nashc_graph_n_nodes(nashc_module_main(m));
}

/* Removes what the outputs do not need, unused inputs too. */
static void
tidy(nashc_module *m)
{
    nashc_graph *g = nashc_module_main(m);
    nashc_graph_remove_dead(g);
    for (int i = nashc_graph_n_inputs(g) - 1; i >= 0; i--)
        if (nashc_value_n_uses(nashc_graph_input(g, i)) == 0)
            nashc_graph_remove_input(g, i);
}

/* Takes candidate m over if it is sound and the command fails on it as before, else frees it. What
 * does not verify is never shown to the command. */
static bool
accept(reducer *r, nashc_module *m)
{
    tidy(m);
    int before = nashc_diag_count(r->diag, NASHC_NOTE);
    bool sound = nashc_graph_infer(nashc_module_main(m), r->diag) == NASHC_OK &&
                 nashc_verify(m, 3, r->diag) == NASHC_OK;
    nashc_diag_truncate(r->diag, before);
    if (!sound || run_command(r, m) != r->wanted) {
        nashc_module_free(m);
        return false;
    }
    nashc_module_free(r->best);
    r->best = m;
    if (!tool_quiet())
        fprintf(stderr, "%d nodes, %d outputs after %" PRId64 " runs\n", total_nodes(m),
                nashc_graph_n_outputs(nashc_module_main(m)), r->n_runs);
    return true;
}

static nashc_node *
node_at(const nashc_module *m, int i)
{
    nashc_node *n = nashc_graph_first(nashc_module_main(m));
    while (n && i-- > 0)
        n = nashc_node_next(n);
    return n;
}

/* From the last on, as indices before a removed one stay. */
static bool
drop_outputs(reducer *r)
{
    bool any = false;
    for (int i = nashc_graph_n_outputs(nashc_module_main(r->best)) - 1; i >= 0; i--) {
        if (nashc_graph_n_outputs(nashc_module_main(r->best)) < 2)
            break;
        nashc_module *m = nashc_module_clone(r->best);
        if (!m)
            break;
        nashc_graph_remove_output(nashc_module_main(m), i);
        any = accept(r, m) || any;
    }
    return any;
}

/* The results of node i become the only outputs. */
static bool
end_at(reducer *r, int i)
{
    nashc_module *m = nashc_module_clone(r->best);
    nashc_node *n = m ? node_at(m, i) : NULL;
    if (!n) {
        nashc_module_free(m);
        return false;
    }
    nashc_graph *g = nashc_module_main(m);
    while (nashc_graph_n_outputs(g) > 0)
        nashc_graph_remove_output(g, nashc_graph_n_outputs(g) - 1);
    for (int k = 0; k < nashc_node_n_out(n); k++)
        nashc_graph_add_output(g, NULL, nashc_node_out(n, k));
    return accept(r, m);
}

/* Halves the distance to the end as long as the command fails on the front part. */
static bool
drop_tail(reducer *r)
{
    bool any = false;
    for (int step = total_nodes(r->best) / 2; step > 0 && r->status == NASHC_OK; step /= 2)
        while (total_nodes(r->best) > step && end_at(r, total_nodes(r->best) - 1 - step))
            any = true;
    return any;
}

/* Results of nodes from .. from + n - 1 become inputs of the graph. */
static bool
cut(reducer *r, int from, int n)
{
    nashc_module *m = nashc_module_clone(r->best);
    nashc_node *node = m ? node_at(m, from) : NULL;
    nashc_graph *g = m ? nashc_module_main(m) : NULL;
    if (!node) {
        nashc_module_free(m);
        return false;
    }
    while (node && n-- > 0) {
        nashc_node *next = nashc_node_next(node);
        for (int k = 0; k < nashc_node_n_out(node); k++) {
            nashc_value *v = nashc_node_out(node, k);
            if (nashc_value_n_uses(v) == 0)
                continue;
            nashc_value *in = nashc_graph_add_input(g, NULL, nashc_value_type(v));
            if (in)
                nashc_value_replace(v, in);
        }
        nashc_node_erase(node, false);
        node = next;
    }
    return accept(r, m);
}

/* Halves first: a large part that does not matter goes in one run of the command. After a cut the
 * same place is tried again, as other nodes stand there. */
static bool
cut_runs(reducer *r)
{
    bool any = false;
    for (int size = (total_nodes(r->best) + 1) / 2; size > 0; size /= 2)
        for (int at = 0; at + size <= total_nodes(r->best) && r->status == NASHC_OK;)
            if (total_nodes(r->best) > size && cut(r, at, size))
                any = true;
            else
                at += size;
    return any;
}

/* Readers of node i read its first operand of the same shape instead. */
static bool
bypass(reducer *r, int i)
{
    nashc_module *m = nashc_module_clone(r->best);
    nashc_node *n = m ? node_at(m, i) : NULL;
    nashc_value *from = NULL;
    for (int k = 0; n && !from && k < nashc_node_n_in(n); k++) {
        nashc_value *v = nashc_node_in(n, k);
        if (v && !nashc_value_const(v) && nashc_node_n_out(n) == 1 &&
            nashc_type_same_shape(nashc_value_type(v), nashc_value_type(nashc_node_out(n, 0))))
            from = v;
    }
    if (!from) {
        nashc_module_free(m);
        return false;
    }
    nashc_value_replace(nashc_node_out(n, 0), from);
    nashc_node_erase(n, false);
    return accept(r, m);
}

static bool
bypass_nodes(reducer *r)
{
    bool any = false;
    for (int i = total_nodes(r->best) - 1; i >= 0 && r->status == NASHC_OK; i--)
        any = (i < total_nodes(r->best) && total_nodes(r->best) > 1 && bypass(r, i)) || any;
    return any;
}

/* Constant operand k of node i with all elements like its first. */
static bool
plain_constant(reducer *r, int i, int k)
{
    enum { SMALL = 16 };
    const nashc_value *v = nashc_node_in(node_at(r->best, i), k);
    const nashc_tensor *t = v ? nashc_value_const(v) : NULL;
    nashc_buf b;
    if (!t || nashc_tensor_count(t) <= SMALL || nashc_tensor_all_eq(t, nashc_tensor_get(t, 0)) ||
        !nashc_buf_alloc(&b, nashc_tensor_type(t)))
        return false;
    for (int64_t e = 0; e < b.n; e++)
        nashc_buf_set(&b, e, nashc_tensor_get(t, 0));
    nashc_module *m = nashc_module_clone(r->best);
    nashc_build *build = m ? nashc_build_create(nashc_module_main(m), r->diag) : NULL;
    /* takes the elements without a builder too, and frees them */
    nashc_value *c = nashc_build_const(build, NULL, nashc_tensor_take(&b));
    if (!c) {
        nashc_module_free(m);
        return false;
    }
    nashc_node_set_in(node_at(m, i), k, c);
    return accept(r, m);
}

/* Last and once: it does not make the graph smaller, only the file. */
static void
plain_constants(reducer *r)
{
    for (int i = 0; i < total_nodes(r->best); i++)
        for (int k = 0; k < nashc_node_n_in(node_at(r->best, i)) && r->status == NASHC_OK; k++)
            plain_constant(r, i, k);
}

/* --- command --------------------------------------------------------------------------------- */

/* Rounds until nothing helps: each kind of change may open the way for another. O(nodes) runs of
 * the command a round. */
static nashc_status
reduce(reducer *r, const char *out)
{
    r->wanted = run_command(r, r->best);
    if (r->status != NASHC_OK)
        return r->status;
    if (r->wanted == 0) {
        nashc_error(r->diag, NULL, "the command of --test succeeds on the model");
        nashc_help(r->diag, "it must fail (exit with a status other than 0) where the fault shows");
        return NASHC_EINPUT;
    }
    for (bool again = true; again && r->status == NASHC_OK;) {
        again = drop_outputs(r);
        again = drop_tail(r) || again;
        again = cut_runs(r) || again;
        again = bypass_nodes(r) || again;
    }
    plain_constants(r);
    return r->status == NASHC_OK ? nashc_write_model(r->best, out, r->diag) : r->status;
}

static int
reduce_main(nashc_ctx *c, const nashc_opts *o, int n_args, const char *const *args)
{
    reducer r = {.ctx = c,
                 .diag = nashc_ctx_diag(c),
                 .arena = nashc_arena_create(),
                 .timeout = nashc_opts_int(o, "timeout")};
    (void)n_args;
    if (!r.arena)
        return nashc_status_exit(nashc_enomem(r.diag));
    nashc_status s = tool_load(c, o, args[0], &r.best);
    if (s == NASHC_OK && !nashc_module_main(r.best))
        s = nashc_error(r.diag, NULL, "the model has no graph");
    if (s == NASHC_OK)
        s = tool_temp_folder("reduce", r.arena, &r.folder, r.diag);
    r.file = s == NASHC_OK ? nashc_arena_printf(r.arena, "%s/model.nashir", r.folder) : "";
    if (s == NASHC_OK)
        s = r.file ? split_command(&r, nashc_opts_str(o, "test")) : nashc_enomem(r.diag);
    if (s == NASHC_OK)
        s = reduce(&r, nashc_opts_str(o, "o"));
    if (s == NASHC_OK)
        printf("%d nodes after %" PRId64 " runs: %s\n", total_nodes(r.best), r.n_runs,
               nashc_opts_str(o, "o"));
    tool_temp_remove(r.folder);
    nashc_module_free(r.best);
    nashc_arena_free(r.arena);
    return nashc_status_exit(s);
}

const nashc_command nashc_command_reduce = {
    NASHC_DESC(nashc_command),
    .name = "reduce",
    .help = "shrink a model while a command still fails on it",
    .usage = "MODEL --test='COMMAND {}' [-o OUT.nashir]",
    .example = "nashc reduce net.onnx --test='nashc opt {} -passes=streamline' -o small.nashir",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .main = reduce_main,
};
