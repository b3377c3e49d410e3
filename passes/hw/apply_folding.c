/* apply_folding.c: FINN's folding_config.json (docs/folding.md, folding files) onto the layers.
 *
 *     { "Defaults": { "ram_style": ["block", ["MVAU_hls"]] }, "MVAU_hls_0": { "PE": 2, "SIMD": 8 }
 * }
 *
 * Layers are found by name; where the file uses another style suffix, or none, by their place among
 * the layers of that type. Attributes that have no meaning here are left alone, with a warning
 * where they would have changed the result.
 */
#include "fold.h"
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define NOT_DONE 15 /* entries of not_done */

typedef struct applying {
    nashc_run *r;
    nashc_graph *f;
    nashc_diag *d;
    const char *path;
    const char *const *names;
    int n_asked[NOT_DONE];       /* layers for which the file asks for what is not done */
    const char *asked[NOT_DONE]; /* the first of them */
} applying;

/* FINN's attribute to ours, for any layer that has it. */
static const struct alias {
    const char *finn, *ours;
} aliases[] = {
    {"PE", "pe"},
    {"SIMD", "simd"},
    {"parallel_window", "parallel_window"},
    {"positions", "positions"},
    {"M", "positions"}, /* of FINN's window generators */
    {"ram_style", "ram_style"},
    {"ram_style_thresholds", "ram_style_thresholds"},
    {"resType", "res_type"},
    {"mem_mode", "mem_mode"},
    {"runtime_writeable_weights", "runtime_writeable_weights"},
    {"zero_words", "zero_words"}, /* ours: no attribute of FINN says it */
};

/* Attributes that nothing here does. The value that asks for nothing, as text; NULL: none asks. */
static const struct not_done {
    const char *name, *nothing;
} not_done[] = {
    {"inFIFODepths", NULL},    /* insert-fifo compares them */
    {"outFIFODepths", NULL},   /* likewise */
    {"depth", NULL},           /* likewise */
    {"cycles_estimate", NULL}, /* tells, does not ask */
    {"impl_style", "rtl"},
    {"preferred_impl_style", ""},
    {"parallel_window", "0"}, /* of layers without windows */
    {"dynamic_mode", "0"},
    {"depth_trigger_uram", "0"},
    {"depth_trigger_bram", "0"},
    {"slr", "-1"},
    {"partition_id", "0"},
    {"device_id", "0"},
    {"mem_port", ""},
    {"output_hook", ""},
};

#define WEIGHT_TYPE "weightDataType"

static nashc_loc
at(const applying *z, const char *name)
{
    return (nashc_loc){.file = z->path, .name = name};
}

static nashc_status
set_alias(applying *z, nashc_node *n, const char *name, const char *ours, const json_t *v)
{
    nashc_loc loc = at(z, NULL);
    const char *text;

    if (strcmp(ours, "res_type") == 0 && json_is_string(v) &&
        strcmp(json_string_value(v), "auto") == 0)
        return NASHC_OK; /* as --mul says */
    if (json_is_integer(v)) {
        text =
            nashc_arena_printf(nashc_run_arena(z->r), "%" PRId64, (int64_t)json_integer_value(v));
    } else if (json_is_string(v)) {
        text = json_string_value(v);
        /* older releases have other words for the same modes */
        if (strcmp(text, "const") == 0)
            text = "internal_embedded";
        else if (strcmp(text, "decoupled") == 0)
            text = "internal_decoupled";
    } else {
        return nashc_error(z->d, &loc, "%s: attribute %s must be an integer or a string",
                           z->names[nashc_node_id(n)], name);
    }
    if (!text)
        return nashc_enomem(z->d);
    if (nashc_node_op(n)->attrs[nashc_attr_index(n, ours)].kind == NASHC_P_BOOL)
        text = strcmp(text, "0") == 0 ? "false" : strcmp(text, "1") == 0 ? "true" : text;
    nashc_status s = nashc_node_set_attr(n, ours, text, z->d);
    if (s != NASHC_OK)
        nashc_note(z->d, "from attribute %s of %s in %s", name, z->names[nashc_node_id(n)],
                   z->path);
    return s;
}

