/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole runs as reports: what a person and a program must find in each, whatever the wording. */
#include "check.h"
#include "reports/report.h"
#include "runs.h"

static void expect_text(const struct reported *run, const char *text)
{
    const char *at = text;
    for (size_t i = 0; i < REPORTS_MAX && run->says[i] != NULL; i++) {
        const char *found = strstr(at, run->says[i]);
        if (found == NULL) {
            printf("\n  %s: no \"%s\" here or no longer:\n%s", run->name, run->says[i], at);
            CU_FAIL("the report does not say it");
            return;
        }
        at = found + strlen(run->says[i]);
    }
    if (run->never != NULL && strstr(text, run->never) != NULL) {
        printf("\n  %s: \"%s\" in\n%s", run->name, run->never, text);
        CU_FAIL("the report says what is not so");
    }
}

enum type { TEXT, NUMBER, BOOL, LIST, OBJECT };

struct field {
    const char *name;
    enum type type;
    bool may_be_null;
};

static bool is_of_type(const json_t *v, const struct field *f)
{
    if (json_is_null(v))
        return f->may_be_null;
    const bool is[] = {json_is_string(v), json_is_number(v), json_is_boolean(v), json_is_array(v),
                       json_is_object(v)};
    return is[f->type];
}

static void expect_fields(const char *run, const char *where, const json_t *object,
                          const struct field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!is_of_type(json_object_get(object, fields[i].name), &fields[i])) {
            printf("\n  %s: %s.%s is missing or of another type", run, where, fields[i].name);
            CU_FAIL("a field of result.json");
        }
}

static const struct field of_result[] = {
    {"verdict", TEXT, false},         {"exit", NUMBER, false},  {"targets", LIST, false},
    {"injections", LIST, false},      {"hosts", LIST, false},   {"seed", NUMBER, false},
    {"scenario_sha256", TEXT, false}, {"why", TEXT, false},     {"no_fault", BOOL, false},
    {"aborted", BOOL, false},         {"stopped", BOOL, false}, {"trials", LIST, false},
    {"notes", LIST, false},
};
static const struct field of_time[] = {
    {"measure", TEXT, false},  {"of", TEXT, false},       {"limit_s", NUMBER, true},
    {"lower_s", NUMBER, true}, {"upper_s", NUMBER, true}, {"verdict", TEXT, false},
    {"why", TEXT, false},
};
static const struct field of_share[] = {
    {"measure", TEXT, false}, {"of", TEXT, false},     {"limit", NUMBER, true},
    {"lower", NUMBER, true},  {"upper", NUMBER, true}, {"verdict", TEXT, false},
    {"why", TEXT, false},
};
static const struct field of_injection[] = {
    {"fault", TEXT, false},           {"host", TEXT, false},
    {"asked_s", NUMBER, true},        {"active_s", NUMBER, true},
    {"revert_asked_s", NUMBER, true}, {"reverted_s", NUMBER, true},
    {"ended_by", TEXT, true},         {"evidence", OBJECT, false},
    {"proven", BOOL, false},
};
static const struct field of_host[] = {
    {"name", TEXT, false},        {"clean", BOOL, true}, {"known", BOOL, false},
    {"differences", LIST, false}, {"left", LIST, false}, {"listed", LIST, false},
};
#define FIELDS(run, where, object, fields)                                                         \
    expect_fields(run, where, object, fields, sizeof(fields) / sizeof((fields)[0]))

static void expect_json(const struct reported *run, const json_t *result)
{
    size_t i;
    const json_t *one;
    FIELDS(run->name, "result", result, of_result);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(result, "verdict")), run->verdict);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(result, "exit")), run->exit_status);
    json_array_foreach(json_object_get(result, "targets"), i, one)
    {
        const char *unit = json_string_value(json_object_get(one, "unit"));
        CU_ASSERT_PTR_NOT_NULL_FATAL(unit);
        if (strcmp(unit, "s") == 0)
            FIELDS(run->name, "target", one, of_time);
        else
            FIELDS(run->name, "target", one, of_share);
    }
    CU_ASSERT_EQUAL(json_array_size(json_object_get(result, "injections")),
                    run->story.faults != NULL && run->story.faults[0] == '\0' ? 0
                    : run->story.trials > 1 ? run->story.trials - run->story.dry_first
                                            : 1);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(result, "symptoms")), run->story.n_symptoms);
    json_array_foreach(json_object_get(result, "injections"), i, one)
        FIELDS(run->name, "injection", one, of_injection);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(result, "hosts")), 2);
    json_array_foreach(json_object_get(result, "hosts"), i, one)
        FIELDS(run->name, "host", one, of_host);
}

