/* fused.h: batch normalisation, relu and a quantiser as one step, or the last two: what is between
 * them is never stored. */
#ifndef TRAIN_FUSED_H
#define TRAIN_FUSED_H

#include <nashc/grad.h>

/* The quantiser behind the nn.batchnorm bn, if nothing else reads what is between them and the one
 * rule can do them: NULL if not. *relu is the nn.relu between, or NULL. */
const nashc_node *train_fused_quantiser(const nashc_node *bn, const nashc_node **relu);

/* Operands: the five of bn, then scale and zero point; the result is the quantiser's. The node of a
 * call is bn. */
extern const nashc_grad train_fused_rule;

/* A quantiser behind an nn.relu as one step (quant.c): operands are the quantiser's, but the first
 * is the relu's. The node of a call is the quantiser. */
extern const nashc_grad train_relu_quant_rule;

#endif
