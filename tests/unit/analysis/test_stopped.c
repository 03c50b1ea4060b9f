/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a stopped run says: its trials that had ended, as they were; the one under way nothing; and
 * nothing that rests on how many there are. */
#include "analysis/compare.h"
#include "analysis/overview.h"
#include "golden.h"

#include <math.h>

/* 9.1 s each: fast recovers 1.5 s after the fault, slow 3.5 s. */
#define FAST BEFORE BAD_1S5 GOOD_2S GOOD_2S GOOD_2S
#define SLOW BEFORE BAD_1S5 "xxxxxxxxxxxxxxxxxxxx" GOOD_2S GOOD_2S
#define CALM BEFORE "..............." GOOD_2S GOOD_2S GOOD_2S

static const char *const three[] = {CALM, FAST, FAST, SLOW}, *const missed[] = {CALM, SLOW, FAST},
                         *const five[] = {CALM, FAST, FAST, FAST, FAST, FAST};

/* `stop`: 1 + the trial in which it is stopped. */
static struct story story_of(const char *const *each, uint32_t trials, uint32_t stop)
{
    return (struct story){.write = FAST,
                          .each = each,
                          .trials = trials,
                          .dry_first = true,
                          .stop = stop,
                          .recovery_limit_ms = 2000,
                          .blast_permille = -1};
}

static void test_the_trial_under_way_is_left_out(void)
{
    struct story_told t;
    const struct story s = story_of(three, 4, 4);
    story_tell(&s, &t);
    const struct analysis *a = t.analysis;
    const struct analysis_summary *of = &a->summaries[0];
    CU_ASSERT_TRUE(a->stopped);
    CU_ASSERT_EQUAL(a->n_ended, 2);
    CU_ASSERT_TRUE(a->trials[3].stopped);
    CU_ASSERT_FALSE(a->trials[2].stopped);
    CU_ASSERT_EQUAL(a->verdict, VERDICT_INCONCLUSIVE);
    CU_ASSERT_STRING_EQUAL(a->why, "trial 3: stopped by the person");
    /* The target is the worst of those that had ended. */
    CU_ASSERT_EQUAL(a->targets[0].verdict, VERDICT_PASS);
    CU_ASSERT_DOUBLE_EQUAL(a->targets[0].upper, 1.602, 1e-9);
    CU_ASSERT_EQUAL(of->n, 2);
    CU_ASSERT_EQUAL(of->passes, 2);
    CU_ASSERT_EQUAL_FATAL(of->n_left_out, 1);
    CU_ASSERT_EQUAL(of->left_out[0].trial, 3);
    CU_ASSERT_STRING_EQUAL(of->left_out[0].why, "stopped by the person");
    story_free(&t);
}

/* Whoever stops has seen the figures: their number was not fixed before. */
static void test_nothing_is_claimed_of_n(void)
{
    static const char *const all[] = {CALM, FAST, FAST, FAST, FAST, FAST, FAST, FAST};
    for (int between = 0; between < 2; between++) {
        struct story_told t;
        struct story s = story_of(all, 8, between ? 0 : 8);
        s.stop_between = between;
        story_tell(&s, &t);
        const struct analysis_summary *of = &t.analysis->summaries[0];
        CU_ASSERT_TRUE(t.analysis->stopped);
        CU_ASSERT_EQUAL(of->n, between ? 7 : 6);
        CU_ASSERT_EQUAL(of->share_proven, 0);
        CU_ASSERT_FALSE(of->median_known);
        CU_ASSERT_PTR_NOT_NULL(strstr(of->sentence, "trials passed"));
        CU_ASSERT_PTR_NOT_NULL(strstr(of->sentence,
                                      "; the run was stopped, so that their number was not fixed "
                                      "before, and proves nothing of other runs"));
        CU_ASSERT_EQUAL(t.analysis->verdict, VERDICT_INCONCLUSIVE);
        story_free(&t);
    }
}

/* A stop is no eraser. */
static void test_a_miss_before_it_stays(void)
{
    struct story_told t;
    const struct story s = story_of(missed, 3, 3);
    story_tell(&s, &t);
    CU_ASSERT_EQUAL(t.analysis->verdict, VERDICT_FAIL);
    CU_ASSERT_EQUAL(t.analysis->targets[0].verdict, VERDICT_FAIL);
    CU_ASSERT_EQUAL(t.analysis->targets[0].trial, 1);
    story_free(&t);
}

static void test_none_had_ended(void)
{
    struct story_told t;
    const struct story s = story_of(three, 2, 2);
    story_tell(&s, &t);
    CU_ASSERT_TRUE(t.analysis->stopped);
    CU_ASSERT_EQUAL(t.analysis->n_ended, 0);
    CU_ASSERT_EQUAL(t.analysis->verdict, VERDICT_INCONCLUSIVE);
    CU_ASSERT_EQUAL(t.analysis->targets[0].verdict, VERDICT_INCONCLUSIVE);
    CU_ASSERT_EQUAL(t.analysis->summaries[0].n, 0);
    story_free(&t);
}

/* A guard trips since the system was hurt. */
static void test_a_guard_is_no_stop(void)
{
    struct story_told t;
    struct story s = story_of(three, 2, 0);
    s.more = "{'t':4000000000,'ev':'guard','probe':'write','what':'bad'}\n"
             "{'t':4000000000,'ev':'abort','why':'guard','what':'write was bad'}\n";
    story_tell(&s, &t);
    CU_ASSERT_FALSE(t.analysis->stopped);
    CU_ASSERT_FALSE(t.analysis->trials[1].stopped);
    CU_ASSERT_EQUAL(t.analysis->n_ended, 1);
    CU_ASSERT_EQUAL(t.analysis->summaries[0].n, 1);
    story_free(&t);
}

