/* running.c: entering a call; who is to blame is for core/host/running.c to say. */
#include "core/base/running.h"
#include <stdatomic.h>

_Thread_local nashc_frame *nashc_frame_top;

void
nashc_enter(nashc_frame *f, nashc_ctx *c, nashc_desc_kind k, const char *name, const nashc_node *n,
            nashc_diag *d)
{
    *f = (nashc_frame){.outer = nashc_frame_top,
                       .ctx = c,
                       .diag = d,
                       .name = name,
                       .node = n,
                       .kind = (uint32_t)k,
                       .n_messages = d ? nashc_diag_count(d, NASHC_NOTE) : 0};
    /* A signal must find the frame whole. */
    atomic_signal_fence(memory_order_release);
    nashc_frame_top = f;
}
