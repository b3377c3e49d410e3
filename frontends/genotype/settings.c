/* settings.c: the settings of a genotype: name, backbone, input, widths, stem, head, bits. */
#include "frontends/genotype/reader.h"
#include <string.h>

const char *const geno_versions[] = {"baseline", "v1", "v2", "v3", "v4", "custom", NULL};

static const char *const dtypes[] = {"uint8", "int8", "float", NULL};

#define MAX_POOL 65536

bool
geno_option(geno_in *in, const geno_token *t, geno_token *key, geno_token *value)
{
    const char *eq = memchr(t->s, '=', (size_t)t->len);
    if (!eq || eq == t->s || eq == t->s + t->len - 1) {
        geno_fault(in, 2, t, "\"%s\" is no option KEY=VALUE (no blanks around \"=\")",
                   geno_word(in, t));
        return false;
    }
    int n = (int)(eq - t->s);
    *key = (geno_token){t->s, n, t->col};
    *value = (geno_token){eq + 1, t->len - n - 1, t->col + n + 1};
    return true;
}

static nashc_status
bad_value(geno_in *in, const geno_token *key, const geno_token *value, const char *wanted)
{
    return geno_fault(in, 2, value, "%s is \"%s\", wanted %s", geno_word(in, key),
                      geno_word(in, value), wanted);
}

static nashc_status
take_int(geno_in *in, const geno_token *key, const geno_token *value, int lo, int hi, int *out)
{
    if (geno_int(value, out) && *out >= lo && *out <= hi)
        return NASHC_OK;
    return bad_value(in, key, value, nashc_arena_printf(in->arena, "%d..%d", lo, hi));
}

/* "7x7/2" to kernel and stride; no "/": a stride of 1. Square only. */
static bool
take_window(const geno_token *t, int *kernel, int *stride)
{
    const char *x = memchr(t->s, 'x', (size_t)t->len);
    const char *slash = memchr(t->s, '/', (size_t)t->len);
    const char *end = t->s + t->len;
    int a, b;
    *stride = 1;
    if (!x || (slash && slash < x))
        return false;
    geno_token first = {t->s, (int)(x - t->s), 0};
    geno_token second = {x + 1, (int)((slash ? slash : end) - x - 1), 0};
    geno_token third = {slash ? slash + 1 : end, slash ? (int)(end - slash - 1) : 0, 0};
    if (!geno_int(&first, &a) || !geno_int(&second, &b) || a != b || a < 1 ||
        a > NASHC_GENO_MAX_KERNEL || (slash && !geno_int(&third, stride)) || *stride < 1 ||
        *stride > NASHC_GENO_MAX_KERNEL)
        return false;
    *kernel = a;
    return true;
}

/* --- input ----------------------------------------------------------------------------------- */

/* "0.1,0.2,0.3": at most as many as there can be channels. */
static nashc_status
take_numbers(geno_in *in, const geno_token *key, const geno_token *value, double **out, int *count)
{
    int n = 1, k = 0;
    for (int i = 0; i < value->len; i++)
        n += value->s[i] == ',';
    double *v = NASHC_NEW_N(in->arena, double, n);
    if (!v)
        return nashc_enomem(in->d);
    for (int from = 0, i = 0; i <= value->len; i++) {
        if (i < value->len && value->s[i] != ',')
            continue;
        geno_token part = {value->s + from, i - from, value->col + from};
        if (!geno_number(&part, &v[k++]))
            return bad_value(in, key, value, "numbers with \",\" between them");
        from = i + 1;
    }
    *out = v;
    *count = n;
    return NASHC_OK;
}

/* Three numbers, the whole word, with "x" between them. */
static nashc_status
take_shape(geno_in *in, const geno_token *t)
{
    int dim[3] = {0}, k = 0;
    bool good = true;
    for (int from = 0, i = 0; i <= t->len && good; i++) {
        if (i < t->len && t->s[i] != 'x')
            continue;
        geno_token part = {t->s + from, i - from, 0};
        good = k < 3 && geno_int(&part, &dim[k]) && dim[k] > 0 && dim[k] <= MAX_POOL;
        k++;
        from = i + 1;
    }
    if (!good || k != 3)
        return geno_fault(in, 2, t, "input is \"%s\", wanted CHANNELSxHEIGHTxWIDTH",
                          geno_word(in, t));
    in->g->input.c = dim[0];
    in->g->input.h = dim[1];
    in->g->input.w = dim[2];
    return NASHC_OK;
}

