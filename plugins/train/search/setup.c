/* setup.c: a search from its options: the space, the data, the supernet and its state. */
#include "plugins/train/gemm.h"
#include "plugins/train/search/gates.h"
#include "plugins/train/search/search.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- space ----------------------------------------------------------------------------------- */

const char *
search_primitives_of(const char *version)
{
    return strcmp(version, "v4") == 0 ? "none,conv_1x1,conv_3x3,conv_5x5"
                                      : "none,max_pool_3x3,skip_connect,conv_1x1,conv_3x3,conv_5x5";
}

/* Searches of resnet34 were on the 3x3 stem, those of resnet18 on 7x7/2; both without a pool. */
static const char *
stem_of(const search_run *r, const char *backbone)
{
    const char *given = nashc_opts_str(r->opts, "stem");

    return *given                                ? given
           : strcmp(backbone, "resnet18") == 0   ? "conv=7x7/2 pad=3 pool=none"
           : strncmp(backbone, "resnet", 6) == 0 ? "conv=3x3 pad=1 pool=none"
                                                 : "";
}

/* A genotype of that backbone and version, each step with a branch that all versions allow. */
static const char *
template_text(const search_run *r, const nashc_backbone *b, int c, int h, int w, int classes)
{
    const nashc_opts *o = r->opts;
    const char *stem = stem_of(r, b->name), *bits = nashc_opts_str(o, "bits");
    const char *head = nashc_opts_str(o, "head");
    int64_t width = nashc_opts_int(o, "width");
    const char *text = nashc_arena_printf(
        r->arena, "nash-genotype 1\nname %s\nbackbone %s\nversion %s\ninput %dx%dx%d\nclasses %d\n",
        nashc_opts_str(o, "name"), b->name, nashc_opts_str(o, "version"), c, h, w, classes);

    if (width)
        text = nashc_arena_printf(r->arena, "%swidth %" PRId64 "\n", text, width);
    text = nashc_arena_printf(r->arena, "%s%s%s%s%s%s%s%s%s%s", text, *stem ? "stem " : "", stem,
                              *stem ? "\n" : "", *head ? "head " : "", head, *head ? "\n" : "",
                              *bits ? "bits " : "", bits, *bits ? "\n" : "");
    for (int g = 0; text && g < b->n_groups; g++) {
        text = nashc_arena_printf(r->arena, "%sgroup %d:", text, g);
        for (int i = 0; text && i < nashc_backbone_steps(b, g); i++)
            text = nashc_arena_printf(r->arena, "%s conv_1x1@0", text);
        text = text ? nashc_arena_printf(r->arena, "%s\n", text) : NULL;
    }
    return text;
}

static nashc_status
unknown_backbone(const search_run *r, const char *name)
{
    const nashc_impl *p;
    const char *known = "";

    for (int i = 0; known && (p = nashc_desc_at(r->ctx, NASHC_D_IMPL, i)); i++)
        if (strcmp(p->iface, "backbone") == 0)
            known = nashc_arena_printf(r->arena, "%s%s%s", known, *known ? ", " : "", p->op);
    return nashc_usage(r->diag, "unknown backbone \"%s\"; known are %s", nashc_quote(r->diag, name),
                       known ? known : "");
}

/* The form of the published search of that version and backbone. */
static const search_form *
form_of(const search_run *r, const char *backbone)
{
    const char *given = nashc_opts_str(r->opts, "search-form");

    if (strcmp(given, "auto") != 0)
        return search_form_named(given);
    return search_form_named(strcmp(backbone, "resnet34") == 0         ? "float"
                             : r->space.geno->version == NASHC_GENO_V2 ? "binary"
                                                                       : "tanh");
}

/* Version v4 allows convolutions only; what no version allows is not searched. */
static nashc_status
check_ops(search_run *r)
{
    const nashc_genotype *g = r->space.geno;

    search_kinds(r->ctx, &r->space, r->kind);
    for (int k = 0; k < r->space.n_ops; k++)
        if (g->version == NASHC_GENO_V4 && r->kind[k] != SEARCH_CONV && r->kind[k] != SEARCH_NONE)
            return nashc_usage(r->diag, "version v4 allows convolutions only, not \"%s\"",
                               r->space.op[k].name);
    return NASHC_OK;
}

