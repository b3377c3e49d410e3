/* order.c: sparse labels that tell in O(1) which of two nodes comes first.
 *
 * A new node takes the middle of the gap between its neighbours. Where the gap is used up, the
 * smallest surrounding range of labels of size 2^i that holds less than (2/T)^i nodes is spread
 * evenly (Bender et al., "Two simplified algorithms for maintaining order in a list", 2002):
 * amortised O(log n) a node.
 */
#include "ir/impl.h"

#define LABEL_BITS 62
#define LABEL_END  (UINT64_C(1) << LABEL_BITS)
#define APPEND_GAP (UINT64_C(1) << 20)

/* Gives the nodes first..last, n of them, labels spread over [lo, lo + size). */
static void
spread(nashc_node *first, uint64_t n, uint64_t lo, uint64_t size)
{
    uint64_t step = size / (n + 1);
    nashc_node *p = first;

    for (uint64_t i = 1; i <= n; i++, p = p->next)
        p->order = lo + i * step;
}

void
nashc_order_renumber(nashc_graph *g)
{
    uint64_t at = LABEL_END / 2 - (uint64_t)g->n_nodes / 2 * APPEND_GAP;

    for (nashc_node *n = g->first; n; n = n->next, at += APPEND_GAP)
        n->order = at;
}

/* Labels around n's neighbour p are used up: spreads a range that then holds n, too. */
static void
respread(nashc_node *n, nashc_node *p)
{
    nashc_node *first = n, *last = n;
    uint64_t count = 1, base = p->order;
    double limit = 1.0; /* nodes allowed in the range: (2/T)^i with T = 1.5 */

    for (int i = 1; i <= LABEL_BITS; i++) {
        uint64_t size = UINT64_C(1) << i, lo = base & ~(size - 1);
        limit *= 2.0 / 1.5;
        while (first->prev && first->prev->order >= lo) {
            first = first->prev;
            count++;
        }
        while (last->next && last->next->order - lo < size) {
            last = last->next;
            count++;
        }
        if ((double)count < limit && size / (count + 1) >= 2) {
            spread(first, count, lo, size);
            return;
        }
    }
    nashc_order_renumber(n->graph); /* not reached with fewer than 2^25 nodes */
}

void
nashc_order_assign(nashc_node *n)
{
    uint64_t lo = n->prev ? n->prev->order : 0, hi = n->next ? n->next->order : LABEL_END;

    if (!n->prev && !n->next)
        n->order = LABEL_END / 2;
    else if (!n->next && hi - lo > 2 * APPEND_GAP)
        n->order = lo + APPEND_GAP;
    else if (!n->prev && hi > 2 * APPEND_GAP)
        n->order = hi - APPEND_GAP;
    else if (hi - lo >= 2)
        n->order = lo + (hi - lo) / 2;
    else
        respread(n, n->prev ? n->prev : n->next);
}
