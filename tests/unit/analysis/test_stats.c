/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/stats.h"
#include "check.h"

#include <math.h>

static void test_what_n_passes_prove(void)
{
    static const struct {
        uint32_t n;
        double percent;
    } rows[] = {{10, 74.1}, {20, 86.1}, {30, 90.5}, {59, 95.05}, {299, 99.0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double p = stats_share_proven(rows[i].n, 0, 0.95);
        CU_ASSERT_DOUBLE_EQUAL(p * 100, rows[i].percent, 0.051);
        CU_ASSERT_DOUBLE_EQUAL(p, pow(0.05, 1.0 / rows[i].n), 1e-9);
    }
    CU_ASSERT_EQUAL(stats_share_proven(3, 3, 0.95), 0);
}

static void test_trials_needed_with_misses(void)
{
    static const uint32_t p95[] = {59, 93, 124, 153, 181, 208}, p90[] = {29, 46, 61, 76, 89, 103};
    for (uint32_t f = 0; f < 6; f++) {
        CU_ASSERT_EQUAL(stats_trials_needed(0.95, f, 0.95), p95[f]);
        CU_ASSERT_EQUAL(stats_trials_needed(0.90, f, 0.95), p90[f]);
        CU_ASSERT_TRUE(stats_share_proven(p95[f], f, 0.95) >= 0.95);
        CU_ASSERT_TRUE(stats_share_proven(p95[f] - 1, f, 0.95) < 0.95);
    }
}

static void test_median_interval(void)
{
    uint32_t lo = 99, hi = 99;
    CU_ASSERT_FALSE(stats_median_interval(5, 0.95, &lo, &hi));
    CU_ASSERT_TRUE(stats_median_interval(6, 0.95, &lo, &hi));
    CU_ASSERT_EQUAL(lo, 0);
    CU_ASSERT_EQUAL(hi, 5);
    /* the textbook's x_(3), x_(10) for n = 12, and x_(10), x_(21) for 30 */
    CU_ASSERT_TRUE(stats_median_interval(12, 0.95, &lo, &hi));
    CU_ASSERT_EQUAL(lo, 2);
    CU_ASSERT_EQUAL(hi, 9);
    CU_ASSERT_TRUE(stats_median_interval(30, 0.95, &lo, &hi));
    CU_ASSERT_EQUAL(lo, 9);
    CU_ASSERT_EQUAL(hi, 20);
}

static void test_percentiles(void)
{
    int64_t v[100];
    for (int i = 0; i < 100; i++)
        v[i] = 100 - i;
    CU_ASSERT_EQUAL(stats_percentile(v, 100, 50), 50);
    CU_ASSERT_EQUAL(stats_percentile(v, 100, 99), 99);
    CU_ASSERT_EQUAL(stats_percentile(v, 100, 100), 100);
    CU_ASSERT_EQUAL(stats_percentile(v, 1, 99), 1);
}

static const struct check_test tests[] = {
    {"what n passes prove", test_what_n_passes_prove},
    {"trials needed with misses", test_trials_needed_with_misses},
    {"median interval", test_median_interval},
    {"percentiles", test_percentiles},
};

CHECK_MAIN("stats", tests)
