/* text.h: what in a string of bytes is text. */
#ifndef NASHC_BASE_TEXT_H
#define NASHC_BASE_TEXT_H

#include <nashc/base.h>

/* Length of the well-formed UTF-8 sequence at s, 1 to 4; 0 if there is none (RFC 3629). */
size_t nashc_utf8_length(const char *s);

/* The same, but 0 also for what is not plain. s is not at its end. */
size_t nashc_plain_length(const char *s);

#endif
