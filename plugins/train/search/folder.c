/* folder.c: the files of a search: checkpoint, probabilities, log, genotype, manifest. */
#include "plugins/train/gemm.h"
#include "plugins/train/search/search.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *
search_inside(const search_run *r, const char *name)
{
    const char *path = nashc_arena_printf(r->arena, "%s/%s", r->folder, name);

    return path ? path : name;
}

/* --- checkpoint ------------------------------------------------------------------------------ */

/* The numbers that a run goes on from. */
typedef struct number {
    const char *name;
    double v;
} number;

enum { N_NUMBERS = 15, N_FIXED = 5 }; /* fixed: what a run cannot change when it goes on */

/* The first N_FIXED are compared when a run goes on, the others taken; set_numbers knows their
 * places. */
static void
get_numbers(const search_run *r, number *out)
{
    const number all[N_NUMBERS] = {{"search.identity", (double)r->identity},
                                   {"search.seed", (double)nashc_opts_int(r->opts, "seed")},
                                   {"search.batch", (double)r->order[0].batch},
                                   {"search.epochs", (double)r->schedule.epochs},
                                   {"search.entries", (double)r->n_alpha},
                                   {"search.step", (double)r->step},
                                   {"search.macs", r->macs},
                                   {"search.loss0", r->loss[0]},
                                   {"search.loss1", r->loss[1]},
                                   {"search.seen0", (double)r->seen[0]},
                                   {"search.seen1", (double)r->seen[1]},
                                   {"search.right0", (double)r->right[0]},
                                   {"search.right1", (double)r->right[1]},
                                   {"search.warned", r->warned},
                                   {"search.ranked", (double)r->n_ranked}};

    memcpy(out, all, sizeof all);
}

/* Of all that a run may have: epochs are fixed, --steps is not. */
static int64_t
most_steps(const search_run *r)
{
    return r->schedule.epochs * r->per_epoch;
}

/* NULL, or the name of the first number that no run has. */
static const char *
set_numbers(search_run *r, const number *v)
{
    const int64_t most = TRAIN_MOST_WHOLE;

    if (!train_take_whole(v[5].v, most_steps(r), &r->step))
        return v[5].name;
    if (!train_take_whole(v[14].v, most, &r->n_ranked))
        return v[14].name;
    for (int k = 0; k < 2; k++) {
        r->loss[k] = v[7 + k].v;
        if (!train_take_whole(v[9 + k].v, most, &r->seen[k]))
            return v[9 + k].name;
        if (!train_take_whole(v[11 + k].v, most, &r->right[k]))
            return v[11 + k].name;
    }
    r->macs = v[6].v;
    r->warned = v[13].v != 0.0;
    return NULL;
}

/* Calls with the arrays of the state, one after the other, until one call says false. */
typedef bool array_visit(void *user, const char *name, int rank, const int64_t *dim, float *v);

/* Writing and reading go by the same list, so they cannot differ. */
static bool
each_array(const search_run *r, array_visit *visit, void *user)
{
    const int64_t shape[2] = {r->space.n_edges, r->space.n_ops};
    bool good = visit(user, "alpha", 2, shape, r->alpha) &&
                visit(user, "optimiser.m.alpha", 2, shape, r->alpha_m) &&
                visit(user, "optimiser.u.alpha", 2, shape, r->alpha_u);

    for (int i = 0; good && i < r->net->n_params; i++) {
        const train_param *p = &r->net->param[i];
        char name[512];
        good = visit(user, p->name, p->rank, p->dim, p->v);
        snprintf(name, sizeof name, "optimiser.m.%.480s", p->name);
        good = good && (!p->trains || visit(user, name, p->rank, p->dim, r->m[i]));
    }
    return good;
}

static bool
put_array(void *user, const char *name, int rank, const int64_t *dim, float *v)
{
    return train_put_floats(user, name, rank, dim, v);
}

