/* fuzz_onnx.c: the ONNX importer on arbitrary bytes. */
#include "memory_file.h"
#include <nashc/nashc.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nashc_ctx *c = nashc_ctx_create();
    nashc_module *m = NULL;
    char path[32];
    int fd = memory_file(data, size, path);

    if (fd >= 0 && !nashc_read_model(c, path, "onnx", &m, nashc_ctx_diag(c)))
        nashc_module_free(m);
    if (fd >= 0)
        close(fd);
    nashc_ctx_free(c);
    return 0;
}
