/* SPDX-License-Identifier: GPL-2.0-or-later */
/* However many slots go into a bin, no bad one and no gap is lost, and none is invented. */
#include "analysis/analysis_parts.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "check.h"

enum { MANY = 200000, EVERY_MS = 10 };

#define MS(n) ((int64_t)(n)*NS_PER_MS)

static uint32_t random_next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

static struct slot slot_at(uint32_t number, enum slot_state state, int64_t took)
{
    int64_t due = MS(EVERY_MS) * number;
    return (struct slot){.due = due,
                         .lower = due,
                         .done = due + took,
                         .number = number,
                         .result = state == SLOT_BAD ? SAMPLE_TIMEOUT : 0,
                         .state = (uint8_t)state};
}

static void make(const struct slot *slots, size_t n, int64_t until, struct timeline_bin *bins,
                 size_t n_bins, struct timeline *ret)
{
    struct timeline_shape shape = {.every = MS(EVERY_MS), .until = until, .bins = n_bins};
    CU_ASSERT_TRUE_FATAL(timeline_make(slots, n, &shape, bins, ret));
    CU_ASSERT_TRUE(ret->n <= n_bins);
}

static struct timeline_bin sum(const struct timeline *t)
{
    struct timeline_bin all = {.good = 0};
    for (size_t i = 0; i < t->n; i++) {
        all.good += t->bins[i].good;
        all.bad += t->bins[i].bad;
        all.gaps += t->bins[i].gaps;
    }
    return all;
}

/* One bad slot among many shows, whichever it is. */
static void test_one_bad_slot_of_many_shows(void)
{
    CLEANUP_FREE struct slot *slots = calloc(MANY, sizeof(*slots));
    static struct timeline_bin bins[TIMELINE_BINS];
    static const uint32_t places[] = {0, 1, 77777, MANY - 1};
    CU_ASSERT_PTR_NOT_NULL_FATAL(slots);
    for (uint32_t i = 0; i < MANY; i++)
        slots[i] = slot_at(i, SLOT_GOOD, MS(1));
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        uint32_t at = places[i];
        struct timeline t;
        slots[at] = slot_at(at, SLOT_BAD, MS(1));
        make(slots, MANY, INT64_MIN, bins, TIMELINE_BINS, &t);
        slots[at] = slot_at(at, SLOT_GOOD, MS(1));
        struct timeline_bin all = sum(&t);
        CU_ASSERT_EQUAL(all.bad, 1);
        CU_ASSERT_EQUAL(all.good, MANY - 1);
        CU_ASSERT_EQUAL(all.gaps, 0);
        size_t bin = (size_t)((slots[at].due - t.from_ns) / t.bin_ns);
        CU_ASSERT_TRUE_FATAL(bin < t.n);
        CU_ASSERT_EQUAL(t.bins[bin].bad, 1);
        CU_ASSERT_EQUAL(t.bins[bin].first_result, SAMPLE_TIMEOUT);
    }
}

/* Against a count of each bin made the slow way, with slots missing at random. */
static void test_counts_of_every_bin(void)
{
    enum { N = 3000, ROUNDS = 60 };
    static struct slot slots[N];
    static struct timeline_bin bins[TIMELINE_BINS];
    uint64_t seed = 20261122;
    for (int round = 0; round < ROUNDS; round++) {
        size_t n = 0, n_bins = 16 + random_next(&seed) % (TIMELINE_BINS - 15);
        uint32_t count = 1 + random_next(&seed) % N, first = random_next(&seed) % 1000;
        for (uint32_t i = 0; i < count; i++)
            if (i == 0 || random_next(&seed) % 10 != 0)
                slots[n++] = slot_at(first + i, (enum slot_state)(random_next(&seed) % 3), MS(1));
        struct timeline t;
        make(slots, n, INT64_MIN, bins, n_bins, &t);
        size_t at = 0;
        for (size_t k = 0; k < t.n; k++) {
            uint32_t counts[3] = {0, 0, 0};
            uint64_t end = first + (k + 1) * t.bin_slots, last = slots[n - 1].number + 1;
            end = end < last ? end : last;
            for (; at < n && slots[at].number < end; at++)
                counts[slots[at].state]++;
            CU_ASSERT_EQUAL(bins[k].good, counts[SLOT_GOOD]);
            CU_ASSERT_EQUAL(bins[k].bad, counts[SLOT_BAD]);
            CU_ASSERT_EQUAL(bins[k].gaps,
                            end - first - k * t.bin_slots - bins[k].good - bins[k].bad);
        }
        CU_ASSERT_EQUAL(at, n);
    }
}