nashc_status
search_setup_space(search_run *r, int c, int h, int w, int classes)
{
    const char *name = nashc_opts_str(r->opts, "backbone");
    const char *ops = nashc_opts_str(r->opts, "primitives");
    const nashc_backbone *b = nashc_impl_rule(r->ctx, "backbone", name);

    if (!b)
        return unknown_backbone(r, name);
    const char *text = template_text(r, b, c, h, w, classes);
    if (!text)
        return nashc_enomem(r->diag);
    nashc_status s = nashc_genotype_parse(r->ctx, r->arena, "settings of the search", text,
                                          strlen(text), NULL, &r->space.geno, r->diag);
    if (s != NASHC_OK)
        return s;
    r->space.form = form_of(r, name);
    s = search_ops_parse(r->ctx,
                         *ops ? ops : search_primitives_of(nashc_opts_str(r->opts, "version")),
                         r->arena, &r->space, r->diag);
    if (s == NASHC_OK)
        s = check_ops(r);
    if (s == NASHC_OK)
        s = search_groups_set(&r->space, r->arena, r->diag);
    for (int g = 0; g < r->space.n_groups; g++)
        r->n_steps_all += r->space.group[g].steps;
    if (s == NASHC_OK && r->n_steps_all > SEARCH_MAX_STEPS)
        s = nashc_unsup(r->diag, NULL, "the backbone has %d steps; %d are possible", r->n_steps_all,
                        SEARCH_MAX_STEPS);
    r->n_alpha = r->space.n_edges * r->space.n_ops;
    r->space.barred = NASHC_NEW_N(r->arena, uint64_t, r->space.n_edges + 1);
    return s == NASHC_OK && !r->space.barred ? nashc_enomem(r->diag) : s;
}

/* --- data ------------------------------------------------------------------------------------ */

/* Views of one set of images: nothing is copied. Neighbours in the file go to the same half, so
 * files sorted by class are to be shuffled before. */
static void
halve(search_run *r)
{
    train_images *p = r->images;
    int64_t first = p->n / 2, size = (int64_t)p->c * p->h * p->w;

    r->half[0] = r->half[1] = *p;
    r->half[0].n = first;
    r->half[1].n = p->n - first;
    r->half[1].label = p->label + first;
    r->half[1].file = p->file ? p->file + first : NULL;
    r->half[1].u8 = p->u8 ? p->u8 + first * size : NULL;
    r->half[1].f32 = p->f32 ? p->f32 + first * size : NULL;
}

/* Two orders with seeds of their own, so that the halves are not in step. */
static nashc_status
open_data(search_run *r)
{
    uint64_t seed = (uint64_t)nashc_opts_int(r->opts, "seed");
    int64_t batch = nashc_opts_int(r->opts, "batch"), steps = nashc_opts_int(r->opts, "steps");
    train_wish wish = {.seed = seed};
    nashc_status s = train_images_open(r->data_text, &wish, &r->images, r->diag);

    if (s != NASHC_OK)
        return s;
    if (r->images->n < 4)
        return nashc_error(r->diag, NULL,
                           "the data have %" PRId64 " images; a search needs two halves",
                           r->images->n);
    halve(r);
    batch = batch > r->half[0].n ? r->half[0].n : batch;
    for (int k = 0; k < 2; k++)
        r->order[k] = (train_order){
            .images = &r->half[k],
            .pixels = {0.0, r->images->spec.scale > 0.0 ? r->images->spec.scale : 1.0 / 256.0},
            .batch = batch,
            .seed = train_random(seed, 77, (uint64_t)k),
            .shuffle = true,
            .augment = true,
            .part = train_ranks_rank(r->ranks),
            .parts = train_ranks_count(r->ranks)};
    if (batch < r->order[0].parts)
        return nashc_error(r->diag, NULL, "a batch of %" PRId64 " images is too small for %d ranks",
                           batch, r->order[0].parts);
    r->per_epoch = train_batches(&r->order[0]);
    r->n_steps = nashc_opts_int(r->opts, "epochs") * r->per_epoch;
    r->n_steps = steps && steps < r->n_steps ? steps : r->n_steps;
    r->n_steps = r->method == SEARCH_SAMPLE ? 0 : r->n_steps;
    r->warmup = nashc_opts_int(r->opts, "warmup") * r->per_epoch;
    return NASHC_OK;
}

/* --- supernet -------------------------------------------------------------------------------- */

/* Edges where a candidate has no form for a map of odd size. */
static void
tell_barred(const search_run *r)
{
    for (int k = 0; k < r->space.n_ops; k++) {
        int n = 0;
        for (int e = 0; e < r->space.n_edges; e++)
            n += (int)(r->space.barred[e] >> k & 1u);
        if (n) {
            nashc_warning(r->diag, NULL, "search-odd-map",
                          "%s is not searched on %d edges of stride 2, whose maps have an odd size",
                          r->space.op[k].name, n);
            nashc_help(r->diag, "--data ...,size=32x32 has even maps");
        }
    }
}

