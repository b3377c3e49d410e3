/* fuzz_folding.c: the folding file (JSON) reader on arbitrary bytes, on a graph of one layer. */
#include "memory_file.h"
#include <nashc/nashc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char net[] = "nashc 1\n\ngraph @main(%x: u4[1,8]) -> (%y) {\n"
                          "  %t: u4[1,3] = [1,4,9]\n"
                          "  %y: u2[1,8] = q.multithreshold(%x, %t)\n}\n";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nashc_ctx *c = nashc_ctx_create();
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_module *m = NULL;
    char path[32], pipeline[96];
    int fd = memory_file(data, size, path);

    if (fd >= 0 && !nashc_parse(c, "net", net, strlen(net), NULL, &m, d)) {
        snprintf(pipeline, sizeof pipeline, "to-hw,apply-folding(file=%s)", path);
        nashc_run_pipeline(&m, pipeline, NULL, d);
        nashc_module_free(m);
    }
    if (fd >= 0)
        close(fd);
    nashc_ctx_free(c);
    return 0;
}
