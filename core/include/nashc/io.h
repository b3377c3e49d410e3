/* io.h: frontends (files to IR), backends (IR to files), per-op implementations, commands. */
#ifndef NASHC_IO_H
#define NASHC_IO_H

#include <nashc/device.h>
#include <nashc/op.h>

NASHC_BEGIN

/* One form of one operator of a foreign format. */
typedef struct nashc_import {
    const char *domain, *name; /* "ai.onnx", "Conv" */
    const char *op;            /* IR operator that it is 1:1; NULL: several, or none */
    const char *refused;       /* why it is known but refused: "is control flow"; NULL: it is not */
    const char *origin;        /* who brought it, as for nashc_desc_origin */
    int since;                 /* first version of the domain */
} nashc_import;

typedef struct nashc_frontend {
    uint32_t struct_size, flags;
    const char *name, *help;
    const char *suffixes; /* ".onnx .pb" */
    const nashc_param *options;

    /* How sure, 0..100, that the first n bytes of a file are of this format. */
    int (*probe)(const uint8_t *head, size_t n);

    /* Reads path into a new module, verified up to level 3. Nothing of the file is trusted. */
    nashc_status (*read)(nashc_ctx *c, const char *path, const nashc_opts *o, nashc_module **out,
                         nashc_diag *d);

    /* The i-th foreign operator that it knows with all that is registered in c, for `nashc list
     * imports`. False beyond the last. NULL: the format has none. */
    bool (*import)(nashc_ctx *c, int i, nashc_import *out);
} nashc_frontend;

typedef struct nashc_backend {
    uint32_t struct_size, flags;
    const char *name, *help;
    const char *suffixes; /* ".onnx": written by `opt -o X.onnx`; NULL: writes a folder */
    const nashc_param *options;
    const char *needs; /* stage the IR must have reached: "streamlined", a model in any operators,
                        * for backends that write a program; else layers */

    /* path is a file (suffixes set) or an existing folder with nothing of the user in it, which
     * becomes visible only if this succeeds. A folder backend may leave keys of its own in
     * manifest.json there; the host adds what every design has (nashc_compile_write). */
    nashc_status (*write)(const nashc_module *m, const char *path, const nashc_opts *o,
                          nashc_diag *d);

    /* Interface that its layer models have among the impls (nashc/model.h): "verilog.model", its
     * own, or that of a backend whose layers behave as its own do. NULL: it has no models, and
     * nothing can be folded, sized or estimated for it. */
    const char *model;

    /* Shell command that checks a design in its folder by the vectors there, and leaves nothing
     * behind if it is right; the programs that it needs, by blanks. It prints a line with FAIL
     * otherwise. NULL: there is none. */
    const char *bench, *bench_needs;
} nashc_backend;

/* How one interface treats one op: an open table of ops x interfaces. Interfaces are "verilog",
 * "verilog.model", "hls", "cpu", "grad", and whatever a plugin names. Each has a macro that checks
 * at compile time that fn or rule is of the type that it asks for. */
typedef struct nashc_impl {
    uint32_t struct_size, flags;
    const char *iface, *op;
    void (*fn)(void); /* the one function of the interface, or */
    const void *rule; /* a struct of it, for those that ask for several: one of the two */
} nashc_impl;

/* fn, or rule, of the interface for the op; NULL: it has none. */
NASHC_API void (*nashc_impl_find(nashc_ctx *c, const char *iface, const char *op))(void);
NASHC_API const void *nashc_impl_rule(nashc_ctx *c, const char *iface, const char *op);

/* A file written whole or not at all: open, write, then commit (rename) or drop. */
typedef struct nashc_outfile nashc_outfile;
NASHC_API nashc_outfile *nashc_out_open(const char *path, nashc_diag *d); /* NULL: reported */
NASHC_API void nashc_out_write(nashc_outfile *f, const void *data, size_t size);
NASHC_API void nashc_out_printf(nashc_outfile *f, const char *fmt, ...) NASHC_PRINTF(2, 3);
NASHC_API nashc_status nashc_out_flush(nashc_outfile *f, nashc_diag *d);  /* has it room so far? */
NASHC_API nashc_status nashc_out_commit(nashc_outfile *f, nashc_diag *d); /* frees f */
NASHC_API void nashc_out_drop(nashc_outfile *f); /* frees f; NULL allowed */

/* The same for file `name` below a folder that may come from others: no link in it is followed. A
 * link that is the file itself is replaced. */
