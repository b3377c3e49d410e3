/* parse.c: tests of ir/parse.c and ir/parse_data.c: what is refused, where, and with which words.
 */
#include "core/base/rng.h"
#include "support.h"
#include <stdlib.h>

#define HEAD "nashc 1\n\ngraph @main(%x: u8[1,4]) -> (%y) {\n"
#define TAIL "  %y: u8[1,4] = nn.relu(%x)\n}\n"

static void
malformed_text_is_explained(void **state)
{
    static const char *const rows[][2] = {
        {"", "t.nashir:1:1: error: expected \"nashc 1\""},
        {"nashc 2\n", "t.nashir:1:7: error: expected version 1"},
        {"nashc 1\ngarbage\n", "t.nashir:2:1: error: expected graph or meta"},
        {"nashc 1\nmeta a\n", "t.nashir:2:7: error: expected =, found the end of the line"},
        {"nashc 1\nmeta a=1 a=2\n", "key \"a\" is given twice"},
        {"nashc 1\ngraph main() -> () {\n}\n", "expected the name of the graph"},
        {"nashc 1\ngraph @m(\n", "expected a value, such as %x, found the end of the line"},
        {"nashc 1\ngraph @m(%x) -> () {\n}\n", "expected :"},
        {"nashc 1\ngraph @m(%x: u8) -> () {\n}\n", "the type lacks its shape"},
        {"nashc 1\ngraph @m(%x: u8[], %x: u8[]) -> () {\n}\n", "value \"x\" is defined twice"},
        {"nashc 1\ngraph @m() -> () {\n", "expected } at the end of the graph, found the end of"},
        {"nashc 1\ngraph @m() -> (%q) {\n}\n", "output \"q\" is not defined"},
        {"nashc 1\ngraph @m() -> () {\n}\ngraph @m() -> () {\n}\n", "\"m\" is defined twice"},
        {"nashc 1\ngraph @m() -> () {\n} x\n", "expected the end of the line"},
        {HEAD "  %y: u8[1,4] = nn.rellu(%x)\n}\n",
         "t.nashir:4:17: error: unknown op \"nn.rellu\"; did you mean \"nn.relu\""},
        {HEAD "  %y: u8[1,4] = nn.relu(%xx)\n}\n",
         "t.nashir:4:25: error: no value \"xx\" is defined so far; did you mean \"x\"?"},
        {HEAD "  %y: u8[1,4] = nn.relu(%y)\n}\n", "no value \"y\" is defined so far"},
        {HEAD "  %y: u8[1,4] = nn.relu(%x, %x)\n}\n", "nn.relu has 2 operands, expected 1"},
        {HEAD "  %y: u8[1,4] = nn.relu(_)\n}\n", "operand 0 of nn.relu cannot be left out"},
        {HEAD "  %y: u8[1,4], %z: u8[] = nn.relu(%x)\n}\n", "nn.relu has 2 results, expected 1"},
        {HEAD "  %y: u8[1,4], %y: u8[] = nn.relu(%x)\n}\n", "value \"y\" is defined twice"},
        {HEAD "  %y: u9[1,4] = nn.relu(%x)\n}\n",
         "t.nashir:4:7: error: the type of \"y\" is u9[1,4], but nn.relu gives u8[1,4]"},
        {HEAD "  %y: u8[1,4] = nn.softmax(%x) axes=1\n}\n", "nn.softmax has no attribute \"axes\"; "
                                                            "did you mean \"axis\"?"},
        {HEAD "  %y: u8[1,4] = nn.softmax(%x) axis\n}\n", "expected = behind the name"},
        {HEAD "  %y: u8[1,4] = nn.softmax(%x) axis=1 axis=1\n}\n", "axis is given twice"},
        {HEAD "  %y: u8[1,4] = nn.softmax(%x) axis=q\n}\n",
         "t.nashir:4:37: error: attribute axis of nn.softmax: expected an integer"},
        {HEAD "  %y: u8[1,4] = nn.reshape(%x)\n}\n", "nn.reshape lacks the attribute shape"},
        {HEAD "  %y: u8[1,4] = nn.relu(%x) !x\n}\n", "expected a string behind !"},
        {HEAD "  %y: u8[1,4] = nn.relu(%x) !\"x\n}\n", "string without closing quote"},
        {HEAD "  %y: u8[1,4] = nn.relu(%x\n}\n", "expected ), found the end of the line"},
        {HEAD "  %y: u8[1,4] = nn.relu %x\n}\n", "expected ("},
        {HEAD "  %y: u8[1,4] =\n}\n", "expected an operator or a constant, found the end"},
        {HEAD "  %y: u8[1,4] nn.relu(%x)\n}\n", "expected ="},
        {HEAD "  y: u8[1,4] = nn.relu(%x)\n}\n", "expected a value, such as %x"},
        {HEAD "  %: u8[1,4] = nn.relu(%x)\n}\n", "expected the name of a value behind %"},
        {HEAD "  %\"\": u8[1,4] = nn.relu(%x)\n}\n", "t.nashir:4:4: error: the name is empty"},
        {"nashc 1\ngraph @m(%x: u8[1]) -> (\"\"=%x) {\n}\n", "the name is empty"},
        {HEAD "  %y: q8[1,4] = nn.relu(%x)\n}\n", "expected a type, such as"},
        {HEAD "  %y: i4<-9..7>[1,4] = nn.relu(%x)\n}\n",
         "t.nashir:4:9: error: the interval is malformed or reaches beyond the element"},
        {HEAD "  %y: u8[1,x] = nn.relu(%x)\n}\n", "malformed shape"},
        {HEAD "  %y: u8[1,4]NHWC = nn.relu(%x)\n}\n", "the layout does not fit the rank"},
        {HEAD "  %c: u8[2] = [1]\n" TAIL, "the type has 2 elements, the list 1"},
        {HEAD "  %c: u8[2] = [1,2,3]\n" TAIL, "the type has 2 elements, the list more"},
        {HEAD "  %c: u8[2] = [1,256]\n" TAIL, "256 does not belong to type u8[2]"},
        {HEAD "  %c: u8[2] = [1,x]\n" TAIL, "expected an integer"},
        {HEAD "  %c: u8[2] = [1,\n" TAIL, "expected an integer"},
        {HEAD "  %c: u8[2] = [1 2]\n" TAIL, "expected , or ] in the list"},
        {HEAD "  %c: f32[1] = [1e99]\n" TAIL, "expected a number"},
        {HEAD "  %c: bip[1] = [0]\n" TAIL, "0 does not belong to type bip[1]"},
        {HEAD "  %c: fl3.2.3[1] = [0.3]\n" TAIL, "0.3 does not belong"},
        {HEAD "  %c: u8[?] = [1]\n" TAIL, "a constant needs a known element and shape"},
        {HEAD "  %c: none[1] = [1]\n" TAIL, "a constant needs a known element and shape"},
        {HEAD "  %c: u8[1], %d: u8[1] = [1]\n" TAIL, "a constant defines one value, not 2"},
        {HEAD "  %c: u8[2] = splat\n" TAIL, "expected an integer"},
        {HEAD "  %c: u8[2] = rand x\n" TAIL, "expected a seed"},
        {HEAD "  %c: u8[2] = blob 12\n" TAIL, "expected 16 hex digits"},
        {HEAD "  %c: u8[2] = blob 0123456789abcdef\n" TAIL, "there is no blob file"},
        {HEAD "  %c: f64[2147483648] = rand 1\n" TAIL, "exceed"},
        {HEAD "  %c: u8[2147483648] = [1]\n" TAIL, "elements"},
        {HEAD "  %y: f32[1,1,1,1] = nn.conv(%x, %x)\n}\n", "nn.conv"},
    };

    for (size_t i = 0; i < NASHC_COUNT(rows); i++)
        parse_fails(*state, rows[i][0], rows[i][1]);
}

