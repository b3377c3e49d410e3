/* match.c: recognising op(data, constant) and the questions that many rewrites ask. */
#include "match.h"
#include <nashc/op.h>
#include <string.h>

bool
affine_of(nashc_node *n, const char *op, affine *out)
{
    if (!nashc_node_is(n, op) || nashc_node_n_in(n) != 2)
        return false;

    nashc_value *a = nashc_node_in(n, 0), *b = nashc_node_in(n, 1);
    bool commutes = nashc_node_op(n)->flags & NASHC_OP_COMMUTES;

    if (commutes && nashc_value_const(a) && !nashc_value_const(b)) {
        nashc_value *swap = a;
        a = b;
        b = swap;
    }
    if (nashc_value_const(a) || !nashc_value_const(b) ||
        !nashc_type_same_shape(nashc_value_type(a), nashc_value_type(nashc_node_out(n, 0))))
        return false;
    *out = (affine){.node = n, .x = a, .c = b, .t = nashc_value_const(b)};
    return true;
}

bool
match_sole(nashc_rw *rw, const nashc_node *n)
{
    const nashc_value *v = nashc_node_out(n, 0);

    if (nashc_value_one_use(v))
        return true;
    return nashc_rw_miss(rw, n, "its result has %d readers", nashc_value_n_uses(v));
}

bool
affine_before(nashc_rw *rw, const nashc_value *v, const char *op, affine *out)
{
    nashc_node *n = v ? nashc_value_def_by(v, op) : NULL;

    if (!n)
        return false;
    if (!affine_of(n, op, out))
        return nashc_rw_miss(rw, n, "no operand is a constant that keeps the shape");
    return match_sole(rw, n);
}

uint32_t
match_axes(const nashc_tensor *c, const nashc_type *x)
{
    const nashc_type *t = nashc_tensor_type(c);
    uint32_t mask = 0;

    for (int i = 0; i < t->rank; i++)
        if (t->dim[i] != 1) {
            int axis = x->rank - t->rank + i;
            mask |= axis < 0 ? 1u << 31 : 1u << axis;
        }
    return mask;
}

bool
match_channelwise(const nashc_tensor *c, const nashc_type *x)
{
    uint32_t mask = match_axes(c, x);
    int axis = nashc_type_channel_axis(x);

    return mask == 0 || (axis >= 0 && mask == 1u << axis);
}

nashc_type
match_vector(const nashc_type *x, int axis, int64_t n)
{
    nashc_type f64 = nashc_type_f64(), t;

    t = nashc_type_with_elem(x, &f64);
    for (int i = 0; i < t.rank; i++)
        t.dim[i] = i == axis ? n : 1;
    return t;
}

bool
match_retypable(nashc_rw *rw, const nashc_value *v)
{
    int n = 0;
    nashc_node **users = nashc_value_users(v, nashc_rw_arena(rw), &n);

    if (nashc_value_is_output(v))
        return false;
    for (int i = 0; i < n; i++) {
        const char *op = nashc_node_opname(users[i]);
        if (nashc_node_op(users[i])->flags & NASHC_OP_OPAQUE || !strcmp(op, "call") ||
            !strcmp(op, "nn.cast") || (strncmp(op, "nn.", 3) && strncmp(op, "q.", 2)))
            return false;
    }
    return true;
}

bool
match_all(const nashc_node *n, const char *attr, int64_t v)
{
    int count;
    const int64_t *list = nashc_node_ints(n, attr, &count);

    for (int i = 0; i < count; i++)
        if (list[i] != v)
            return false;
    return true;
}

bool
match_listed(const char *list, const char *name)
{
    const char *dot = strchr(name, '.');
    const char *bare = dot ? dot + 1 : name;

    for (const char *s = list; *s;) {
        s += strspn(s, ", ");
        size_t len = strcspn(s, ", ");
        if (len && ((strlen(name) == len && !memcmp(s, name, len)) ||
                    (strlen(bare) == len && !memcmp(s, bare, len))))
            return true;
        s += len;
    }
    return false;
}

nashc_node *
match_quantised(const nashc_value *v)
{
    nashc_node *q = v ? nashc_value_def(v) : NULL;

    if (!nashc_node_is(q, "q.quant") && !nashc_node_is(q, "q.bipolar_quant") &&
        !nashc_node_is(q, "q.dequant"))
        return NULL;
    for (int i = 0; i < nashc_node_n_in(q); i++)
        if (!nashc_value_const(nashc_node_in(q, i)))
            return NULL;
    return q;
}

bool
match_constant_last(nashc_rw *rw, nashc_node *n)
{
    if (!(nashc_node_op(n)->flags & NASHC_OP_COMMUTES) || nashc_node_n_in(n) != 2)
        return false;

    nashc_value *a = nashc_node_in(n, 0), *b = nashc_node_in(n, 1);
    if (!nashc_value_const(a) || nashc_value_const(b))
        return false;
    nashc_rw_replace(rw, nashc_node_out(n, 0), nashc_rw_like(rw, n, (nashc_value *[]){b, a}, 2));
    return true;
}

bool
match_sink(nashc_rw *rw, nashc_node *n)
{
    nashc_value *v = nashc_node_out(n, 0);
    int n_users = 0, n_in = nashc_node_n_in(n);
    nashc_node **users = nashc_value_users(v, nashc_rw_arena(rw), &n_users);
    int keep = nashc_value_is_output(v) ? 0 : 1; /* users that stay with n itself */

    if (n_users <= keep)
        return false;
    nashc_value **in = NASHC_NEW_N(nashc_rw_arena(rw), nashc_value *, n_in + 1);
    for (int i = 0; in && i < n_in; i++)
        in[i] = nashc_node_in(n, i);
    for (int u = keep; in && u < n_users; u++) {
        nashc_rw_at(rw, users[u]);
        nashc_rw_loc(rw, n);
        nashc_value *copy = nashc_rw_like(rw, n, in, n_in);
        for (int i = 0; i < nashc_node_n_in(users[u]); i++)
            if (nashc_node_in(users[u], i) == v)
                nashc_rw_set_in(rw, users[u], i, copy);
    }
    return true;
}
