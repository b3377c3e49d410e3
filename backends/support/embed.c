/* embed.c: build tool: one text file as a C string, so that the library needs no data files.
 *
 * embed OUT.c SYMBOL FILE
 */
#include <stdio.h>

int
main(int argc, char **argv)
{
    FILE *in = argc == 4 ? fopen(argv[3], "rb") : NULL;
    FILE *out = in ? fopen(argv[1], "w") : NULL;
    int c;

    if (!out)
        return 1;
    fprintf(out, "extern const char %s[];\nconst char %s[] =\n    \"", argv[2], argv[2]);
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
