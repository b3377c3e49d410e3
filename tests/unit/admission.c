/* admission.c: tests of core/host/admission.c: names, and whose they are. */
#include "unit.h"
#include <string.h>

static nashc_status
do_nothing(nashc_run *r, nashc_graph *g)
{
    (void)r;
    (void)g;
    return NASHC_OK;
}

static nashc_pass
pass_of(const char *name, const char *alias)
{
    return (nashc_pass){NASHC_DESC(nashc_pass), .name = name, .alias = alias, .help = "for tests",
                        .run = do_nothing};
}

/* What registering p says, "" if it is taken. */
static const char *
verdict(nashc_ctx *c, nashc_plugin p)
{
    nashc_diag *d = nashc_ctx_diag(c);
    nashc_diag_truncate(d, 0);
    p.struct_size = sizeof p;
    p.abi = NASHC_ABI;
    p.name = p.name ? p.name : "unit";
    p.version = "1";
    p.help = "for tests";
    return nashc_register(c, &p, "u.so", d) == NASHC_OK ? "" : nashc_diag_text(d, 0);
}

static void
expect(nashc_ctx *c, const nashc_plugin p, const char *text)
{
    const char *got = verdict(c, p);
    if (!text[0] ? got[0] : !strstr(got, text) || strncmp(got, "u.so: error: ", 13) != 0)
        fail_msg("wanted: %s\ngot: %s", text, got);
}

static void
expect_passes(nashc_ctx *c, nashc_pass a, nashc_pass b, const char *text)
{
    const nashc_pass *const passes[] = {&a, &b, NULL};
    expect(c, (nashc_plugin){.passes = passes}, text);
}

static void
names_are_plain(void **state)
{
    static const char *const bad[] = {"",     "a b",      "a<b>", "a/b",         "a;b", "-a",
                                      ".a",   "a\x1b[0m", "a\nb", "k\xc3\xa4se", "a,b", "a(b)",
                                      "a=\"", "a\\b",     "a\tb", "_a"};
    for (size_t i = 0; i < NASHC_COUNT(bad); i++)
        expect_passes(*state, pass_of(bad[i], NULL), pass_of("unit-other", NULL), "illegal name");
    expect_passes(*state, pass_of(NULL, NULL), pass_of("unit-other", NULL), "illegal name");
    for (size_t i = 0; i < NASHC_COUNT(bad); i++)
        expect(*state, (nashc_plugin){.name = bad[i]}, "illegal name");
    char longest[122] = "";
    memset(longest, 'a', 121);
    expect_passes(*state, pass_of(longest, NULL), pass_of("unit-other", NULL), "illegal name");
    longest[120] = 0;
    expect_passes(*state, pass_of(longest, "A.b_c-9|9"), pass_of("unit-other", NULL), "");
}

static void
aliases_are_plain(void **state)
{
    static const char *const bad[] = {"|", "A||B", "A B", "|A", "A|<b>"};
    for (size_t i = 0; i < NASHC_COUNT(bad); i++)
        expect_passes(*state, pass_of("unit-a", bad[i]), pass_of("unit-b", NULL), "illegal name");
}

/* Names and aliases of passes and pipelines are one space. */
static void
names_are_taken_once(void **state)
{
    nashc_pass other = pass_of("unit-b", NULL);
    expect_passes(*state, pass_of("streamline", NULL), other,
                  "the name \"streamline\" is taken by pipeline \"streamline\" from built-in");
    expect_passes(*state, pass_of("unit-a", "streamline"), other,
                  "taken by pipeline \"streamline\"");
    expect_passes(*state, pass_of("unit-a", "FoldConstants"), other,
                  "taken by pass \"fold-constants\" from built-in");
    expect_passes(*state, pass_of("repeat", NULL), other, "taken by the grammar of pipelines");
    expect_passes(*state, pass_of("unit-a", "A|B|A"), other, "taken by pass \"unit-a\"");
    expect_passes(*state, pass_of("unit-a", "unit-a"), other, "taken by pass \"unit-a\"");
    expect_passes(*state, pass_of("unit-a", "unit-b"), other,
                  "pass \"unit-b\": the name \"unit-b\" is taken by pass \"unit-a\" from the same");
    expect_passes(*state, pass_of("unit-a", "A"), pass_of("unit-b", "B|A"),
                  "taken by pass \"unit-a\"");
    nashc_pass a = pass_of("unit-a", NULL);
    nashc_pipeline l = {NASHC_DESC(nashc_pipeline), .name = "unit-l", .alias = "unit-a",
                        .help = "for tests", .text = "cleanup"};
    const nashc_pass *const passes[] = {&a, NULL};
    const nashc_pipeline *const pipelines[] = {&l, NULL};
    expect(*state, (nashc_plugin){.passes = passes, .pipelines = pipelines},
           "pipeline \"unit-l\": the name \"unit-a\" is taken by pass \"unit-a\" from the same "
           "plugin");
    assert_null(nashc_find(*state, NASHC_D_PASS, "unit-a"));
    assert_null(nashc_find(*state, NASHC_D_PIPELINE, "unit-l"));
}

/* An override takes what its own kind has under its name, nothing else. */
static void
overrides(void **state)
{
    nashc_pass fold = pass_of("fold-constants", "FoldConstants"), other = pass_of("unit-b", NULL);
    nashc_pass streamline = pass_of("streamline", NULL), thief = pass_of("unit-a", "SortGraph");
    fold.flags = streamline.flags = thief.flags = NASHC_F_OVERRIDE;
    expect_passes(*state, streamline, other, "taken by pipeline \"streamline\"");
    expect_passes(*state, thief, other, "taken by pass \"sort-graph\"");
    const nashc_pass *const passes[] = {&fold, NULL};
    expect(*state, (nashc_plugin){.passes = passes}, "");
    assert_ptr_equal(nashc_find(*state, NASHC_D_PASS, "FoldConstants"), &fold);
}

static void
devices_and_suffixes(void **state)
{
    nashc_device d = {NASHC_DESC(nashc_device), .name = "unit", .help = "h", .part = "p",
                      .family = "xc7"};
    const nashc_device *const devices[] = {&d, NULL};
    d.name = "unit<script>";
    expect(*state, (nashc_plugin){.devices = devices}, "illegal name");
    d.name = "unit";
    d.family = "xc7; !touch x";
    expect(*state, (nashc_plugin){.devices = devices}, "illegal family");
    d.family = "xc7";
    d.part = NULL;
    expect(*state, (nashc_plugin){.devices = devices}, "illegal part");
    d.part = "xc7z020clg400-1"; /* another board has it too */
    expect(*state, (nashc_plugin){.devices = devices}, "");
}

static void
names_of_nashc_itself(void **state)
{
    static const char *const names[] = {"built-in", "host", "tool"};
    for (size_t i = 0; i < NASHC_COUNT(names); i++)
        expect(*state, (nashc_plugin){.name = names[i]}, "taken by nashc itself");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(names_are_plain), UNIT(aliases_are_plain),    UNIT(names_are_taken_once),
        UNIT(overrides),       UNIT(devices_and_suffixes), UNIT(names_of_nashc_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
