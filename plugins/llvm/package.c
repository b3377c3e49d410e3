/* package.c: what stands beside the object file: header, example, Makefile, manifest. */
#include "object.h"
#include <ctype.h>
#include <inttypes.h>

/* One parameter of the function. */
typedef struct port {
    const nashc_type *t;
    const char *name; /* in the model */
    const char *c;    /* element type in C */
    const char *side; /* "in" or "out" */
    int index;        /* among those of its side */
    int64_t n;
} port;

static port
port_of(const cpu_package *z, int i)
{
    static const char *const cells[] = {"int8_t",   "uint8_t", "int16_t",  "uint16_t", "int32_t",
                                        "uint32_t", "int64_t", "uint64_t", "float",    "double"};
    int n_in = nashc_graph_n_inputs(z->graph);
    bool in = i < n_in;
    const nashc_value *v =
        in ? nashc_graph_input(z->graph, i) : nashc_graph_output(z->graph, i - n_in);
    port p = {.t = nashc_value_type(v),
              .name = in ? nashc_value_name(v) : nashc_graph_output_name(z->graph, i - n_in),
              .side = in ? "in" : "out",
              .index = in ? i : i - n_in};

    p.c = cells[nashc_type_cell(p.t)];
    p.n = nashc_type_count(p.t);
    return p;
}

static int
n_ports(const cpu_package *z)
{
    return nashc_graph_n_inputs(z->graph) + nashc_graph_n_outputs(z->graph);
}