/* What the schedule says and no slot answers is a gap: in the middle, and up to its end. */
static void test_what_is_missing_is_a_gap(void)
{
    struct slot slots[] = {slot_at(5, SLOT_GOOD, MS(1)), slot_at(9, SLOT_BAD, MS(1))};
    struct timeline_bin bins[16];
    struct timeline t;
    make(slots, 2, MS(EVERY_MS) * 12, bins, 16, &t);
    CU_ASSERT_EQUAL(t.n, 7);
    CU_ASSERT_EQUAL(t.from_ns, MS(50));
    CU_ASSERT_EQUAL(t.bin_ns, MS(EVERY_MS));
    static const uint32_t gaps[] = {0, 1, 1, 1, 0, 1, 1};
    for (size_t i = 0; i < 7; i++)
        CU_ASSERT_EQUAL(bins[i].gaps, gaps[i]);
    CU_ASSERT_EQUAL(bins[4].bad, 1);
    make(slots, 0, 0, bins, 16, &t);
    CU_ASSERT_EQUAL(t.n, 0);
    slots[1].number = UINT32_MAX; /* at an hour's interval: 490,000 years */
    struct timeline_shape hours = {.every = MS(3600000), .until = INT64_MAX, .bins = 16};
    CU_ASSERT_TRUE(timeline_make(slots, 2, &hours, bins, &t));
    CU_ASSERT_EQUAL(t.n, 0);
}

/* From the time that the slot was due: a late send is part of what a user waits. */
static void test_latency_is_from_the_schedule(void)
{
    enum { N = 200 };
    struct slot slots[N];
    struct timeline_bin bins[16];
    struct timeline t;
    for (uint32_t i = 0; i < N; i++) {
        slots[i] = slot_at(i, i % 2 == 0 ? SLOT_GOOD : SLOT_BAD, MS(1 + i));
        slots[i].lower = slots[i].due + MS(1 + i) - 1; /* sent late, answered at once */
    }
    make(slots, N, INT64_MIN, bins, 2, &t);
    CU_ASSERT_EQUAL(t.n, 2);
    CU_ASSERT_EQUAL(bins[0].p50_ns, MS(49)); /* 1, 3 ... 99: the 25th of 50 */
    CU_ASSERT_EQUAL(bins[0].p99_ns, MS(99));
    CU_ASSERT_EQUAL(bins[1].most_ns, MS(199));
    for (uint32_t i = 0; i < N; i++)
        slots[i].state = SLOT_BAD;
    make(slots, N, INT64_MIN, bins, 2, &t);
    CU_ASSERT_EQUAL(bins[0].p50_ns, -1);
}

static void test_bins_are_bounded_over_trials(void)
{
    CU_ASSERT_EQUAL(timeline_bins(1), TIMELINE_BINS);
    CU_ASSERT_EQUAL(timeline_bins(100), TIMELINE_BINS);
    CU_ASSERT_EQUAL(timeline_bins(1000000), TIMELINE_BINS_LEAST);
}

static const struct check_test tests[] = {
    {"one bad slot of many shows", test_one_bad_slot_of_many_shows},
    {"counts of every bin", test_counts_of_every_bin},
    {"what is missing is a gap", test_what_is_missing_is_a_gap},
    {"latency is from the schedule", test_latency_is_from_the_schedule},
    {"bins are bounded over trials", test_bins_are_bounded_over_trials},
};

CHECK_MAIN("timeline", tests)
