/* codes.c: rows of thresholds or tables as nodes of the integer graph.
 *
 *     integers -- q.multithreshold      where all rows rise or fall
 *     integers -- q.lut                 where one does neither
 *     integers                          where the codes equal them
 */
#include "quantiser.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TABLE 65536              /* integers of one row */
#define MAX_CELLS ((int64_t)1 << 26) /* of all rows */

/* v in a shape of which rows count the channels. */
static nashc_value *
flattened(si_walk *walk, nashc_value *v, const si_code_plan *plan)
{
    const nashc_type *t = nashc_value_type(v);
    if (!plan->by_element)
        return v;
    int64_t dim[2] = {1, nashc_type_count(t)};
    return si_emit(
        walk, "nn.reshape", &v, 1,
        nashc_arena_printf(walk->job->arena, "shape=%s", nashc_build_ints(walk->build, dim, 2)));
}

/* v in the shape of t again. */
static nashc_value *
unflattened(si_walk *walk, nashc_value *v, const si_code_plan *plan, const nashc_type *t)
{
    if (!plan->by_element || !v)
        return v;
    return si_emit(walk, "nn.reshape", &v, 1,
                   nashc_arena_printf(walk->job->arena, "shape=%s%s",
                                      nashc_build_ints(walk->build, t->dim, t->rank),
                                      t->layout == NASHC_LAYOUT_NHWC  ? " layout=NHWC"
                                      : t->layout == NASHC_LAYOUT_NWC ? " layout=NWC"
                                                                      : ""));
}

static nashc_value *
rows_const(si_walk *walk, const int64_t *v, int64_t rows, int64_t columns, bool bipolar)
{
    int64_t dim[2] = {rows, columns};
    nashc_type t = nashc_type_shaped(bipolar ? nashc_type_bip() : nashc_type_int(64), 2, dim);
    nashc_tensor *k = si_int_tensor(walk->job, &t, v);
    return k ? nashc_build_const(walk->build, NULL, nashc_tensor_ref(k)) : NULL;
}

/* --- steps up and down -------------------------------------------------------------------------
 */

/* Steps of all rows in one direction: row r has n[r] of them at v[r]. */
typedef struct step_rows {
    int64_t **v, *n, *missing; /* missing: so many are taken before the interval begins */
} step_rows;

/* The count of steps that x has taken, as thresholds: what a row lacks is never reached. */
static nashc_value *
emit_count(si_walk *walk, const si_code_plan *plan, nashc_value *x, const step_rows *rows,
           int64_t bias)
{
    const nashc_type t = *nashc_value_type(x);
    int64_t columns = 1;
    for (int64_t r = 0; r < plan->n_rows; r++)
        columns = rows->missing[r] + rows->n[r] > columns ? rows->missing[r] + rows->n[r] : columns;
    int64_t *v = plan->n_rows * columns <= MAX_CELLS
                     ? malloc((size_t)(plan->n_rows * columns) * sizeof(*v))
                     : NULL;
    if (!v) {
        si_no_memory(walk->job);
        return NULL;
    }
    for (int64_t r = 0; r < plan->n_rows; r++)
        for (int64_t k = 0; k < columns; k++) {
            int64_t at = k - rows->missing[r];
            v[r * columns + k] = at < 0 ? t.lo : at < rows->n[r] ? rows->v[r][at] : t.hi + 1;
        }
    nashc_value *in[2] = {flattened(walk, x, plan),
                          rows_const(walk, v, plan->n_rows, columns, false)};
    free(v);
    nashc_stat(walk->run, SI_STAT_THRESHOLDS, columns * plan->n_rows);
    return si_emit(walk, "q.multithreshold", in, 2,
                   nashc_arena_printf(walk->job->arena, "out_bias=%" PRId64, bias));
}

/* Steps of all rows; the least code at the low end of any into *bias. */
static bool
find_steps(si_job *job, const si_code_plan *plan, const nashc_type *t, step_rows *up,
           step_rows *down, int64_t *bias)
{
    int64_t n = plan->n_rows, *first = si_alloc(job, n, sizeof(*first));
    for (int k = 0; k < 2; k++) {
        step_rows *rows = k ? down : up;
        rows->v = si_alloc(job, n, sizeof(*rows->v));
        rows->n = si_alloc(job, n, sizeof(*rows->n));
        rows->missing = si_alloc(job, n, sizeof(*rows->missing));
    }
    if (si_failed(job))
        return false;
    for (int64_t r = 0; r < n; r++) {
        if (!si_thresholds_steps(job, si_plan_row(plan, t, r), &up->v[r], &up->n[r], &down->v[r],
                                 &down->n[r], &first[r]))
            return false;
        *bias = r == 0 || first[r] < *bias ? first[r] : *bias;
    }
    for (int64_t r = 0; r < n; r++)
        up->missing[r] = first[r] - *bias;
    return true;
}

