/* parse.h: what parse.c and parse_data.c share. */
#ifndef NASHC_IR_PARSE_H
#define NASHC_IR_PARSE_H

#include "ir/impl.h"

/* A value being defined on the current line. */
typedef struct nashc_def {
    const char *name;         /* interned */
    const char *at, *type_at; /* in the text */
    int len, type_len;
    nashc_type type;
} nashc_def;

/* An output of the graph head; the value comes later. */
typedef struct nashc_out_ref {
    const char *slot; /* interned, NULL: as the value */
    const char *name; /* interned */
    const char *at;
    int len;
} nashc_out_ref;

typedef struct nashc_parser {
    nashc_ctx *ctx;
    nashc_irctx *x;
    nashc_diag *d;
    nashc_module *m;
    nashc_graph *g;
    nashc_arena *scratch;
    const char *file; /* interned */
    const char *text, *s;
    const char *line_at; /* where the current line begins */
    int line;
    const char *blob_path;
    nashc_blobs *blobs;
    int64_t made; /* bytes of splat and rand constants so far */
    int64_t n_nodes;
    nashc_def *def;
    size_t n_def, cap_def;
    nashc_out_ref *out;
    size_t n_out, cap_out;
    nashc_value **in;
    size_t n_in, cap_in;
    const char **type_at; /* of each node result, in order of the text */
    size_t n_type_at, cap_type_at;
    const char **op_at; /* of each node */
    size_t n_op_at, cap_op_at;
} nashc_parser;

/* --- scan.c: each leaves p->s behind what it read ----------------------------------------------
 */

/* Bytes of a source line or a word that a message shows. */
#define NASHC_PARSE_SHOWN 160

/* Reports an error with line, column and caret under len bytes at `at`. */
nashc_status nashc_parse_error(nashc_parser *p, const char *at, int len, const char *fmt, ...)
    NASHC_PRINTF(4, 5);

/* The line around `at` under the last message, cut if it is long. */
void nashc_parse_show(nashc_parser *p, const char *at, int len);

/* "nashc_parse_expected ..., found ..." */
nashc_status nashc_parse_expected(nashc_parser *p, const char *what);
nashc_loc nashc_parse_loc(nashc_parser *p, const char *at);

bool nashc_parse_ident_char(char c);
int nashc_parse_span(const char *s); /* bytes up to the next blank or punctuation, at least 1 */

void nashc_parse_space(nashc_parser *p); /* blanks and a comment; not the end of the line */
bool nashc_parse_word(nashc_parser *p, const char *word); /* moves behind it if it is next */

/* The same behind blanks: is it there? An error if not. The end of a line. Empty lines. */
bool nashc_parse_accept(nashc_parser *p, const char *word);
nashc_status nashc_parse_need(nashc_parser *p, const char *word);
nashc_status nashc_parse_newline(nashc_parser *p);
void nashc_parse_blank_lines(nashc_parser *p);

/* IDENT or STRING, interned; %NAME; a type with its shape. */
nashc_status nashc_parse_name(nashc_parser *p, const char *what, const char **out);
nashc_status nashc_parse_some_name(nashc_parser *p, const char *what, const char **out);
nashc_status nashc_parse_value_name(nashc_parser *p, const char **out);
nashc_status nashc_parse_type(nashc_parser *p, nashc_type *out, const char **at, int *len);

/* --- parse_data.c ------------------------------------------------------------------------------
 */

/* `[...]`, splat, blob or rand for a constant of def[0]. */
nashc_status nashc_parse_data(nashc_parser *p);

#endif
