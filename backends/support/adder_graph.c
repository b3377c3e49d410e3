/* adder_graph.c: products of a constant matrix and a vector as additions of shifted terms.
 *
 *     digits of an output:   +x0<<3  -x0  +x2<<1  ...
 *     taken pair             t = x2 - (x0 << d) ...  each place: two digits become one
 *     none is left           the digits of each output in a tree, lowest levels first
 *
 * Levels: digits of levels l0, l1 .. can be added within L additions iff the sum of 2^l is at most
 * 2^L (Kraft). A place is left alone where that would break for its output, so the graph is never
 * deeper than adder_graph_levels says.
 */
#include "backends/support/adder_graph.h"
#include "backends/support/adder_pairs.h"
#include <stdlib.h>
#include <string.h>

typedef struct digit {
    int term, shift;
    bool minus, taken;
} digit;

/* An output while digits are left. */
typedef struct column {
    digit *digits;
    int n;
    uint64_t weight; /* sum of 2^level */
} column;

/* Columns that a term was put into, ascending; it may have left them since. */
typedef struct places {
    int *column;
    int n, room;
} places;

typedef struct builder {
    nashc_arena *a;
    adder_graph *g;
    column *columns;
    places *places; /* by term */
    pair_table pairs;
    int levels, room; /* terms that there is memory for */
} builder;

/* --- canonical signed digits --------------------------------------------------------------------
 */

/* Digits of v into d, unless that is NULL; their number, below 65. */
static int
digits_of(int64_t v, int term, digit *d)
{
    int n = 0;

    for (int shift = 0; v != 0; shift++, v /= 2) {
        if (v % 2 == 0)
            continue;
        int sign = (v & 3) == 1 ? 1 : -1; /* leaves a multiple of four */
        v -= sign;
        if (d)
            d[n] = (digit){.term = term, .shift = shift, .minus = sign < 0};
        n++;
    }
    return n;
}

static int
digits_in(const adder_matrix *m, int out)
{
    int n = 0;

    for (int i = 0; i < m->n_in; i++)
        n += digits_of(m->w[(int64_t)i * m->n_out + out], i, NULL);
    return n;
}

int
adder_graph_digits(int64_t weight)
{
    return digits_of(weight, 0, NULL);
}

int
adder_graph_levels(const adder_matrix *m)
{
    int most = 1, levels = 1;

    for (int o = 0; o < m->n_out; o++) {
        int n = digits_in(m, o);
        most = n > most ? n : most;
    }
    while (1 << (levels - 1) < most)
        levels++;
    return levels;
}

/* --- terms --------------------------------------------------------------------------------------
 */

int
adder_term_bits(const adder_term *t)
{
    int64_t most = t->hi;
    int n = t->lo < 0;

    if (t->lo < 0 && -(t->lo + 1) > most)
        most = -(t->lo + 1);
    for (; most > 0; most /= 2)
        n++;
    return n > 0 ? n : 1;
}

static adder_term
term_of(const adder_graph *g, const adder_node *q)
{
    const adder_term *b = &g->terms[q->b];
    int64_t lo = b->lo * ((int64_t)1 << q->b_shift), hi = b->hi * ((int64_t)1 << q->b_shift);
    adder_term t = {
        .lo = q->minus ? -hi : lo, .hi = q->minus ? -lo : hi, .level = b->level + 1, .node = *q};

    if (q->a >= 0) {
        const adder_term *a = &g->terms[q->a];
        t.lo += a->lo * ((int64_t)1 << q->a_shift);
        t.hi += a->hi * ((int64_t)1 << q->a_shift);
        t.level = a->level >= t.level ? a->level + 1 : t.level;
    }
    return t;
}

/* The bit behind the last one of t << shift that is not constant, at most past: signs go on. */
static int
end_of(const adder_term *t, int shift, int past)
{
    int end = adder_term_bits(t) + shift;

    return t->lo < 0 || end > past ? past : end;
}

/* Bits in which both operands have one: beside a constant a bit passes by, or is inverted. */
static int
luts_of(const adder_graph *g, const adder_term *t)
{
    const adder_node *q = &t->node;
    const int bits = adder_term_bits(t);

    if (q->a < 0)
        return 0;
    int a_end = end_of(&g->terms[q->a], q->a_shift, bits);
    int b_end = end_of(&g->terms[q->b], q->b_shift, bits);
    int first = q->a_shift > q->b_shift ? q->a_shift : q->b_shift;
    int end = a_end < b_end ? a_end : b_end;
    return end > first ? end - first : 0;
}

int
adder_graph_luts(const adder_graph *g, int term)
{
    return luts_of(g, &g->terms[term]);
}

static int
add_term(builder *b, const adder_node *q)
{
    adder_graph *g = b->g;

    if (g->n_terms == b->room) {
        b->pairs.bad = true; /* never: a term takes one digit away, or is a change of sign */
        return 0;
    }
    g->terms[g->n_terms] = term_of(g, q);
    return g->n_terms++;
}

/* --- pairs --------------------------------------------------------------------------------------
 */

