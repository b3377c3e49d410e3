/* model.c: reads and writes models through the frontend or backend that fits. */
#include "host.h"
#include <errno.h>
#include <string.h>

#define HEAD_SIZE 4096

/* The text form is a frontend like the others; its reader lives with the IR. */
static int
nashir_probe(const uint8_t *head, size_t n)
{
    static const char magic[] = "nashc ";
    size_t i = 0;
    while (i < n) { /* comments and blank lines may come first */
        if (head[i] == '#')
            while (i < n && head[i] != '\n')
                i++;
        else if (head[i] == '\n' || head[i] == ' ' || head[i] == '\r' || head[i] == '\t')
            i++;
        else
            break;
    }
    bool header = n - i >= sizeof magic - 1 && memcmp(head + i, magic, sizeof magic - 1) == 0;
    bool graph = n - i >= 7 && memcmp(head + i, "graph @", 7) == 0;
    return header ? 100 : graph ? 90 : 0;
}

static nashc_status
nashir_read(nashc_ctx *c, const char *path, const nashc_opts *o, nashc_module **out, nashc_diag *d)
{
    (void)o;
    return nashc_read_nashir(c, path, out, d);
}

extern const nashc_frontend nashc_frontend_nashir;

const nashc_frontend nashc_frontend_nashir = {
    NASHC_DESC(nashc_frontend), .name = "nashir",      .help = "the text form of the graph",
    .suffixes = ".nashir",      .probe = nashir_probe, .read = nashir_read,
};

/* Is suffix one of the words of list, and does path end in it? */
static bool
ends_in(const char *path, const char *list)
{
    size_t n = strlen(path);
    for (const char *s = list; s && *s; s += strspn(s, " ")) {
        size_t len = strcspn(s, " ");
        if (len <= n && memcmp(path + n - len, s, len) == 0)
            return true;
        s += len;
    }
    return false;
}

static int
probe(nashc_ctx *c, const nashc_frontend *fe, const uint8_t *head, size_t n, nashc_diag *d)
{
    nashc_frame f;
    nashc_enter(&f, c, NASHC_D_FRONTEND, fe->name, NULL, d);
    int score = fe->probe(head, n);
    nashc_leave(&f, NASHC_OK);
    return score;
}

/* What a plugin reads is verified here too: the rest of nashc trusts it. */
static nashc_status
read_by(nashc_ctx *c, const nashc_frontend *fe, const char *path, const nashc_opts *o,
        nashc_module **out, nashc_diag *d)
{
    nashc_module *m = NULL;
    nashc_frame f;
    nashc_enter(&f, c, NASHC_D_FRONTEND, fe->name, NULL, d);
    nashc_status s = fe->read(c, path, o, &m, d);
    if (s == NASHC_OK && !m)
        s = nashc_bug(d, &(nashc_loc){.file = path}, "frontend \"%s\" gave no model", fe->name);
    if (s == NASHC_OK && nashc_plugin_of(c, NASHC_D_FRONTEND, fe->name, NULL))
        s = nashc_verify(m, 3, d);
    s = nashc_leave(&f, s);
    if (s == NASHC_OK)
        *out = m;
    else
        nashc_module_free(m);
    return s;
}

/* Each frontend looks at the begin of the file; a suffix only adds to its score, as names lie.
 * First come first served among equals, built-in ones before plugins. */
static nashc_status
choose_frontend(nashc_ctx *c, const char *path, const nashc_frontend **out, nashc_diag *d)
{
    uint8_t head[HEAD_SIZE];
    nashc_loc loc = {.file = path};
    errno = 0;
    FILE *f = fopen(path, "rb");
    if (!f)
        return nashc_io_error(d, &loc, "cannot be opened: %s", strerror(errno));
    size_t n = fread(head, 1, sizeof head, f);
    bool bad = ferror(f);
    int why = errno;
    fclose(f);
    if (bad)
        return nashc_io_error(d, &loc, "cannot be read: %s", strerror(why));
    int best = 0;
    const nashc_frontend *found = NULL, *fe;
    for (int i = 0; (fe = nashc_desc_at(c, NASHC_D_FRONTEND, i)); i++) {
        int score = probe(c, fe, head, n, d);
        if (score > 0 && ends_in(path, fe->suffixes))
            score += 10;
        if (score > best) {
            best = score;
            found = fe;
        }
    }
    for (int i = 0; !found && (fe = nashc_desc_at(c, NASHC_D_FRONTEND, i)); i++)
        if (ends_in(path, fe->suffixes))
            found = fe; /* it knows best what is wrong with the file */
    if (!found) {
        nashc_error(d, &loc,
                    n == 0 ? "the file is empty" : "the file is no model that is known here");
        nashc_help(d, "see `nashc list frontends`; --frontend=NAME forces one");
        return NASHC_EINPUT;
    }
    *out = found;
    return NASHC_OK;
}

