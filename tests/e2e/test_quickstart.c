/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scenarios/quickstart.yaml on a real etcd cluster passes, and how wide its figure is. Its other
 * verdicts: test_verdicts.c. */
#include "page.h"
#include "quickstart.h"
#include "shell.h"

/* How long the answer took with which the service was back: of the first slot with a good sample
 * behind the last slot without one, as the samples say. A new leader's first answer is slow. */
static double first_answer(const struct e2e *t)
{
    static const char count[] = "END { for (s = 0; s <= top; s++) if (seen[s] && !(s in took)) "
                                "last = s; while (!(++last in took) && last <= top); "
                                "print last <= top ? took[last] : -1 }";
    char command[700], answer[64] = "";
    (void)snprintf(command, sizeof(command),
                   "%s/blackstart samples --probe write %s | awk -F, 'NR > 1 { s = $5 + 0; "
                   "seen[s] = 1; if (s > top) top = s; t = $8 - $6; if ($9 == \"good\" && "
                   "(!(s in took) || t < took[s])) took[s] = t } %s'",
                   BINARY_DIR, t->out, count);
    CU_ASSERT_EQUAL(shell_read(command, answer, sizeof(answer)), 0);
    return strtod(answer, NULL);
}

static double latency_p99(const struct e2e *t)
{
    const json_t *trial = json_array_get(json_object_get(t->result, "trials"), 0);
    return e2e_number(json_array_get(json_object_get(trial, "probes"), 0), "baseline_p99_s");
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
    (void)e2e_wait(&t, QUICKSTART_LIMIT_S);
    e2e_expect_verdict(&t, 0, "pass");
    e2e_expect_clean(&t, 3);
    quickstart_expect_injections(&t, true);
    const json_t *target = e2e_target(&t, "recovery_time");
    double lower = e2e_number(target, "lower_s"), upper = e2e_number(target, "upper_s");
    double p99 = latency_p99(&t), first = first_answer(&t);
    CU_ASSERT(p99 > 0);
    CU_ASSERT(lower > 0 && upper > lower);
    CU_ASSERT(first > 0 && first < 0.6); /* `slow` counts from its sending, this from its time */
    CU_ASSERT(upper - lower <= 2 * 0.1 + first);
    CU_ASSERT_EQUAL(e2e_number(target, "limit_s"), 5);
    CU_ASSERT(e2e_number(t.result, "seed") >= 0);
    CU_ASSERT_EQUAL(strlen(e2e_text(t.result, "scenario_sha256")), 64);
    expect_files(&t);
    expect_page(&t);
    printf("figure: quickstart: recovery %.3f..%.3f s, width %.1f ms (first answer %.1f ms, p99 "
           "%.1f ms)\n",
           lower, upper, (upper - lower) * 1e3, first * 1e3, p99 * 1e3);
    e2e_expect_gone(&t, 5);
    e2e_end(&t);
}

static const struct check_test tests[] = {{"pass", test_pass}};

CHECK_MAIN("quickstart", tests)
