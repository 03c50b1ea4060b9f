/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What trials say together: what counts, what is left out, and by which plan a series stops. */
#include "analysis/ranks.h"
#include "analysis/sequential.h"
#include "analysis/stats.h"
#include "golden.h"

#include <math.h>

/* 9.1 s each: fast recovers 1.5 s after the fault, slow 3.5 s, never not at all. */
#define FAST BEFORE BAD_1S5 GOOD_2S GOOD_2S GOOD_2S
#define SLOW BEFORE BAD_1S5 "xxxxxxxxxxxxxxxxxxxx" GOOD_2S GOOD_2S
#define NEVER                                                                                      \
    BEFORE BAD_1S5 "xxxxxxxxxxxxxxxxxxxx"                                                          \
                   "xxxxxxxxxxxxxxxxxxxx"                                                          \
                   "xxxxxxxxxxxxxxxxxxxx"
#define STALLED BEFORE BAD_1S5 "--------------------" GOOD_2S GOOD_2S
#define CALM    BEFORE "..............." GOOD_2S GOOD_2S GOOD_2S

#define PLAN                                                                                       \
    ",'sequential':{'good_ppm':990000,'bad_ppm':900000,'alpha_ppm':50000,'beta_ppm':50000,"        \
    "'at_most':40,'undecided':1}"

static void tell(const char *const *each, uint32_t n, const char *start, struct story_told *t)
{
    const struct story s = {.write = FAST,
                            .each = each,
                            .trials = n,
                            .dry_first = true,
                            .start = start,
                            .recovery_limit_ms = 2000,
                            .blast_permille = -1};
    story_tell(&s, t);
}

