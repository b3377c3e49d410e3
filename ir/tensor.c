/* tensor.c: immutable constants: a type, a counted store of cells, and a hash made at first need.
 */
#include "core/base/map.h"
#include "core/base/mem.h"
#include "ir/impl.h"
#include <math.h>
#include <sched.h>
#include <sha2.h>
#include <stdatomic.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "hashes and blob files are defined over little-endian cells"
#endif

/* Shared by tensors that differ in shape or interval only. */
typedef struct store {
    atomic_int refs;
    void *data;
} store;

enum { HASH_NONE, HASH_BUSY, HASH_DONE };

/* Immutable but for two caches, the hashes. Threads may share tensors: the counts and the state of
 * the hashes are atomic. */
struct nashc_tensor {
    atomic_int refs;
    store *store;
    nashc_buf view;         /* data is that of store */
    _Atomic uint64_t quick; /* 0: not computed */
    atomic_int hash_state;
    uint8_t hash[32];
};

/* Gives a wide buffer of the executor the storage of a type that holds its values. */
static bool
settle(nashc_buf *b)
{
    nashc_buf narrow;
    nashc_type f64 = nashc_type_f64();
    int64_t same = 0;

    if (!nashc_buf_alloc(&narrow, &b->type)) {
        nashc_buf_free(b);
        return false;
    }
    for (int64_t i = 0; i < b->n; i++) {
        double v = nashc_buf_get(b, i), w;
        nashc_buf_set(&narrow, i, v);
        w = nashc_buf_get(&narrow, i);
        same += v == w || (isnan(v) && isnan(w));
    }
    /* in double precision f32 results may hold what no f32 does: then the tensor is of f64 */
    if (same == b->n) {
        nashc_buf_free(b);
        *b = narrow;
    } else {
        nashc_buf_free(&narrow);
        b->type = nashc_type_with_elem(&b->type, &f64);
    }
    return true;
}

/* b is taken over, also on failure, and is left empty. */
nashc_tensor *
nashc_tensor_take(nashc_buf *b)
{
    nashc_tensor *t;
    store *s;

    if (b->cell != nashc_type_cell(&b->type) && !settle(b))
        return NULL;
    t = nashc_mem_calloc(1, sizeof(*t));
    s = nashc_mem_calloc(1, sizeof(*s));
    if (!t || !s || !b->data) {
        nashc_mem_free(t);
        nashc_mem_free(s);
        nashc_buf_free(b);
        return NULL;
    }
    atomic_init(&s->refs, 1);
    s->data = b->data;
    atomic_init(&t->refs, 1);
    t->store = s;
    t->view = *b;
    *b = (nashc_buf){0};
    return t;
}

nashc_tensor *
nashc_tensor_create(const nashc_type *t, const void *data)
{
    nashc_buf b;

    if (!nashc_buf_alloc(&b, t))
        return NULL;
    memcpy(b.data, data, (size_t)b.n * nashc_cell_size(b.cell));
/* the caller vouches for the cells; the hard build looks */
#ifdef NASHC_HARD
    for (int64_t i = 0; i < b.n; i++)
        if (!nashc_buf_belongs(&b, i)) {
            nashc_buf_free(&b);
            return NULL;
        }
#endif
    return nashc_tensor_take(&b);
}

bool
nashc_buf_belongs(const nashc_buf *b, int64_t i)
{
    const nashc_type *t = &b->type;

    if (b->cell <= NASHC_U64) {
        int64_t v = nashc_buf_get_int(b, i);
        return v >= t->lo && v <= t->hi && (t->kind != NASHC_K_BIP || v != 0);
    }
    return nashc_type_holds(t, nashc_buf_get(b, i));
}

/* NULL where a value does not fit, as with memory out: callers know which values they give. */
nashc_tensor *
nashc_tensor_from_f64(const nashc_type *t, const double *v)
{
    nashc_buf b;

    if (!nashc_buf_alloc(&b, t))
        return NULL;
    for (int64_t i = 0; i < b.n; i++) {
        /* nashc_buf_set would round without a word */
        if (t->kind == NASHC_K_MINI && !nashc_type_holds(t, v[i]))
            b.fault = true;
        nashc_buf_set(&b, i, v[i]);
    }
    if (b.fault) {
        nashc_buf_free(&b);
        return NULL;
    }
    return nashc_tensor_take(&b);
}

nashc_tensor *
nashc_tensor_from_i64(const nashc_type *t, const int64_t *v)
{
    nashc_buf b;

    if (!nashc_buf_alloc(&b, t))
        return NULL;
    nashc_buf_set_ints(&b, v);
    if (b.fault) {
        nashc_buf_free(&b);
        return NULL;
    }
    return nashc_tensor_take(&b);
}

