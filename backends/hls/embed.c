/* embed.c: build tool: one text file as a C string, so that the library needs no data files.
 *
 * embed OUT.c FILE         nashc_hls_runtime[]
 */
#include <stdio.h>

int
main(int argc, char **argv)
{
    FILE *in = argc == 3 ? fopen(argv[2], "rb") : NULL;
    FILE *out = in ? fopen(argv[1], "w") : NULL;
    int c;

    if (!out)
        return 1;
    fprintf(out, "/* Generated from backends/hls/runtime. */\n"
                 "extern const char nashc_hls_runtime[];\n"
                 "const char nashc_hls_runtime[] =\n    \"");
    while ((c = getc(in)) != EOF) {
        if (c == '\n')
            fprintf(out, "\\n\"\n    \"");
        else if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else
            putc(c, out);
    }
    fprintf(out, "\";\n");
    fclose(in);
    return fclose(out) != 0;
}
