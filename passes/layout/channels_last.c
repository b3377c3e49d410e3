/* channels_last.c: runs an op channels-last, as its rule says (nashc/layout.h).
 *
 *     x -- op(.., z) -- y     ==>     x -- to last -- op'(.., z') -- to first -- y
 *
 * Operands turn with the data or, being rows for each channel, stay; attributes that count axes
 * follow them. A transpose that is there already is undone or shared, never repeated, so turning
 * all ops of a region leaves transposes at its border only.
 */
#include "layout.h"
#include <nashc/rewrite.h>

/* CF axis of each CL axis, and the reverse. */
static int
first_of(int i, int rank)
{
    return i == 0 ? 0 : i == rank - 1 ? 1 : i + 1;
}

static int64_t
last_of(int64_t axis, int rank)
{
    axis += axis < 0 ? rank : 0;
    return axis == 0 ? 0 : axis == 1 ? rank - 1 : axis - 1;
}

/* --- attributes ---------------------------------------------------------------------------------
 */

/* "pads=[...]" with the entries of each group of rank axes in the new order. */
static const char *
permuted_list(nashc_rw *rw, const nashc_node *n, const char *name, int rank)
{
    int count, at = nashc_attr_index(n, name);
    bool floats = nashc_node_op(n)->attrs[at].kind == NASHC_P_FLOATS;
    const double *f = floats ? nashc_attr_floats(n, at, &count) : NULL;
    const int64_t *v = floats ? NULL : nashc_attr_ints(n, at, &count);
    nashc_arena *a = nashc_rw_arena(rw);
    const char *text = nashc_arena_printf(a, "%s=[", name);

    for (int i = 0; text && i < count; i++) {
        int from = i / rank * rank + first_of(i % rank, rank);
        const char *comma = i ? "," : "";
        text = floats ? nashc_arena_printf(a, "%s%s%.17g", text, comma, f[from])
                      : nashc_arena_printf(a, "%s%s%" PRId64, text, comma, v[from]);
    }
    return text ? nashc_arena_printf(a, "%s]", text) : NULL;
}

static const char *
mapped_axes(nashc_rw *rw, const nashc_node *n, const char *name, int rank)
{
    int count;
    const int64_t *axes = nashc_node_ints(n, name, &count);
    int64_t out[NASHC_MAX_RANK];

    for (int i = 0; i < count && i < NASHC_MAX_RANK; i++)
        out[i] = last_of(axes[i], rank);
    return nashc_arena_printf(nashc_rw_arena(rw), "%s=%s", name, nashc_rw_ints(rw, out, count));
}

/* Does n drop axes whose neighbours would then follow each other in another order? */
static bool
drops_to_mix(const nashc_node *n)
{
    int keep = nashc_attr_index(n, "keepdims"), rank = nashc_value_type(nashc_node_in(n, 0))->rank;

    if (keep < 0 || nashc_attr_bool(n, keep) || layout_reduced(n) >> 1 & 1u)
        return false;
    for (int a = 2; a < rank; a++)
        if (!(layout_reduced(n) >> a & 1u))
            return true;
    return false;
}

/* The attributes of n that change. NULL: out of memory. */
static const char *
changed_attrs(nashc_rw *rw, const nashc_node *n, const nashc_layout_rule *r, int rank)
{
    nashc_arena *a = nashc_rw_arena(rw);
    const char *text = drops_to_mix(n) ? "keepdims=true" : "";

    if (r->axis)
        text = nashc_arena_printf(a, "%s %s=%" PRId64, text, r->axis,
                                  last_of(nashc_node_int(n, r->axis), rank));
    if (r->axes)
        text = nashc_arena_printf(a, "%s %s", text, mapped_axes(rw, n, r->axes, rank));
    for (int i = 0; text && i < 2 && r->lists[i]; i++) {
        const char *list = permuted_list(rw, n, r->lists[i], rank);
        text = list ? nashc_arena_printf(a, "%s %s", text, list) : NULL;
    }
    return text;
}

/* --- operands and results -----------------------------------------------------------------------
 */

static nashc_value *
reshaped(nashc_rw *rw, nashc_value *v, int rank, const int64_t *dim, nashc_layout layout)
{
    nashc_type type = nashc_type_shaped(nashc_type_f32(), rank, dim);

    type.layout = (uint8_t)layout;
    return v ? layout_relabelled(rw, v, &type) : NULL;
}

