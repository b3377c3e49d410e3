/* chain.c: which nodes a chain has, and in how many ways its elements meet their constants.
 *
 * Nodes are collected backwards from the quantiser. Each row is then followed backwards through
 * pools and moving ops, so that for every node it is known which element of its constants the row
 * meets; a hash of all of them tells the variants.
 */
#include "chain.h"

#include <stdlib.h>
#include <string.h>

#define MAX_ROWS ((int64_t)1 << 22)

/* How constants vary over the elements; MIXED: branches that cannot be told apart. */
typedef enum variation { NOT, BY_CHANNEL, BY_ELEMENT, MIXED } variation;

static variation
larger(variation a, variation b)
{
    return a > b ? a : b;
}

nashc_value *
si_dynamic_operand(const si_walk *walk, const nashc_node *n)
{
    int i = 0;
    while (i + 1 < nashc_node_n_in(n) &&
           (!nashc_node_in(n, i) || si_is_const(walk, nashc_node_in(n, i))))
        i++;
    return nashc_node_in(n, i);
}

/* What the quantiser quantises. */
static nashc_value *
operand(const si_chain *chain)
{
    return si_dynamic_operand(chain->walk, chain->quantiser);
}

/* --- nodes -------------------------------------------------------------------------------------
 */

bool
si_chain_is_via(const si_chain *chain, const nashc_node *n)
{
    for (int i = 0; i < chain->n_segment; i++)
        if (chain->segment[i].tensor->via == n)
            return true;
    return false;
}

si_segment *
si_chain_segment(const si_chain *chain, const nashc_node *n)
{
    const si_tensor *tensor = n == chain->quantiser
                                  ? chain->segment[0].tensor
                                  : si_of(chain->walk, nashc_node_out(n, 0))->tensor;
    for (int i = 0; i < chain->n_segment; i++) {
        si_segment *segment = &chain->segment[i];
        if (segment->tensor == tensor || (tensor && segment->tensor->pending == tensor))
            return segment;
    }
    return NULL;
}

static bool
make_segments(si_chain *chain, si_tensor *top)
{
    int n = 0;
    bool shuffled = false;
    for (si_tensor *t = top; t; t = t->source)
        n++;
    chain->segment = calloc((size_t)n, sizeof(*chain->segment));
    if (!chain->segment)
        return si_no_memory(chain->walk->job);
    for (si_tensor *t = top; t; t = t->source) {
        if (t == chain->tensor)
            chain->of_tensor = chain->n_segment;
        chain->segment[chain->n_segment++] = (si_segment){.tensor = t, .shuffled = shuffled};
        shuffled = shuffled || (t->via && !t->via_is_pool);
    }
    return true;
}

static int
by_order(const void *a, const void *b)
{
    const nashc_node *x = *(nashc_node *const *)a, *y = *(nashc_node *const *)b;
    return x == y ? 0 : nashc_node_before(x, y) ? -1 : 1;
}

/* Adds d to the list, if it is not there: seen has a bit a node. */
static bool
add_node(si_chain *chain, nashc_node *d, int *cap, uint8_t *seen)
{
    uint32_t id = nashc_node_id(d);
    if (seen[id / 8] >> id % 8 & 1)
        return true;
    seen[id / 8] |= (uint8_t)(1 << id % 8);
    if (chain->n_node == *cap) {
        int more = *cap ? 2 * *cap : 64;
        nashc_node **p = realloc(chain->node, (size_t)more * sizeof(*p));
        if (!p)
            return si_no_memory(chain->walk->job);
        chain->node = p;
        *cap = more;
    }
    chain->node[chain->n_node++] = d;
    return true;
}

