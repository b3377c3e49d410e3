/* quantize_params_fixedpoint.c
 *
 *     op(x, c)     ==>     op(x, round(c * 2^f) * 2^-f clipped to FIXED<t,i>)
 *
 * for the float constants of add and mul (option ops), or for those that `tensors` names, each with
 * a type of its own. They become fixed point typed. Changes values on purpose; --stats counts the
 * elements, and those that had to be clipped.
 */
#include <math.h>
#include <nashc/pass.h>
#include <string.h>

enum { ROUNDED, CLIPPED };

/* A constant of the name, or where it is NULL any constant of the ops, gets the type. */
typedef struct rule {
    const char *name;
    nashc_type type;
    bool used;
} rule;

typedef struct rules {
    rule *item;
    int n;
} rules;

static nashc_status
parse_type(nashc_run *r, const char *text, nashc_type *out)
{
    if (nashc_type_from_finn_name(text, out) && nashc_type_is_fixed(out))
        return NASHC_OK;
    nashc_error(nashc_run_diag(r), NULL,
                "quantize-params-fixedpoint: \"%s\" is no fixed point datatype",
                nashc_quote(nashc_run_diag(r), text));
    nashc_help(nashc_run_diag(r), "FIXED<8,3> has 8 bits, 3 of them in front of the point");
    return NASHC_EINPUT;
}

/* "a=FIXED<8,3>,b=FIXED<16,6>"; names may hold anything but "=". */
static nashc_status
parse_rules(nashc_run *r, const char *text, rules *out)
{
    nashc_arena *a = nashc_run_arena(r);
    nashc_status s = NASHC_OK;

    out->item = NASHC_NEW_N(a, rule, strlen(text) / 2 + 1);
    if (!out->item)
        return nashc_enomem(nashc_run_diag(r));
    for (const char *p = text; *p && s == NASHC_OK;) {
        const char *is = strchr(p, '='), *end = is ? strchr(is, '>') : NULL;
        rule *z = &out->item[out->n++];
        if (!end || is == p)
            return nashc_error(nashc_run_diag(r), NULL,
                               "quantize-params-fixedpoint: expected NAME=FIXED<t,i> at \"%s\"",
                               nashc_quote(nashc_run_diag(r), p));
        z->name = nashc_arena_printf(a, "%.*s", (int)(is - p), p);
        const char *type = nashc_arena_printf(a, "%.*s", (int)(end - is), is + 1);
        if (!z->name || !type)
            return nashc_enomem(nashc_run_diag(r));
        s = parse_type(r, type, &z->type);
        p = end + 1;
        p += strspn(p, ", ");
    }
    return s;
}

static bool
listed(const char *list, const char *op)
{
    size_t len = strlen(op);

    for (const char *p = strstr(list, op); p; p = strstr(p + 1, op))
        if ((p == list || strchr(", ", p[-1])) && (!p[len] || strchr(", ", p[len])))
            return true;
    return false;
}

/* The rule for constant v of n; NULL: it stays. */
static rule *
rule_for(const rules *z, const char *ops, const nashc_node *n, const nashc_value *v)
{
    for (int i = 0; i < z->n; i++)
        if (z->item[i].name ? strcmp(z->item[i].name, nashc_value_name(v)) == 0
                            : listed(ops, nashc_node_opname(n)))
            return &z->item[i];
    return NULL;
}

static nashc_status
round_constant(nashc_run *r, nashc_build *b, nashc_node *n, int i, const nashc_type *to)
{
    const nashc_tensor *t = nashc_value_const(nashc_node_in(n, i));
    nashc_type type = nashc_type_with_elem(nashc_tensor_type(t), to);
    double *v = nashc_buf_to_f64(nashc_tensor_buf(t)), ulp = nashc_type_ulp(to);
    int64_t count = nashc_tensor_count(t), clipped = 0, lo, hi;

    nashc_type_limits(to, &lo, &hi);
    for (int64_t k = 0; v && k < count; k++) {
        double m = nearbyint(v[k] / ulp);
        clipped += m < (double)lo || m > (double)hi;
        v[k] = fmin(fmax(m, (double)lo), (double)hi) * ulp;
    }
    nashc_value *c = nashc_build_const(b, NULL, v ? nashc_tensor_from_f64(&type, v) : NULL);
    nashc_mem_free(v);
    if (!c)
        return nashc_build_status(b);
    nashc_node_set_in(n, i, c);
    nashc_stat(r, ROUNDED, count);
    nashc_stat(r, CLIPPED, clipped);
    return NASHC_OK;
}