_Static_assert(NASHC_COUNT(not_done) == NOT_DONE, "an entry a counter");

/* Counts a layer, unless v asks for nothing. */
static void
note_asked(applying *z, int i, const char *layer, const json_t *v)
{
    const char *nothing = not_done[i].nothing, *text = json_string_value(v);
    char number[32] = "";

    if (json_is_integer(v))
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    text = text ? text : number;
    if (!nothing || json_is_null(v) || strcmp(text, nothing) == 0 ||
        (strcmp(not_done[i].name, "impl_style") == 0 && strcmp(text, "hls") == 0))
        return;
    if (z->n_asked[i]++ == 0)
        z->asked[i] = layer;
}

/* One warning an attribute. */
static void
report_asked(applying *z)
{
    nashc_loc loc = at(z, NULL);

    for (int i = 0; i < NOT_DONE; i++)
        if (z->n_asked[i] > 0)
            nashc_warning(z->d, &loc, "folding-ignored",
                          "%s is not done: asked for %d layer%s, %s first", not_done[i].name,
                          z->n_asked[i], z->n_asked[i] > 1 ? "s" : "", z->asked[i]);
}

static nashc_status
set_attr(applying *z, nashc_node *n, const char *name, const json_t *v)
{
    nashc_loc loc = at(z, NULL);

    if (strcmp(name, WEIGHT_TYPE) == 0 && nashc_attr_index(n, "mem_mode") >= 0)
        return NASHC_OK; /* once all else is known: set_weight_type */
    for (size_t i = 0; i < NASHC_COUNT(aliases); i++)
        if (strcmp(aliases[i].finn, name) == 0 && nashc_attr_index(n, aliases[i].ours) >= 0)
            return set_alias(z, n, name, aliases[i].ours, v);
    for (size_t i = 0; i < NASHC_COUNT(not_done); i++)
        if (strcmp(not_done[i].name, name) == 0) {
            note_asked(z, (int)i, z->names[nashc_node_id(n)], v);
            return NASHC_OK;
        }
    nashc_warning(z->d, &loc, "unknown-attribute", "%s has no attribute %s",
                  z->names[nashc_node_id(n)], nashc_quote(z->d, name));
    return NASHC_OK;
}

/* "MVAU_hls_3" -> type "MVAU" (base: without style), index 3. */
static bool
split_name(const char *name, bool base, char *type, size_t size, int *index)
{
    const char *us = strrchr(name, '_');
    size_t n = us ? (size_t)(us - name) : 0;

    if (n == 0 || n >= size || !isdigit((unsigned char)us[1]))
        return false;
    memcpy(type, name, n);
    type[n] = 0;
    if (base && n > 4 && (strcmp(type + n - 4, "_hls") == 0 || strcmp(type + n - 4, "_rtl") == 0))
        type[n - 4] = 0;
    *index = atoi(us + 1);
    return true;
}

/* Op types of older releases. */
static const char *
modern(const char *type)
{
    static const struct {
        const char *old, *now;
    } table[] = {
        {"MatrixVectorActivation", "MVAU"},
        {"StreamingFCLayer_Batch", "MVAU"},
        {"Thresholding_Batch", "Thresholding"},
        {"LabelSelect_Batch", "LabelSelect"},
        {"DuplicateStreams_Batch", "DuplicateStreams"},
        {"ChannelwiseOp_Batch", "ChannelwiseOp"},
    };

    for (size_t i = 0; i < NASHC_COUNT(table); i++)
        if (strcmp(table[i].old, type) == 0)
            return table[i].now;
    return type;
}

