/* reader.h: what the files of the genotype reader share; never installed. */
#ifndef GENOTYPE_READER_H
#define GENOTYPE_READER_H

#include <nashc/nashc.h>

/* A word of the text; col counts bytes from 1. */
typedef struct geno_token {
    const char *s;
    int len, col;
} geno_token;

#define GENO_MAX_TOKENS 256 /* of one line */
#define GENO_MAX_GROUPS 64
#define GENO_MAX_STEPS  64

/* Settings in the order of the canonical text; a bit each in geno_in.given. */
typedef enum geno_key {
    GENO_NAME,
    GENO_BACKBONE,
    GENO_VERSION,
    GENO_INPUT,
    GENO_CLASSES,
    GENO_WIDTH,
    GENO_STEM,
    GENO_HEAD,
    GENO_BITS,
    GENO_N_KEYS
} geno_key;
extern const char *const geno_keys[GENO_N_KEYS + 1];           /* NULL-terminated */
extern const char *const geno_versions[NASHC_GENO_CUSTOM + 2]; /* by nashc_geno_version */
extern const char *const geno_downs[4];                        /* by nashc_geno_down */

/* A group as written: what is not given is -1, or NULL. */
typedef struct geno_raw_group {
    int number, line, col;
    int channels, stride, steps, down;
    nashc_geno_bits bits;
    nashc_geno_edge edge[GENO_MAX_STEPS]; /* op NULL: not given */
    int n_edges;                          /* highest step given */
} geno_raw_group;

/* A genotype as written, before defaults. */
typedef struct geno_in {
    nashc_ctx *ctx;
    nashc_diag *d;
    nashc_arena *arena;
    const nashc_opts *opts;
    const char *file;
    const char *line_text; /* of the line being read, 0-terminated, for carets; NULL: none */
    int line;

    nashc_genotype *g; /* settings that are not given are -1, NULL, or 0 for maxima */
    unsigned given;    /* by 1 << geno_key */
    int key_line[GENO_N_KEYS];
    bool have_version;
    geno_raw_group *group[GENO_MAX_GROUPS];
    int n_groups;
    geno_raw_group *current;
    bool ended;
    int last_line;
} geno_in;

/* --- fault.c: messages: file:line:col: error: genotype G05: text -------------------------------
 */

nashc_status geno_fault(geno_in *in, int code, const geno_token *at, const char *fmt, ...)
    NASHC_PRINTF(4, 5);
nashc_status geno_fault_at(geno_in *in, int code, int line, int col, const char *fmt, ...)
    NASHC_PRINTF(5, 6);
const char *geno_word(geno_in *in, const geno_token *t); /* a copy, 0-terminated; never NULL */
bool geno_is(const geno_token *t, const char *word);

/* Index of t in a NULL-terminated list; -1: not there. */
int geno_find(const geno_token *t, const char *const *list);

/* A decimal integer, the whole token, at most 9 digits; false otherwise. */
bool geno_int(const geno_token *t, int *out);

/* A finite number, the whole token. */
bool geno_number(const geno_token *t, double *out);

/* --- parse.c, settings.c, groups.c, python.c: text to geno_in ----------------------------------
 */

nashc_status geno_parse_ngt(geno_in *in, const char *text, size_t size);
nashc_status geno_parse_python(geno_in *in, const char *text, size_t size);

/* Splits a line into at most GENO_MAX_TOKENS; the number, or -1: reported. */
int geno_split(geno_in *in, const char *s, size_t len, geno_token *t);

/* Is it a setting? Then it is read. t[0] is its key. */
nashc_status geno_parse_setting(geno_in *in, geno_key k, const geno_token *t, int n);
nashc_status geno_parse_group(geno_in *in, const geno_token *t, int n);
nashc_status geno_parse_step(geno_in *in, const geno_token *t, int n);

/* Group k becomes the current one. */
nashc_status geno_new_group(geno_in *in, int k, int col);

/* Puts the branch of step k of the current group, checking what needs no backbone. */
nashc_status geno_put_edge(geno_in *in, const geno_token *step, int k, const geno_token *op,
                           const geno_token *source, nashc_geno_edge *e);

/* KEY=VALUE to its halves; false: reported. */
bool geno_option(geno_in *in, const geno_token *t, geno_token *key, geno_token *value);

/* One of weight, act ...: stored into b. *known says whether key is one. */
nashc_status geno_parse_bits(geno_in *in, const geno_token *key, const geno_token *value,
                             nashc_geno_bits *b, bool *known);

/* --- defaults.c, check.c: geno_in to nashc_genotype --------------------------------------------
 */

void geno_unset(nashc_genotype *g);
nashc_geno_bits geno_default_bits(const nashc_backbone *b, nashc_geno_version v);
double geno_default_act_max(int bits);
void geno_default_group(const nashc_genotype *g, int i, nashc_geno_group *out);
nashc_status geno_finish(geno_in *in); /* defaults and what the backbone fixes */
nashc_status geno_check(geno_in *in);  /* rules G04 to G09 */

/* Height and width behind a window. */
int geno_map(int size, int kernel, int stride, int pad);

/* Height and width of the maps: behind the stem, behind each group. size has room for n_groups + 1.
 * 0: a map vanishes. */
void geno_map_sizes(const nashc_genotype *g, int (*size)[2]);

/* Does the version allow the primitive on this edge? */
bool geno_allowed(const nashc_genotype *g, const nashc_primitive *p, const char *op, bool strided);

#endif
