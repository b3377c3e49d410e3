/* chain_eval.c: a chain run as the model runs it, many points of many variants at a time.
 *
 * The variants make the columns of a small graph [points, variants] of the model's own ops, in the
 * model's order, with the constants that each variant meets; the reference executor evaluates it.
 * Pools and moving ops disappear in it, since all columns stand for themselves.
 */
#include "chain.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define CHUNK      ((int64_t)1 << 18) /* cells of one run */
#define GRID_ERROR 1e-7 /* of a value on the grid of an implied quantiser, in its units */
#define MAX_CODE   0x1p31
#define SHORT_BITS 44 /* of a number that stands for what the model computes */

/* Columns of a graph. */
typedef struct columns {
    const int64_t *variant; /* NULL: column i is variant i */
    int64_t n;
} columns;

static int64_t
variant_at(const columns *c, int64_t i)
{
    return c->variant ? c->variant[i] : i;
}

/* Element of the segment's tensors that variant stands for. */
static int64_t
element_of(const si_chain *chain, const si_segment *segment, int64_t variant)
{
    return segment->element[chain->row_of[variant]];
}

/* --- the small graph ---------------------------------------------------------------------------
 */

/* Rows of constant k, operand i of n, for all columns: cells elements each; one row if shared. */
static nashc_tensor *
gather_rows(si_job *job, const si_chain *chain, const nashc_node *n, const nashc_tensor *k,
            const columns *c, const nashc_type *t)
{
    const si_segment *segment = si_chain_segment(chain, n);
    int64_t rows = t->dim[0], cells = t->rank == 2 ? t->dim[1] : 1;
    bool ints = nashc_type_is_int(nashc_tensor_type(k));
    nashc_buf buf;
    if (!nashc_buf_alloc(&buf, t)) {
        si_no_memory(job);
        return NULL;
    }
    for (int64_t r = 0; r < rows; r++) {
        int64_t e = element_of(chain, segment, variant_at(c, r));
        int64_t at = si_constant_index(n, nashc_tensor_type(k), e) * cells;
        for (int64_t i = 0; i < cells; i++)
            if (ints)
                nashc_buf_set_int(&buf, r * cells + i, nashc_tensor_get_int(k, at + i));
            else
                nashc_buf_set(&buf, r * cells + i, nashc_tensor_get(k, at + i));
    }
    nashc_tensor *r = nashc_tensor_take(&buf);
    if (!r)
        si_no_memory(job);
    return r;
}

/* Constant operand i of n for the columns: a vector, or rows of a table. */
static nashc_value *
column_const(const si_chain *chain, nashc_build *b, const nashc_node *n, int i, const columns *c)
{
    const nashc_tensor *k = si_known(chain->walk, nashc_node_in(n, i));
    const nashc_type *kt = k ? nashc_tensor_type(k) : NULL;
    if (!k)
        return NULL;
    bool table = si_has_table(n) && i == 1, shared = table && kt->dim[0] == 1;
    int64_t dim[2] = {shared ? 1 : c->n, table ? kt->dim[1] : 1};
    nashc_type t = nashc_type_shaped(*kt, table ? 2 : 1, dim);
    if (!table && nashc_type_count(kt) == 1 && !nashc_node_is(n, "nn.batchnorm"))
        return nashc_build_const(b, NULL,
                                 nashc_tensor_reshaped((nashc_tensor *)(uintptr_t)k, 0, dim));
    nashc_tensor *rows = gather_rows(chain->walk->job, chain, n, k, c, &t);
    return rows ? nashc_build_const(b, NULL, rows) : NULL;
}

/* What computed operand v is in the small graph: made[k] is the result of node k. */
static nashc_value *
made_value(const si_chain *chain, const nashc_value *v, nashc_value *const *made)
{
    const nashc_node *def = nashc_value_def(v);
    int lo = 0, hi = def ? chain->n_node : 0;
    while (lo < hi) {
        int k = lo + (hi - lo) / 2;
        if (chain->node[k] == def)
            return made[k];
        if (nashc_node_before(chain->node[k], def))
            lo = k + 1;
        else
            hi = k;
    }
    return NULL;
}

/* Attributes of n; a quantiser of floats gives codes here. */
static const char *
attrs_of(si_job *job, const si_chain *chain, const nashc_node *n)
{
    const char *attrs = nashc_node_attr_text(n, job->arena);
    int codes = nashc_attr_index(n, "codes");
    if (n == chain->quantiser && codes >= 0 && !nashc_attr_bool(n, codes))
        return nashc_arena_printf(job->arena, "%s codes=true", attrs);
    return attrs;
}

