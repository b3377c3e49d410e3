/* folder.h: folders within a design. */
#ifndef NASHC_BACKENDS_SUPPORT_FOLDER_H
#define NASHC_BACKENDS_SUPPORT_FOLDER_H

#include <nashc/plugin.h>

/* DIR/NAME is there. EIO: it cannot be created; ENOMEM. */
nashc_status make_folder(const char *dir, const char *name, nashc_diag *d);

#endif
