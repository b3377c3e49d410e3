/* stdin.c: a model on standard input becomes a file, since readers go back and forth in theirs. */
#define _DEFAULT_SOURCE 1 /* mkstemp */
#include "tool.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *spooled; /* the file; NULL: none */

static nashc_status
spool(const char *path, nashc_diag *d)
{
    char *data;
    size_t size;
    nashc_status s = nashc_file_read("/dev/stdin", NASHC_MAX_BYTES, &data, &size, d);

    if (s != NASHC_OK)
        return s;
    nashc_outfile *f = nashc_out_open(path, d);
    if (f)
        nashc_out_write(f, data, size);
    nashc_mem_free(data);
    return f ? nashc_out_commit(f, d) : NASHC_EIO;
}

nashc_status
tool_stdin_take(const char **path, nashc_arena *a, nashc_diag *d)
{
    const char *base = getenv("TMPDIR");
    char *name = nashc_arena_printf(a, "%s/nashc-stdin-XXXXXX", base && base[0] ? base : "/tmp");

    if (!name)
        return nashc_enomem(d);
    int fd = mkstemp(name);
    if (fd < 0)
        return nashc_io_error(d, &(nashc_loc){.file = name}, "cannot be created: %s",
                              strerror(errno));
    close(fd);
    spooled = name;
    nashc_temp_note(spooled);
    nashc_diag_show_as(d, name, "<stdin>");
    *path = name;
    return spool(name, d);
}

void
tool_stdin_drop(void)
{
    if (!spooled)
        return;
    unlink(spooled);
    nashc_temp_done(spooled);
    spooled = NULL;
}
