/* nashir.c: .nashir files with their .nashblob beside them. */
#include "core/base/mem.h"
#include "ir/impl.h"
#include <nashc/diag.h>
#include <nashc/io.h>
#include <stdio.h>
#include <string.h>

/* "net.nashir" to "net.nashblob"; other names get the suffix behind. */
static char *
blob_path(const char *path)
{
    size_t n = strlen(path), k = strlen(".nashir");
    nashc_str s = {0};

    if (n > k && strcmp(path + n - k, ".nashir") == 0)
        n -= k;
    nashc_str_add(&s, path, n);
    nashc_str_puts(&s, ".nashblob");
    return nashc_str_take(&s, NULL);
}

nashc_status
nashc_read_nashir(nashc_ctx *c, const char *path, nashc_module **out, nashc_diag *d)
{
    char *blobs = blob_path(path), *text = NULL;
    size_t size;
    nashc_status s;

    if (!blobs)
        return nashc_enomem(d);
    s = nashc_file_read(path, NASHC_MAX_BYTES, &text, &size, d);
    if (!s)
        s = nashc_parse(c, path, text, size, blobs, out, d);
    nashc_mem_free(text);
    nashc_mem_free(blobs);
    return s;
}

static nashc_status
write_stdout(const char *text, size_t size, nashc_diag *d)
{
    if (fwrite(text, 1, size, stdout) != size || fflush(stdout) != 0)
        return nashc_io_error(d, NULL, "cannot write to standard output");
    return NASHC_OK;
}

nashc_status
nashc_write_nashir(const nashc_module *m, const char *path, nashc_diag *d)
{
    char *blobs = blob_path(path), *text;
    bool written;
    size_t size;
    nashc_status s = NASHC_OK;

    text = blobs ? nashc_print(m, &size) : NULL;
    if (!text) {
        s = nashc_enomem(d);
    } else if (strcmp(path, "-") == 0) {
        s = write_stdout(text, size, d);
    } else {
        s = nashc_blobs_write(m, blobs, &written, d);
        if (!s) {
            nashc_outfile *f = nashc_out_open(path, d);
            s = NASHC_EIO;
            if (f) {
                nashc_out_write(f, text, size);
                s = nashc_out_commit(f, d);
            }
        }
    }
    nashc_mem_free(text);
    nashc_mem_free(blobs);
    return s;
}
