/* parts.c: what the layers that join and divide streams part by part share: hw.concat, hw.split. */
#include "parts.h"

int64_t
hw_parts_count(const nashc_node *n, int i)
{
    return nashc_type_count(ops_type(n, i));
}

const int64_t *
hw_parts(const nashc_node *n)
{
    int count; /* 2 */

    return nashc_attr_ints(n, HW_PARTS_PARTS, &count);
}

nashc_status
hw_parts_matrix(const nashc_node *n, int64_t count, int64_t columns, int64_t part, nashc_type *out,
                nashc_diag *d)
{
    nashc_type elem = *out;

    if (columns == 0)
        columns = part;
    if (count % columns != 0)
        return nashc_node_error(
            d, n, "channels=%" PRId64 " does not divide the %" PRId64 " elements of a result",
            columns, count);
    *out = hw_matrix_type(&elem, count / columns, columns);
    return ops_check_shape(n, out, d);
}

nashc_status
hw_parts_verify(const nashc_node *n, nashc_diag *d)
{
    int64_t pe = nashc_attr_int(n, HW_PARTS_PE);
    nashc_status s = hw_check_divides(n, "pe", pe, hw_parts(n)[0], d);

    return s != NASHC_OK ? s : hw_check_divides(n, "pe", pe, hw_parts(n)[1], d);
}

bool
hw_parts_fold(const nashc_node *n, int64_t k, nashc_fold *out)
{
    int64_t a = hw_parts(n)[0], b = hw_parts(n)[1];

    while (b > 0) { /* pe divides both: the divisors of their gcd */
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return hw_fold_pe(a, k, out);
}