/* The module is set only on success. frontend NULL or "": by what the file holds. */
nashc_status
nashc_read_model_opts(nashc_ctx *c, const char *path, const char *frontend,
                      const char *const *options, nashc_module **out, nashc_diag *d)
{
    const nashc_frontend *fe = NULL;
    nashc_status s = NASHC_OK;
    if (frontend && frontend[0]) {
        fe = nashc_lookup(c, NASHC_D_FRONTEND, frontend, d);
        s = fe ? NASHC_OK : NASHC_EUSAGE;
    } else {
        s = choose_frontend(c, path, &fe, d);
    }
    if (s != NASHC_OK)
        return s;
    nashc_arena *a = nashc_arena_create();
    nashc_opts *o = a ? nashc_opts_create(a, fe->options) : NULL;
    const char *owner = a ? nashc_arena_printf(a, "frontend \"%s\"", fe->name) : NULL;
    s = o && owner ? nashc_opts_set_pairs(o, options, owner, d) : nashc_enomem(d);
    if (s == NASHC_OK)
        s = read_by(c, fe, path, o, out, d);
    nashc_arena_free(a);
    return s;
}

nashc_status
nashc_read_model(nashc_ctx *c, const char *path, const char *frontend, nashc_module **out,
                 nashc_diag *d)
{
    return nashc_read_model_opts(c, path, frontend, NULL, out, d);
}

nashc_status
nashc_backend_write(const nashc_backend *be, const nashc_module *m, const char *path,
                    const nashc_opts *o, nashc_diag *d)
{
    nashc_frame f;
    nashc_enter(&f, nashc_module_ctx(m), NASHC_D_BACKEND, be->name, NULL, d);
    return nashc_leave(&f, be->write(m, path, o, d));
}

nashc_status
nashc_write_by(const nashc_backend *be, const nashc_module *m, const char *path,
               const char *const *options, nashc_diag *d)
{
    nashc_arena *a = nashc_arena_create();
    nashc_opts *o = a ? nashc_opts_create(a, be->options) : NULL;
    const char *owner = a ? nashc_arena_printf(a, "backend \"%s\"", be->name) : NULL;
    nashc_status s = o && owner ? nashc_opts_set_pairs(o, options, owner, d) : nashc_enomem(d);
    if (s == NASHC_OK)
        s = nashc_backend_write(be, m, path, o, d);
    nashc_arena_free(a);
    return s;
}

/* The text form has no options. */
static nashc_status
write_text(const nashc_module *m, const char *path, const char *const *options, nashc_diag *d)
{
    if (options && *options)
        return nashc_usage(d, "the text form takes no options: \"%s\"", nashc_quote(d, *options));
    return nashc_write_nashir(m, path, d);
}

/* By the suffix alone: there is no file yet to look into. */
nashc_status
nashc_write_model_opts(const nashc_module *m, const char *path, const char *const *options,
                       nashc_diag *d)
{
    nashc_ctx *c = nashc_module_ctx(m);
    const nashc_backend *be;
    if (strcmp(path, "-") == 0 || ends_in(path, ".nashir"))
        return write_text(m, path, options, d);
    nashc_str known = {0};
    nashc_str_puts(&known, ".nashir");
    for (int i = 0; (be = nashc_desc_at(c, NASHC_D_BACKEND, i)); i++) {
        if (be->suffixes && ends_in(path, be->suffixes)) {
            nashc_str_free(&known);
            return nashc_write_by(be, m, path, options, d);
        }
        if (be->suffixes)
            nashc_str_printf(&known, " %s", be->suffixes);
    }
    nashc_usage(d, "cannot tell the format of \"%s\" from its suffix", nashc_quote(d, path));
    nashc_help(d, "known are %s, and \"-\" for text on standard output",
               known.data ? known.data : ".nashir");
    nashc_str_free(&known);
    return NASHC_EUSAGE;
}

nashc_status
nashc_write_model(const nashc_module *m, const char *path, nashc_diag *d)
{
    return nashc_write_model_opts(m, path, NULL, d);
}
