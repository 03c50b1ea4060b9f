/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * symptoms.yaml on a real nginx: the faulty configuration shows the outage; without it, and with
 * one that does no harm, the same run is invalid and says what was not shown.
 */
#include "e2e.h"

#define SYMPTOMS "tests/e2e/symptoms.yaml"
#define ORDER    "nobody can order until it is rolled back"
enum { LIMIT_S = 60 };

static const json_t *symptom(const struct e2e *t, size_t k)
{
    const json_t *one = json_array_get(json_object_get(t->result, "symptoms"), k);
    CU_ASSERT_PTR_NOT_NULL_FATAL(one);
    return one;
}

static void expect_not_shown(struct e2e *t)
{
    e2e_expect_verdict(t, 3, "invalid");
    e2e_expect_clean(t, 1);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(e2e_text(t->result, "why"), "the reproduction did not show \"" ORDER "\""));
    CU_ASSERT_STRING_EQUAL(e2e_text(symptom(t, 0), "state"), "shown");
    CU_ASSERT_STRING_EQUAL(e2e_text(symptom(t, 1), "state"), "not shown");
    CU_ASSERT(e2e_number(symptom(t, 1), "lower") > 0.99);
}

static void test_side_by_side(void)
{
    struct e2e t, quiet, harmless;
    e2e_begin(&t);
    e2e_begin(&quiet);
    e2e_begin(&harmless);
    e2e_start(&t, (const char *const[]){"run", "--out", t.out, SYMPTOMS, NULL});
    e2e_start(&quiet,
              (const char *const[]){"run", "--no-fault", "--out", quiet.out, SYMPTOMS, NULL});
    e2e_start(&harmless, (const char *const[]){"run", "--set", "status=204", "--out", harmless.out,
                                               SYMPTOMS, NULL});
    (void)e2e_wait(&t, LIMIT_S);
    (void)e2e_wait(&quiet, LIMIT_S);
    (void)e2e_wait(&harmless, LIMIT_S);

    e2e_expect_verdict(&t, 0, "pass");
    e2e_expect_clean(&t, 1);
    CU_ASSERT_STRING_EQUAL(e2e_text(symptom(&t, 0), "state"), "shown");
    CU_ASSERT_STRING_EQUAL(e2e_text(symptom(&t, 1), "state"), "shown");
    CU_ASSERT_STRING_EQUAL(e2e_text(symptom(&t, 1), "shows"), ORDER);
    CU_ASSERT(e2e_number(symptom(&t, 1), "upper") < 0.5);

    expect_not_shown(&quiet);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(quiet.result, "injections")), 0);
    expect_not_shown(&harmless);
    CU_ASSERT_TRUE(json_is_true(json_object_get(
        json_array_get(json_object_get(harmless.result, "injections"), 0), "proven")));
    e2e_end(&t);
    e2e_end(&quiet);
    e2e_end(&harmless);
}

static const struct check_test tests[] = {
    {"shown, and not shown", test_side_by_side},
};

CHECK_MAIN("e2e symptoms", tests)
