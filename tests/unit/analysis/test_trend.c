/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A target over several runs: which count, what changed, and the line at a run's end. */
#include "analysis/trend.h"
#include "check.h"

#include "story.h"

#include <math.h>

#define RUN(id, text, setup_of, version_of, target)                                                \
    {                                                                                              \
        .run = id, .wall = "2026-01-01T00:00:00Z", .version = version_of, .verdict = "pass",       \
        .sha256 = text, .setup = setup_of, .trials = 1, .targets = target, .n_targets = 1          \
    }
#define TARGET(lo, hi)                                                                             \
    {                                                                                              \
        {                                                                                          \
            "recovery_time", "write", "fault", "s", 5, lo, hi, "pass", "", false                   \
        }                                                                                          \
    }

static struct earlier_target wide[] = TARGET(3.1, 3.4), narrow[] = TARGET(4.8, 4.9),
                             none[] = TARGET(NAN, NAN), other[] = TARGET(9, 9.5),
                             open[] = TARGET(2, INFINITY), here[] = TARGET(4.19, 4.26);

static void print(const struct earlier_run *runs, size_t n, const struct earlier_run *now,
                  struct trend *t, struct arena *arena, struct buf *out)
{
    struct err err;
    CU_ASSERT_EQUAL(trend_make(runs, n, now, trend_main_target(&runs[0]), arena, t, &err), 0);
    trend_print_comparison(t, out);
}

static void test_only_the_same_experiment_is_compared(void)
{
    const struct earlier_run runs[] = {
        RUN("a", "x", "1", "v1", other), RUN("b", "y", "2", "v1", wide),
        RUN("c", "y", "2", "v2", narrow), RUN("d", "y", "3", "v2", other),
        RUN("e", "y", "2", "v2", none)};
    const struct earlier_run now = RUN("now", "y", "2", "v2", here);
    CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
    CLEANUP_BUF struct buf out = BUF_INIT(4096);
    struct trend t;
    print(runs, 5, &now, &t, &arena, &out);
    CU_ASSERT_STRING_EQUAL(buf_text(&out),
                           "earlier: 2 runs, recovery_time of write from fault 3.100 s .. 4.900 s; "
                           "this one 4.190 s .. 4.260 s");
    CU_ASSERT_EQUAL_FATAL(t.n, 6);
    CU_ASSERT_TRUE(t.this_run);
    static const unsigned changed[] = {0,           TREND_SCENARIO, TREND_VERSION,
                                       TREND_SETUP, TREND_SETUP,    0};
    static const bool same[] = {false, true, true, false, true, true};
    for (size_t i = 0; i < 6; i++) {
        CU_ASSERT_EQUAL(t.points[i].changes, changed[i]);
        CU_ASSERT_EQUAL(t.points[i].same, same[i]);
    }
}

static void test_other_packages_are_marked(void)
{
    struct earlier_run runs[] = {RUN("a", "y", "2", "v1", wide), RUN("b", "y", "2", "v1", wide),
                                 RUN("c", "y", "2", "v1", wide)};
    runs[1].packages = "etcd-1"; /* not known before: no mark */
    runs[2].packages = "etcd-2";
    CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
    CLEANUP_BUF struct buf out = BUF_INIT(4096);
    struct trend t;
    print(runs, 3, NULL, &t, &arena, &out);
    CU_ASSERT_EQUAL(t.points[1].changes, 0);
    CU_ASSERT_EQUAL(t.points[2].changes, TREND_PACKAGES);
}

static void test_open_and_not_measured(void)
{
    const struct earlier_run runs[] = {RUN("b", "y", "2", "v1", open)};
    const struct earlier_run now = RUN("now", "y", "2", "v1", none);
    CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
    CLEANUP_BUF struct buf out = BUF_INIT(4096);
    struct trend t;
    print(runs, 1, &now, &t, &arena, &out);
    CU_ASSERT_STRING_EQUAL(buf_text(&out),
                           "earlier: 1 run, recovery_time of write from fault 2.000 s .. open; "
                           "this one not measured");
}

