/* write.c: backends "ngt" and "python": the genotype that a network was made of, as text again. */
#include "frontends/genotype/reader.h"
#include <string.h>

/* The genotype of a module, from its metadata: passes may have changed the graph beyond
 * recognition. */
static nashc_status
genotype_of(const nashc_module *m, nashc_arena *a, nashc_genotype **out, nashc_diag *d)
{
    const char *text = nashc_module_meta(m, "genotype");
    if (!text) {
        nashc_unsup(d, NULL, "the model was not made from a genotype");
        nashc_help(d, "only networks that the frontend \"genotype\" built have one to write");
        return NASHC_EUNSUP;
    }
    return nashc_genotype_parse(nashc_module_ctx(m), a, "metadata genotype", text, strlen(text),
                                NULL, out, d);
}

static nashc_status
write_text(const char *path, const char *text, nashc_diag *d)
{
    if (!text)
        return nashc_enomem(d);
    nashc_outfile *f = nashc_out_open(path, d);
    if (!f)
        return NASHC_EIO;
    nashc_out_write(f, text, strlen(text));
    return nashc_out_commit(f, d);
}

static nashc_status
write_ngt(const nashc_module *m, const char *path, const nashc_opts *o, nashc_diag *d)
{
    nashc_genotype *g;
    nashc_arena *a = nashc_arena_create();
    nashc_status s = a ? genotype_of(m, a, &g, d) : nashc_enomem(d);
    (void)o;
    if (s == NASHC_OK)
        s = write_text(path, nashc_genotype_print(g, a), d);
    nashc_arena_free(a);
    return s;
}

/* Settings are lost: a literal names branches only. `ngt` keeps all. */
static nashc_status
write_python(const nashc_module *m, const char *path, const nashc_opts *o, nashc_diag *d)
{
    nashc_genotype *g;
    nashc_arena *a = nashc_arena_create();
    nashc_status s = a ? genotype_of(m, a, &g, d) : nashc_enomem(d);
    (void)o;
    if (s == NASHC_OK && g->version == NASHC_GENO_BASELINE)
        s = nashc_unsup(d, NULL, "a baseline has no branches: there is no literal of it");
    if (s == NASHC_OK)
        s = write_text(path, nashc_genotype_python(g, a), d);
    nashc_arena_free(a);
    return s;
}

extern const nashc_backend nashc_backend_ngt, nashc_backend_python;

const nashc_backend nashc_backend_ngt = {
    NASHC_DESC(nashc_backend), .name = "ngt",      .help = "genotype text, canonical",
    .suffixes = ".ngt",        .write = write_ngt,
};

const nashc_backend nashc_backend_python = {
    NASHC_DESC(nashc_backend),
    .name = "python",
    .help = "genotype as the published Python literal",
    .suffixes = ".py",
    .write = write_python,
};
