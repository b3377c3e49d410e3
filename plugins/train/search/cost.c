/* cost.c: what candidates cost in hardware: their own layers in a small network, folded and
 * estimated by the compiler.
 *
 *     input 1xHxW, stem 1x1, step: 3x3 with the stride + branch of S0, head           sources 0
 *     input 1xHxW, stem 1x1, step: 3x3, step: 3x3 + branch of S1, head                others
 *
 * Their own are also the sum behind the branch with its quantisers, the fork in front, and the
 * quantiser of the state. The network less the one without the branch would not tell: that one has
 * its quantisers inside the convolutions, which makes these larger, often by more than a branch is.
 */
#include "plugins/train/search/cost.h"
#include "plugins/train/run/run.h"
#include <math.h>
#include <nashc/compile.h>
#include <stdlib.h>
#include <string.h>

const char *const search_cost_names[] = {"lut", "bram", "dsp", "cycles", NULL};

/* A number of n characters that is a weight. */
static bool
weight(const char *text, size_t n, double *out)
{
    char copy[32], *end;

    if (n == 0 || n >= sizeof copy)
        return false;
    memcpy(copy, text, n);
    copy[n] = 0;
    *out = strtod(copy, &end);
    return !*end && *out >= 0.0 && isfinite(*out);
}

nashc_status
search_cost_parse(const char *text, search_costs *out, nashc_diag *d)
{
    size_t len = strcspn(text, ":");
    const char *value = text[len] ? text + len + 1 : "1", *dots = strstr(value, "..");
    double from = 0.0, to = 0.0;

    bool good = weight(value, dots ? (size_t)(dots - value) : strlen(value), &from) &&
                (!dots || weight(dots + 2, strlen(dots + 2), &to));
    for (int c = 0; good && c < SEARCH_N_COSTS; c++)
        if (strlen(search_cost_names[c]) == len && strncmp(text, search_cost_names[c], len) == 0) {
            out->any = true;
            out->from[c] = from;
            out->to[c] = dots ? to : from;
            return NASHC_OK;
        }
    return nashc_usage(d,
                       "--cost \"%s\": expected lut, bram, dsp or cycles, with a weight as "
                       ":0.1 or one that grows as :0..0.5",
                       nashc_quote(d, text));
}

/* --- one place ------------------------------------------------------------------------------- */

/* What the cost of a branch depends on. */
typedef struct place {
    int in, out, stride, h, w, later; /* later: the source is not the group's input */
    int op;
    nashc_geno_bits bits;
    double cost[SEARCH_N_COSTS];
} place;

typedef struct finder {
    nashc_ctx *ctx;
    nashc_diag *d;
    const search_space *space;
    const search_target *target;
    place *known;
    int n_known, cap;
    int missed; /* branches that do not reach the rate */
} finder;

static bool
same(const place *a, const place *b)
{
    return a->in == b->in && a->out == b->out && a->stride == b->stride && a->h == b->h &&
           a->w == b->w && a->later == b->later && a->op == b->op &&
           memcmp(&a->bits, &b->bits, sizeof a->bits) == 0;
}

static const nashc_backbone_block one_conv = {
    1, {{.kernel = 3, .strided = true, .mul = 1, .div = 1}}, true};

/* The network of the place, as a module. */
static nashc_status
build(const finder *f, const place *p, nashc_module **out)
{
    const nashc_genotype *of = f->space->geno;
    nashc_backbone_group blocks = {p->out,          p->stride,       1 + p->later,
                                   NASHC_DOWN_NONE, NASHC_DOWN_NONE, &one_conv};
    nashc_backbone backbone = {NASHC_DESC(nashc_backbone),
                               .name = "branch",
                               .help = "a branch alone",
                               .width = p->in,
                               .stem = {.kernel = 1, .stride = 1, .wbits = 8},
                               .group = &blocks,
                               .n_groups = 1};
    nashc_geno_edge edge[2] = {{.op = "none"}, {.op = "none"}};
    nashc_geno_group group = {.channels = p->out,
                              .stride = p->stride,
                              .n_steps = 1 + p->later,
                              .down = NASHC_DOWN_NONE,
                              .bits = p->bits,
                              .edge = edge};
    nashc_genotype g = *of;

    edge[p->later] = (nashc_geno_edge){
        .op = f->space->op[p->op].name, .source = p->later, .wbits = f->space->op[p->op].wbits};
    g.name = "branch";
    g.backbone_name = "branch";
    g.backbone = &backbone;
    g.version = NASHC_GENO_CUSTOM;
    g.input = (nashc_geno_input){.c = 1, .h = p->h, .w = p->w, .dtype = "uint8"};
    g.classes = 2;
    g.width = p->in;
    g.stem = backbone.stem;
    g.bits = p->bits;
    g.n_groups = 1;
    g.group = &group;
    return nashc_genotype_build(f->ctx, &g, 1, NULL, out, f->d);
}