static nashc_value *
copy_node(const si_chain *chain, nashc_build *b, nashc_node *n, nashc_value *const *made,
          nashc_value *x, const columns *c)
{
    si_job *job = chain->walk->job;
    int n_in = nashc_node_n_in(n);
    nashc_value **in = si_alloc(job, n_in, sizeof(*in));
    if (!in)
        return NULL;
    for (int i = 0; i < n_in; i++) {
        nashc_value *v = nashc_node_in(n, i);
        if (v && v == chain->tensor->origin)
            in[i] = x;
        else if (v && si_is_const(chain->walk, v))
            in[i] = column_const(chain, b, n, i, c);
        else if (v)
            in[i] = made_value(chain, v, made);
        if (v && i == 0 && si_chain_is_via(chain, n))
            return in[0];
    }
    nashc_build_loc(b, nashc_node_loc(n));
    return nashc_build_op(b, nashc_node_opname(n), in, n_in, "%s", attrs_of(job, chain, n));
}

/* Type of points of the origin; floats are evaluated without rounding. */
static nashc_type
points_type(const si_chain *chain, int64_t points, int64_t n_columns)
{
    nashc_type origin = *nashc_value_type(chain->tensor->origin), f64 = nashc_type_f64();
    if (nashc_type_is_float(&origin))
        origin = nashc_type_with_elem(&origin, &f64);
    nashc_type t = nashc_type_shaped(origin, 2, (const int64_t[]){points, n_columns});
    t.layout = NASHC_LAYOUT_DEFAULT;
    return t;
}

static nashc_module *
small_graph(const si_chain *chain, const columns *c, int64_t points)
{
    si_job *job = chain->walk->job;
    nashc_module *m = nashc_module_create(chain->walk->ctx);
    nashc_graph *g = m ? nashc_module_add_graph(m, "main") : NULL;
    nashc_build *b = g ? nashc_build_create(g, job->diag) : NULL;
    nashc_value **made = si_alloc(job, chain->n_node, sizeof(*made)), *y = NULL;
    if (b && made) {
        nashc_type t = points_type(chain, points, c->n);
        nashc_value *x = nashc_graph_add_input(g, "x", &t);
        for (int k = 0; x && k < chain->n_node; k++)
            y = made[k] = copy_node(chain, b, chain->node[k], made, x, c);
        if (y)
            nashc_graph_add_output(g, "y", y);
    }
    if (y && !si_failed(job))
        return m;
    si_fail(job, b && nashc_build_status(b) ? nashc_build_status(b) : NASHC_ENOMEM);
    nashc_module_free(m);
    return NULL;
}

/* --- evaluation --------------------------------------------------------------------------------
 */

/* What a code of q.trunc is worth: its codes come out as reals. */
static double
trunc_scale(const si_chain *chain, int64_t variant)
{
    const nashc_node *q = chain->quantiser;
    const nashc_tensor *k = si_known(chain->walk, nashc_node_in(q, nashc_node_in(q, 3) ? 3 : 1));
    if (!k)
        return 1.0;
    int64_t e = element_of(chain, &chain->segment[0], variant);
    return nashc_tensor_get(k, si_constant_index(q, nashc_tensor_type(k), e));
}

/* scale * n + bias. The model may have computed it otherwise and exactly (a mean of n over 15
 * elements, in place of n * 0.1), and then decides its ties: where a short number lies within the
 * rounding of scale and bias, it is the value. */
static double
real_of(double scale, double n, double bias)
{
    double v = scale * n + bias, largest = fmax(fabs(scale * n), fabs(bias));
    if (largest == 0 || !isfinite(v))
        return v;
    double unit = ldexp(1, ilogb(largest) - SHORT_BITS + 1), r = nearbyint(v / unit) * unit;
    return fabs(v - r) <= 3 * DBL_EPSILON * largest ? r : v;
}

/* Points x, in rows of the columns, as values of the origin. */
static void
set_points(const si_chain *chain, const columns *c, const double *x, bool real, int64_t from,
           int64_t points, nashc_buf *buf)
{
    bool signs = nashc_value_type(chain->tensor->origin)->kind == NASHC_K_BIP; /* never 0 */
    int64_t rows = buf->n / c->n;
    for (int64_t p = 0; p < rows; p++)
        for (int64_t i = 0; i < c->n; i++) {
            int64_t variant = variant_at(c, i);
            double v = x[(from + p < points ? from + p : points - 1) * c->n + i];
            v = real ? v : real_of(chain->scale[variant], v, chain->bias[variant]);
            nashc_buf_set(buf, p * c->n + i, signs && v == 0 ? 1 : v);
        }
}

