/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trends as people see them, character by character; points in time as they write them. */
#include "check.h"
#include "cmd/trend_chart.h"
#include "cmd/when.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#define POINT(day, lo, hi, word, ...)                                                              \
    {                                                                                              \
        .run = "r" #day, .wall = "2026-03-0" #day "T12:00:00Z", .version = "0.2.0",                \
        .verdict = word, .limit = 5, .lower = lo, .upper = hi, __VA_ARGS__                         \
    }

static struct trend_point points[] = {
    POINT(1, 1, 2, "pass", .trials = 1),
    POINT(2, 4.5, 6, "inconclusive", .changes = TREND_VERSION),
    POINT(3, 7, INFINITY, "fail", .changes = TREND_SCENARIO | TREND_VERSION),
    POINT(4, NAN, NAN, "invalid", .changes = TREND_SETUP),
    POINT(5, 1.5, 1.51, "pass", .trials = 1),
};
static const struct trend trend = {.measure = "recovery_time",
                                   .of = "write",
                                   .from = "fault",
                                   .unit = "s",
                                   .points = points,
                                   .n = 5};

static const char *plain(const char *verdict)
{
    (void)verdict;
    return "";
}

static void expect(const struct buf *out, const char *golden)
{
    if (strcmp(buf_text(out), golden) != 0)
        printf("\n%s", buf_text(out));
    CU_ASSERT_STRING_EQUAL(buf_text(out), golden);
}

static void test_drawn(void)
{
    CLEANUP_BUF struct buf out = BUF_INIT(1 << 16);
    trend_chart_print(&trend, "shop", &(struct trend_chart){.columns = 90, .style = plain}, &out);
    expect(&out,
           "shop: recovery_time of write from fault over 5 runs, at most 5.000 s\n"
           "2026-03-01 12:00  pass              [===]           :             1.000 s .. 2.000 s\n"
           "-- blackstart 0.2.0\n"
           "2026-03-02 12:00  inconclusive                    [=====]         4.500 s .. 6.000 s\n"
           "-- another text of the scenario, blackstart 0.2.0\n"
           "2026-03-03 12:00  fail                              :       [==>  7.000 s .. open\n"
           "-- other variables or another lab\n"
           "2026-03-04 12:00  invalid                           :             not measured\n"
           "2026-03-05 12:00  pass                |             :             1.500 s .. 1.510 s\n"
           "                                0.000 s                  7.700 s\n"
           "(: is the target)\n");
}

static void test_narrow(void)
{
    CLEANUP_BUF struct buf out = BUF_INIT(1 << 16);
    struct trend t = trend;
    t.n = 2;
    trend_chart_print(&t, "shop", &(struct trend_chart){.columns = 40, .style = plain}, &out);
    expect(&out, "shop: recovery_time of write from fault over 2 runs, at most 5.000 s\n"
                 "2026-03-01 12:00  pass\n"
                 "        [=====]                  :\n"
                 "  1.000 s .. 2.000 s\n"
                 "-- blackstart 0.2.0\n"
                 "2026-03-02 12:00  inconclusive\n"
                 "                              [========]\n"
                 "  4.500 s .. 6.000 s\n"
                 "  0.000 s                        6.000 s\n"
                 "(: is the target)\n");
}

static void test_not_drawn(void)
{
    CLEANUP_BUF struct buf out = BUF_INIT(1 << 16);
    trend_print_plain(&trend, "shop", &out);
    expect(&out,
           "shop: recovery_time of write from fault over 5 runs, at most 5.000 s\n"
           "2026-03-01T12:00:00Z  pass          r1  1.000 s .. 2.000 s\n"
           "2026-03-02T12:00:00Z  inconclusive  r2  4.500 s .. 6.000 s  (blackstart 0.2.0)\n"
           "2026-03-03T12:00:00Z  fail          r3  7.000 s .. open  (another text of the "
           "scenario, blackstart 0.2.0)\n"
           "2026-03-04T12:00:00Z  invalid       r4  not measured  (other variables or another "
           "lab)\n"
           "2026-03-05T12:00:00Z  pass          r5  1.500 s .. 1.510 s\n");
}

