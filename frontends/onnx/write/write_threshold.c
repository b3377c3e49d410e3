/* write_threshold.c: what counts thresholds, as QONNX MultiThreshold.
 *
 *     q.multithreshold(x, T, [dir])    MultiThreshold; channels that count down: Mul -1, Add K
 * behind it q.requant(x, m, a)               the same: the steps of a line, clamped, are thresholds
 */
#include "frontends/onnx/write/writer.h"
#include <math.h>
#include <stdlib.h>

#define MAX_STEPS ((int64_t)1 << 22) /* of a line in full */

/* bias + scale * #{k : x >= t[c][k]}, or #{k : x < t[c][k]} where down[c] */
typedef struct counting {
    const char *t; /* initialiser [rows, k] */
    int64_t k, scale, bias;
    bool *down; /* by channel, on the heap; NULL: none */
} counting;

static const nashc_value *
operand(const onnx_out *o, int i)
{
    return nashc_node_in(o->node, i);
}

static int
work_of(onnx_out *o)
{
    return onnx_elem_of(o, operand(o, 0)) == NASHC_ONNX_DOUBLE ? NASHC_ONNX_DOUBLE
                                                               : NASHC_ONNX_FLOAT;
}

/* MultiThreshold is for float32 and float64 containers. */
static bool
writable(const onnx_out *o)
{
    return onnx_container(nashc_value_type(operand(o, 0))) != NASHC_ONNX_FLOAT16 &&
           onnx_container(nashc_value_type(nashc_node_out(o->node, 0))) == NASHC_ONNX_FLOAT;
}

/* v in the container of x. In float32, x >= t and x >= t rounded up to the next float32 are the
 * same. */
static const char *
put_thresholds(onnx_out *o, double *v, const nashc_type *t, int work)
{
    for (int64_t i = 0, n = nashc_type_count(t); work == NASHC_ONNX_FLOAT && i < n; i++) {
        float f = (float)v[i];
        v[i] = (double)f < v[i] ? (double)nextafterf(f, INFINITY) : (double)f;
    }
    return onnx_put_array(o, v, t, work);
}

/* A channel that counts down, K - count, is a factor -1 and an addend K. */
static void
reverse_channels(onnx_out *o, const char *count, const char *out, const counting *c, int work)
{
    const nashc_type *x = nashc_value_type(operand(o, 0));
    int64_t channels = nashc_type_channels(x), dim[NASHC_MAX_RANK];
    double *v[2] = {malloc(sizeof(double) * (size_t)channels),
                    malloc(sizeof(double) * (size_t)channels)};
    const char *names[2] = {"", ""};

    for (int i = 0; i < x->rank; i++)
        dim[i] = i == nashc_type_channel_axis(x) ? channels : 1;
    for (int64_t i = 0; v[0] && v[1] && i < channels; i++) {
        v[0][i] = (double)(c->down[i] ? -c->scale : c->scale);
        v[1][i] = (double)(c->bias + (c->down[i] ? c->scale * c->k : 0));
    }
    for (int j = 0; v[0] && v[1] && j < 2; j++) {
        double lo = HUGE_VAL, hi = -HUGE_VAL;
        for (int64_t i = 0; i < channels; i++) {
            lo = fmin(lo, v[j][i]);
            hi = fmax(hi, v[j][i]);
        }
        nashc_type t =
            nashc_type_shaped(nashc_type_for_range((int64_t)lo, (int64_t)hi), x->rank, dim);
        nashc_tensor *tensor = nashc_tensor_from_f64(&t, v[j]);
        if (tensor)
            names[j] = onnx_put_tensor(o, j ? "base" : "direction", tensor, work);
        else
            o->no_memory = true;
        nashc_tensor_unref(tensor);
    }
    o->no_memory = o->no_memory || !v[0] || !v[1];
    free(v[0]);
    free(v[1]);
    count = onnx_emit1(o, "Mul", count, names[0], NULL, NULL);
    onnx_emit1(o, "Add", count, names[1], NULL, out);
}

