/* running.h: the stack of calls into descriptors, by thread. */
#ifndef NASHC_BASE_RUNNING_H
#define NASHC_BASE_RUNNING_H

#include <nashc/running.h>

/* The innermost call; read by signal handlers. Initial-exec: no allocation on first use. */
extern _Thread_local nashc_frame *nashc_frame_top __attribute__((tls_model("initial-exec")));

/* A walk has come to n. */
static inline void
nashc_frame_seen(const nashc_node *n)
{
    if (nashc_frame_top)
        nashc_frame_top->seen = n;
}

#endif
