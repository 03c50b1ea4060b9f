/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scenarios/quickstart.yaml on a real etcd cluster: each of the verdicts that it can have. */
#include "page.h"

#define QUICKSTART "scenarios/quickstart.yaml"
enum { LIMIT_S = 120 };

static double latency_p99(const struct e2e *t)
{
    const json_t *trial = json_array_get(json_object_get(t->result, "trials"), 0);
    return e2e_number(json_array_get(json_object_get(trial, "probes"), 0), "baseline_p99_s");
}

static void expect_injections(const struct e2e *t, bool proven)
{
    const json_t *list = json_object_get(t->result, "injections"), *one;
    size_t i;
    CU_ASSERT_EQUAL(json_array_size(list), 3);
    json_array_foreach(list, i, one)
    {
        CU_ASSERT_STRING_EQUAL(e2e_text(one, "fault"), "network.partition");
        CU_ASSERT_STRING_EQUAL(e2e_text(one, "ended_by"), "command");
        CU_ASSERT_EQUAL(json_is_true(json_object_get(one, "proven")), proven);
        double dropped = e2e_number(json_object_get(one, "evidence"), "dropped");
        CU_ASSERT(proven ? dropped > 0 : dropped == 0);
        CU_ASSERT(e2e_number(one, "asked_s") > 0);
        CU_ASSERT(e2e_number(one, "active_s") >= e2e_number(one, "asked_s"));
        CU_ASSERT(e2e_number(one, "revert_asked_s") - e2e_number(one, "active_s") > 7.9);
        CU_ASSERT(e2e_number(one, "reverted_s") >= e2e_number(one, "revert_asked_s"));
    }
}

static void expect_files(const struct e2e *t)
{
    static const char *const names[] = {"journal.ndjson", "report.txt",       "result.json",
                                        "report.html",    "samples-0000.bin", "logs/n1",
                                        "logs/n2",        "logs/n3"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[200];
        (void)snprintf(path, sizeof(path), "%s/%s", t->out, names[i]);
        CU_ASSERT_EQUAL(access(path, F_OK), 0);
    }
    CLEANUP_FREE char *report = e2e_read(t->out, "report.txt");
    CU_ASSERT_PTR_NOT_NULL_FATAL(report);
    CU_ASSERT_PTR_NOT_NULL(strstr(report, "pass: every target was met"));
    CU_ASSERT_PTR_NOT_NULL(strstr(report, "the services' log lines around the impact"));
    CU_ASSERT_PTR_NOT_NULL(strstr(report, "lost leader"));
    CLEANUP_FREE char *said = e2e_read(t->dir, "stdout");
    char where[220];
    (void)snprintf(where, sizeof(where), "report: %s/report.html\n", t->out);
    CU_ASSERT_PTR_NOT_NULL_FATAL(said);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, where));
}

/* The run's page in a browser, as a person opens it. */
static void expect_page(const struct e2e *t)
{
    struct browser browser;
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/report.html", t->out);
    bool started = browser_start(&browser);
    CU_ASSERT_TRUE(started);
    if (started) {
        page_look(&browser, "quickstart", path, 400, true);
        page_look(&browser, "quickstart", path, 1600, false);
    }
    browser_stop(&browser);
}

static void test_pass(void)
{
    struct e2e t;
    e2e_begin(&t);
    /* Other programs of the lane share the disk: what is slow may be their doing. */
    e2e_start(
        &t, (const char *const[]){"run", "--set", "slow=500ms", "--out", t.out, QUICKSTART, NULL});
    (void)e2e_wait(&t, LIMIT_S);
    e2e_expect_verdict(&t, 0, "pass");
    e2e_expect_clean(&t, 3);
    expect_injections(&t, true);
    const json_t *target = e2e_target(&t, "recovery_time");
    double lower = e2e_number(target, "lower_s"), upper = e2e_number(target, "upper_s");
    double p99 = latency_p99(&t);
    CU_ASSERT(p99 > 0);
    CU_ASSERT(lower > 0 && upper > lower);
    CU_ASSERT(upper - lower <= 2 * 0.1 + p99);
    CU_ASSERT_EQUAL(e2e_number(target, "limit_s"), 5);
    CU_ASSERT(e2e_number(t.result, "seed") >= 0);
    CU_ASSERT_EQUAL(strlen(e2e_text(t.result, "scenario_sha256")), 64);
    expect_files(&t);
    expect_page(&t);
    printf("figure: quickstart: recovery %.3f..%.3f s, width %.1f ms (p99 %.1f ms)\n", lower, upper,
           (upper - lower) * 1e3, p99 * 1e3);
    e2e_expect_gone(&t, 5);
    e2e_end(&t);
}

