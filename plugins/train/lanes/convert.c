/* convert.c: samples one after the other <-> side by side. */
#include "plugins/train/lanes/convert.h"
#include <nashc/clones.h>
#include <string.h>

#define LANES NASHC_GRAD_BLOCK
#define TILE  16 /* elements at a time: a line of the cache of each sample */

typedef struct job {
    int64_t size, batch; /* elements of a sample */
    const float *rows, *blocks;
    float *to_rows, *to_blocks;
    bool add;
} job;

/* Elements e0 .. e1-1 of n samples of a block. */
static void
spread_tile(const float *rows, int64_t size, int64_t n, int64_t e0, int64_t e1, bool add, float *to)
{
    if (!add)
        memset(to + e0 * LANES, 0, (size_t)((e1 - e0) * LANES) * sizeof *to);
    for (int64_t k = 0; k < n; k++)
        for (int64_t e = e0; e < e1; e++)
            to[e * LANES + k] += rows[k * size + e];
}

static void
collect_tile(const float *blocks, int64_t size, int64_t n, int64_t e0, int64_t e1, bool add,
             float *rows)
{
    for (int64_t k = 0; k < n; k++)
        for (int64_t e = e0; e < e1; e++)
            rows[k * size + e] = blocks[e * LANES + k] + (add ? rows[k * size + e] : 0.0f);
}

/* Items are tiles of all blocks. */
NASHC_CLONES static void
part(void *arg, int thread, int64_t lo, int64_t hi)
{
    const job *j = arg;
    int64_t tiles = (j->size + TILE - 1) / TILE;

    (void)thread;
    for (int64_t i = lo; i < hi; i++) {
        int64_t block = i / tiles, e0 = i % tiles * TILE, at = block * LANES * j->size;
        int64_t e1 = e0 + TILE < j->size ? e0 + TILE : j->size;
        int64_t n = j->batch - block * LANES < LANES ? j->batch - block * LANES : LANES;
        if (j->to_blocks)
            spread_tile(j->rows + at, j->size, n, e0, e1, j->add, j->to_blocks + at);
        else
            collect_tile(j->blocks + at, j->size, n, e0, e1, j->add, j->to_rows + at);
    }
}

static nashc_status
convert(const nashc_grad_call *c, bool to_blocks, const float *from, bool add, float *to)
{
    job j = {.size = nashc_type_count(c->in[0].type), .batch = c->batch, .add = add};
    int64_t tiles = (j.size + TILE - 1) / TILE;

    *(to_blocks ? &j.rows : &j.blocks) = from;
    *(to_blocks ? &j.to_blocks : &j.to_rows) = to;
    nashc_grad_parallel(c, nashc_grad_n_blocks(c) * tiles, part, &j);
    return NASHC_OK;
}

static nashc_status
to_blocks(const nashc_grad_call *c)
{
    return convert(c, true, c->in[0].v, false, c->out[0].v);
}

static nashc_status
to_blocks_back(const nashc_grad_call *c)
{
    return c->in[0].g ? convert(c, false, c->out[0].g, true, c->in[0].g) : NASHC_OK;
}

static nashc_status
to_rows(const nashc_grad_call *c)
{
    return convert(c, false, c->in[0].v, false, c->out[0].v);
}

static nashc_status
to_rows_back(const nashc_grad_call *c)
{
    return c->in[0].g ? convert(c, true, c->out[0].g, true, c->in[0].g) : NASHC_OK;
}

const nashc_grad train_to_blocks = {NASHC_DESC(nashc_grad), .forward = to_blocks,
                                    .backward = to_blocks_back};
const nashc_grad train_to_rows = {NASHC_DESC(nashc_grad), .forward = to_rows,
                                  .backward = to_rows_back};
