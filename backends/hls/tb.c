/* tb.c: the bench: a C program that runs the design on the vectors beside it.
 *
 *     tb_TOP [FRAMES [got]]
 *
 * reads FRAMES frames of inK.hex and compares with outK.hex, or writes outK.got. It prints PASS or
 * FAIL; exit status 1 after FAIL. A line of these files is a beat, as in the Verilog bench.
 */
#include "build.h"
#include <inttypes.h>
#include <string.h>

/* Functions of every bench. A line holds no more than the design's widest beat. */
static void
print_common(hls_design *z, nashc_outfile *f, int digits)
{
    nashc_out_printf(f,
                     "/* tb_%s.c: checks %s against the vectors in this folder.\n *\n"
                     " *     tb_%s [FRAMES [got]]      got: write outK.got, compare nothing\n */\n",
                     z->top, z->top, z->top);
    nashc_out_printf(
        f,
        "#include \"%s.h\"\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n\n"
        "enum { DIGITS = %d }; /* of the widest beat */\n\n"
        "/* Bits [at, at + width) of a beat in hex, most significant digit first. */\n"
        "static int64_t\nget_bits(const char *hex, int at, int width, int is_signed)\n{\n"
        "    int n = (int)strcspn(hex, \"\\r\\n\");\n    uint64_t v = 0;\n\n"
        "    for (int i = width - 1; i >= 0; i--) {\n"
        "        int k = n - 1 - (at + i) / 4;\n"
        "        int digit = k < 0 ? 0 : hex[k] <= '9' ? hex[k] - '0' : (hex[k] | 32) - 'a' + 10;\n"
        "        v = v << 1 | (uint64_t)(digit >> (at + i) %% 4 & 1);\n    }\n"
        "    if (is_signed && width < 64 && v >> (width - 1))\n"
        "        v |= ~UINT64_C(0) << width;\n    return (int64_t)v;\n}\n\n"
        "/* The reverse, into digits that were '0'. */\n"
        "static void\nput_bits(char *hex, int n, int at, int width, int64_t value)\n{\n"
        "    for (int i = 0; i < width; i++)\n"
        "        if ((uint64_t)value >> i & 1) {\n"
        "            char *c = &hex[n - 1 - (at + i) / 4];\n"
        "            int digit = (*c <= '9' ? *c - '0' : *c - 'a' + 10) | 1 << (at + i) %% 4;\n"
        "            *c = \"0123456789abcdef\"[digit];\n        }\n}\n\n",
        z->top, digits);
    nashc_out_printf(f, "/* The next line, or the end of the program. */\n"
                        "static void\nget_line(FILE *f, char *line)\n{\n"
                        "    if (!f || !fgets(line, DIGITS + 3, f)) {\n"
                        "        printf(\"FAIL vectors are missing\\n\");\n"
                        "        exit(1);\n    }\n}\n");
}

static void
print_input(nashc_outfile *f, int i, const hls_link *l)
{
    int bits = l->s.elem.bits;
    bool is_signed = l->s.elem.kind != NASHC_K_BIP && nashc_type_is_signed(&l->s.elem);

    nashc_out_printf(f, "\nstatic void\nfeed%d(FILE *f, NASHC_OUT(%s) s)\n{\n", i, l->beat);
    nashc_out_printf(f,
                     "    char line[DIGITS + 3];\n    %s b;\n\n"
                     "    for (int k = 0; k < %" PRId64 "; k++) {\n        get_line(f, line);\n"
                     "        for (int l = 0; l < %" PRId64 "; l++)\n"
                     "            b.lane[l] = (%.*s)get_bits(line, l * %d, %d, %d);\n"
                     "        NASHC_WRITE(%s, s, b);\n    }\n}\n",
                     l->beat, l->s.beats, l->s.lanes, (int)strcspn(l->beat, "x"), l->beat, bits,
                     bits, is_signed, l->beat);
}

