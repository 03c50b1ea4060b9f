/* SPDX-License-Identifier: GPL-2.0-or-later */
/* result.json: the comparison with earlier runs, and the compact form of very many trials. */
#include "../analysis/golden.h"
#include "base/cleanup.h"
#include "example.h"
#include "reports/json_compact.h"
#include "reports/result_fields.h"

static void put_run(struct buf *out, const char *run, const char *setup, const char *lower,
                    const char *upper, const char *verdict)
{
    buf_printf(out,
               "{'run':'%s','wall':'2026-03-01T00:00:00Z','version':'0.1','verdict':'%s','sha256':"
               "'0','setup':'%s','trials':1,'targets':[{'measure':'recovery_time','of':'write',"
               "'from':'fault','unit':'s','limit':5.0,'lower':%s,'upper':%s,'verdict':'%s',"
               "'detail':'','side':'at most'}]}",
               run, verdict, setup, lower, upper, verdict);
}

/* Three runs, of which the second is another experiment. */
static void put_earlier(struct buf *out)
{
    char setup[EARLIER_SETUP_TEXT];
    struct err err;
    CU_ASSERT_EQUAL_FATAL(earlier_setup("0", NULL, 0, NULL, setup, &err), 0);
    buf_printf(out, "{'t':1,'ev':'history','setup':'%s','older':3,'runs':[", setup);
    put_run(out, "r1", setup, "1.2", "1.4", "pass");
    buf_puts(out, ",");
    put_run(out, "r2", "other", "5.2", "5.4", "fail");
    buf_puts(out, ",");
    put_run(out, "r3", setup, "0.9", "1.1", "pass");
    buf_puts(out, "]}\n");
}

static const char *word(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));
    return s != NULL ? s : "";
}

static double number(const json_t *o, const char *name)
{
    return json_number_value(json_object_get(o, name));
}

static void test_earlier_runs(void)
{
    struct story_told t;
    CLEANUP_BUF struct buf more = BUF_INIT(1 << 16);
    put_earlier(&more);
    story_tell(&(struct story){OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1,
                               .more = buf_text(&more)},
               &t);
    struct report report = {&t.scenario, t.history, t.analysis, "d"};
    json_t *result = report_json(&report);
    const json_t *earlier = json_object_get(result, "earlier");
    const json_t *target = json_array_get(json_object_get(earlier, "targets"), 0);
    const json_t *runs = json_object_get(target, "runs"), *second = json_array_get(runs, 1);
    CU_ASSERT_EQUAL(number(earlier, "listed"), 3);
    CU_ASSERT_EQUAL(number(earlier, "older"), 3);
    CU_ASSERT_STRING_EQUAL(word(earlier, "comparison"),
                           "earlier: 2 runs, recovery_time of write from fault 0.900 s .. 1.400 s; "
                           "this one 1.490 s .. 1.602 s");
    CU_ASSERT_EQUAL(json_array_size(json_object_get(earlier, "targets")), 1);
    CU_ASSERT_STRING_EQUAL(word(target, "measure"), "recovery_time");
    CU_ASSERT_EQUAL(number(target, "same"), 2);
    CU_ASSERT_DOUBLE_EQUAL(number(target, "same_lower_s"), 0.9, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(number(target, "same_upper_s"), 1.4, 1e-9);
    CU_ASSERT_EQUAL(json_array_size(runs), 3); /* this run is not among them */
    CU_ASSERT_STRING_EQUAL(word(second, "run"), "r2");
    CU_ASSERT_STRING_EQUAL(word(second, "verdict"), "fail");
    CU_ASSERT_TRUE(json_is_false(json_object_get(second, "same")));
    CU_ASSERT_DOUBLE_EQUAL(number(second, "upper_s"), 5.4, 1e-9);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(json_object_get(second, "changes"), 0)),
                           "setup");
    json_decref(result);
    story_free(&t);
}

static void test_no_earlier_runs(void)
{
    struct story_told t;
    story_tell(&(struct story){OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1}, &t);
    struct report report = {&t.scenario, t.history, t.analysis, "d"};
    json_t *result = report_json(&report);
    CU_ASSERT_TRUE(json_is_null(json_object_get(result, "earlier")));
    CU_ASSERT_STRING_EQUAL(word(result, "form"), "full");
    CU_ASSERT_EQUAL(json_array_size(json_object_get(result, "form_left_out")), 0);
    json_decref(result);
    story_free(&t);
}

static const struct field *field_named(const struct section *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->fields[i].name, name) == 0)
            return &s->fields[i];
    return NULL;
}

