/* text_stream.h: text built in memory through a FILE. */
#ifndef NASHC_BACKENDS_SUPPORT_TEXT_STREAM_H
#define NASHC_BACKENDS_SUPPORT_TEXT_STREAM_H

#include <stdbool.h>
#include <stdio.h>

/* Must stay where it is while it is open. */
typedef struct text_stream {
    FILE *f;
    char *data; /* the caller's to free, closed or not */
    size_t size, cap;
    bool failed;
} text_stream;

/* False: memory is short. */
bool text_stream_open(text_stream *t);

/* data is the whole text then, with a zero behind it. False: not opened, or memory was short at any
 * time since. */
bool text_stream_close(text_stream *t);

#endif