static nashc_node *
find_layer(const applying *z, const char *name)
{
    char want[128], have[128];
    int index, k = 0, dummy;

    NASHC_EACH_NODE(z->f, n)
    {
        if (strcmp(z->names[nashc_node_id(n)], name) == 0)
            return n;
    }
    if (!split_name(name, true, want, sizeof want, &index))
        return NULL;
    NASHC_EACH_NODE(z->f, n)
    {
        if (split_name(z->names[nashc_node_id(n)], true, have, sizeof have, &dummy) &&
            strcmp(have, modern(want)) == 0 && k++ == index)
            return n;
    }
    return NULL;
}

static bool
of_type(const char *layer, const char *type)
{
    char full[128], base[128];
    int i;

    return strcmp(type, "all") == 0 ||
           (split_name(layer, false, full, sizeof full, &i) && strcmp(full, type) == 0) ||
           (split_name(layer, true, base, sizeof base, &i) && strcmp(base, modern(type)) == 0);
}

/* "attr": [value, [types], value, [types] ...] */
static nashc_status
apply_default(applying *z, const char *name, const json_t *list)
{
    nashc_loc loc = at(z, NULL);
    nashc_status s = NASHC_OK;
    bool taken = json_array_size(list) == 0;

    if (!json_is_array(list) || json_array_size(list) % 2 != 0)
        return nashc_error(z->d, &loc, "Defaults: %s must be a list of values and type lists",
                           nashc_quote(z->d, name));
    for (size_t i = 0; i + 1 < json_array_size(list); i += 2) {
        const json_t *types = json_array_get(list, i + 1), *type;
        size_t k;
        if (!json_is_array(types))
            return nashc_error(z->d, &loc, "Defaults: %s: a value must be followed by a list",
                               nashc_quote(z->d, name));
        json_array_foreach(types, k, type)
        {
            if (!json_is_string(type))
                return nashc_error(z->d, &loc, "Defaults: %s: op types are strings",
                                   nashc_quote(z->d, name));
            NASHC_EACH_NODE(z->f, n)
            {
                bool has = false;
                for (size_t j = 0; j < NASHC_COUNT(aliases); j++)
                    has = has || (strcmp(aliases[j].finn, name) == 0 &&
                                  nashc_attr_index(n, aliases[j].ours) >= 0);
                if (has && s == NASHC_OK &&
                    of_type(z->names[nashc_node_id(n)], json_string_value(type))) {
                    s = set_attr(z, n, name, json_array_get(list, i));
                    taken = true;
                }
            }
        }
    }
    if (!taken)
        nashc_warning(z->d, &loc, "folding-ignored", "Defaults: no layer takes %s",
                      nashc_quote(z->d, name));
    return s;
}

/* The type of weights that others may replace; of those that stay, the least one serves. */
static nashc_status
set_weight_type(applying *z, nashc_node *n, const json_t *v)
{
    nashc_loc loc = at(z, NULL);

    if (!v || !n || nashc_attr_index(n, "mem_mode") < 0)
        return NASHC_OK;
    if (!json_is_string(v))
        return nashc_error(z->d, &loc, "%s: " WEIGHT_TYPE " must be a string",
                           z->names[nashc_node_id(n)]);
    if (!nashc_flow_weights_free(n)) {
        nashc_warning(z->d, &loc, "folding-ignored",
                      "%s: " WEIGHT_TYPE " is for weights that may be replaced, with "
                      "runtime_writeable_weights or mem_mode external; fixed ones have the least "
                      "type that holds them",
                      z->names[nashc_node_id(n)]);
        return NASHC_OK;
    }
    nashc_status s = hw_widen_weights(z->f, n, json_string_value(v), z->d);
    if (s != NASHC_OK)
        nashc_note(z->d, "layer %s, folding file %s", z->names[nashc_node_id(n)], z->path);
    return s;
}