/* Codes of an implied quantiser: all its values must lie on the grid. */
static bool
get_implied(const si_chain *chain, const columns *c, const nashc_buf *buf, int64_t n, int64_t *code)
{
    for (int64_t k = 0; k < n; k++) {
        int64_t variant = variant_at(c, k % c->n);
        double u = nashc_buf_get(buf, k) / chain->unit[variant] + chain->zero[variant];
        double r = nearbyint(u);
        if (!(fabs(u - r) <= GRID_ERROR * fmax(1, fabs(r))) || fabs(r) > MAX_CODE) {
            chain->walk->implied->off_grid = nashc_buf_get(buf, k);
            return si_no(chain->walk->job, "its values lie on no grid");
        }
        code[k] = (int64_t)r;
    }
    return true;
}

/* False: refused. */
static bool
get_codes(const si_chain *chain, const columns *c, const nashc_buf *buf, int64_t n, int64_t *code)
{
    bool trunc = nashc_node_is(chain->quantiser, "q.trunc");
    if (chain->unit)
        return get_implied(chain, c, buf, n, code);
    for (int64_t k = 0; k < n; k++)
        code[k] = trunc ? (int64_t)nearbyint(nashc_buf_get(buf, k) /
                                             trunc_scale(chain, variant_at(c, k % c->n)))
                        : nashc_buf_get_int(buf, k);
    return true;
}

/* One run of the graph of m: points from on, as many as it takes. Codes, or values where code is
 * NULL. */
static bool
run_chunk(const si_chain *chain, const nashc_module *m, const columns *c, const double *x,
          bool real, int64_t from, int64_t points, int64_t *code, double *value)
{
    si_job *job = chain->walk->job;
    nashc_graph *g = nashc_module_main(m);
    nashc_buf in, out;
    const nashc_buf *input = &in;
    if (!nashc_buf_alloc(&in, nashc_value_type(nashc_graph_input(g, 0))))
        return si_no_memory(job);
    set_points(chain, c, x, real, from, points, &in);
    nashc_status st = nashc_run_graph(g, &input, &out, NASHC_EVAL_WIDE, NULL, NULL, job->diag);
    int64_t left = (points - from) * c->n, n = left < in.n ? left : in.n;
    nashc_buf_free(&in);
    if (st != NASHC_OK)
        return si_fail(job, st);
    bool ok = !code || get_codes(chain, c, &out, n, code + from * c->n);
    for (int64_t k = 0; !code && k < n; k++)
        value[from * c->n + k] = nashc_buf_get(&out, k);
    nashc_buf_free(&out);
    return ok;
}

/* The graph of all variants is kept, as it is asked for again. */
static bool
eval_points(si_chain *chain, const int64_t *variant, int64_t n_variants, int64_t points,
            const double *x, bool real, int64_t *code, double *value)
{
    columns c = {.variant = variant, .n = n_variants};
    int64_t step = CHUNK / n_variants < 1 ? 1 : CHUNK / n_variants;
    step = points < step ? points : step;
    bool kept = !variant && chain->module && chain->module_points == step;
    nashc_module *m = kept ? chain->module : small_graph(chain, &c, step);
    bool ok = m != NULL;
    for (int64_t from = 0; ok && from < points; from += step)
        ok = run_chunk(chain, m, &c, x, real, from, points, code, value);
    if (variant) {
        nashc_module_free(m);
    } else if (!kept && m) {
        nashc_module_free(chain->module);
        chain->module = m;
        chain->module_points = step;
    }
    return ok;
}

static bool
eval(void *self, const int64_t *variant, int64_t n_variants, int64_t points, const double *x,
     bool real, int64_t *code)
{
    return eval_points(self, variant, n_variants, points, x, real, code, NULL);
}

bool
si_chain_values(si_chain *chain, int64_t points, const double *x, bool real, double *out)
{
    return eval_points(chain, NULL, chain->n_variants, points, x, real, NULL, out);
}

/* --- guesses -----------------------------------------------------------------------------------
 */

/* The constant that variant meets in operand i of the quantiser; false: it is no constant of the
 * imported graph. */
