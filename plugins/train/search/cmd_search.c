/* cmd_search.c: nashc search: finds the branches of a backbone. */
#include "plugins/train/run/commands.h"
#include "plugins/train/search/search.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define OPTION(kind_, name_, def_, domain_, help_)                                                 \
    {                                                                                              \
        .name = (name_), .def = (def_), .domain = (domain_), .help = (help_),                      \
        .kind = NASHC_P_##kind_                                                                    \
    }

static const nashc_param options[] = {
    OPTION(STRING, "data", "", NULL, "images and labels: KIND:PATH[,key=value...]"),
    OPTION(PATH, "o", "", NULL, "folder of the search"),
    OPTION(STRING, "backbone", "resnet18", NULL, "what branches are added to"),
    OPTION(ENUM, "version", "v4", "v1|v2|v3|v4|custom", "primitives and rule of the genotype"),
    OPTION(INT, "width", "0", "0..65536", "channels of the stem; 0: those of the backbone"),
    OPTION(STRING, "primitives", "", NULL,
           "candidates of every edge, as none,conv_3x3,conv_3x3:4 (bits); default: the version's"),
    OPTION(STRING, "stem", "", NULL, "of the network, as in a genotype; default: the search's"),
    OPTION(STRING, "head", "", NULL, "of the network, as in a genotype"),
    OPTION(STRING, "bits", "", NULL, "of the network, as in a genotype: weight=1 act=2"),
    OPTION(STRING, "name", "searched", NULL, "of the network"),
    OPTION(ENUM, "search-form", "auto", "auto|tanh|binary|float|deploy",
           "layers while they are searched; auto: of the published search"),
    OPTION(ENUM, "method", "gates", "gates|two-path|random|evolution|sample", "how it is searched"),
    OPTION(INT, "epochs", "200", "1..1000000", "passes over the first half of the data"),
    OPTION(INT, "steps", "0", "0..1000000000", "most steps; 0: as many as the epochs have"),
    OPTION(INT, "warmup", "0", "0..", "epochs in which only weights are trained"),
    OPTION(INT, "batch", "64", "1..65536", "images a step"),
    OPTION(FLOAT, "lr", "0.025", "0..", "learning rate of the weights, falling as a cosine"),
    OPTION(FLOAT, "momentum", "0.9", "0..1", "of the weights"),
    OPTION(FLOAT, "weight-decay", "0.0003", "0..", "L2 of the weights"),
    OPTION(FLOAT, "clip", "5", "0..", "largest norm of their gradient; 0: no limit"),
    OPTION(FLOAT, "arch-lr", "0.0003", "0..", "learning rate of the gates; resnet34: 0.006"),
    {.name = "cost",
     .def = "",
     .help = "lut, bram, dsp or cycles of the candidates in the loss, with a weight: lut:0.1, or "
             "one that grows: lut:0..0.5",
     .kind = NASHC_P_STRING,
     .flags = NASHC_P_REPEAT},
    OPTION(STRING, "device", "", NULL, "that costs are for"),
    OPTION(FLOAT, "clock-ns", "10", "0.01..1000000",
           "clock period that costs are for; not given: the usual one of the device"),
    OPTION(FLOAT, "target-fps", "0", "0..", "frames a second that costs are for"),
    OPTION(INT, "front", "0", "0..1000", "genotypes kept on the way of a cost that grows"),
    OPTION(INT, "candidates", "0", "0..10000",
           "genotypes ranked at the end; 0: gates: the rule's alone, else as many as gates would "
           "have paid for"),
    OPTION(INT, "rank-images", "1000", "1..", "images that they are ranked by"),
    OPTION(INT, "bn-batches", "8", "1..", "batches that measure their statistics"),
    OPTION(STRING, "compat", "", NULL,
           "as published: v3 (defect of its rule), bn (running values of all candidates move)"),
    OPTION(INT, "seed", "2", "0..4294967295", "of parameters, images and gates"),
    OPTION(INT, "threads", "0", "0..256", "0: as many as there are processors"),
    OPTION(BOOL, "resume", "false", NULL, "go on from the checkpoint in the folder"),
    OPTION(INT, "save-every", "0", "0..", "steps between checkpoints; 0: an epoch"),
    OPTION(FLOAT, "time-limit", "0", "0..", "seconds after which to stop with a checkpoint"),
    OPTION(PATH, "derive", "", NULL, "only derive the genotype of this alphas.npz, to -o or here"),
    OPTION(STRING, "input", "3x32x32", NULL, "of the network that is derived, CxHxW"),
    OPTION(INT, "classes", "10", "1..1000000", "of the network that is derived"),
    {0},
};