static void report_run(const struct reported *run)
{
    struct story_told t;
    struct err err;
    CLEANUP_BUF struct buf text = BUF_INIT(1 << 20), json = BUF_INIT(1 << 20);
    story_tell(&run->story, &t);
    struct report report = {
        .scenario = &t.scenario, .history = t.history, .analysis = t.analysis, .dir = "d"};
    CU_ASSERT_EQUAL(report_render_text(&report, &text, &err), 0);
    CU_ASSERT_EQUAL(report_render_json(&report, &json, &err), 0);
    expect_text(run, buf_text(&text));
    json_t *result = json_loads(buf_text(&json), JSON_REJECT_DUPLICATES, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(result);
    expect_json(run, result);
    json_decref(result);
    story_free(&t);
}

static void test_runs(void)
{
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
        report_run(&runs[i]);
}

static double number(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

/* The figures are those of the story, in seconds since the run's start. */
static void test_the_figures(void)
{
    struct story_told t;
    story_tell(&runs[0].story, &t);
    struct report report = {
        .scenario = &t.scenario, .history = t.history, .analysis = t.analysis, .dir = "d"};
    json_t *result = report_json(&report);
    const json_t *target = json_array_get(json_object_get(result, "targets"), 0);
    const json_t *injection = json_array_get(json_object_get(result, "injections"), 0);
    CU_ASSERT_DOUBLE_EQUAL(number(target, "lower_s"), 1.490, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(number(target, "upper_s"), 1.602, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(number(target, "limit_s"), 5, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(number(injection, "asked_s"), 3.0, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(number(injection, "active_s"), 3.010, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(number(injection, "revert_asked_s"), 6.0, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(number(injection, "reverted_s"), 6.020, 1e-9);
    CU_ASSERT_EQUAL(number(json_object_get(injection, "evidence"), "n"), 1);
    CU_ASSERT_TRUE(json_is_true(json_object_get(injection, "proven")));
    json_decref(result);
    story_free(&t);
}

/* What no journal has is null, never a number that could be taken for one. */
static void test_what_is_open_is_null(void)
{
    struct story_told t;
    const struct story open = {
        .write = BEFORE BAD_1S5, .recovery_limit_ms = 1000, .blast_permille = -1};
    story_tell(&open, &t);
    struct report report = {
        .scenario = &t.scenario, .history = t.history, .analysis = t.analysis, .dir = "d"};
    json_t *result = report_json(&report);
    const json_t *target = json_array_get(json_object_get(result, "targets"), 0);
    CU_ASSERT_TRUE(json_is_null(json_object_get(target, "upper_s")));
    CU_ASSERT_DOUBLE_EQUAL(number(target, "lower_s"), 1.490, 1e-9);
    json_decref(result);
    story_free(&t);
}

/* A stop and a guard's cut are two things, in the formats for programs too. */
static void test_a_stopped_run(void)
{
    static const char *const status[] = {"\"aborted\"", "\"interrupted\""};
    static const char guard[] = "{'t':5000000000,'ev':'abort','why':'guard','what':'enough'}\n";
    for (int stopped = 0; stopped < 2; stopped++) {
        CLEANUP_BUF struct buf text = BUF_INIT(1 << 20), ctk = BUF_INIT(1 << 20);
        struct story s = runs[0].story;
        struct story_told t;
        struct err err;
        s.trials = s.stop = stopped ? 4 : 0;
        s.dry_first = stopped;
        s.more = stopped ? NULL : guard;
        story_tell(&s, &t);
        t.history->aborted = true;
        struct report report = {
            .scenario = &t.scenario, .history = t.history, .analysis = t.analysis, .dir = "d"};
        json_t *result = report_json(&report);
        CU_ASSERT_EQUAL(json_is_true(json_object_get(result, "stopped")), stopped);
        json_decref(result);
        CU_ASSERT_EQUAL(report_render_ctk(&report, &ctk, &err), 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&ctk), status[stopped]));
        CU_ASSERT_PTR_NULL(strstr(buf_text(&ctk), status[!stopped]));
        CU_ASSERT_EQUAL(report_render_text(&report, &text, &err), 0);
        CU_ASSERT_EQUAL(
            strstr(buf_text(&text), "trial 3 left out: stopped by the person\n") != NULL, stopped);
        story_free(&t);
    }
}

static const struct check_test tests[] = {
    {"runs of every kind", test_runs},
    {"the figures", test_the_figures},
    {"what is open is null", test_what_is_open_is_null},
    {"a stopped run", test_a_stopped_run},
};

CHECK_MAIN("report verdicts", tests)