nashc_tensor *
nashc_tensor_ref(nashc_tensor *t)
{
    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void
nashc_tensor_unref(nashc_tensor *t)
{
    if (!t || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (atomic_fetch_sub_explicit(&t->store->refs, 1, memory_order_acq_rel) == 1) {
        nashc_mem_free(t->store->data);
        nashc_mem_free(t->store);
    }
    nashc_mem_free(t);
}

const nashc_type *
nashc_tensor_type(const nashc_tensor *t)
{
    return &t->view.type;
}

const void *
nashc_tensor_data(const nashc_tensor *t)
{
    return t->view.data;
}

const nashc_buf *
nashc_tensor_buf(const nashc_tensor *t)
{
    return &t->view;
}

int64_t
nashc_tensor_count(const nashc_tensor *t)
{
    return t->view.n;
}

double
nashc_tensor_get(const nashc_tensor *t, int64_t i)
{
    return nashc_buf_get(&t->view, i);
}

int64_t
nashc_tensor_get_int(const nashc_tensor *t, int64_t i)
{
    return nashc_buf_get_int(&t->view, i);
}

size_t
nashc_tensor_bytes(const nashc_tensor *t)
{
    return (size_t)t->view.n * nashc_cell_size(t->view.cell);
}

/* Type as the hash sees it: element and shape; the interval and the layout are views. */
static nashc_type
hashed_type(const nashc_type *t)
{
    nashc_type h = *t;

    h.layout = NASHC_LAYOUT_DEFAULT;
    nashc_type_limits(&h, &h.lo, &h.hi);
    return h;
}

/* Computed once, by the thread that comes first; the others wait. SHA-256 of large weights takes a
 * while, and most tensors are never printed: so at first need. */
const uint8_t *
nashc_tensor_hash(const nashc_tensor *ct)
{
    nashc_tensor *t = (nashc_tensor *)ct; /* a cache: does not change what the tensor is */
    int none = HASH_NONE;

    if (atomic_load_explicit(&t->hash_state, memory_order_acquire) == HASH_DONE)
        return t->hash;
    if (atomic_compare_exchange_strong(&t->hash_state, &none, HASH_BUSY)) {
        nashc_type h = hashed_type(&t->view.type);
        char text[NASHC_TYPE_STR_MAX];
        SHA2_CTX c;
        SHA256Init(&c);
        nashc_type_print(&h, text, sizeof(text));
        SHA256Update(&c, (const uint8_t *)text, strlen(text) + 1);
        SHA256Update(&c, t->view.data, nashc_tensor_bytes(t));
        SHA256Final(t->hash, &c);
        atomic_store_explicit(&t->hash_state, HASH_DONE, memory_order_release);
    }
    while (atomic_load_explicit(&t->hash_state, memory_order_acquire) != HASH_DONE)
        sched_yield(); /* another thread is at it */
    return t->hash;
}

/* For the table of a module. Two threads may both compute it, to the same number. | 1, as 0 stands
 * for not computed. */
uint64_t
nashc_tensor_quick(const nashc_tensor *ct)
{
    nashc_tensor *t = (nashc_tensor *)ct;
    uint64_t q = atomic_load_explicit(&t->quick, memory_order_relaxed);

    if (!q) {
        const nashc_type *y = &t->view.type;
        uint64_t seed = (uint64_t)y->kind << 40 | (uint64_t)y->bits << 32 | y->rank;
        seed = nashc_hash_bytes(y->dim, sizeof(y->dim), seed);
        q = nashc_hash_bytes(t->view.data, nashc_tensor_bytes(t), seed) | 1;
        atomic_store_explicit(&t->quick, q, memory_order_relaxed);
    }
    return q;
}

bool
nashc_tensor_same(const nashc_tensor *a, const nashc_tensor *b)
{
    return a == b || (nashc_type_eq(&a->view.type, &b->view.type) &&
                      (a->store == b->store ||
                       memcmp(a->view.data, b->view.data, nashc_tensor_bytes(a)) == 0));
}

/* The same store seen as another type of equal cells. */
static nashc_tensor *
view(nashc_tensor *t, const nashc_type *type)
{
    nashc_tensor *v = nashc_mem_calloc(1, sizeof(*v));

    if (!v)
        return NULL;
    atomic_fetch_add_explicit(&t->store->refs, 1, memory_order_relaxed);
    atomic_init(&v->refs, 1);
    v->store = t->store;
    v->view = t->view;
    v->view.type = *type;
    return v;
}

nashc_tensor *
nashc_tensor_reshaped(nashc_tensor *t, int rank, const int64_t *dim)
{
    nashc_type type;

    if (rank < 0 || rank > NASHC_MAX_RANK)
        return NULL;
    type = nashc_type_shaped(t->view.type, rank, dim);
    return nashc_type_count(&type) == t->view.n ? view(t, &type) : NULL;
}

/* O(elements). src follows the odometer of the result by the strides of t: no index is divided. */
nashc_tensor *
nashc_tensor_transposed(const nashc_tensor *t, const int *perm)
{
    const nashc_type *from = &t->view.type;
    size_t cell = nashc_cell_size(t->view.cell);
    int64_t stride[NASHC_MAX_RANK + 1], step[NASHC_MAX_RANK], at[NASHC_MAX_RANK] = {0}, src = 0;
    nashc_type type = *from;
    int rank = from->rank;
    nashc_buf b;

    stride[rank] = 1;
    for (int i = rank - 1; i >= 0; i--)
        stride[i] = stride[i + 1] * from->dim[i];
    type.layout = NASHC_LAYOUT_DEFAULT;
    for (int i = 0; i < rank; i++) {
        if (perm[i] < 0 || perm[i] >= rank)
            return NULL;
        type.dim[i] = from->dim[perm[i]];
        step[i] = stride[perm[i] + 1];
    }
    if (nashc_type_count(&type) != t->view.n || !nashc_buf_alloc(&b, &type))
        return NULL;
    for (int64_t i = 0; i < b.n; i++) {
        memcpy((char *)b.data + (size_t)i * cell, (const char *)t->view.data + (size_t)src * cell,
               cell);
        for (int k = rank - 1; k >= 0; k--) { /* odometer */
            src += step[k];
            if (++at[k] < type.dim[k])
                break;
            src -= step[k] * type.dim[k];
            at[k] = 0;
        }
    }
    return nashc_tensor_take(&b);
}

bool
nashc_tensor_all_ge(const nashc_tensor *t, double v)
{
    for (int64_t i = 0; i < t->view.n; i++)
        if (!(nashc_buf_get(&t->view, i) >= v))
            return false;
    return true;
}

bool
nashc_tensor_all_eq(const nashc_tensor *t, double v)
{
    for (int64_t i = 0; i < t->view.n; i++)
        if (nashc_buf_get(&t->view, i) != v)
            return false;
    return true;
}

bool
nashc_tensor_all_integral(const nashc_tensor *t)
{
    if (nashc_type_is_int(&t->view.type))
        return true;
    for (int64_t i = 0; i < t->view.n; i++) {
        double v = nashc_buf_get(&t->view, i);
        if (!isfinite(v) || v != trunc(v))
            return false;
    }
    return true;
}

bool
nashc_tensor_all_finite(const nashc_tensor *t)
{
    for (int64_t i = 0; i < t->view.n; i++)
        if (!isfinite(nashc_buf_get(&t->view, i)))
            return false;
    return true;
}

/* NaN elements are passed over; of no elements both are 0. */
void
nashc_tensor_min_max(const nashc_tensor *t, double *min, double *max)
{
    double lo = INFINITY, hi = -INFINITY;

    for (int64_t i = 0; i < t->view.n; i++) {
        double v = nashc_buf_get(&t->view, i);
        lo = v < lo ? v : lo;
        hi = v > hi ? v : hi;
    }
    *min = lo > hi ? 0 : lo;
    *max = lo > hi ? 0 : hi;
}

bool
nashc_tensor_is_scalar(const nashc_tensor *t)
{
    return t->view.n == 1;
}

/* One number, or all dimensions but the channel axis of x are 1 once the shapes are aligned at
 * their last dimension, as broadcasting does. */
bool
nashc_tensor_is_per_channel(const nashc_tensor *t, const nashc_type *x)
{
    const nashc_type *y = &t->view.type;
    int axis = nashc_type_channel_axis(x), lead = y->rank - x->rank;

    if (t->view.n == 1)
        return true;
    for (int i = 0; i < y->rank; i++) {
        if (y->dim[i] == 1)
            continue;
        if (i - lead != axis || i < lead || y->dim[i] != x->dim[axis])
            return false;
    }
    return true;
}

double
nashc_tensor_channel(const nashc_tensor *t, const nashc_type *x, int64_t c)
{
    (void)x;
    return nashc_buf_get(&t->view, t->view.n == 1 ? 0 : c);
}