/* v channels-last for node n, as it is broadcast against rank axes. */
static nashc_value *
operand_last(nashc_rw *rw, nashc_node *n, nashc_value *v, int rank)
{
    const nashc_type *type = v ? nashc_value_type(v) : NULL;
    nashc_node *def = v ? nashc_value_def(v) : NULL;
    int count;

    if (!v || layout_none(v))
        return layout_last(rw, v, rank);
    if (layout_to_first(def) && type->rank == rank)
        return nashc_node_in(def, 0);
    if (type->rank < rank) {
        int64_t dim[NASHC_MAX_RANK];
        if (nashc_type_count(type) == 1)
            return v;
        for (int i = 0, lead = rank - type->rank; i < rank; i++)
            dim[i] = i < lead ? 1 : type->dim[i - lead];
        return layout_last(rw, reshaped(rw, v, rank, dim, NASHC_LAYOUT_DEFAULT), rank);
    }
    nashc_node **users = nashc_value_users(v, nashc_rw_arena(rw), &count);
    for (int i = 0; i < count; i++)
        if (layout_to_last(users[i]) && nashc_node_before(users[i], n))
            return nashc_node_out(users[i], 0);
    if (def) /* where all readers can share it */
        nashc_rw_after(rw, def);
    else
        nashc_rw_at(rw, nashc_graph_first(nashc_rw_graph(rw)));
    v = layout_last(rw, v, rank);
    nashc_rw_at(rw, n);
    return v;
}

/* Readers of old read y, channels-last where it has such a rank. */
static void
give(nashc_rw *rw, nashc_value *old, nashc_value *y)
{
    nashc_node *n = nashc_value_def(old);
    const nashc_type to = *nashc_value_type(old);
    int count;

    if (!y || nashc_value_type(y)->layout == NASHC_LAYOUT_DEFAULT) {
        nashc_rw_replace(rw, old, y);
        return;
    }
    nashc_node **users = nashc_value_users(old, nashc_rw_arena(rw), &count);
    for (int i = 0; i < count; i++)
        if (layout_to_last(users[i]) && to.rank == nashc_value_type(y)->rank)
            nashc_rw_replace(rw, nashc_node_out(users[i], 0), y);
    if (nashc_node_dead(n) || nashc_value_n_uses(old) == 0)
        return;
    nashc_value *v = layout_first(rw, y, nashc_value_type(y)->rank);
    if (v && nashc_value_type(v)->rank != to.rank)
        v = reshaped(rw, v, to.rank, to.dim, NASHC_LAYOUT_DEFAULT);
    nashc_rw_replace(rw, old, v);
}

/* --- reshapes and transposes ---------------------------------------------------------------------
 */

static nashc_layout
layout_of(int rank)
{
    return rank == 4 ? NASHC_LAYOUT_NHWC : rank == 3 ? NASHC_LAYOUT_NWC : NASHC_LAYOUT_DEFAULT;
}

/* v, of the batch and channels of cf, in the shape of cf channels-last. */
static nashc_value *
reshaped_last(nashc_rw *rw, nashc_value *v, const nashc_type *cf)
{
    int64_t dim[NASHC_MAX_RANK];

    for (int i = 0; i < cf->rank; i++)
        dim[i] = cf->dim[cf->rank > 2 ? first_of(i, cf->rank) : i];
    return reshaped(rw, v, cf->rank, dim, layout_of(cf->rank));
}

/* A channel shuffle: the channels of x split into axes, these permuted, and merged again.
 *
 *     x [N,C,S] -- reshape [N,G..,S] -- transpose of G.. -- reshape [N,C,S]
 */
static bool
shuffle_last(nashc_rw *rw, nashc_node *n)
{
    nashc_node *t = nashc_value_def_by(nashc_node_in(n, 0), "nn.transpose");
    nashc_node *split = t ? nashc_value_def_by(nashc_node_in(t, 0), "nn.reshape") : NULL;
    nashc_value *x = split ? nashc_node_in(split, 0) : NULL;
    int count;

    if (!x || !nashc_type_same_shape(nashc_value_type(x), nashc_value_type(nashc_node_out(n, 0))))
        return false;
    const nashc_type *cf = nashc_value_type(x), *g = nashc_value_type(nashc_node_in(t, 0));
    const int64_t *perm = nashc_node_ints(t, "perm", &count);
    int space = cf->rank - 2, parts = g->rank - 1 - space;
    int64_t dim[NASHC_MAX_RANK], order[NASHC_MAX_RANK], channels = 1;

    if (space < 1 || space > 2 || parts < 2 || g->dim[0] != cf->dim[0] || perm[0] != 0 ||
        layout_none(x))
        return false;
    for (int i = 1; i <= parts; i++) {
        channels *= g->dim[i];
        dim[space + i] = g->dim[i];
        order[space + i] = perm[i] + space;
        if (perm[i] > parts)
            return false;
    }
    for (int i = 0; i < space; i++) {
        dim[i + 1] = cf->dim[i + 2];
        order[i + 1] = i + 1;
        if (perm[parts + 1 + i] != parts + 1 + i || g->dim[parts + 1 + i] != cf->dim[i + 2])
            return false;
    }
    if (channels != cf->dim[1])
        return false;
    dim[0] = cf->dim[0];
    order[0] = 0;
    x = reshaped(rw, operand_last(rw, n, x, cf->rank), g->rank, dim, NASHC_LAYOUT_DEFAULT);
    x = nashc_rw_opf(rw, "nn.transpose", &x, 1, "perm=%s", nashc_rw_ints(rw, order, g->rank));
    give(rw, nashc_node_out(n, 0), reshaped_last(rw, x, cf));
    return true;
}

