/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * junit.xml: a case for each target of each trial; one for the trial itself, the run itself and
 * each host's clean-up, which bear what no target says, so that no bad run looks green.
 */
#include "reports/figure.h"
#include "reports/letter.h"
#include "reports/report.h"
#include "reports/wall.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { NAME_MAX_BYTES = 4096 };

struct junit {
    const struct report *report;
    struct buf cases;
    unsigned tests, failures, errors, skipped;
};

struct junit_case {
    const char *group; /* "trial 3", "run", "clean-up" */
    const char *name;
    double seconds;
    enum verdict verdict;
    const char *why, *text; /* one line; all of it */
};

static void put_text(struct buf *out, const char *before, const char *s, const char *after)
{
    buf_puts(out, before);
    letter_put_xml(out, s);
    buf_puts(out, after);
}

/* A failure is the system's; an error is that nothing can be said of it. */
static const char *outcome(struct junit *j, enum verdict v)
{
    switch (v) {
    case VERDICT_FAIL:
        j->failures++;
        return "failure";
    case VERDICT_INVALID:
        j->errors++;
        return "error";
    case VERDICT_INCONCLUSIVE:
    case VERDICT_NOT_JUDGED:
        j->skipped++;
        return "skipped";
    case VERDICT_PASS:
        break;
    }
    return NULL;
}

static void put_case(struct junit *j, const struct junit_case *c)
{
    const char *element = outcome(j, c->verdict);
    struct buf *out = &j->cases;
    j->tests++;
    put_text(out, "    <testcase classname=\"", j->report->history->scenario, ".");
    put_text(out, "", c->group, "\" name=\"");
    put_text(out, "", c->name, "\"");
    buf_printf(out, " time=\"%.3f\"", isfinite(c->seconds) && c->seconds > 0 ? c->seconds : 0);
    if (element == NULL) {
        buf_puts(out, "/>\n");
        return;
    }
    buf_printf(out, ">\n      <%s type=\"%s\"", element, verdict_word(c->verdict));
    put_text(out, " message=\"", c->why, "\">");
    put_text(out, "", c->text, "</");
    buf_printf(out, "%s>\n    </testcase>\n", element);
}

/* A recovery's case lasts as long as the recovery at most did, so that a CI server draws that. */
static void put_target(struct junit *j, const struct analysis_trial *t, size_t k)
{
    const struct analysis_target *target = &t->targets[k];
    CLEANUP_BUF struct buf name = BUF_INIT(NAME_MAX_BYTES), text = BUF_INIT(NAME_MAX_BYTES);
    char group[32];
    (void)snprintf(group, sizeof(group), "trial %u", t->trial);
    buf_printf(&name, "%s: ", group);
    figure_put_target(&name, target);
    if (figure_is_twin(t->targets, k)) /* names must differ */
        buf_printf(&name, " (target %zu)", k + 1);
    figure_put_interval(&text, target);
    if (!isnan(target->limit)) {
        buf_printf(&text, ", %s ", figure_side(target));
        figure_put(&text, target->unit, target->limit);
    }
    buf_printf(&text, ": %s", target->why != NULL ? target->why : "");
    put_case(j, &(struct junit_case){.group = group,
                                     .name = buf_text(&name),
                                     .seconds = target->unit == UNIT_SECONDS ? target->upper : 0,
                                     .verdict = target->verdict,
                                     .why = target->why,
                                     .text = buf_text(&text)});
}

static void put_symptom(struct junit *j, const struct analysis_trial *t, size_t k)
{
    const struct analysis_symptom *s = &t->symptoms[k];
    CLEANUP_BUF struct buf name = BUF_INIT(NAME_MAX_BYTES), text = BUF_INIT(NAME_MAX_BYTES);
    char group[32];
    (void)snprintf(group, sizeof(group), "trial %u", t->trial);
    buf_printf(&name, "%s: symptom %zu: %s", group, k + 1, s->shows);
    buf_printf(&text, "%s: ", symptom_word(s->state));
    figure_put_symptom(&text, s);
    buf_printf(&text, "; %s", s->why);
    put_case(j, &(struct junit_case){.group = group,
                                     .name = buf_text(&name),
                                     .verdict = figure_symptom_verdict(s->state),
                                     .why = s->why,
                                     .text = buf_text(&text)});
}

/* The trial's own verdict, where none of its symptoms or targets has it. Of a series' trial without
 * a fault none is asked for. */
static void put_trial(struct junit *j, const struct analysis_trial *t)
{
    char group[32], name[64];
    enum verdict verdict = t->verdict;
    bool asked = !t->fault_free || j->report->history->no_fault;
    for (size_t k = 0; asked && k < t->n_symptoms; k++) {
        put_symptom(j, t, k);
        if (figure_symptom_verdict(t->symptoms[k].state) == t->verdict)
            verdict = VERDICT_PASS;
    }
    for (size_t k = 0; k < t->n_targets; k++) {
        put_target(j, t, k);
        if (t->targets[k].verdict == t->verdict)
            verdict = VERDICT_PASS;
    }
    (void)snprintf(group, sizeof(group), "trial %u", t->trial);
    (void)snprintf(name, sizeof(name), "%s: carried out%s", group,
                   t->fault_free ? " without a fault" : "");
    put_case(j, &(struct junit_case){.group = group,
                                     .name = name,
                                     .seconds = t->end_ns != HISTORY_UNKNOWN
                                                    ? (double)(t->end_ns - t->start_ns) / 1e9
                                                    : 0,
                                     .verdict = verdict,
                                     .why = t->why,
                                     .text = t->why});
}