/* No rows, no array: numpy files have no empty ones here. */
static bool
put_doubles(tool_arrays *a, const char *name, int64_t rows, int64_t columns, const void *v)
{
    nashc_type t = nashc_type_f64();
    int64_t dim[2] = {rows, columns};
    tool_array *x = rows ? tool_arrays_add(a, name, &t, 2, dim) : NULL;

    if (x)
        memcpy(x->buf.data, v, (size_t)(rows * columns) * sizeof(double));
    return x || !rows;
}

/* Genotypes as rows of numbers: candidate and source of each step, accuracy, cost, fitness. */
static bool
put_ranked(const search_run *r, tool_arrays *a)
{
    int64_t columns = 2 * r->n_steps_all + 3;
    double *v = calloc((size_t)(r->n_ranked * columns + 1), sizeof *v), *to = v;

    for (int64_t i = 0; v && i < r->n_ranked; i++) {
        const search_ranked *c = &r->ranked[i];
        for (int k = 0; k < r->n_steps_all; k++) {
            *to++ = c->pick[k].op;
            *to++ = c->pick[k].source;
        }
        *to++ = c->accuracy;
        *to++ = c->cost;
        *to++ = c->fitness;
    }
    bool good = v && put_doubles(a, "search.genotypes", r->n_ranked, columns, v);
    free(v);
    return good;
}

/* Rows without their times, which differ from run to run. */
static bool
put_rows(const search_run *r, tool_arrays *a)
{
    search_row *copy = malloc((size_t)(r->n_rows + 1) * sizeof *copy);

    for (int64_t i = 0; copy && i < r->n_rows; i++) {
        copy[i] = r->row[i];
        copy[i].rate = 0.0;
    }
    bool good = copy && put_doubles(a, "search.log", r->n_rows, SEARCH_ROW_NUMBERS, copy);
    free(copy);
    return good;
}

/* alpha after each epoch, by the step: names sort as the steps do. */
static bool
put_kept(const search_run *r, tool_arrays *a)
{
    const int64_t shape[2] = {r->space.n_edges, r->space.n_ops};
    bool good = true;

    for (int64_t i = 0; good && i < r->n_kept; i++) {
        char name[64];
        snprintf(name, sizeof name, "step%09" PRId64, r->kept_step[i]);
        good = train_put_floats(a, name, 2, shape, r->kept + i * r->n_alpha);
    }
    return good;
}

nashc_status
search_write_checkpoint(search_run *r)
{
    tool_arrays a = {0};
    number v[N_NUMBERS];
    bool good =
        each_array(r, put_array, &a) && put_rows(r, &a) && put_ranked(r, &a) && put_kept(r, &a);

    get_numbers(r, v);
    for (int i = 0; good && i < N_NUMBERS; i++)
        good = train_put_number(&a, v[i].name, v[i].v);
    nashc_status s = good ? tool_arrays_write(search_inside(r, "checkpoint.npz"), &a, r->diag)
                          : nashc_enomem(r->diag);
    tool_arrays_free(&a);
    return s;
}

/* --- going on -------------------------------------------------------------------------------- */

typedef struct reading {
    const tool_arrays *a;
    const char *missing;
} reading;

static bool
take_array(void *user, const char *name, int rank, const int64_t *dim, float *v)
{
    reading *g = user;
    const tool_array *x = tool_arrays_find(g->a, name);
    int64_t n = 1;

    for (int i = 0; i < rank; i++)
        n *= dim[i];
    if (!x || x->buf.n != n || x->buf.cell != NASHC_FLOAT) {
        g->missing = "an array is missing or has another shape";
        return false;
    }
    memcpy(v, x->buf.data, (size_t)n * sizeof *v);
    return true;
}

static const tool_array *
find_doubles(const tool_arrays *a, const char *name, int64_t rows, int64_t columns)
{
    const tool_array *x = tool_arrays_find(a, name);

    return x && x->rank == 2 && x->dim[1] == columns && x->buf.cell == NASHC_DOUBLE &&
                   (rows < 0 || x->dim[0] == rows)
               ? x
               : NULL;
}

