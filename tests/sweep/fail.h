/* fail.h: what fail.c and snapshot.c share. */
#ifndef FAIL_H
#define FAIL_H

enum { ALLOC, WRITE, RENAME, OPEN, FORK, MKDIR, PIPE, N_KINDS };

extern const char *const fail_names[];

/* The kind that s begins with, as in "alloc:17"; *end: behind the colon. -1: none. */
int fail_kind(const char *s, char **end);

/* From now on this process fails as FAIL=s says. */
void fail_choose(const char *s);

/* Before the n-th call of a kind (in a copy of the process that fail_choose was told to fail here,
 * too); before the first and after the last. */
void snapshot_at(int kind, long n);
void snapshot_start(void);
void snapshot_end(void);
/* The functions that are running, to the standard error. */
void snapshot_trace(void);

#endif
