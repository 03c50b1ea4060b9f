/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/histogram.h"
#include "check.h"

static void test_small_values_are_exact(void)
{
    struct histogram h = {.n = 0};
    CU_ASSERT_EQUAL(histogram_percentile(&h, 50), -1);
    for (int64_t v = 1; v <= 20; v++)
        histogram_add(&h, v);
    CU_ASSERT_EQUAL(histogram_percentile(&h, 50), 10);
    CU_ASSERT_EQUAL(histogram_percentile(&h, 95), 19);
    CU_ASSERT_EQUAL(histogram_percentile(&h, 100), 20);
    histogram_add(&h, -5);
    CU_ASSERT_EQUAL(histogram_percentile(&h, 0), 0);
}

/* Each power of two and its neighbours, up to the greatest value there is. */
static void test_no_percentile_is_less_or_far_greater(void)
{
    for (int bit = 0; bit < 63; bit++)
        for (int64_t near = -1; near <= 1; near++) {
            struct histogram h = {.n = 0};
            int64_t v = ((int64_t)1 << bit) + near;
            histogram_add(&h, v);
            histogram_add(&h, INT64_MAX);
            int64_t p = histogram_percentile(&h, 50);
            CU_ASSERT_TRUE(p >= v && p - v <= v / 31);
            CU_ASSERT_EQUAL(histogram_percentile(&h, 100), INT64_MAX);
        }
}

static void test_joined(void)
{
    struct histogram a = {.n = 0}, b = {.n = 0};
    for (int64_t v = 0; v < 10; v++)
        histogram_add(v < 5 ? &a : &b, v);
    histogram_join(&a, &b);
    CU_ASSERT_EQUAL(a.n, 10);
    CU_ASSERT_EQUAL(a.most, 9);
    CU_ASSERT_EQUAL(histogram_percentile(&a, 50), 4);
}

static const struct check_test tests[] = {
    {"small values are exact", test_small_values_are_exact},
    {"no percentile is less, or far greater", test_no_percentile_is_less_or_far_greater},
    {"joined", test_joined},
};

CHECK_MAIN("histogram", tests)