/* Every step must have a candidate that the version allows. */
static nashc_status
check_steps(const search_run *r)
{
    for (int g = 0; g < r->space.n_groups; g++)
        for (int i = 0; i < r->space.group[g].steps; i++) {
            const search_group *p = &r->space.group[g];
            bool any = false;
            for (int j = 0; j <= i; j++)
                for (int k = 0; k < r->space.n_ops; k++)
                    any |= search_allowed(r->space.geno->version, p->stride, j, r->kind[k]) &&
                           !(r->space.barred[search_edge(p, i, j)] >> k & 1u);
            if (!any)
                return nashc_usage(r->diag,
                                   "--primitives has none that version %s allows in step %d of "
                                   "group %d",
                                   nashc_opts_str(r->opts, "version"), i + 1, g);
        }
    return NASHC_OK;
}

/* Multiply-accumulates of one image by what they belong to. */
static nashc_status
count_macs(search_run *r)
{
    r->edge_macs = NASHC_NEW_N(r->arena, double, r->n_alpha + 1);
    for (int i = 0; r->edge_macs && i < r->net->n_steps; i++) {
        const train_step *t = &r->net->step[i];
        if (!t->node ||
            !nashc_node_is_any(t->node, (const char *const[]){"nn.conv", "nn.gemm", NULL}))
            continue;
        const nashc_type *w = nashc_value_type(nashc_node_in(t->node, 1));
        double macs =
            (double)r->net->slot[t->out_slot[0]].count * (double)(nashc_type_count(w) / w->dim[0]);
        if (t->owner < 0)
            r->base_macs += macs;
        else
            r->edge_macs[t->owner / TRAIN_MAX_CANDIDATES * r->space.n_ops +
                         t->owner % TRAIN_MAX_CANDIDATES] += macs;
    }
    return r->edge_macs ? NASHC_OK : nashc_enomem(r->diag);
}

static nashc_status
make_supernet(search_run *r)
{
    int64_t threads = nashc_opts_int(r->opts, "threads"), parts = r->order[0].parts;
    train_net_options o = {.batch = (r->order[0].batch + parts - 1) / parts, .backward = true};
    uint64_t seed = (uint64_t)nashc_opts_int(r->opts, "seed");
    nashc_status s = train_gemm_setup(r->diag);

    if (s != NASHC_OK)
        return s;
    r->pool = o.pool = thread_pool_open(threads, train_ranks_local(r->ranks));
    if (!r->pool)
        return nashc_enomem(r->diag);
    r->order[0].threads = r->order[1].threads = thread_pool_size(r->pool);
    s = search_supernet(r->ctx, &r->space, seed, &r->module, r->diag);
    if (s == NASHC_OK)
        s = train_net_create(nashc_module_main(r->module), &o, true, &r->net, r->diag);
    if (s == NASHC_OK)
        s = count_macs(r);
    if (s == NASHC_OK)
        s = check_steps(r);
    if (s != NASHC_OK)
        return s;
    tell_barred(r);
    r->m = NASHC_NEW_N(r->arena, float *, r->net->n_params + 1);
    for (int i = 0; r->m && i < r->net->n_params; i++)
        if (!(r->m[i] = NASHC_NEW_N(r->arena, float, r->net->param[i].n)))
            return nashc_enomem(r->diag);
    return r->m ? NASHC_OK : nashc_enomem(r->diag);
}

/* alpha: 1e-3 times normal numbers. */
static nashc_status
make_alpha(search_run *r)
{
    uint64_t seed = train_random((uint64_t)nashc_opts_int(r->opts, "seed"), 78, 0);

    r->alpha = NASHC_NEW_N(r->arena, float, r->n_alpha + 1);
    r->dalpha = NASHC_NEW_N(r->arena, float, r->n_alpha + 1);
    r->alpha_m = NASHC_NEW_N(r->arena, float, r->n_alpha + 1);
    r->alpha_u = NASHC_NEW_N(r->arena, float, r->n_alpha + 1);
    r->p = NASHC_NEW_N(r->arena, double, r->n_alpha + 1);
    r->pair = nashc_arena_alloc(r->arena, (size_t)(r->space.n_edges + 1) * sizeof *r->pair);
    r->kept = malloc((size_t)(nashc_opts_int(r->opts, "epochs") + 2) * (size_t)r->n_alpha *
                     sizeof(float));
    r->kept_step = malloc((size_t)(nashc_opts_int(r->opts, "epochs") + 2) * sizeof *r->kept_step);
    if (!r->alpha || !r->dalpha || !r->alpha_m || !r->alpha_u || !r->p || !r->pair || !r->kept ||
        !r->kept_step)
        return nashc_enomem(r->diag);
    for (int i = 0; i < r->n_alpha; i++) {
        bool barred = r->space.barred[i / r->space.n_ops] >> (i % r->space.n_ops) & 1u;
        double u = ((double)(train_random(seed, 0, 2 * (uint64_t)i) >> 11) + 1.0) * 0x1p-53;
        double v = (double)(train_random(seed, 0, 2 * (uint64_t)i + 1) >> 11) * 0x1p-53;
        r->alpha[i] = barred ? SEARCH_BARRED
                             : (float)(1e-3 * sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v));
    }
    return NASHC_OK;
}

