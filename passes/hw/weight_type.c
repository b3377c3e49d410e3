/* weight_type.c: weights of a wider type than they need, for others that are written later. */
#include "hw.h"
#include <inttypes.h>

/* w in elements of the type, which holds them. */
static nashc_tensor *
retyped(const nashc_tensor *w, const nashc_type *elem)
{
    nashc_type t = nashc_type_with_elem(nashc_tensor_type(w), elem);
    nashc_buf buf;

    if (!nashc_buf_alloc(&buf, &t))
        return NULL;
    for (int64_t k = 0; k < buf.n; k++)
        nashc_buf_set_int(&buf, k, nashc_tensor_get_int(w, k));
    return nashc_tensor_take(&buf);
}

nashc_status
hw_widen_weights(nashc_graph *f, nashc_node *n, const char *finn_name, nashc_diag *d)
{
    const nashc_tensor *w = nashc_value_const(nashc_node_in(n, 1));
    const nashc_type *now = nashc_tensor_type(w);
    nashc_type elem = nashc_type_f32();
    char name[32];

    nashc_type_finn_name(now, name, sizeof name);
    if (!nashc_type_from_finn_name(finn_name, &elem) || !nashc_type_is_int(&elem))
        return nashc_node_error(d, n, "weightDataType %s is no integer type",
                                nashc_quote(d, finn_name));
    if ((elem.kind == NASHC_K_BIP) != (now->kind == NASHC_K_BIP))
        return nashc_node_error(d, n, "weightDataType %s: weights of %s have units of another kind",
                                finn_name, name);
    for (int64_t k = 0; k < nashc_tensor_count(w); k++)
        if (!nashc_type_holds(&elem, nashc_tensor_get(w, k)))
            return nashc_node_error(d, n, "weightDataType %s does not hold the weight %" PRId64,
                                    finn_name, nashc_tensor_get_int(w, k));
    nashc_build *b = nashc_build_create(f, d);
    nashc_tensor *wide = b ? retyped(w, &elem) : NULL;
    if (!wide)
        return nashc_enomem(d);
    nashc_build_before(b, n);
    nashc_value *v = nashc_build_const(b, NULL, wide);
    if (!v)
        return nashc_enomem(d);
    nashc_node_set_in(n, 1, v);
    return NASHC_OK;
}
