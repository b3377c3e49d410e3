/* memory_file.h: gives a fuzzer's bytes a path, for readers that take one. */
#ifndef MEMORY_FILE_H
#define MEMORY_FILE_H

#include <stddef.h>
#include <stdint.h>

/* Stores data in an anonymous file and writes its path to path (32 bytes). Returns its descriptor,
 * which the caller closes, or -1. */
int memory_file(const uint8_t *data, size_t size, char path[32]);

#endif