/* Readers want a datatype that holds all counts, reached or not. */
static nashc_type
type_of_counts(const counting *c, const nashc_type *y)
{
    int64_t end = c->bias + c->scale * c->k, least, most;
    int64_t lo = end < c->bias ? end : c->bias, hi = end < c->bias ? c->bias : end;

    return nashc_type_limits(y, &least, &most) && least <= lo && hi <= most
               ? *y
               : nashc_type_for_range(lo, hi);
}

static nashc_status
write_count(onnx_out *o, const counting *c, int work)
{
    const nashc_value *x = operand(o, 0);
    const nashc_type *y = nashc_value_type(nashc_node_out(o->node, 0));
    bool last = nashc_value_type(x)->layout != NASHC_LAYOUT_DEFAULT;
    nashc_type type = c->down ? nashc_type_for_range(0, c->k) : type_of_counts(c, y);
    int rank = nashc_value_type(x)->rank;
    char finn[64];

    const char *in[2] = {onnx_use(o, x, work), c->t};
    const char *out = onnx_begin(o, work), *count = c->down ? onnx_between(o, &type, work) : out;
    onnx_emit(o, ONNX_DOMAIN_QONNX, "MultiThreshold", in, 2, &count, 1);
    onnx_put_str(o, "out_dtype", nashc_type_finn_name(&type, finn, sizeof finn));
    onnx_put_float(o, "out_scale", c->down ? 1 : (double)c->scale);
    onnx_put_float(o, "out_bias", c->down ? 0 : (double)c->bias);
    onnx_put_str(o, "data_layout",
                 rank == 4   ? (last ? "NHWC" : "NCHW")
                 : rank == 3 ? (last ? "NWC" : "NCW")
                             : "NC");
    if (c->down)
        reverse_channels(o, count, out, c, work);
    return onnx_finish(o, work, out);
}

static nashc_status
write_multithreshold(onnx_out *o)
{
    const nashc_tensor *t = nashc_value_const(operand(o, 1));
    const nashc_tensor *dir = operand(o, 2) ? nashc_value_const(operand(o, 2)) : NULL;
    int64_t channels = nashc_type_channels(nashc_value_type(operand(o, 0)));
    int work = work_of(o);
    counting c = {.k = nashc_tensor_type(t)->dim[1],
                  .scale = onnx_get_int(o, "out_scale"),
                  .bias = onnx_get_int(o, "out_bias")};

    if (c.scale == 0 || !writable(o))
        return onnx_write_vendor(o);
    if (work != NASHC_ONNX_FLOAT || onnx_fits_float(t)) {
        c.t = onnx_use(o, operand(o, 1), work);
    } else {
        double *v = nashc_buf_to_f64(nashc_tensor_buf(t));
        o->no_memory = o->no_memory || !v;
        c.t = v ? put_thresholds(o, v, nashc_tensor_type(t), work) : "";
        nashc_mem_free(v);
    }
    if (dir) {
        c.down = malloc((size_t)channels * sizeof *c.down);
        o->no_memory = o->no_memory || !c.down;
        for (int64_t i = 0; c.down && i < channels; i++)
            c.down[i] = nashc_tensor_get(dir, i) < 0;
    }
    nashc_status s = write_count(o, &c, work);
    free(c.down);
    return s;
}

/* --- a line in fixed point ---------------------------------------------------------------------
 */

typedef struct line {
    int64_t mul, add, unit, qmin, qmax;
    bool even;
} line;

/* x lies in the interval for which the type inference has shown that nothing overflows. */
static int64_t
line_at(const line *l, int64_t x)
{
    int64_t sum = x * l->mul + l->add, q = sum / l->unit - (sum % l->unit < 0);

    q -= l->even && sum % l->unit == 0 && (q & 1);
    return q < l->qmin ? l->qmin : q > l->qmax ? l->qmax : q;
}

