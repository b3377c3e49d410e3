/* stdin.c: a model on standard input becomes a file, since readers go back and forth in theirs. */
#include "tool.h"

static const char *spooled; /* its folder; NULL: none */

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
    char *folder;
    nashc_status s = tool_temp_folder("stdin", a, &folder, d);

    if (s != NASHC_OK)
        return s;
    spooled = folder;
    *path = nashc_arena_printf(a, "%s/model", folder);
    if (!*path)
        return nashc_enomem(d);
    /* messages must not name a file that is gone when they are read */
    nashc_diag_show_as(d, *path, "<stdin>");
    return spool(*path, d);
}

void
tool_stdin_drop(void)
{
    tool_temp_remove(spooled);
    spooled = NULL;
}