static pair
pair_of(const digit *x, const digit *y)
{
    const bool swap = x->shift != y->shift ? x->shift > y->shift : x->term > y->term;
    const digit *low = swap ? y : x, *high = swap ? x : y;

    return (pair){low->term, high->term, high->shift - low->shift, x->minus != y->minus};
}

static adder_node
node_of(pair p)
{
    return (adder_node){.a = p.first, .b = p.second, .b_shift = p.apart, .minus = p.opposite};
}

static void
count_pair(builder *b, const digit *x, const digit *y)
{
    const pair p = pair_of(x, y);
    const adder_node q = node_of(p);
    const adder_term t = term_of(b->g, &q);
    int luts = luts_of(b->g, &t);

    pairs_more(&b->pairs, p, luts > 0 ? luts : 1);
}

/* Digits *x and *y of c, not taken, that are pair p; the next ones behind *x. */
static bool
find(const column *c, pair p, int *x, int *y)
{
    for (; *x < c->n; ++*x) {
        const digit *low = &c->digits[*x];
        if (low->term != p.first || low->taken)
            continue;
        for (*y = 0; *y < c->n; ++*y) {
            const digit *high = &c->digits[*y];
            if (*y != *x && high->term == p.second && high->shift == low->shift + p.apart &&
                (high->minus != low->minus) == p.opposite && !high->taken)
                return true;
        }
    }
    return false;
}

/* May digits x and y of c become one of that level? A column without a positive digit needs one
 * more addition. */
static bool
has_room(const builder *b, const column *c, int x, int y, int level)
{
    const adder_term *t = b->g->terms;
    uint64_t weight = c->weight + ((uint64_t)1 << level) -
                      ((uint64_t)1 << t[c->digits[x].term].level) -
                      ((uint64_t)1 << t[c->digits[y].term].level);
    bool positive = !c->digits[x].minus;

    for (int i = 0; i < c->n && !positive; i++)
        positive = i != x && i != y && !c->digits[i].minus;
    return weight <= (uint64_t)1 << (positive ? b->levels : b->levels - 1);
}

/* Marks the places of p in c as taken; their number. */
static int
mark(const builder *b, column *c, pair p, int level)
{
    int n = 0;

    for (int x = 0, y; find(c, p, &x, &y); x++) {
        if (!has_room(b, c, x, y, level))
            continue;
        c->digits[x].taken = c->digits[y].taken = true;
        n++;
    }
    for (int i = 0; i < c->n; i++)
        c->digits[i].taken = false;
    return n;
}

static void
remove_digit(builder *b, column *c, int at)
{
    const digit gone = c->digits[at];

    c->digits[at] = c->digits[--c->n];
    c->weight -= (uint64_t)1 << b->g->terms[gone.term].level;
    for (int i = 0; i < c->n; i++)
        pairs_less(&b->pairs, pair_of(&gone, &c->digits[i]));
}

/* Notes that term is in column o. */
static void
note_place(builder *b, int term, int o)
{
    places *p = &b->places[term];

    if (p->n > 0 && p->column[p->n - 1] == o)
        return;
    if (p->n == p->room) {
        int *more = NASHC_NEW_N(b->a, int, 2 * p->room + 4);
        if (!more) {
            b->pairs.bad = true;
            return;
        }
        if (p->n > 0)
            memcpy(more, p->column, (size_t)p->n * sizeof *more);
        p->column = more;
        p->room = 2 * p->room + 4;
    }
    p->column[p->n++] = o;
}

static void
put_digit(builder *b, column *c, digit d)
{
    note_place(b, d.term, (int)(c - b->columns));
    for (int i = 0; i < c->n; i++)
        count_pair(b, &d, &c->digits[i]);
    c->digits[c->n++] = d;
    c->weight += (uint64_t)1 << b->g->terms[d.term].level;
}

/* Puts term in the places of p in c. */
static void
replace(builder *b, column *c, pair p, int term)
{
    for (int x = 0, y; find(c, p, &x, &y);) {
        if (!has_room(b, c, x, y, b->g->terms[term].level)) {
            x++;
            continue;
        }
        const digit d = {term, c->digits[x].shift, c->digits[x].minus, false};
        remove_digit(b, c, x > y ? x : y);
        remove_digit(b, c, x > y ? y : x);
        put_digit(b, c, d);
        x = 0;
    }
}

static void
take_pairs(builder *b)
{
    adder_graph *g = b->g;
    pair p;

    pairs_settle(&b->pairs);
    while (pairs_best(&b->pairs, &p)) {
        const adder_node q = node_of(p);
        const places *first = &b->places[p.first], *second = &b->places[p.second];
        const places where = first->n < second->n ? *first : *second;
        const int level = term_of(g, &q).level;
        int n = 0;
        for (int i = 0; i < where.n; i++)
            n += mark(b, &b->columns[where.column[i]], p, level);
        if (n >= 2) {
            int term = add_term(b, &q);
            for (int i = 0; i < where.n; i++)
                replace(b, &b->columns[where.column[i]], p, term);
            pairs_settle(&b->pairs);
        }
        pairs_none(&b->pairs, p); /* what is left of it stays */
    }
}

