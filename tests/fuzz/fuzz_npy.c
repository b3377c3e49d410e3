/* fuzz_npy.c: the readers of .npy and .npz on arbitrary bytes. */
#include "memory_file.h"
#include "tools/tool.h"
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nashc_ctx *c = nashc_ctx_create();
    tool_arrays arrays = {0};
    char path[32];
    int fd = memory_file(data, size, path);

    if (fd >= 0)
        (void)tool_arrays_read(path, &arrays, nashc_ctx_diag(c));
    tool_arrays_free(&arrays);
    if (fd >= 0)
        close(fd);
    nashc_ctx_free(c);
    return 0;
}