/* A function that goes up and down is the steps up that its integer has taken, minus those down:
 * two sets of thresholds. */
static nashc_value *
emit_steps(si_walk *walk, const si_code_plan *plan, nashc_value *x)
{
    const nashc_type t = *nashc_value_type(x);
    step_rows up = {0}, down = {0};
    nashc_value *y = NULL;
    int64_t bias = 0;
    if (plan->bipolar) {
        si_no(walk->job, "it gives signs of a function that is not monotone, and its integers are "
                         "too many for a table");
        return NULL;
    }
    if (find_steps(walk->job, plan, &t, &up, &down, &bias)) {
        nashc_value *in[2] = {emit_count(walk, plan, x, &up, bias), NULL};
        in[1] = in[0] ? emit_count(walk, plan, x, &down, 0) : NULL;
        y = in[1] ? si_emit(walk, "nn.sub", in, 2, NULL) : NULL;
    }
    for (int64_t r = 0; up.v && r < plan->n_rows; r++)
        free(up.v[r]);
    return unflattened(walk, y, plan, &t);
}

/* --- tables ------------------------------------------------------------------------------------
 */

static nashc_value *
emit_table(si_walk *walk, const si_code_plan *plan, nashc_value *x)
{
    const nashc_type t = *nashc_value_type(x);
    int64_t n = t.hi - t.lo + 1;
    if (n > MAX_TABLE || n * plan->n_rows > MAX_CELLS)
        return emit_steps(walk, plan, x);
    int64_t *v = malloc((size_t)(n * plan->n_rows) * sizeof(*v));
    if (!v) {
        si_no_memory(walk->job);
        return NULL;
    }
    for (int64_t r = 0; r < plan->n_rows; r++) {
        const si_thresholds *row = si_plan_row(plan, &t, r);
        for (int64_t i = 0; i < n; i++) {
            int64_t code = si_thresholds_code(row, t.lo + i);
            v[r * n + i] = plan->bipolar ? 2 * code - 1 : code;
        }
    }
    nashc_value *in[2] = {flattened(walk, x, plan), NULL};
    in[1] = rows_const(walk, v, plan->n_rows, n, plan->bipolar);
    free(v);
    nashc_stat(walk->run, SI_STAT_TABLES, 1);
    nashc_value *y =
        si_emit(walk, "q.lut", in, 2, nashc_arena_printf(walk->job->arena, "lo=%" PRId64, t.lo));
    return unflattened(walk, y, plan, &t);
}

/* --- thresholds --------------------------------------------------------------------------------
 */

/* Rows of thresholds, each as its variant has them, and which way it counts. */
typedef struct row_set {
    int64_t n, columns;
    int64_t *v;
    si_array direction;
    bool equal; /* all rows are */
} row_set;

/* Threshold k of all codes in a row, counted in its direction. Codes that it never leaves are
 * reached at the low end, those that it never reaches behind the high one. */
static int64_t
threshold(const si_code_plan *plan, const si_thresholds *s, int64_t k)
{
    int64_t level = plan->code_min + k + 1, lo = s->direction < 0 ? -s->hi : s->lo;
    int64_t hi = s->direction < 0 ? -s->lo : s->hi;
    return level <= s->code_min  ? lo
           : level > s->code_max ? hi + 1
                                 : s->threshold[level - s->code_min - 1];
}

/* flipped: falling rows rise, as the integers have changed their sign already. */
static bool
fill_rows(si_job *job, const si_code_plan *plan, const nashc_type *t, bool flipped, row_set *out)
{
    int64_t n = plan->code_max - plan->code_min;
    out->n = plan->n_rows;
    out->columns = n;
    out->v = malloc((size_t)(n * out->n) * sizeof(*out->v) + 1);
    if (!out->v)
        return si_no_memory(job);
    if (!si_shape_array(job, &out->direction, 1, &out->n))
        return false;
    out->equal = !plan->by_element;
    for (int64_t r = 0; r < out->n; r++) {
        const si_thresholds *s = si_plan_row(plan, t, r);
        int64_t *row = out->v + r * n;
        bool down = s->direction < 0 && !flipped;
        out->direction.v[r] = down ? -1 : 1;
        for (int64_t k = 0; k < n; k++) {
            int64_t at = threshold(plan, s, k);
            row[down ? n - 1 - k : k] = down ? 1 - at : at;
        }
        out->equal = out->equal && out->direction.v[r] == out->direction.v[0] &&
                     memcmp(row, out->v, (size_t)n * sizeof(*row)) == 0;
    }
    return true;
}

