/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Symptoms in every report: a run that shows one of two, and a series in which one trial does. */
#include "check.h"
#include "runs.h"

#include "reports/report.h"

static const char quoted[] = "nobody can <buy> & \"pay\" | `it`";

static const struct story one = {QUIET, .recovery_limit_ms = 5000, .blast_permille = -1,
                                 .symptoms = run_symptoms, .n_symptoms = 2};
static const char *const each[] = {QUIET, OUTAGE, QUIET};
static const struct story several = {
    QUIET,       .each = each,      .recovery_limit_ms = 5000, .blast_permille = -1,
    .trials = 3, .dry_first = true, .symptoms = run_symptoms,  .n_symptoms = 2};

static void expect(const char *renderer, const char *text, const char *part)
{
    bool there = strstr(text, part) != NULL;
    CU_ASSERT_TRUE(there);
    if (!there)
        (void)printf("\n  %s does not say: %s\n", renderer, part);
}

typedef int (*render_fn)(const struct report *report, struct buf *out, struct err *err);

static void said(const struct story *story, render_fn render, struct buf *out)
{
    struct story_told t;
    struct err err;
    story_tell(story, &t);
    struct report report = {
        .scenario = &t.scenario, .history = t.history, .analysis = t.analysis, .dir = "d"};
    CU_ASSERT_EQUAL(render(&report, out, &err), 0);
    story_free(&t);
}

static void test_each_report_names_them(void)
{
    static const struct {
        const char *name;
        render_fn render;
        const struct story *of;
        const char *says[4];
    } rows[] = {
        {"html",
         report_render_html,
         &one,
         {"id=\"symptoms\"", "nobody can &lt;buy&gt; &amp; &quot;pay&quot;",
          "availability of write over 1s must be missed", "</span> not shown</span>"}},
        {"html",
         report_render_html,
         &several,
         {"shown in 1 of 2 trials", "shown in 2 of 2 trials", "without a fault: not shown",
          "without a fault: shown"}},
        {"markdown",
         report_render_markdown,
         &one,
         {"| ⚠️ not shown | nobody can \\<buy\\> \\& ",
          "availability of write over 1s: 100.000 % .. 100.000 % | missed | at least 50.000 % | ",
          "| ✅ shown | the page answers | ", "did not show what the outage showed"}},
        {"junit",
         report_render_junit,
         &one,
         {"name=\"trial 0: symptom 1: nobody can &lt;buy&gt; &amp; &quot;pay&quot;",
          "name=\"trial 0: symptom 2: the page answers\" time=\"0.000\"/>",
          "not shown: availability of write over 1s must be missed: ", "<error type=\"invalid\""}},
        {"text",
         report_render_text,
         &several,
         {"shown in 1 of 2 trials", "trial 1: pass", "trial 2: invalid: the reproduction did not",
          "left out: the reproduction did not show"}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CLEANUP_BUF struct buf out = BUF_INIT(4 << 20);
        said(rows[i].of, rows[i].render, &out);
        for (size_t k = 0; k < 4; k++)
            expect(rows[i].name, buf_text(&out), rows[i].says[k]);
    }
}

/* Of a trial without a fault in a series none is asked for: it is right not to show it. */
static void test_no_case_without_a_fault(void)
{
    CLEANUP_BUF struct buf out = BUF_INIT(4 << 20);
    said(&several, report_render_junit, &out);
    CU_ASSERT_PTR_NULL(strstr(buf_text(&out), "trial 0: symptom"));
    expect("junit", buf_text(&out), "trial 1: symptom 1: ");
    const struct story dry = {QUIET,
                              .blast_permille = 1000,
                              .faults = "",
                              .no_fault = true,
                              .symptoms = run_symptoms,
                              .n_symptoms = 2};
    CLEANUP_BUF struct buf alone = BUF_INIT(4 << 20);
    said(&dry, report_render_junit, &alone);
    expect("junit", buf_text(&alone), "trial 0: symptom 1: ");
}

static const char *text_of(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));
    return s != NULL ? s : "";
}

static void test_json(void)
{
    CLEANUP_BUF struct buf out = BUF_INIT(4 << 20);
    said(&several, report_render_json, &out);
    json_t *result = json_loads(buf_text(&out), JSON_REJECT_DUPLICATES, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(result);
    const json_t *s = json_array_get(json_object_get(result, "symptoms"), 0);
    CU_ASSERT_STRING_EQUAL(text_of(s, "shows"), quoted);
    CU_ASSERT_STRING_EQUAL(text_of(s, "expects"), "missed");
    CU_ASSERT_STRING_EQUAL(text_of(s, "state"), "not shown");
    CU_ASSERT_STRING_EQUAL(text_of(s, "measure"), "availability");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(s, "trial")), 2);
    CU_ASSERT_DOUBLE_EQUAL(json_number_value(json_object_get(s, "limit")), 0.5, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(json_number_value(json_object_get(s, "lower")), 1, 1e-9);
    CU_ASSERT_PTR_NULL(json_object_get(s, "verdict"));
    const json_t *all = json_array_get(json_object_get(result, "symptoms_shown"), 0);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(all, "n")), 2);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(all, "shown")), 1);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(all, "not_shown")), 1);
    CU_ASSERT_STRING_EQUAL(text_of(all, "without_fault"), "not shown");
    const json_t *trial = json_array_get(json_object_get(result, "trials"), 1);
    CU_ASSERT_STRING_EQUAL(text_of(json_array_get(json_object_get(trial, "symptoms"), 0), "state"),
                           "shown");
    json_decref(result);
}

static const struct check_test tests[] = {
    {"each report names them", test_each_report_names_them},
    {"no case without a fault", test_no_case_without_a_fault},
    {"json", test_json},
};

CHECK_MAIN("report symptoms", tests)
