/* thresholds_to_requant.c
 *
 *     multithreshold(x, T; out_bias b, out_scale +-1), x integer in [lo, hi]
 *     ==>  requant(x, mul, add; shift, qmin, qmax)
 *
 * where the thresholds of each channel are evenly spaced up to rounding: K comparisons become one
 * product. mul and add are found for the smallest shift that serves all channels (staircase.c), or
 * proven not to exist up to max-shift. Of each channel only the values that its weights let it take
 * matter (channels/). Both functions are monotone step functions of x, so they are equal on all of
 * [lo, hi] if they are at lo, at hi, and at T and T - 1 of every threshold T: that
 * is the certificate, and nothing is rewritten without it. Where no line rounds down to the codes,
 * one that rounds ties to even may, as quantisers with power-of-two scales do. A channel whose code
 * falls with x (dir -1, or out_scale -1) rises with -x, and has a negative mul. Constant channels
 * have mul 0; thresholds that are always or never reached only bound the line where it is clamped.
 * Many thresholds that lie on no single line may lie on a few, one behind the other: each piece
 * counts its own, and the codes are the sum of the pieces.
 * Terminates: each rewrite removes a multithreshold.
 */
#include "channels.h"
#include "passes/support/thresholds.h"
#include "staircase.h"
#include <math.h>
#include <nashc/rewrite.h>

enum { REQUANTS, THRESHOLDS, CONSTANT };

/* The codes of one multithreshold, row by row: qmin + count, of -x where they fall. */
typedef struct codes {
    thresholds s;
    staircase *stair; /* of each row */
    nashc_line *line;
    bool *falls;
    int64_t bias, scale, qmin;
    int64_t hard;    /* the row that had no line when last asked */
    int least_shift; /* smaller ones are known to serve nobody */
} codes;

/* Intervals of the channels of v, NULL where only its type is known; found once for all patterns.
 */
static const ch_range *
channel_ranges(nashc_rw *rw, const nashc_value *v)
{
    nashc_run *r = nashc_rw_run(rw);
    ch_state *S = *nashc_run_slot(r);

    if (!S && (S = NASHC_NEW(nashc_run_arena(r), ch_state))) {
        ch_init(S, r, nashc_rw_graph(rw));
        if (!S->failed)
            ch_find_ranges(S);
        *nashc_run_slot(r) = S;
    }
    return S && !S->failed && nashc_value_id(v) < S->n_values ? S->range[nashc_value_id(v)] : NULL;
}

/* The values that row r of the thresholds meets. */
static ch_range
row_range(const codes *c, const ch_range *of, int64_t r)
{
    const nashc_type *x = nashc_value_type(c->s.x);
    ch_range all = {x->lo, x->hi};

    if (!of)
        return all;
    for (int64_t k = 0; c->s.rows == 1 && k < nashc_type_channels(x); k++) {
        all.lo = k == 0 || of[k].lo < all.lo ? of[k].lo : all.lo;
        all.hi = k == 0 || of[k].hi > all.hi ? of[k].hi : all.hi;
    }
    return c->s.rows == 1 ? all : of[r];
}

static bool
codes_alloc(nashc_rw *rw, codes *c)
{
    const ch_range *of = channel_ranges(rw, c->s.x);
    int64_t rows = c->s.rows, n = c->s.n, *t = NASHC_NEW_N(nashc_rw_arena(rw), int64_t, rows * n);

    c->stair = NASHC_NEW_N(nashc_rw_arena(rw), staircase, rows);
    c->line = NASHC_NEW_N(nashc_rw_arena(rw), nashc_line, rows);
    c->falls = NASHC_NEW_N(nashc_rw_arena(rw), bool, rows);
    if (!t || !c->stair || !c->line || !c->falls)
        return false;
    c->qmin = c->scale > 0 ? c->bias : c->bias - n;
    for (int64_t r = 0; r < rows; r++) {
        int64_t *row = t + r * n;
        ch_range x = row_range(c, of, r);
        c->falls[r] = c->s.dir[r] * c->scale < 0;
        for (int64_t k = 0; k < n; k++) {
            double at = fmin(fmax(ceil(c->s.t[r * n + k]), (double)x.lo), (double)x.hi + 1);
            row[c->falls[r] ? n - 1 - k : k] = c->falls[r] ? 1 - (int64_t)at : (int64_t)at;
        }
        c->stair[r] = (staircase){.t = row,
                                  .n = n,
                                  .lo = c->falls[r] ? -x.hi : x.lo,
                                  .hi = c->falls[r] ? -x.lo : x.hi,
                                  .odd = c->qmin & 1};
    }
    return true;
}

/* Why row r has no line up to shift. */
static bool
bent(nashc_rw *rw, const codes *c, int64_t r, int shift)
{
    while (shift > 0 && !staircase_fits(&c->stair[r], shift))
        shift--;
    int64_t k = staircase_bend(&c->stair[r], shift);
    k = k < c->s.n ? k : c->s.n - 1;
    return nashc_rw_miss(rw, c->s.node,
                         "threshold %" PRId64 " of channel %" PRId64 ", %" PRId64
                         ", is off the line of those before it at shift %d",
                         c->falls[r] ? c->s.n - 1 - k : k, r,
                         c->falls[r] ? 1 - c->stair[r].t[k] : c->stair[r].t[k], shift);
}

