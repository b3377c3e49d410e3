/* emit.c: what the emitters of layers share; memory layouts of docs/timing.md. */
#include "emit.h"
#include <stdio.h>
#include <string.h>

int
emit_signed(const nashc_type *t)
{
    return t->kind != NASHC_K_BIP && nashc_type_is_signed(t);
}

int64_t
emit_code(const nashc_type *t, int64_t value)
{
    return t->kind == NASHC_K_BIP ? value > 0 : value;
}

void
emit_element(nashc_vlog *v, const char *name, const nashc_type *t, const nashc_type *y)
{
    const struct {
        const char *suffix;
        int64_t value;
    } params[] = {{"W", t->bits},
                  {"_SIGNED", emit_signed(t)},
                  {"_BIP", t->kind == NASHC_K_BIP && y->kind != NASHC_K_BIP}};
    char text[32];

    for (size_t i = 0; i < NASHC_COUNT(params); i++) {
        snprintf(text, sizeof text, "%s%s", name, params[i].suffix);
        nashc_vlog_int(v, text, params[i].value);
    }
}

bool
emit_parallel(int64_t style, int64_t n)
{
    return style == 1 || (style == 0 && n <= 3);
}

int
emit_stages(int64_t n)
{
    int stages = 0;

    while (((int64_t)1 << stages) < n + 1)
        stages++;
    return stages;
}

bool
emit_search_memory(int64_t folds, int stage)
{
    return folds << stage > 16;
}

uint32_t
emit_search_cycles(int64_t n, int64_t folds)
{
    int stages = emit_stages(n);
    uint32_t cycles = (uint32_t)stages;

    for (int k = 1; k < stages; k++)
        cycles += emit_search_memory(folds, k);
    return cycles;
}

void
emit_func(const nashc_node *n, nashc_vlog *v)
{
    static const struct {
        const char *func;
        int code;
    } codes[] = {{"add", 0}, {"sum", 0}, {"mul", 1}, {"max", 4}, {"min", 5}, {"sub", 6}};
    const char *func = nashc_node_str(n, "func");

    for (size_t i = 0; i < NASHC_COUNT(codes); i++)
        if (strcmp(func, codes[i].func) == 0)
            nashc_vlog_int(v, "FUNC", codes[i].code);
}

static int64_t
threshold(const emit_steps *s, int64_t channel, int64_t k)
{
    return s->t[(s->rows > 1 ? channel : 0) * s->n + k];
}

/* Line f: T[f*PE+p][t] at [(p*K+t)*TW +: TW]; shared: one line without lanes. */
static void
parallel_file(nashc_vlog *v, const emit_steps *s)
{
    int64_t lanes = s->rows > 1 ? s->pe : 1, folds = s->rows > 1 ? s->channels / s->pe : 1;
    nashc_vlog_mem *m = nashc_vlog_memory(v, folds, lanes * s->n * s->bits);

    for (int64_t f = 0; f < folds; f++)
        for (int64_t p = 0; p < lanes; p++)
            for (int64_t k = 0; k < s->n; k++)
                nashc_vlog_put(m, f, (p * s->n + k) * s->bits, s->bits,
                               threshold(s, f * s->pe + p, k));
    nashc_vlog_file(v, "T_FILE", "thresholds", m);
}

/* A file a lane and stage, line (f << stage) + i: the middle of interval i of that stage. */
static void
search_files(nashc_vlog *v, const emit_steps *s)
{
    const char *prefix = nashc_vlog_prefix(v, "T_FILE", "thresholds", s->hash);
    int64_t lanes = s->rows > 1 ? s->pe : 1, folds = s->rows > 1 ? s->channels / s->pe : 1;
    int stages = emit_stages(s->n);

    for (int64_t p = 0; p < lanes; p++)
        for (int stage = 0; stage < stages; stage++) {
            nashc_vlog_mem *m = nashc_vlog_memory(v, folds << stage, s->bits);
            int64_t half = (int64_t)1 << (stages - stage - 1);
            for (int64_t f = 0; f < folds; f++)
                for (int64_t i = 0; i < (int64_t)1 << stage; i++) {
                    int64_t k = i * 2 * half + half - 1;
                    nashc_vlog_put(m, (f << stage) + i, 0, s->bits,
                                   threshold(s, f * s->pe + p, k < s->n ? k : s->n - 1));
                }
            nashc_vlog_image(v, prefix, m, "%" PRId64 "_%d", p, stage);
        }
}

void
emit_thresholds(nashc_vlog *v, const emit_steps *s)
{
    int64_t folds = s->channels / s->pe;

    nashc_vlog_int(v, "K", s->n);
    nashc_vlog_int(v, "TW", s->bits);
    nashc_vlog_int(v, "T_SIGNED", s->is_signed);
    nashc_vlog_int(v, "HAS_DIR", s->dir != NULL);
    nashc_vlog_int(v, "T_SHARED", s->rows == 1);
    nashc_vlog_str(v, "T_RAM_STYLE", s->ram_style);
    if (s->parallel) {
        parallel_file(v, s);
    } else {
        nashc_vlog_int(v, "DEEP", 1);
        search_files(v, s);
    }
    if (!s->dir)
        return;
    nashc_vlog_mem *m = nashc_vlog_memory(v, folds, s->pe);
    for (int64_t c = 0; c < s->channels; c++)
        nashc_vlog_put(m, c / s->pe, c % s->pe, 1, nashc_tensor_get_int(s->dir, c) < 0);
    nashc_vlog_file(v, "DIR_FILE", "directions", m);
}

/* Channels of the layer: rows of its parameters, or the last dimension of its input. */
int64_t
emit_channels(const nashc_node *n)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));
    const nashc_type *p = nashc_value_type(nashc_node_in(n, 1));
    int64_t rows = p->rank > 0 ? p->dim[0] : 1;

    return rows > 1 ? rows : x->rank > 0 ? x->dim[x->rank - 1] : 1;
}

void
emit_common(const nashc_node *n, nashc_vlog *v)
{
    const nashc_type *x = nashc_value_type(nashc_node_in(n, 0));

    nashc_vlog_int(v, "C", emit_channels(n));
    nashc_vlog_int(v, "PE", nashc_node_int(n, "pe"));
    nashc_vlog_int(v, "XW", x->bits);
    nashc_vlog_int(v, "X_SIGNED", emit_signed(x));
    nashc_vlog_int(v, "OUT_W", nashc_value_type(nashc_node_out(n, 0))->bits);
}

int
emit_bits_in(const nashc_node *n)
{
    return nashc_value_type(nashc_node_in(n, 0))->bits;
}