/* --- options --------------------------------------------------------------------------------- */

static nashc_status
take_options(search_run *r)
{
    static const char *const methods[] = {"gates", "two-path", "random", "evolution", "sample"};
    char *list = nashc_arena_strdup(r->arena, nashc_opts_str(r->opts, "compat")), *rest = NULL;

    for (size_t i = 0; i < NASHC_COUNT(methods); i++)
        if (strcmp(nashc_opts_str(r->opts, "method"), methods[i]) == 0)
            r->method = (search_method)i;
    for (char *w = list ? strtok_r(list, ",", &rest) : NULL; w; w = strtok_r(NULL, ",", &rest)) {
        if (strcmp(w, "v3") == 0)
            r->compat_v3 = true;
        else if (strcmp(w, "bn") == 0)
            r->compat_bn = true;
        else
            return nashc_usage(r->diag, "--compat: unknown \"%s\"; known are v3, bn",
                               nashc_quote(r->diag, w));
    }
    return list ? NASHC_OK : nashc_enomem(r->diag);
}

/* --- derive only ----------------------------------------------------------------------------- */

static nashc_status
parse_input(const search_run *r, int *c, int *h, int *w)
{
    const char *text = nashc_opts_str(r->opts, "input");
    char end;

    if (sscanf(text, "%dx%dx%d%c", c, h, w, &end) == 3 && *c > 0 && *h > 0 && *w > 0)
        return NASHC_OK;
    return nashc_usage(r->diag, "--input is \"%s\", expected CxHxW", nashc_quote(r->diag, text));
}

/* The last array of the file, or all of a group each, in the order of the file. */
static nashc_status
take_alphas(search_run *r, const char *path, float *out)
{
    tool_arrays a = {0};
    nashc_loc loc = {.file = path};
    nashc_status s = tool_arrays_read(path, &a, r->diag);
    const tool_array *last = NULL;

    for (size_t i = 0; s == NASHC_OK && i < a.n; i++)
        if (a.at[i].name && (!last || !last->name || strcmp(a.at[i].name, last->name) > 0))
            last = &a.at[i];
    if (s == NASHC_OK && !last)
        last = a.n ? &a.at[0] : NULL;
    if (s == NASHC_OK && (!last || last->buf.n != r->n_alpha)) {
        s = nashc_error(r->diag, &loc,
                        "alpha has %" PRId64 " numbers; %d edges of %d candidates have %d",
                        last ? last->buf.n : 0, r->space.n_edges, r->space.n_ops, r->n_alpha);
        nashc_help(r->diag, "--backbone, --version or --primitives as in the search");
    }
    for (int i = 0; s == NASHC_OK && i < r->n_alpha; i++) {
        out[i] = (float)nashc_buf_get(&last->buf, i);
        if (!isfinite(out[i]))
            s = nashc_error(r->diag, &loc, "alpha of edge %d is not finite", i / r->space.n_ops);
    }
    tool_arrays_free(&a);
    return s;
}