/* A reshape that keeps batch and channels, and goes from or to an image: of [N,C] and [N,C,1,1],
 * [N,C,H,W] and [N,C,HW]. */
bool
layout_reshape_last(nashc_rw *rw, nashc_node *n)
{
    nashc_value *x = nashc_node_in(n, 0), *old = nashc_node_out(n, 0);
    const nashc_type *from = nashc_value_type(x), *to = nashc_value_type(old);

    if (from->layout != NASHC_LAYOUT_DEFAULT || to->layout != NASHC_LAYOUT_DEFAULT)
        return false;
    if (shuffle_last(rw, n))
        return true;
    if (from->rank < 2 || from->rank > 4 || to->rank < 2 || to->rank > 4 ||
        from->dim[0] != to->dim[0] || from->dim[1] != to->dim[1])
        return nashc_rw_miss(rw, n, "it does not keep batch and channels");
    if (layout_none(x))
        return nashc_rw_miss(rw, n, "its data operand is constant");
    x = from->rank > 2 ? operand_last(rw, n, x, from->rank) : x;
    give(rw, old, reshaped_last(rw, x, to));
    return true;
}

/* A transpose of positions, of rank 3 or 4. */
bool
layout_transpose_last(nashc_rw *rw, nashc_node *n)
{
    nashc_value *x = nashc_node_in(n, 0);
    int rank;
    const int64_t *perm = nashc_node_ints(n, "perm", &rank);
    int64_t p[NASHC_MAX_RANK] = {0};

    if (nashc_value_type(x)->layout != NASHC_LAYOUT_DEFAULT)
        return false;
    if (perm[0] != 0 || perm[1] != 1)
        return nashc_rw_miss(rw, n, "it moves batch or channels");
    if (layout_none(x))
        return nashc_rw_miss(rw, n, "its data operand is constant");
    for (int i = 1; i < rank - 1; i++)
        p[i] = perm[i + 1] - 1;
    p[rank - 1] = rank - 1;
    x = operand_last(rw, n, x, rank);
    give(rw, nashc_node_out(n, 0),
         nashc_rw_opf(rw, "nn.transpose", &x, 1, "perm=%s", nashc_rw_ints(rw, p, rank)));
    return true;
}

/* --- by the fields of a rule
 * -------------------------------------------------------------------------------
 */

/* Is some operand that turns data of this rank? */
static bool
has_data(const nashc_node *n, const nashc_layout_rule *r, int rank)
{
    for (int i = 0; i < (r->flags & NASHC_TURN_ALL ? nashc_node_n_in(n) : 1); i++) {
        const nashc_value *v = nashc_node_in(n, i);
        if (v && !layout_none(v) && nashc_value_type(v)->rank == rank)
            return true;
    }
    return false;
}

static bool
by_rule(nashc_rw *rw, nashc_node *n, const nashc_layout_rule *r)
{
    const nashc_type *type =
        nashc_value_type(r->flags & NASHC_TURN_ALL ? nashc_node_out(n, 0) : nashc_node_in(n, 0));
    int rank = type->rank, n_in = nashc_node_n_in(n);
    nashc_value **in = NASHC_NEW_N(nashc_rw_arena(rw), nashc_value *, n_in + 1);

    if (type->layout != NASHC_LAYOUT_DEFAULT || !in)
        return false;
    if (rank != 3 && rank != 4)
        return nashc_rw_miss(rw, n, "there is no channels-last layout of rank %d", rank);
    if (!has_data(n, r, rank))
        return nashc_rw_miss(rw, n, "its data operand is constant");
    if (r->may && !r->may(rw, n))
        return false;
    const char *attrs = changed_attrs(rw, n, r, rank);
    for (int i = 0; i < n_in; i++) {
        nashc_value *v = nashc_node_in(n, i);
        in[i] = i == 0 || r->flags & NASHC_TURN_ALL       ? operand_last(rw, n, v, rank)
                : i == 1 && r->flags & NASHC_TURN_WEIGHTS ? layout_last(rw, v, rank)
                                                          : v;
    }
    nashc_node *made = nashc_rw_like_with(rw, n, in, n_in, attrs);
    for (int i = 0, n_out = nashc_node_n_out(n); made && i < n_out && !nashc_node_dead(n); i++)
        if (nashc_value_n_uses(nashc_node_out(n, i)))
            give(rw, nashc_node_out(n, i), nashc_node_out(made, i));
    return true;
}

bool
layout_channels_last(nashc_rw *rw, nashc_node *n)
{
    const nashc_layout_rule *r = layout_rule(n);

    nashc_rw_at(rw, n);
    nashc_rw_loc(rw, n);
    if (!r)
        return nashc_rw_miss(rw, n, "it has no channels-last form");
    return r->turn ? r->turn(rw, n) : by_rule(rw, n, r);
}
