/* quantiser.c: quantisers of the model become thresholds, tables or nothing on integers.
 *
 *     tensor -- chain of the model -- quantiser     ==>     tensor -- q.multithreshold | q.lut
 *
 * One whose result is read by another quantiser only is part of that one's chain.
 */
#include "quantiser.h"
#include <math.h>

static double
minus_product(double x, double y)
{
    return x == 0 || y == 0 ? 0.0 : -x * y;
}

/* Scale and zero point of the codes of quantiser n. */
static bool
grid_of(si_walk *walk, nashc_node *n, si_grid *grid)
{
    bool trunc = nashc_node_is(n, "q.trunc"), ints = false;
    grid->scale = si_scalar(walk->job, 1.0);
    grid->zero = si_scalar(walk->job, 0.0);
    for (int i = 1; i < nashc_node_n_in(n); i++)
        if (nashc_node_in(n, i) && !si_is_const(walk, nashc_node_in(n, i)))
            return si_no(walk->job, "its parameters are not constant");
    ints = nashc_type_is_int(nashc_value_type(nashc_node_out(n, 0)));
    if (ints)
        return true;
    if (nashc_node_is(n, "q.multithreshold"))
        return si_no(walk->job, "its result is not an integer");
    int at_scale = trunc && nashc_node_in(n, 3) ? 3 : 1;
    if (!si_known_array(walk, nashc_node_in(n, at_scale), 1.0, &grid->scale))
        return false;
    if (nashc_node_is(n, "q.bipolar_quant"))
        return true;
    if (!si_known_array(walk, nashc_node_in(n, 2), 0.0, &grid->zero))
        return false;
    return !trunc || si_zero(&grid->zero) || si_no(walk->job, "it has a zero point");
}

bool
si_anchor_codes(si_walk *walk, nashc_node *quantiser, nashc_value *codes, const si_grid *grid)
{
    nashc_value *real = NULL;
    si_array bias;
    if (!codes || !si_zip(walk->job, &grid->scale, &grid->zero, minus_product, &bias))
        return false;
    if (!si_zero(&grid->zero)) {
        nashc_value *scale = si_const_real(walk, &grid->scale);
        nashc_value *zero = si_const_real(walk, &grid->zero);
        real = si_emit(walk, "q.dequant", (nashc_value *[]){codes, scale, zero}, 3, NULL);
        if (!real)
            return false;
    }
    return si_anchor(walk, nashc_node_out(quantiser, 0), codes, &grid->scale, &bias, NULL, NULL,
                     NULL, real);
}

/* The first quantiser behind a float input: the model's own op, giving codes. */
static bool
host_quantiser(si_walk *walk, nashc_node *n)
{
    nashc_value *y = nashc_node_out(n, 0), *codes = y, *in[3] = {0};
    int n_in = nashc_node_n_in(n);
    si_grid grid;
    if (nashc_node_is(n, "q.trunc") || !grid_of(walk, n, &grid))
        return false;
    if (!nashc_type_is_int(nashc_value_type(y))) {
        for (int i = 0; i < n_in && i < 3; i++)
            in[i] = nashc_node_in(n, i);
        codes = si_emit(walk, nashc_node_opname(n), in, n_in,
                        nashc_arena_printf(walk->job->arena, "%s codes=true",
                                           nashc_node_attr_text(n, walk->job->arena)));
    }
    return si_anchor_codes(walk, n, codes, &grid);
}

/* The values of constant codes, as doubles. */
static nashc_tensor *
constant_values(si_job *job, const si_code_plan *plan, const si_grid *grid)
{
    const nashc_type *y = nashc_value_type(nashc_node_out(plan->quantiser, 0));
    nashc_type f64 = nashc_type_f64(), wide = nashc_type_with_elem(y, &f64);
    const nashc_type *t = nashc_type_is_float(y) ? &wide : y;
    int64_t n_rows = plan->chain->n_rows;
    nashc_buf buf;
    if (!nashc_buf_alloc(&buf, t)) {
        si_no_memory(job);
        return NULL;
    }
    for (int64_t i = 0; i < buf.n; i++) {
        int64_t row = n_rows == 1 ? 0 : n_rows == buf.n ? i : nashc_buf_channel(&buf, i);
        double code = (double)plan->found[plan->chain->variant_of[row]].code_min;
        code = plan->bipolar ? 2 * code - 1 : code;
        nashc_buf_set(&buf, i, (code - si_at(&grid->zero, t, i)) * si_at(&grid->scale, t, i));
    }
    return si_keep(job, nashc_tensor_take(&buf));
}

/* Does t hold as finite what is finite in v? */
static bool
same_infinities(const nashc_tensor *t, const double *v)
{
    for (int64_t i = 0; i < nashc_tensor_count(t); i++)
        if (isfinite(v[i]) && !isfinite(nashc_tensor_get(t, i)))
            return false;
    return true;
}

