/* fuzz_genotype.c: the genotype reader on arbitrary bytes, and what it prints read again. */
#include <nashc/nashc.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nashc_ctx *c = nashc_ctx_create();
    nashc_arena *a = nashc_arena_create();
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_genotype *g = NULL, *again = NULL;

    if (!nashc_genotype_parse(c, a, "fuzz", (const char *)data, size, NULL, &g, d)) {
        const char *text = nashc_genotype_print(g, a);
        if (nashc_genotype_parse(c, a, "again", text, strlen(text), NULL, &again, d) ||
            strcmp(text, nashc_genotype_print(again, a)) != 0)
            abort();
    }
    nashc_arena_free(a);
    nashc_ctx_free(c);
    return 0;
}
