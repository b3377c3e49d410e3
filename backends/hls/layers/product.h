/* product.h: what hw.mvau and hw.vvau share: products, accumulators, results. */
#ifndef NASHC_HLS_PRODUCT_H
#define NASHC_HLS_PRODUCT_H

#include "count.h"
#include "model.h"

/* The C has its weights built in: EUNSUP, with the remedy, where n's are to come from outside. */
nashc_status hls_need_constants(const nashc_node *n, nashc_diag *d);

/* Element of the accumulators, also while they are summed up. */
nashc_type hls_accumulator(const nashc_node *n);

/* C: stored x times stored w, as an accumulator. */
const char *hls_product(const nashc_node *n, nashc_hls *h, const char *x, const char *w);

/* C: the stored result of accumulator `acc` of lane p in line f; defines what that takes. */
const char *hls_result(const nashc_node *n, nashc_hls *h, const char *acc, const char *f);

/* Stages of the pipeline behind the sum. */
uint32_t hls_result_depth(const nashc_node *n);

#endif
