/* read.c: the genotype frontend: text to a checked genotype, and to its network. */
#include "frontends/genotype/reader.h"
#include <string.h>

/* Published literals are of ImageNet networks. */
static const char *const literal_defaults[GENO_N_KEYS] = {
    [GENO_INPUT] = "3x224x224", [GENO_CLASSES] = "1000"};

/* What a setting had is forgotten before it is read again. */
static void
forget(nashc_genotype *g, geno_key k)
{
    nashc_genotype fresh = {0};
    geno_unset(&fresh);
    if (k == GENO_INPUT)
        g->input = fresh.input;
    if (k == GENO_STEM)
        g->stem = fresh.stem;
    if (k == GENO_HEAD)
        g->head = fresh.head;
    if (k == GENO_BITS) {
        g->bits = fresh.bits;
        g->act_max = g->state_max = g->resid_max = 0;
    }
}

/* A setting given as option `key=value words`, parsed like a line of the text; what that said of
 * the setting is forgotten, not merged. Messages name the option as the file. */
static nashc_status
setting_from(geno_in *in, geno_key k, const char *value)
{
    geno_token t[GENO_MAX_TOKENS];
    bool pure = k == GENO_STEM || k == GENO_HEAD || k == GENO_BITS;
    const char *file = in->file;
    t[0] = (geno_token){geno_keys[k], (int)strlen(geno_keys[k]), 1};
    forget(in->g, k);
    in->file = nashc_arena_printf(in->arena, "option %s", geno_keys[k]);
    in->line = 1;
    int n = geno_split(in, value, strlen(value), t + 1);
    nashc_status s = n < 0 || n >= GENO_MAX_TOKENS - 1 ? NASHC_EINPUT : NASHC_OK;
    if (s == NASHC_OK && n == 0 && !pure)
        s = geno_fault(in, 2, &t[0], "%s without a value", geno_keys[k]);
    if (s == NASHC_OK)
        s = geno_parse_setting(in, k, t, n + 1);
    in->given |= 1u << k;
    in->file = file;
    return s;
}

/* Options come after the text, so they win. */
static nashc_status
settings_from_options(geno_in *in)
{
    nashc_status s = NASHC_OK;
    for (int k = 0; in->opts && k < GENO_N_KEYS && s == NASHC_OK; k++)
        if (nashc_opts_given(in->opts, geno_keys[k]))
            s = setting_from(in, (geno_key)k, nashc_opts_str(in->opts, geno_keys[k]));
    return s;
}

/*  */
static bool
is_text_form(const char *text, size_t size)
{
    /* Comments and blank lines may come first. */
    size_t i = 0;
    while (i < size && (text[i] == '#' || strchr(" \t\r\n", text[i])) && text[i]) {
        if (text[i] == '#')
            while (i < size && text[i] != '\n')
                i++;
        i += i < size;
    }
    return size - i >= 13 && memcmp(text + i, "nash-genotype", 13) == 0;
}

/* Is there a literal, as far as a glance tells? */
static bool
is_literal(const char *text, size_t size)
{
    static const char word[] = "Genotype";
    for (size_t i = 0; i + sizeof word < size; i++)
        if (memcmp(text + i, word, sizeof word - 1) == 0)
            return true;
    return false;
}

/* A literal has no settings: defaults first, then options, then the literal, which wants the
 * backbone if it was named. */
static nashc_status
parse(geno_in *in, const char *text, size_t size)
{
    nashc_status s = NASHC_OK;
    if (is_text_form(text, size) || !is_literal(text, size)) {
        s = geno_parse_ngt(in, text, size);
        return s == NASHC_OK ? settings_from_options(in) : s;
    }
    for (int k = 0; k < GENO_N_KEYS && s == NASHC_OK; k++)
        if (literal_defaults[k])
            s = setting_from(in, (geno_key)k, literal_defaults[k]);
    if (s == NASHC_OK)
        s = settings_from_options(in);
    return s == NASHC_OK ? geno_parse_python(in, text, size) : s;
}

nashc_status
nashc_genotype_parse(nashc_ctx *c, nashc_arena *a, const char *file, const char *text, size_t size,
                     const nashc_opts *o, nashc_genotype **out, nashc_diag *d)
{
    geno_in in = {.ctx = c, .d = d, .arena = a, .opts = o, .file = file};
    if (size > (size_t)NASHC_GENO_MAX_SIZE)
        return geno_fault_at(&in, 1, 1, 1, "a text of %zu bytes", size);
    in.g = NASHC_NEW(a, nashc_genotype);
    if (!in.g)
        return nashc_enomem(d);
    geno_unset(in.g);
    nashc_status s = parse(&in, text, size);
    if (s == NASHC_OK)
        s = geno_finish(&in);
    if (s == NASHC_OK)
        s = geno_check(&in);
    if (s == NASHC_OK)
        *out = in.g;
    return s;
}

/* --- the frontend ---------------------------------------------------------------------------- */

static int
probe(const uint8_t *head, size_t n)
{
    const char *text = (const char *)head;
    if (is_text_form(text, n))
        return 100;
    if (n > 0 && memchr(head, 0, n) == NULL && is_literal(text, n))
        return 40;
    return 0;
}

static nashc_status
read_genotype(nashc_ctx *c, const char *path, const nashc_opts *o, nashc_module **out,
              nashc_diag *d)
{
    char *text = NULL;
    size_t size = 0;
    nashc_genotype *g = NULL;
    const char *weights = nashc_opts_str(o, "weights");
    nashc_arena *a = nashc_arena_create();
    nashc_status s =
        a ? nashc_file_read(path, NASHC_GENO_MAX_SIZE, &text, &size, d) : nashc_enomem(d);
    if (s == NASHC_OK)
        s = nashc_genotype_parse(c, a, path, text, size, o, &g, d);
    if (s == NASHC_OK)
        s = nashc_genotype_build(c, g, (uint64_t)nashc_opts_int(o, "seed"),
                                 weights[0] ? weights : NULL, out, d);
    nashc_mem_free(text);
    nashc_arena_free(a);
    return s;
}

#define SETTING(key, text)                                                                         \
    {                                                                                              \
        .name = (key), .def = "", .help = "setting \"" key "\" in place of the file's: " text,     \
        .kind = NASHC_P_STRING                                                                     \
    }

static const nashc_param options[] = {
    {.name = "weights",
     .def = "",
     .help = ".npz with the parameters by name; initial ones if not given",
     .kind = NASHC_P_PATH},
    {.name = "seed",
     .def = "1",
     .domain = "0..",
     .help = "of the initial parameters",
     .kind = NASHC_P_INT},
    {.name = "select",
     .def = "",
     .help = "name of the literal to take from a Python file or log",
     .kind = NASHC_P_STRING},
    SETTING("name", "a word"),
    SETTING("backbone", "resnet18 ..."),
    SETTING("version", "baseline, v1, v2, v3, v4 or custom"),
    SETTING("input", "CxHxW and options"),
    SETTING("classes", "a number"),
    SETTING("width", "channels of the stem"),
    SETTING("stem", "options"),
    SETTING("head", "options"),
    SETTING("bits", "options"),
    {0},
};

extern const nashc_frontend nashc_frontend_genotype;

const nashc_frontend nashc_frontend_genotype = {
    NASHC_DESC(nashc_frontend),
    .name = "genotype",
    .help = "backbone and branches in text (.ngt), or the published Python literal",
    .suffixes = ".ngt .py .py.txt",
    .options = options,
    .probe = probe,
    .read = read_genotype,
};
