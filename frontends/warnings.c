/* warnings.c: warnings of the readers of models, nashc_warn_<name>. */
#include <nashc/diag.h>

const nashc_warn nashc_warn_datatype = {
    NASHC_DESC(nashc_warn),
    .name = "datatype",
    .help = "an annotated datatype is unknown, or does not hold the values, and the tensor "
            "is read by its values; correct the annotation",
};

const nashc_warn nashc_warn_genotype_reduce = {
    NASHC_DESC(nashc_warn),
    .name = "genotype-reduce",
    .help = "a primitive without weights on an edge of stride 2 costs extra hardware; a "
            "convolution there does not",
};

const nashc_warn nashc_warn_layout = {
    NASHC_DESC(nashc_warn),
    .name = "layout",
    .help = "an annotated layout is no list of axes and is not used; write it as "
            "['N','H','W','C']",
};

const nashc_warn nashc_warn_trunc_version = {
    NASHC_DESC(nashc_warn),
    .name = "trunc-version",
    .help = "a Trunc node has the operands of another version than the file imports and is "
            "read by its operands; correct the import",
};
