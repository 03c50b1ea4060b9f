/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ledgers and probers measured stands in the formats of others too: trace, annotations, Chaos
 * Toolkit's journal. */
#include "amiss.h"
#include "reports/wall.h"

struct told {
    struct example example;
    struct amiss amiss;
    json_t *file;
};

/* The renderer's file, as JSON; told_free. */
static void tell(struct told *t, int (*render)(const struct report *, struct buf *, struct err *))
{
    struct err err = {.msg = ""};
    CLEANUP_BUF struct buf out = BUF_INIT(REPORT_MAX);
    example_tell(&t->example);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t->example.analysis);
    amiss_put(&t->amiss, &t->example);
    struct report report = {t->example.scenario, t->example.history, t->example.analysis, "d"};
    CU_ASSERT_EQUAL(render(&report, &out, &err), 0);
    t->file = json_loadb(out.data, out.len, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t->file);
}

static void told_free(struct told *t)
{
    json_decref(t->file);
    example_free(&t->example);
}

static const char *word(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));
    return s != NULL ? s : "";
}

/* "" where there is none. */
static const char *attribute(const json_t *of, const char *key)
{
    size_t i;
    const json_t *one, *value = NULL;
    const char *kind, *ret = "";
    json_array_foreach(json_object_get(of, "attributes"), i, one)
    {
        if (strcmp(word(one, "key"), key) != 0)
            continue;
        json_object_foreach(json_object_get((json_t *)one, "value"), kind, value)
        {
            ret = json_is_string(value) ? json_string_value(value)
                  : json_is_true(value) ? "true"
                                        : "false";
        }
    }
    return ret;
}

static const json_t *spans_of(const struct told *t)
{
    const json_t *resource = json_array_get(json_object_get(t->file, "resourceSpans"), 0);
    const json_t *scope = json_array_get(json_object_get(resource, "scopeSpans"), 0);
    return json_object_get(scope, "spans");
}

/* The n-th that bears the name. */
static const json_t *span_named(const struct told *t, const char *name, size_t n)
{
    size_t i;
    const json_t *one;
    json_array_foreach(spans_of(t), i, one)
    {
        if (strcmp(word(one, "name"), name) == 0 && n-- == 0)
            return one;
    }
    return NULL;
}

static int64_t code(const json_t *span)
{
    return json_integer_value(json_object_get(json_object_get(span, "status"), "code"));
}

static void test_trace(void)
{
    struct told t;
    tell(&t, report_render_trace);
    const struct analysis_trial *trial = &t.example.analysis->trials[AMISS_TRIAL];
    /* Trials that did not pass come first: of those, the second is the example's third. */
    const json_t *lost = NULL, *prober = NULL;
    size_t ledgers = 0, suspects = 0, i;
    for (size_t k = 0; k < 4; k++) {
        const json_t *one = span_named(&t, "ledger orders", k);
        const json_t *other = span_named(&t, "prober at client", k);
        ledgers += one != NULL;
        suspects += code(other) == 2;
        lost = strcmp(attribute(one, "blackstart.lost_upper"), "3") == 0 ? one : lost;
        prober = code(other) == 2 ? other : prober;
    }
    CU_ASSERT_EQUAL(ledgers, 4);
    CU_ASSERT_EQUAL(suspects, 1);
    CU_ASSERT_EQUAL(code(lost), 2);
    CU_ASSERT_STRING_EQUAL(word(json_object_get(lost, "status"), "message"), AMISS_SENTENCE);
    CU_ASSERT_STRING_EQUAL(attribute(lost, "blackstart.acknowledged"), "812");
    CU_ASSERT_STRING_EQUAL(attribute(lost, "blackstart.lost_lower"), "2");
    CU_ASSERT_STRING_EQUAL(attribute(lost, "blackstart.known"), "true");
    char at[24];
    (void)snprintf(at, sizeof(at), "%lld", (long long)wall_ns(t.example.history, trial->start_ns));
    CU_ASSERT_STRING_EQUAL(word(lost, "startTimeUnixNano"), at);
    static const char *const fates[] = {"40", "41", "42", "43", "44"};
    const json_t *events = json_object_get(lost, "events"), *event;
    CU_ASSERT_EQUAL(json_array_size(events), AMISS_WRITES);
    json_array_foreach(events, i, event)
    {
        CU_ASSERT_STRING_EQUAL(attribute(event, "blackstart.write"), fates[i]);
        CU_ASSERT_STRING_EQUAL(attribute(event, "blackstart.fate"),
                               write_fate_word(t.amiss.writes[i].fate));
    }
    CU_ASSERT_STRING_EQUAL(attribute(prober, "blackstart.suspect"), "true");
    CU_ASSERT_STRING_EQUAL(word(json_object_get(prober, "status"), "message"), AMISS_WHY);
    CU_ASSERT_STRING_EQUAL(word(prober, "parentSpanId"), word(lost, "parentSpanId"));
    told_free(&t);
}

static bool has_tag(const json_t *annotation, const char *tag)
{
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(annotation, "tags"), i, one)
    {
        if (strcmp(json_string_value(one), tag) == 0)
            return true;
    }
    return false;
}