/* TOP in capitals. */
static const char *
capitals(const cpu_package *z)
{
    char *s = nashc_arena_strdup(z->a, z->top);

    for (char *p = s; p && *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return s ? s : "";
}

/* s as it may stand in a comment. */
static const char *
comment(const cpu_package *z, const char *s)
{
    char *t = nashc_arena_strdup(z->a, s ? s : "");

    for (char *p = t; p && *p; p++)
        if ((unsigned char)*p < 32 || (unsigned char)*p > 126 || *p == '*' || *p == '\\')
            *p = '?';
    return t ? t : "";
}

static void
print_prototype(const cpu_package *z, nashc_outfile *f)
{
    nashc_out_printf(f, "int %s(", z->top);
    for (int i = 0; i < n_ports(z); i++) {
        port p = port_of(z, i);
        nashc_out_printf(f, "%s%s *%s%d, ", p.side[0] == 'i' ? "const " : "", p.c, p.side, p.index);
    }
    nashc_out_printf(f, "void *memory)");
}

static nashc_status
write_header(const cpu_package *z, nashc_diag *d)
{
    nashc_outfile *f = cpu_package_open(z, z->top, ".h", d);
    const char *top = capitals(z);

    if (!f)
        return NASHC_EIO;
    nashc_out_printf(
        f,
        "/* %s.h: a network as a C function, compiled by nashc %s.\n *\n"
        " * It works in memory of the caller, %s_MEMORY bytes that need no\n"
        " * alignment and no content, and keeps nothing between calls: threads call\n"
        " * it at the same time, each with memory of its own. Results must not overlap\n"
        " * inputs. It returns 0, or 1 for inputs outside their range, or NaN; then\n"
        " * results are undefined.\n */\n",
        z->top, NASHC_VERSION, top);
    nashc_out_printf(f,
                     "#ifndef %s_H\n#define %s_H\n\n#include <stdint.h>\n\n"
                     "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n",
                     top, top);
    nashc_out_printf(f, "#define %s_MEMORY %zu\n\n", top, z->memory);
    for (int i = 0; i < n_ports(z); i++) {
        port p = port_of(z, i);
        char elem[NASHC_TYPE_STR_MAX] = "";
        nashc_type_finn_name(p.t, elem, sizeof elem);
        nashc_out_printf(f, "/* %s%d: %s, %s", p.side, p.index, comment(z, p.name), elem);
        for (int k = 0; k < p.t->rank; k++)
            nashc_out_printf(f, "%s%" PRId64, k ? " x " : ", ", p.t->dim[k]);
        if (nashc_type_is_int(p.t))
            nashc_out_printf(f, ", %" PRId64 " to %" PRId64, p.t->lo, p.t->hi);
        nashc_out_printf(f, " */\n#define %s_%s%d %" PRId64 "\n", top,
                         p.side[0] == 'i' ? "IN" : "OUT", p.index, p.n);
    }
    nashc_out_printf(f, "\n");
    print_prototype(z, f);
    nashc_out_printf(f, ";\n\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
    return nashc_out_commit(f, d);
}

/* main.c: samples from standard input to standard output, as they lie in memory. */
static nashc_status
write_example(const cpu_package *z, nashc_diag *d)
{
    nashc_outfile *f = cpu_package_open(z, "main", ".c", d);
    const char *top = capitals(z);

    if (!f)
        return NASHC_EIO;
    nashc_out_printf(f,
                     "/* main.c: runs %s on samples from standard input: for each the elements of\n"
                     " * all inputs as they lie in memory. Those of all outputs go to standard\n"
                     " * output.\n"
                     " */\n#include \"%s.h\"\n#include <stdio.h>\n\n",
                     z->top, z->top);
    for (int i = 0; i < n_ports(z); i++) {
        port p = port_of(z, i);
        nashc_out_printf(f, "static %s %s%d[%s_%s%d];\n", p.c, p.side, p.index, top,
                         p.side[0] == 'i' ? "IN" : "OUT", p.index);
    }
    nashc_out_printf(f,
                     "static unsigned char memory[%s_MEMORY];\n\n"
                     "static int\nread_sample(void)\n{\n    return ",
                     top);
    for (int i = 0; i < n_ports(z); i++) {
        port p = port_of(z, i);
        if (p.side[0] == 'i')
            nashc_out_printf(f, "%sfread(in%d, sizeof in%d, 1, stdin) == 1", i ? " && " : "", i, i);
    }
    nashc_out_printf(f,
                     ";\n}\n\nint\nmain(void)\n{\n    while (read_sample()) {\n"
                     "        if (%s(",
                     z->top);
    for (int i = 0; i < n_ports(z); i++) {
        port p = port_of(z, i);
        nashc_out_printf(f, "%s%d, ", p.side, p.index);
    }
    nashc_out_printf(f, "memory) != 0) {\n"
                        "            fprintf(stderr, \"an input is outside its range\\n\");\n"
                        "            return 1;\n        }\n");
    for (int i = 0; i < n_ports(z); i++) {
        port p = port_of(z, i);
        if (p.side[0] == 'o')
            nashc_out_printf(f,
                             "        if (fwrite(out%d, sizeof out%d, 1, stdout) != 1)\n"
                             "            return 1;\n",
                             p.index, p.index);
    }
    nashc_out_printf(f, "    }\n    return 0;\n}\n");
    return nashc_out_commit(f, d);
}

static nashc_status
write_makefile(const cpu_package *z, nashc_diag *d)
{
    nashc_outfile *f = cpu_package_open(z, "Makefile", "", d);

    if (!f)
        return NASHC_EIO;
    nashc_out_printf(f,
                     "# make; ./main <samples >results\n"
                     "CFLAGS ?= -O2 -Wall -Wextra\n\n"
                     "main: main.c %s.o %s.h\n"
                     "\t$(CC) -std=c99 $(CFLAGS) $(LDFLAGS) -o $@ main.c %s.o -lm\n\n"
                     "clean:\n\trm -f main\n\n.PHONY: clean\n",
                     z->top, z->top, z->top);
    return nashc_out_commit(f, d);
}

/* What only this backend knows; the host adds the rest. */
static nashc_status
write_manifest(const cpu_package *z, nashc_diag *d)
{
    nashc_outfile *f = cpu_package_open(z, "manifest", ".json", d);
    const char *side = "";

    if (!f)
        return NASHC_EIO;
    nashc_out_printf(f,
                     "{\n  \"cpu\": \"%s\",\n  \"object\": \"%s.o\",\n  \"header\": \"%s.h\",\n"
                     "  \"object_bytes\": %zu,\n  \"memory_bytes\": %zu",
                     z->cpu, z->top, z->top, z->code, z->memory);
    for (int i = 0; i < n_ports(z); i++) {
        port p = port_of(z, i);
        nashc_out_printf(f, "%s{\"parameter\": \"%s%d\", \"c\": \"%s\", \"elements\": %" PRId64 "}",
                         p.index            ? ",\n    "
                         : p.side[0] == 'i' ? ",\n  \"inputs\": [\n    "
                         : side[0]          ? "\n  ],\n  \"outputs\": [\n    "
                                            : ",\n  \"inputs\": [],\n  \"outputs\": [\n    ",
                         p.side, p.index, p.c, p.n);
        side = p.side;
    }
    nashc_out_printf(f, "\n  ]\n}\n");
    return nashc_out_commit(f, d);
}

nashc_status
cpu_package_write(const cpu_package *z, nashc_diag *d)
{
    nashc_status s = write_header(z, d);

    if (s == NASHC_OK)
        s = write_example(z, d);
    if (s == NASHC_OK)
        s = write_makefile(z, d);
    return s == NASHC_OK ? write_manifest(z, d) : s;
}
