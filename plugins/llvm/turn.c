/* turn.c: matrices of few rows turned, as images of few channels are: columns by the vector. */
#include "move.h"

#define LINES 16 /* of the matrix, at most */
#define LANES 16

bool
cpu_turn_of(const int32_t *index, int64_t n, int64_t *rows, int64_t *cols)
{
    *cols = n > 2 ? index[1] : 0;
    if (*cols < 16 || n % *cols)
        return false;
    for (*rows = 2; *rows < n / *cols && *rows < LINES && index[*rows] == *rows * *cols;)
        ++*rows;
    int64_t size = *rows * *cols;
    for (int64_t i = 0; i < n; i++)
        if (index[i] != i / size * size + i % *rows * *cols + i % size / *rows)
            return false;
    return n % size == 0;
}

/* Lanes [k * lanes, ...) of the turned rows, of which v holds g->lanes elements each. */
static LLVMValueRef
turned(cpu_cg *g, LLVMValueRef *v, int64_t rows, int64_t k)
{
    LLVMValueRef sum = NULL, mask[16];
    int lanes = g->lanes;

    for (int64_t r = 0; r < rows; r++) { /* row r into its places, the rest as it was */
        for (int i = 0; i < lanes; i++) {
            int64_t to = k * lanes + i, from = to % rows == r ? to / rows : lanes + i;
            mask[i] = LLVMConstInt(g->i32, (unsigned long long)from, 0);
        }
        sum = LLVMBuildShuffleVector(g->b, v[r], sum ? sum : v[r],
                                     LLVMConstVector(mask, (unsigned)lanes), "");
    }
    return sum;
}

typedef struct turn {
    const cpu_route *r;
    LLVMValueRef base; /* element that the matrix begins at */
    int64_t rows, cols;
} turn;

/* g->lanes columns from `at` on. */
static void
turn_columns(cpu_cg *g, LLVMValueRef at, void *user)
{
    const turn *t = user;
    int size = (int)nashc_cell_size(t->r->to_cell), lanes = g->lanes;
    LLVMTypeRef elem = LLVMIntTypeInContext(g->ctx, 8u * (unsigned)size);
    LLVMValueRef v[LINES], to = cpu_addi(g, t->base, cpu_muli(g, at, t->rows));

    for (int64_t k = 0; k < t->rows; k++) {
        LLVMValueRef from = cpu_addi(g, t->base, cpu_plus(g, at, k * t->cols));
        v[k] = cpu_load(g, cpu_vec_type(g, elem), cpu_at(g, t->r->from, cpu_muli(g, from, size)),
                        size);
    }
    for (int64_t k = 0; k < t->rows; k++)
        cpu_store(g, turned(g, v, t->rows, k),
                  cpu_at(g, t->r->to, cpu_muli(g, cpu_plus(g, to, k * lanes), size)), size);
}

int64_t
cpu_turn_units(int64_t n, int64_t rows, int64_t cols)
{
    return n / (rows * cols) * cpu_vectors(cols, LANES);
}

void
cpu_turn_emit(cpu_cg *g, const cpu_route *r, int64_t rows, int64_t cols)
{
    turn t = {.r = r, .rows = rows, .cols = cols};
    cpu_blocks b;

    cpu_blocks_begin(g, &b, cpu_vectors(cols, LANES));
    t.base = cpu_muli(g, b.outer.i, rows * cols);
    cpu_each_vector(g, b.lo, b.hi, cols, LANES, turn_columns, &t);
    cpu_blocks_end(g, &b);
}
