/* genotype.h: networks made of a backbone and one branch a step: data, text, backbones, primitives.
 */
#ifndef NASHC_GENOTYPE_H
#define NASHC_GENOTYPE_H

#include <nashc/io.h>

NASHC_BEGIN

/* Limits on what a text may ask for. */
#define NASHC_GENO_MAX_SIZE     ((int64_t)1 << 20) /* bytes of a text */
#define NASHC_GENO_MAX_CHANNELS 65536
#define NASHC_GENO_MAX_CLASSES  (1 << 20)
#define NASHC_GENO_MAX_KERNEL   15
#define NASHC_GENO_MAX_WEIGHTS  ((int64_t)1 << 28)

typedef enum nashc_geno_version {
    NASHC_GENO_BASELINE, /* the backbone alone */
    NASHC_GENO_V1,
    NASHC_GENO_V2,
    NASHC_GENO_V3,
    NASHC_GENO_V4,
    NASHC_GENO_CUSTOM /* any primitive anywhere */
} nashc_geno_version;

/* What the first layer of a group puts on its block's shortcut. */
typedef enum nashc_geno_down {
    NASHC_DOWN_CONV,     /* 1x1 convolution with the group's stride, then batch normalisation */
    NASHC_DOWN_IDENTITY, /* the group's input itself */
    NASHC_DOWN_NONE      /* no shortcut */
} nashc_geno_down;

/* Widths in bits: weights of backbone, branches and downsampling; q3, q and q4. */
typedef struct nashc_geno_bits {
    int weight, act, nas, down, resid, state;
} nashc_geno_bits;

/* The branch that is added behind one step. */
typedef struct nashc_geno_edge {
    const char *op; /* name of a primitive; NULL: not given */
    int source;     /* state it reads: 0 is the group's input, k what step k leaves */
    int wbits;      /* of its weights; 0: as the group's nas */
    int line, col;  /* where the text has it */
} nashc_geno_edge;

typedef struct nashc_geno_group {
    int channels, stride, n_steps;
    nashc_geno_down down;
    nashc_geno_bits bits;
    nashc_geno_edge *edge; /* n_steps of them, step k + 1 at k; NULL in a baseline */
    int line;
} nashc_geno_group;

typedef struct nashc_geno_stem {
    int kernel, stride, pad;
    int pool, pool_stride; /* pool 0: none */
    int wbits;
    bool bn_first; /* batch normalisation before the pool */
} nashc_geno_stem;

typedef struct nashc_head nashc_head;

typedef struct nashc_geno_head {
    int pool; /* 0: the whole map */
    int poolbits, wbits;
    bool bias;
    bool round; /* rounds, and divides by the window; else floor, and the scale of the input */
    const char *kind; /* name of its rule */
    const nashc_head *rule;
    bool add; /* maps on the way up are added to those on the way down; else put side by side */
} nashc_geno_head;

typedef struct nashc_geno_input {
    int c, h, w;
    const char *dtype; /* "uint8", "int8", "float" */
    int n_scale, n_mean, n_std;
    double *scale, *mean, *std; /* one number, or one a channel */
} nashc_geno_input;

typedef struct nashc_backbone nashc_backbone;

typedef struct nashc_genotype {
    const char *name, *backbone_name;
    const nashc_backbone *backbone;
    nashc_geno_version version;
    nashc_geno_input input;
    int classes, width;
    nashc_geno_stem stem;
    nashc_geno_head head;
    nashc_geno_bits bits;
    double act_max, state_max, resid_max; /* where the learned scales start */
    int n_groups;
    nashc_geno_group *group;
} nashc_genotype;

/* --- backbones: nashc_impl of interface "backbone", op = name, rule = nashc_backbone -----------
 */

/* One convolution of a block; batch normalisation follows, and q3 unless it ends its step. */
typedef struct nashc_backbone_conv {
    int kernel;     /* odd; padded to keep the map */
    bool strided;   /* has the stride of the group in its first block */
    bool depthwise; /* channels as its input */
    bool of_input;  /* channels = those of the block's input * mul / div; else of its output */
    int mul, div;
} nashc_backbone_conv;

/* A block: its convolutions, each a step of its own or all of them one step. */
typedef struct nashc_backbone_block {
    int n_convs;
    nashc_backbone_conv conv[4];
    bool conv_is_step;
} nashc_backbone_block;

typedef struct nashc_backbone_group {
    int channels; /* of its output at the backbone's own width */
    int stride, blocks;
    nashc_geno_down down, rest; /* shortcut of the first block, of the others (never a conv) */
    const nashc_backbone_block *block;
} nashc_backbone_group;

struct nashc_backbone {
    uint32_t struct_size, flags;
    const char *name, *help;
    int width; /* channels of the stem */
    nashc_geno_stem stem;
    const nashc_backbone_group *group;
    int n_groups;
    bool block_scales; /* a baseline has q3 and q4 for each block, not for each group */
};

#define NASHC_BACKBONE(rule_, name_)                                                               \
    {                                                                                              \
        NASHC_DESC(nashc_impl), .iface = "backbone", .op = (name_), .rule = (rule_)                \
    }

/* Steps of group g. */
NASHC_API int nashc_backbone_steps(const nashc_backbone *b, int g);

/* --- primitives: nashc_impl of interface "primitive", op = name, rule = nashc_primitive --------
 */