static nashc_status
quantize_node(nashc_run *r, nashc_build *b, nashc_node *n, const rules *z)
{
    const char *ops = nashc_opts_str(nashc_run_opts(r), "ops");
    nashc_status s = NASHC_OK;

    for (int i = 0; i < nashc_node_n_in(n) && s == NASHC_OK; i++) {
        nashc_value *v = nashc_node_in(n, i);
        const nashc_tensor *t = v ? nashc_value_const(v) : NULL;
        rule *q = t && nashc_type_is_float(nashc_tensor_type(t)) ? rule_for(z, ops, n, v) : NULL;
        if (!q)
            continue;
        q->used = true;
        if (!nashc_tensor_all_finite(t))
            nashc_run_miss(r, n, "the constant is not finite");
        else if (nashc_run_edit(r, "round", n))
            s = round_constant(r, b, n, i, &q->type);
    }
    return s;
}

static nashc_status
quantize_graph(nashc_run *r, nashc_graph *g, const rules *z)
{
    nashc_build *b = nashc_run_build(r, g);
    nashc_status s = NASHC_OK;

    NASHC_EACH_NODE(g, n)
    {
        if (s == NASHC_OK)
            s = quantize_node(r, b, n, z);
    }
    return s == NASHC_OK ? nashc_graph_infer(g, nashc_run_diag(r)) : s;
}

static nashc_status
quantize(nashc_run *r, nashc_graph *g)
{
    const nashc_opts *o = nashc_run_opts(r);
    nashc_module *m = nashc_graph_module(g);
    rule all = {0};
    rules z = {&all, 1};
    bool named = *nashc_opts_str(o, "tensors");
    nashc_status s;

    if (named == nashc_opts_given(o, "datatype"))
        return nashc_error(nashc_run_diag(r), NULL,
                           "quantize-params-fixedpoint: give either `datatype` or `tensors`");
    if (named)
        z.n = 0;
    s = named ? parse_rules(r, nashc_opts_str(o, "tensors"), &z)
              : parse_type(r, nashc_opts_str(o, "datatype"), &all.type);
    for (int i = 0; i < nashc_module_n_graphs(m) && s == NASHC_OK; i++)
        s = quantize_graph(r, nashc_module_graph_at(m, i), &z);
    for (int i = 0; i < z.n && s == NASHC_OK; i++)
        if (z.item[i].name && !z.item[i].used) {
            s = nashc_error(nashc_run_diag(r), NULL,
                            "quantize-params-fixedpoint: there is no float constant \"%s\"",
                            nashc_quote(nashc_run_diag(r), z.item[i].name));
            nashc_help(nashc_run_diag(r), "`nashc opt MODEL -passes= -o -` shows the names");
        }
    return s;
}

static const nashc_param quantize_options[] = {
    {.name = "datatype", .def = "", .help = "FIXED<t,i> for all", .kind = NASHC_P_STRING},
    {.name = "ops",
     .def = "nn.add,nn.mul",
     .help = "ops whose constants `datatype` is for",
     .kind = NASHC_P_STRING},
    {.name = "tensors",
     .def = "",
     .help = "constants by name, each with its type: a=FIXED<t,i>,b=FIXED<t,i>",
     .kind = NASHC_P_STRING},
    {0},
};

const nashc_pass nashc_pass_quantize_params_fixedpoint = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT | NASHC_PASS_MODULE,
    .name = "quantize-params-fixedpoint",
    .alias = "FixedPointQuantizeParams|FixedPointQuantizeParamsFromDict",
    .help = "round constants to a fixed point type (changes values)",
    .options = quantize_options,
    .stats = (const char *const[]){"elements rounded", "elements clipped", NULL},
    .run = quantize,
};
