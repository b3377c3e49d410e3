/* cache.c: a folder of files that are named by the hash of their origin. */
#include "cache.h"
#include <dirent.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdbool.h>
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

/* A file begins with the hash of what follows: what is not whole is as good as absent. */
static bool
is_whole(const char *data, size_t size)
{
    char hash[CPU_KEY_SIZE];

    if (size <= CPU_KEY_SIZE)
        return false;
    cpu_cache_key((const void *[]){data + CPU_KEY_SIZE}, (size_t[]){size - CPU_KEY_SIZE}, 1, hash);
    return memcmp(hash, data, CPU_KEY_SIZE) == 0;
}

void *
cpu_cache_get(const char *folder, const char *key, size_t *size)
{
    char *path = path_of(folder, key, ""), *data = NULL;
    FILE *f = path ? fopen(path, "rb") : NULL;
    struct stat st;

    if (f && fstat(fileno(f), &st) == 0 && st.st_size > 0 && (data = malloc((size_t)st.st_size))) {
        *size = (size_t)st.st_size;
        if (fread(data, 1, *size, f) != *size || !is_whole(data, *size)) {
            free(data);
            data = NULL;
        } else {
            *size -= CPU_KEY_SIZE;
            memmove(data, data + CPU_KEY_SIZE, *size);
            utimensat(AT_FDCWD, path, NULL, 0); /* the least used ones go first */
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

/* One file of the cache. */
typedef struct kept {
    char name[CPU_KEY_SIZE + 2];
    off_t size;
    struct timespec used;
} kept;

static int
oldest_first(const void *a, const void *b)
{
    const kept *p = a, *q = b;

    if (p->used.tv_sec != q->used.tv_sec)
        return p->used.tv_sec < q->used.tv_sec ? -1 : 1;
    return (p->used.tv_nsec > q->used.tv_nsec) - (p->used.tv_nsec < q->used.tv_nsec);
}

/* The files of the folder that have names as the cache gives; on the heap. */
static kept *
list_files(DIR *d, int *n)
{
    kept *file = NULL;
    struct stat st;

    *n = 0;
    for (const struct dirent *e; (e = readdir(d));) {
        bool ours = strlen(e->d_name) == CPU_KEY_SIZE + 1 &&
                    strspn(e->d_name, "0123456789abcdef") == CPU_KEY_SIZE - 1 &&
                    strcmp(e->d_name + CPU_KEY_SIZE - 1, ".o") == 0;
        if (!ours || fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        kept *more = realloc(file, (size_t)(*n + 1) * sizeof *more);
        if (!more)
            break;
        file = more;
        memcpy(file[*n].name, e->d_name, CPU_KEY_SIZE + 2);
        file[*n].size = st.st_size;
        file[(*n)++].used = st.st_mtim;
    }
    return file;
}

/* Removes files, the least lately used ones first, until the rest is within the bound. */
static void
trim(const char *folder, size_t most)
{
    DIR *d = opendir(folder);
    size_t total = 0;
    int n = 0;
    kept *file = d ? list_files(d, &n) : NULL;

    for (int i = 0; i < n; i++)
        total += (size_t)file[i].size;
    if (n)
        qsort(file, (size_t)n, sizeof *file, oldest_first);
    for (int i = 0; i < n && total > most; i++) {
        unlinkat(dirfd(d), file[i].name, 0);
        total -= (size_t)file[i].size;
    }
    free(file);
    if (d)
        closedir(d);
}

void
cpu_cache_put(const char *folder, const char *key, const void *data, size_t size, size_t most)
{
    char *path = path_of(folder, key, ""), *aside = path_of(folder, key, ".tmp");
    char hash[CPU_KEY_SIZE];
    FILE *f;

    make_folders(folder);
    cpu_cache_key(&data, &size, 1, hash);
    if (path && aside && (f = fopen(aside, "wb"))) {
        bool whole = fwrite(hash, 1, sizeof hash, f) == sizeof hash;
        whole = whole && fwrite(data, 1, size, f) == size;
        whole = fclose(f) == 0 && whole;
        if (!whole || rename(aside, path) != 0)
            remove(aside);
    }
    trim(folder, most);
    free(path);
    free(aside);
}
