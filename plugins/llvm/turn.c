/* turn.c: matrices of few rows turned, as images of few channels are: columns by the vector. */
#include "move.h"

#define LINES 16 /* of the matrix, at most */

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

/* lanes columns from `at` on, of the matrix that begins at element base. */
static void
turn_columns(cpu_cg *g, const cpu_route *r, LLVMValueRef base, LLVMValueRef at, int64_t rows,
             int64_t cols, int lanes)
{
    int size = (int)nashc_cell_size(r->to_cell);
    LLVMTypeRef elem = LLVMIntTypeInContext(g->ctx, 8u * (unsigned)size);
    LLVMValueRef v[LINES], to = cpu_addi(g, base, cpu_muli(g, at, rows));

    g->lanes = lanes;
    for (int64_t k = 0; k < rows; k++) {
        LLVMValueRef from = cpu_addi(g, base, cpu_plus(g, at, k * cols));
        v[k] =
            cpu_load(g, cpu_vec_type(g, elem), cpu_at(g, r->from, cpu_muli(g, from, size)), size);
    }
    for (int64_t k = 0; k < rows; k++)
        cpu_store(g, turned(g, v, rows, k),
                  cpu_at(g, r->to, cpu_muli(g, cpu_plus(g, to, k * lanes), size)), size);
}

void
cpu_turn_emit(cpu_cg *g, const cpu_route *r, int64_t n, int64_t rows, int64_t cols)
{
    int64_t bulk = cols / 16 * 16;
    cpu_loop lm, lc;

    cpu_loop_begin(g, &lm, cpu_int(g, 0), cpu_int(g, n), rows * cols, NULL, 0);
    cpu_loop_begin(g, &lc, cpu_int(g, 0), cpu_int(g, bulk), 16, NULL, 0);
    turn_columns(g, r, lm.i, lc.i, rows, cols, 16);
    cpu_loop_end(g, &lc, NULL);
    if (cols > bulk)
        turn_columns(g, r, lm.i, cpu_int(g, bulk), rows, cols, (int)(cols - bulk));
    cpu_loop_end(g, &lm, NULL);
}
