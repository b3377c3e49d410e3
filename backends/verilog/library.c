/* library.c: which modules of the library a design needs, and writing them. */
#include "build.h"
#include <inttypes.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>

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

nashc_status
write_library(design *z)
{
    bool more = true;
    nashc_status s = NASHC_OK;

    while (more) {
        more = false;
        for (int i = 0; nashc_rtl_files[i].name; i++) {
            if (!z->used[i])
                continue;
            const char *t = without_comments(z, nashc_rtl_files[i].text);
            if (!t)
                return nashc_enomem(z->d);
            for (int k = 0; nashc_rtl_files[k].name; k++)
                if (!z->used[k] && mentions(t, nashc_rtl_files[k].name))
                    z->used[k] = more = true;
        }
    }
    for (int i = 0; nashc_rtl_files[i].name && s == NASHC_OK; i++)
        if (z->used[i])
            s = write_rtl(z, nashc_rtl_files[i].name, nashc_rtl_files[i].text,
                          strlen(nashc_rtl_files[i].text));
    return s;
}
