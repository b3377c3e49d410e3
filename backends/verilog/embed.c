/* embed.c: build tool: files as C string literals, so that the library needs no data files.
 *
 * embed OUT.c FILE...      a table of {name, text} nashc_rtl_files[], ended by {0}
 */
#include <stdio.h>
#include <string.h>

static int
one(FILE *out, const char *path)
{
    const char *slash = strrchr(path, '/');
    FILE *in = fopen(path, "rb");
    int c;

    if (!in)
        return 1;
    fprintf(out, "    {\"%s\",\n     \"", slash ? slash + 1 : path);
    while ((c = getc(in)) != EOF) {
        /* a literal a line: compilers limit the length of one, and diffs show lines */
        if (c == '\n') {
            fprintf(out, "\\n\"\n     \"");
            continue;
        }
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 32 || c > 126)
            fprintf(out, "\\%03o", c);
        else
            putc(c, out);
    }
    fprintf(out, "\"},\n");
    return fclose(in) != 0;
}

int
main(int argc, char **argv)
{
    FILE *out = argc > 1 ? fopen(argv[1], "w") : NULL;
    int bad = 0;

    if (!out)
        return 1;
    fprintf(out,
            "/* Generated from backends/verilog/rtl; the type is that of build.h. */\n"
            "typedef struct rtl_file {\n    const char *name, *text;\n} rtl_file;\n\n"
            "extern const rtl_file nashc_rtl_files[];\nconst rtl_file nashc_rtl_files[] = {\n");
    for (int i = 2; i < argc; i++)
        bad |= one(out, argv[i]);
    fprintf(out, "    {0},\n};\n");
    return fclose(out) != 0 || bad;
}
