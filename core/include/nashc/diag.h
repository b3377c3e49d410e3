/* diag.h: errors, warnings and notes, collected in the context and printed by the tool. */
#ifndef NASHC_DIAG_H
#define NASHC_DIAG_H

#include <nashc/ir.h>

NASHC_BEGIN

/* Each reports one message `where: error: text` and returns the status of its name, so that
 * `return nashc_error(...)` is one line. Text: lower case, no full stop, values and names in it.
 * loc may be NULL. d may be NULL: then nothing is recorded (used by trial inference). */
NASHC_API nashc_status nashc_error(nashc_diag *d, const nashc_loc *loc, const char *fmt, ...)
    NASHC_PRINTF(3, 4);
NASHC_API nashc_status nashc_unsup(nashc_diag *d, const nashc_loc *loc, const char *fmt, ...)
    NASHC_PRINTF(3, 4);
NASHC_API nashc_status nashc_io_error(nashc_diag *d, const nashc_loc *loc, const char *fmt, ...)
    NASHC_PRINTF(3, 4);
NASHC_API nashc_status nashc_usage(nashc_diag *d, const char *fmt, ...) NASHC_PRINTF(2, 3);
NASHC_API nashc_status nashc_enomem(nashc_diag *d);

/* A broken invariant: of nashc (EBUG), or of the plugin whose code runs now (EPLUGIN, see
 * nashc/running.h); a note says which. */
NASHC_API nashc_status nashc_bug(nashc_diag *d, const nashc_loc *loc, const char *fmt, ...)
    NASHC_PRINTF(3, 4);

/* The same, with location, name and op of the node in front: `node "Conv_3" (nn.conv): text`. */
NASHC_API nashc_status nashc_node_error(nashc_diag *d, const nashc_node *n, const char *fmt, ...)
    NASHC_PRINTF(3, 4);
NASHC_API nashc_status nashc_node_unsup(nashc_diag *d, const nashc_node *n, const char *fmt, ...)
    NASHC_PRINTF(3, 4);

/* A warning by its name. Not "all", "error" or "no-...", which -W reads otherwise. */
typedef struct nashc_warn {
    uint32_t struct_size, flags;
    const char *name, *help; /* "unused-scale"; what it says, and what to do about it */
} nashc_warn;

/* flag: name of the warning, "unused-scale"; printed as [-Wunused-scale], can be silenced or made
 * an error by the user. It should have a descriptor (nashc_plugin.warnings): users learn of it by
 * that; without one it works all the same. */
NASHC_API void nashc_warning(nashc_diag *d, const nashc_loc *loc, const char *flag, const char *fmt,
                             ...) NASHC_PRINTF(4, 5);

/* Applies what follows -W on a command line: FLAG, no-FLAG, error, error=FLAG, no-error=FLAG; FLAG
 * may be "all". Later ones win. */
NASHC_API nashc_status nashc_diag_warn_option(nashc_diag *d, const char *option);

/* Has a warning been reported, and not been taken back, that -W made an error? Those who report
 * warnings go on behind them; who ends the work asks this for its exit status. */
NASHC_API bool nashc_diag_warning_failed(const nashc_diag *d);

/* Attach a line to the last message: `note:` for a fact, `help:` for what to do. */
NASHC_API void nashc_note(nashc_diag *d, const char *fmt, ...) NASHC_PRINTF(2, 3);
NASHC_API void nashc_help(nashc_diag *d, const char *fmt, ...) NASHC_PRINTF(2, 3);

/* Attach source line and caret to the last message: text is one line, col and len count bytes from
 * 0. */
NASHC_API void nashc_caret(nashc_diag *d, const char *text, int col, int len);

/* A message of its own: `where: note: text`. */
NASHC_API void nashc_remark(nashc_diag *d, const nashc_loc *loc, const char *fmt, ...)
    NASHC_PRINTF(3, 4);

/* Printed type, owned by d until its messages are cleared. */
NASHC_API const char *nashc_type_str(nashc_diag *d, const nashc_type *t);

/* s made safe for a message or for generated text: control characters and invalid UTF-8 become
 * \xNN, quotes and backslashes are escaped; cut after 200 bytes. Owned by d. */
NASHC_API const char *nashc_quote(nashc_diag *d, const char *s);

/* Of names (NULL-terminated), the up to three nearest to name by edit distance, as
 * `did you mean "a" or "b"?`, or "" if none is near. Owned by d. */
NASHC_API const char *nashc_nearest(nashc_diag *d, const char *name, const char *const *names);

/* One collected message; for tools and tests. */
typedef enum nashc_severity { NASHC_NOTE, NASHC_WARNING, NASHC_ERROR } nashc_severity;
NASHC_API int nashc_diag_count(const nashc_diag *d, nashc_severity at_least);
NASHC_API const char *nashc_diag_text(const nashc_diag *d, int i); /* whole, as printed */

/* Forget all messages, or those after the first n (as counted with NASHC_NOTE). */
NASHC_API void nashc_diag_truncate(nashc_diag *d, int n);

/* Called with each finished message in order; NULL: keep them (the default). json: text is one JSON
 * object a message. */
typedef void (*nashc_diag_sink)(void *user, nashc_severity s, const char *text);
NASHC_API void nashc_diag_set_sink(nashc_diag *d, nashc_diag_sink sink, void *user, bool json);
NASHC_API void nashc_diag_flush(nashc_diag *d);

/* Messages about the file path name it `shown`; one such path at a time. Both are copied. */
NASHC_API void nashc_diag_show_as(nashc_diag *d, const char *path, const char *shown);

/* 0 quiet, 1 normal, 2 -v, 3 -vv. */
NASHC_API int nashc_diag_verbosity(const nashc_diag *d);
NASHC_API void nashc_diag_set_verbosity(nashc_diag *d, int level);

NASHC_END
#endif
