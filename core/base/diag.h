/* diag.h: the inside of diagnostics, for those that create and extend them. */
#ifndef NASHC_BASE_DIAG_H
#define NASHC_BASE_DIAG_H

#include <nashc/diag.h>

nashc_diag *nashc_diag_create(void);
void nashc_diag_free(nashc_diag *d);

/* While held (nested), nashc_diag_flush does nothing, so that messages can still be taken back. */
void nashc_diag_hold(nashc_diag *d, int by);

/* Lives as long as the messages. */
nashc_arena *nashc_diag_arena(nashc_diag *d);

/* A message with its whole text, about a node if that is named. text NULL: out of memory. */
void nashc_diag_add(nashc_diag *d, nashc_severity severity, const nashc_loc *loc, const char *node,
                    const char *text);

/* As nashc_error and its kin, with a severity and a list of arguments. */
void nashc_diag_vadd(nashc_diag *d, nashc_severity severity, const nashc_loc *loc, const char *fmt,
                     va_list ap);

/* Is there an error behind the first n messages (as counted with NASHC_NOTE)? */
bool nashc_diag_error_since(const nashc_diag *d, int n);

/* Makes the errors behind the first n messages warnings of the name flag, as -W has it: they go if
 * it is silenced. True where they stay errors. d may be NULL. */
bool nashc_diag_demote(nashc_diag *d, int n, const char *flag);

/* The name in what follows -W; NULL: it speaks of all warnings. */
const char *nashc_warn_option_name(const char *option);

#endif