static bool
ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);

    return n >= m && strcmp(name + n - m, end) == 0;
}

/* The only fork is that in front of the branch; it and its FIFO have no name. A state has a
 * quantiser "q" of its own for branches. */
static void
take(place *p, const nashc_compile_result *r)
{
    NASHC_EACH_NODE(r->graph, n)
    {
        const char *name = nashc_node_loc(n)->name;
        const nashc_cost *c = &r->layer_cost[nashc_node_id(n)];
        double cycles = (double)r->layer_cycles[nashc_node_id(n)];
        bool branch = name && strstr(name, ".branch");
        if (name && !branch && !ends_in(name, ".q"))
            continue;
        p->cost[SEARCH_LUT] += (double)c->lut;
        p->cost[SEARCH_BRAM] += (double)c->bram18;
        p->cost[SEARCH_DSP] += (double)c->dsp;
        if (branch)
            p->cost[SEARCH_CYCLES] = fmax(p->cost[SEARCH_CYCLES], cycles);
    }
}

static nashc_status
compile(finder *f, place *p)
{
    nashc_compile_options o = NASHC_COMPILE_DEFAULTS;
    nashc_compile_result r = {.struct_size = sizeof r};
    nashc_module *m = NULL;
    nashc_arena *a = nashc_arena_create();
    int before = nashc_diag_count(f->d, NASHC_NOTE);
    nashc_status s = a ? build(f, p, &m) : nashc_enomem(f->d);

    o.device = f->target->device;
    o.clock_ns = f->target->clock_ns;
    o.target_fps = f->target->target_fps;
    if (s == NASHC_OK)
        s = nashc_compile(&m, &o, &r, a, f->d);
    if (s == NASHC_EINPUT && r.graph) { /* too slow, but known */
        f->missed++;
        s = NASHC_OK;
    }
    if (s == NASHC_OK) {
        nashc_diag_truncate(f->d, before);
        take(p, &r);
    } else {
        nashc_note(f->d, "in a network that has nothing but the branch %s on a map of %dx%dx%d",
                   f->space->op[p->op].tag, p->in, p->h, p->w);
    }
    if (m)
        nashc_module_free(m);
    nashc_arena_free(a);
    return s;
}

/* The place with its cost, compiled if it has not been met before. */
static nashc_status
look_up(finder *f, const place *wanted, double *cost)
{
    nashc_status s = NASHC_OK;
    int i = 0;

    while (i < f->n_known && !same(&f->known[i], wanted))
        i++;
    if (i == f->n_known) {
        if (f->n_known == f->cap) {
            int cap = f->cap ? 2 * f->cap : 64;
            place *grown = realloc(f->known, (size_t)cap * sizeof *grown);
            if (!grown)
                return nashc_enomem(f->d);
            f->known = grown;
            f->cap = cap;
        }
        f->known[i] = *wanted;
        s = compile(f, &f->known[i]);
        f->n_known += s == NASHC_OK;
    }
    if (s == NASHC_OK)
        memcpy(cost, f->known[i].cost, sizeof f->known[i].cost);
    return s;
}

/* --- all edges ------------------------------------------------------------------------------- */

static int
behind(int size, int kernel, int stride, int pad)
{
    return (size + 2 * pad - kernel) / stride + 1;
}