/* The smallest shift that serves all rows; -1: none does, for want of a line in row hard. That one
 * is asked first: where parts of many lengths are tried, it is mostly the one that fails again. */
static int
shared_shift(codes *c, bool even, int max)
{
    int shift = c->least_shift;

    if (shift < even) /* without a fraction everything is a tie */
        shift = even;
    for (int64_t i = 0; i < c->s.rows; i++) {
        int64_t r = i == 0 ? c->hard : i <= c->hard ? i - 1 : i;
        c->stair[r].even = even;
        while (shift <= max && !staircase_has_line(&c->stair[r], shift))
            shift++;
        if (shift > max) {
            c->hard = r;
            return -1;
        }
    }
    return shift;
}

/* The lines of all rows, in products of 62 bits. Else *bent: the row that has none, -1: products
 * are too wide. */
static bool
find_lines(nashc_rw *rw, codes *c, int64_t *bent_row)
{
    int max = (int)nashc_opts_int(nashc_rw_opts(rw), "max-shift");
    int shift = shared_shift(c, false, max);

    *bent_row = c->hard;
    if (shift < 0 && (shift = shared_shift(c, true, max)) < 0) {
        c->stair[*bent_row].even = false;
        return false;
    }
    const nashc_type *x = nashc_value_type(c->s.x); /* whose interval the op is checked for */
    double wide = fmax(fabs((double)x->lo), fabs((double)x->hi)) + 1;
    bool fits = ldexp((double)c->s.n + 2, shift) < 0x1p62; /* the counts, as lines have them */
    for (int64_t r = 0; fits && r < c->s.rows; r++)
        fits = staircase_line(&c->stair[r], shift, &c->line[r]) &&
               wide * (double)c->line[r].mul +
                       fabs((double)c->line[r].add + ldexp((double)c->qmin, shift)) <
                   0x1p62;
    c->line[0].shift = shift;
    *bent_row = -1;
    return fits;
}

/* A vector of the smallest type; one element if all are the same. */
static nashc_value *
vector(nashc_rw *rw, const int64_t *v, int64_t n, bool one)
{
    int64_t lo = v[0], hi = v[0];

    n = one ? 1 : n;
    for (int64_t i = 0; i < n; i++) {
        lo = v[i] < lo ? v[i] : lo;
        hi = v[i] > hi ? v[i] : hi;
    }
    nashc_type t = nashc_type_shaped(nashc_type_for_range(lo, hi), 1, &n);
    return nashc_rw_const(rw, nashc_tensor_from_i64(&t, v));
}

/* The op of lines that were found; NULL: failed. */
static nashc_value *
requant_of(nashc_rw *rw, const codes *c)
{
    int64_t rows = c->s.rows, n = c->s.n, constant = 0;
    int64_t *mul = NASHC_NEW_N(nashc_rw_arena(rw), int64_t, rows);
    int64_t *add = NASHC_NEW_N(nashc_rw_arena(rw), int64_t, rows);
    int64_t unit = INT64_C(1) << c->line[0].shift;
    bool one = true;

    if (!mul || !add)
        return NULL;
    for (int64_t r = 0; r < rows; r++) {
        const nashc_line *l = &c->line[r];
        mul[r] = c->falls[r] ? -l->mul : l->mul;
        add[r] = l->add + c->qmin * unit;
        constant += l->mul == 0;
        one = one && mul[r] == mul[0] && add[r] == add[0];
    }
    nashc_rw_loc(rw, c->s.node);
    nashc_value *in[] = {c->s.x, vector(rw, mul, rows, one), vector(rw, add, rows, one)};
    nashc_rw_stat(rw, REQUANTS, 1);
    nashc_rw_stat(rw, THRESHOLDS, rows * n);
    nashc_rw_stat(rw, CONSTANT, constant);
    return nashc_rw_opf(rw, "q.requant", in, 3,
                        "shift=%d qmin=%" PRId64 " qmax=%" PRId64 " ties_even=%s", c->line[0].shift,
                        c->qmin, c->qmin + n, c->stair[0].even ? "true" : "false");
}

/* --- bent lines --------------------------------------------------------------------------------
 *
 *     count of all thresholds  =  count of the first n  +  count of the next m  +  ...
 *
 * so that a function with a kink, or a line that no product of 62 bits follows to its end, is the
 * sum of lines, each clamped to its own counts.
 */

#define MAX_PIECES 8

/* Thresholds from .. from + n of c, as codes of their own; its arrays are given. */
static void
part_of(const codes *c, int64_t from, int64_t n, codes *part)
{
    part->s.n = n;
    part->qmin = from == 0 ? c->qmin : 0;
    for (int64_t r = 0; r < c->s.rows; r++) {
        part->stair[r] = c->stair[r];
        part->stair[r].t = c->stair[r].t + from;
        part->stair[r].n = n;
        part->stair[r].odd = part->qmin & 1;
    }
}

