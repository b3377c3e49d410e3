/* function.c: layer functions: what emitters call, and the files that come of it. */
#include "backends/support/text_stream.h"
#include "build.h"
#include <inttypes.h>
#include <nashc/running.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Lines of one function, indented as they come. */
typedef struct lines {
    text_stream text;
    int depth;
} lines;

struct nashc_hls {
    hls_design *z;
    const char *layer;
    const hls_ports *ports;
    lines constants, helpers, body, tables;
    nashc_status status;
};

/* --- what emitters call -------------------------------------------------------------------------
 */

const char *
nashc_hls_text(nashc_hls *h, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    const char *s = nashc_arena_vprintf(h->z->a, format, ap);
    va_end(ap);
    return s ? s : "";
}

const char *
nashc_hls_type(nashc_hls *h, const nashc_type *t)
{
    return hls_type_name(h->z, t);
}

const char *
nashc_hls_beat(nashc_hls *h, bool input, int k)
{
    const char *s = hls_beat_name(h->z, input ? &h->ports->in[k] : &h->ports->out[k]);

    if (!s)
        h->status = nashc_enomem(h->z->d);
    return s ? s : "";
}

const char *
nashc_hls_name(nashc_hls *h, const char *what)
{
    return nashc_hls_text(h, "%s_%s", h->layer, what);
}

void
nashc_hls_int(nashc_hls *h, const char *name, int64_t value)
{
    FILE *f = h->constants.text.f;

    fprintf(f, "%s%s = %" PRId64, ftell(f) > 0 ? ", " : "", name, value);
}

/* A line that closes braces stands as far out as the one that opened them. */
static void
print_line(lines *l, const char *format, va_list ap)
{
    text_stream own;

    if (text_stream_open(&own))
        vfprintf(own.f, format, ap);
    if (text_stream_close(&own)) {
        const char *s = own.data;
        size_t n = own.size;
        l->depth -= s[0] == '}';
        fprintf(l->text.f, "%*s%s\n", s[0] == '#' || n == 0 ? 0 : 4 * l->depth, "", s);
        l->depth += n > 0 && s[n - 1] == '{';
    } else {
        l->text.failed = true;
    }
    free(own.data);
}

void
nashc_hls_line(nashc_hls *h, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    print_line(&h->body, format, ap);
    va_end(ap);
}

void
nashc_hls_helper(nashc_hls *h, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    print_line(&h->helpers, format, ap);
    va_end(ap);
}

/* The smallest number has no literal of its own in C. */
static void
print_value(FILE *f, int64_t v)
{
    if (v == INT64_MIN)
        fprintf(f, "(-INT64_C(9223372036854775807) - 1)");
    else
        fprintf(f, "%" PRId64, v);
}

/* How many dimensions, from the innermost on, start with element at, or end before it. */
static int
edges(int rank, const int64_t *dim, int64_t at)
{
    int64_t inner = 1;
    int n = 0;

    for (int i = rank - 1; i > 0; i--) {
        inner *= dim[i];
        n += at % inner == 0;
    }
    return n;
}

/* A line holds an entry of the last two dimensions, or of the last one: what is read at a time. */
const char *
nashc_hls_table(nashc_hls *h, const char *what, const nashc_type *elem, int rank,
                const int64_t *dim, const int64_t *values)
{
    FILE *f = h->tables.text.f;
    const char *name = nashc_hls_name(h, what);
    int64_t count = 1;

    fprintf(f, "static const %s %s", hls_type_name(h->z, elem), name);
    for (int i = 0; i < rank; i++) {
        fprintf(f, "[%" PRId64 "]", dim[i]);
        count *= dim[i];
    }
    fprintf(f, " = {\n    ");
    for (int64_t at = 0; at < count; at++) {
        int close = edges(rank, dim, at + 1);
        fprintf(f, "%.*s", edges(rank, dim, at), "{{{{");
        print_value(f, values[at]);
        fprintf(f, "%.*s", close, "}}}}");
        if (at + 1 < count)
            fprintf(f, close >= (rank > 2 ? 2 : 1) ? ",\n    " : ", ");
    }
    fprintf(f, "\n};\n\n");
    return name;
}

/* --- files of a layer ---------------------------------------------------------------------------
 */

nashc_status
hls_ports_of(hls_design *z, const nashc_node *n, hls_ports *out)
{
    out->n_in = 0;
    out->n_out = nashc_node_n_out(n);
    for (int i = 0; i < nashc_node_n_in(n); i++)
        out->n_in += nashc_node_in(n, i) && !nashc_value_const(nashc_node_in(n, i));
    return nashc_node_op(n)->hw->streams(n, out->in, out->out, z->d);
}

