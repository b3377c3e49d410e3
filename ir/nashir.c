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

/* Is the text of the file no longer what it was? */
static bool
has_changed(const char *path, const char *text, size_t size)
{
    char *now = NULL;
    size_t n = 0;
    bool changed = nashc_file_read(path, NASHC_MAX_BYTES, &now, &n, NULL) == NASHC_OK &&
                   (n != size || memcmp(now, text, n) != 0);

    nashc_mem_free(now);
    return changed;
}

nashc_status
nashc_read_nashir(nashc_ctx *c, const char *path, nashc_module **out, nashc_diag *d)
{
    enum { TRIES = 4 };
    char *blobs = blob_path(path), *text = NULL;
    int before = d ? nashc_diag_count(d, NASHC_NOTE) : 0;
    bool again = blobs != NULL;
    size_t size;
    nashc_status s = again ? NASHC_OK : nashc_enomem(d);

    /* Text and blobs that another process replaces meanwhile may not be of one model. */
    for (int i = 0; again && i < TRIES; i++) {
        nashc_diag_truncate(d, before);
        s = nashc_file_read(path, NASHC_MAX_BYTES, &text, &size, d);
        if (!s)
            s = nashc_parse(c, path, text, size, blobs, out, d);
        again = s && text && has_changed(path, text, size);
        nashc_mem_free(text);
        text = NULL;
    }
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

/* Two files that change as one, as far as readers can tell:
 *
 *     blobs   former   former + new   former + new   new
 *     text    former   former         new            new
 *
 * At each step the text that is there finds its blobs. The last one only tidies up. */
static nashc_status
write_pair(const nashc_module *m, const char *path, const char *blobs, const char *text,
           size_t size, nashc_diag *d)
{
    nashc_outfile *f = nashc_out_open(path, d);
    bool more = false;

    if (!f)
        return NASHC_EIO;
    nashc_out_write(f, text, size);
    nashc_status s = nashc_out_flush(f, d);
    if (!s)
        s = nashc_blobs_write(m, blobs, true, &more, d);
    if (s) {
        nashc_out_drop(f);
        return s;
    }
    s = nashc_out_commit(f, d);
    if (!s && more)
        (void)nashc_blobs_write(m, blobs, false, &more, NULL);
    return s;
}

nashc_status
nashc_write_nashir(const nashc_module *m, const char *path, nashc_diag *d)
{
    char *blobs = blob_path(path), *text;
    size_t size;
    nashc_status s;

    text = blobs ? nashc_print(m, &size) : NULL;
    if (!text)
        s = nashc_enomem(d);
    else if (strcmp(path, "-") == 0)
        s = write_stdout(text, size, d);
    else
        s = write_pair(m, path, blobs, text, size, d);
    nashc_mem_free(text);
    nashc_mem_free(blobs);
    return s;
}
