/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check.h"
#include "prober/machine.h"

static void test_what_the_kernel_says(void)
{
    struct machine m = machine_parse("cpu  10 20 30 400 5 6 7 80 9 0\ncpu0 1 2 3\n",
                                     "some avg10=0.10 avg60=0.00 avg300=0.00 total=1234567\n"
                                     "full avg10=0.00 avg60=0.00 avg300=0.00 total=99\n",
                                     "1.25 0.80 0.50 2/345 6789\n");
    CU_ASSERT_EQUAL(m.steal, 80);
    CU_ASSERT_EQUAL(m.ticks, 558); /* guests are part of user and nice */
    CU_ASSERT_EQUAL(m.pressure_us, 1234567);
    CU_ASSERT_EQUAL(m.load_milli, 1250);
}

static void test_what_it_does_not(void)
{
    struct machine m = machine_parse(NULL, NULL, NULL);
    CU_ASSERT_TRUE(m.steal == -1 && m.ticks == -1 && m.pressure_us == -1 && m.load_milli == -1);
    m = machine_parse("intr 5\n", "full total=3\n", "none\n");
    CU_ASSERT_TRUE(m.steal == -1 && m.ticks == -1 && m.pressure_us == -1 && m.load_milli == -1);
    m = machine_parse("cpu  1 2 3\n", "some avg10=0.00\n", "");
    CU_ASSERT_TRUE(m.steal == -1 && m.ticks == -1 && m.pressure_us == -1 && m.load_milli == -1);
}

static const struct check_test tests[] = {
    {"what the kernel says", test_what_the_kernel_says},
    {"what it does not", test_what_it_does_not},
};

CHECK_MAIN("machine", tests)
