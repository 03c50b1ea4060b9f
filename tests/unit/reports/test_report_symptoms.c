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

/* A family's samples: name{labels} value. */
static void test_metrics(void)
{
#define STATE(shows, state)                                                                        \
    "blackstart_symptom_state{scenario=\"\",symptom=\"" shows "\",state=\"" state
#define TRIALS(state, fault)                                                                       \
    "blackstart_symptom_trials{scenario=\"\",symptom=\"" METRICS_QUOTED "\",state=\"" state        \
    "\",fault=\"" fault "\"} "
#define METRICS_QUOTED "nobody can <buy> & \\\"pay\\\" | `it`"
    static const char *const says[] = {
        "# TYPE blackstart_symptom_state gauge\n",
        STATE(METRICS_QUOTED, "shown\"} 0\n"),
        STATE(METRICS_QUOTED, "not shown\"} 1\n"),
        STATE("the page answers", "shown\"} 1\n"),
        TRIALS("shown", "yes") "1\n",
        TRIALS("not shown", "yes") "1\n",
        TRIALS("shown", "no") "0\n",
        TRIALS("not shown", "no") "1\n",
        TRIALS("not judged", "yes") "0\n",
    };
    CLEANUP_BUF struct buf out = BUF_INIT(4 << 20);
    said(&several, report_render_metrics, &out);
    for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++)
        expect("metrics", buf_text(&out), says[i]);
    /* Two that say the same are two series. */
    const struct scenario_symptom alike[] = {run_symptoms[1], run_symptoms[1]};
    struct story twice = several;
    twice.symptoms = alike;
    CLEANUP_BUF struct buf both = BUF_INIT(4 << 20);
    said(&twice, report_render_metrics, &both);
    expect("metrics", buf_text(&both), STATE("the page answers", "shown\"} 1\n"));
    expect("metrics", buf_text(&both), STATE("the page answers (2)", "shown\"} 1\n"));
}

static json_t *as_json(const struct story *story, render_fn render)
{
    CLEANUP_BUF struct buf out = BUF_INIT(4 << 20);
    said(story, render, &out);
    json_t *o = json_loads(buf_text(&out), JSON_REJECT_DUPLICATES, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    return o;
}

/* An attribute's value as text; "" where there is none. */
static const char *attribute(const json_t *of, const char *key)
{
    size_t i;
    const json_t *item, *value;
    const char *kind;
    json_array_foreach(json_object_get(of, "attributes"), i, item)
    {
        if (strcmp(text_of(item, "key"), key) == 0)
            json_object_foreach(json_object_get((json_t *)item, "value"), kind,
                                value) return json_is_string(value)
                ? json_string_value(value)
                : "a figure";
    }
    return "";
}

/* The n-th event `symptom` of the span of that name. */
static const json_t *symptom_event(const json_t *spans, const char *span, size_t n)
{
    size_t i, k;
    const json_t *item, *event;
    json_array_foreach(spans, i, item)
    {
        json_array_foreach(json_object_get(item, "events"), k, event)
        {
            if (strncmp(text_of(item, "name"), span, strlen(span)) == 0 &&
                strcmp(text_of(event, "name"), "symptom") == 0 && n-- == 0)
                return event;
        }
    }
    return NULL;
}

static void test_trace(void)
{
    json_t *file = as_json(&several, report_render_trace);
    const json_t *spans = NULL;
    CU_ASSERT_EQUAL(
        json_unpack(file, "{s:[{s:[{s:o}]}]}", "resourceSpans", "scopeSpans", "spans", &spans), 0);
    const json_t *e = symptom_event(spans, "trial 1", 0);
    CU_ASSERT_STRING_EQUAL(attribute(e, "blackstart.symptom"), quoted);
    CU_ASSERT_STRING_EQUAL(attribute(e, "blackstart.state"), "shown");
    CU_ASSERT_STRING_EQUAL(attribute(e, "blackstart.expects"), "missed");
    CU_ASSERT_STRING_EQUAL(attribute(e, "blackstart.target"), "availability of write over 1s");
    CU_ASSERT_STRING_EQUAL(attribute(e, "blackstart.upper"), "a figure");
    e = symptom_event(spans, "trial 2", 0);
    CU_ASSERT_STRING_EQUAL(attribute(e, "blackstart.state"), "not shown");
    e = symptom_event(spans, "trial 2", 1);
    CU_ASSERT_STRING_EQUAL(attribute(e, "blackstart.symptom"), "the page answers");
    CU_ASSERT_STRING_EQUAL(attribute(e, "blackstart.state"), "shown");
    e = symptom_event(spans, "run", 0);
    CU_ASSERT_STRING_EQUAL(attribute(e, "blackstart.state"), "not shown");
    CU_ASSERT_STRING_EQUAL(attribute(e, "blackstart.trials"), "2");
    CU_ASSERT_STRING_EQUAL(attribute(e, "blackstart.trials_shown"), "1");
    CU_ASSERT_STRING_EQUAL(attribute(e, "blackstart.without_fault"), "not shown");
    CU_ASSERT_PTR_NULL(symptom_event(spans, "run", 2));
    json_decref(file);
}

/* The n-th look at a symptom. */
static const json_t *symptom_look(const json_t *file, size_t n)
{
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(file, "run"), i, item)
    {
        if (json_object_get(item, "blackstart_symptom") != NULL && n-- == 0)
            return item;
    }
    return NULL;
}

