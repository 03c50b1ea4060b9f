/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One scenario, two systems: both runs, their table, and what is made of their folders. */
#include "e2e.h"

#define VARIANTS "tests/e2e/variants.yaml"
enum { LIMIT_S = 60 };

static const json_t *row(const json_t *found, const char *list, const char *name)
{
    const json_t *one;
    size_t i;
    json_array_foreach(list[0] != '\0' ? json_object_get(found, list) : found, i, one)
    {
        if (strcmp(e2e_text(one, "name"), name) == 0)
            return one;
    }
    return NULL;
}

static void expect_rows(const json_t *found, const char *list)
{
    const json_t *naive = row(found, list, "naive"), *kept = row(found, list, "kept");
    CU_ASSERT_STRING_EQUAL(e2e_text(naive, "verdict"), "fail");
    CU_ASSERT_TRUE(json_is_true(json_object_get(naive, "as_expected")));
    CU_ASSERT_TRUE(e2e_number(json_object_get(naive, "lost_writes"), "lower") > 0);
    CU_ASSERT_STRING_EQUAL(e2e_text(kept, "verdict"), "pass");
    CU_ASSERT_TRUE(json_is_true(json_object_get(kept, "as_expected")));
    CU_ASSERT_EQUAL(e2e_number(json_object_get(kept, "lost_writes"), "upper"), 0);
    CU_ASSERT_EQUAL(e2e_number(kept, "trials"), 1);
    CU_ASSERT_TRUE(e2e_number(kept, "longest_trial_s") > 1);
    CU_ASSERT_TRUE(e2e_number(kept, "longest_trial_s") < LIMIT_S);
}

static bool said(const struct e2e *t, const char *text)
{
    CLEANUP_FREE char *out = e2e_read(t->dir, "stdout");
    bool there = out != NULL && strstr(out, text) != NULL;
    if (!there)
        fprintf(stderr, "not said: %s\nbut: %s\n", text, out != NULL ? out : "");
    return there;
}

/* A host that one variant alone has, and its target, are not the other's. */
static void expect_own_parts(const struct e2e *t)
{
    for (int i = 0; i < 2; i++) {
        char dir[100];
        (void)snprintf(dir, sizeof(dir), "%s/%s", t->out, i == 0 ? "naive" : "kept");
        json_t *result = e2e_json(dir, "result.json");
        CU_ASSERT_STRING_EQUAL(e2e_text(result, "variant"), i == 0 ? "naive" : "kept");
        CU_ASSERT_STRING_EQUAL(e2e_text(json_object_get(result, "reproduces"), "fidelity"), "low");
        CU_ASSERT_EQUAL(json_array_size(json_object_get(result, "series")), 1 + (size_t)i);
        json_decref(result);
        CLEANUP_FREE char *report = e2e_read(dir, "report.txt");
        CU_ASSERT_PTR_NOT_NULL_FATAL(report);
        CU_ASSERT_PTR_NOT_NULL(strstr(report, "reproduces a redis without a file (deletion)"));
        CU_ASSERT_PTR_NOT_NULL(strstr(report, "time scale nothing is shorter or longer"));
    }
}

static void test_both_beside_each_other(void)
{
    struct e2e t;
    e2e_begin(&t);
    e2e_start(&t,
              (const char *const[]){"run", "--json", "--compare", "--out", t.out, VARIANTS, NULL});
    CU_ASSERT_EQUAL(e2e_wait(&t, LIMIT_S), 0);
    json_t *found = e2e_json(t.dir, "stdout");
    expect_rows(found, "variants");
    CU_ASSERT_EQUAL(e2e_number(found, "exit"), 0);
    json_decref(found);
    expect_own_parts(&t);
    e2e_start(&t, (const char *const[]){"outages", "--table", "--json", t.out, NULL});
    CU_ASSERT_EQUAL(e2e_wait(&t, 10), 0);
    found = e2e_json(t.dir, "stdout");
    CU_ASSERT_STRING_EQUAL(e2e_text(json_array_get(found, 0), "name"), "naive"); /* as declared */
    expect_rows(found, "");
    json_decref(found);
    e2e_start(&t, (const char *const[]){"outages", "--table", t.out, t.out, NULL}); /* once */
    CU_ASSERT_EQUAL(e2e_wait(&t, 10), 0);
    CU_ASSERT_TRUE(
        said(&t, "| a redis without a file | deletion | low | naive | fail, as expected"));
    CU_ASSERT_TRUE(said(&t, "| trials | longest trial |"));
    CU_ASSERT_TRUE(said(&t, "| 1: 1 fail |"));
    e2e_end(&t);
}

/* What is not as its `expect` says fails the comparison. */
static void test_not_as_expected(void)
{
    struct e2e t;
    e2e_begin(&t);
    e2e_start(&t, (const char *const[]){"run", "-q", "--variants", "naive", "--set", "keep=yes",
                                        "--out", t.out, VARIANTS, NULL});
    CU_ASSERT_EQUAL(e2e_wait(&t, LIMIT_S), 1);
    CU_ASSERT_TRUE(said(&t, "pass, expected fail"));
    (void)snprintf(t.out + strlen(t.out), sizeof(t.out) - strlen(t.out), "/naive");
    e2e_find_run(&t);
    e2e_expect_gone(&t, 5);
    e2e_end(&t);
}

static const struct check_test tests[] = {
    {"both beside each other", test_both_beside_each_other},
    {"not as expected", test_not_as_expected},
};

CHECK_MAIN("variants", tests)