static bool
collect_from(si_chain *chain, uint8_t *seen)
{
    int cap = 0;
    if (!add_node(chain, chain->quantiser, &cap, seen))
        return false;
    for (int done = 0; done < chain->n_node; done++) {
        nashc_node *n = chain->node[done];
        int n_in = si_chain_is_via(chain, n) ? 1 : nashc_node_n_in(n);
        for (int i = 0; i < n_in; i++) {
            nashc_value *v = nashc_node_in(n, i);
            bool inside = v && v != chain->tensor->origin && !si_is_const(chain->walk, v);
            nashc_node *d = inside ? nashc_value_def(v) : NULL;
            if (d && !add_node(chain, d, &cap, seen))
                return false;
        }
    }
    qsort(chain->node, (size_t)chain->n_node, sizeof(*chain->node), by_order);
    return true;
}

/* Nodes of the model between the origin and the quantiser. */
static bool
collect(si_chain *chain)
{
    uint8_t *seen = calloc(nashc_graph_max_id(chain->walk->graph) / 8 + 1, 1);
    bool ok = seen ? collect_from(chain, seen) : si_no_memory(chain->walk->job);
    free(seen);
    return ok;
}

/* --- how much it varies ------------------------------------------------------------------------
 */

bool
si_has_table(const nashc_node *n)
{
    return nashc_node_is(n, "q.multithreshold") || nashc_node_is(n, "q.lut");
}

/* Do constants of n count channels, instead of being broadcast? */
static bool
counts_channels(const nashc_node *n)
{
    return nashc_node_is(n, "nn.batchnorm") || si_has_table(n);
}

int64_t
si_constant_index(const nashc_node *n, const nashc_type *kt, int64_t e)
{
    const nashc_type *t = nashc_value_type(nashc_node_out(n, 0));
    if (nashc_type_count(kt) == 1) /* the usual case, asked for each point */
        return 0;
    if (counts_channels(n))
        return kt->rank > 0 && kt->dim[0] > 1 ? si_channel_of(t, e) : 0;
    return nashc_broadcast_index(kt, t, e);
}

static variation
of_array(const si_array *a, const nashc_type *t)
{
    return a->n == 1 ? NOT : si_channel_only(a, t) ? BY_CHANNEL : BY_ELEMENT;
}

/* Of constant operand i of n. */
static variation
of_constant(si_walk *walk, const nashc_node *n, int i)
{
    const nashc_tensor *k = si_known(walk, nashc_node_in(n, i));
    const nashc_type *kt = k ? nashc_tensor_type(k) : NULL;
    si_array a;
    if (!k)
        return BY_ELEMENT;
    if (si_has_table(n))
        return kt->rank > 0 && kt->dim[0] > 1 ? BY_CHANNEL : NOT;
    if (!si_from_tensor(walk->job, k, &a))
        return BY_ELEMENT;
    if (a.n > 1 && nashc_node_is(n, "nn.batchnorm"))
        return BY_CHANNEL;
    return of_array(&a, nashc_value_type(nashc_node_out(n, 0)));
}

/* Of a function of tensor: its scale and offset, and the tensor's interval if it has integers. */
static variation
of_function(const si_array *scale, const si_array *bias, const si_tensor *tensor,
            const nashc_type *t)
{
    variation r = larger(of_array(scale, t), of_array(bias, t));
    if (!tensor->integer)
        return r;
    return larger(r, larger(of_array(&tensor->lo, t), of_array(&tensor->hi, t)));
}

/* Of all constants that n meets. */
static variation
of_node(const si_chain *chain, const nashc_node *n)
{
    const si_segment *segment = si_chain_segment(chain, n);
    variation r = NOT;
    if (!segment)
        return MIXED;
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        const nashc_value *v = nashc_node_in(n, i);
        if (!v || !si_is_const(chain->walk, v))
            continue;
        variation own = of_constant(chain->walk, n, i);
        r = larger(r, own != NOT && segment->shuffled ? BY_ELEMENT : own);
    }
    return r;
}

/* Type of the tensor of segment k, or of the sum that it is pending for. */
static const nashc_type *
segment_type(const si_chain *chain, int k)
{
    const si_tensor *tensor = chain->segment[k].tensor;
    return nashc_value_type(tensor->integer ? tensor->integer : operand(chain));
}