/* Each field as its row says: there, or not there. Returns how many are not. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static unsigned count_wrong(const json_t *o, const struct section *s)
{
    unsigned wrong = 0;
    const char *name;
    json_t *value, *one;
    size_t k;
    for (size_t i = 0; i < s->n; i++) {
        bool there = json_object_get(o, s->fields[i].name) != NULL;
        bool full = (s->fields[i].how & FULL_ONLY) != 0;
        bool may = (s->fields[i].how & OPTIONAL) != 0;
        wrong += full ? there : !there && !may;
    }
    json_object_foreach((json_t *)(uintptr_t)o, name, value)
    {
        const struct field *f = field_named(s, name);
        wrong += f == NULL;
        if (f != NULL && f->type == FIELD_SECTION && json_is_object(value))
            wrong += count_wrong(value, f->section);
        if (f != NULL && f->type == FIELD_SECTIONS)
            json_array_foreach(value, k, one) wrong += count_wrong(one, f->section);
    }
    return wrong;
}

/* What both have is the same in both. Returns how many values of `small` are not in `whole`. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static unsigned count_other(const json_t *small, const json_t *whole)
{
    unsigned other = 0;
    const char *name;
    json_t *value;
    size_t k;
    if (json_is_array(small)) {
        json_array_foreach((json_t *)(uintptr_t)small, k, value) other +=
            count_other(value, json_array_get(whole, k));
        return other + (json_array_size(small) != json_array_size(whole));
    }
    if (!json_is_object(small))
        return !json_equal(small, whole);
    json_object_foreach((json_t *)(uintptr_t)small, name, value) other +=
        count_other(value, json_object_get(whole, name));
    return other;
}

static bool lists(const json_t *left_out, const char *start)
{
    size_t i;
    const json_t *one;
    json_array_foreach(left_out, i, one)
    {
        if (strncmp(json_string_value(one), start, strlen(start)) == 0)
            return true;
    }
    return false;
}

static size_t rendered(const struct report *report)
{
    CLEANUP_BUF struct buf out = BUF_INIT(REPORT_MAX);
    struct err err;
    CU_ASSERT_EQUAL(report_render_json(report, &out, &err), 0);
    return out.len;
}

/* The same analysis twice: with one trial more than a full form has, and without that one. */
static void check_compact(const struct report *report, struct analysis *a)
{
    json_t *small = report_json(report);
    size_t size = rendered(report), whole_size;
    const json_t *left_out = json_object_get(small, "form_left_out");
    const json_t *trials = json_object_get(small, "trials"), *one = json_array_get(trials, 2);
    CU_ASSERT_STRING_EQUAL(word(small, "form"), "compact");
    CU_ASSERT_EQUAL(json_array_size(trials), JSON_COMPACT_ABOVE + 1);
    CU_ASSERT_EQUAL(count_wrong(small, &result_section), 0);
    CU_ASSERT_TRUE(lists(left_out, "trials.probers: How the probers fared"));
    CU_ASSERT_TRUE(lists(left_out, "trials.probes.baseline_p50_s: "));
    CU_ASSERT_TRUE(lists(left_out, "injections.args: "));
    CU_ASSERT_FALSE(lists(left_out, "trials.targets"));
    CU_ASSERT_PTR_NULL(json_object_get(one, "probers"));
    const json_t *probe = json_array_get(json_object_get(one, "probes"), 0);
    const json_t *outage = json_array_get(json_object_get(probe, "outages"), 0);
    CU_ASSERT_DOUBLE_EQUAL(number(outage, "onset_upper_s"), 43.1, 1e-6);
    const json_t *target = json_array_get(json_object_get(one, "targets"), 0);
    CU_ASSERT_STRING_EQUAL(word(target, "verdict"), "fail");
    CU_ASSERT_TRUE(number(target, "lower_s") > 1.4 && number(target, "upper_s") < 1.7);
    a->n_trials--;
    json_t *whole = report_json(report), *of_whole = json_object_get(whole, "trials");
    whole_size = rendered(report);
    a->n_trials++;
    CU_ASSERT_STRING_EQUAL(word(whole, "form"), "full");
    CU_ASSERT_PTR_NOT_NULL(json_object_get(json_array_get(of_whole, 2), "probers"));
    (void)json_array_append(of_whole, json_array_get(trials, JSON_COMPACT_ABOVE));
    CU_ASSERT_EQUAL(count_other(trials, of_whole), 0);
    CU_ASSERT_EQUAL(
        count_other(json_object_get(small, "injections"), json_object_get(whole, "injections")), 0);
    CU_ASSERT_TRUE(3 * size < whole_size);
    json_decref(whole);
    json_decref(small);
}

static void test_very_many_trials(void)
{
    enum { FIRST = 25, TRIALS = JSON_COMPACT_ABOVE + 1, PER_TRIAL = 3 * (EXAMPLE_SLOTS - FIRST) };
    struct example t;
    struct history *history = NULL;
    struct analysis *analysis = NULL;
    struct err err = {.msg = ""};
    CLEANUP_BUF struct buf lines = BUF_INIT(16 << 20), more = BUF_INIT(16 << 20);
    struct sample *samples CLEANUP_FREE = calloc((size_t)TRIALS * PER_TRIAL, sizeof(*samples));
    CU_ASSERT_PTR_NOT_NULL_FATAL(samples);
    example_tell(&t);
    example_start(&lines);
    example_lines(TRIALS, &more);
    buf_puts(&lines, buf_text(&more));
    CU_ASSERT_EQUAL_FATAL(history_parse(lines.data, lines.len, samples,
                                        example_samples(TRIALS, FIRST, samples), &history, &err),
                          0);
    CU_ASSERT_EQUAL_FATAL(analysis_make(t.scenario, history, &analysis, &err), 0);
    struct report report = {t.scenario, history, analysis, "d"};
    check_compact(&report, analysis);
    analysis_free(analysis);
    history_free(history);
    example_free(&t);
}

static const struct check_test tests[] = {
    {"the comparison with earlier runs", test_earlier_runs},
    {"no earlier runs are known", test_no_earlier_runs},
    {"very many trials: the compact form", test_very_many_trials},
};

CHECK_MAIN("result.json", tests)
