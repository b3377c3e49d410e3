/* file.h: what files and folders out have in common. */
#ifndef NASHC_BASE_FILE_H
#define NASHC_BASE_FILE_H

#include <nashc/diag.h>

/* EIO: "path: what: reason of errno err". */
nashc_status nashc_file_error(nashc_diag *d, const char *path, const char *what, int err);

/* May path be put in place? EINPUT if a warning that -W made an error was reported. */
nashc_status nashc_file_allowed(nashc_diag *d, const char *path);

/* A sibling of path that does not exist yet, "path.tmp-PROCESS-COUNT"; freed by nashc_mem_free. */
char *nashc_temp_name(const char *path);

#endif