/* Where a branch stands. */
typedef struct nashc_branch {
    nashc_value *x; /* what it reads, [1,C,H,W] */
    int in, out;    /* channels */
    int stride;
    int wbits;         /* 0: none given for this step */
    int nas;           /* of the group */
    int kernel;        /* K of a name that ends in _KxK */
    const char *scope; /* "group1.branch2" */
} nashc_branch;

typedef struct nashc_geno_net nashc_geno_net; /* a network being built */

typedef struct nashc_primitive {
    uint32_t struct_size, flags;
    const char *help;
    bool conv; /* a plain convolution: allowed in all versions, on strided edges too */
    bool pool; /* pooling or skip: costs more on a strided edge */
    /* The branch's value [1,out,H/stride,W/stride]; NULL: failed, which is reported. */
    nashc_value *(*build)(nashc_geno_net *n, const nashc_branch *b);
} nashc_primitive;

/* Parts for build. Parameters are named scope.conv.weight, scope.bn.weight and so on. `depthwise`
 * makes out channels of in groups; per_tensor one scale for all weights. */
typedef struct nashc_geno_conv {
    const char *name; /* behind the scope: "conv", "conv_a" */
    int kernel, stride, dilation, out, wbits;
    int pad; /* -1: (kernel - 1) / 2 * dilation */
    bool depthwise, per_tensor;
} nashc_geno_conv;
NASHC_API nashc_value *nashc_geno_net_op(nashc_geno_net *n, const char *op, nashc_value *const *in,
                                         int n_in, const char *attrs, ...)
    NASHC_PRINTF(5, 6); /* as nashc_build_op; nothing where an operand is NULL */
NASHC_API nashc_value *nashc_geno_net_conv(nashc_geno_net *n, const char *scope, nashc_value *x,
                                           const nashc_geno_conv *c);
NASHC_API nashc_value *nashc_geno_net_bn(nashc_geno_net *n, const char *scope, nashc_value *x);
NASHC_API void nashc_geno_net_at(nashc_geno_net *n, const char *scope, const char *what);

/* --- heads: nashc_impl of interface "head", op = name, rule = nashc_head -------------------------
 */

/* What stands behind the groups. size has height and width of the maps: [0] behind the stem, [i +
 * 1] behind group i; so does map, whose values are behind q3. */
struct nashc_head {
    uint32_t struct_size, flags;
    const char *help;
    bool pools; /* has the options pool, poolbits and trunc */
    bool skips; /* has the option skip */

    /* Why these sizes do not do, owned by a; NULL: they do. A NULL function: all do. */
    const char *(*why_not)(const nashc_genotype *g, const int (*size)[2], nashc_arena *a);
    int (*scales)(const nashc_genotype *g, const int (*size)[2]); /* learned ones; NULL: none */

    /* The graph's output; NULL: failed, which is reported. */
    nashc_value *(*build)(nashc_geno_net *n, const nashc_genotype *g, nashc_value *const *map);
};

#define NASHC_HEAD(rule_, name_)                                                                   \
    {                                                                                              \
        NASHC_DESC(nashc_impl), .iface = "head", .op = (name_), .rule = (rule_)                    \
    }

/* The primitive of a name; *kernel is K where the name has it ("conv_5x5" is "conv" with 5). NULL:
 * there is none. */
NASHC_API const nashc_primitive *nashc_geno_primitive(nashc_ctx *c, const char *name, int *kernel);

/* --- text and networks -------------------------------------------------------------------------
 */

/* Reads .ngt text or the published Python literal, told apart by content, checks it, and fills in
 * defaults. Options as of the frontend (NULL: none). The result is owned by a. Errors have codes
 * G01 to G10, line and column (docs/genotypes.md). */
NASHC_API nashc_status nashc_genotype_parse(nashc_ctx *c, nashc_arena *a, const char *file,
                                            const char *text, size_t size, const nashc_opts *o,
                                            nashc_genotype **out, nashc_diag *d);

/* Canonical text; parse(print(g)) equals g. And the published literal, which has the groups only.
 * Owned by a; NULL when memory is out. */
NASHC_API const char *nashc_genotype_print(const nashc_genotype *g, nashc_arena *a);
NASHC_API const char *nashc_genotype_python(const nashc_genotype *g, nashc_arena *a);

/* Arrays by name, as a reader gives them: element type and shape of each, one at a time. data is
 * the reader's. */
typedef nashc_status nashc_array_sink(void *user, const char *name, int rank, const int64_t *dim,
                                      const nashc_buf *data, nashc_diag *d);

/* nashc_impl of interface "arrays", op = "npz": reads a file of arrays. The tool brings it. */
typedef nashc_status nashc_array_reader(const char *path, nashc_array_sink *put, void *user,
                                        nashc_diag *d);
#define NASHC_ARRAYS(op_, fn_)                                                                     \
    {                                                                                              \
        NASHC_DESC(nashc_impl), .iface = "arrays", .op = (op_),                                    \
                                .fn = (void (*)(void))(1 ? (fn_) : (nashc_array_reader *)0)        \
    }

/* Learned scales of its network, q4, q and q3, whether something reads them or not. */
NASHC_API int nashc_genotype_scales(const nashc_genotype *g);

/* The network of g in a new module: graph "main", constants named by parameter, metadata "genotype"
 * with the canonical text. weights: path of an .npz of parameters by name (NULL: initial ones, made
 * from seed). O(weights). */
NASHC_API nashc_status nashc_genotype_build(nashc_ctx *c, const nashc_genotype *g, uint64_t seed,
                                            const char *weights, nashc_module **out, nashc_diag *d);

NASHC_END
#endif