/* --- trees --------------------------------------------------------------------------------------
 */

/* A positive digit minus a negative one stays positive, so a sum that has any ends positive. */
static adder_node
tree_node(const digit *x, const digit *y)
{
    const int base = x->shift < y->shift ? x->shift : y->shift;
    const digit *a = x->minus && !y->minus ? y : x, *c = a == x ? y : x;

    return (adder_node){a->term, c->term, a->shift - base, c->shift - base, x->minus != y->minus};
}

/* Is x to be added up before y? */
static bool
lower(const adder_graph *g, const digit *x, const digit *y)
{
    const adder_term *s = &g->terms[x->term], *t = &g->terms[y->term];

    if (s->level != t->level)
        return s->level < t->level;
    return x->shift != y->shift ? x->shift < y->shift : x->term < y->term;
}

static int
by_term(const void *x, const void *y)
{
    const digit *a = x, *b = y;

    return a->term != b->term ? (a->term < b->term ? -1 : 1)
                              : (a->shift > b->shift) - (a->shift < b->shift);
}

/* The partner of digit 0 of c: of the lowest level, the narrowest sum. */
static int
partner(const builder *b, const column *c)
{
    int best = 1, least = INT32_MAX;

    for (int i = 1; i < c->n; i++) {
        const adder_node q = tree_node(&c->digits[0], &c->digits[i]);
        const adder_term t = term_of(b->g, &q);
        int level = b->g->terms[c->digits[i].term].level;
        int cost = level * 1024 + luts_of(b->g, &t);
        best = cost < least ? i : best;
        least = cost < least ? cost : least;
    }
    return best;
}

/* -term, computed once. */
static int
negated(builder *b, int term)
{
    const adder_node q = {.a = -1, .b = term, .minus = true};

    for (int i = b->g->n_in; i < b->g->n_terms; i++)
        if (b->g->terms[i].node.a < 0 && b->g->terms[i].node.b == term)
            return i;
    return add_term(b, &q);
}

/* Adds up what is left of c; *out is what it comes to. */
static void
add_up(builder *b, column *c, adder_out *out)
{
    *out = (adder_out){.term = -1};
    qsort(c->digits, (size_t)c->n, sizeof *c->digits, by_term);
    while (c->n > 1) {
        int first = 0;
        for (int i = 1; i < c->n; i++)
            first = lower(b->g, &c->digits[i], &c->digits[first]) ? i : first;
        const digit x = c->digits[first];
        c->digits[first] = c->digits[0];
        c->digits[0] = x;
        const int other = partner(b, c);
        const digit y = c->digits[other];
        const adder_node q = tree_node(&x, &y);
        c->digits[0] = (digit){.term = add_term(b, &q),
                               .shift = x.shift < y.shift ? x.shift : y.shift,
                               .minus = x.minus && y.minus};
        c->digits[other] = c->digits[--c->n];
    }
    if (c->n == 0)
        return;
    out->shift = c->digits[0].shift;
    out->term = c->digits[0].minus ? negated(b, c->digits[0].term) : c->digits[0].term;
}

/* --- the graph ----------------------------------------------------------------------------------
 */

static bool
allocate(builder *b, const adder_matrix *m)
{
    adder_graph *g = b->g;
    int digits = 0;

    b->columns = NASHC_NEW_N(b->a, column, m->n_out + 1);
    g->out = NASHC_NEW_N(b->a, adder_out, m->n_out + 1);
    for (int o = 0; o < m->n_out && b->columns; o++) {
        column *c = &b->columns[o];
        int n = digits_in(m, o);
        digits += n;
        if (!(c->digits = NASHC_NEW_N(b->a, digit, n + 1)))
            return false;
    }
    b->room = m->n_in + digits + m->n_out;
    g->terms = NASHC_NEW_N(b->a, adder_term, b->room + 1);
    b->places = NASHC_NEW_N(b->a, places, b->room + 1);
    return b->columns && g->out && g->terms && b->places;
}

/* The digits of every output. */
static void
start(builder *b, const adder_matrix *m)
{
    adder_graph *g = b->g;

    g->n_in = g->n_terms = m->n_in;
    g->n_out = m->n_out;
    for (int i = 0; i < m->n_in; i++)
        g->terms[i] = (adder_term){.lo = m->lo, .hi = m->hi};
    for (int o = 0; o < m->n_out; o++)
        for (int i = 0; i < m->n_in; i++) {
            digit d[64];
            int n = digits_of(m->w[(int64_t)i * m->n_out + o], i, d);
            for (int k = 0; k < n; k++)
                put_digit(b, &b->columns[o], d[k]);
        }
}

bool
adder_graph_build(const adder_matrix *m, nashc_arena *a, adder_graph *out)
{
    builder b = {.a = a, .g = out, .levels = adder_graph_levels(m)};

    *out = (adder_graph){0};
    if (!allocate(&b, m))
        return false;
    start(&b, m);
    take_pairs(&b);
    for (int o = 0; o < m->n_out; o++)
        add_up(&b, &b.columns[o], &out->out[o]);
    const bool good = !b.pairs.bad;
    pairs_free(&b.pairs);
    return good;
}