/* The n-th with the tag. */
static const json_t *tagged(const struct told *t, const char *tag, size_t n)
{
    size_t i;
    const json_t *one;
    json_array_foreach(t->file, i, one)
    {
        if (has_tag(one, tag) && n-- == 0)
            return one;
    }
    return NULL;
}

static void test_annotations(void)
{
    struct told t;
    tell(&t, report_render_grafana);
    const struct analysis_trial *trials = t.example.analysis->trials;
    const struct history *h = t.example.history;
    const json_t *lost = tagged(&t, "fate:lost", 0), *all = tagged(&t, "run", 0);
    CU_ASSERT_PTR_NULL(tagged(&t, "fate:lost", 1));
    CU_ASSERT_TRUE(has_tag(lost, "writes") && has_tag(lost, "ledger:orders"));
    CU_ASSERT_PTR_NOT_NULL(strstr(word(lost, "text"), "2 lost"));
    CU_ASSERT_PTR_NOT_NULL(strstr(word(lost, "text"), AMISS_SENTENCE));
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(lost, "time")),
                    wall_ns(h, t.amiss.writes[0].sent_ns) / NS_PER_MS);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(lost, "timeEnd")),
                    wall_ns(h, t.amiss.writes[2].done_ns) / NS_PER_MS);
    const json_t *unknown = tagged(&t, "fate:not known", 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(word(unknown, "text"), AMISS_NOTHING));
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(unknown, "time")),
                    wall_ns(h, trials[AMISS_UNKNOWN_TRIAL].start_ns) / NS_PER_MS);
    const json_t *prober = tagged(&t, "prober", 0);
    CU_ASSERT_PTR_NULL(tagged(&t, "prober", 1)); /* those that were well are no regions */
    CU_ASSERT_PTR_NOT_NULL(strstr(word(prober, "text"), AMISS_WHY));
    CU_ASSERT_TRUE(has_tag(prober, "vantage:client"));
    /* 99 + 812 + 7 + 99 */
    CU_ASSERT_PTR_NOT_NULL(strstr(word(all, "text"),
                                  "; ledger orders: 1017 acknowledged, 2 to 3 lost, 1 phantoms, 1 "
                                  "duplicates; in 1 of 4 trials what became of them is not known"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(word(all, "text"), "; the prober at client was well in 3 of 4 trials"));
    told_free(&t);
}

/* The n-th activity of that module. */
static const json_t *looked(const json_t *list, const char *module, size_t n)
{
    size_t i;
    const json_t *one;
    json_array_foreach(list, i, one)
    {
        const json_t *activity = json_object_get(one, "activity");
        const json_t *provider = json_object_get(activity != NULL ? activity : one, "provider");
        if (strcmp(word(provider, "module"), module) == 0 && n-- == 0)
            return one;
    }
    return NULL;
}

static void test_chaos_toolkit(void)
{
    struct told t;
    tell(&t, report_render_ctk);
    const json_t *runs = json_object_get(t.file, "run");
    const json_t *method = json_object_get(json_object_get(t.file, "experiment"), "method");
    const json_t *lost = looked(runs, "blackstart.ledgers", AMISS_TRIAL);
    const json_t *figures = json_object_get(lost, "blackstart_figures");
    CU_ASSERT_EQUAL(json_array_size(runs), json_array_size(method));
    CU_ASSERT_PTR_NOT_NULL(looked(method, "blackstart.ledgers", 3));
    CU_ASSERT_PTR_NOT_NULL(looked(method, "blackstart.probers", 3));
    CU_ASSERT_STRING_EQUAL(word(lost, "output"), AMISS_SENTENCE);
    CU_ASSERT_STRING_EQUAL(word(lost, "status"), "succeeded"); /* it was read */
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(figures, "lost_upper")), 3);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(lost, "blackstart_trial")), AMISS_TRIAL);
    CU_ASSERT_PTR_NULL(json_object_get(figures, "writes"));
    const json_t *unknown = looked(runs, "blackstart.ledgers", AMISS_UNKNOWN_TRIAL);
    CU_ASSERT_STRING_EQUAL(word(unknown, "status"), "failed");
    const json_t *prober = looked(runs, "blackstart.probers", AMISS_TRIAL);
    const json_t *well = looked(runs, "blackstart.probers", AMISS_TRIAL + 1);
    CU_ASSERT_STRING_EQUAL(word(prober, "status"), "failed");
    CU_ASSERT_STRING_EQUAL(word(well, "status"), "succeeded");
    CU_ASSERT_STRING_EQUAL(
        json_string_value(json_array_get(json_object_get(prober, "exception"), 0)), AMISS_WHY);
    CU_ASSERT_PTR_NOT_NULL(strstr(word(well, "output"), "the prober at client: "));
    CU_ASSERT_TRUE(
        json_is_false(json_object_get(json_object_get(well, "blackstart_figures"), "suspect")));
    told_free(&t);
}

static const struct check_test tests[] = {
    {"the trace", test_trace},
    {"annotations", test_annotations},
    {"Chaos Toolkit's journal", test_chaos_toolkit},
};

CHECK_MAIN("what ledgers and probers measured", tests)
