/* free_weights.c: what changes with weights that may be replaced: the types of sums, and so of all
 * that is computed from them. */
#include "hw.h"

/* The sums of n with the weights it has. */
static nashc_status
built_range(const nashc_node *n, int64_t *lo, int64_t *hi)
{
    const nashc_buf *w = nashc_tensor_buf(nashc_value_const(nashc_node_in(n, 1)));
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));

    *lo = INT64_MAX;
    *hi = INT64_MIN;
    for (int64_t c = 0; c < w->type.dim[1]; c++) {
        nashc_sums s = {0};
        int64_t a, b;
        nashc_sums_add(&s, w, c, w->type.dim[1], w->type.dim[0]);
        if (!nashc_sums_range(&s, x->lo, x->hi, &a, &b))
            return NASHC_EUNSUP;
        *lo = a < *lo ? a : *lo;
        *hi = b > *hi ? b : *hi;
    }
    return NASHC_OK;
}

/* Does anything but the host read the sums of n, or does n itself compare them? */
static bool
looked_at(const nashc_node *n)
{
    return nashc_node_in(n, 2) || nashc_value_one_user(nashc_node_out(n, 0));
}

/* Thresholds stand for the model's where its sums are: beyond, nobody asked it. */
static void
warn_of_thresholds(const nashc_node *n, const nashc_weights *w, const char *name, nashc_diag *d)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    int64_t products = nashc_value_type(nashc_node_in(n, 1))->dim[0], lo, hi, least, most;

    if (!looked_at(n) || built_range(n, &lo, &hi) != NASHC_OK ||
        !nashc_products_range(products, w->elem.lo, w->elem.hi, x->lo, x->hi, &least, &most) ||
        (least >= lo && most <= hi))
        return;
    nashc_warning(d, nashc_node_loc(n), "runtime-weights",
                  "%s: what is made of its sums was made for the weights of the model, %" PRId64
                  "..%" PRId64 "; other weights reach %" PRId64 "..%" PRId64,
                  name, lo, hi, least, most);
    nashc_help(d,
               "the design is exact for all of them as model.nashir has it; that it is the model "
               "with such weights holds where the sums stay in the first range");
}

nashc_status
hw_free_weights(nashc_graph *f, const char *const *names, nashc_diag *d)
{
    const nashc_module *m = nashc_graph_module(f);
    nashc_status s = NASHC_OK;
    nashc_weights w;
    bool any = false;

    NASHC_EACH_NODE(f, n)
    {
        if (!nashc_flow_weights_free(n))
            continue;
        nashc_flow_weights(n, &w);
        warn_of_thresholds(n, &w, names[nashc_node_id(n)], d);
        any = true;
    }
    if (!any)
        return NASHC_OK;
    if ((s = nashc_graph_infer(f, d)) != NASHC_OK) {
        nashc_help(d, "this layer relies on the weights in front of it: set "
                      "runtime_writeable_weights to 0 there, and mem_mode to internal_decoupled");
        return s;
    }
    return nashc_module_main(m) == f ? NASHC_OK : nashc_graph_infer(nashc_module_main(m), d);
}
