/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenarios/redis-sentinel.yaml on a real redis with its sentinels: each kind of target that is a
 * probe's, and the blast radius as a guard.
 */
#include "e2e.h"

#define SENTINEL "scenarios/redis-sentinel.yaml"
enum { LIMIT_S = 120 };

/* The n-th target of a measure. */
static const json_t *target_of(const struct e2e *t, const char *measure, const char *of, int n)
{
    const json_t *one;
    size_t i;
    json_array_foreach(json_object_get(t->result, "targets"), i, one)
    {
        if (strcmp(e2e_text(one, "measure"), measure) == 0 &&
            strcmp(e2e_text(one, "of"), of) == 0 && n-- == 0)
            return one;
    }
    return NULL;
}

static void expect_between(const json_t *target, const char *unit, double least, double most)
{
    char lower[16], upper[16];
    (void)snprintf(lower, sizeof(lower), "lower%s", unit);
    (void)snprintf(upper, sizeof(upper), "upper%s", unit);
    CU_ASSERT_PTR_NOT_NULL_FATAL(target);
    CU_ASSERT(e2e_number(target, lower) >= least);
    CU_ASSERT(e2e_number(target, upper) >= e2e_number(target, lower));
    CU_ASSERT(e2e_number(target, upper) <= most);
}

static void expect_figures(const struct e2e *t)
{
    /* The sentinels wait for a second before they say anything, and then need each other. */
    const json_t *detected = target_of(t, "detection_time", "alert", 0);
    expect_between(detected, "_s", 0.8, 5);
    const json_t *recovery = target_of(t, "recovery_time", "write", 0);
    const json_t *lost = target_of(t, "outage_seconds", "write", 0);
    expect_between(recovery, "_s", e2e_number(detected, "lower_s"), 10);
    expect_between(lost, "_s", 1, e2e_number(recovery, "upper_s") + 0.2);
    /* Reads, a fifth of the weight, were never away. */
    expect_between(target_of(t, "outage_seconds", "", 0), "_s", 1, 8);
    /* (1 - 99.9 %) of 30 days are 2,592 s. */
    const json_t *budget = target_of(t, "error_budget", "write", 0);
    CU_ASSERT_DOUBLE_EQUAL(e2e_number(budget, "lower"), e2e_number(lost, "lower_s") / 2592, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(e2e_number(budget, "upper"), e2e_number(lost, "upper_s") / 2592, 1e-9);
    expect_between(target_of(t, "latency", "read", 0), "_s", 0, 0.5);
    expect_between(target_of(t, "blast_radius", "", 0), "", 0.8, 0.8);
    expect_between(target_of(t, "blast_radius", "", 1), "", 1, 1);
    printf(
        "figure: redis-sentinel: detected %.3f..%.3f s after the impact, writes back %.3f..%.3f s "
        "after the fault, %.3f..%.3f s of a full outage\n",
        e2e_number(detected, "lower_s"), e2e_number(detected, "upper_s"),
        e2e_number(recovery, "lower_s"), e2e_number(recovery, "upper_s"),
        e2e_number(lost, "lower_s"), e2e_number(lost, "upper_s"));
}

/* The same with a guard that the writes alone are too much for: it ends before the failover. */
static void test_side_by_side(void)
{
    struct e2e t, guarded;
    e2e_begin(&t);
    e2e_begin(&guarded);
    e2e_start(&t, (const char *const[]){"run", "--out", t.out, SENTINEL, NULL});
    e2e_start(&guarded, (const char *const[]){"run", "--set", "radius=50%", "--out", guarded.out,
                                              SENTINEL, NULL});
    (void)e2e_wait(&t, LIMIT_S);
    (void)e2e_wait(&guarded, LIMIT_S);

    e2e_expect_verdict(&t, 0, "pass");
    e2e_expect_clean(&t, 3);
    expect_figures(&t);

    e2e_expect_verdict(&guarded, 1, "fail");
    e2e_expect_clean(&guarded, 3);
    const char *why = e2e_text(guarded.result, "why");
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "the guard on the blast radius fired"));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "more than 50%: write"));
    const json_t *one = json_array_get(json_object_get(guarded.result, "injections"), 0);
    CU_ASSERT_STRING_EQUAL(e2e_text(one, "ended_by"), "command");
    CU_ASSERT(e2e_number(one, "revert_asked_s") - e2e_number(one, "active_s") < 3.5);
    e2e_expect_gone(&t, 5);
    e2e_expect_gone(&guarded, 5);
    e2e_end(&t);
    e2e_end(&guarded);
}

static const struct check_test tests[] = {
    {"all targets on a failover, and the guard", test_side_by_side},
};

CHECK_MAIN("targets", tests)