static void
print_output(nashc_outfile *f, int i, const hls_link *l)
{
    int bits = l->s.elem.bits;
    uint32_t digits = (l->s.width + 3) / 4;

    nashc_out_printf(f,
                     "\nstatic int\ncheck%d(FILE *f, int got, NASHC_IN(%s) s)\n{\n"
                     "    char line[DIGITS + 3], hex[DIGITS + 1];\n    int errors = 0;\n\n",
                     i, l->beat);
    nashc_out_printf(f,
                     "    for (int k = 0; k < %" PRId64 "; k++) {\n"
                     "        %s b = NASHC_READ(%s, s);\n"
                     "        memset(hex, '0', %u);\n        hex[%u] = 0;\n"
                     "        for (int l = 0; l < %" PRId64 "; l++)\n"
                     "            put_bits(hex, %u, l * %d, %d, (int64_t)b.lane[l]);\n",
                     l->s.beats, l->beat, l->beat, digits, digits, l->s.lanes, digits, bits, bits);
    nashc_out_printf(f, "        if (got) {\n            fprintf(f, \"%%s\\n\", hex);\n"
                        "            continue;\n        }\n        get_line(f, line);\n"
                        "        if (strncmp(line, hex, strlen(hex)) != 0 && errors++ < 10)\n");
    nashc_out_printf(f,
                     "            printf(\"out%d: beat %%d is %%s, expected %%s\", k, hex, line);\n"
                     "    }\n    return errors;\n}\n",
                     i);
}

/* main: opens the files, then one call a frame. */
static void
print_main(hls_design *z, nashc_outfile *f)
{
    int n_in = nashc_graph_n_inputs(z->f), n_out = nashc_graph_n_outputs(z->f);

    nashc_out_printf(f,
                     "\nint\nmain(int argc, char **argv)\n{\n"
                     "    int frames = argc > 1 ? atoi(argv[1]) : %" PRId64 ";\n"
                     "    int got = argc > 2, errors = 0;\n",
                     nashc_opts_int(z->o, "vectors"));
    for (int i = 0; i < n_in; i++)
        nashc_out_printf(f,
                         "    FILE *in%d = fopen(\"in%d.hex\", \"r\");\n"
                         "    NASHC_LINK(%s, s_axis_%d, %" PRId64 ");\n",
                         i, i, hls_input(z, i)->beat, i, hls_input(z, i)->s.beats);
    for (int i = 0; i < n_out; i++)
        nashc_out_printf(f,
                         "    FILE *out%d = got ? fopen(\"out%d.got\", \"w\") "
                         ": fopen(\"out%d.hex\", \"r\");\n"
                         "    NASHC_LINK(%s, m_axis_%d, %" PRId64 ");\n",
                         i, i, i, hls_output(z, i)->beat, i, hls_output(z, i)->s.beats);
    nashc_out_printf(f, "\n    for (int k = 0; k < frames; k++) {\n");
    for (int i = 0; i < n_in; i++)
        nashc_out_printf(f, "        feed%d(in%d, s_axis_%d);\n", i, i, i);
    nashc_out_printf(f, "        %s(", z->top);
    for (int i = 0; i < n_in; i++)
        nashc_out_printf(f, "%ss_axis_%d", i ? ", " : "", i);
    for (int i = 0; i < n_out; i++)
        nashc_out_printf(f, ", m_axis_%d", i);
    nashc_out_printf(f, ");\n");
    for (int i = 0; i < n_out; i++)
        nashc_out_printf(f, "        errors += check%d(out%d, got, m_axis_%d);\n", i, i, i);
    nashc_out_printf(f, "    }\n    if (errors)\n"
                        "        printf(\"FAIL %%d beats differ\\n\", errors);\n    else\n"
                        "        printf(\"PASS %%d frames\\n\", frames);\n"
                        "    return errors != 0;\n}\n");
}

static nashc_status
write_cpp(hls_design *z)
{
    nashc_outfile *f = hls_open(z, nashc_arena_printf(z->a, "tb/tb_%s_hls.cpp", z->top));

    if (!f)
        return NASHC_EIO;
    nashc_out_printf(f,
                     "/* tb_%s_hls.cpp: the bench as C++, for tools of HLS. */\n"
                     "#include \"tb_%s.c\"\n",
                     z->top, z->top);
    return nashc_out_commit(f, z->d);
}

nashc_status
hls_write_bench(hls_design *z)
{
    nashc_outfile *f = hls_open(z, nashc_arena_printf(z->a, "tb/tb_%s.c", z->top));
    int n_in = nashc_graph_n_inputs(z->f), n_out = nashc_graph_n_outputs(z->f);
    uint32_t width = 0;

    if (!f)
        return NASHC_EIO;
    for (int i = 0; i < n_in + n_out; i++) {
        const hls_link *l = i < n_in ? hls_input(z, i) : hls_output(z, i - n_in);
        width = l->s.width > width ? l->s.width : width;
    }
    print_common(z, f, (int)(width + 3) / 4);
    for (int i = 0; i < n_in; i++)
        print_input(f, i, hls_input(z, i));
    for (int i = 0; i < n_out; i++)
        print_output(f, i, hls_output(z, i));
    print_main(z, f);
    nashc_status s = nashc_out_commit(f, z->d);
    return s == NASHC_OK ? write_cpp(z) : s;
}
