/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run's five figures, with the target that they are of and without one. */
#include "analysis/overview.h"
#include "check.h"
#include "story.h"

#include <math.h>

#define N10       ".........."
#define X10       "xxxxxxxxxx"
#define BEFORE_3S N10 N10 N10 "."
#define AFTER_4S  N10 N10 N10 N10
#define OUTAGE    BEFORE_3S X10 "xxxxx" AFTER_4S     /* bad from 3.1 s to 4.5 s */
#define TWICE     BEFORE_3S "xxxxx" N10 X10 AFTER_4S /* and the second ends at 5.5 s */
#define QUIET     BEFORE_3S N10 "....." AFTER_4S
#define NEVER     BEFORE_3S X10 "xxxxx" X10 X10 X10 X10

static struct overview overview_of(const struct story *s, struct story_told *t,
                                   const struct overview *like)
{
    struct overview o;
    story_tell(s, t);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t->analysis);
    overview_make(t->analysis, like, &o);
    return o;
}

/* Within a slot and a packet of what was played. */
static void expect_about(const struct overview_figure *f, double lower, double upper)
{
    CU_ASSERT_DOUBLE_EQUAL(f->lower, lower, 0.015);
    CU_ASSERT_DOUBLE_EQUAL(f->upper, upper, 0.015);
    if (fabs(f->lower - lower) > 0.015 || fabs(f->upper - upper) > 0.015)
        printf("\n    %.3f .. %.3f, not %.3f .. %.3f", f->lower, f->upper, lower, upper);
}

static void test_service_without_recovery_target(void)
{
    struct story_told t;
    const struct story s = {
        .write = TWICE, .availability_permille = 900, .over_ms = 2000, .blast_permille = -1};
    struct overview o = overview_of(&s, &t, NULL);
    CU_ASSERT_STRING_EQUAL(o.service, "write");
    CU_ASSERT_TRUE(o.figures[OVERVIEW_RECOVERY].of_service);
    CU_ASSERT_PTR_NULL(o.figures[OVERVIEW_RECOVERY].of);
    expect_about(&o.figures[OVERVIEW_RECOVERY], 2.49, 2.6); /* the second outage's end */
    expect_about(&o.figures[OVERVIEW_OUTAGE], 1.3, 1.7);    /* both together */
    CU_ASSERT_PTR_NOT_NULL(o.figures[OVERVIEW_AVAILABILITY].of);
    CU_ASSERT_EQUAL(o.figures[OVERVIEW_LOST].n, 0);
    expect_about(&o.figures[OVERVIEW_BLAST], 1, 1);
    story_free(&t);
}

static void test_recovery_target(void)
{
    struct story_told t;
    const struct story s = {
        .write = OUTAGE, .recovery_limit_ms = 5000, .from = FROM_IMPACT, .blast_permille = -1};
    struct overview o = overview_of(&s, &t, NULL);
    CU_ASSERT_PTR_NOT_NULL(o.figures[OVERVIEW_RECOVERY].of);
    expect_about(&o.figures[OVERVIEW_RECOVERY], 1.4, 1.6);
    CU_ASSERT_TRUE(o.figures[OVERVIEW_AVAILABILITY].of_service);
    CU_ASSERT_TRUE(o.figures[OVERVIEW_AVAILABILITY].lower < 0.8);
    story_free(&t);
}

static void test_no_impact_and_no_recovery(void)
{
    struct story_told t;
    struct story s = {.write = QUIET, .availability_permille = 900, .blast_permille = -1};
    struct overview o = overview_of(&s, &t, NULL);
    expect_about(&o.figures[OVERVIEW_RECOVERY], 0, 0.1);
    expect_about(&o.figures[OVERVIEW_OUTAGE], 0, 0);
    story_free(&t);
    s.write = NEVER;
    o = overview_of(&s, &t, NULL);
    CU_ASSERT_TRUE(o.figures[OVERVIEW_RECOVERY].lower > 5);
    CU_ASSERT_TRUE(isinf(o.figures[OVERVIEW_RECOVERY].upper));
    story_free(&t);
}

/* Variants stand in one table: the columns of all are the first one's. */
static void test_like_another(void)
{
    struct story_told t, u;
    const struct story judged = {.write = OUTAGE,
                                 .recovery_limit_ms = 5000,
                                 .from = FROM_IMPACT,
                                 .blast_permille = -1},
                       seen = {.write = OUTAGE, .availability_permille = 900, .blast_permille = -1};
    struct overview first = overview_of(&judged, &t, NULL), second = overview_of(&seen, &u, &first);
    CU_ASSERT_EQUAL(second.figures[OVERVIEW_RECOVERY].n, 0); /* another measure: none */
    CU_ASSERT_TRUE(second.figures[OVERVIEW_AVAILABILITY].of_service);
    story_free(&t);
    story_free(&u);
    first = overview_of(&seen, &t, NULL);
    second = overview_of(&judged, &u, &first);
    CU_ASSERT_TRUE(second.figures[OVERVIEW_RECOVERY].of_service);
    expect_about(&second.figures[OVERVIEW_RECOVERY], 1.49, 1.6); /* from the fault, as the first */
    overview_join(&second, &first);
    CU_ASSERT_EQUAL(second.figures[OVERVIEW_RECOVERY].n, 2);
    CU_ASSERT_EQUAL(second.trials, 2);
    story_free(&t);
    story_free(&u);
}

/* The trial without a fault does not count; of two runs the longer. */
static void test_longest_trial(void)
{
    struct story_told t;
    const struct story s = {.write = OUTAGE, .availability_permille = 900, .blast_permille = -1};
    struct overview o = overview_of(&s, &t, NULL), with = o, none = {0};
    CU_ASSERT_EQUAL(o.longest_ns, t.analysis->trials[0].end_ns - t.analysis->trials[0].start_ns);
    CU_ASSERT_TRUE(o.longest_ns > 5 * NS_PER_SEC);
    with.longest_ns += NS_PER_SEC;
    overview_join(&o, &with);
    CU_ASSERT_EQUAL(o.longest_ns, with.longest_ns);
    overview_join(&o, &none);
    CU_ASSERT_EQUAL(o.longest_ns, with.longest_ns);
    story_free(&t);
}

static const struct check_test tests[] = {
    {"of the service that the first target names", test_service_without_recovery_target},
    {"of a recovery's target", test_recovery_target},
    {"no impact, no recovery", test_no_impact_and_no_recovery},
    {"as another run's", test_like_another},
    {"the longest trial", test_longest_trial},
};

CHECK_MAIN("analysis/overview", tests)
