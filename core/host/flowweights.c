/* flowweights.c: weights of layers in the order in which hardware reads them. */
#include <nashc/flow.h>
#include <stdlib.h>
#include <string.h>

bool
nashc_flow_weights(const nashc_node *n, nashc_weights *out)
{
    const nashc_hw *hw = nashc_node_op(n)->hw;

    if (!hw || !NASHC_HAS(hw, weights) || !hw->weights)
        return false;
    *out = (nashc_weights){0};
    hw->weights(n, out);
    return true;
}

/* Free as opposed to fixed: they can be other than those of the model. */
bool
nashc_flow_weights_free(const nashc_node *n)
{
    nashc_weights w;

    return nashc_flow_weights(n, &w) && (w.written || w.streamed);
}

/* Element e of the order of hardware, lanes first, as an index into the operand: the digits of e in
 * the mixed radix of the loops, innermost first. */
int64_t
nashc_flow_weight_at(const nashc_weights *w, int64_t e)
{
    int64_t at = 0;

    for (int k = 0; k < NASHC_WEIGHT_LOOPS; k++) {
        at += e % w->count[k] * w->stride[k];
        e /= w->count[k];
    }
    return at;
}

char *
nashc_flow_print_weights(const nashc_weights *w, const nashc_buf *t, size_t *size)
{
    nashc_type type = w->elem;
    nashc_stream s = {.elem = w->elem,
                      .lanes = w->lanes,
                      .beats = w->lines,
                      .width = (uint32_t)w->lanes * w->elem.bits};
    char *text = NULL;
    nashc_buf b;

    type.rank = 1;
    type.dim[0] = w->lanes * w->lines;
    if (!nashc_buf_alloc(&b, &type))
        return NULL;
    for (int64_t e = 0; e < b.n; e++)
        nashc_buf_set_int(&b, e, nashc_buf_get_int(t, nashc_flow_weight_at(w, e)));
    text = nashc_flow_print_beats(&s, &b, size);
    nashc_buf_free(&b);
    return text;
}

/* Words of 32 bits of a line in the address space, a power of two so that an address divides
 * without a divider. */
int64_t
nashc_flow_weight_words(const nashc_weights *w)
{
    int64_t n = 1;

    while (n * 32 < w->lanes * w->elem.bits)
        n *= 2;
    return n;
}

/* Digits from `to` back, at most 8 of them, those that are missing 0. */
static char *
put_word(char *out, const char *line, ptrdiff_t to)
{
    for (int k = 8; k > 0; k--)
        *out++ = to >= k ? line[to - k] : '0';
    *out++ = '\n';
    return out;
}

char *
nashc_flow_print_weight_words(const nashc_weights *w, const nashc_buf *t, size_t *size)
{
    int64_t words = nashc_flow_weight_words(w), total;
    char *lines = nashc_flow_print_weights(w, t, NULL), *out = NULL;

    if (lines && nashc_mul_size(words * 9, w->lines, &total))
        out = malloc((size_t)total + 1);
    char *p = out;
    for (const char *line = lines; out && *line; line += strcspn(line, "\n") + 1)
        /* the lowest word first: its digits end the line */
        for (int64_t k = 0; k < words; k++)
            p = put_word(p, line, (ptrdiff_t)strcspn(line, "\n") - 8 * k);
    if (out)
        *p = 0;
    if (out && size)
        *size = (size_t)(p - out);
    free(lines);
    return out;
}