static nashc_status
input_option(geno_in *in, const geno_token *key, const geno_token *value)
{
    nashc_geno_input *x = &in->g->input;
    if (geno_is(key, "dtype")) {
        int i = geno_find(value, dtypes);
        if (i < 0)
            return bad_value(in, key, value, "uint8, int8 or float");
        x->dtype = dtypes[i];
        return NASHC_OK;
    }
    if (geno_is(key, "scale"))
        return take_numbers(in, key, value, &x->scale, &x->n_scale);
    if (geno_is(key, "mean"))
        return take_numbers(in, key, value, &x->mean, &x->n_mean);
    if (geno_is(key, "std"))
        return take_numbers(in, key, value, &x->std, &x->n_std);
    return geno_fault(in, 2, key, "input has no option \"%s\" (dtype, scale, mean, std)",
                      geno_word(in, key));
}

/* --- stem, head, bits ------------------------------------------------------------------------ */

/* What is not given stays -1 and becomes the backbone's; pool 0 is "none". */
static nashc_status
stem_option(geno_in *in, const geno_token *key, const geno_token *value)
{
    nashc_geno_stem *s = &in->g->stem;
    if (geno_is(key, "conv"))
        return take_window(value, &s->kernel, &s->stride)
                   ? NASHC_OK
                   : bad_value(in, key, value, "KxK or KxK/STRIDE");
    if (geno_is(key, "pool")) {
        s->pool = 0;
        return geno_is(value, "none") || take_window(value, &s->pool, &s->pool_stride)
                   ? NASHC_OK
                   : bad_value(in, key, value, "none, KxK or KxK/STRIDE");
    }
    if (geno_is(key, "pad"))
        return take_int(in, key, value, 0, NASHC_GENO_MAX_KERNEL, &s->pad);
    if (geno_is(key, "wbits"))
        return geno_int(value, &s->wbits) ? NASHC_OK : bad_value(in, key, value, "a number");
    if (geno_is(key, "order")) {
        s->bn_first = geno_is(value, "bn-pool");
        return s->bn_first || geno_is(value, "pool-bn")
                   ? NASHC_OK
                   : bad_value(in, key, value, "pool-bn or bn-pool");
    }
    return geno_fault(in, 2, key, "stem has no option \"%s\" (conv, pad, pool, wbits, order)",
                      geno_word(in, key));
}

/* Names of an interface, for messages. */
static const char *
known_names(geno_in *in, const char *iface)
{
    const char *known = "";
    const nashc_impl *p;
    for (int i = 0; known && (p = nashc_desc_at(in->ctx, NASHC_D_IMPL, i)); i++)
        if (strcmp(p->iface, iface) == 0)
            known = nashc_arena_printf(in->arena, "%s%s%s", known, known[0] ? ", " : "", p->op);
    return known ? known : "";
}

/* Kinds of heads are descriptors, so a plugin can bring one. */
static nashc_status
take_head(geno_in *in, const geno_token *key, const geno_token *value)
{
    nashc_geno_head *h = &in->g->head;
    h->kind = geno_word(in, value);
    h->rule = nashc_impl_rule(in->ctx, "head", h->kind);
    return h->rule ? NASHC_OK : bad_value(in, key, value, known_names(in, "head"));
}

static nashc_status
head_option(geno_in *in, const geno_token *key, const geno_token *value)
{
    nashc_geno_head *h = &in->g->head;
    int v = 0;
    if (geno_is(key, "pool")) {
        h->pool = 0;
        return geno_is(value, "global") ? NASHC_OK
                                        : take_int(in, key, value, 1, MAX_POOL, &h->pool);
    }
    if (geno_is(key, "poolbits"))
        return take_int(in, key, value, 1, 16, &h->poolbits);
    if (geno_is(key, "wbits"))
        return geno_int(value, &h->wbits) ? NASHC_OK : bad_value(in, key, value, "a number");
    if (geno_is(key, "bias")) {
        nashc_status s = take_int(in, key, value, 0, 1, &v);
        h->bias = v == 1;
        return s;
    }
    if (geno_is(key, "trunc")) {
        h->round = geno_is(value, "round");
        return h->round || geno_is(value, "floor") ? NASHC_OK
                                                   : bad_value(in, key, value, "floor or round");
    }
    if (geno_is(key, "kind"))
        return take_head(in, key, value);
    if (geno_is(key, "skip")) {
        h->add = geno_is(value, "add");
        return h->add || geno_is(value, "concat") ? NASHC_OK
                                                  : bad_value(in, key, value, "concat or add");
    }
    return geno_fault(in, 2, key,
                      "head has no option \"%s\" (kind, pool, poolbits, wbits, bias, trunc, skip)",
                      geno_word(in, key));
}

/* resid, the sum of branches, may be wider than the others: 2 to 16 bits. */
nashc_status
geno_parse_bits(geno_in *in, const geno_token *key, const geno_token *value, nashc_geno_bits *b,
                bool *known)
{
    static const char *const names[] = {"weight", "act", "nas", "down", "resid", "state", NULL};
    int *field[] = {&b->weight, &b->act, &b->nas, &b->down, &b->resid, &b->state};
    int i = geno_find(key, names), v;
    *known = i >= 0;
    if (i < 0)
        return NASHC_OK;
    if (!geno_int(value, &v))
        return bad_value(in, key, value, "a number of bits");
    if (*field[i] >= 0)
        return geno_fault(in, 3, key, "option \"%s\" is given twice", names[i]);
    int lo = i == 4 ? 2 : 1, hi = i == 4 ? 16 : 8;
    if (v < lo || v > hi)
        return geno_fault(in, 8, value, "%s=%d: %d..%d bits are possible", names[i], v, lo, hi);
    *field[i] = v;
    return NASHC_OK;
}