static bool
take_ranked(search_run *r, const tool_arrays *a)
{
    const tool_array *x = find_doubles(a, "search.genotypes", r->n_ranked, 2 * r->n_steps_all + 3);

    if (!r->n_ranked)
        return true;
    r->ranked = x ? calloc((size_t)r->n_ranked, sizeof *r->ranked) : NULL;
    const double *v = x ? x->buf.data : NULL;
    for (int64_t i = 0; r->ranked && i < r->n_ranked; i++) {
        search_ranked *c = &r->ranked[i];
        for (int k = 0; k < r->n_steps_all; k++, v += 2) {
            /* before the casts: of NaN or what int does not hold they are undefined */
            if (!(v[0] >= 0 && v[0] < r->space.n_ops && v[1] >= 0 && v[1] < r->n_steps_all))
                return false;
            c->pick[k] = (search_pick){(int)v[0], (int)v[1]};
        }
        c->accuracy = *v++;
        c->cost = *v++;
        c->fitness = *v++;
    }
    return r->ranked != NULL;
}

/* Rows and kept alphas belong together, one each an epoch; others would take the room of those to
 * come. */
static bool
take_rows(search_run *r, const tool_arrays *a)
{
    const tool_array *x = find_doubles(a, "search.log", -1, SEARCH_ROW_NUMBERS);
    int64_t n = x ? x->dim[0] : 0;

    if (n != r->step / r->per_epoch)
        return false;
    r->row = malloc((size_t)(n + 1) * sizeof *r->row);
    if (r->row && n)
        memcpy(r->row, x->buf.data, (size_t)n * sizeof *r->row);
    r->n_rows = r->cap_rows = r->row ? n : 0;
    for (int64_t i = 0; i < r->n_rows; i++) {
        char name[64];
        int64_t step;
        if (!train_take_whole(r->row[i].step, most_steps(r), &step))
            return false;
        snprintf(name, sizeof name, "step%09" PRId64, step);
        const tool_array *k = tool_arrays_find(a, name);
        if (!k || k->buf.n != r->n_alpha || k->buf.cell != NASHC_FLOAT)
            return false;
        memcpy(r->kept + i * r->n_alpha, k->buf.data, (size_t)r->n_alpha * sizeof(float));
        r->kept_step[r->n_kept++] = step;
    }
    return r->row != NULL;
}

static nashc_status
check_numbers(const search_run *r, const tool_arrays *a, number *v, const nashc_loc *loc)
{
    number own[N_NUMBERS];

    get_numbers(r, own);
    for (int i = 0; i < N_NUMBERS; i++) {
        const tool_array *x = tool_arrays_find(a, own[i].name);
        if (!x || x->buf.n != 1)
            return nashc_error(r->diag, loc,
                               "number \"%s\" is missing: this is no checkpoint of a "
                               "search",
                               own[i].name);
        v[i] = (number){own[i].name, nashc_buf_get(&x->buf, 0)};
        if (i < N_FIXED && v[i].v != own[i].v) {
            nashc_error(r->diag, loc,
                        i == 0 ? "this is a checkpoint of another search"
                               : "\"%s\" is %.0f in the run, %.0f here",
                        own[i].name, v[i].v, own[i].v);
            nashc_help(r->diag, "--resume goes on with the options and the data of the run");
            return NASHC_EINPUT;
        }
    }
    return NASHC_OK;
}