/* --- optimisers ------------------------------------------------------------------------------ */

/* Those of the published searches: resnet34 has its own. */
static void
set_optimisers(search_run *r)
{
    const nashc_opts *o = r->opts;
    bool r34 = strcmp(r->space.geno->backbone_name, "resnet34") == 0;

    r->optim = (train_optim){.kind = TRAIN_SGD,
                             .momentum = nashc_opts_float(o, "momentum"),
                             .decay = nashc_opts_float(o, "weight-decay"),
                             .nesterov = r34};
    r->schedule = (train_schedule){.kind = TRAIN_COSINE,
                                   .lr = nashc_opts_float(o, "lr"),
                                   .lr_min = r34 ? 1e-3 : 0.0,
                                   .epochs = nashc_opts_int(o, "epochs")};
    r->clip = nashc_opts_float(o, "clip");
    r->alpha_optim =
        (train_optim){.kind = TRAIN_ADAM, .beta1 = 0.0, .beta2 = 0.999, .eps = 1e-8, .decay = 1e-3};
    r->alpha_lr = nashc_opts_given(o, "arch-lr") ? nashc_opts_float(o, "arch-lr")
                  : r34                          ? 6e-3
                                                 : 3e-4;
    r->save_every = nashc_opts_int(o, "save-every");
}

static nashc_status
find_costs(search_run *r)
{
    const char *device = nashc_opts_str(r->opts, "device");
    const nashc_device *dev = *device ? nashc_find(r->ctx, NASHC_D_DEVICE, device) : NULL;
    search_target t = {.device = *device ? device : NULL,
                       .clock_ns = nashc_opts_float(r->opts, "clock-ns"),
                       .target_fps = nashc_opts_float(r->opts, "target-fps")};
    nashc_status s = NASHC_OK;

    if (!nashc_opts_given(r->opts, "clock-ns") && dev && dev->clk_ns > 0.0)
        t.clock_ns = dev->clk_ns;
    for (int i = 0; s == NASHC_OK && i < nashc_opts_n(r->opts, "cost"); i++)
        s = search_cost_parse(nashc_opts_str_at(r->opts, "cost", i), &r->costs, r->diag);
    if (s == NASHC_OK && r->costs.any && !(t.target_fps > 0.0)) {
        s = nashc_usage(r->diag, "--cost needs --target-fps");
        nashc_help(r->diag, "what a branch costs depends on how fast it has to be");
    }
    return s == NASHC_OK && r->costs.any
               ? search_costs_find(r->ctx, &r->space, &t, &r->costs, r->arena, r->diag)
               : s;
}

/* FNV-1a. */
static void
mix(uint64_t *h, const char *s)
{
    for (; *s; s++)
        *h = (*h ^ (uint8_t)*s) * 0x100000001b3u;
    *h = (*h ^ 0xffu) * 0x100000001b3u;
}

/* What a checkpoint must agree in: 52 bits, which a double holds. */
static uint64_t
identity_of(const search_run *r)
{
    static const char *const words[] = {"method", "primitives", "search-form", "compat", "device"};
    const char *text = nashc_genotype_print(r->space.geno, r->arena);
    uint64_t h = 0xcbf29ce484222325u;

    mix(&h, text ? text : "");
    mix(&h, r->images->hash);
    for (size_t i = 0; i < NASHC_COUNT(words); i++)
        mix(&h, nashc_opts_str(r->opts, words[i]));
    for (int i = 0; i < nashc_opts_n(r->opts, "cost"); i++)
        mix(&h, nashc_opts_str_at(r->opts, "cost", i));
    return h >> 12;
}

nashc_status
search_setup(search_run *r)
{
    nashc_status s = open_data(r);

    if (s == NASHC_OK)
        s = search_setup_space(r, r->images->c, r->images->h, r->images->w, r->images->n_classes);
    if (s != NASHC_OK)
        return s;
    set_optimisers(r);
    r->identity = identity_of(r);
    s = make_supernet(r);
    if (s == NASHC_OK)
        s = make_alpha(r);
    if (s == NASHC_OK)
        s = search_ranks_setup(r);
    return s == NASHC_OK ? find_costs(r) : s;
}