/* What was stopped before a trial had ended is no figure; what had ended is one as any other. */
static void test_stopped_runs(void)
{
    struct earlier_run runs[] = {RUN("a", "y", "2", "v1", other), RUN("b", "y", "2", "v1", wide),
                                 RUN("c", "y", "2", "v1", narrow)};
    struct earlier_run now = RUN("now", "y", "2", "v1", here);
    CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
    CLEANUP_BUF struct buf out = BUF_INIT(4096), both = BUF_INIT(4096), alone = BUF_INIT(4096);
    struct trend t;
    runs[0].stopped = runs[1].stopped = true;
    runs[0].trials = 0;
    print(runs, 3, &now, &t, &arena, &out);
    CU_ASSERT_STRING_EQUAL(
        buf_text(&out), "earlier: 2 runs and 1 that was stopped, recovery_time of write from fault "
                        "3.100 s .. 4.900 s; this one 4.190 s .. 4.260 s");
    CU_ASSERT_EQUAL(t.left_out, 1);
    CU_ASSERT_EQUAL_FATAL(t.n, 3);
    CU_ASSERT_TRUE(t.points[0].stopped);
    CU_ASSERT_FALSE(t.points[1].stopped);
    now.stopped = true;
    now.trials = 0;
    print(&runs[2], 1, &now, &t, &arena, &both);
    CU_ASSERT_STRING_EQUAL(buf_text(&both), "earlier: 1 run, recovery_time of write from fault "
                                            "4.800 s .. 4.900 s; this one was stopped");
    print(runs, 1, &now, &t, &arena, &alone);
    CU_ASSERT_STRING_EQUAL(buf_text(&alone), "earlier: no run that counts, and 1 that was stopped");
}

static void test_nothing_to_compare_with(void)
{
    const struct earlier_run runs[] = {RUN("b", "y", "2", "v1", wide)};
    const struct earlier_run now = RUN("now", "y", "9", "v1", here);
    CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
    CLEANUP_BUF struct buf out = BUF_INIT(4096);
    struct trend t;
    print(runs, 1, &now, &t, &arena, &out);
    CU_ASSERT_STRING_EQUAL(buf_text(&out), "");
    print(runs, 1, NULL, &t, &arena, &out);
    CU_ASSERT_FALSE(t.this_run);
}

/* Two targets that differ in what else was asked for are two. */
static void test_details_are_kept_apart(void)
{
    struct earlier_target both[] = {
        {"latency", "write", "", "s", 1, 0.1, 0.2, "pass", "p50 over 20s", false},
        {"latency", "write", "", "s", 2, 0.8, 0.9, "pass", "p99 over 20s", false}};
    const struct earlier_run runs[] = {{.run = "a",
                                        .wall = "w",
                                        .version = "v",
                                        .verdict = "pass",
                                        .sha256 = "x",
                                        .setup = "1",
                                        .targets = both,
                                        .n_targets = 2}};
    CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
    CLEANUP_BUF struct buf out = BUF_INIT(4096);
    struct trend t;
    struct err err;
    CU_ASSERT_EQUAL(trend_make(runs, 1, &runs[0], &both[1], &arena, &t, &err), 0);
    trend_print_comparison(&t, &out);
    CU_ASSERT_STRING_EQUAL(buf_text(&out),
                           "earlier: 1 run, latency of write p99 over 20s 0.800 s .. 0.900 s; "
                           "this one 0.800 s .. 0.900 s");
}

static void test_a_run_becomes_an_earlier_one(void)
{
    struct story_told told;
    CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
    struct earlier_run run;
    struct err err;
    story_tell(&(struct story){"..............................xxxxxxxxxxxxxxx....................."
                               "................................................",
                               .recovery_limit_ms = 5000, .blast_permille = -1},
               &told);
    CU_ASSERT_EQUAL_FATAL(trend_run_of(told.history, told.analysis, &arena, &run, &err), 0);
    CU_ASSERT_EQUAL(run.trials, 1);
    CU_ASSERT_STRING_EQUAL(run.verdict, "pass");
    CU_ASSERT_EQUAL(strlen(run.setup), 64);
    const struct earlier_target *t = trend_main_target(&run);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t);
    CU_ASSERT_STRING_EQUAL(t->measure, "recovery_time");
    CU_ASSERT_STRING_EQUAL(t->of, "write");
    CU_ASSERT_DOUBLE_EQUAL(t->lower, 1.39, 0.1);
    CU_ASSERT_EQUAL(t->limit, 5);
    story_free(&told);
}

static const struct check_test tests[] = {
    {"stopped runs", test_stopped_runs},
    {"only the same experiment is compared", test_only_the_same_experiment_is_compared},
    {"other packages are marked", test_other_packages_are_marked},
    {"open and not measured", test_open_and_not_measured},
    {"nothing to compare with", test_nothing_to_compare_with},
    {"details are kept apart", test_details_are_kept_apart},
    {"a run becomes an earlier one", test_a_run_becomes_an_earlier_one},
};

CHECK_MAIN("trend", tests)
