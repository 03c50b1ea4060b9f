/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The prober's share of what real services saw, by their own counts: users of a known rate are
 * asked beside it, so that the truth is known from what was sent.
 */
#include "e2e.h"

static const json_t *trial_at(const struct e2e *t, size_t i)
{
    return json_array_get(json_object_get(t->result, "trials"), i);
}

static const json_t *prober_of(const json_t *trial)
{
    return json_array_get(json_object_get(trial, "probers"), 0);
}

static const json_t *served_of(const json_t *trial, const char *probe)
{
    const json_t *one;
    size_t i;
    json_array_foreach(json_object_get(prober_of(trial), "served"), i,
                       one) if (strcmp(e2e_text(one, "probe"), probe) == 0) return one;
    return NULL;
}

/* Those of its every 50 ms that there are beside the users': the question itself, and what was
 * under way at the trial's ends, are within the two percent. */
static void expect_share(const json_t *trial, const char *probe, double share)
{
    const json_t *s = served_of(trial, probe);
    printf("figure: trial %.0f: %s was %.2f %% of the %.0f requests that the service saw, %.2f %% "
           "sent\n",
           e2e_number(trial, "trial"), probe, e2e_number(s, "share") * 100, e2e_number(s, "grown"),
           share * 100);
    CU_ASSERT_DOUBLE_EQUAL(e2e_number(s, "share"), share, 0.02);
    CU_ASSERT_TRUE(e2e_number(s, "grown") > 50);
    CU_ASSERT_TRUE(json_is_null(json_object_get(s, "why")));
}

static void expect_unknown(const json_t *trial, const char *probe, const char *why)
{
    const json_t *s = served_of(trial, probe);
    CU_ASSERT_TRUE(json_is_null(json_object_get(s, "share")));
    CU_ASSERT_STRING_EQUAL(e2e_text(s, "why"), why);
}

static void test_real_services(void)
{
    struct e2e t;
    e2e_begin(&t);
    static const char scenario[] = SOURCE_DIR "/tests/e2e/served.yaml";
    e2e_start(&t, (const char *const[]){"run", "--out", t.out, "--trials", "2", "--seed", "1",
                                        scenario, NULL});
    int status = e2e_wait(&t, 60);
    CU_ASSERT(status == 0 || status == 3); /* a slow machine may leave the recovery open */
    const json_t *calm = trial_at(&t, 0);
    expect_share(calm, "ping", 20.0 / 120);
    expect_share(calm, "page", 20.0 / 62);
    expect_unknown(calm, "lost", "it never told its count twice in a row");
    /* The redis began to count anew: that part is left out, not the trial. */
    const json_t *killed = trial_at(&t, 1);
    expect_share(killed, "ping", 20.0 / 120);
    expect_share(killed, "page", 20.0 / 62);
    CU_ASSERT_TRUE(e2e_number(served_of(killed, "ping"), "known") < 1);
    CU_ASSERT_EQUAL(e2e_number(served_of(killed, "page"), "known"), 1);
    CU_ASSERT_TRUE(json_is_true(json_object_get(prober_of(calm), "suspect")));
    CU_ASSERT_PTR_NOT_NULL(strstr(e2e_text(prober_of(calm), "why"), "of what ping at n1 served"));
    e2e_end(&t);
}

static const struct check_test tests[] = {
    {"real redis and nginx", test_real_services},
};

CHECK_MAIN("what services saw", tests)