static variation
of_chain(const si_chain *chain)
{
    const si_tensor *tensor = chain->tensor;
    const nashc_type *t = segment_type(chain, chain->of_tensor);
    variation r = of_function(&tensor->scale, &tensor->bias, tensor, t);
    for (int k = 0; k < tensor->n_term; k++) {
        const si_value *x = tensor->term[k].x;
        r = larger(r, of_function(&x->scale, &x->bias, x->tensor, t));
    }
    if (r != NOT && chain->segment[chain->of_tensor].shuffled)
        r = BY_ELEMENT;
    for (int k = 0; k < chain->n_node && r != MIXED; k++)
        if (!si_chain_is_via(chain, chain->node[k]))
            r = larger(r, of_node(chain, chain->node[k]));
    return r;
}

/* --- rows --------------------------------------------------------------------------------------
 */

/* Elements of the segment behind via for all rows: rows of up, followed backwards. */
static bool
trace_through(const si_chain *chain, variation rows, const si_segment *up, int64_t *element)
{
    const nashc_node *via = up->tensor->via;
    const nashc_type *in = nashc_value_type(nashc_node_in(via, 0));
    const nashc_type *out = nashc_value_type(nashc_node_out(via, up->tensor->via_out));
    int64_t *map = NULL;
    if (rows != NOT && !up->tensor->via_is_pool &&
        !(map = si_map_of(chain->walk, via, up->tensor->via_out)))
        return false;
    for (int64_t r = 0; r < chain->n_rows; r++)
        element[r] = map           ? map[up->element[r]]
                     : rows == NOT ? 0
                                   : si_first_of_channel(in, si_channel_of(out, up->element[r]));
    nashc_mem_free(map);
    return true;
}

/* Elements of each segment for all rows. */
static bool
trace(si_chain *chain, variation rows)
{
    const nashc_type *t = nashc_value_type(operand(chain));
    for (int k = 0; k < chain->n_segment; k++) {
        int64_t *element = malloc((size_t)chain->n_rows * sizeof(*element) + 1);
        chain->segment[k].element = element;
        if (!element)
            return si_no_memory(chain->walk->job);
        for (int64_t r = 0; k == 0 && r < chain->n_rows; r++)
            element[r] = rows == BY_CHANNEL ? si_first_of_channel(t, r) : r;
        if (k > 0 && !trace_through(chain, rows, &chain->segment[k - 1], element))
            return false;
    }
    return true;
}

/* --- variants ----------------------------------------------------------------------------------
 */

/* Two 64-bit hashes: 128 bits, so that equal ones are equal rows. */
typedef struct row_hash {
    uint64_t h[2];
} row_hash;

static void
mix(row_hash *hash, uint64_t v)
{
    for (int k = 0; k < 2; k++) {
        uint64_t h = hash->h[k] ^ v;
        h *= UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 29;
        h *= UINT64_C(0xBF58476D1CE4E5B9);
        hash->h[k] = h ^ (h >> 32);
    }
}

static void
mix_real(row_hash *hash, double v)
{
    uint64_t bits;
    v += 0.0; /* one zero only */
    memcpy(&bits, &v, sizeof bits);
    mix(hash, bits);
}

static void
mix_function(row_hash *hash, const si_array *scale, const si_array *bias, const si_tensor *tensor,
             const nashc_type *t, int64_t e)
{
    mix_real(hash, si_at(scale, t, e));
    mix_real(hash, si_at(bias, t, e));
    mix_real(hash, tensor->integer ? si_at(&tensor->lo, t, e) : 0);
    mix_real(hash, tensor->integer ? si_at(&tensor->hi, t, e) : 0);
}

