/* folder.c: folders within a design. */
#include "backends/support/folder.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

nashc_status
make_folder(const char *dir, const char *name, nashc_diag *d)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = malloc(size);
    nashc_status s = NASHC_OK;

    if (!path)
        return nashc_enomem(d);
    snprintf(path, size, "%s/%s", dir, name);
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        s = nashc_io_error(d, &(nashc_loc){.file = path}, "cannot be created: %s", strerror(errno));
    free(path);
    return s;
}
