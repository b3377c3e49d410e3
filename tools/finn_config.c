/* finn_config.c: FINN's dataflow_build_config.json: the keys that mean something here. */
#include "compile_options.h"
#include <jansson.h>
#include <math.h>
#include <string.h>

typedef struct reader {
    nashc_compile_options *out;
    nashc_ctx *ctx;
    nashc_diag *d;
    nashc_arena *a;
    const nashc_opts *o; /* what the command line gives counts */
    const char *path;
} reader;

/* NaN fails the test of the caller, so what is no number is refused like one out of range. */
static double
number(const json_t *v)
{
    return json_is_number(v) ? json_number_value(v) : NAN;
}

/* A file that the configuration names lies beside it. */
static const char *
beside(const reader *r, const char *name)
{
    const char *slash = strrchr(r->path, '/');

    return !slash || name[0] == '/'
               ? nashc_arena_strdup(r->a, name)
               : nashc_arena_printf(r->a, "%.*s/%s", (int)(slash - r->path), r->path, name);
}

/* key[0] tells the three keys of take_key apart. */
static nashc_status
take_number(reader *r, const char *key, const json_t *v)
{
    double x = number(v);

    if (json_is_null(v))
        return NASHC_OK;
    if (!(x > 0) || x > 1e15)
        return nashc_error(r->d, &(nashc_loc){.file = r->path}, "%s must be a positive number",
                           key);
    if (key[0] == 's' && !nashc_opts_given(r->o, "clock-ns"))
        r->out->clock_ns = x;
    else if (key[0] == 't' && !nashc_opts_given(r->o, "target-fps"))
        r->out->target_fps = x;
    else if (key[0] == 'm' && !nashc_opts_given(r->o, "mvau-wwidth-max"))
        r->out->mvau_wwidth_max = (int64_t)x;
    return NASHC_OK;
}

/* The board goes before the part, whichever comes first in the file. */
static nashc_status
take_device(reader *r, const char *key, const char *text)
{
    if (nashc_opts_given(r->o, "device") || (r->out->device && key[0] == 'f'))
        return NASHC_OK;
    const nashc_device *device = nashc_lookup(r->ctx, NASHC_D_DEVICE, text, r->d);
    r->out->device = device ? device->name : NULL;
    return device ? NASHC_OK : NASHC_EINPUT;
}

static nashc_status
take_text(reader *r, const char *key, const json_t *v)
{
    const char *text = json_is_string(v) ? json_string_value(v) : NULL;

    if (!json_is_null(v) && !text)
        return nashc_error(r->d, &(nashc_loc){.file = r->path}, "%s must be a string", key);
    if (text && strcmp(key, "folding_config_file") != 0)
        return take_device(r, key, text);
    if (text && !nashc_opts_given(r->o, "folding"))
        r->out->folding_file = beside(r, text);
    return NASHC_OK;
}

static bool
listed(const char *key, const char *const *list)
{
    while (*list && strcmp(*list, key) != 0)
        list++;
    return *list != NULL;
}

/* *used: the key means something here, or is known to change nothing. */
static nashc_status
take_key(reader *r, const char *key, const json_t *v, bool *used)
{
    static const char *const numbers[] = {"synth_clk_period_ns", "target_fps", "mvau_wwidth_max",
                                          NULL};
    static const char *const texts[] = {"folding_config_file", "board", "fpga_part", NULL};
    static const char *const others[] = {"folding_two_pass_relaxation", "output_dir",
                                         "minimize_bit_width", NULL};

    *used = true;
    if (listed(key, numbers))
        return take_number(r, key, v);
    if (listed(key, texts))
        return take_text(r, key, v);
    if (strcmp(key, others[0]) == 0)
        r->out->two_pass = !json_is_false(v);
    *used = listed(key, others);
    return NASHC_OK;
}

/* The first fault ends the taking; keys that mean nothing are told in one remark, as there may be
 * dozens. */
static nashc_status
take_keys(reader *r, const json_t *root)
{
    enum { TOLD = 16 };
    const char *key, *ignored = "";
    nashc_status s = NASHC_OK;
    int n = 0;
    json_t *v;

    json_object_foreach((json_t *)(uintptr_t)root, key, v)
    {
        bool used = true;
        if (s == NASHC_OK)
            s = take_key(r, key, v, &used);
        if (!used && n++ < TOLD)
            ignored = nashc_arena_printf(r->a, "%s%s%s", ignored, ignored[0] ? ", " : "",
                                         nashc_quote(r->d, key));
    }
    if (s == NASHC_OK && n > 0)
        nashc_remark(r->d, &(nashc_loc){.file = r->path}, "keys without a meaning here: %s%s",
                     ignored, n > TOLD ? nashc_arena_printf(r->a, " and %d more", n - TOLD) : "");
    return s;
}

/* out has the values of the command line already; a key counts only where its option was not
 * given. */
nashc_status
finn_config_take(nashc_compile_options *out, const char *path, nashc_ctx *c, const nashc_opts *o,
                 nashc_arena *a)
{
    reader r = {.out = out, .ctx = c, .d = nashc_ctx_diag(c), .a = a, .o = o, .path = path};
    json_error_t error;
    char *text;
    size_t size;
    nashc_status s = nashc_file_read(path, 1 << 24, &text, &size, r.d);

    if (s != NASHC_OK)
        return s;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    nashc_mem_free(text);
    if (json_is_object(root))
        s = take_keys(&r, root);
    else
        s = nashc_error(r.d, &(nashc_loc){.file = path, .line = root ? 1 : error.line}, "%s",
                        root ? "a build configuration is a JSON object" : error.text);
    json_decref(root);
    return s;
}
