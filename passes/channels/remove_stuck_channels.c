/* remove_stuck_channels.c: removes channels that are constant, and those that nobody needs.
 *
 *     conv W [O,C,k,k] -- thresholds T [O,K] -- conv V [P,O,k,k] -- thresholds U [P,L]
 *     ==>  conv W [O-n,C,k,k] -- T [O-n,K] -- conv V [P,O-n,k,k] -- U' [P,L]
 *
 * Channel c goes if each layer that reads it has zeros for it, or sees one value v for every input
 * and adds no zeros around it that v is not. What it gave to the sums is v times the sum of the
 * weights, and moves the thresholds behind (cut.c). Values follow from the intervals of channels
 * (range.c), which come from the actual weights: the types know one interval for the whole tensor.
 * Groups (group.c) are decided from the last one on, so that weights of result channels that go do
 * not count as needs. One channel always stays; more do where `multiple` asks for it,
 * as layers are folded by factors of their channels only. Exact: every output is what it was.
 */
#include "channels.h"

enum { CHANNELS, GROUPS };

/* Which operand channels have a weight that is not 0 for a result channel that stays? */
static uint8_t *
used_by(ch_state *S, const nashc_node *n, const ch_layer *l)
{
    int64_t size = l->n[1] * l->n[2], at[3], channels = l->n[l->c], unused = channels;
    uint8_t *used = CH_NEW(S, uint8_t, channels);
    const uint8_t *gone = ch_gone(S, nashc_node_out(n, 0));
    int64_t *w = CH_NEW(S, int64_t, size);

    for (at[0] = 0; !S->failed && unused && at[0] < l->n[0]; at[0]++) {
        const int64_t *v = w;
        ch_load(l->w, at[0] * size, size, w);
        for (at[1] = 0; at[1] < l->n[1]; at[1]++)
            for (at[2] = 0; at[2] < l->n[2]; at[2]++, v++)
                if (*v && !used[at[l->c]] && !(gone && gone[at[l->o]])) {
                    used[at[l->c]] = 1;
                    unused--;
                }
    }
    return S->failed ? NULL : used;
}

/* Clears the flags of the channels that layer n needs. True if it said why it keeps a stuck one:
 * its padding, or an nn.add that would widen the interval of what does not take a wider one. */
static bool
keep_needed(ch_state *S, const ch_group *G, const nashc_node *n, uint8_t *spare)
{
    const nashc_value *x = nashc_node_in(n, 0);
    const ch_range *r = S->range[nashc_value_id(x)];
    int64_t per = S->per[nashc_value_id(x)], kept = -1;
    bool tight = S->tight[nashc_value_id(nashc_node_out(n, 0))] && !ch_absorbs(n);
    ch_layer l;
    const uint8_t *used = ch_layer_of(n, &l) ? used_by(S, n, &l) : NULL;

    for (int64_t f = 0; used && f < l.n[l.c]; f++) {
        bool stuck = r[f].lo == r[f].hi, adds = r[f].lo != 0;
        if (!used[f] || (stuck && !(adds && (l.padded || tight))))
            continue;
        spare[f / per % G->n] = 0;
        kept = stuck && kept < 0 ? f : kept;
    }
    if (kept >= 0)
        nashc_run_miss(
            S->run, n, "channel %" PRId64 " of its operand is %" PRId64 " for every input, but %s",
            kept, r[kept].lo,
            l.padded ? "is padded with zeros"
                     : "an op behind does not take the interval of its sum as an nn.add");
    return kept >= 0;
}

/* Says why stuck channels of an open group stay. */
static void
explain(ch_state *S, const ch_group *G, const uint8_t *spare)
{
    const ch_range *r = S->range[nashc_value_id(G->v)];
    int64_t per = S->per[nashc_value_id(G->v)], kept = 0;

    for (int64_t f = 0; f < nashc_type_channels(nashc_value_type(G->v)); f++)
        kept += r[f].lo == r[f].hi && !spare[f / per % G->n];
    if (kept)
        nashc_run_miss(S->run, nashc_value_def(G->v),
                       "stuck channels: %" PRId64 ", but not at every layer that reads them", kept);
}

/* Lets channels stay, first ones first, until the number left, not 0, has the common factors of
 * G->n and the option again. Returns how many still go. */
static int64_t
round_off(ch_state *S, const ch_group *G, const nashc_node *layer, uint8_t *spare)
{
    int64_t n = 0, unit = nashc_opts_int(nashc_run_opts(S->run), "multiple"), left, more;

    for (int64_t c = 0; c < G->n; c++)
        n += spare[c];
    for (int64_t rest = G->n; rest;) { /* the greatest common divisor */
        int64_t r = unit % rest;
        unit = rest;
        rest = r;
    }
    left = G->n - n;
    more = left ? (unit - left % unit) % unit : unit;
    if (!left)
        nashc_run_miss(S->run, layer,
                       "no channel of its operand matters: %" PRId64 " of %" PRId64 " stay", more,
                       G->n);
    else if (n && more)
        nashc_run_miss(S->run, layer,
                       "%" PRId64 " of %" PRId64
                       " channels that could go stay, for a multiple of %" PRId64,
                       more, n, unit);
    for (int64_t c = 0, k = more; c < G->n && k > 0; c++)
        if (spare[c]) {
            spare[c] = 0;
            k--;
        }
    return n - more;
}

static void
decide(ch_state *S, ch_group *G)
{
    bool said = false;

    if (G->why || G->layer < 0) {
        if (G->v)
            nashc_run_miss(S->run, nashc_value_def(G->v), "stuck channels: %" PRId64 "; %s",
                           G->n_stuck, G->why ? G->why : "no layer reads them");
        return;
    }
    uint8_t *spare = CH_NEW(S, uint8_t, G->n);
    for (int64_t c = 0; spare && c < G->n; c++)
        spare[c] = 1;
    for (int i = G->layer; spare && i >= 0; i = S->reads[i].next)
        said |= keep_needed(S, G, S->reads[i].layer, spare);
    if (S->failed)
        return;
    if (G->v && !said)
        explain(S, G, spare);
    const nashc_node *layer = S->reads[G->layer].layer;
    int64_t n = round_off(S, G, layer, spare);
    if (n == 0 || !nashc_run_edit(S->run, "remove channels", layer))
        return;
    G->gone = spare;
    nashc_stat(S->run, CHANNELS, n);
    nashc_stat(S->run, GROUPS, 1);
}

static nashc_status
run(nashc_run *r, nashc_graph *g)
{
    ch_state S;
    bool any = false;

    ch_init(&S, r, g);
    if (!S.failed)
        ch_find_ranges(&S);
    if (!S.failed)
        ch_find_groups(&S);
    for (int i = S.n_groups - 1; i >= 0 && !S.failed; i--)
        if (S.groups[i].parent == i) {
            decide(&S, &S.groups[i]);
            any = any || S.groups[i].gone;
        }
    if (S.failed)
        return nashc_enomem(nashc_run_diag(r));
    return any ? ch_cut(&S) : NASHC_OK;
}

static const nashc_param options[] = {
    {.name = "multiple",
     .def = "1",
     .domain = "1..65536",
     .help = "what is left keeps the factors that the number of channels shares with this",
     .kind = NASHC_P_INT},
    {0},
};

const nashc_pass nashc_pass_remove_stuck_channels = {
    NASHC_DESC(nashc_pass),
    .name = "remove-stuck-channels",
    .help = "remove channels that are constant for every input, and those that no layer needs",
    .options = options,
    .stats = (const char *const[]){"channels removed", "groups of tensors that lost some", NULL},
    .run = run,
};