static void test_stopped(void)
{
    struct trend_point of[] = {POINT(1, 1, 2, "pass", .trials = 3, .stopped = true),
                               POINT(2, 1, 2, "pass", .trials = 1)};
    struct trend t = trend;
    CLEANUP_BUF struct buf out = BUF_INIT(1 << 16), drawn = BUF_INIT(1 << 16);
    t.points = of;
    t.n = 2;
    t.left_out = 2;
    trend_print_plain(&t, "shop", &out);
    expect(&out, "shop: recovery_time of write from fault over 2 runs, at most 5.000 s\n"
                 "2026-03-01T12:00:00Z  pass          r1  1.000 s .. 2.000 s, stopped after 3 "
                 "trials\n"
                 "2026-03-02T12:00:00Z  pass          r2  1.000 s .. 2.000 s\n"
                 "(left out: 2 runs stopped before a trial with a fault had ended)\n");
    trend_chart_print(&t, "shop", &(struct trend_chart){.columns = 90, .style = plain}, &drawn);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&drawn), "2.000 s, stopped after 3 trials\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&drawn), "\n(left out: 2 runs stopped before"));
}

/* A target far away does not squeeze the figures into one column; a narrow terminal is no harm. */
static void test_a_far_target(void)
{
    struct trend_point close[] = {POINT(1, 0.01, 0.02, "pass", .trials = 1)};
    const struct trend t = {
        .measure = "recovery_time", .of = "", .from = "", .unit = "s", .points = close, .n = 1};
    CLEANUP_BUF struct buf out = BUF_INIT(1 << 16);
    trend_chart_print(&t, "shop", &(struct trend_chart){.columns = 1, .style = plain}, &out);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&out), "lies outside of the drawing"));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&out), "[=="));
    CLEANUP_BUF struct buf wide = BUF_INIT(1 << 16);
    trend_chart_print(&t, "shop", &(struct trend_chart){.columns = 5000, .style = plain}, &wide);
    CU_ASSERT_TRUE(buf_ok(&wide));
}

static void test_points_in_time(void)
{
    static const struct {
        const char *text, *says; /* NULL: refused */
    } rows[] = {
        {"1d", "2026-02-28T12:00:00Z"},
        {"90m", "2026-03-01T10:30:00Z"},
        {"2w", "2026-02-15T12:00:00Z"},
        {"2026-02-01", "2026-02-01T00:00:00Z"},
        {"2026-02-01 10:30", "2026-02-01T10:30:00Z"},
        {"2026-02-01T10:30:05Z", "2026-02-01T10:30:05Z"},
        {"yesterday", NULL},
        {"", NULL},
        {"-1d", NULL},
        {"1", NULL},
        {"1dd", NULL},
        {"99999999999999999999d", NULL},
        {"2026-02-01x", NULL},
    };
    struct tm tm = {.tm_year = 126, .tm_mon = 2, .tm_mday = 1, .tm_hour = 12};
    time_t now = timegm(&tm);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char at[WHEN_TEXT] = "";
        struct err err;
        int rc = when_parse("since", rows[i].text, now, at, &err);
        CU_ASSERT_EQUAL(rc, rows[i].says != NULL ? 0 : -1);
        if (rows[i].says != NULL)
            CU_ASSERT_STRING_EQUAL(at, rows[i].says);
    }
    char shown[WHEN_TEXT];
    when_print("2026-02-01T10:30:05Z", shown);
    CU_ASSERT_STRING_EQUAL(shown, "2026-02-01 10:30");
    when_print("no time at all, and long", shown);
    CU_ASSERT_STRING_EQUAL(shown, "no time at all, ");
}

static const struct check_test tests[] = {
    {"stopped", test_stopped},
    {"drawn", test_drawn},
    {"on a narrow terminal", test_narrow},
    {"not drawn", test_not_drawn},
    {"a far target", test_a_far_target},
    {"points in time", test_points_in_time},
};

int main(void)
{
    (void)setenv("TZ", "UTC", 1);
    return check_main("trend chart", tests, sizeof(tests) / sizeof(tests[0]));
}
