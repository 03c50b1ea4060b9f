/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two samples against each other, beside counts of every possible outcome. */
#include "analysis/compare.h"
#include "check.h"

#include <math.h>

static double p_of(const double *a, size_t n, const double *b, size_t m)
{
    struct ranks_u u;
    struct err err;
    CU_ASSERT_EQUAL_FATAL(ranks_mann_whitney(a, n, b, m, &u, &err), 0);
    return u.p;
}

/* U by its definition: pairs in which b is larger, ties a half. */
static double u_of(const double *a, size_t n, const double *b, size_t m)
{
    double u = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < m; k++)
            u += b[k] > a[i] ? 1 : b[k] == a[i] ? 0.5 : 0;
    return u;
}

/* All ways to call n of the n + m figures A: how many are as far from the middle, or further. */
static double enumerate(const double *all, size_t n, size_t m, double far)
{
    unsigned ways = 0, beyond = 0;
    for (unsigned set = 0; set < 1u << (n + m); set++) {
        double a[16], b[16];
        size_t na = 0, nb = 0;
        for (size_t i = 0; i < n + m; i++) {
            if ((set >> i & 1) != 0)
                a[na++] = all[i];
            else
                b[nb++] = all[i];
        }
        if (na != n)
            continue;
        ways++;
        beyond += fabs(u_of(a, n, b, m) - (double)(n * m) / 2) >= far - 1e-9;
    }
    return (double)beyond / ways;
}

