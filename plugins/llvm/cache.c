/* cache.c: a folder of files that are named by the hash of their origin. */
#include "cache.h"
#include <nashc/base.h>
#include <sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
cpu_cache_key(const void *const *part, const size_t *size, int n, char key[CPU_KEY_SIZE])
{
    SHA2_CTX c;

    SHA256Init(&c);
    SHA256Update(&c, (const uint8_t *)NASHC_VERSION " " CPU_LLVM_VERSION,
                 sizeof NASHC_VERSION " " CPU_LLVM_VERSION);
    for (int i = 0; i < n; i++) {
        uint64_t length = size[i]; /* so that parts cannot run into each other */
        SHA256Update(&c, (const uint8_t *)&length, sizeof length);
        SHA256Update(&c, part[i], size[i]);
    }
    SHA256End(&c, key);
}

static char *
path_of(const char *folder, const char *key, const char *suffix)
{
    size_t size = strlen(folder) + strlen(key) + strlen(suffix) + 40;
    char *path = malloc(size);

    if (path && suffix[0])
        snprintf(path, size, "%s/%s.%ld%s", folder, key, (long)getpid(), suffix);
    else if (path)
        snprintf(path, size, "%s/%s.o", folder, key);
    return path;
}

void *
cpu_cache_get(const char *folder, const char *key, size_t *size)
{
    char *path = path_of(folder, key, ""), *data = NULL;
    FILE *f = path ? fopen(path, "rb") : NULL;
    struct stat st;

    if (f && fstat(fileno(f), &st) == 0 && st.st_size > 0 && (data = malloc((size_t)st.st_size))) {
        *size = (size_t)st.st_size;
        if (fread(data, 1, *size, f) != *size) {
            free(data);
            data = NULL;
        }
    }
    if (f)
        fclose(f);
    free(path);
    return data;
}

/* Makes the folder and those above it that are missing. */
static void
make_folders(const char *folder)
{
    char *path = strdup(folder);

    for (char *p = path; p && *p; p++)
        if (*p == '/' && p > path) {
            *p = 0;
            mkdir(path, 0777);
            *p = '/';
        }
    if (path)
        mkdir(path, 0777);
    free(path);
}

void
cpu_cache_put(const char *folder, const char *key, const void *data, size_t size)
{
    char *path = path_of(folder, key, ""), *aside = path_of(folder, key, ".tmp");
    FILE *f;

    make_folders(folder);
    if (path && aside && (f = fopen(aside, "wb"))) {
        bool whole = fwrite(data, 1, size, f) == size;
        whole = fclose(f) == 0 && whole;
        if (!whole || rename(aside, path) != 0)
            remove(aside);
    }
    free(path);
    free(aside);
}