nashc_status
search_read_checkpoint(search_run *r)
{
    tool_arrays a = {0};
    number v[N_NUMBERS];
    nashc_loc loc = {.file = search_inside(r, "checkpoint.npz")};
    nashc_status s = tool_arrays_read(loc.file, &a, r->diag);

    if (s == NASHC_OK)
        s = check_numbers(r, &a, v, &loc);
    if (s == NASHC_OK) {
        reading g = {.a = &a};
        const char *bad = set_numbers(r, v);
        if (bad)
            s = nashc_error(r->diag, &loc,
                            "\"%s\" holds what no search counts: the file is damaged", bad);
        else if (!each_array(r, take_array, &g) || !take_rows(r, &a) || !take_ranked(r, &a))
            s = nashc_error(r->diag, &loc, "%s",
                            g.missing ? g.missing : "the log or the genotypes are damaged");
    }
    tool_arrays_free(&a);
    return s;
}

/* --- results --------------------------------------------------------------------------------- */

/* The template of the space with the picks as branches; owned by a. */
nashc_genotype *
search_genotype(const search_run *r, const search_pick *pick, nashc_arena *a)
{
    nashc_genotype *g = NASHC_NEW(a, nashc_genotype);

    if (!g)
        return NULL;
    *g = *r->space.geno;
    g->group = NASHC_NEW_N(a, nashc_geno_group, g->n_groups);
    for (int i = 0; g->group && i < g->n_groups; i++) {
        nashc_geno_group *to = &g->group[i];
        *to = r->space.geno->group[i];
        to->edge = NASHC_NEW_N(a, nashc_geno_edge, to->n_steps);
        if (!to->edge)
            return NULL;
        for (int k = 0; k < to->n_steps; k++, pick++) {
            const search_op *op = &r->space.op[pick->op];
            to->edge[k] =
                (nashc_geno_edge){.op = op->name, .source = pick->source, .wbits = op->wbits};
        }
    }
    return g->group ? g : NULL;
}

static nashc_status
write_text(search_run *r, const char *name, const char *text)
{
    nashc_outfile *f = text ? nashc_out_open(search_inside(r, name), r->diag) : NULL;

    if (!f)
        return text ? NASHC_EIO : nashc_enomem(r->diag);
    nashc_out_printf(f, "%s", text);
    return nashc_out_commit(f, r->diag);
}

/* Both forms: .ngt for everything here, .py as published. */
nashc_status
search_write_genotype(search_run *r, const search_pick *pick, const char *stem)
{
    const nashc_genotype *g = search_genotype(r, pick, r->arena);
    nashc_status s = g ? write_text(r, nashc_arena_printf(r->arena, "%s.ngt", stem),
                                    nashc_genotype_print(g, r->arena))
                       : nashc_enomem(r->diag);

    return s == NASHC_OK ? write_text(r, nashc_arena_printf(r->arena, "%s.py", stem),
                                      nashc_genotype_python(g, r->arena))
                         : s;
}

nashc_status
search_write_alphas(search_run *r)
{
    tool_arrays a = {0};
    nashc_status s = put_kept(r, &a)
                         ? tool_arrays_write(search_inside(r, "alphas.npz"), &a, r->diag)
                         : nashc_enomem(r->diag);

    tool_arrays_free(&a);
    return s;
}

/* Nine digits: floats read back the same. */
static nashc_status
write_csv(search_run *r)
{
    nashc_outfile *f = nashc_out_open(search_inside(r, "log.csv"), r->diag);

    if (!f)
        return NASHC_EIO;
    nashc_out_printf(f, "step,epoch,loss,loss_gates,accuracy,accuracy_gates,entropy,cost,skips,lr,"
                        "macs,images/s\n");
    for (int64_t i = 0; i < r->n_rows; i++) {
        const search_row *v = &r->row[i];
        nashc_out_printf(f, "%.0f,%.0f,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g,%.1f\n",
                         v->step, v->epoch, v->loss_weights, v->loss_alpha, v->accuracy_weights,
                         v->accuracy_alpha, v->entropy, v->cost, v->skips, v->lr, v->macs, v->rate);
    }
    return nashc_out_commit(f, r->diag);
}