/* For each outcome that 4 v 4, 4 v 6 and 6 v 6 can have, with and without ties and censored. */
static void test_each_p_is_counted(void)
{
    static const double pools[][12] = {
        {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
        {1, 1, 2, 2, 2, 3, 4, 5, 5, 6, 6, 6},
        {1, 2, 3, 4, 5, INFINITY, INFINITY, INFINITY, 9, 10, 11, INFINITY},
    };
    static const size_t sizes[][2] = {{4, 4}, {4, 6}, {6, 6}};
    size_t compared = 0;
    for (size_t pool = 0; pool < 3; pool++)
        for (size_t s = 0; s < 3; s++) {
            size_t n = sizes[s][0], m = sizes[s][1];
            for (unsigned set = 0; set < 1u << (n + m); set += 37) {
                double a[16], b[16];
                size_t na = 0, nb = 0;
                for (size_t i = 0; i < n + m; i++) {
                    if ((set >> i & 1) != 0)
                        a[na++] = pools[pool][i];
                    else
                        b[nb++] = pools[pool][i];
                }
                if (na != n)
                    continue;
                double far = fabs(u_of(a, n, b, m) - (double)(n * m) / 2);
                CU_ASSERT_DOUBLE_EQUAL(p_of(a, n, b, m), enumerate(pools[pool], n, m, far), 1e-12);
                compared++;
            }
        }
    printf("\n    figure: %zu p-values of Mann-Whitney as counted over all outcomes\n    ",
           compared);
    CU_ASSERT(compared > 80);
}

/* The tables of Mann and Whitney: the largest U that is significant at 5 %, both ways. */
static void test_the_published_table(void)
{
    static const struct {
        size_t n, m;
        int u; /* critical value; the interval's rank is one more */
    } rows[] = {{4, 4, 0},  {5, 5, 2},    {6, 6, 5},    {7, 7, 8},    {8, 8, 13},   {4, 8, 4},
                {5, 10, 8}, {10, 10, 23}, {12, 12, 37}, {15, 15, 64}, {20, 20, 127}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err err;
        size_t rank = 0;
        CU_ASSERT_EQUAL(ranks_shift_rank(rows[i].n, rows[i].m, 0.025, &rank, &err), 0);
        CU_ASSERT_EQUAL(rank, (size_t)rows[i].u + 1);
    }
    struct err err;
    size_t rank = 9;
    CU_ASSERT_EQUAL(ranks_shift_rank(3, 4, 0.025, &rank, &err), 0);
    CU_ASSERT_EQUAL(rank, 0);
}

/* Beyond the exact range the approximation goes on where the exact one ends. */
static void test_the_normal_one_follows(void)
{
    double a[60], b[60];
    for (size_t i = 0; i < 60; i++) {
        a[i] = (double)(i * 7 % 60);
        b[i] = (double)(i * 11 % 60) + 6.5;
    }
    struct ranks_u exact, normal;
    struct err err;
    CU_ASSERT_EQUAL(ranks_mann_whitney(a, 50, b, 50, &exact, &err), 0);
    CU_ASSERT_EQUAL(ranks_mann_whitney(a, 51, b, 50, &normal, &err), 0);
    CU_ASSERT_TRUE(exact.exact);
    CU_ASSERT_FALSE(normal.exact);
    CU_ASSERT_DOUBLE_EQUAL(exact.p, normal.p, 0.02);
    size_t k1 = 0, k2 = 0;
    CU_ASSERT_EQUAL(ranks_shift_rank(50, 50, 0.025, &k1, &err), 0);
    CU_ASSERT_EQUAL(ranks_shift_rank(50, 51, 0.025, &k2, &err), 0);
    CU_ASSERT(k2 > k1 && k2 < k1 + 40);
}

struct side {
    const double *figures;
    size_t n;
};

static void add(struct compare *c, enum compare_side side, const char *measure,
                const struct side *of, bool invalid)
{
    struct analysis_figure values[64];
    struct err err;
    for (size_t i = 0; i < of->n; i++)
        values[i] = (struct analysis_figure){.lower = of->figures[i] - 0.01,
                                             .upper = of->figures[i] + 0.01};
    struct analysis_summary s = {.measure = measure,
                                 .of = "write",
                                 .from = "fault",
                                 .detail = "",
                                 .side = strcmp(measure, "availability") == 0 ? AT_LEAST : AT_MOST,
                                 .unit = strcmp(measure, "availability") == 0 ? UNIT_SHARE
                                                                              : UNIT_SECONDS,
                                 .values = values,
                                 .n = of->n};
    struct analysis a = {.summaries = &s, .n_summaries = 1, .series = {.invalid = invalid}};
    CU_ASSERT_EQUAL_FATAL(compare_add(c, side, &a, &err), 0);
}

static const double low[] = {1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7};
static const double high[] = {2.05, 2.15, 2.25, 2.35, 2.45, 2.55, 2.65, 2.75};
static const double never[] = {2.05, 2.15, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, 2.75};

static void expect(const double *a, size_t n, const double *b, size_t m, double margin,
                   enum compare_word word, int status)
{
    CLEANUP_COMPARE struct compare *c = NULL;
    struct err err;
    CU_ASSERT_EQUAL_FATAL(compare_new(margin, &c, &err), 0);
    add(c, COMPARE_A, "recovery_time", &(struct side){a, n}, false);
    add(c, COMPARE_B, "recovery_time", &(struct side){b, m}, false);
    CU_ASSERT_EQUAL_FATAL(compare_judge(c, &err), 0);
    CU_ASSERT_EQUAL(c->targets[0].word, word);
    CU_ASSERT_EQUAL(c->exit_status, status);
}

static void test_words_and_status(void)
{
    expect(low, 8, high, 8, 0, COMPARE_WORSE, 1);
    expect(high, 8, low, 8, 0, COMPARE_BETTER, 0);
    expect(low, 8, low, 8, 0, COMPARE_SAME, 0);
    expect(low, 4, high, 4, 0, COMPARE_WORSE, 1);
    expect(low, 3, high, 8, 0, COMPARE_CANNOT, 3);
    expect(low, 8, high, 3, 0, COMPARE_CANNOT, 3);
    expect(low, 0, high, 8, 0, COMPARE_CANNOT, 3);
    expect(low, 8, high, 8, 0.5, COMPARE_WORSE, 1);
    expect(low, 8, high, 8, 1.0, COMPARE_WORSE, 0); /* slower, but not surely by so much */
    expect(low, 8, never, 8, 0, COMPARE_WORSE, 1);
    expect(never, 8, low, 8, 0, COMPARE_BETTER, 0);
    expect(never, 8, never, 8, 0, COMPARE_SAME, 0);
}

static void test_the_shift(void)
{
    CLEANUP_COMPARE struct compare *c = NULL;
    struct err err;
    CU_ASSERT_EQUAL_FATAL(compare_new(0, &c, &err), 0);
    add(c, COMPARE_A, "recovery_time", &(struct side){low, 4}, false);
    add(c, COMPARE_B, "recovery_time", &(struct side){high, 4}, false);
    CU_ASSERT_EQUAL_FATAL(compare_judge(c, &err), 0);
    const struct compare_target *t = &c->targets[0];
    CU_ASSERT_DOUBLE_EQUAL(t->shift, 1.05, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(t->shift_lower, 0.75, 1e-9); /* of all 16 the smallest and largest */
    CU_ASSERT_DOUBLE_EQUAL(t->shift_upper, 1.35, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(t->p, 2.0 / 70, 1e-12);
}

/* What is open is open: no upper bound of how much slower, none below of how much faster. */
static void test_censored_bounds(void)
{
    CLEANUP_COMPARE struct compare *c = NULL;
    struct err err;
    CU_ASSERT_EQUAL_FATAL(compare_new(0, &c, &err), 0);
    add(c, COMPARE_A, "recovery_time", &(struct side){low, 8}, false);
    add(c, COMPARE_B, "recovery_time", &(struct side){never, 8}, false);
    CU_ASSERT_EQUAL_FATAL(compare_judge(c, &err), 0);
    const struct compare_target *t = &c->targets[0];
    CU_ASSERT_EQUAL(t->figures[COMPARE_B]->censored, 5);
    CU_ASSERT_TRUE(isnan(t->shift));
    CU_ASSERT_TRUE(isinf(t->shift_upper));
    CU_ASSERT_TRUE(t->shift_lower > 0.5);
    CU_ASSERT_TRUE(isnan(t->seen));
}

/* Less of the service is worse, although the figure is smaller. */
static void test_shares_are_worse_below(void)
{
    CLEANUP_COMPARE struct compare *c = NULL;
    struct err err;
    CU_ASSERT_EQUAL_FATAL(compare_new(0, &c, &err), 0);
    add(c, COMPARE_A, "availability", &(struct side){high, 8}, false);
    add(c, COMPARE_B, "availability", &(struct side){low, 8}, false);
    CU_ASSERT_EQUAL_FATAL(compare_judge(c, &err), 0);
    CU_ASSERT_EQUAL(c->targets[0].word, COMPARE_WORSE);
    CU_ASSERT_DOUBLE_EQUAL(c->targets[0].shift, -1.05, 1e-9);
}

/* Two targets: 4 v 4 cannot show anything, 8 v 8 can, and the smaller p is doubled. */
static void test_several_targets(void)
{
    for (size_t n = 4; n <= 8; n += 4) {
        CLEANUP_COMPARE struct compare *c = NULL;
        struct err err;
        CU_ASSERT_EQUAL_FATAL(compare_new(0, &c, &err), 0);
        static const char *const names[] = {"recovery_time", "detection_time"};
        for (size_t i = 0; i < 2; i++) {
            add(c, COMPARE_A, names[i], &(struct side){low, n}, false);
            add(c, COMPARE_B, names[i], &(struct side){i == 0 ? high : low, n}, false);
        }
        CU_ASSERT_EQUAL_FATAL(compare_judge(c, &err), 0);
        CU_ASSERT_EQUAL(c->n_targets, 2);
        CU_ASSERT_EQUAL(c->targets[0].word, n == 4 ? COMPARE_CANNOT : COMPARE_WORSE);
        CU_ASSERT_EQUAL(c->exit_status, n == 4 ? 3 : 1);
        if (n == 8) {
            CU_ASSERT_DOUBLE_EQUAL(c->targets[0].p, 2 * 2.0 / 12870, 1e-12);
            CU_ASSERT_EQUAL(c->targets[1].word, COMPARE_SAME);
        }
    }
}

/* Three systems: what would be shown of one pair alone is corrected for both pairs. */
static void test_several_pairs(void)
{
    for (size_t n = 4; n <= 8; n += 4) {
        struct compare *list[2];
        struct err err;
        for (int i = 0; i < 2; i++) {
            CU_ASSERT_EQUAL_FATAL(compare_new(0, &list[i], &err), 0);
            add(list[i], COMPARE_A, "recovery_time", &(struct side){low, n}, false);
            add(list[i], COMPARE_B, "recovery_time", &(struct side){i == 0 ? high : low, n}, false);
        }
        CU_ASSERT_EQUAL_FATAL(compare_judge_all(list, 2, &err), 0);
        CU_ASSERT_EQUAL(list[0]->family, 2);
        CU_ASSERT_EQUAL(list[0]->targets[0].word, n == 4 ? COMPARE_CANNOT : COMPARE_WORSE);
        CU_ASSERT_EQUAL(list[0]->exit_status, n == 4 ? 3 : 1);
        CU_ASSERT_EQUAL(list[1]->exit_status, n == 4 ? 3 : 0);
        if (n == 8)
            CU_ASSERT_DOUBLE_EQUAL(list[0]->targets[0].p, 2 * 2.0 / 12870, 1e-12);
        compare_free_at(&list[0]);
        compare_free_at(&list[1]);
    }
}

static void test_an_invalid_series_decides_nothing(void)
{
    CLEANUP_COMPARE struct compare *c = NULL;
    struct err err;
    CU_ASSERT_EQUAL_FATAL(compare_new(0, &c, &err), 0);
    add(c, COMPARE_A, "recovery_time", &(struct side){low, 8}, false);
    add(c, COMPARE_B, "recovery_time", &(struct side){high, 8}, true);
    CU_ASSERT_EQUAL_FATAL(compare_judge(c, &err), 0);
    CU_ASSERT_EQUAL(c->targets[0].word, COMPARE_CANNOT);
    CU_ASSERT_EQUAL(c->exit_status, 3);
}

static void test_a_series_with_a_plan_is_no_sample(void)
{
    CLEANUP_COMPARE struct compare *c = NULL;
    struct err err;
    struct analysis a = {.series = {.decision = DECISION_ACCEPT}};
    CU_ASSERT_EQUAL_FATAL(compare_new(0, &c, &err), 0);
    add(c, COMPARE_A, "recovery_time", &(struct side){low, 8}, false);
    add(c, COMPARE_B, "recovery_time", &(struct side){high, 8}, false);
    CU_ASSERT_EQUAL_FATAL(compare_add(c, COMPARE_A, &a, &err), 0);
    CU_ASSERT_EQUAL_FATAL(compare_judge(c, &err), 0);
    CU_ASSERT_EQUAL(c->exit_status, 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(c->targets[0].why, "stopped by its plan"));
}

static const struct check_test tests[] = {
    {"each p is counted", test_each_p_is_counted},
    {"the published table", test_the_published_table},
    {"the normal one follows", test_the_normal_one_follows},
    {"words and status", test_words_and_status},
    {"the shift", test_the_shift},
    {"censored bounds", test_censored_bounds},
    {"shares are worse below", test_shares_are_worse_below},
    {"several targets", test_several_targets},
    {"several pairs", test_several_pairs},
    {"an invalid series decides nothing", test_an_invalid_series_decides_nothing},
    {"a series with a plan is no sample", test_a_series_with_a_plan_is_no_sample},
};

CHECK_MAIN("compare", tests)