/* The least x in lo..hi from where on the line is on the other side of code v: at it or above if it
 * rises, below if it falls; hi + 1: never. */
static int64_t
step_of(const line *l, int64_t lo, int64_t hi, int64_t v)
{
    for (hi++; lo < hi;) {
        int64_t mid = lo + (hi - lo) / 2;
        if ((line_at(l, mid) >= v) == (l->mul >= 0))
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

/* Thresholds that are integers, as such where float32 holds them all. */
static const char *
put_steps(onnx_out *o, double *v, int64_t rows, const counting *c, int work)
{
    const nashc_type *x = nashc_value_type(operand(o, 0));
    nashc_type t = nashc_type_for_range(x->lo, x->hi + 1), f64 = nashc_type_f64();
    const char *name = "";

    t = nashc_type_shaped(t, 2, (int64_t[]){rows, c->k});
    if (work == NASHC_ONNX_FLOAT && (x->lo < -(1 << 24) || x->hi >= 1 << 24)) {
        t = nashc_type_with_elem(&t, &f64);
        return put_thresholds(o, v, &t, work);
    }
    nashc_tensor *tensor = nashc_tensor_from_f64(&t, v);
    if (tensor)
        name = onnx_put_tensor(o, "thresholds", tensor, work);
    else
        o->no_memory = true;
    nashc_tensor_unref(tensor);
    return name;
}

/* Thresholds of row r; those of a falling line are found from the highest code down. */
static void
row_steps(const line *l, const nashc_type *x, const nashc_type *y, int64_t k, double *t)
{
    for (int64_t i = 0; i < k; i++)
        t[i] = (double)step_of(l, x->lo, x->hi, l->mul >= 0 ? y->lo + 1 + i : y->lo + k - i);
}

static nashc_status
write_requant(onnx_out *o)
{
    const nashc_type *x = nashc_value_type(operand(o, 0));
    const nashc_type *y = nashc_value_type(nashc_node_out(o->node, 0));
    const nashc_tensor *m = nashc_value_const(operand(o, 1)), *a = nashc_value_const(operand(o, 2));
    int64_t muls = nashc_tensor_count(m), adds = nashc_tensor_count(a), size;
    int64_t rows = muls > adds ? muls : adds, channels = nashc_type_channels(x);
    counting c = {.k = y->hi > y->lo ? y->hi - y->lo : 1, .scale = 1, .bias = y->lo};
    bool fits = nashc_mul_size(rows, c.k, &size) && size <= MAX_STEPS &&
                x->lo > -(INT64_C(1) << 52) && x->hi < INT64_C(1) << 52;
    int work = work_of(o);

    if (!fits || !writable(o))
        return onnx_write_vendor(o);
    double *v = malloc((size_t)size * sizeof *v);
    c.down = malloc((size_t)channels * sizeof *c.down);
    bool any = false;
    for (int64_t r = 0; v && c.down && r < channels; r++) {
        line l = {.mul = nashc_tensor_get_int(m, muls == 1 ? 0 : r),
                  .add = nashc_tensor_get_int(a, adds == 1 ? 0 : r),
                  .unit = INT64_C(1) << onnx_get_int(o, "shift"),
                  .qmin = onnx_get_int(o, "qmin"),
                  .qmax = onnx_get_int(o, "qmax"),
                  .even = onnx_get_bool(o, "ties_even")};
        if (r < rows)
            row_steps(&l, x, y, c.k, v + r * c.k);
        any = (c.down[r] = l.mul < 0) || any;
    }
    o->no_memory = o->no_memory || !v || !c.down;
    c.t = v && c.down ? put_steps(o, v, rows, &c, work) : "";
    free(v);
    if (!any) {
        free(c.down);
        c.down = NULL;
    }
    nashc_status s = write_count(o, &c, work);
    free(c.down);
    return s;
}

const onnx_writer onnx_threshold_writers[] = {
    {"q.multithreshold", write_multithreshold},
    {"q.requant", write_requant},
    {0},
};