/* Without -o to standard output, where a pipe may take it. */
static nashc_status
print_genotype(search_run *r, const search_pick *pick)
{
    const nashc_genotype *g = search_genotype(r, pick, r->arena);
    const char *text = g ? nashc_genotype_print(g, r->arena) : NULL;

    if (!text)
        return nashc_enomem(r->diag);
    if (!*r->folder) {
        fputs(text, stdout);
        return NASHC_OK;
    }
    nashc_outfile *f = nashc_out_open(r->folder, r->diag);
    if (!f)
        return NASHC_EIO;
    nashc_out_printf(f, "%s", text);
    return nashc_out_commit(f, r->diag);
}

/* No data are read: the shape of the input comes from options. */
static nashc_status
derive(search_run *r)
{
    search_pick pick[SEARCH_MAX_STEPS];
    int c, h, w;
    nashc_status s = parse_input(r, &c, &h, &w);

    if (s == NASHC_OK)
        s = search_setup_space(r, c, h, w, (int)nashc_opts_int(r->opts, "classes"));
    float *alpha = s == NASHC_OK ? NASHC_NEW_N(r->arena, float, r->n_alpha + 1) : NULL;
    if (s == NASHC_OK)
        s = alpha ? take_alphas(r, nashc_opts_str(r->opts, "derive"), alpha)
                  : nashc_enomem(r->diag);
    if (s == NASHC_OK)
        s = search_derive_all(r, alpha, pick);
    return s == NASHC_OK ? print_genotype(r, pick) : s;
}

/* --- folder ---------------------------------------------------------------------------------- */

/* A new folder, or one of ours: a checkpoint is only replaced by one of the same search. */
static nashc_status
make_folder(search_run *r)
{
    nashc_loc loc = {.file = r->folder};
    bool resume = nashc_opts_bool(r->opts, "resume");
    struct stat st;

    if (mkdir(r->folder, 0777) != 0 && errno != EEXIST)
        return nashc_io_error(r->diag, &loc, "the folder cannot be made: %s", strerror(errno));
    if (!train_is_folder(r->folder))
        return nashc_io_error(r->diag, &loc, "this is no folder");
    bool there = stat(search_inside(r, "checkpoint.npz"), &st) == 0 && S_ISREG(st.st_mode);
    if (there && !resume) {
        nashc_error(r->diag, &loc, "the folder holds a run");
        nashc_help(r->diag, "--resume goes on with it; or name another folder");
        return NASHC_EINPUT;
    }
    if (resume && !there)
        return nashc_error(r->diag, &loc, "there is no checkpoint.npz to go on from");
    return resume ? search_read_checkpoint(r) : NASHC_OK;
}

/* Genotypes on the way of a cost that grows: at even steps through the epochs. */
static nashc_status
write_front(search_run *r)
{
    int64_t wanted = nashc_opts_int(r->opts, "front");
    nashc_status s = NASHC_OK;

    wanted = wanted > r->n_kept ? r->n_kept : wanted;
    for (int64_t i = 0; s == NASHC_OK && i < wanted; i++) {
        int64_t at = (i + 1) * r->n_kept / wanted - 1;
        search_pick pick[SEARCH_MAX_STEPS];
        s = search_derive_all(r, r->kept + at * r->n_alpha, pick);
        if (s == NASHC_OK)
            s = search_write_genotype(
                r, pick, nashc_arena_printf(r->arena, "front-step%09" PRId64, r->kept_step[at]));
    }
    return s;
}

static nashc_status
write_results(search_run *r)
{
    nashc_status s = search_write_genotype(r, r->best, "genotype");

    if (s == NASHC_OK)
        s = search_write_cell(r, search_inside(r, "cell.svg"));
    if (s == NASHC_OK)
        s = write_front(r);
    if (s == NASHC_OK && search_is_whole(r))
        s = search_write_checkpoint(r);
    if (s == NASHC_OK)
        s = search_write_log(r);
    return s == NASHC_OK ? search_write_manifest(r, true) : s;
}