/* The directions as the third operand, one a channel. */
static nashc_value *
direction_const(si_walk *walk, const si_code_plan *plan, const nashc_type *t, si_array direction)
{
    int64_t all = plan->by_element ? plan->n_rows : nashc_type_channels(t);
    nashc_type type = nashc_type_shaped(nashc_type_bip(), 1, &all);
    if (plan->n_rows == 1 && all != 1) {
        double one = direction.v[0];
        if (!si_shape_array(walk->job, &direction, 1, &all))
            return NULL;
        for (int64_t r = 0; r < all; r++)
            direction.v[r] = one;
    }
    nashc_tensor *d = si_keep(walk->job, nashc_tensor_from_f64(&type, direction.v));
    return d ? nashc_build_const(walk->build, NULL, nashc_tensor_ref(d)) : NULL;
}

/* flipped: x is the tensor with the sign of falling rows changed already. */
static nashc_value *
emit_thresholds(si_walk *walk, const si_code_plan *plan, nashc_value *x, bool flipped)
{
    const nashc_type t = *nashc_value_type(x);
    row_set rows = {0};
    nashc_value *in[3] = {0};
    int n_in = 2;
    if (!fill_rows(walk->job, plan, &t, flipped, &rows)) {
        free(rows.v);
        return NULL;
    }
    int64_t n_rows = rows.equal ? 1 : rows.n;
    in[0] = flattened(walk, x, plan);
    in[1] = rows_const(walk, rows.v, n_rows, rows.columns, false);
    free(rows.v);
    nashc_stat(walk->run, SI_STAT_THRESHOLDS, rows.columns * n_rows);
    if (plan->falls && !flipped) {
        in[2] = direction_const(walk, plan, &t, rows.direction);
        n_in = 3;
    }
    const char *attrs =
        plan->bipolar ? "out_bias=-1 out_scale=2"
                      : nashc_arena_printf(walk->job->arena, "out_bias=%" PRId64, plan->code_min);
    return unflattened(walk, si_emit(walk, "q.multithreshold", in, n_in, attrs), plan, &t);
}

nashc_value *
si_emit_rows(si_walk *walk, const si_code_plan *plan, nashc_value *x)
{
    return plan->table ? emit_table(walk, plan, x) : emit_thresholds(walk, plan, x, false);
}

/* --- nothing at all, or other weights ----------------------------------------------------------
 */

/* Do the codes of a row count as its integers do? */
static bool
is_identity_row(const si_thresholds *s)
{
    if ((s->direction != 1 && s->lo != s->hi) || s->code_min != s->lo || s->code_max != s->hi)
        return false;
    for (int64_t k = 0; k < s->code_max - s->code_min; k++)
        if (s->threshold[k] != s->lo + k + 1)
            return false;
    return true;
}

/* Do the codes equal the integers? */
static bool
is_identity(const si_code_plan *plan, const nashc_type *x)
{
    bool signs = x->kind == NASHC_K_BIP;
    if (plan->bipolar && !signs)
        return false;
    for (int64_t i = 0; i < plan->n_variants; i++) {
        const si_thresholds *s = &plan->found[i];
        if (signs ? !plan->bipolar || s->direction != 1 || s->threshold[0] < 0
                  : !is_identity_row(s))
            return false;
    }
    return true;
}

/* Falling rows as a sign array in the shape of tensor; false: rows are elements. */
static bool
falling(si_job *job, const si_code_plan *plan, const si_tensor *tensor, si_array *out)
{
    const nashc_type *t = nashc_value_type(tensor->integer);
    if (plan->by_element)
        return false;
    if (plan->n_rows == 1) {
        *out = si_scalar(job, -1.0);
        return true;
    }
    double *v = si_alloc(job, plan->n_rows, sizeof(*v));
    for (int64_t r = 0; v && r < plan->n_rows; r++)
        v[r] = si_plan_row(plan, t, r)->direction < 0 ? -1 : 1;
    return v && si_per_channel(job, t, v, out);
}

nashc_value *
si_emit_codes(si_walk *walk, const si_code_plan *plan, si_tensor *tensor)
{
    const nashc_type *t = nashc_value_type(tensor->integer);
    si_array sign;
    if (plan->table)
        return emit_table(walk, plan, tensor->integer);
    if (is_identity(plan, t))
        return tensor->integer;
    if (plan->falls && si_leads_only_to(tensor->origin, plan->quantiser) &&
        falling(walk->job, plan, tensor, &sign)) {
        si_tensor *turned = si_flip_weights(walk, tensor, &sign);
        if (turned)
            return emit_thresholds(walk, plan, turned->integer, true);
        if (si_failed(walk->job))
            return NULL;
    }
    return emit_thresholds(walk, plan, tensor->integer, false);
}
