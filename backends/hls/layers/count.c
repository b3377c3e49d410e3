/* count.c: thresholds of a layer: how many of a channel's a value reaches.
 *
 * Rows ascend, so a binary search finds the number: what is known to be reached grows by 2^k, from
 * the largest power down, wherever the threshold just below is reached too.
 */
#include "count.h"

bool
hls_parallel(int64_t style, int64_t n)
{
    return style == 1 || (style == 0 && n <= 3);
}

int
hls_stages(int64_t n)
{
    int stages = 0;

    while (((int64_t)1 << stages) < n + 1)
        stages++;
    return stages;
}

static void
compare(nashc_hls *h, const hls_count *c, int64_t k, const char *row)
{
    const nashc_type *t = nashc_tensor_type(c->t);
    nashc_type wide = hls_hull(c->x, t);

    nashc_hls_helper(h, "int n = 0;");
    nashc_hls_helper(h, "%s", "");
    if (hls_parallel(c->style, k)) {
        nashc_hls_helper(h, "for (int k = 0; k < %" PRId64 "; k++) {", k);
        nashc_hls_helper(h, "#pragma HLS unroll");
        nashc_hls_helper(h, "if (%s >= %s)", hls_value(h, c->x, &wide, "x"),
                         hls_value(h, t, &wide, nashc_hls_text(h, "%s[k]", row)));
        nashc_hls_helper(h, "    n++;");
    } else {
        nashc_hls_helper(h, "for (int step = %d; step > 0; step /= 2) {", 1 << (hls_stages(k) - 1));
        nashc_hls_helper(h, "#pragma HLS unroll");
        nashc_hls_helper(h, "if (n + step <= %" PRId64 " && %s >= %s)", k,
                         hls_value(h, c->x, &wide, "x"),
                         hls_value(h, t, &wide, nashc_hls_text(h, "%s[n + step - 1]", row)));
        nashc_hls_helper(h, "    n += step;");
    }
    nashc_hls_helper(h, "}");
}

const char *
hls_count_function(nashc_hls *h, const hls_count *c)
{
    const nashc_type *t = nashc_tensor_type(c->t);
    int64_t rows = t->dim[0], k = t->dim[1];
    bool shared = rows == 1;
    const int64_t dim[] = {shared ? 1 : rows / c->pe, shared ? 1 : c->pe, k};
    const char *table = hls_tensor(h, "thresholds", c->t, 3, dim), *dirs = NULL;
    const char *name = nashc_hls_name(h, "count"), *y = nashc_hls_type(h, c->y);

    if (c->dir)
        dirs = hls_tensor(h, "upwards", c->dir, 2,
                          (int64_t[]){nashc_tensor_count(c->dir) / c->pe, c->pe});
    if (!table || (c->dir && !dirs))
        return "";
    nashc_hls_helper(h, "static %s", y);
    nashc_hls_helper(h, "%s(%s x, int f, int p)", name, nashc_hls_type(h, c->x));
    nashc_hls_helper(h, "{");
    nashc_hls_helper(h, "#pragma HLS inline");
    hls_memory(h, nashc_hls_helper, table, hls_parallel(c->style, k) ? 1 : 3, 3, "rom_1p",
               c->ram_style);
    if (!hls_parallel(c->style, k))
        nashc_hls_helper(h, "#pragma HLS array_partition variable=%s complete dim=2", table);
    compare(h, c, k, nashc_hls_text(h, shared ? "%s[0][0]" : "%s[f][p]", table));
    if (shared && !dirs)
        nashc_hls_helper(h, "(void)f, (void)p; /* all channels have the same thresholds */");
    if (dirs) {
        nashc_hls_helper(h, "if (!%s[f][p]) /* counts those that are not reached */", dirs);
        nashc_hls_helper(h, "    n = %" PRId64 " - n;", k);
    }
    if (c->y->kind != NASHC_K_BIP && c->bias != 0)
        nashc_hls_helper(h, "return (%s)(n %c %" PRId64 ");", y, c->bias < 0 ? '-' : '+',
                         c->bias < 0 ? -c->bias : c->bias);
    else
        nashc_hls_helper(h, "return (%s)n;", y);
    nashc_hls_helper(h, "}");
    nashc_hls_helper(h, "%s", "");
    return name;
}
