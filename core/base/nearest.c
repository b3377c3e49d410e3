/* nearest.c: the name that a misspelt one was meant to be. */
#include "core/base/diag.h"
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define MAX_EDIT_LENGTH 63

static int
fold(char c)
{
    return c == '_' ? '-' : tolower((unsigned char)c);
}

/* Optimal string alignment distance, letters compared without case, '_' like '-'. */
static int
edit_distance(const char *a, const char *b)
{
    int row[3][MAX_EDIT_LENGTH + 1];
    int n = (int)strlen(a), m = (int)strlen(b);
    if (n > MAX_EDIT_LENGTH || m > MAX_EDIT_LENGTH)
        return 2 * MAX_EDIT_LENGTH;
    for (int j = 0; j <= m; j++)
        row[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *now = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= m; j++) {
            int best = up[j - 1] + (fold(a[i - 1]) != fold(b[j - 1]));
            best = up[j] + 1 < best ? up[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                fold(a[i - 2]) == fold(b[j - 1]) && up2[j - 2] + 1 < best)
                best = up2[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[n % 3][m];
}

const char *
nashc_nearest(nashc_diag *d, const char *name, const char *const *names)
{
    const char *best[3] = {NULL, NULL, NULL};
    int dist[3] = {0, 0, 0};
    int limit = 1 + (int)strlen(name) / 3;
    if (!d)
        return "";
    for (int i = 0; names[i]; i++) {
        int e = edit_distance(name, names[i]);
        if (e > limit)
            continue;
        int at = 0;
        while (at < 3 && best[at] && dist[at] <= e)
            at++;
        for (int k = 2; k > at; k--) {
            best[k] = best[k - 1];
            dist[k] = dist[k - 1];
        }
        if (at < 3) {
            best[at] = names[i];
            dist[at] = e;
        }
    }
    for (int k = 1; k < 3; k++) /* next to a near one, a far one is noise */
        if (best[k] && dist[k] > 2 * dist[0] + 1)
            best[k] = NULL;
    if (!best[1])
        best[2] = NULL;
    const char *s = "";
    if (best[2])
        s = nashc_arena_printf(nashc_diag_arena(d), "did you mean \"%s\", \"%s\" or \"%s\"?",
                               best[0], best[1], best[2]);
    else if (best[1])
        s = nashc_arena_printf(nashc_diag_arena(d), "did you mean \"%s\" or \"%s\"?", best[0],
                               best[1]);
    else if (best[0])
        s = nashc_arena_printf(nashc_diag_arena(d), "did you mean \"%s\"?", best[0]);
    return s ? s : "";
}