static void
a_zero_byte_is_refused(void **state)
{
    static const char text[] = "nashc 1\n\0graph";
    nashc_module *m = NULL;

    assert_int_equal(
        nashc_parse(*state, "t", text, sizeof(text) - 1, NULL, &m, nashc_ctx_diag(*state)),
        NASHC_EINPUT);
    assert_non_null(strstr(first_message(*state), "zero byte"));
}

static void
the_caret_is_under_the_fault(void **state)
{
    nashc_module *m = NULL;
    static const char text[] = HEAD "  %y: u8[1,4] = nn.rellu(%x)\n}\n";

    nashc_parse(*state, "t.nashir", text, strlen(text), NULL, &m, nashc_ctx_diag(*state));
    assert_non_null(strstr(first_message(*state), "nn.rellu(%x)\n"));
    assert_non_null(strstr(first_message(*state), "                ^~~~~~~~"));
}

static void
sugar_is_accepted(void **state)
{
    nashc_module *m =
        parse_ok(*state, "\n# comment\n  nashc   1 # more\r\n\r\nmeta  k = word\tn=1\n"
                         "graph @main( %x : u8[1,4]NC,%z:f32[] )->( %y ,o = %x ){ # c\n\n"
                         "  # a comment\n"
                         "%c:u8<0..255>[] =[ 7 ]#c\n"
                         "  %h: f16[2] = [0.1, 1]\n"
                         "  %r: i4[2,20] = rand 5\n"
                         "\t%y: u9<7..262>[1,4] = nn.add( %x,%c )  !\"n\" # c\r\n} # end");

    assert_prints(m, "nashc 1\nmeta k=\"word\" n=\"1\"\n\n"
                     "graph @main(%x: u8[1,4], %z: f32[]) -> (%y, o=%x) {\n"
                     "  %c: u8[] = [7]\n"
                     "  %y: u9<7..262>[1,4] = nn.add(%x, %c) !\"n\"\n}\n");
    nashc_module_free(m);
}

