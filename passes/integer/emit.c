/* emit.c: nodes and constants of the integer graph; equal ones are built once. */
#include "integer.h"

#include <stdlib.h>
#include <string.h>

#define FNV_START UINT64_C(1469598103934665603) /* FNV-1a */
#define FNV_PRIME UINT64_C(1099511628211)
#define CONSTANT  7 /* stands for any constant in a hash */

/* Constants are equal if they share their storage. */
static const void *
identity_of(const nashc_value *v)
{
    return v && nashc_value_const(v) ? (const void *)nashc_value_const(v) : v;
}

/* The table is only searched for equals: what order it has does not matter. */
static uint64_t
hash_of(const char *op, nashc_value *const *in, int n, const char *attrs)
{
    uint64_t h = FNV_START;
    for (int k = 0; k < 2; k++)
        for (const char *s = k ? attrs : op; *s; s++)
            h = (h ^ (uint8_t)*s) * FNV_PRIME;
    for (int i = 0; i < n; i++)
        h = (h ^ (in[i] && !nashc_value_const(in[i]) ? nashc_value_id(in[i]) : CONSTANT)) *
            FNV_PRIME;
    return h;
}

/* The hash may clash, and says nothing of constants. */
static bool
is_same(const si_made *m, uint64_t hash, const char *op, nashc_value *const *in, int n,
        const char *attrs)
{
    bool same = m->hash == hash && strcmp(m->op, op) == 0 && strcmp(m->attrs, attrs) == 0;
    for (int i = 0; same && i < (int)NASHC_COUNT(m->in); i++)
        same = identity_of(m->in[i]) == identity_of(i < n ? in[i] : NULL);
    return same;
}

/* Remembers that v is the result of such a node. */
static bool
note(si_walk *walk, si_made **list, uint64_t hash, nashc_value *const *in, int n, const char *attrs,
     nashc_value *v)
{
    si_made *m = si_alloc(walk->job, 1, sizeof(*m));
    const char *text = m ? nashc_arena_strdup(walk->job->arena, attrs) : NULL;
    if (!text)
        return m ? si_no_memory(walk->job) : false;
    *m = (si_made){.hash = hash,
                   .op = nashc_node_opname(nashc_value_def(v)),
                   .attrs = text,
                   .out = v,
                   .next = *list};
    memcpy(m->in, in, (size_t)n * sizeof(*in));
    *list = m;
    return true;
}

/* Equal ones come up all the time: two quantisers with the same thresholds on one tensor, the same
 * float recomputed for several readers. */
nashc_value *
si_emit(si_walk *walk, const char *op, nashc_value *const *in, int n, const char *attrs)
{
    const char *text = attrs ? attrs : "";
    uint64_t h = hash_of(op, in, n, text);
    si_made **list = &walk->made[h & (walk->n_made - 1)], *m;
    bool kept = n <= (int)NASHC_COUNT(m->in);

    for (m = kept ? *list : NULL; m; m = m->next)
        if (is_same(m, h, op, in, n, text))
            return m->out;
    nashc_value *v = nashc_build_op(walk->build, op, in, n, "%s", text);
    if (!v) {
        si_fail(walk->job, nashc_build_status(walk->build));
        return NULL;
    }
    return kept && !note(walk, list, h, in, n, text, v) ? NULL : v;
}

/* The caller has rounded: a holds whole numbers. */
nashc_value *
si_const_int(si_walk *walk, const si_array *a)
{
    int64_t *whole = malloc((size_t)a->n * sizeof(*whole) + 1);
    if (!whole) {
        si_no_memory(walk->job);
        return NULL;
    }
    for (int64_t i = 0; i < a->n; i++)
        whole[i] = (int64_t)a->v[i];
    nashc_type t = nashc_type_shaped(nashc_type_int(64), a->rank, a->dim);
    nashc_tensor *r = si_int_tensor(walk->job, &t, whole);
    free(whole);
    return r ? nashc_build_const(walk->build, NULL, si_ref(r)) : NULL;
}

nashc_value *
si_const_real(si_walk *walk, const si_array *a)
{
    bool narrow = true;
    for (int64_t i = 0; i < a->n; i++)
        narrow = narrow && (double)(float)a->v[i] == a->v[i];
    nashc_type t = nashc_type_shaped(narrow ? nashc_type_f32() : nashc_type_f64(), a->rank, a->dim);
    return nashc_build_const(walk->build, NULL, nashc_tensor_from_f64(&t, a->v));
}

nashc_value *
si_times(si_walk *walk, nashc_value *integer, const si_array *m)
{
    if (si_all_eq(m, 1.0))
        return integer;
    return si_emit(walk, "nn.mul", (nashc_value *[]){integer, si_const_int(walk, m)}, 2, NULL);
}
