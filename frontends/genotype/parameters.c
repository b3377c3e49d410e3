/* parameters.c: parameters of a network by name: made from a seed, or taken from a file. */
#include "frontends/genotype/net.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

#define MAX_ARRAYS 4096

/* --- made ------------------------------------------------------------------------------------ */

/* SplitMix64, after Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
 */
static uint64_t
next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* A stream of its own for each name (FNV-1a), so that a network's other layers do not matter. */
static uint64_t
stream(uint64_t seed, const char *name)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 0x100000001b3u;
    h ^= next(&seed);
    return next(&h);
}

/* Nearly normal, mean 0, deviation 1: the sum of twelve uniform numbers, which needs no function of
 * a C library, so that all machines agree. */
static double
normal(uint64_t *state)
{
    int64_t sum = 0;
    for (int i = 0; i < 3; i++) {
        uint64_t v = next(state);
        sum += (int64_t)((v & 0xffff) + (v >> 16 & 0xffff) + (v >> 32 & 0xffff) + (v >> 48));
    }
    return (double)(sum - 6 * 65535) / 65536.0;
}

static nashc_tensor *
make(const nashc_geno_net *n, const char *name, const nashc_type *t, geno_fill fill, double size)
{
    nashc_buf b;
    uint64_t state = stream(n->seed, name);
    if (!nashc_buf_alloc(&b, t))
        return NULL;
    float *v = b.data;
    for (int64_t i = 0; i < b.n; i++)
        v[i] = (float)(fill == GENO_NORMAL ? size * normal(&state) : size);
    nashc_tensor *made = nashc_tensor_take(&b);
    nashc_buf_free(&b);
    return made;
}

/* --- from a file ----------------------------------------------------------------------------- */

/* Keeps floating arrays as f32; others are no parameters. */
static nashc_status
keep(void *user, const char *name, int rank, const int64_t *dim, const nashc_buf *data,
     nashc_diag *d)
{
    geno_arrays *a = user;
    if (!name || rank > NASHC_MAX_RANK || !nashc_type_is_float(&data->type))
        return NASHC_OK;
    if (a->n == MAX_ARRAYS)
        return nashc_error(d, &(nashc_loc){.file = a->file}, "more than %d arrays", MAX_ARRAYS);
    bool scalar = data->n == 1; /* a threshold: kept in full */
    nashc_type t = nashc_type_shaped(scalar ? nashc_type_f64() : nashc_type_f32(), rank, dim);
    nashc_buf b;
    const char *copy = nashc_arena_strdup(a->arena, name);
    if (!copy || !nashc_buf_alloc(&b, &t))
        return nashc_enomem(d);
    if (data->cell == NASHC_FLOAT && !scalar)
        memcpy(b.data, data->data, (size_t)b.n * sizeof(float));
    else
        for (int64_t i = 0; i < b.n; i++)
            nashc_buf_set(&b, i, nashc_buf_get(data, i));
    a->at[a->n] = (geno_array){copy, nashc_tensor_take(&b)};
    nashc_buf_free(&b);
    return a->at[a->n++].tensor ? NASHC_OK : nashc_enomem(d);
}

/* By an interface that the tool brings: the library reads no zip files. */
nashc_status
geno_arrays_read(nashc_ctx *c, const char *path, geno_arrays *out, nashc_diag *d)
{
    nashc_array_reader *read = (nashc_array_reader *)nashc_impl_find(c, "arrays", "npz");
    out->file = path;
    out->arena = nashc_arena_create();
    out->at = out->arena ? NASHC_NEW_N(out->arena, geno_array, MAX_ARRAYS) : NULL;
    if (!out->at)
        return nashc_enomem(d);
    if (!read)
        return nashc_unsup(d, &(nashc_loc){.file = path}, "nothing here reads .npz files");
    return read(path, keep, out, d);
}

void
geno_arrays_free(geno_arrays *a)
{
    for (int i = 0; i < a->n; i++)
        nashc_tensor_unref(a->at[i].tensor);
    nashc_arena_free(a->arena);
}

/* Same shape? A scalar may have an axis of one. */
static bool
fits(const nashc_type *have, const nashc_type *want)
{
    return nashc_type_same_shape(have, want) || (want->rank == 0 && nashc_type_count(have) == 1);
}

/* A reference to the file's tensor, shared, where type and shape agree. */
static nashc_tensor *
take(nashc_geno_net *n, const char *name, const nashc_type *t)
{
    char have[NASHC_TYPE_STR_MAX], want[NASHC_TYPE_STR_MAX];
    nashc_loc loc = {.file = n->weights.file};
    const geno_array *a = n->weights.at, *end = a + n->weights.n;
    while (a < end && strcmp(a->name, name) != 0)
        a++;
    nashc_type_print(t, want, sizeof want);
    if (a == end) {
        n->status = nashc_error(n->d, &loc, "there is no parameter \"%s\" (%s)", name, want);
        return NULL;
    }
    if (!fits(nashc_tensor_type(a->tensor), t)) {
        nashc_type_print(nashc_tensor_type(a->tensor), have, sizeof have);
        n->status =
            nashc_error(n->d, &loc, "parameter \"%s\" is %s, the network has %s", name, have, want);
        return NULL;
    }
    if (!nashc_tensor_all_finite(a->tensor)) {
        n->status = nashc_error(n->d, &loc, "parameter \"%s\" is not finite", name);
        return NULL;
    }
    if (t->rank == 0)
        return nashc_tensor_reshaped(a->tensor, 0, NULL);
    if (nashc_tensor_type(a->tensor)->kind == t->kind)
        return nashc_tensor_ref(a->tensor);
    double one = nashc_tensor_get(a->tensor, 0);
    return nashc_tensor_from_f64(t, &one);
}

/* --- either ---------------------------------------------------------------------------------- */

nashc_tensor *
geno_parameter(nashc_geno_net *n, const char *name, int rank, const int64_t *dim, geno_fill fill,
               double size)
{
    int64_t count = 1;
    if (n->status != NASHC_OK || !name)
        return NULL;
    for (int i = 0; i < rank; i++)
        if (!nashc_mul_size(count, dim[i], &count))
            count = NASHC_GENO_MAX_WEIGHTS + 1;
    if (count > NASHC_GENO_MAX_WEIGHTS - n->n_weights) {
        n->status = nashc_unsup(n->d, NULL, "a network of more than %" PRId64 " parameters",
                                NASHC_GENO_MAX_WEIGHTS);
        return NULL;
    }
    n->n_weights += count;
    nashc_type t = nashc_type_shaped(nashc_type_f32(), rank, dim);
    nashc_tensor *p = n->weights.file ? take(n, name, &t) : make(n, name, &t, fill, size);
    if (!p && n->status == NASHC_OK)
        n->status = nashc_enomem(n->d);
    return p;
}