static void
behind_stem(const nashc_genotype *g, int *h, int *w)
{
    const nashc_geno_stem *s = &g->stem;

    *h = behind(g->input.h, s->kernel, s->stride, s->pad);
    *w = behind(g->input.w, s->kernel, s->stride, s->pad);
    if (s->pool) {
        *h = behind(*h, s->pool, s->pool_stride, (s->pool - 1) / 2);
        *w = behind(*w, s->pool, s->pool_stride, (s->pool - 1) / 2);
    }
}

/* Costs of the candidates of one kind of edge, into those of edge e. */
static nashc_status
price_edge(finder *f, place p, int e, search_costs *out)
{
    double cost[SEARCH_N_COSTS];
    nashc_status s = NASHC_OK;

    for (int k = 0; s == NASHC_OK && k < f->space->n_ops; k++) {
        bool none = strcmp(f->space->op[k].name, "none") == 0;
        if (none || (f->space->barred[e] >> k & 1u))
            continue;
        p.op = k;
        s = look_up(f, &p, cost);
        for (int c = 0; s == NASHC_OK && c < SEARCH_N_COSTS; c++)
            if (out->of[c])
                out->of[c][e * f->space->n_ops + k] = cost[c];
    }
    return s;
}

static void
find_units(const search_space *s, search_costs *out)
{
    for (int c = 0; c < SEARCH_N_COSTS; c++) {
        double sum = 0.0;
        for (int i = 0; out->of[c] && i < s->n_edges * s->n_ops; i++)
            sum += out->of[c][i] / s->n_ops;
        out->unit[c] = sum > 0.0 ? sum : 1.0;
    }
}

static nashc_status
price_all(finder *f, search_costs *out)
{
    const search_space *s = f->space;
    nashc_status status = NASHC_OK;
    int h, w, done = 0;

    behind_stem(s->geno, &h, &w);
    for (int g = 0; status == NASHC_OK && g < s->n_groups; g++) {
        const search_group *p = &s->group[g];
        int to_h = behind(h, 3, p->stride, 1), to_w = behind(w, 3, p->stride, 1);
        const nashc_geno_bits bits = s->geno->group[g].bits;
        const place first = {p->in, p->out, p->stride, h, w, 0, -1, bits, {0.0}};
        const place later = {p->out, p->out, 1, to_h, to_w, 1, -1, bits, {0.0}};
        for (int i = 0; status == NASHC_OK && i < p->steps; i++)
            for (int j = 0; status == NASHC_OK && j <= i; j++) {
                train_progress(f->d, "edges priced", done++, s->n_edges, 0);
                status = price_edge(f, j ? later : first, search_edge(p, i, j), out);
            }
        h = to_h;
        w = to_w;
    }
    train_progress(f->d, "edges priced", s->n_edges, s->n_edges, 0);
    return status;
}

nashc_status
search_costs_find(nashc_ctx *c, const search_space *s, const search_target *t, search_costs *out,
                  nashc_arena *a, nashc_diag *d)
{
    finder f = {.ctx = c, .d = d, .space = s, .target = t};

    for (int k = 0; k < SEARCH_N_COSTS; k++)
        if ((out->from[k] > 0.0 || out->to[k] > 0.0) &&
            !(out->of[k] = NASHC_NEW_N(a, double, s->n_edges * s->n_ops + 1)))
            return nashc_enomem(d);
    nashc_status status = price_all(&f, out);
    if (status == NASHC_OK)
        find_units(s, out);
    if (status == NASHC_OK && f.missed)
        nashc_warning(
            d, NULL, "search-slow",
            "%d of %d branches do not reach %g frames a second; their cost is that of the "
            "fastest folding",
            f.missed, f.n_known, t->target_fps);
    free(f.known);
    return status;
}

double
search_cost_of(const search_costs *c, int edge, int op, int n_ops, double part)
{
    double sum = 0.0;

    for (int k = 0; k < SEARCH_N_COSTS; k++)
        if (c->of[k])
            sum += (c->from[k] + (c->to[k] - c->from[k]) * part) * c->of[k][edge * n_ops + op] /
                   c->unit[k];
    return sum;
}