/* What each rank does for itself; the first one says it for all. */
static nashc_status
prepare(search_run *r)
{
    nashc_status s = search_setup(r);

    if (!search_leads(r))
        nashc_diag_truncate(r->diag, s == NASHC_OK ? 0 : nashc_diag_count(r->diag, NASHC_NOTE));
    nashc_diag_flush(r->diag);
    return s;
}

/* The first rank makes and reads the folder before the others read it. */
static nashc_status
open_folder(search_run *r)
{
    nashc_status s = search_leads(r) ? make_folder(r) : NASHC_OK;

    nashc_diag_flush(r->diag);
    if (s == NASHC_OK && search_leads(r))
        s = search_write_manifest(r, false);
    s = train_ranks_agree(r->ranks, s, r->diag);
    if (s == NASHC_OK && !search_leads(r) && nashc_opts_bool(r->opts, "resume"))
        s = search_read_checkpoint(r);
    return train_ranks_agree(r->ranks, s, r->diag);
}

/* Ranks agree on each status; the first one alone tells and writes. A search that ran out of time
 * is not ranked: --resume ends it. */
static nashc_status
search(search_run *r)
{
    nashc_status s = train_ranks_join(&r->ranks, r->diag);

    if (!search_leads(r))
        nashc_diag_set_verbosity(r->diag, 0);
    if (s == NASHC_OK)
        s = train_ranks_agree(r->ranks, prepare(r), r->diag);
    if (s == NASHC_OK)
        s = open_folder(r);
    if (s == NASHC_OK)
        s = search_loop(r);
    bool late = r->step < r->n_steps;
    if (s == NASHC_OK && !late)
        s = search_rank(r);
    if (train_ranks_lost(r->ranks))
        search_save_after_loss(r);
    if (s == NASHC_OK)
        train_ranks_agreed(r->ranks);
    return s == NASHC_OK && !late && search_leads(r) ? write_results(r) : s;
}

static void
tidy(search_run *r)
{
    train_exchange_free(r->exchange);
    train_net_free(r->net);
    train_ranks_leave(r->ranks);
    train_images_free(r->images);
    thread_pool_free(r->pool);
    free(r->row);
    free(r->kept);
    free(r->kept_step);
    free(r->ranked);
    if (r->module)
        nashc_module_free(r->module);
    nashc_arena_free(r->arena);
}

static int
search_main(nashc_ctx *c, const nashc_opts *o, int n_args, const char *const *args)
{
    search_run *r = calloc(1, sizeof *r);
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_status s = NASHC_OK;

    (void)n_args, (void)args;
    if (!r)
        return nashc_status_exit(nashc_enomem(d));
    r->ctx = c;
    r->diag = d;
    r->opts = o;
    r->arena = nashc_arena_create();
    r->folder = nashc_opts_str(o, "o");
    r->data_text = nashc_opts_str(o, "data");
    r->started = train_clock();
    bool only_derive = *nashc_opts_str(o, "derive");
    if (!r->arena)
        s = nashc_enomem(d);
    else if (!only_derive && (!*r->data_text || !*r->folder))
        s = nashc_usage(d, "search needs --data and -o, or --derive");
    if (s == NASHC_OK)
        s = take_options(r);
    if (s == NASHC_OK)
        s = only_derive ? derive(r) : search(r);
    tidy(r);
    free(r);
    return nashc_status_exit(s);
}

const nashc_command train_command_search = {
    NASHC_DESC(nashc_command),
    .name = "search",
    .help = "search the branches of a backbone",
    .usage = "--data SPEC -o RUN [options]",
    .example = "nashc search --data fashion-mnist,augment=flip --version v4 --width 16 --epochs 50 "
               "-o found\n"
               "nashc search --data cifar10:data --cost lut:0.2 --device U250 --target-fps 1000 "
               "-o small\n"
               "nashc search --derive found/alphas.npz --version v4",
    .options = options,
    .min_args = 0,
    .max_args = 0,
    .main = search_main,
};