nashc_status
search_write_log(search_run *r)
{
    nashc_status s = write_csv(r);

    if (s == NASHC_OK && r->n_kept)
        s = search_write_alphas(r);
    return s == NASHC_OK && r->n_rows ? search_write_curves(r, search_inside(r, "search.svg")) : s;
}

/* --- manifest -------------------------------------------------------------------------------- */

static json_t *
options_of(const search_run *r)
{
    static const char *const words[] = {"method",     "backbone", "version",
                                        "primitives", "compat",   "search-form"};
    json_t *o = json_object();

    for (size_t i = 0; i < NASHC_COUNT(words); i++)
        json_object_set_new(o, words[i], json_string(nashc_opts_str(r->opts, words[i])));
    json_object_set_new(o, "form", json_string(r->space.form->name));
    json_object_set_new(o, "width", json_integer(r->space.geno->width));
    json_object_set_new(o, "epochs", json_integer(r->schedule.epochs));
    json_object_set_new(o, "batch", json_integer(r->order[0].batch));
    json_object_set_new(o, "lr", json_real(r->schedule.lr));
    json_object_set_new(o, "arch_lr", json_real(r->alpha_lr));
    json_object_set_new(o, "seed", json_integer(nashc_opts_int(r->opts, "seed")));
    return o;
}

/* Costs of each candidate, in the order of edges, and what the unit of their weight is. */
static json_t *
costs_of(const search_run *r)
{
    json_t *all = json_object();

    for (int c = 0; c < SEARCH_N_COSTS; c++) {
        if (!r->costs.of[c])
            continue;
        json_t *rows = json_array();
        for (int e = 0; e < r->space.n_edges; e++) {
            json_t *row = json_array();
            for (int k = 0; k < r->space.n_ops; k++)
                json_array_append_new(row, json_real(r->costs.of[c][e * r->space.n_ops + k]));
            json_array_append_new(rows, row);
        }
        json_object_set_new(all, search_cost_names[c],
                            json_pack("{s:f,s:f,s:f,s:o}", "weight", r->costs.from[c],
                                      "weight_last", r->costs.to[c], "unit", r->costs.unit[c],
                                      "edges", rows));
    }
    return all;
}

/* null where nothing was ranked: gates are derived from, not measured. */
static json_t *
result_of(const search_run *r)
{
    const search_ranked *best = NULL;

    for (int64_t i = 0; i < r->n_ranked; i++)
        if (memcmp(r->ranked[i].pick, r->best, (size_t)r->n_steps_all * sizeof *r->best) == 0) {
            best = &r->ranked[i];
            break;
        }
    if (!best || isnan(best->accuracy))
        return json_null();
    return json_pack("{s:f,s:f,s:I}", "supernet_accuracy", best->accuracy, "cost", best->cost,
                     "ranked", (json_int_t)r->n_ranked);
}

nashc_status
search_write_manifest(search_run *r, bool done)
{
    json_t *root = json_pack("{s:s,s:s,s:i,s:s,s:s}", "nashc", NASHC_VERSION, "kind", "search",
                             "threads", thread_pool_size(r->pool), "blas", train_gemm_library(),
                             "blas_kernel", train_gemm_kernel());

    json_object_set_new(root, "ranks", json_integer(train_ranks_count(r->ranks)));
    if (r->ranks)
        json_object_set_new(root, "mpi", json_string(train_ranks_library(r->ranks)));
    json_object_set_new(root, "options", options_of(r));
    json_object_set_new(root, "costs", costs_of(r));
    json_object_set_new(root, "data",
                        json_pack("{s:s,s:I,s:s}", "kind", r->images->spec.kind, "images",
                                  (json_int_t)r->images->n, "sha256", r->images->hash));
    json_object_set_new(root, "macs", json_real(r->macs));
    json_object_set_new(root, "result", done ? result_of(r) : json_null());
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    const char *copy = text ? nashc_arena_printf(r->arena, "%s\n", text) : NULL;
    free(text);
    json_decref(root);
    return write_text(r, "manifest.json", copy);
}
