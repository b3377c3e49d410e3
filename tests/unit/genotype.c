/* genotype.c: tests of frontends/genotype: names of primitives, canonical text, limits. */
#include "unit.h"

static const char head[] = "nash-genotype 1\nbackbone resnet18\nversion custom\n"
                           "input 3x64x64 dtype=uint8\nclasses 10\n";

static nashc_genotype *
parse(nashc_ctx *c, nashc_arena *a, const char *text)
{
    nashc_genotype *g = NULL;
    nashc_genotype_parse(c, a, "unit", text, strlen(text), NULL, &g, nashc_ctx_diag(c));
    return g;
}

static void
names_of_primitives(void **state)
{
    int k;
    assert_non_null(nashc_geno_primitive(*state, "conv_5x5", &k));
    assert_int_equal(k, 5);
    assert_non_null(nashc_geno_primitive(*state, "dil_conv_15x15", &k));
    assert_int_equal(k, 15);
    assert_non_null(nashc_geno_primitive(*state, "max_pool_3x3", &k));
    static const char *const wrong[] = {"conv_4x4",   "conv_3x5",     "conv_17x17", "conv_-3x-3",
                                        "conv_KxK",   "conv_3x3x",    "conv_ 3x3",  "_3x3",
                                        "conv_3x3 ",  "max_pool_5x5", "",           "conv",
                                        "conv_+3x+3", "conv_03x03"};
    for (size_t i = 0; i < NASHC_COUNT(wrong); i++)
        assert_null(nashc_geno_primitive(*state, wrong[i], &k));
}

/* Text in another order comes out in the order of the grammar, and stays. */
static void
canonical_text(void **state)
{
    nashc_arena *a = nashc_arena_create();
    const char *text = nashc_arena_printf(
        a,
        "%sbits act=2 weight=1 state-max=0.1\nstem pad=3 conv=7x7/2\n"
        "group 0: conv_1x1@0 none@1 none@2 none@3\ngroup 1: none@0 none@0 none@0 none@0\n"
        "group 2 act=3: none@0 none@0 none@0 none@0\ngroup 3: none@0 none@0 none@0 none@0\n",
        head);
    nashc_genotype *g = parse(*state, a, text);
    assert_non_null(g);
    assert_int_equal(nashc_genotype_scales(g), 13);
    assert_int_equal(g->group[2].bits.act, 3);
    const char *once = nashc_genotype_print(g, a);
    assert_non_null(strstr(once, "classes 10\nbits state-max=0.1\ngroup 0\n  1 <- 0 conv_1x1\n"));
    assert_null(strstr(once, "stem"));
    assert_non_null(strstr(once, "group 2 act=3\n"));
    assert_string_equal(nashc_genotype_print(parse(*state, a, once), a), once);
    nashc_arena_free(a);
}

static void
too_many_words(void **state)
{
    nashc_arena *a = nashc_arena_create();
    char text[4096];
    size_t n = (size_t)snprintf(text, sizeof text, "%sgroup 0:", head);
    for (int i = 0; i < 300; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, " none@0");
    assert_null(parse(*state, a, text));
    unit_expect_message(*state, "genotype G02: more than 255 words in a line");
    nashc_arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {UNIT(names_of_primitives), UNIT(canonical_text),
                                       UNIT(too_many_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
