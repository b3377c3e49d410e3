/* owned.h: which files in an output folder are nashc's. */
#ifndef NASHC_BASE_OWNED_H
#define NASHC_BASE_OWNED_H

#include <jansson.h>
#include <nashc/diag.h>

/* "dir/name", or the one that is not empty; freed by nashc_mem_free. NULL: memory is out. */
char *nashc_path_joined(const char *dir, const char *name);
bool nashc_is_dots(const char *name); /* "." and ".." */

/* manifest.json in dir as an object, a new reference; NULL: there is none. */
json_t *nashc_manifest_read(const char *dir);

/* Writes the list "files" of all that dir holds into its manifest, if it has one. */
nashc_status nashc_manifest_list_files(const char *dir, nashc_diag *d);

/* Does the manifest in the folder name nashc, and which files are its own? */
bool nashc_folder_is_ours(const char *path);

/* What is in folder from and not in files gets a second name in to; move: or is moved there if it
 * has none yet. EIO if a name is taken by another file. Folders with nothing of ours are made. */
nashc_status nashc_keep_others(const char *from, const char *to, const json_t *files, bool move,
                               nashc_diag *d);

#endif