static bool put_host(struct junit *j, const struct analysis_host *h)
{
    CLEANUP_BUF struct buf name = BUF_INIT(NAME_MAX_BYTES), text = BUF_INIT(1 << 20);
    const json_t *lists[] = {h->differences, h->left};
    bool dirty = h->known && !h->clean;
    if (!h->known)
        return false;
    for (size_t l = 0; l < 2; l++) {
        size_t i;
        const json_t *one;
        json_array_foreach(lists[l], i, one)
            buf_printf(&text, "%s %s\n", l == 0 ? "differs:" : "left:", json_string_value(one));
    }
    buf_printf(&name, "host %s is as it was", h->name);
    put_case(j, &(struct junit_case){.group = "clean-up",
                                     .name = buf_text(&name),
                                     .verdict = dirty ? VERDICT_INVALID : VERDICT_PASS,
                                     .why = "the host was left dirty",
                                     .text = buf_text(&text)});
    return dirty;
}

static void put_cases(struct junit *j)
{
    const struct analysis *a = j->report->analysis;
    bool said = a->verdict == VERDICT_PASS, dirty = false;
    for (size_t i = 0; i < a->n_trials; i++) {
        put_trial(j, &a->trials[i]);
        said = said || a->trials[i].verdict == a->verdict;
    }
    for (size_t i = 0; i < a->n_hosts; i++)
        dirty = put_host(j, &a->hosts[i]) || dirty;
    bool unsaid_dirt = a->dirty && !dirty;
    const char *why = unsaid_dirt ? "a host was left dirty" : a->why;
    put_case(j, &(struct junit_case){.group = "run",
                                     .name = "run: carried out",
                                     .seconds = 0,
                                     .verdict = unsaid_dirt ? VERDICT_INVALID
                                                : said      ? VERDICT_PASS
                                                            : a->verdict,
                                     .why = why,
                                     .text = why});
}

static void put_property(struct buf *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    buf_printf(out, "      <property name=\"%s\" value=\"", name);
    put_text(out, "", value, "\"/>\n");
}

static void put_admissions(struct buf *out, const struct analysis_trial *t)
{
    for (size_t i = 0; i < t->n_admissions; i++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "trial %u, step %lld", t->trial,
                       (long long)t->admissions[i].step);
        put_property(out, name, t->admissions[i].sentence);
    }
}

static void put_properties(struct buf *out, const struct report *report)
{
    const struct history *h = report->history;
    char seed[24], status[12];
    (void)snprintf(seed, sizeof(seed), "%" PRIu64, h->seed);
    (void)snprintf(status, sizeof(status), "%d", report->analysis->exit_status);
    buf_puts(out, "    <properties>\n");
    put_property(out, "verdict", verdict_word(report->analysis->verdict));
    put_property(out, "why", report->analysis->why);
    put_property(out, "exit", status);
    put_property(out, "run", h->run);
    put_property(out, "seed", seed);
    put_property(out, "scenario.file", h->file);
    put_property(out, "scenario.sha256", h->sha256);
    put_property(out, "blackstart.version", h->version);
    put_property(out, "kernel", h->kernel);
    put_property(out, "machine", h->machine);
    for (size_t i = 0; i < report->analysis->n_sentences; i++)
        put_property(out, "proves", report->analysis->sentences[i]);
    for (size_t i = 0; i < report->analysis->n_trials; i++)
        put_admissions(out, &report->analysis->trials[i]);
    buf_puts(out, "    </properties>\n");
}

static void put_counts(struct buf *out, const struct junit *j)
{
    buf_printf(out, " tests=\"%u\" failures=\"%u\" errors=\"%u\" time=\"%.3f\"", j->tests,
               j->failures, j->errors, (double)j->report->history->end_ns / 1e9);
}

int report_render_junit(const struct report *report, struct buf *out, struct err *err)
{
    struct junit j = {.report = report, .cases = BUF_INIT(REPORT_MAX)};
    (void)err;
    put_cases(&j);
    buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"blackstart\"");
    put_counts(out, &j);
    put_text(out, ">\n  <testsuite name=\"", report->history->scenario, "\"");
    put_counts(out, &j);
    buf_printf(out, " skipped=\"%u\" timestamp=\"", j.skipped);
    wall_put(out, report->history, 0);
    buf_puts(out, "\">\n");
    put_properties(out, report);
    buf_puts(out, buf_text(&j.cases));
    buf_puts(out, "  </testsuite>\n</testsuites>\n");
    out->failed = out->failed || j.cases.failed;
    buf_free(&j.cases);
    return 0;
}
