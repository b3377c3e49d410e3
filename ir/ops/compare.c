/* compare.c: comparisons, and the choice between two tensors by one of them; numpy broadcasting.
 *
 *     nn.greater(a, b)  nn.greater_equal(a, b)  nn.equal(a, b)     1 where it holds, else 0
 *     nn.where(c, a, b)                                            a where c is not 0, else b
 *
 * A comparison with NaN holds nowhere. Integers are compared as they are, others as doubles.
 */
#include "ops.h"

typedef enum relation { GREATER, GREATER_EQUAL, EQUAL } relation;

static nashc_status
compare_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    nashc_type bit = nashc_type_uint(1);
    nashc_status s = ops_broadcast(n, out, d);

    *out = nashc_type_with_elem(out, &bit);
    return s;
}

#define HOLDS(relation, a, b)                                                                      \
    ((relation) == GREATER ? (a) > (b) : (relation) == EQUAL ? (a) == (b) : (a) >= (b))

static nashc_status
compare(nashc_eval *e, const nashc_node *n, relation how)
{
    nashc_buf *y = nashc_eval_out(e, 0);
    bool ints = ops_all_int(n);
    const int64_t *ia = ints ? nashc_eval_i64(e, 0) : NULL,
                  *ib = ints ? nashc_eval_i64(e, 1) : NULL;
    const double *a = ints ? NULL : nashc_eval_f64(e, 0), *b = ints ? NULL : nashc_eval_f64(e, 1);
    ops_walk wa, wb;

    if (ints ? !ia || !ib : !a || !b)
        return NASHC_ENOMEM;
    ops_walk_init(&wa, &nashc_eval_in(e, 0)->type, &y->type);
    ops_walk_init(&wb, &nashc_eval_in(e, 1)->type, &y->type);
    for (int64_t i = 0; i < y->n; i++) {
        int64_t p = ops_walk_next(&wa), q = ops_walk_next(&wb);
        bool holds = ints ? HOLDS(how, ia[p], ib[q]) : HOLDS(how, a[p], b[q]);
        nashc_buf_set_int(y, i, holds);
    }
    return NASHC_OK;
}

#define COMPARE(ID, RELATION, HELP, FLAGS)                                                         \
    static nashc_status ID##_eval(nashc_eval *e, const nashc_node *n)                              \
    {                                                                                              \
        return compare(e, n, RELATION);                                                            \
    }                                                                                              \
                                                                                                   \
    const nashc_op nashc_op_nn_##ID = {                                                            \
        NASHC_DESC(nashc_op),                                                                      \
        .flags = NASHC_OP_ELTWISE | (FLAGS),                                                       \
        .name = "nn." #ID,                                                                         \
        .help = HELP,                                                                              \
        .min_in = 2,                                                                               \
        .max_in = 2,                                                                               \
        .min_out = 1,                                                                              \
        .max_out = 1,                                                                              \
        .infer = compare_infer,                                                                    \
        .eval = ID##_eval,                                                                         \
    }

COMPARE(greater, GREATER, "1 where a > b, else 0", NASHC_OP_MONOTONE);
COMPARE(greater_equal, GREATER_EQUAL, "1 where a >= b, else 0", NASHC_OP_MONOTONE);
COMPARE(equal, EQUAL, "1 where a = b, else 0", NASHC_OP_COMMUTES);

/* --- nn.where ----------------------------------------------------------------------------------
 */

/* Element of the two that are chosen from: the hull of integers, else a float. */
static nashc_status
where_infer(const nashc_node *n, nashc_type *out, nashc_diag *d)
{
    const nashc_type *a = ops_type(n, 1), *b = ops_type(n, 2);
    nashc_status s = ops_broadcast(n, out, d);

    if (s != NASHC_OK)
        return s;
    if (!nashc_type_is_int(ops_type(n, 0)))
        return nashc_node_error(d, n, "its condition is %s, expected integers",
                                nashc_type_str(d, ops_type(n, 0)));
    nashc_type elem =
        a->kind == NASHC_K_F64 || b->kind == NASHC_K_F64
            ? (ops_const(n, a->kind == NASHC_K_F64 ? 1 : 2) ? nashc_type_f32() : nashc_type_f64())
            : nashc_type_f32();
    if (nashc_type_is_int(a) && nashc_type_is_int(b)) {
        ops_interval r = ops_interval_hull(ops_interval_of(nashc_node_in(n, 1)),
                                           ops_interval_of(nashc_node_in(n, 2)));
        elem = nashc_type_for_range(r.lo, r.hi);
        if (a->kind == NASHC_K_BIP && b->kind == NASHC_K_BIP)
            elem = nashc_type_bip();
    }
    *out = nashc_type_with_elem(out, &elem);
    return NASHC_OK;
}

static nashc_status
where_eval(nashc_eval *e, const nashc_node *n)
{
    nashc_buf *y = nashc_eval_out(e, 0);
    const nashc_buf *from[2] = {nashc_eval_in(e, 2), nashc_eval_in(e, 1)};
    const int64_t *c = nashc_eval_i64(e, 0);
    ops_walk wc, w[2];

    (void)n;
    if (!c)
        return NASHC_ENOMEM;
    ops_walk_init(&wc, &nashc_eval_in(e, 0)->type, &y->type);
    for (int k = 0; k < 2; k++)
        ops_walk_init(&w[k], &from[k]->type, &y->type);
    for (int64_t i = 0; i < y->n; i++) {
        bool holds = c[ops_walk_next(&wc)] != 0;
        int64_t at[2] = {ops_walk_next(&w[0]), ops_walk_next(&w[1])};
        ops_copy(y, i, from[holds], at[holds]);
    }
    return NASHC_OK;
}

const nashc_op nashc_op_nn_where = {
    NASHC_DESC(nashc_op), .flags = NASHC_OP_ELTWISE,
    .name = "nn.where",   .help = "a where the condition is not 0, else b",
    .min_in = 3,          .max_in = 3,
    .min_out = 1,         .max_out = 1,
    .infer = where_infer, .eval = where_eval,
};
