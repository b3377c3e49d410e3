/* text_stream.c: text built in memory through a FILE.
 *
 * The open_memstream of glibc drops what it has no memory for, and neither ferror nor fclose tell:
 * a design would lack lines. So the memory is ours here, and a failure is kept.
 */
#define _GNU_SOURCE /* fopencookie */
#include "backends/support/text_stream.h"
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

static ssize_t
take(void *self, const char *text, size_t n)
{
    text_stream *t = self;

    if (n >= t->cap - t->size) {
        size_t cap = 2 * (t->size + n) + 256;
        char *data = realloc(t->data, cap);
        if (!data) {
            t->failed = true;
            return 0;
        }
        t->data = data;
        t->cap = cap;
    }
    memcpy(t->data + t->size, text, n);
    t->size += n;
    t->data[t->size] = 0;
    return (ssize_t)n;
}

/* Tells where the end is, for ftell; text is only ever added there. */
static int
tell(void *self, off64_t *at, int whence)
{
    text_stream *t = self;

    if (*at != 0 || whence == SEEK_SET)
        return -1;
    *at = (off64_t)t->size;
    return 0;
}

bool
text_stream_open(text_stream *t)
{
    cookie_io_functions_t io = {.write = take, .seek = tell};

    *t = (text_stream){0};
    t->f = fopencookie(t, "w", io);
    take(t, "", 0); /* an empty text is one, too */
    return t->f != NULL && !t->failed;
}

bool
text_stream_close(text_stream *t)
{
    bool bad = !t->f || ferror(t->f);

    if (t->f)
        bad = fclose(t->f) != 0 || bad;
    t->f = NULL;
    return !bad && !t->failed;
}
