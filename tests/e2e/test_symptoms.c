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

/* A run of those that `blackstart history` lists; the caller decrefs the document. */
static const json_t *listed(const json_t *document, const struct e2e *run)
{
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(document, "runs"), i, one)
    {
        if (strcmp(e2e_text(one, "run"), run->run) == 0)
            return one;
    }
    CU_FAIL_FATAL("the run is not in the history");
    return NULL;
}

static void expect_listed(const json_t *document, const struct e2e *run, const char *ordering)
{
    const json_t *list = json_object_get(listed(document, run), "symptoms");
    CU_ASSERT_EQUAL(json_array_size(list), 2);
    CU_ASSERT_STRING_EQUAL(e2e_text(json_array_get(list, 1), "shows"), ORDER);
    CU_ASSERT_STRING_EQUAL(e2e_text(json_array_get(list, 1), "state"), ordering);
}

static void expect_history(struct e2e *t, const struct e2e *quiet, const struct e2e *harmless)
{
    struct e2e of;
    e2e_begin(&of);
    e2e_start(&of, (const char *const[]){"history", "--json", NULL});
    CU_ASSERT_EQUAL(e2e_wait(&of, 20), 0);
    json_t *document = e2e_json(of.dir, "stdout");
    expect_listed(document, t, "shown");
    expect_listed(document, quiet, "not shown");
    expect_listed(document, harmless, "not shown");
    json_decref(document);
    e2e_start(&of, (const char *const[]){"history", "--verdict", "pass", NULL});
    CU_ASSERT_EQUAL(e2e_wait(&of, 20), 0);
    CLEANUP_FREE char *said = e2e_read(of.dir, "stdout");
    CU_ASSERT_PTR_NOT_NULL_FATAL(said);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "  symptoms  "));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "  2 of 2    "));
    e2e_end(&of);
}

static void test_side_by_side(void)
{
    struct e2e t, quiet, harmless;
    char store[128];
    e2e_begin(&t);
    e2e_begin(&quiet);
    e2e_begin(&harmless);
    (void)snprintf(store, sizeof(store), "%s/history.db", t.dir);
    (void)setenv("BLACKSTART_STORE", store, 1);
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
    expect_history(&t, &quiet, &harmless);
    (void)unsetenv("BLACKSTART_STORE");
    e2e_end(&t);
    e2e_end(&quiet);
    e2e_end(&harmless);
}

static const struct check_test tests[] = {
    {"shown, and not shown", test_side_by_side},
};

CHECK_MAIN("e2e symptoms", tests)