static void test_chaos_toolkit(void)
{
    json_t *file = as_json(&several, report_render_ctk);
    const json_t *shown = symptom_look(file, 2), *not_shown = symptom_look(file, 4);
    CU_ASSERT_PTR_NULL(symptom_look(file, 6)); /* three trials, two symptoms */
    CU_ASSERT_STRING_EQUAL(text_of(shown, "blackstart_symptom"), "shown");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(shown, "blackstart_trial")), 1);
    CU_ASSERT_STRING_EQUAL(text_of(shown, "status"), "succeeded");
    CU_ASSERT_STRING_EQUAL(text_of(not_shown, "blackstart_symptom"), "not shown");
    CU_ASSERT_STRING_EQUAL(text_of(not_shown, "status"), "succeeded"); /* it tells */
    expect("ctk", text_of(not_shown, "output"),
           "not shown: availability of write over 1s must be missed: ");
    expect("ctk", text_of(json_object_get(not_shown, "activity"), "name"), quoted);
    CU_ASSERT_STRING_EQUAL(text_of(json_object_get(not_shown, "blackstart_figures"), "expects"),
                           "missed");
    const json_t *all = json_array_get(json_object_get(file, "blackstart-symptoms"), 0);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(all, "shown")), 1);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(all, "n")), 2);
    json_decref(file);
    /* What the trial leaves open is a look that failed. */
    const struct story open = {OUTAGE,
                               .recovery_limit_ms = 5000,
                               .blast_permille = -1,
                               .symptoms = run_symptoms,
                               .n_symptoms = 2,
                               .steady = "'held':false,'why':'write is bad'"};
    file = as_json(&open, report_render_ctk);
    CU_ASSERT_STRING_EQUAL(text_of(symptom_look(file, 0), "blackstart_symptom"), "not judged");
    CU_ASSERT_STRING_EQUAL(text_of(symptom_look(file, 0), "status"), "failed");
    json_decref(file);
}

/* The n-th annotation with this tag. */
static const json_t *annotation(const json_t *file, const char *tagged, size_t n)
{
    size_t i, k;
    const json_t *item, *tag;
    json_array_foreach(file, i, item)
    {
        json_array_foreach(json_object_get(item, "tags"), k, tag)
        {
            if (strcmp(json_string_value(tag), tagged) == 0 && n-- == 0)
                return item;
        }
    }
    return NULL;
}

/* A region for each symptom of a trial that was to show it, and the run's says how often. */
static void test_annotations(void)
{
    json_t *file = as_json(&several, report_render_grafana);
    CU_ASSERT_PTR_NULL(annotation(file, "symptom", 4)); /* two trials with a fault, two symptoms */
    CU_ASSERT_PTR_NULL(annotation(file, "state:not shown", 1));
    const json_t *not_shown = annotation(file, "state:not shown", 0);
    expect("grafana", text_of(not_shown, "text"), "symptom: nobody can <buy> & \"pay\" | `it`: ");
    expect("grafana", text_of(not_shown, "text"),
           "not shown: availability of write over 1s must be missed: ");
    CU_ASSERT(json_integer_value(json_object_get(not_shown, "timeEnd")) >
              json_integer_value(json_object_get(not_shown, "time")));
    CU_ASSERT_PTR_EQUAL(annotation(file, "symptom", 2), not_shown); /* the second trial's first */
    expect("grafana", text_of(annotation(file, "run", 0), "text"),
           "`it`\": shown in 1 of 2 trials");
    json_decref(file);
    file = as_json(&one, report_render_grafana);
    CU_ASSERT_PTR_NOT_NULL(annotation(file, "state:shown", 0));
    json_decref(file);
}

static const struct check_test tests[] = {
    {"each report names them", test_each_report_names_them},
    {"no case without a fault", test_no_case_without_a_fault},
    {"json", test_json},
    {"metrics", test_metrics},
    {"trace", test_trace},
    {"annotations", test_annotations},
    {"Chaos Toolkit's journal", test_chaos_toolkit},
};

CHECK_MAIN("report symptoms", tests)
