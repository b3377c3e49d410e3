/* parse.c: genotype text (.ngt), line by line:
 *
 *     file = "nash-genotype" "1" NL { setting NL } group { group } [ "end" NL ]
 *
 * docs/genotypes.md has the whole grammar and the codes of the errors. */
#include "frontends/genotype/reader.h"
#include <string.h>

const char *const geno_keys[GENO_N_KEYS + 1] = {"name",  "backbone", "version", "input", "classes",
                                                "width", "stem",     "head",    "bits",  NULL};

static bool
blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* t has room for GENO_MAX_TOKENS; tokens point into s. '#' begins a comment anywhere. Control
 * characters are refused, as names of a genotype go into reports and code. */
int
geno_split(geno_in *in, const char *s, size_t len, geno_token *t)
{
    int n = 0;
    for (size_t i = 0; i < len && s[i] != '#';) {
        if (blank(s[i])) {
            i++;
            continue;
        }
        size_t from = i;
        while (i < len && !blank(s[i]) && s[i] != '#' && s[i] != ':')
            i++;
        i += i == from; /* a colon is a word of its own */
        t[n] = (geno_token){s + from, (int)(i - from), (int)from + 1};
        for (size_t k = from; k < i; k++) {
            if ((unsigned char)s[k] < ' ' || s[k] == 127) {
                geno_fault(in, 2, &t[n], "control character in the text");
                return -1;
            }
        }
        if (++n == GENO_MAX_TOKENS) {
            geno_fault(in, 2, &t[n - 1], "more than %d words in a line", GENO_MAX_TOKENS - 1);
            return -1;
        }
    }
    return n;
}

static nashc_status
first_line(geno_in *in, const geno_token *t, int n)
{
    if (!geno_is(&t[0], "nash-genotype"))
        return geno_fault(in, 1, &t[0], "the first line must be \"nash-genotype 1\", not \"%s\"",
                          geno_word(in, &t[0]));
    if (n < 2)
        return geno_fault(in, 1, &t[0], "\"nash-genotype\" without its format version, 1");
    if (!geno_is(&t[1], "1"))
        return geno_fault(in, 1, &t[1], "format version \"%s\" is not known, only 1",
                          geno_word(in, &t[1]));
    if (n > 2)
        return geno_fault(in, 1, &t[2], "text behind \"nash-genotype 1\"");
    return NASHC_OK;
}

static nashc_status
unknown_word(geno_in *in, const geno_token *t)
{
    const char *near = nashc_nearest(in->d, geno_word(in, t), geno_keys);
    return geno_fault(in, 2, t, "\"%s\" is neither a setting, a group, a step nor \"end\"%s%s",
                      geno_word(in, t), near[0] ? "; " : "", near);
}

/* Settings stand before the groups, which are read with them in mind. */
static nashc_status
setting(geno_in *in, int key, const geno_token *t, int n)
{
    if (in->n_groups > 0)
        return geno_fault(in, 2, &t[0], "setting \"%s\" behind the first group", geno_keys[key]);
    if (in->given & 1u << key)
        return geno_fault(in, 3, &t[0], "\"%s\" is given twice, first in line %d", geno_keys[key],
                          in->key_line[key]);
    in->given |= 1u << key;
    in->key_line[key] = in->line;
    return geno_parse_setting(in, (geno_key)key, t, n);
}

/* A line behind the first. */
static nashc_status
line(geno_in *in, const geno_token *t, int n)
{
    int key = geno_find(&t[0], geno_keys);
    if (in->ended)
        return geno_fault(in, 2, &t[0], "text behind \"end\"");
    if (key >= 0)
        return setting(in, key, t, n);
    if (geno_is(&t[0], "group"))
        return geno_parse_group(in, t, n);
    if (geno_is(&t[0], "end")) {
        in->ended = true;
        return n > 1 ? geno_fault(in, 2, &t[1], "text behind \"end\"") : NASHC_OK;
    }
    if ((t[0].s[0] >= '0' && t[0].s[0] <= '9') || t[0].s[0] == '-')
        return geno_parse_step(in, t, n);
    return unknown_word(in, &t[0]);
}

nashc_status
geno_parse_ngt(geno_in *in, const char *text, size_t size)
{
    geno_token t[GENO_MAX_TOKENS];
    bool first = true;
    nashc_status s = NASHC_OK;
    in->line = 1;
    for (size_t at = 0; at < size && s == NASHC_OK; in->line++) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t len = end ? (size_t)(end - text) - at : size - at;
        /* messages show the line under a caret */
        in->line_text = nashc_arena_printf(in->arena, "%.*s", (int)len, text + at);
        int n = geno_split(in, text + at, len, t);
        at += len + 1;
        if (n < 0)
            return NASHC_EINPUT;
        if (n > 0)
            s = first ? first_line(in, t, n) : line(in, t, n);
        first = first && n == 0;
        in->last_line = in->line;
    }
    in->line_text = NULL;
    if (s == NASHC_OK && first)
        return geno_fault_at(in, 1, 1, 1, "the text is empty: no \"nash-genotype 1\"");
    return s;
}
