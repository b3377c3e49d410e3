/* move_scalar_mul_past_convtranspose.c
 *
 *     conv_transpose(x * a, w)     ==>     conv_transpose(x, w) * a      for a scalar a
 *
 * Padding is with 0, which any factor keeps. A bias must have been extracted: it would be scaled
 * too.
 * Terminates: a mul only ever moves towards the outputs.
 */
#include "scalar_mul_past_conv.h"

static const nashc_pattern move_mul_pattern = {"nn.conv_transpose", scalar_mul_past_conv};

const nashc_pass nashc_pass_move_scalar_mul_past_convtranspose = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_INEXACT,
    .name = "move-scalar-mul-past-convtranspose",
    .alias = "MoveScalarMulPastConvTranspose",
    .help = "move a mul by a scalar below a transposed convolution",
    .patterns = (const nashc_pattern *const[]){&move_mul_pattern, NULL},
};