NASHC_API nashc_outfile *nashc_out_open_below(const char *dir, const char *name, nashc_diag *d);

/* A folder built aside and exchanged with path at commit, in one step. An existing path must be an
 * empty folder or one that nashc wrote: its manifest.json names nashc and, as "files", what is
 * nashc's; else an error that says so. Commit writes that list where there is a manifest.json.
 * Files in the former folder that are not in its list are kept; EIO if a new one has the name. */
typedef struct nashc_outdir nashc_outdir;
NASHC_API nashc_outdir *nashc_outdir_open(const char *path, nashc_diag *d);
NASHC_API const char *nashc_outdir_path(const nashc_outdir *o); /* write here until commit */
NASHC_API nashc_status nashc_outdir_commit(nashc_outdir *o, nashc_diag *d); /* frees o */
NASHC_API void nashc_outdir_drop(nashc_outdir *o);

/* Adds a file that a later command wrote to the list, so that it goes when dir is replaced. */
NASHC_API nashc_status nashc_outdir_own(const char *dir, const char *name, nashc_diag *d);

/* A file or folder that must not outlive the process, whatever ends it; done when it is gone or
 * has its final name. nashc_out_open and nashc_outdir_open do so themselves. Of more than 64 at a
 * time the rest is not noted. path is borrowed. nashc_temp_remove_all is async-signal-safe. */
NASHC_API void nashc_temp_note(const char *path);
NASHC_API void nashc_temp_done(const char *path);
NASHC_API void nashc_temp_remove_all(void);

/* Removes a file, or a folder with all below it, 32 deep at most. Links are removed, not followed.
 * True: it is gone. Async-signal-safe. */
NASHC_API bool nashc_tree_remove(const char *path);

/* Names may hold any bytes; what is written holds text: valid UTF-8 without control characters,
 * marks that reorder a line, U+FFFE and U+FFFF. All other bytes become \xNN. s itself where nothing
 * is to be done, else owned by a. */
NASHC_API const char *nashc_text_plain(const char *s, nashc_arena *a);

/* The same in pieces, for those who escape further: the piece at s, which is not at its end, goes
 * to out (5 bytes, 0-terminated). Returns the bytes of s that it stands for. */
NASHC_API size_t nashc_text_piece(const char *s, char *out);

/* The whole file, with a 0 behind it; freed by nashc_mem_free. max: refuse larger ones. */
NASHC_API nashc_status nashc_file_read(const char *path, int64_t max, char **data, size_t *size,
                                       nashc_diag *d);

/* Reads a model by content (or by the named frontend; NULL: choose). */
NASHC_API nashc_status nashc_read_model(nashc_ctx *c, const char *path, const char *frontend,
                                        nashc_module **out, nashc_diag *d);

/* The same with options of the frontend, "KEY=VALUE" each; NULL-terminated, or NULL. */
NASHC_API nashc_status nashc_read_model_opts(nashc_ctx *c, const char *path, const char *frontend,
                                             const char *const *options, nashc_module **out,
                                             nashc_diag *d);

/* Calls be->write as code of be (running.h). */
NASHC_API nashc_status nashc_backend_write(const nashc_backend *be, const nashc_module *m,
                                           const char *path, const nashc_opts *o, nashc_diag *d);

/* Writes by suffix (.nashir, .onnx, .dot ...), or text to standard output for "-". */
NASHC_API nashc_status nashc_write_model(const nashc_module *m, const char *path, nashc_diag *d);

/* The same with options of the backend, "KEY=VALUE" each; NULL-terminated, or NULL. */
NASHC_API nashc_status nashc_write_model_opts(const nashc_module *m, const char *path,
                                              const char *const *options, nashc_diag *d);

/* Writes through this backend; options as above. path: see nashc_backend.write. */
NASHC_API nashc_status nashc_write_by(const nashc_backend *be, const nashc_module *m,
                                      const char *path, const char *const *options, nashc_diag *d);

typedef struct nashc_command {
    uint32_t struct_size, flags;
    const char *name, *help;
    const char *usage;   /* "MODEL -o DIR [options]" */
    const char *example; /* one or more lines, each a command */
    const nashc_param *options;
    int16_t min_args, max_args; /* positional arguments; -1: any */
    int (*main)(nashc_ctx *c, const nashc_opts *o, int n_args, const char *const *args);
} nashc_command;

NASHC_END
#endif
