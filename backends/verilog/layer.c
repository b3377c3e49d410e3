/* layer.c: layer modules: ports as FINN has them around one module of the library. */
#include "build.h"
#include <inttypes.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>

struct nashc_vlog {
    design *z;
    const char *layer, *module;
    text params, ties, wires;
    bool memory;
    nashc_status status;
};

struct nashc_vlog_mem {
    int64_t depth, width;
    size_t stride; /* bytes a line, bit 0 of byte 0 first */
    uint8_t *bits;
};

/* --- files --------------------------------------------------------------------------------------
 */

bool
text_open(text *t)
{
    t->data = NULL;
    t->f = open_memstream(&t->data, &t->size);
    return t->f != NULL;
}

/* The text is in t->data afterwards. */
static bool
text_close(text *t)
{
    return t->f && fclose(t->f) == 0 && t->data;
}

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

nashc_status
text_write(text *t, const char *dir, const char *name, nashc_diag *d)
{
    bool bad = !text_close(t);
    nashc_status s = bad ? nashc_enomem(d) : write_bytes(dir, name, t->data, t->size, d);

    free(t->data);
    return s;
}

nashc_status
json_write(json_t *j, const char *dir, const char *name, nashc_diag *d)
{
    char *s = j ? json_dumps(j, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) : NULL;
    text t;

    json_decref(j);
    if (!s || !text_open(&t)) {
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

static nashc_status
write_rtl(design *z, const char *name, const void *data, size_t size)
{
    nashc_status s =
        write_bytes(z->dir, nashc_arena_printf(z->a, "rtl/%s", name), data, size, z->d);

    if (s == NASHC_OK)
        add_file(z, name);
    return s;
}

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

/* --- what emitters call -------------------------------------------------------------------------
 */

void
nashc_vlog_core(nashc_vlog *v, const char *module)
{
    v->module = module;
}

void
nashc_vlog_int(nashc_vlog *v, const char *name, int64_t value)
{
    fprintf(v->params.f, ",\n        .%s(%" PRId64 ")", name, value);
}

void
nashc_vlog_str(nashc_vlog *v, const char *name, const char *s)
{
    fprintf(v->params.f, ",\n        .%s(\"%s\")", name, s);
}

void
nashc_vlog_tie(nashc_vlog *v, const char *port, const char *value)
{
    fprintf(v->ties.f, ",\n        .%s(%s)", port, value);
}

void
nashc_vlog_open(nashc_vlog *v, const char *port, int bits)
{
    fprintf(v->wires.f, "    wire [%d:0] unused_%s;\n", bits - 1, port);
    fprintf(v->ties.f, ",\n        .%s(unused_%s)", port, port);
}

const char *
nashc_vlog_zeros(nashc_vlog *v, int64_t bits)
{
    return nashc_arena_printf(v->z->a, "{%" PRId64 "{1'b0}}", bits);
}

void
nashc_vlog_module(nashc_vlog *v, const char *name, const char *s)
{
    nashc_status st = write_rtl(v->z, nashc_arena_printf(v->z->a, "%s.v", name), s, strlen(s));

    if (v->status == NASHC_OK)
        v->status = st;
}

nashc_vlog_mem *
nashc_vlog_memory(nashc_vlog *v, int64_t depth, int64_t width)
{
    nashc_vlog_mem *m = NASHC_NEW(v->z->a, nashc_vlog_mem);
    int64_t bytes;

    if (!m || !nashc_mul_size(depth, (width + 7) / 8, &bytes) || bytes > NASHC_MAX_BYTES ||
        !(m->bits = nashc_arena_alloc(v->z->a, (size_t)bytes + 1))) {
        v->status = nashc_enomem(v->z->d);
        return NULL;
    }
    m->depth = depth;
    m->width = width;
    m->stride = (size_t)(width + 7) / 8;
    return m;
}

void
nashc_vlog_put(nashc_vlog_mem *m, int64_t line, int64_t at, int width, int64_t value)
{
    if (!m || line < 0 || line >= m->depth || at < 0 || at + width > m->width)
        return;
    uint8_t *p = m->bits + (size_t)line * m->stride;
    for (int i = 0; i < width; i++) {
        int64_t bit = at + i;
        uint8_t mask = (uint8_t)(1u << (bit % 8));
        if ((uint64_t)value >> (i < 63 ? i : 63) & 1)
            p[bit / 8] |= mask;
        else
            p[bit / 8] &= (uint8_t)~mask;
    }
}

/* One hex line per memory line, most significant digit first, no prefix. */
static void
print_memory(FILE *f, const nashc_vlog_mem *m)
{
    size_t digits = (size_t)(m->width + 3) / 4;

    for (int64_t i = 0; i < m->depth; i++) {
        const uint8_t *p = m->bits + (size_t)i * m->stride;
        for (size_t k = digits; k-- > 0;)
            putc("0123456789abcdef"[p[k / 2] >> (k % 2 * 4) & 15], f);
        putc('\n', f);
    }
}

static void
write_memory(nashc_vlog *v, const char *name, const nashc_vlog_mem *m)
{
    text t;

    if (!m || v->status != NASHC_OK)
        return;
    if (!text_open(&t)) {
        v->status = nashc_enomem(v->z->d);
        return;
    }
    print_memory(t.f, m);
    fclose(t.f);
    v->status = write_rtl(v->z, name, t.data, t.size);
    free(t.data);
}

void
nashc_vlog_file(nashc_vlog *v, const char *param, const char *what, nashc_vlog_mem *m)
{
    uint8_t hash[SHA256_DIGEST_LENGTH];
    SHA2_CTX ctx;

    if (!m)
        return;
    SHA256Init(&ctx);
    SHA256Update(&ctx, m->bits, (size_t)m->depth * m->stride);
    SHA256Final(hash, &ctx);
    const char *name = nashc_arena_printf(v->z->a, "%s_%s_%02x%02x%02x%02x.dat", v->layer, what,
                                          hash[0], hash[1], hash[2], hash[3]);
    nashc_vlog_str(v, param, name);
    v->memory = true;
    write_memory(v, name, m);
}

const char *
nashc_vlog_prefix(nashc_vlog *v, const char *param, const char *what, const nashc_tensor *t)
{
    const uint8_t *hash = nashc_tensor_hash(t);
    const char *name = nashc_arena_printf(v->z->a, "%s_%s_%02x%02x%02x%02x", v->layer, what,
                                          hash[0], hash[1], hash[2], hash[3]);

    nashc_vlog_str(v, param, name);
    v->memory = true;
    return name;
}

void
nashc_vlog_image(nashc_vlog *v, const char *prefix, nashc_vlog_mem *m, const char *suffix, ...)
{
    va_list ap;

    va_start(ap, suffix);
    const char *s = nashc_arena_vprintf(v->z->a, suffix, ap);
    va_end(ap);
    write_memory(v, nashc_arena_printf(v->z->a, "%s_%s.dat", prefix, s), m);
}

/* --- layer modules ------------------------------------------------------------------------------
 */

static void
print_ports(design *z, FILE *f, bool input, const nashc_stream *s, int n)
{
    for (int k = 0; k < n; k++) {
        const char *p = port_name(z, input, k, n);
        uint32_t w = (s[k].width + 7) / 8 * 8;
        fprintf(f, ",\n    %s wire [%u:0] %s_TDATA", input ? "input " : "output", w - 1, p);
        fprintf(f, ",\n    %s wire %s_TVALID", input ? "input " : "output", p);
        fprintf(f, ",\n    %s wire %s_TREADY", input ? "output" : "input ", p);
    }
}

static void
print_instance(nashc_vlog *v, FILE *f, const nashc_stream *in, int n_in, const nashc_stream *out,
               int n_out)
{
    design *z = v->z;

    fprintf(f, "%s    %s #(\n", v->wires.data, v->module);
    fprintf(f, "%s", v->params.size > 2 ? v->params.data + 2 : "");
    if (v->memory)
        fprintf(f, ",\n        .MEM_DIR(MEM_DIR)");
    fprintf(f, "\n    ) u_core (\n        .clk(ap_clk),\n        .rst_n(ap_rst_n)");
    for (int k = 0; k < n_in; k++) {
        const char *p = port_name(z, true, k, n_in);
        char s[16] = "s";
        if (k > 0)
            snprintf(s, sizeof s, "s%d", k);
        fprintf(f, ",\n        .%s_tdata(%s_TDATA[%u:0])", s, p, in[k].width - 1);
        fprintf(f, ",\n        .%s_tvalid(%s_TVALID)", s, p);
        fprintf(f, ",\n        .%s_tready(%s_TREADY)", s, p);
    }
    fprintf(f, "%s", v->ties.data);
    fprintf(f, ",\n        .m_tdata(out_data)");
    for (int e = 0; e < 2; e++) {
        const char *what = e ? "TREADY" : "TVALID";
        fprintf(f, ",\n        .m_%s(%s", e ? "tready" : "tvalid", n_out > 1 ? "{" : "");
        for (int k = n_out - 1; k >= 0; k--)
            fprintf(f, "%s_%s%s", port_name(z, false, k, n_out), what, k ? ", " : "");
        fprintf(f, "%s)", n_out > 1 ? "}" : "");
    }
    fprintf(f, "\n    );\n");
    uint32_t at = 0;
    for (int k = 0; k < n_out; k++) {
        uint32_t w = out[k].width, pad = (w + 7) / 8 * 8 - w;
        fprintf(f, "    assign %s_TDATA = ", port_name(z, false, k, n_out));
        if (pad)
            fprintf(f, "{%u'd0, out_data[%u:%u]};\n", pad, at + w - 1, at);
        else
            fprintf(f, "out_data[%u:%u];\n", at + w - 1, at);
        at += w;
    }
}

/* Pad bits of inputs are don't-care: read nowhere. */
static void
print_unused(design *z, FILE *f, const nashc_stream *in, int n_in)
{
    for (int k = 0; k < n_in; k++) {
        uint32_t w = in[k].width, p = (w + 7) / 8 * 8;
        if (p > w)
            fprintf(f, "    wire unused_%d = &{1'b0, %s_TDATA[%u:%u]};\n", k,
                    port_name(z, true, k, n_in), p - 1, w);
    }
}

static nashc_status
print_layer(nashc_vlog *v, const nashc_node *n, const nashc_stream *in, int n_in,
            const nashc_stream *out, int n_out)
{
    design *z = v->z;
    uint32_t total = 0;
    const char *name = nashc_arena_printf(z->a, "%s_%s", z->top, v->layer);
    text t;

    if (!text_open(&t))
        return nashc_enomem(z->d);
    for (int k = 0; k < n_out; k++)
        total += out[k].width;
    fprintf(t.f, "// %s.v: layer %s of %s.\n//   %s\n", name, v->layer, z->top,
            comment_text(z, nashc_node_line(n, z->a)));
    fprintf(t.f, "`default_nettype none\nmodule %s ", name);
    if (v->memory)
        fprintf(t.f, "#(\n    parameter MEM_DIR = \".\"\n) ");
    fprintf(t.f, "(\n    input  wire ap_clk,\n    input  wire ap_rst_n");
    print_ports(z, t.f, true, in, n_in);
    print_ports(z, t.f, false, out, n_out);
    fprintf(t.f, "\n);\n    wire [%u:0] out_data;\n", total - 1);
    print_instance(v, t.f, in, n_in, out, n_out);
    print_unused(z, t.f, in, n_in);
    fprintf(t.f, "endmodule\n`default_nettype wire\n");
    add_file(z, nashc_arena_printf(z->a, "%s.v", name));
    return text_write(&t, z->dir, nashc_arena_printf(z->a, "rtl/%s.v", name), z->d);
}

static void
mark_used(design *z, const char *module)
{
    size_t n = strlen(module);

    for (int i = 0; nashc_rtl_files[i].name; i++)
        if (strncmp(nashc_rtl_files[i].name, module, n) == 0 &&
            strcmp(nashc_rtl_files[i].name + n, ".v") == 0)
            z->used[i] = true;
}

static nashc_status
write_layer(design *z, const nashc_node *n)
{
    nashc_stream in[NASHC_FLOW_PORTS], out[NASHC_FLOW_PORTS];
    nashc_verilog_emit emit =
        (nashc_verilog_emit)nashc_impl_find(z->ctx, "verilog", nashc_node_opname(n));
    nashc_vlog v = {.z = z, .layer = z->names[nashc_node_id(n)]};
    int n_in = 0;

    if (!emit)
        return nashc_node_unsup(z->d, n, "the Verilog backend does not know this layer");
    nashc_status s = nashc_node_op(n)->hw->streams(n, in, out, z->d);
    if (s != NASHC_OK)
        return s;
    for (int i = 0; i < nashc_node_n_in(n); i++)
        n_in += nashc_node_in(n, i) && !nashc_value_const(nashc_node_in(n, i));
    bool bad = !text_open(&v.params);
    bad = !text_open(&v.ties) || bad;
    bad = !text_open(&v.wires) || bad;
    s = bad ? nashc_enomem(z->d) : emit(n, &v, z->d);
    s = s == NASHC_OK ? v.status : s;
    bad = !text_close(&v.params) || bad;
    bad = !text_close(&v.ties) || bad;
    bad = !text_close(&v.wires) || bad;
    if (s == NASHC_OK && bad)
        s = nashc_enomem(z->d);
    if (s == NASHC_OK && !v.module)
        s = nashc_bug(z->d, nashc_node_loc(n), "emitter of %s named no module",
                      nashc_node_opname(n));
    if (s == NASHC_OK) {
        z->has_memory[nashc_node_id(n)] = v.memory;
        mark_used(z, v.module);
        s = print_layer(&v, n, in, n_in, out, nashc_node_n_out(n));
    }
    free(v.params.data);
    free(v.ties.data);
    free(v.wires.data);
    return s;
}

nashc_status
write_layers(design *z)
{
    nashc_status s = NASHC_OK;

    NASHC_EACH_NODE(z->f, n)
    {
        if (s == NASHC_OK)
            s = write_layer(z, n);
    }
    return s;
}

/* Is module file i named in the text as a word? */
static bool
mentions(const char *s, const char *file)
{
    size_t n = strlen(file) - 2; /* without ".v" */

    for (const char *p = s; (p = strstr(p, "nashc_")); p += 6)
        if (strncmp(p, file, n) == 0 && !strchr("_0123456789abcdefghijklmnopqrstuvwxyz", p[n]))
            return true;
    return false;
}

/* Drops // comments, which may name other modules. */
static char *
without_comments(design *z, const char *s)
{
    char *t = nashc_arena_strdup(z->a, s);

    for (char *p = t; p && (p = strstr(p, "//"));) {
        while (*p && *p != '\n')
            *p++ = ' ';
    }
    return t;
}

nashc_status
write_library(design *z)
{
    bool more = true;
    nashc_status s = NASHC_OK;

    while (more) {
        more = false;
        for (int i = 0; nashc_rtl_files[i].name; i++) {
            if (!z->used[i])
                continue;
            const char *t = without_comments(z, nashc_rtl_files[i].text);
            if (!t)
                return nashc_enomem(z->d);
            for (int k = 0; nashc_rtl_files[k].name; k++)
                if (!z->used[k] && mentions(t, nashc_rtl_files[k].name))
                    z->used[k] = more = true;
        }
    }
    for (int i = 0; nashc_rtl_files[i].name && s == NASHC_OK; i++)
        if (z->used[i])
            s = write_rtl(z, nashc_rtl_files[i].name, nashc_rtl_files[i].text,
                          strlen(nashc_rtl_files[i].text));
    return s;
}
