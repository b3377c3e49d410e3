/* channel_index.c: tests of passes/integer/channel_index.c. */
#include "passes/integer/channel_index.h"

#include "job.h"

static void
channels_of_elements(void **state)
{
    nashc_type first = type_of("f32[2,3,2,2]"), last = type_of("f32[2,2,2,3]NHWC");
    nashc_type none = type_of("f32[]");
    (void)state;
    for (int64_t e = 0; e < 24; e++) {
        assert_int_equal(si_channel_of(&first, e), e / 4 % 3);
        assert_int_equal(si_channel_of(&last, e), e % 3);
    }
    for (int64_t c = 0; c < 3; c++) {
        assert_int_equal(si_channel_of(&first, si_first_of_channel(&first, c)), c);
        assert_int_equal(si_channel_of(&last, si_first_of_channel(&last, c)), c);
    }
    assert_int_equal(si_channel_of(&none, 0), 0);
    assert_int_equal(si_first_of_channel(&none, 0), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(channels_of_elements)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
