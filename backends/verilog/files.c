/* files.c: text, JSON and generated files of a design, written whole. */
#include "build.h"
#include <inttypes.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>

/* Whole or not at all: a file under another name is renamed at the end (nashc_out_commit). */
static nashc_status
write_bytes(const char *dir, const char *name, const void *data, size_t size, nashc_diag *d)
{
    size_t n = strlen(dir) + strlen(name) + 2;
    char *path = malloc(n);

    if (!path)
        return nashc_enomem(d);
    snprintf(path, n, "%s/%s", dir, name);
    nashc_outfile *f = nashc_out_open(path, d);
    free(path);
    if (!f)
        return NASHC_EIO;
    nashc_out_write(f, data, size);
    return nashc_out_commit(f, d);
}

/* t->data is freed in any case; a stream that could not grow shows only when it is closed. */
nashc_status
text_write(text *t, const char *dir, const char *name, nashc_diag *d)
{
    bool bad = !text_stream_close(t);
    nashc_status s = bad ? nashc_enomem(d) : write_bytes(dir, name, t->data, t->size, d);

    free(t->data);
    return s;
}

/* Keys in the order in which they were set; numbers with twelve digits, the same on all
 * machines. */
nashc_status
json_write(json_t *j, const char *dir, const char *name, nashc_diag *d)
{
    char *s = j ? json_dumps(j, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) : NULL;
    text t;

    json_decref(j);
    if (!s || !text_stream_open(&t)) {
        free(s);
        return nashc_enomem(d);
    }
    fprintf(t.f, "%s\n", s);
    free(s);
    return text_write(&t, dir, name, d);
}

void
add_file(design *z, const char *name)
{
    for (int i = 0; i < z->n_files; i++) /* a module of a plugin comes with each of its layers */
        if (strcmp(z->files[i], name) == 0)
            return;
    if (z->n_files == z->cap_files) {
        int cap = z->cap_files ? 2 * z->cap_files : 64;
        const char **files = NASHC_NEW_N(z->a, const char *, cap);
        if (!files)
            return;
        if (z->n_files)
            memcpy(files, z->files, sizeof *files * (size_t)z->n_files);
        z->files = files;
        z->cap_files = cap;
    }
    z->files[z->n_files++] = nashc_arena_strdup(z->a, name);
}

/* add_file after the file is there: the list is of what exists. */
nashc_status
write_rtl(design *z, const char *name, const void *data, size_t size)
{
    nashc_status s =
        write_bytes(z->dir, nashc_arena_printf(z->a, "rtl/%s", name), data, size, z->d);

    if (s == NASHC_OK)
        add_file(z, name);
    return s;
}

/* A name may hold anything: a line break would end the comment, a backslash at the end might
 * continue it, and a backquote starts a directive. */
const char *
comment_text(design *z, const char *s)
{
    char *t = nashc_arena_strdup(z->a, s ? s : "");

    for (char *p = t; p && *p; p++)
        if ((unsigned char)*p < 32 || (unsigned char)*p > 126 || *p == '\\' || *p == '`')
            *p = '?';
    return t ? t : "";
}

const char *
port_name(design *z, bool input, int k, int n)
{
    return input   ? nashc_arena_printf(z->a, "in%d_V", k)
           : n > 1 ? nashc_arena_printf(z->a, "out%d_V", k)
                   : "out_V";
}
