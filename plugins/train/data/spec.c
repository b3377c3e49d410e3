/* spec.c: the text that names images: KIND:PATH[,key=value...]. */
#include "plugins/train/data/data.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"fashion-mnist", "idx",    "cifar10", "images",
                                    "npz",           "scenes", NULL};
static const char *const keys[] = {"split", "limit", "classes", "size",  "augment", "mean",
                                   "std",   "scale", "memory",  "items", "seed",    NULL};

#define MEMORY 1024 /* MiB of decoded images */

static nashc_status
bad_value(nashc_diag *d, const char *key, const char *value, const char *wanted)
{
    return nashc_usage(d, "--data: %s is \"%s\", expected %s", key, nashc_quote(d, value), wanted);
}

/* "0.5+0.4+0.4", also with colons between. */
static bool
numbers(const char *s, double *out, int *n)
{
    for (*n = 0; *n < TRAIN_MAX_CHANNELS;) {
        char *end;
        out[*n] = strtod(s, &end);
        if (end == s || !isfinite(out[*n]))
            return false;
        ++*n;
        if (!*end)
            return true;
        if (*end != '+' && *end != ':')
            return false;
        s = end + 1;
    }
    return false;
}

static bool
whole(const char *s, int64_t lo, int64_t hi, int64_t *out)
{
    char *end;
    long long v = strtoll(s, &end, 10);

    *out = v;
    return end != s && !*end && v >= lo && v <= hi;
}

static bool
size_of(const char *s, train_spec *out)
{
    int used = 0;

    return sscanf(s, "%5dx%5d%n", &out->h, &out->w, &used) == 2 && !s[used] && out->h > 0 &&
           out->w > 0 && out->h <= 4096 && out->w <= 4096;
}

/* rrc includes flip, as it does for ImageNet. */
static bool
augment(const char *s, train_spec *out)
{
    out->flip = strcmp(s, "flip") == 0 || strcmp(s, "flip+crop4") == 0 || strcmp(s, "rrc") == 0;
    out->crop = strcmp(s, "crop4") == 0 || strcmp(s, "flip+crop4") == 0;
    out->rrc = strcmp(s, "rrc") == 0;
    return out->flip || out->crop || out->rrc || strcmp(s, "none") == 0;
}

/* The last key that is asked for is scale: all others have returned. */
static nashc_status
set_key(train_spec *out, const char *key, const char *value, nashc_diag *d)
{
    int64_t number;
    int one;

    if (strcmp(key, "split") == 0) {
        out->test = strcmp(value, "test") == 0;
        return out->test || strcmp(value, "train") == 0 ? NASHC_OK
                                                        : bad_value(d, key, value, "train or test");
    }
    if (strcmp(key, "limit") == 0)
        return whole(value, 1, INT64_MAX, &out->limit)
                   ? NASHC_OK
                   : bad_value(d, key, value, "a number of images");
    if (strcmp(key, "memory") == 0)
        return whole(value, 0, INT64_MAX >> 20, &out->memory)
                   ? NASHC_OK
                   : bad_value(d, key, value, "a number of MiB");
    if (strcmp(key, "items") == 0) {
        bool good = whole(value, 1, 16, &number);
        out->items = (int)number;
        return good ? NASHC_OK : bad_value(d, key, value, "a number of 1 to 16");
    }
    if (strcmp(key, "seed") == 0) {
        bool good = whole(value, 0, UINT32_MAX, &number);
        out->seed = (uint64_t)number;
        return good ? NASHC_OK : bad_value(d, key, value, "a number of 0 to 2^32 - 1");
    }
    if (strcmp(key, "classes") == 0) {
        out->classes = value;
        return *value ? NASHC_OK : bad_value(d, key, value, "names with + between");
    }
    if (strcmp(key, "size") == 0)
        return size_of(value, out) ? NASHC_OK : bad_value(d, key, value, "HxW");
    if (strcmp(key, "augment") == 0)
        return augment(value, out)
                   ? NASHC_OK
                   : bad_value(d, key, value, "none, flip, crop4, flip+crop4 or rrc");
    if (strcmp(key, "mean") == 0)
        return numbers(value, out->mean, &out->n_mean)
                   ? NASHC_OK
                   : bad_value(d, key, value, "a number, or one a channel with + between");
    if (strcmp(key, "std") == 0) {
        bool good = numbers(value, out->std, &out->n_std);
        for (int i = 0; i < out->n_std; i++)
            good &= out->std[i] > 0.0;
        return good ? NASHC_OK : bad_value(d, key, value, "positive numbers with + between");
    }
    return numbers(value, &out->scale, &one) && one == 1 && out->scale > 0.0
               ? NASHC_OK
               : bad_value(d, key, value, "a positive number");
}

static nashc_status
set_keys(train_spec *out, char *text, nashc_diag *d)
{
    nashc_status s = NASHC_OK;
    char *rest = NULL;

    for (char *item = strtok_r(text, ",", &rest); item && s == NASHC_OK;
         item = strtok_r(NULL, ",", &rest)) {
        char *eq = strchr(item, '=');
        bool known = false;
        if (eq)
            *eq = 0;
        for (int i = 0; keys[i]; i++)
            known |= strcmp(keys[i], item) == 0;
        if (!eq || !known) {
            s = nashc_usage(d, "--data: unknown key \"%s\"; %s", nashc_quote(d, item),
                            nashc_nearest(d, item, keys));
            nashc_help(d,
                       "keys: split limit classes size augment mean std scale memory items seed");
        } else {
            s = set_key(out, item, eq + 1, d);
        }
    }
    return s;
}

/* The path ends at the first comma; strings of *out are parts of a copy that a owns. The command's
 * wish comes last: test images are not augmented, whatever the text says. */
nashc_status
train_spec_parse(const char *text, const train_wish *wish, nashc_arena *a, train_spec *out,
                 nashc_diag *d)
{
    char *copy = nashc_arena_strdup(a, text);
    bool known = false;

    if (!copy)
        return nashc_enomem(d);
    *out = (train_spec){.test = wish->test, .memory = MEMORY, .items = 4, .seed = 1};
    size_t end = strcspn(copy, ":,");
    char *rest = copy + end;
    bool path = *rest == ':';
    if (*rest)
        *rest++ = 0;
    out->kind = copy;
    out->path = path ? rest : "";
    for (int i = 0; kinds[i]; i++)
        known |= strcmp(kinds[i], copy) == 0;
    if (!known) {
        nashc_usage(d, "--data: unknown kind of data \"%s\"; %s", nashc_quote(d, copy),
                    nashc_nearest(d, copy, kinds));
        nashc_help(d, "kinds: fashion-mnist, idx:DIR, cifar10:DIR, images:DIR|FILE.zip, npz:FILE, "
                      "scenes:KIND[:PATH]");
        return NASHC_EUSAGE;
    }
    char *options = path ? strchr(rest, ',') : rest;
    if (path && options)
        *options++ = 0;
    bool packaged = strcmp(copy, "fashion-mnist") == 0; /* its place is known */
    if (packaged && *out->path)
        return nashc_usage(
            d, "--data: fashion-mnist takes no path; idx:DIR reads such files elsewhere");
    if (!packaged && !*out->path)
        return nashc_usage(d, "--data: %s needs a path, as in %s:PATH", copy, copy);
    nashc_status s = options ? set_keys(out, options, d) : NASHC_OK;
    if (wish->augment_none)
        out->flip = out->crop = out->rrc = false;
    return s;
}
