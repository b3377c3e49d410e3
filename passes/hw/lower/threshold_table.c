/* threshold_table.c: thresholds of the integer graph to thresholds of a layer. */
#include "lower.h"
#include <inttypes.h>
#include <math.h>

#define MANY_BITS 4e6

/* out_scale and out_bias as bias, bipolar and direction, else as layers behind. */
static void
output_map(const nashc_node *mt, int64_t steps, lower_thresholds *out, bool *flip)
{
    int64_t bias = nashc_node_int(mt, "out_bias"), scale = nashc_node_int(mt, "out_scale");

    out->bipolar = steps == 1 && ((scale == 2 && bias == -1) || (scale == -2 && bias == 1));
    out->scale = 1;
    *flip = scale == -1 || (out->bipolar && scale < 0);
    if (out->bipolar)
        return;
    if (scale == 1) {
        out->bias = bias;
    } else if (scale == -1) {
        out->bias = bias - steps; /* bias - n = (bias - K) + (K - n) */
    } else {
        out->scale = scale;
        out->offset = bias;
    }
}

nashc_value *
lower_put_affine(nashc_lower *l, nashc_value *v, const lower_thresholds *s)
{
    if (s->scale != 1)
        v = lower_put_channelwise(l, v, "mul", &s->scale, 1);
    return s->offset == 0 ? v : lower_put_channelwise(l, v, "add", &s->offset, 1);
}

static int64_t
clip(double v, int64_t lo, int64_t hi)
{
    v = ceil(v);
    return v <= (double)lo ? lo : v > (double)hi ? hi + 1 : (int64_t)v;
}

static void
drop_columns(lower_thresholds *s, int64_t lo, int64_t hi)
{
    int64_t first = 0, last = s->n;
    bool all = true;

    if (s->dir || s->bipolar)
        return;
    while (last > 1 && all) {
        for (int64_t r = 0; r < s->rows; r++)
            all = all && s->t[r * s->n + last - 1] > hi;
        last -= all;
    }
    all = true;
    while (first < last - 1 && all) {
        for (int64_t r = 0; r < s->rows; r++)
            all = all && s->t[r * s->n + first] <= lo;
        first += all;
    }
    for (int64_t r = 0, k = 0; r < s->rows; r++)
        for (int64_t i = first; i < last; i++)
            s->t[k++] = s->t[r * s->n + i];
    s->n = last - first;
    s->bias += first;
}

static void
merge_rows(lower_thresholds *s)
{
    for (int64_t i = s->n; i < s->rows * s->n; i++)
        if (s->t[i] != s->t[i - s->n])
            return;
    s->rows = 1;
}

/* Tables that no usual device should be filled with: said before anything is written. */
static void
warn_size(const nashc_node *mt, const lower_thresholds *s, int64_t lo, int64_t hi, nashc_diag *d)
{
    nashc_type t = nashc_type_for_range(lo, hi < INT64_MAX ? hi + 1 : hi);
    double bits = (double)s->rows * (double)s->n * (double)t.bits;
    nashc_loc loc = nashc_node_loc(mt) ? *nashc_node_loc(mt) : (nashc_loc){0};

    if (bits < MANY_BITS)
        return;
    nashc_warning(d, &loc, "many-thresholds",
                  "%" PRId64 " rows of %" PRId64 " thresholds take %.1f Mbit of memory, about %.0f "
                  "block RAMs of 18 Kbit",
                  s->rows, s->n, bits / 1e6, ceil(bits / 18432));
    nashc_help(d, "an activation of fewer bits, or one whose steps are even (--explain="
                  "thresholds-to-requant tells where they are not), takes less");
}

nashc_status
lower_prepare_thresholds(const nashc_node *mt, const int64_t *add, int64_t n_add, int64_t channels,
                         int64_t lo, int64_t hi, nashc_arena *a, lower_thresholds *out,
                         nashc_diag *d)
{
    const nashc_tensor *t = nashc_value_const(nashc_node_in(mt, 1));
    const nashc_value *dv = nashc_node_in(mt, 2);
    const nashc_tensor *dir = dv ? nashc_value_const(dv) : NULL;
    const nashc_type *tt = nashc_tensor_type(t);
    int64_t rows = tt->dim[0], n = tt->dim[1];
    lower_thresholds s = {.rows = rows > 1 || n_add > 1 ? channels : 1, .n = n};
    bool flip, down = false;

    output_map(mt, n, &s, &flip);
    s.t = NASHC_NEW_N(a, int64_t, s.rows * n + 1);
    int64_t *dirs = NASHC_NEW_N(a, int64_t, channels + 1);
    if (!s.t || !dirs)
        return nashc_enomem(d);
    for (int64_t r = 0; r < s.rows; r++)
        for (int64_t k = 0; k < n; k++) {
            double v = nashc_tensor_get(t, (rows > 1 ? r : 0) * n + k);
            double moved = add ? (double)add[n_add > 1 ? r : 0] : 0.0;
            s.t[r * n + k] = clip(v - moved, lo, hi);
        }
    for (int64_t c = 0; c < channels; c++) {
        int64_t v = dir ? nashc_tensor_get_int(dir, nashc_tensor_count(dir) > 1 ? c : 0) : 1;
        dirs[c] = flip ? -v : v;
        down = down || dirs[c] < 0;
    }
    s.dir = down ? dirs : NULL;
    drop_columns(&s, lo, hi);
    merge_rows(&s);
    warn_size(mt, &s, lo, hi, d);
    *out = s;
    return NASHC_OK;
}

nashc_value *
lower_directions(nashc_lower *l, const lower_thresholds *s, int64_t channels)
{
    nashc_type bip = nashc_type_bip(), t = nashc_type_shaped(bip, 1, (int64_t[]){channels});

    return s->dir ? nashc_build_const(nashc_lower_build(l), NULL, nashc_tensor_from_i64(&t, s->dir))
                  : NULL;
}

const char *
lower_thresholds_text(nashc_lower *l, const lower_thresholds *s)
{
    return s->bipolar ? "bipolar=true"
                      : nashc_arena_printf(nashc_lower_arena(l), "act_bias=%" PRId64, s->bias);
}