/* The constants that n meets in row r. */
static void
mix_node(row_hash *hash, const si_chain *chain, const nashc_node *n, int64_t r)
{
    const si_segment *segment = si_chain_segment(chain, n);
    for (int i = 0; i < nashc_node_n_in(n); i++) {
        nashc_value *c = nashc_node_in(n, i);
        if (!c || !si_is_const(chain->walk, c))
            continue;
        const nashc_tensor *k = si_known(chain->walk, c);
        int64_t at = si_constant_index(n, nashc_tensor_type(k), segment->element[r]);
        if (si_has_table(n))
            mix(hash, (uint64_t)at);
        else
            mix_real(hash, nashc_tensor_get(k, at));
    }
}

/* All that row r meets. */
static row_hash
hash_of(const si_chain *chain, int64_t r)
{
    const si_tensor *tensor = chain->tensor;
    const nashc_type *t = segment_type(chain, chain->of_tensor);
    int64_t e = chain->segment[chain->of_tensor].element[r];
    row_hash hash = {{1, 2}};
    mix_function(&hash, &tensor->scale, &tensor->bias, tensor, t, e);
    for (int i = 0; i < tensor->n_term; i++) {
        const si_value *x = tensor->term[i].x;
        mix_function(&hash, &x->scale, &x->bias, x->tensor, t, e);
    }
    for (int k = 0; k < chain->n_node; k++)
        if (!si_chain_is_via(chain, chain->node[k]))
            mix_node(&hash, chain, chain->node[k], r);
    return hash;
}

/* Numbers the different rows, by a hash table of size slots, a power of two. */
static void
number_rows(si_chain *chain, row_hash *key, int64_t *slot, int64_t size)
{
    for (int64_t i = 0; i < size; i++)
        slot[i] = -1;
    for (int64_t r = 0; r < chain->n_rows; r++) {
        row_hash hash = hash_of(chain, r);
        int64_t at = (int64_t)(hash.h[0] & (uint64_t)(size - 1));
        while (slot[at] >= 0 && memcmp(&key[slot[at]], &hash, sizeof hash) != 0)
            at = (at + 1) & (size - 1);
        if (slot[at] < 0) {
            key[chain->n_variants] = hash;
            chain->row_of[chain->n_variants] = r;
            slot[at] = chain->n_variants++;
        }
        chain->variant_of[r] = slot[at];
    }
}

static bool
find_variants(si_chain *chain)
{
    int64_t n = chain->n_rows, size = 1;
    while (size < 2 * n)
        size *= 2;
    row_hash *key = malloc((size_t)n * sizeof(*key) + 1);
    int64_t *slot = malloc((size_t)size * sizeof(*slot));
    chain->variant_of = malloc((size_t)n * sizeof(int64_t) + 1);
    chain->row_of = malloc((size_t)n * sizeof(int64_t) + 1);
    bool ok = (key && slot && chain->variant_of && chain->row_of) || si_no_memory(chain->walk->job);
    if (ok)
        number_rows(chain, key, slot, size);
    free(key);
    free(slot);
    return ok;
}

/* The affine form of the operand, as seen from the tensor. */
static void
set_guess(si_chain *chain, int64_t variant)
{
    const si_value *x = si_of(chain->walk, operand(chain));
    const si_tensor *tensor = chain->tensor, *nearest = chain->segment[0].tensor;
    const nashc_type *t = nashc_value_type(operand(chain));
    int64_t e = chain->segment[0].element[chain->row_of[variant]];
    double scale = chain->scale[variant], bias = chain->bias[variant];
    double other = si_at(&nearest->scale, segment_type(chain, 0), e);
    double sign = scale * other < 0 ? -1 : 1; /* pools turn falling channels */
    chain->guess_scale[variant] = sign * si_at(&x->scale, t, e);
    chain->guess_bias[variant] = si_at(&x->bias, t, e);
    if (tensor->pending == x->tensor) { /* x is in terms of the sum's value, not of its integer */
        chain->guess_bias[variant] += chain->guess_scale[variant] * bias;
        chain->guess_scale[variant] *= scale;
    }
}

