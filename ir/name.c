/* name.c: names as the text form prints them. */
#include "ir/impl.h"
#include <string.h>

bool
nashc_is_ident(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");

    return n && !s[n];
}

void
nashc_print_name(nashc_str *out, char sigil, const char *name)
{
    if (sigil)
        nashc_str_putc(out, sigil);
    if (nashc_is_ident(name))
        nashc_str_puts(out, name);
    else
        nashc_str_quoted(out, name);
}