static bool
later_layer(const char *name)
{
    return strncmp(name, "StreamingFIFO", 13) == 0 ||
           strncmp(name, "StreamingDataWidthConverter", 27) == 0 ||
           strncmp(name, "StreamingDataflowPartition", 26) == 0 || strncmp(name, "IODMA", 5) == 0;
}

static nashc_status
apply_all(applying *z, json_t *root)
{
    nashc_loc loc = at(z, NULL);
    json_t *defaults = json_object_get(root, "Defaults"), *entry, *v;
    nashc_status s = NASHC_OK;
    const char *name, *attr;

    if (defaults && !json_is_object(defaults))
        return nashc_error(z->d, &loc, "Defaults must be an object");
    json_object_foreach(defaults, attr, v) if (s == NASHC_OK) s = apply_default(z, attr, v);
    json_object_foreach(root, name, entry)
    {
        if (s != NASHC_OK || strcmp(name, "Defaults") == 0 || later_layer(name))
            continue;
        nashc_node *n = find_layer(z, name);
        if (!json_is_object(entry))
            return nashc_error(z->d, &loc, "%s must be an object", nashc_quote(z->d, name));
        if (!n) {
            nashc_warning(z->d, &loc, "unknown-layer", "no layer is named %s: ignored",
                          nashc_quote(z->d, name));
            continue;
        }
        json_object_foreach(entry, attr, v) if (s == NASHC_OK) s = set_attr(z, n, attr, v);
        if (s == NASHC_OK)
            s = set_weight_type(z, n, json_object_get(entry, WEIGHT_TYPE));
    }
    return s;
}

static nashc_status
run(nashc_run *r, nashc_graph *g)
{
    applying z = {.r = r, .d = nashc_run_diag(r)};
    json_error_t error;
    char *text;
    size_t size;
    nashc_status s;

    z.path = nashc_opts_str(nashc_run_opts(r), "file");
    z.f = nashc_flow_graph(nashc_graph_module(g), z.d);
    if (!z.f)
        return NASHC_EINPUT;
    if ((s = nashc_file_read(z.path, 1 << 26, &text, &size, z.d)) != NASHC_OK)
        return s;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    nashc_mem_free(text);
    z.names = nashc_flow_names(z.f, nashc_run_arena(r));
    if (!root || !json_is_object(root)) {
        nashc_loc loc = {.file = z.path, .line = root ? 1 : error.line};
        const char *why = root ? "a folding file is a JSON object" : error.text;
        json_decref(root);
        return nashc_error(z.d, &loc, "%s", why);
    }
    s = z.names ? hw_forget_adders(z.f, z.d) : nashc_enomem(z.d);
    if (s == NASHC_OK)
        s = apply_all(&z, root);
    report_asked(&z);
    json_decref(root);
    NASHC_EACH_NODE(z.f, n)
    {
        if (s == NASHC_OK && nashc_node_is(n, "hw.fmpadding"))
            s = fold_lengthen_for(r, z.f, n, nashc_node_int(n, "positions"));
    }
    if (s == NASHC_OK)
        s = hw_free_weights(z.f, z.names, z.d);
    NASHC_EACH_NODE(z.f, n)
    {
        if (s == NASHC_OK && nashc_node_op(n)->verify &&
            (s = nashc_node_op(n)->verify(n, z.d)) != NASHC_OK)
            nashc_note(z.d, "layer %s, folding file %s", z.names[nashc_node_id(n)], z.path);
    }
    return s;
}

static const nashc_param options[] = {
    {.name = "file", .help = "folding_config.json", .kind = NASHC_P_PATH},
    {0},
};

const nashc_pass nashc_pass_apply_folding = {
    NASHC_DESC(nashc_pass),
    .flags = NASHC_PASS_MODULE,
    .name = "apply-folding",
    .alias = "ApplyConfig|apply-config",
    .help = "take the folding from a FINN folding file",
    .options = options,
    .needs = "hw-only",
    .gives = "folded",
    .run = run,
};