static bool
set_parameters(si_chain *chain)
{
    int64_t n = chain->n_variants;
    const si_tensor *tensor = chain->tensor;
    const nashc_type *t = segment_type(chain, chain->of_tensor);
    const si_implied *implied = chain->walk->implied;
    bool on_grid = implied && implied->node == chain->quantiser && implied->known;
    double *p = malloc((size_t)n * 8 * sizeof(*p) + 1);
    if (!p)
        return si_no_memory(chain->walk->job);
    chain->scale = p;
    chain->bias = p + n;
    chain->lo = p + 2 * n;
    chain->hi = p + 3 * n;
    chain->guess_scale = p + 4 * n;
    chain->guess_bias = p + 5 * n;
    chain->unit = on_grid ? p + 6 * n : NULL;
    chain->zero = on_grid ? p + 7 * n : NULL;
    for (int64_t i = 0; i < n; i++) {
        int64_t e = chain->segment[chain->of_tensor].element[chain->row_of[i]];
        chain->scale[i] = si_at(&tensor->scale, t, e);
        chain->bias[i] = si_at(&tensor->bias, t, e);
        chain->lo[i] = tensor->integer ? si_at(&tensor->lo, t, e) : 0;
        chain->hi[i] = tensor->integer ? si_at(&tensor->hi, t, e) : 0;
        set_guess(chain, i);
        if (on_grid) {
            const nashc_type *out = nashc_value_type(nashc_node_out(chain->quantiser, 0));
            e = chain->segment[0].element[chain->row_of[i]];
            chain->unit[i] = si_at(&implied->scale, out, e);
            chain->zero[i] = si_at(&implied->zero, out, e);
        }
    }
    return true;
}

/* --- making ------------------------------------------------------------------------------------
 */

/* All that comes once the segments and nodes are known. */
static bool
set_rows(si_chain *chain, bool per_channel)
{
    si_job *job = chain->walk->job;
    const nashc_type *t = nashc_value_type(operand(chain));
    variation rows = of_chain(chain);
    if (si_failed(job))
        return false;
    if (rows == MIXED)
        return si_no(job, "branches of its function meet behind a moving op");
    if (per_channel && rows == BY_ELEMENT)
        return si_no(job, NULL);
    chain->n_rows = rows == NOT          ? 1
                    : rows == BY_CHANNEL ? nashc_type_channels(t)
                                         : nashc_type_count(t);
    if (chain->n_rows > MAX_ROWS)
        return si_no(job, "its function differs in too many elements");
    return trace(chain, rows) && find_variants(chain) && set_parameters(chain);
}

si_chain *
si_chain_create(si_walk *walk, si_tensor *tensor, nashc_node *quantiser, bool per_channel)
{
    si_tensor *nearest = si_of(walk, si_dynamic_operand(walk, quantiser))->tensor;
    si_chain *chain = calloc(1, sizeof(*chain));
    if (!chain) {
        si_no_memory(walk->job);
        return NULL;
    }
    chain->walk = walk;
    chain->tensor = tensor;
    chain->quantiser = quantiser;
    if (make_segments(chain, tensor->pending == nearest ? tensor : nearest) && collect(chain) &&
        set_rows(chain, per_channel)) {
        si_chain_set_function(chain);
        if (si_chain_keeps_offset(chain))
            return chain;
        si_no(walk->job, "its zero points, times the factors behind them, are more than 2^49 "
                         "steps of the quantiser: smaller factors, or no zero point, are exact");
    }
    si_chain_free(chain);
    return NULL;
}

void
si_chain_free(si_chain *chain)
{
    if (!chain)
        return;
    for (int i = 0; chain->segment && i < chain->n_segment; i++)
        free(chain->segment[i].element);
    free(chain->segment);
    free(chain->node);
    free(chain->variant_of);
    free(chain->row_of);
    free(chain->scale);
    if (chain->module)
        nashc_module_free(chain->module);
    free(chain);
}
