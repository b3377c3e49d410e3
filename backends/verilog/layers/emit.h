/* emit.h: what the emitters of layers share. */
#ifndef NASHC_VERILOG_EMIT_H
#define NASHC_VERILOG_EMIT_H

#include <inttypes.h>
#include <nashc/plugin.h>
#include <nashc/verilog.h>

/* Is t read as two's complement? bip is one bit, neither way. */
int emit_signed(const nashc_type *t);

/* Code of an element as the hardware holds it: bip -1 is 0. */
int64_t emit_code(const nashc_type *t, int64_t value);

/* Parameters nameW, name_SIGNED and name_BIP of an input element t that becomes an element y. */
void emit_element(nashc_vlog *v, const char *name, const nashc_type *t, const nashc_type *y);

/* Are n thresholds compared in parallel? style: of a layer, 0 auto, 1 parallel, 2 binary search. */
bool emit_parallel(int64_t style, int64_t n);

/* Stages of a binary search over n thresholds: ceil(log2(n + 1)). */
int emit_stages(int64_t n);

/* Does stage `stage` of a search in so many rows in turn (1: a shared row) have a memory, which
 * takes a cycle to read? Few words are part of the comparison (nashc_thresholding_search_core). */
bool emit_search_memory(int64_t folds, int stage);

/* Cycles of a binary search over n thresholds of so many rows in turn, from its first comparison
 * on (DEEP = 1). */
uint32_t emit_search_cycles(int64_t n, int64_t folds);

/* Parameter FUNC: the code of attribute func, one numbering in all modules (docs/timing.md). */
void emit_func(const nashc_node *n, nashc_vlog *v);

/* Thresholds of a layer, as the hardware compares them. */
typedef struct emit_steps {
    const int64_t *t; /* rows * n */
    int64_t rows, n, channels, pe;
    int bits, is_signed;
    const nashc_tensor *hash; /* names the files */
    const nashc_tensor *dir;  /* NULL: none */
    const char *ram_style;
    bool parallel;
} emit_steps;

/* Parameters K TW T_SIGNED HAS_DIR T_SHARED T_RAM_STYLE T_FILE DIR_FILE (DEEP) and the files. */
void emit_thresholds(nashc_vlog *v, const emit_steps *s);

/* Channels of a layer with parameters: their rows, or the last dimension of its input. */
int64_t emit_channels(const nashc_node *n);

/* Parameters C PE XW X_SIGNED OUT_W of such a layer. */
void emit_common(const nashc_node *n, nashc_vlog *v);

/* Bits of an element of input 0. */
int emit_bits_in(const nashc_node *n);

#endif