void
hls_print_signature(hls_design *z, nashc_outfile *f, const nashc_node *n, const hls_ports *p)
{
    nashc_out_printf(f, "%s_%s(", z->top, z->names[nashc_node_id(n)]);
    for (int k = 0; k < p->n_in; k++)
        nashc_out_printf(f, "%sNASHC_IN(%s) %s", k ? ", " : "", hls_beat_name(z, &p->in[k]),
                         hls_port_name(z, true, k, p->n_in));
    for (int k = 0; k < p->n_out; k++)
        nashc_out_printf(f, ", NASHC_OUT(%s) %s", hls_beat_name(z, &p->out[k]),
                         hls_port_name(z, false, k, p->n_out));
    nashc_out_printf(f, ")");
}

static nashc_status
write_tables(nashc_hls *h)
{
    hls_design *z = h->z;

    if (h->tables.text.size == 0)
        return NASHC_OK;
    nashc_outfile *f = hls_open(z, nashc_arena_printf(z->a, "src/%s_%s.h", z->top, h->layer));
    if (!f)
        return NASHC_EIO;
    nashc_out_printf(f, "/* %s_%s.h: constants of %s. */\n#include \"%s.h\"\n\n", z->top, h->layer,
                     h->layer, z->top);
    nashc_out_write(f, h->tables.text.data, h->tables.text.size);
    return nashc_out_commit(f, z->d);
}

static nashc_status
write_function(nashc_hls *h, const nashc_node *n)
{
    hls_design *z = h->z;
    nashc_outfile *f = hls_open(z, nashc_arena_printf(z->a, "src/%s_%s.c", z->top, h->layer));

    if (!f)
        return NASHC_EIO;
    nashc_out_printf(f, "/* %s_%s.c: layer %s of %s.\n *\n *     %s\n */\n", z->top, h->layer,
                     h->layer, z->top, hls_comment(z, nashc_node_line(n, z->a)));
    nashc_out_printf(f, h->tables.text.size ? "#include \"%s_%s.h\"\n\n" : "#include \"%s.h\"\n\n",
                     z->top, h->layer);
    nashc_out_write(f, h->helpers.text.data, h->helpers.text.size);
    nashc_out_printf(f, "void\n");
    hls_print_signature(z, f, n, h->ports);
    nashc_out_printf(f, "\n{\n");
    if (h->constants.text.size)
        nashc_out_printf(f, "    enum { %s };\n", h->constants.text.data);
    nashc_out_write(f, h->body.text.data, h->body.text.size);
    nashc_out_printf(f, "}\n");
    return nashc_out_commit(f, z->d);
}

static nashc_status
call_emitter(nashc_hls_emit emit, const nashc_node *n, nashc_hls *h)
{
    nashc_diag *d = h->z->d;
    nashc_frame f;

    nashc_enter(&f, h->z->ctx, NASHC_D_IMPL, "hls", n, d);
    nashc_status s = emit(n, h, d);
    s = s == NASHC_OK ? h->status : s;
    if (s == NASHC_OK && h->body.depth != 1)
        s = nashc_bug(d, nashc_node_loc(n), "emitter of %s left braces open", nashc_node_opname(n));
    return nashc_leave(&f, s);
}

static nashc_status
write_layer(hls_design *z, const nashc_node *n)
{
    nashc_hls_emit emit = (nashc_hls_emit)nashc_impl_find(z->ctx, "hls", nashc_node_opname(n));
    hls_ports ports;
    nashc_hls h = {.z = z, .layer = z->names[nashc_node_id(n)], .ports = &ports};
    lines *const parts[] = {&h.constants, &h.helpers, &h.body, &h.tables};
    bool bad = false;

    if (!emit) {
        nashc_node_unsup(z->d, n, "the HLS backend does not know this layer");
        nashc_help(z->d, "its plugin has no emitter for it (NASHC_IMPL_HLS)");
        return NASHC_EUNSUP;
    }
    nashc_status s = hls_ports_of(z, n, &ports);
    if (s != NASHC_OK)
        return s;
    h.body.depth = 1;
    for (size_t i = 0; i < NASHC_COUNT(parts); i++)
        bad = !text_stream_open(&parts[i]->text) || bad;
    s = bad ? nashc_enomem(z->d) : call_emitter(emit, n, &h);
    for (size_t i = 0; i < NASHC_COUNT(parts); i++)
        bad = !text_stream_close(&parts[i]->text) || bad;
    if (s == NASHC_OK && bad)
        s = nashc_enomem(z->d);
    if (s == NASHC_OK)
        s = write_tables(&h);
    if (s == NASHC_OK)
        s = write_function(&h, n);
    for (size_t i = 0; i < NASHC_COUNT(parts); i++)
        free(parts[i]->text.data);
    return s;
}

nashc_status
hls_write_layers(hls_design *z)
{
    nashc_status s = NASHC_OK;

    NASHC_EACH_NODE(z->f, n)
    {
        if (s == NASHC_OK)
            s = write_layer(z, n);
    }
    return s;
}