static void
locations_are_kept(void **state)
{
    nashc_module *m = parse_ok(*state, HEAD "  %y: u8[1,4] = nn.relu(%x) !\"Relu_0\"\n}\n");
    const nashc_loc *l = nashc_node_loc(nashc_graph_first(nashc_module_main(m)));

    assert_string_equal(l->file, "t.nashir");
    assert_string_equal(l->name, "Relu_0");
    assert_int_equal(l->line, 4);
    assert_int_equal(l->col, 17);
    nashc_module_free(m);
}

static void
random_constants_belong_to_their_type(void **state)
{
    nashc_module *m = parse_ok(
        *state,
        "nashc 1\ngraph @main() -> (%a, %b, %c, %d, %e, %f) {\n"
        "  %a: bip[64] = rand 1\n  %b: ter[64] = rand 2\n  %c: i4<-7..7>[64] = rand 3\n"
        "  %d: fx8.4[64] = rand 4\n  %e: f32[64] = rand 5\n  %f: fl3.2.3[64] = rand 6\n}\n");

    for (int i = 0; i < 6; i++) {
        const nashc_tensor *t = nashc_value_const(nashc_graph_output(nashc_module_main(m), i));
        double lo, hi;
        for (int64_t k = 0; k < 64; k++)
            assert_true(nashc_type_holds(nashc_tensor_type(t), nashc_tensor_get(t, k)));
        nashc_tensor_min_max(t, &lo, &hi);
        assert_true(lo < 0 && hi > 0);
    }
    nashc_module_free(m);
}

/* Text damaged at random: never a crash; what is accepted prints to a fixpoint. */
static void
damaged_text(void **state)
{
    static const char good[] =
        "nashc 1\nmeta producer=\"q 1\"\n\n"
        "graph @main(%img: u8[1,1,6,6], %z: f32[?]) -> (%cls, out=%a0) {\n"
        "  %w0: bip[4,1,1,1] = [1,-1,1,-1]\n"
        "  %k: i4<-7..7>[2,2] = [1,-7,7,0] # c\n"
        "  %p0: u8[1,1,3,3] = nn.maxpool(%img) kernel=[2,2] stride=[2,2] !\"Max\\\"Pool\"\n"
        "  %a0: u9<0..510>[1,1,3,3] = nn.add(%p0, %p0)\n"
        "  %s: f32[] = splat 0.5\n"
        "  %cls: u9<0..510>[1,9] = nn.reshape(%a0) shape=[1,9]\n}\n\n"
        "graph @two() -> () {\n}\n";
    static const char extra[] = "%@\"[]()<>{}=,!#_\n 0129.-uifxbr?\\";
    nashc_diag *d = nashc_ctx_diag(*state);
    size_t size = strlen(good);
    nashc_rng rng;
    int accepted = 0;

    nashc_module_free(parse_ok(*state, good));
    nashc_rng_seed(&rng, 13);
    for (int round = 0; round < 4000; round++) {
        char text[sizeof(good) + 8];
        nashc_module *m = NULL, *again = NULL;
        size_t n = size;
        memcpy(text, good, size + 1);
        for (int64_t k = nashc_rng_range(&rng, 1, 4); k; k--) {
            size_t at = (size_t)nashc_rng_range(&rng, 0, (int64_t)n - 1);
            char c = extra[nashc_rng_range(&rng, 0, sizeof(extra) - 2)];
            switch (nashc_rng_range(&rng, 0, 3)) {
            case 0:
                text[at] = c;
                break;
            case 1:
                memmove(text + at, text + at + 1, n - at);
                n--;
                break;
            case 2:
                memmove(text + at + 1, text + at, n - at + 1);
                text[at] = c;
                n++;
                break;
            default:
                n = round % 16 ? n : at + 1;
            }
        }
        if (!nashc_parse(*state, "t", text, n, NULL, &m, d)) {
            size_t n_first;
            char *first = nashc_print(m, &n_first);
            accepted++;
            if (nashc_parse(*state, "t", first, n_first, NULL, &again, d))
                fail_msg("does not read back: %s\n%s", first_message(*state), first);
            assert_prints(again, first);
            nashc_mem_free(first);
            nashc_module_free(m);
            nashc_module_free(again);
        } else {
            assert_true(nashc_diag_count(d, NASHC_ERROR) > 0);
        }
        nashc_diag_truncate(d, 0);
    }
    print_message("# %d of 4000 damaged texts are still legal\n", accepted);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CTX_TEST(malformed_text_is_explained),
        CTX_TEST(a_zero_byte_is_refused),
        CTX_TEST(the_caret_is_under_the_fault),
        CTX_TEST(sugar_is_accepted),
        CTX_TEST(locations_are_kept),
        CTX_TEST(random_constants_belong_to_their_type),
        CTX_TEST(damaged_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
