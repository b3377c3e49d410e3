/* emit.c: what the emitters of layers share. */
#include "emit.h"
#include <stdlib.h>
#include <string.h>

const nashc_type *
hls_in(const nashc_node *n, int i)
{
    return nashc_value_type(nashc_node_in(n, i));
}

const nashc_type *
hls_out(const nashc_node *n, int i)
{
    return nashc_value_type(nashc_node_out(n, i));
}

int64_t
hls_code(const nashc_type *t, int64_t value)
{
    return t->kind == NASHC_K_BIP ? value > 0 : value;
}

nashc_type
hls_hull(const nashc_type *a, const nashc_type *b)
{
    return nashc_type_for_range(a->lo < b->lo ? a->lo : b->lo, a->hi > b->hi ? a->hi : b->hi);
}

const char *
hls_value(nashc_hls *h, const nashc_type *t, const nashc_type *wide, const char *x)
{
    const char *type = nashc_hls_type(h, wide);

    if (t->kind == NASHC_K_BIP)
        return nashc_hls_text(h, "(%s)(%s ? 1 : -1)", type, x);
    return strcmp(type, nashc_hls_type(h, t)) == 0 ? x : nashc_hls_text(h, "(%s)%s", type, x);
}

const char *
hls_stored(nashc_hls *h, const nashc_type *y, const char *x)
{
    const char *type = nashc_hls_type(h, y);

    return y->kind == NASHC_K_BIP ? nashc_hls_text(h, "(%s)(%s > 0)", type, x)
                                  : nashc_hls_text(h, "(%s)(%s)", type, x);
}

const char *
hls_convert(nashc_hls *h, const nashc_type *t, const nashc_type *y, const char *x)
{
    return t->kind == NASHC_K_BIP && y->kind != NASHC_K_BIP ? hls_value(h, t, y, x) : x;
}

const char *
hls_tensor(nashc_hls *h, const char *what, const nashc_tensor *t, int rank, const int64_t *dim)
{
    const nashc_type *elem = nashc_tensor_type(t);
    int64_t count = nashc_tensor_count(t);
    int64_t *values = malloc((size_t)count * sizeof *values);

    for (int64_t i = 0; values && i < count; i++)
        values[i] = hls_code(elem, nashc_tensor_get_int(t, i));
    const char *name = values ? nashc_hls_table(h, what, elem, rank, dim, values) : NULL;
    free(values);
    return name;
}

void
hls_memory(nashc_hls *h, hls_say say, const char *name, int lines, int rank, const char *kind,
           const char *ram_style)
{
    static const char *const styles[][2] = {
        {"block", "bram"}, {"distributed", "lutram"}, {"ultra", "uram"}};

    for (int i = lines; i < rank; i++)
        say(h, "#pragma HLS array_reshape variable=%s complete dim=%d", name, i + 1);
    for (size_t i = 0; i < NASHC_COUNT(styles); i++)
        if (strcmp(styles[i][0], ram_style) == 0)
            say(h, "#pragma HLS bind_storage variable=%s type=%s impl=%s", name, kind,
                styles[i][1]);
}

hls_rows
hls_rows_of(const nashc_node *n, nashc_hls *h, int64_t rows)
{
    hls_rows r = {.pe = nashc_node_int(n, "pe"), .at = rows > 1 ? "[f][p]" : "[0][0]"};

    r.folds = rows > 1 ? rows / r.pe : 1;
    r.vectors = nashc_type_count(hls_in(n, 0)) / (r.folds * r.pe);
    nashc_hls_int(h, "PE", r.pe);
    nashc_hls_int(h, "FOLDS", r.folds);
    nashc_hls_int(h, "VECTORS", r.vectors);
    return r;
}

void
hls_open_rows(nashc_hls *h)
{
    nashc_hls_line(h, "for (int v = 0; v < VECTORS; v++) {");
    nashc_hls_line(h, "for (int f = 0; f < FOLDS; f++) {");
    nashc_hls_line(h, "#pragma HLS pipeline II=1");
}

void
hls_open_lanes(nashc_hls *h)
{
    nashc_hls_line(h, "for (int p = 0; p < PE; p++) {");
    nashc_hls_line(h, "#pragma HLS unroll");
}

void
hls_close(nashc_hls *h)
{
    nashc_hls_line(h, "}");
}

void
hls_give(nashc_hls *h, int k, const char *port, const char *y)
{
    nashc_hls_line(h, "NASHC_WRITE(%s, %s, %s);", nashc_hls_beat(h, false, k), port, y);
}
