/* library.c: which modules of the library a design needs, and writing them. */
#include "build.h"
#include <inttypes.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>

/* NAME.v of the library; a module of a plugin is none and comes with its layer. */
void
mark_used(design *z, const char *module)
{
    size_t n = strlen(module);

    for (int i = 0; nashc_rtl_files[i].name; i++)
        if (strncmp(nashc_rtl_files[i].name, module, n) == 0 &&
            strcmp(nashc_rtl_files[i].name + n, ".v") == 0)
            z->used[i] = true;
}

/* Is module file i named in the text as a word? */
static bool
mentions(const char *s, const char *file)
{
    size_t n = strlen(file) - 2; /* without ".v" */

    for (const char *p = s; (p = strstr(p, "nashc_")); p += 6)
        if (strncmp(p, file, n) == 0 && !strchr("_0123456789abcdefghijklmnopqrstuvwxyz", p[n]))
            return true;
    return false;
}

/* Drops // comments, which may name other modules. */
static char *
without_comments(design *z, const char *s)
{
    char *t = nashc_arena_strdup(z->a, s);

    for (char *p = t; p && (p = strstr(p, "//"));) {
        while (*p && *p != '\n')
            *p++ = ' ';
    }
    return t;
}

/* Marks what text instantiates. -1: memory is out; else whether that was new. */
static int
mark_mentioned(design *z, const char *s)
{
    const char *t = without_comments(z, s);
    int more = 0;

    for (int k = 0; t && nashc_rtl_files[k].name; k++) {
        bool found = !z->used[k] && mentions(t, nashc_rtl_files[k].name);
        z->used[k] |= found;
        more |= found;
    }
    return t ? more : -1;
}

nashc_status
use_library(design *z, const char *s)
{
    return mark_mentioned(z, s) < 0 ? nashc_enomem(z->d) : NASHC_OK;
}

/* To a fixpoint: a module that was just marked may instantiate others. O(files^2) at most, of a few
 * dozen. */
nashc_status
write_library(design *z)
{
    int more = 1;
    nashc_status s = NASHC_OK;

    while (more != 0) {
        more = 0;
        for (int i = 0; nashc_rtl_files[i].name; i++) {
            int found = z->used[i] ? mark_mentioned(z, nashc_rtl_files[i].text) : 0;
            if (found < 0)
                return nashc_enomem(z->d);
            more |= found;
        }
    }
    for (int i = 0; nashc_rtl_files[i].name && s == NASHC_OK; i++)
        if (z->used[i])
            s = write_rtl(z, nashc_rtl_files[i].name, nashc_rtl_files[i].text,
                          strlen(nashc_rtl_files[i].text));
    return s;
}
