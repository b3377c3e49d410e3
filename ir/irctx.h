/* irctx.h: what the IR keeps in a context: interned strings and parsed op schemas.
 *
 * core creates and frees one with each nashc_ctx and hands it out by nashc_ctx_ir.
 */
#ifndef NASHC_BASE_IRCTX_H
#define NASHC_BASE_IRCTX_H

#include <nashc/op.h>

typedef struct nashc_irctx nashc_irctx;

nashc_irctx *nashc_irctx_create(void); /* NULL: memory out */
void nashc_irctx_free(nashc_irctx *x);

/* Implemented by core beside nashc_ctx_create. */
nashc_irctx *nashc_ctx_ir(nashc_ctx *c);

/* The one copy of s, for comparison by address; lives as long as the context. NULL: memory out. */
const char *nashc_intern(nashc_irctx *x, const char *s);
const char *nashc_intern_n(nashc_irctx *x, const char *s, size_t n);

/* The descriptor of `unknown.<Name>`, made at first demand; NULL if the name is not of that form
 * ([A-Za-z0-9_]+ behind the dot) or memory is out. nashc_find(c, NASHC_D_OP, ...) ends here. */
const nashc_op *nashc_op_unknown(nashc_irctx *x, const char *name);

#endif