static void test_what_counts(void)
{
    static const char *const each[] = {CALM, FAST, SLOW, NEVER, STALLED, FAST, FAST, FAST};
    struct story_told t;
    tell(each, 8, NULL, &t);
    const struct analysis_summary *s = &t.analysis->summaries[0];
    CU_ASSERT_EQUAL_FATAL(t.analysis->n_summaries, 1);
    CU_ASSERT_EQUAL(s->n, 7);
    CU_ASSERT_EQUAL(s->passes, 4);
    CU_ASSERT_EQUAL(s->misses, 2);
    CU_ASSERT_EQUAL(s->undecided, 1);
    CU_ASSERT_EQUAL(s->censored, 1);
    CU_ASSERT_EQUAL(s->values[0].trial, 1);
    CU_ASSERT_DOUBLE_EQUAL(s->values[0].lower, 1.49, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(s->values[0].upper, 1.602, 1e-9);
    CU_ASSERT_TRUE(s->values[2].censored);
    CU_ASSERT_TRUE(isinf(s->values[2].upper));
    CU_ASSERT_DOUBLE_EQUAL(s->values[3].upper, 3.602, 1e-9); /* it was back at the latest then */
    CU_ASSERT_DOUBLE_EQUAL(s->share_proven, stats_share_proven(7, 3, 0.95), 1e-12);
    /* of 7 the median lies between the first and the last, and two of them are open */
    CU_ASSERT_TRUE(s->median_known);
    CU_ASSERT_TRUE(isinf(s->median_upper));
    CU_ASSERT_FALSE(s->order_known);
    CU_ASSERT_PTR_NOT_NULL(strstr(s->sentence, "4 of 7 trials passed (1 undecided, which count as "
                                               "missed); that proves, with 95 % confidence, that "
                                               "at least 22.5 % of runs do; the median is more "
                                               "than 1.490 s"));
    story_free(&t);
}

static void test_a_series_with_impact_proves_nothing(void)
{
    static const char *const each[] = {FAST, FAST, FAST, FAST, FAST, FAST, FAST};
    struct story_told t;
    tell(each, 7, NULL, &t);
    const struct analysis_summary *s = &t.analysis->summaries[0];
    CU_ASSERT_TRUE(t.analysis->series.invalid);
    CU_ASSERT_EQUAL(t.analysis->verdict, VERDICT_INVALID);
    CU_ASSERT_EQUAL(s->n, 6);
    CU_ASSERT_EQUAL(s->share_proven, 0);
    CU_ASSERT_FALSE(s->median_known);
    CU_ASSERT_FALSE(s->quantiles[0].known);
    CU_ASSERT_PTR_NOT_NULL(strstr(s->sentence, "the series is invalid, and proves nothing"));
    story_free(&t);
}

static void test_a_trend_is_told(void)
{
    static const char *const each[] = {CALM, FAST, FAST, FAST, FAST, FAST,
                                       SLOW, SLOW, SLOW, SLOW, SLOW};
    struct story_told t;
    tell(each, 11, NULL, &t);
    const struct analysis_summary *s = &t.analysis->summaries[0];
    CU_ASSERT_TRUE(s->order_known);
    CU_ASSERT_TRUE(s->order_shown);
    CU_ASSERT_DOUBLE_EQUAL(s->trend, 25.0 / 45, 1e-9);
    CU_ASSERT_PTR_NOT_NULL(strstr(s->order, "figures rise with the order of trials"));
    CU_ASSERT_EQUAL(t.analysis->n_sentences, 2);
    story_free(&t);
}

struct series_case {
    const char *name;
    const char *others; /* of trials from 1 on: f fast, s slow, n never, g stalled */
    enum analysis_decision decision;
    uint32_t trial;
    enum verdict verdict;
    const char *why;
};

static const struct series_case cases[] = {
    {"31 passes", "fffffffffffffffffffffffffffffff", DECISION_ACCEPT, 31, VERDICT_PASS,
     "accepted after trial 31: 31 of 31 passed"},
    {"30 passes", "ffffffffffffffffffffffffffffff", DECISION_OPEN, 30, VERDICT_INCONCLUSIVE,
     "not decided: 30 of 30 passed after 30 trials"},
    {"two misses", "ss", DECISION_REJECT, 2, VERDICT_FAIL, "rejected after trial 2: 2 of 2 missed"},
    {"never is a miss", "nn", DECISION_REJECT, 2, VERDICT_FAIL, "rejected after trial 2"},
    {"one undecided is allowed", "gfffffffffffffffffffffffffffffff", DECISION_ACCEPT, 32,
     VERDICT_PASS, "accepted after trial 32: 31 of 31 passed"},
    {"two are not", "fgfg", DECISION_CANNOT, 4, VERDICT_INCONCLUSIVE,
     "not decided: 2 trials were inconclusive or invalid, and the plan allows 1"},
    {"at most 40", "sfffffffffffffffffffffffffffffffffffffff", DECISION_CANNOT, 40,
     VERDICT_INCONCLUSIVE, "not decided: 39 of 40 passed after 40 trials, and the plan allows no"},
};

static const char *slots_of(char c)
{
    return c == 'f' ? FAST : c == 's' ? SLOW : c == 'n' ? NEVER : STALLED;
}

static void test_a_plan_decides(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *each[64] = {CALM};
        struct story_told t;
        uint32_t n = 1;
        for (const char *c = cases[i].others; *c != '\0'; c++)
            each[n++] = slots_of(*c);
        tell(each, n, PLAN, &t);
        const struct analysis *a = t.analysis;
        if (a->series.decision != cases[i].decision || a->series.trial != cases[i].trial ||
            a->verdict != cases[i].verdict || strstr(a->why, cases[i].why) == NULL) {
            printf("\n  %s: decision %d after %u, %s: %s\n", cases[i].name, a->series.decision,
                   a->series.trial, verdict_word(a->verdict), a->why);
            CU_FAIL("another decision");
        }
        story_free(&t);
    }
}

/* Accepted with a miss: what was missed is shown, and does not fail. */
static void test_accepted_with_a_miss(void)
{
    const char *each[64] = {CALM, FAST, SLOW};
    struct story_told t;
    for (size_t i = 3; i < 45; i++)
        each[i] = FAST;
    tell(each, 45,
         ",'sequential':{'good_ppm':950000,'bad_ppm':700000,'alpha_ppm':50000,'beta_ppm':100000,"
         "'at_most':60,'undecided':3}",
         &t);
    CU_ASSERT_EQUAL(t.analysis->series.decision, DECISION_ACCEPT);
    CU_ASSERT_EQUAL(t.analysis->series.misses, 1);
    /* its number of trials was not fixed before */
    CU_ASSERT_EQUAL(t.analysis->summaries[0].share_proven, 0);
    CU_ASSERT_FALSE(t.analysis->summaries[0].median_known);
    CU_ASSERT_FALSE(t.analysis->summaries[0].quantiles[1].known);
    CU_ASSERT_PTR_NOT_NULL(strstr(t.analysis->summaries[0].sentence, "43 of 44 trials passed; the "
                                                                     "plan says what that proves"));
    CU_ASSERT_EQUAL(t.analysis->verdict, VERDICT_PASS);
    CU_ASSERT_EQUAL(t.analysis->exit_status, 0);
    CU_ASSERT_EQUAL(t.analysis->targets[0].verdict, VERDICT_PASS);
    CU_ASSERT_PTR_NOT_NULL(strstr(t.analysis->targets[0].why, "trial 2: fail"));
    story_free(&t);
}

