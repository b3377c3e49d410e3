/* temp.h: removing what is not to stay. */
#ifndef NASHC_BASE_TEMP_H
#define NASHC_BASE_TEMP_H

#include <stdbool.h>

/* Removes a file, or a folder with all below it, 32 deep at most. Links are removed, not followed.
 * True: it is gone. Async-signal-safe. */
bool nashc_tree_remove(const char *path);

#endif