bool
si_constant_codes(si_walk *walk, const si_code_plan *plan, const si_grid *grid)
{
    nashc_value *y = nashc_node_out(plan->quantiser, 0);
    nashc_tensor *values = constant_values(walk->job, plan, grid), *narrow;
    double *v = values ? nashc_buf_to_f64(nashc_tensor_buf(values)) : NULL;
    if (!v)
        return si_no_memory(walk->job);
    narrow = si_keep(walk->job, nashc_tensor_from_f64(nashc_value_type(y), v));
    bool fits = narrow && same_infinities(narrow, v);
    nashc_mem_free(v);
    if (!narrow)
        return false;
    if (!fits)
        return si_no(walk->job, "its constant value is beyond what a 32-bit float holds");
    si_value *r = si_of(walk, y);
    r->kind = SI_CONST;
    r->known = values;
    return si_replace_float(walk, y, nashc_build_const(walk->build, NULL, nashc_tensor_ref(narrow)),
                            NULL);
}

/* --- quantisers in front of quantisers ---------------------------------------------------------
 */

/* Are all operands of n but v constant? */
static bool
rest_is_constant(si_walk *walk, const nashc_node *n, const nashc_value *v)
{
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *c = nashc_node_in(n, i);
        if (c && c != v && !si_is_const(walk, c))
            return false;
    }
    return true;
}

#define MANY_CODES 4096

static bool
has_many_codes(const nashc_node *n)
{
    return nashc_node_is(n, "q.quant") &&
           nashc_node_int(n, "qmax") - nashc_node_int(n, "qmin") >= MANY_CODES;
}

/* Is the result of n read by nothing but another quantiser, through element-wise ops? Then that one
 * has thresholds for both. Not so if both have many codes and a curve lies between them: by itself
 * the first is a requantiser and the curve one row of thresholds in its codes, where together they
 * are a row of as many wide thresholds for every channel. */
static bool
feeds_quantiser_only(si_walk *walk, const nashc_node *n)
{
    const nashc_value *v = nashc_node_out(n, 0);
    bool curved = false;
    for (;;) {
        const nashc_node *user = nashc_value_one_user(v);
        if (!user || nashc_node_n_out(user) != 1 || !rest_is_constant(walk, user, v))
            return false;
        if (si_is_quantiser(user))
            return nashc_node_in(user, 0) == v &&
                   !(curved && has_many_codes(n) && has_many_codes(user));
        curved = curved || si_is_curve(user);
        const nashc_value *next = nashc_node_out(user, 0);
        if (!si_is_eltwise(user) || !si_monotone(walk, user, v) ||
            !nashc_type_same_shape(nashc_value_type(v), nashc_value_type(next)))
            return false;
        v = next;
    }
}

/* The result of n as one more function of the tensor of x. */
static bool
pass_on(si_walk *walk, nashc_node *n, const si_value *x)
{
    const nashc_type *t = nashc_value_type(nashc_node_out(n, 0));
    si_value *y = si_of(walk, nashc_node_out(n, 0));
    bool table = si_has_table(n), by_channel = x->by_channel;
    for (int i = 1; i < nashc_node_n_in(n); i++) {
        si_array a;
        if (!si_known_array(walk, nashc_node_in(n, i), 0.0, &a))
            return false;
        by_channel = by_channel && (table || si_channel_only(&a, t));
    }
    *y = *x;
    y->form = NULL;
    y->affine = false;
    y->by_channel = by_channel;
    return true;
}

/* Does the result of n rise with its operand, for certain? */
static bool
quantiser_rises(const nashc_node *n, const si_grid *grid)
{
    if (nashc_node_is(n, "q.multithreshold") && nashc_node_in(n, 2)) /* counts down in places */
        return false;
    for (int64_t i = 0; i < grid->scale.n; i++)
        if (!(grid->scale.v[i] > 0))
            return false;
    return true;
}

/* Thresholds right behind the tensor of x. */
static bool
quantise(si_walk *walk, nashc_node *n, const si_value *x, const si_grid *grid)
{
    si_code_plan plan;
    si_chain *chain = si_chain_create(walk, x->tensor, n, false);
    if (!chain || !si_plan_search(walk->job, &plan, n, chain, x->monotone))
        return false;
    bool is_constant = plan.code_min == plan.code_max || !plan.moves;
    bool ok = is_constant ? si_constant_codes(walk, &plan, grid)
                          : si_anchor_codes(walk, n, si_emit_codes(walk, &plan, x->tensor), grid);
    si_plan_drop(&plan);
    return ok;
}

bool
si_quantise(si_walk *walk, nashc_node *n, const si_value *x, const si_grid *grid)
{
    if (!x->tensor->integer) {
        si_outcome sum = si_quantised_sum(walk, n, x, grid);
        if (sum != SI_NOT_THIS_WAY)
            return sum == SI_DONE;
        if (!(x = si_resolved(walk, (si_value *)(uintptr_t)x)))
            return false;
    }
    si_outcome early = si_pools_last(walk, n, x, grid);
    if (early != SI_NOT_THIS_WAY)
        return early == SI_DONE;
    return quantise(walk, n, x, grid);
}

bool
si_quantiser(si_walk *walk, nashc_node *n)
{
    si_value *x = si_of(walk, nashc_node_in(n, 0));
    si_grid grid;
    if (x->kind != SI_FUN)
        return !x->behind && host_quantiser(walk, n);
    if (!grid_of(walk, n, &grid))
        return false;
    if (x->monotone && quantiser_rises(n, &grid) && feeds_quantiser_only(walk, n))
        return pass_on(walk, n, x);
    return si_quantise(walk, n, x, &grid);
}