static void test_the_boundaries(void)
{
    const struct sequential_plan plan = {0.99, 0.90, 0.05, 0.05};
    for (uint32_t n = 1; n <= 31; n++)
        CU_ASSERT_EQUAL(sequential_decide(&plan, n, 0),
                        n < 31 ? SEQUENTIAL_OPEN : SEQUENTIAL_ACCEPT);
    CU_ASSERT_EQUAL(sequential_decide(&plan, 0, 1), SEQUENTIAL_OPEN);
    CU_ASSERT_EQUAL(sequential_decide(&plan, 0, 2), SEQUENTIAL_REJECT);
    CU_ASSERT_EQUAL(sequential_decide(&plan, 17, 2), SEQUENTIAL_REJECT);
    CU_ASSERT_EQUAL(sequential_decide(&plan, 18, 2), SEQUENTIAL_OPEN);
}

/* Paths counted one by one beside the sum over their number of misses. */
static double walk(const struct sequential_plan *plan, uint32_t left, uint32_t passes,
                   uint32_t misses, double share, enum sequential_state state)
{
    enum sequential_state is =
        passes + misses > 0 ? sequential_decide(plan, passes, misses) : SEQUENTIAL_OPEN;
    if (is != SEQUENTIAL_OPEN || left == 0)
        return is == state;
    return share * walk(plan, left - 1, passes + 1, misses, share, state) +
           (1 - share) * walk(plan, left - 1, passes, misses + 1, share, state);
}

static void test_the_errors_of_a_plan(void)
{
    const struct sequential_plan plan = {0.9, 0.5, 0.05, 0.1};
    struct sequential_errors e = sequential_errors(&plan, 16);
    CU_ASSERT_DOUBLE_EQUAL(e.alpha, walk(&plan, 16, 0, 0, plan.good, SEQUENTIAL_REJECT), 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(e.beta, walk(&plan, 16, 0, 0, plan.bad, SEQUENTIAL_ACCEPT), 1e-12);
    const struct sequential_plan usual = {0.99, 0.90, 0.05, 0.05};
    e = sequential_errors(&usual, 100);
    printf("\n    figure: the usual plan rejects a good system in %.2f %% of series, accepts a bad "
           "one in %.2f %% (exact, at most 100 trials)\n    ",
           100 * e.alpha, 100 * e.beta);
    CU_ASSERT(e.alpha <= 0.05 && e.beta <= 0.05);
}

static void test_order_statistics(void)
{
    static const double rising[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    static const double turning[] = {1, 10, 2, 9, 3, 8, 4, 7, 5, 6};
    static const double flat[] = {2, 2, 2, 2, 2, 2, 2, 2};
    double p;
    CU_ASSERT_DOUBLE_EQUAL(ranks_trend(rising, 10, &p), 1, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(p, erfc(44 / sqrt(125.0) / sqrt(2)), 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(ranks_trend(turning, 10, &p), 5.0 / 45, 1e-12);
    CU_ASSERT(p > 0.5);
    CU_ASSERT_EQUAL(ranks_trend(flat, 8, &p), 0);
    CU_ASSERT_EQUAL(p, 1);
    CU_ASSERT_EQUAL(ranks_lag1(flat, 8), 0);
    CU_ASSERT_DOUBLE_EQUAL(ranks_lag1(rising, 10), 0.7, 1e-12);
    CU_ASSERT(ranks_lag1(turning, 10) < -0.5);
    uint32_t ranks[4];
    ranks_twice((const double[]){3, INFINITY, 3, INFINITY}, 4, ranks);
    CU_ASSERT_EQUAL(ranks[0], 3);
    CU_ASSERT_EQUAL(ranks[1], 7);
    CU_ASSERT_EQUAL(ranks[3], 7);
}

static const struct check_test tests[] = {
    {"what counts", test_what_counts},
    {"a series with impact proves nothing", test_a_series_with_impact_proves_nothing},
    {"a trend is told", test_a_trend_is_told},
    {"a plan decides", test_a_plan_decides},
    {"accepted with a miss", test_accepted_with_a_miss},
    {"the boundaries", test_the_boundaries},
    {"the errors of a plan", test_the_errors_of_a_plan},
    {"order statistics", test_order_statistics},
};

CHECK_MAIN("summary", tests)
