/* object_threads.c: N IN OUT: two threads call the function of call.h at the same time, on all
 * samples each; they must agree. Buffers end where a page ends that must not be touched; memory is
 * filled with rubbish before each call. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "call.h"

enum { THREADS = 2, TURNS = 4 };

static int n;
static unsigned char *input;
static size_t in_size, out_size;
static pthread_barrier_t barrier;

static void
fail(const char *text)
{
    fprintf(stderr, "%s\n", text);
    exit(1);
}

/* size bytes that end with a page; the next one is closed. */
static unsigned char *
guarded(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), body = (size + page - 1) / page * page;
    unsigned char *p =
        mmap(NULL, body + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED || mprotect(p + body, page, PROT_NONE) != 0)
        fail("no memory");
    return p + body - size;
}

static void
one_sample(unsigned char **b, int k, unsigned char *out)
{
    const unsigned char *from = input + (size_t)k * in_size;

    for (int i = 0; i < INPUTS; from += sizes[i++])
        memcpy(b[i], from, sizes[i]);
    for (int i = INPUTS; i <= PORTS; i++)
        memset(b[i], 0xa5, sizes[i]);
    if (CALL(b) != 0)
        fail("the function returns a fault");
    from = input + (size_t)k * in_size;
    for (int i = 0; i < INPUTS; from += sizes[i++])
        if (memcmp(b[i], from, sizes[i]) != 0)
            fail("the function changes its input");
    for (int i = INPUTS; i < PORTS; out += sizes[i++])
        memcpy(out, b[i], sizes[i]);
}

static void *
work(void *arg)
{
    unsigned char *b[PORTS + 1], *out = arg;

    for (int i = 0; i <= PORTS; i++)
        b[i] = guarded(sizes[i]);
    pthread_barrier_wait(&barrier);
    for (int turn = 0; turn < TURNS; turn++)
        for (int k = 0; k < n; k++)
            one_sample(b, k, out + (size_t)k * out_size);
    return NULL;
}

int
main(int argc, char **argv)
{
    pthread_t thread[THREADS];
    unsigned char *out[THREADS];
    FILE *f;

    if (argc != 4)
        fail("usage: N IN OUT");
    n = atoi(argv[1]);
    for (int i = 0; i < PORTS; i++)
        *(i < INPUTS ? &in_size : &out_size) += sizes[i];
    input = malloc((size_t)n * in_size);
    f = fopen(argv[2], "rb");
    if (!input || !f || fread(input, in_size, (size_t)n, f) != (size_t)n)
        fail("no input");
    fclose(f);
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int t = 0; t < THREADS; t++) {
        out[t] = malloc((size_t)n * out_size);
        if (!out[t] || pthread_create(&thread[t], NULL, work, out[t]) != 0)
            fail("no thread");
    }
    for (int t = 0; t < THREADS; t++)
        pthread_join(thread[t], NULL);
    if (memcmp(out[0], out[1], (size_t)n * out_size) != 0)
        fail("threads disagree");
    f = fopen(argv[3], "wb");
    if (!f || fwrite(out[0], out_size, (size_t)n, f) != (size_t)n || fclose(f) != 0)
        fail("no output");
    for (int t = 0; t < THREADS; t++)
        free(out[t]);
    free(input);
    return 0;
}
