/* SPDX-License-Identifier: GPL-2.0-or-later */
/* summary.md stays below what CI servers take, whatever the run: beyond it they show nothing. */
#include "check.h"
#include "reports/report.h"

enum { TRIALS = 10000, HOSTS = 400, LONG = 4000, CI_MAX = 1 << 20 };

static char text[LONG + 1];
static struct analysis_target targets[HOSTS];
static struct analysis_trial trials[TRIALS];
static struct analysis_outage outage;
static struct analysis_probe probe;
static struct analysis_injection injections[TRIALS];
static struct history_injection injected;
static struct history_evidence evidence;
static struct analysis_ledger ledger;
static struct analysis_host hosts[HOSTS];
static const char *sentences[HOSTS];

/* All texts as long as they can be, of signs that need a backslash each. */
static void fill(void)
{
    memset(text, '|', LONG);
    outage = (struct analysis_outage){.faults = text};
    probe = (struct analysis_probe){
        .name = text, .label = text, .from = text, .outages = &outage, .n_outages = 1};
    ledger = (struct analysis_ledger){.name = text, .sentence = text, .known = true};
    injected = (struct history_injection){.fault = text, .host = text};
    evidence = (struct history_evidence){.what = text};
    for (size_t i = 0; i < HOSTS; i++) {
        targets[i] = (struct analysis_target){
            .measure = text, .of = text, .from = text, .detail = text, .why = text};
        hosts[i] = (struct analysis_host){.name = text};
        sentences[i] = text;
    }
    for (size_t i = 0; i < TRIALS; i++) {
        injections[i] = (struct analysis_injection){
            .of = &injected, .evidence = &evidence, .why = text, .trial = (uint32_t)i};
        trials[i] = (struct analysis_trial){.trial = (uint32_t)i,
                                            .verdict = VERDICT_PASS,
                                            .why = text,
                                            .probes = &probe,
                                            .n_probes = 1,
                                            .ledgers = &ledger,
                                            .n_ledgers = 1};
    }
    trials[7000].verdict = VERDICT_FAIL;
    trials[7000].why = "the one that failed";
}

static void test_ten_thousand_trials(void)
{
    fill();
    json_t *left = json_array();
    for (size_t i = 0; i < HOSTS; i++)
        (void)json_array_append_new(left, json_string(text));
    hosts[0].left = left;
    struct analysis a = {.verdict = VERDICT_FAIL,
                         .why = text,
                         .dirty = true,
                         .targets = targets,
                         .n_targets = HOSTS,
                         .trials = trials,
                         .n_trials = TRIALS,
                         .injections = injections,
                         .n_injections = TRIALS,
                         .hosts = hosts,
                         .n_hosts = HOSTS,
                         .sentences = sentences,
                         .n_sentences = HOSTS};
    struct history h = {.run = text, .scenario = text, .file = text, .sha256 = text};
    struct scenario s = {.name = text};
    struct report report = {.scenario = &s, .history = &h, .analysis = &a, .dir = text};
    CLEANUP_BUF struct buf out = BUF_INIT(REPORT_MAX);
    struct err err;
    CU_ASSERT_EQUAL(report_render_markdown(&report, &out, &err), 0);
    CU_ASSERT_TRUE(out.len < CI_MAX);
    /* The verdict and where it comes from are there all the same, and what is missing is told. */
    CU_ASSERT_EQUAL(strncmp(buf_text(&out), "## ❌ fail: ", strlen("## ❌ fail: ")), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&out), "more in `result.json`"));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&out), "### Where this comes from"));
    json_decref(left);
}

/* Of many trials the one that failed is among those that are shown. */
static void test_what_failed_comes_first(void)
{
    fill();
    struct analysis a = {.verdict = VERDICT_FAIL, .trials = trials, .n_trials = TRIALS};
    struct history h = {.run = "r"};
    struct scenario s = {.name = "s"};
    struct report report = {.scenario = &s, .history = &h, .analysis = &a, .dir = "d"};
    CLEANUP_BUF struct buf out = BUF_INIT(REPORT_MAX);
    struct err err;
    CU_ASSERT_EQUAL(report_render_markdown(&report, &out, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&out), "| 7000 | the one that failed |"));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&out), "\n9800 more in `result.json`.\n"));
}

static const struct check_test tests[] = {
    {"ten thousand trials stay below 1 MiB", test_ten_thousand_trials},
    {"what failed comes first", test_what_failed_comes_first},
};

CHECK_MAIN("report markdown", tests)