static void test_a_plan_does_not_count_it(void)
{
    struct story_told t;
    struct story s = story_of(three, 4, 4);
    s.start = ",'sequential':{'good_ppm':990000,'bad_ppm':900000,'alpha_ppm':50000,"
              "'beta_ppm':50000,'at_most':40,'undecided':0}";
    story_tell(&s, &t);
    CU_ASSERT_EQUAL(t.analysis->series.decision, DECISION_OPEN);
    CU_ASSERT_EQUAL(t.analysis->series.passes, 2);
    CU_ASSERT_EQUAL(t.analysis->series.undecided, 0);
    story_free(&t);
}

static void test_in_the_table(void)
{
    struct story_told t, u;
    struct overview o = {.trials = 0}, none = {.trials = 0};
    struct story s = story_of(three, 4, 4);
    story_tell(&s, &t);
    overview_make(t.analysis, NULL, &o);
    CU_ASSERT_EQUAL(o.trials, 2);
    CU_ASSERT_EQUAL(o.stopped, 1);
    CU_ASSERT_EQUAL(o.verdict, VERDICT_PASS); /* of what had ended */
    CU_ASSERT_EQUAL(o.verdicts[VERDICT_PASS], 2);
    CU_ASSERT_EQUAL(o.verdicts[VERDICT_INCONCLUSIVE], 0);
    CU_ASSERT_EQUAL(o.figures[OVERVIEW_RECOVERY].n, 2);
    CU_ASSERT_EQUAL(o.figures[OVERVIEW_OUTAGE].n, 2);
    CU_ASSERT_DOUBLE_EQUAL(o.figures[OVERVIEW_RECOVERY].upper, 1.602, 1e-9);
    s = story_of(three, 2, 2);
    story_tell(&s, &u);
    overview_make(u.analysis, &o, &none);
    CU_ASSERT_EQUAL(none.trials, 0);
    CU_ASSERT_EQUAL(none.verdict, VERDICT_INCONCLUSIVE);
    overview_join(&o, &none);
    CU_ASSERT_EQUAL(o.trials, 2);
    CU_ASSERT_EQUAL(o.stopped, 2);
    CU_ASSERT_EQUAL(o.verdict, VERDICT_PASS);
    overview_make(u.analysis, NULL, &none); /* and the other way round */
    overview_join(&none, &o);
    CU_ASSERT_EQUAL(none.verdict, VERDICT_PASS);
    CU_ASSERT_EQUAL(none.figures[OVERVIEW_RECOVERY].n, 2);
    story_free(&t);
    story_free(&u);
}

/* Five trials against five; what joins side B was stopped in its trial `stop` - 1. */
static void compare_with(uint32_t trials, uint32_t stop, struct compare *c)
{
    struct story_told t;
    struct err err;
    struct story s = story_of(five, 6, 0);
    story_tell(&s, &t);
    CU_ASSERT_EQUAL(compare_add(c, COMPARE_A, t.analysis, &err), 0);
    CU_ASSERT_EQUAL(compare_add(c, COMPARE_B, t.analysis, &err), 0);
    story_free(&t);
    s = story_of(three, trials, stop);
    story_tell(&s, &t);
    CU_ASSERT_EQUAL(compare_add(c, COMPARE_B, t.analysis, &err), 0);
    story_free(&t);
    CU_ASSERT_EQUAL(compare_judge(c, &err), 0);
}

static void test_compared(void)
{
    CLEANUP_COMPARE struct compare *none = NULL, *some = NULL;
    struct err err;
    CU_ASSERT_EQUAL_FATAL(compare_new(0, &none, &err), 0);
    CU_ASSERT_EQUAL_FATAL(compare_new(0, &some, &err), 0);
    /* Of one in which no trial had ended nothing was learnt: it is left out, and told. */
    compare_with(2, 2, none);
    CU_ASSERT_EQUAL(none->runs[COMPARE_B], 1);
    CU_ASSERT_EQUAL(none->left_out[COMPARE_B], 1);
    CU_ASSERT_EQUAL(none->left_out[COMPARE_A], 0);
    CU_ASSERT_EQUAL(none->targets[0].figures[COMPARE_B]->n, 5);
    CU_ASSERT_EQUAL(none->targets[0].word, COMPARE_SAME);
    /* The trials of another can neither be counted nor be left out. */
    compare_with(4, 4, some);
    CU_ASSERT_EQUAL(some->left_out[COMPARE_B], 0);
    CU_ASSERT_EQUAL(some->targets[0].word, COMPARE_CANNOT);
    CU_ASSERT_STRING_EQUAL(
        some->targets[0].why,
        "a series was stopped before its end: the number of its trials was not fixed before");
    CU_ASSERT_EQUAL(some->exit_status, 3);
}

static const struct check_test tests[] = {
    {"the trial under way is left out", test_the_trial_under_way_is_left_out},
    {"nothing is claimed of n", test_nothing_is_claimed_of_n},
    {"a miss before it stays", test_a_miss_before_it_stays},
    {"none had ended", test_none_had_ended},
    {"a guard is no stop", test_a_guard_is_no_stop},
    {"a plan does not count it", test_a_plan_does_not_count_it},
    {"in the table", test_in_the_table},
    {"compared", test_compared},
};

CHECK_MAIN("analysis/stopped", tests)
