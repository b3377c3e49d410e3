/* cache.h: compiled code on disk, found by what it was compiled from. */
#ifndef CPU_CACHE_H
#define CPU_CACHE_H

#include <stddef.h>

#define CPU_KEY_SIZE 65

/* Hash over n parts, as hexadecimal text. */
void cpu_cache_key(const void *const *part, const size_t *size, int n, char key[CPU_KEY_SIZE]);

/* The bytes kept under key, to be freed; NULL if there are none, or other ones than were put. */
void *cpu_cache_get(const char *folder, const char *key, size_t *size);

/* Keeps bytes under key, written aside and renamed, and removes what was not used for long if the
 * folder has more than most bytes; a folder that cannot be written to is no error. */
void cpu_cache_put(const char *folder, const char *key, const void *data, size_t size, size_t most);

#endif
