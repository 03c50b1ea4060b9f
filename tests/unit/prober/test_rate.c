/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The growth of counters over a window, in virtual time. */
#include "base/clock.h"
#include "check.h"
#include "prober/rate.h"

#include <stdlib.h>

static const struct probe_rate rate = {.given = true,
                                       .at_least = 60, /* one a second */
                                       .over = {10 * NS_PER_SEC},
                                       .per = {60 * NS_PER_SEC}};
static struct prober_readings readings;

/* At `ms`, answered at once. */
static enum sample_result reads(int64_t ms, double value)
{
    const struct prober_reading now = {
        .sent_ns = ms * NS_PER_MS, .done_ns = ms * NS_PER_MS + 1, .value = value};
    return rate_judge(&readings, &rate, NS_PER_SEC, &now);
}

static void begin(void)
{
    free(readings.list);
    readings = (struct prober_readings){.list = NULL};
}

static void test_the_window_is_filled_first(void)
{
    begin();
    for (int s = 0; s < 10; s++)
        CU_ASSERT_EQUAL(reads(s * 1000, 1000 * s), SAMPLE_RATE_UNKNOWN);
    CU_ASSERT_EQUAL(reads(10000, 10000), SAMPLE_GOOD);
}

/* 2 a second until 30 s, then none, then 2 again from 50 s on: half of the window without growth
 * is as little as is asked for. */
static void test_onset_and_recovery(void)
{
    begin();
    for (int s = 0; s <= 80; s++) {
        double value = s <= 30 ? 2 * s : s <= 50 ? 60 : 60 + 2 * (s - 50);
        bool low = s > 35 && s < 55;
        enum sample_result wanted = s < 10 ? SAMPLE_RATE_UNKNOWN : low ? SAMPLE_RATE : SAMPLE_GOOD;
        CU_ASSERT_EQUAL(reads(s * 1000, value), wanted);
    }
}

static void test_a_counter_that_begins_anew(void)
{
    begin();
    for (int s = 0; s <= 20; s++)
        (void)reads(s * 1000, 500 + 2 * s);
    for (int s = 21; s < 31; s++)
        CU_ASSERT_EQUAL(reads(s * 1000, 2 * (s - 21)), SAMPLE_RATE_UNKNOWN);
    CU_ASSERT_EQUAL(reads(31000, 20), SAMPLE_GOOD);
}

/* What is missing for up to three intervals (here more than a quarter of the window) is spanned by
 * the growth; behind more of it the window is filled anew. */
static void test_answers_that_are_missing(void)
{
    begin();
    for (int s = 0; s <= 12; s++)
        (void)reads(s * 1000, 2 * s);
    CU_ASSERT_EQUAL(reads(15000, 30), SAMPLE_GOOD);
    CU_ASSERT_EQUAL(reads(22500, 45), SAMPLE_RATE_UNKNOWN);
    for (int s = 23; s < 32; s++)
        CU_ASSERT_EQUAL(reads(s * 1000, 2 * s), SAMPLE_RATE_UNKNOWN);
    CU_ASSERT_EQUAL(reads(32500, 65), SAMPLE_GOOD);
}

/* The rate is that of the time that has really passed. */
static void test_a_window_that_is_a_little_longer(void)
{
    begin();
    CU_ASSERT_EQUAL(reads(0, 0), SAMPLE_RATE_UNKNOWN);
    for (int s = 2; s <= 8; s += 2)
        CU_ASSERT_EQUAL(reads(s * 1000 + 500, 0), SAMPLE_RATE_UNKNOWN);
    CU_ASSERT_EQUAL(reads(11000, 10), SAMPLE_RATE);
    CU_ASSERT_EQUAL(reads(11500, 11.5), SAMPLE_GOOD);
}

/* Sent at `ms`, answered at `done`. */
static enum sample_result overtakes(int64_t ms, int64_t done, double value)
{
    const struct prober_reading now = {
        .sent_ns = ms * NS_PER_MS, .done_ns = done * NS_PER_MS, .value = value};
    return rate_judge(&readings, &rate, NS_PER_SEC, &now);
}

static void test_answers_that_overtake(void)
{
    begin();
    for (int s = 0; s <= 10; s++)
        (void)reads(s * 1000, 2 * s);
    /* Sent at 11 s, it waits until 12.8 s; that of 12 s, read earlier, comes first or second. */
    CU_ASSERT_EQUAL(overtakes(12000, 12100, 24), SAMPLE_GOOD);
    CU_ASSERT_EQUAL(overtakes(11000, 12800, 26), SAMPLE_GOOD);
    CU_ASSERT_EQUAL(overtakes(13000, 14500, 29), SAMPLE_GOOD);
    CU_ASSERT_EQUAL(overtakes(14000, 14600, 28), SAMPLE_GOOD); /* not a counter that began anew */
    CU_ASSERT_EQUAL(overtakes(15000, 15100, 28), SAMPLE_RATE_UNKNOWN); /* and this is one */
}

static void test_a_long_run_needs_no_more_room(void)
{
    begin();
    for (int s = 0; s < 100000; s++)
        CU_ASSERT_TRUE(reads(s * 1000, 2.0 * s) == SAMPLE_GOOD || s < 10);
    CU_ASSERT_TRUE(readings.room <= 256);
    begin();
}

static void test_blur(void)
{
    const struct probe_rate none = {.given = false};
    CU_ASSERT_EQUAL(probe_rate_blur(&none, NS_PER_SEC), 0);
    CU_ASSERT_EQUAL(probe_rate_blur(&rate, NS_PER_SEC), 13 * NS_PER_SEC);
    CU_ASSERT_EQUAL(probe_rate_blur(&rate, 100 * NS_PER_MS), 12500 * NS_PER_MS);
}

static const struct check_test tests[] = {
    {"the window is filled first", test_the_window_is_filled_first},
    {"onset and recovery", test_onset_and_recovery},
    {"a counter that begins anew", test_a_counter_that_begins_anew},
    {"answers that are missing", test_answers_that_are_missing},
    {"a window that is a little longer", test_a_window_that_is_a_little_longer},
    {"answers that overtake", test_answers_that_overtake},
    {"a long run needs no more room", test_a_long_run_needs_no_more_room},
    {"blur", test_blur},
};

CHECK_MAIN("rate", tests)
