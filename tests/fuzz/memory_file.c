/* memory_file.c: gives a fuzzer's bytes a path, for readers that take one. */
#define _GNU_SOURCE
#include "memory_file.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int
memory_file(const uint8_t *data, size_t size, char path[32])
{
    int fd = memfd_create("fuzz", 0);

    if (fd < 0)
        return -1;
    if (write(fd, data, size) != (ssize_t)size) {
        close(fd);
        return -1;
    }
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}
