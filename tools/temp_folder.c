/* temp_folder.c: folders for what outside programs read and write. */
#define _DEFAULT_SOURCE 1 /* mkdtemp */
#include "tool.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

nashc_status
tool_temp_folder(const char *what, nashc_arena *a, char **path, nashc_diag *d)
{
    const char *base = getenv("TMPDIR");
    sigset_t all, before;
    base = base && base[0] ? base : "/tmp";
    *path = nashc_arena_printf(a, "%s/nashc-%s-XXXXXX", base, what);
    if (!*path)
        return nashc_enomem(d);
    /* No signal between the two: what ends the process removes what is noted. */
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    bool made = mkdtemp(*path) != NULL;
    int why = errno;
    if (made)
        nashc_temp_note(*path);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (made)
        return NASHC_OK;
    *path = NULL;
    nashc_io_error(d, &(nashc_loc){.file = base}, "cannot create a temporary folder: %s",
                   strerror(why));
    nashc_help(d, "TMPDIR names the folder for it");
    return NASHC_EIO;
}

/* NULL is fine. The note goes after the folder: a signal in between removes what is gone already,
 * which does no harm. */
void
tool_temp_remove(const char *path)
{
    if (!path)
        return;
    nashc_tree_remove(path);
    nashc_temp_done(path);
}