static bool
quantiser_constant(const si_chain *chain, int i, int64_t variant, double *out)
{
    const nashc_node *q = chain->quantiser;
    const nashc_tensor *k = nashc_value_const(nashc_node_in(q, i));
    int64_t e = element_of(chain, &chain->segment[0], variant);
    if (k)
        *out = nashc_tensor_get(k, si_constant_index(q, nashc_tensor_type(k), e));
    return k != NULL;
}

/* The operand from which on q.quant gives a code. */
static bool
guess_quant(const si_chain *chain, int64_t variant, double code, double *x)
{
    const nashc_node *q = chain->quantiser;
    const char *mode = nashc_node_str(q, "rounding");
    double scale, zero;
    if (!quantiser_constant(chain, 1, variant, &scale) ||
        !quantiser_constant(chain, 2, variant, &zero))
        return false;
    double half = strcmp(mode, "floor") == 0  ? 0
                  : strcmp(mode, "ceil") == 0 ? 1
                  : strcmp(mode, "sign") == 0 ? code
                                              : 0.5;
    *x = scale * (code - half - zero);
    return true;
}

/* The same for q.multithreshold: the threshold. */
static bool
guess_multithreshold(const si_chain *chain, int64_t variant, double code, double *x)
{
    const nashc_node *q = chain->quantiser;
    const nashc_tensor *t = nashc_value_const(nashc_node_in(q, 1));
    if (!t || nashc_node_in(q, 2))
        return false;
    const nashc_type *kt = nashc_tensor_type(t);
    int64_t e = element_of(chain, &chain->segment[0], variant);
    int64_t row = si_constant_index(q, kt, e);
    int64_t steps =
        ((int64_t)code - nashc_node_int(q, "out_bias")) / nashc_node_int(q, "out_scale");
    if (steps < 1 || steps > kt->dim[1])
        return false;
    *x = nashc_tensor_get(t, row * kt->dim[1] + steps - 1);
    return true;
}

/* Of an implied quantiser, if it is a step within what is in front of it. */
static bool
guess_implied(const si_chain *chain, int64_t variant, double code, double *x)
{
    *x = chain->unit[variant] * (code - 0.5 - chain->zero[variant]);
    return true;
}

static bool
no_guess(const si_chain *chain, int64_t variant, double code, double *x)
{
    (void)chain;
    (void)variant;
    (void)code;
    (void)x;
    return false;
}

static bool
guess(const void *self, int64_t variant, double code, double *n)
{
    const si_chain *chain = self;
    double x = 0; /* where the sign changes */
    if (chain->guess_scale[variant] == 0)
        return false;
    bool known = !chain->guess || chain->guess(chain, variant, code, &x);
    *n = (x - chain->guess_bias[variant]) / chain->guess_scale[variant];
    return known;
}

static void
interval(const void *self, int64_t variant, double *lo, double *hi)
{
    const si_chain *chain = self;
    *lo = chain->lo[variant];
    *hi = chain->hi[variant];
}

/* The offset is one double, for zero points and what was added behind them. Where the zero points,
 * times a factor beyond some 2^50, outweigh a step of the quantiser so far that its last place is
 * worth more than a part of one, what was added is lost, and the value at the zero point is wrong.
 */
bool
si_chain_keeps_offset(const si_chain *chain)
{
    double at[2];
    if (chain->guess != guess_quant && chain->guess != guess_implied)
        return true; /* a sign, or thresholds: no step to compare with */
    for (int64_t i = 0; i < chain->n_variants; i++) {
        if (chain->guess_scale[i] == 0 || !chain->guess(chain, i, 0, &at[0]) ||
            !chain->guess(chain, i, 1, &at[1]))
            continue;
        double step = fabs((at[1] - at[0]) / chain->guess_scale[i] * chain->scale[i]);
        if (step > 0 && DBL_EPSILON * fabs(chain->bias[i]) > step / 8) /* 0: of signs */
            return false;
    }
    return true;
}

void
si_chain_set_function(si_chain *chain)
{
    const nashc_node *q = chain->quantiser;
    chain->guess = chain->unit                            ? guess_implied
                   : nashc_node_is(q, "q.bipolar_quant")  ? NULL
                   : nashc_node_is(q, "q.quant")          ? guess_quant
                   : nashc_node_is(q, "q.multithreshold") ? guess_multithreshold
                                                          : no_guess;
    chain->function =
        (si_function){.n = chain->n_variants,
                      .self = chain,
                      .interval = interval,
                      .eval = eval,
                      .guess = guess,
                      .line_error = si_chain_is_line(chain) ? si_chain_line_error : NULL};
}
