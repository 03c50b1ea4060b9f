/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers in answers, and what is expected of them. */
#include "check.h"
#include "prober/loop_parts.h"
#include "prober/number.h"

static const struct {
    const char *match, *body;
    bool found;
    double value;
} rows[] = {
    {NULL, "10000\n", true, 10000},
    {NULL, "count=17, of 20", true, 17},
    {NULL, "lag -5.25 s", true, -5.25},
    {NULL, "-5", true, -5},
    {NULL, "pg-5", true, 5}, /* a hyphen */
    {NULL, "1.5e3x", true, 1500},
    {NULL, "3.e", true, 3},
    {NULL, "2e+", true, 2},
    {NULL, "ERROR: no such table", false, 0},
    {NULL, "", false, 0},
    {NULL, "1e999", false, 0},
    {"count=([0-9]+)", "id=5 count=17", true, 17},
    {"count=([0-9]+)", "id=5 count=", false, 0},
    {"count=[0-9]+", "id=5 count=17", true, 17},
    {"lag=(-?[0-9]+)", "lag=-3", true, -3},
    {"^orders (.*)$", "users 7\norders 12 34\n", true, 12},
    {"(a)?=", "7 =9", false, 0}, /* all of what matched, which has none */
    {"x(a|b)", "5xa6", false, 0},
};

static void test_where_it_is_looked_for(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        regex_t re;
        double value = 0;
        if (rows[i].match != NULL)
            CU_ASSERT_EQUAL_FATAL(regcomp(&re, rows[i].match, REG_EXTENDED | REG_NEWLINE), 0);
        bool found = number_find(rows[i].match != NULL ? &re : NULL, rows[i].body,
                                 strlen(rows[i].body), &value, NULL);
        if (found != rows[i].found || (found && value != rows[i].value)) {
            printf("\n  %s: %d %g\n", rows[i].body, found, value);
            CU_FAIL("another number");
        }
        if (rows[i].match != NULL)
            regfree(&re);
    }
}

static void test_nothing_behind_the_end(void)
{
    double value = 0;
    size_t end = 0;
    CU_ASSERT_TRUE(number_find(NULL, "a 123456", 5, &value, &end));
    CU_ASSERT_EQUAL(value, 123);
    CU_ASSERT_EQUAL(end, 5);
    char nines[500];
    memset(nines, '9', sizeof(nines));
    CU_ASSERT_FALSE(number_find(NULL, nines, sizeof(nines), &value, &end));
}

static void expect(struct prober_probe *probe, const char *body, const char *match, double least,
                   double most)
{
    struct err err = {.msg = ""};
    const struct prober_probe_spec spec = {.body = body,
                                           .number = {.given = true,
                                                      .has_least = true,
                                                      .has_most = true,
                                                      .match = match,
                                                      .at_least = least,
                                                      .at_most = most}};
    *probe = (struct prober_probe){.index = 0};
    CU_ASSERT_EQUAL_FATAL(prober_expect_open(probe, &spec, &err), 0);
}

static enum sample_result said(struct prober_probe *probe, const char *answer)
{
    return prober_expects(probe, 0, 0, 0, answer, strlen(answer));
}

static void test_bounds(void)
{
    struct prober_probe probe;
    expect(&probe, "^ok", "rows=([0-9]+)", 10, 12);
    CU_ASSERT_EQUAL(said(&probe, "ok rows=9"), SAMPLE_LOW);
    CU_ASSERT_EQUAL(said(&probe, "ok rows=10"), SAMPLE_GOOD);
    CU_ASSERT_EQUAL(said(&probe, "ok rows=12"), SAMPLE_GOOD);
    CU_ASSERT_EQUAL(said(&probe, "ok rows=13"), SAMPLE_HIGH);
    CU_ASSERT_EQUAL(said(&probe, "ok rows="), SAMPLE_NO_NUMBER);
    CU_ASSERT_EQUAL(said(&probe, "rows=11"), SAMPLE_CONTENT);
    CU_ASSERT_TRUE(prober_expects_more(&probe, "ok rows=1", 9)); /* it may yet be 11 */
    CU_ASSERT_TRUE(prober_expects_more(&probe, "ok", 2));
    CU_ASSERT_FALSE(prober_expects_more(&probe, "ok rows=1\n", 10));
    prober_expect_close(&probe);
}

static void test_a_pattern_that_is_none(void)
{
    struct prober_probe probe = {.index = 0};
    struct err err = {.msg = ""};
    const struct prober_probe_spec spec = {.body = "ok", .number = {.given = true, .match = "("}};
    CU_ASSERT_EQUAL(prober_expect_open(&probe, &spec, &err), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "the pattern ("));
    prober_expect_close(&probe);
}

static const struct check_test tests[] = {
    {"where it is looked for", test_where_it_is_looked_for},
    {"nothing behind the end", test_nothing_behind_the_end},
    {"bounds", test_bounds},
    {"a pattern that is none", test_a_pattern_that_is_none},
};

CHECK_MAIN("number", tests)
