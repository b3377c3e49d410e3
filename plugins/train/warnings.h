/* warnings.h: the warnings of the plugin. */
#ifndef TRAIN_WARNINGS_H
#define TRAIN_WARNINGS_H

#include <nashc/diag.h>

extern const nashc_warn *const train_warnings[]; /* NULL-terminated */

#endif