/* The longest part from there on that lines follow, of at least so many thresholds; 0: none. Twice
 * as many are tried until they fail, so that a curve costs little. */
static int64_t
longest_part(nashc_rw *rw, const codes *c, int64_t from, int64_t least, codes *part)
{
    int64_t rest = c->s.n - from, good = 0, bad = rest + 1, row;

    part->least_shift = 0;
    for (int64_t n = least < rest ? least : rest; n > good && n < bad;) {
        part_of(c, from, n, part);
        if (find_lines(rw, part, &row)) {
            good = n;
            part->least_shift = part->line[0].shift; /* more thresholds need no less */
        } else {
            bad = n;
        }
        n = good == 0 ? bad : bad > rest && 2 * good <= rest ? 2 * good : good + (bad - good) / 2;
    }
    part_of(c, from, good, part);
    part->least_shift = 0;
    return good > 0 && find_lines(rw, part, &row) ? good : 0;
}

/* The sum of a few lines; NULL: they do not pay, or failed. */
static nashc_value *
in_pieces(nashc_rw *rw, const codes *c)
{
    int64_t rows = c->s.rows, piece = nashc_opts_int(nashc_rw_opts(rw), "piece"), from = 0, n = 0;
    int64_t length[MAX_PIECES], row, least = (piece + rows - 1) / rows;
    int pieces = 0;
    codes part = *c;
    nashc_value *sum = NULL;

    part.stair = NASHC_NEW_N(nashc_rw_arena(rw), staircase, rows);
    part.line = NASHC_NEW_N(nashc_rw_arena(rw), nashc_line, rows);
    if (!part.stair || !part.line || c->s.n < 2 * least)
        return NULL;
    for (; from < c->s.n; from += n) {
        if (pieces == MAX_PIECES || !(n = longest_part(rw, c, from, least, &part)))
            return NULL;
        length[pieces++] = n;
    }
    from = 0;
    for (int i = 0; i < pieces; from += length[i++]) {
        part_of(c, from, length[i], &part);
        nashc_value *y = find_lines(rw, &part, &row) ? requant_of(rw, &part) : NULL;
        sum = i == 0 ? y : nashc_rw_op(rw, "nn.add", (nashc_value *[]){sum, y}, 2);
    }
    return sum;
}

static bool
to_requant(nashc_rw *rw, nashc_node *mt)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(mt, 0));
    int64_t n = nashc_value_type(nashc_node_in(mt, 1))->dim[1], row = 0;
    codes c = {.bias = nashc_node_int(mt, "out_bias"), .scale = nashc_node_int(mt, "out_scale")};

    if (!nashc_type_is_int(x))
        return nashc_rw_miss(rw, mt, "its input is not integer");
    if (x->lo < -(INT64_C(1) << 52) || x->hi >= INT64_C(1) << 52)
        return nashc_rw_miss(rw, mt, "its input exceeds 2^52");
    if (c.scale != 1 && c.scale != -1)
        return nashc_rw_miss(rw, mt, "out_scale is %" PRId64 ", neither 1 nor -1", c.scale);
    if (n <= nashc_opts_int(nashc_rw_opts(rw), "min-thresholds"))
        return nashc_rw_miss(rw, mt, "%" PRId64 " thresholds are too few to pay", n);
    if (!thresholds_of(rw, mt, &c.s) || !codes_alloc(rw, &c))
        return false;
    nashc_value *y = find_lines(rw, &c, &row) ? requant_of(rw, &c) : in_pieces(rw, &c);
    if (!y && row < 0)
        return nashc_rw_miss(rw, mt, "the products exceed 62 bits at shift %d", c.line[0].shift);
    if (!y)
        return bent(rw, &c, row, (int)nashc_opts_int(nashc_rw_opts(rw), "max-shift"));
    nashc_rw_replace(rw, nashc_node_out(mt, 0), y);
    return true;
}

static const nashc_pattern to_requant_pattern = {"q.multithreshold", to_requant};

static const nashc_param options[] = {
    {.name = "max-shift",
     .def = "48",
     .domain = "0..62",
     .help = "greatest shift tried",
     .kind = NASHC_P_INT},
    {.name = "min-thresholds",
     .def = "15",
     .domain = "0..",
     .help = "leave multithresholds of at most so many thresholds",
     .kind = NASHC_P_INT},
    {.name = "piece",
     .def = "4096",
     .domain = "1..",
     .help = "of a line with kinks: thresholds of all channels that each piece must replace",
     .kind = NASHC_P_INT},
    {0},
};

const nashc_pass nashc_pass_thresholds_to_requant = {
    NASHC_DESC(nashc_pass),
    .name = "thresholds-to-requant",
    .help = "evenly spaced thresholds as one product, shift and clamp, where that is proven equal",
    .options = options,
    .stats =
        (const char *const[]){"requants", "thresholds removed", "channels found constant", NULL},
    .patterns = (const nashc_pattern *const[]){&to_requant_pattern, NULL},
};