static nashc_status
bits_option(geno_in *in, const geno_token *key, const geno_token *value)
{
    static const char *const names[] = {"act-max", "state-max", "resid-max", NULL};
    double *field[] = {&in->g->act_max, &in->g->state_max, &in->g->resid_max};
    bool known;
    nashc_status s = geno_parse_bits(in, key, value, &in->g->bits, &known);
    if (known || s != NASHC_OK)
        return s;
    int i = geno_find(key, names);
    if (i < 0)
        return geno_fault(in, 2, key,
                          "bits has no option \"%s\" (weight, act, nas, down, resid, "
                          "state, act-max, state-max, resid-max)",
                          geno_word(in, key));
    if (!geno_number(value, field[i]) || *field[i] < 1e-6 || *field[i] > 1e6)
        return bad_value(in, key, value, "a number of 1e-6 to 1e6");
    return NASHC_OK;
}

/* --- all ------------------------------------------------------------------------------------- */

/* Looks back over the words before for a key that comes twice: O(n^2) of at most 256 words. */
static nashc_status
take_options(geno_in *in, geno_key k, const geno_token *t, int n)
{
    nashc_status s = NASHC_OK;
    geno_token key, value, other;
    for (int i = 0; i < n && s == NASHC_OK; i++) {
        if (!geno_option(in, &t[i], &key, &value))
            return NASHC_EINPUT;
        for (int j = 0; j < i; j++) {
            const char *eq = memchr(t[j].s, '=', (size_t)t[j].len);
            other = (geno_token){t[j].s, (int)(eq - t[j].s), 0};
            if (other.len == key.len && memcmp(other.s, key.s, (size_t)key.len) == 0)
                return geno_fault(in, 3, &key, "option \"%s\" is given twice", geno_word(in, &key));
        }
        s = k == GENO_INPUT  ? input_option(in, &key, &value)
            : k == GENO_STEM ? stem_option(in, &key, &value)
            : k == GENO_HEAD ? head_option(in, &key, &value)
            : k == GENO_BITS ? bits_option(in, &key, &value)
                             : geno_fault(in, 2, &t[i], "\"%s\" behind %s takes no options here",
                                          geno_word(in, &t[i]), geno_keys[k]);
    }
    return s;
}

static nashc_status
take_version(geno_in *in, const geno_token *t)
{
    int i = geno_find(t, geno_versions);
    if (i < 0)
        return geno_fault(in, 2, t, "version is \"%s\", wanted baseline, v1, v2, v3, v4 or custom",
                          geno_word(in, t));
    in->g->version = (nashc_geno_version)i;
    in->have_version = true;
    return NASHC_OK;
}

/* The rule of the backbone, or a message that lists the known ones. */
static nashc_status
take_backbone(geno_in *in, const geno_token *t)
{
    nashc_genotype *g = in->g;
    g->backbone_name = geno_word(in, t);
    g->backbone = nashc_impl_rule(in->ctx, "backbone", g->backbone_name);
    return g->backbone ? NASHC_OK
                       : geno_fault(in, 2, t, "unknown backbone \"%s\"; known are %s",
                                    geno_word(in, t), known_names(in, "backbone"));
}

/* stem, head and bits have options only; all others a value first, then, input alone, options. */
nashc_status
geno_parse_setting(geno_in *in, geno_key k, const geno_token *t, int n)
{
    bool value = k != GENO_STEM && k != GENO_HEAD && k != GENO_BITS;
    nashc_status s = NASHC_OK;
    if (value && n < 2)
        return geno_fault(in, 2, &t[0], "%s without a value", geno_keys[k]);
    if (k == GENO_NAME)
        in->g->name = nashc_arena_printf(in->arena, "%.*s", t[1].len, t[1].s);
    else if (k == GENO_BACKBONE)
        s = take_backbone(in, &t[1]);
    else if (k == GENO_VERSION)
        s = take_version(in, &t[1]);
    else if (k == GENO_INPUT)
        s = take_shape(in, &t[1]);
    else if (k == GENO_CLASSES)
        s = take_int(in, &t[0], &t[1], 1, NASHC_GENO_MAX_CLASSES, &in->g->classes);
    else if (k == GENO_WIDTH)
        s = take_int(in, &t[0], &t[1], 1, 4096, &in->g->width);
    return s == NASHC_OK ? take_options(in, k, t + 1 + value, n - 1 - value) : s;
}