/* The reports come from the journal alone: made again they are the same, byte for byte. */
static void expect_same_again(struct e2e *t)
{
    static const char *const names[] = {"result.json", "report.txt", "report.html"};
    enum { N = sizeof(names) / sizeof(names[0]) };
    char *before[N];
    for (int i = 0; i < N; i++) {
        before[i] = e2e_read(t->out, names[i]);
        char path[200];
        (void)snprintf(path, sizeof(path), "%s/%s", t->out, names[i]);
        CU_ASSERT_EQUAL(unlink(path), 0);
    }
    int status = t->status;
    e2e_start(t, (const char *const[]){"report", "--json", t->out, NULL});
    json_decref(t->result);
    CU_ASSERT_EQUAL(e2e_wait(t, 30), status);
    for (int i = 0; i < N; i++) {
        CLEANUP_FREE char *after = e2e_read(t->out, names[i]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(after);
        CU_ASSERT_STRING_EQUAL(after, before[i]);
    }
    CLEANUP_FREE char *printed = e2e_read(t->dir, "stdout");
    CU_ASSERT_STRING_EQUAL(printed, before[0]);
    for (int i = 0; i < N; i++)
        free(before[i]);
}

/* Three labs at once: a target missed, a fault that matches nothing, no fault at all. */
static void test_side_by_side(void)
{
    struct e2e missed, nothing, dry;
    e2e_begin(&missed);
    e2e_begin(&nothing);
    e2e_begin(&dry);
    /* Three clusters on one disk: what is slow for one may be the others' doing. */
    const char *slow = "slow=500ms";
    e2e_start(&missed, (const char *const[]){"run", "--set", "recovery_limit=200ms", "--set", slow,
                                             "--out", missed.out, QUICKSTART, NULL});
    e2e_start(&nothing, (const char *const[]){"run", "--set", "ports=9", "--set", slow, "--out",
                                              nothing.out, QUICKSTART, NULL});
    e2e_start(&dry, (const char *const[]){"run", "--no-fault", "--set", slow, "--json", "--out",
                                          dry.out, QUICKSTART, NULL});
    (void)e2e_wait(&missed, LIMIT_S);
    (void)e2e_wait(&nothing, LIMIT_S);
    (void)e2e_wait(&dry, LIMIT_S);

    e2e_expect_verdict(&missed, 1, "fail");
    e2e_expect_clean(&missed, 3);
    expect_injections(&missed, true);
    CU_ASSERT_STRING_EQUAL(e2e_text(e2e_target(&missed, "recovery_time"), "verdict"), "fail");
    CU_ASSERT_EQUAL(e2e_number(e2e_target(&missed, "recovery_time"), "limit_s"), 0.2);

    e2e_expect_verdict(&nothing, 3, "invalid");
    e2e_expect_clean(&nothing, 3);
    expect_injections(&nothing, false);
    CU_ASSERT_PTR_NOT_NULL(strstr(e2e_text(nothing.result, "why"), "matched nothing"));

    CU_ASSERT_EQUAL(dry.status, 0);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(dry.result, "injections")), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(e2e_text(dry.result, "why"), "no impact"));
    json_t *printed = e2e_json(dry.dir, "stdout");
    CU_ASSERT_TRUE(json_equal(printed, dry.result));
    json_decref(printed);

    expect_same_again(&missed);
    e2e_expect_gone(&missed, 5);
    e2e_expect_gone(&nothing, 5);
    e2e_expect_gone(&dry, 5);
    e2e_end(&missed);
    e2e_end(&nothing);
    e2e_end(&dry);
}

/* etcd on two of its three members is not running: nothing is injected. */
static void test_bad_baseline(void)
{
    struct e2e t;
    e2e_begin(&t);
    e2e_start(&t, (const char *const[]){"run", "--out", t.out, "tests/e2e/etcd_down.yaml", NULL});
    (void)e2e_wait(&t, LIMIT_S);
    e2e_expect_verdict(&t, 3, "invalid");
    CU_ASSERT_EQUAL(json_array_size(json_object_get(t.result, "injections")), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(e2e_text(t.result, "why"), "baseline"));
    CU_ASSERT_PTR_NOT_NULL(strstr(e2e_text(t.result, "why"), "nothing was injected"));
    e2e_expect_clean(&t, 3);
    e2e_expect_gone(&t, 5);
    e2e_end(&t);
}

static const struct check_test tests[] = {
    {"pass", test_pass},
    {"side by side: fail, invalid, without a fault", test_side_by_side},
    {"bad baseline", test_bad_baseline},
};

CHECK_MAIN("quickstart", tests)
