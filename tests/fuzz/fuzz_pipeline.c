/* fuzz_pipeline.c: the pipeline parser on arbitrary text. */
#include <nashc/nashc.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nashc_ctx *c = nashc_ctx_create();
    char *text = malloc(size + 1);

    memcpy(text, data, size);
    text[size] = 0;
    if (!memchr(text, '@', size)) /* files are not the parser's matter */
        nashc_check_pipeline(c, text, nashc_ctx_diag(c));
    free(text);
    nashc_ctx_free(c);
    return 0;
}
