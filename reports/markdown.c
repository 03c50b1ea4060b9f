/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * summary.md, for CI's step summaries: the verdict first, then what to do next, then what it rests
 * on. CI servers take less than 1 MiB and drop the whole otherwise, so that rows end before that
 * and say how many are left out; result.json has all.
 */
#include "reports/figure.h"
#include "reports/letter.h"
#include "reports/markdown_text.h"
#include "reports/report.h"
#include "reports/reproduced.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

static const char *sign(enum verdict v)
{
    return v == VERDICT_PASS ? "✅" : v == VERDICT_FAIL ? "❌" : "⚠️";
}

static void put_verdict(struct buf *out, enum verdict v)
{
    buf_printf(out, "| %s %s | ", sign(v), verdict_word(v));
}

static void put_symptoms(struct buf *out, const struct analysis *a)
{
    struct markdown_rows r = {out, 0, 0,
                              "\n| symptom | showed | measured | must be | limit | decided by |\n"
                              "| --- | --- | --- | --- | --- | --- |\n"};
    for (size_t i = 0; i < a->n_symptoms; i++) {
        const struct analysis_symptom *s = &a->symptoms[i];
        CLEANUP_BUF struct buf cell = BUF_INIT(4096);
        if (!markdown_row_begins(&r))
            continue;
        const char *look = sign(figure_symptom_verdict(s->state));
        buf_printf(out, "| %s %s | ", look, symptom_word(s->state));
        markdown_put_cell(out, s->shows);
        figure_put_target(&cell, &s->target);
        markdown_put(out, buf_text(&cell));
        buf_puts(out, ": ");
        figure_put_interval(out, &s->target);
        buf_printf(out, " | %s | %s ", s->missed ? "missed" : "met", figure_side(&s->target));
        figure_put(out, s->target.unit, s->target.limit);
        buf_puts(out, " | ");
        markdown_put(out, s->why);
        buf_puts(out, " |\n");
    }
    markdown_rows_end(&r);
}

static void put_targets(struct buf *out, const struct analysis *a)
{
    struct markdown_rows r = {out, 0, 0,
                              "\n| verdict | target | measured | limit | decided by |\n"
                              "| --- | --- | --- | --- | --- |\n"};
    for (size_t i = 0; i < a->n_targets; i++) {
        const struct analysis_target *t = &a->targets[i];
        CLEANUP_BUF struct buf cell = BUF_INIT(4096);
        if (!markdown_row_begins(&r))
            continue;
        put_verdict(out, t->verdict);
        figure_put_target(&cell, t);
        markdown_put_cell(out, buf_text(&cell));
        if (!isnan(t->lower) || !isnan(t->limit))
            figure_put_interval(out, t);
        buf_puts(out, " | ");
        if (!isnan(t->limit)) {
            buf_printf(out, "%s ", figure_side(t));
            figure_put(out, t->unit, t->limit);
        }
        buf_puts(out, " | ");
        markdown_put(out, t->why);
        buf_puts(out, t->automatic ? " |\n" : " (not an automatic recovery) |\n");
    }
    markdown_rows_end(&r);
}

static void put_next(struct buf *out, const struct analysis *a)
{
    static const char *const next[] = {
        [VERDICT_PASS] = "Nothing failed. More trials (`--trials 30`) prove more than this.",
        [VERDICT_FAIL] =
            "The system missed a target. `report.txt` has the timeline with the services' log "
            "lines around the impact; `blackstart run --hold` with the same seed stops while the "
            "fault is on, so that you can look inside.",
        [VERDICT_INCONCLUSIVE] =
            "The measurement cannot tell, which is no pass. The reason is above: a shorter `every` "
            "narrows the bounds, a longer `observe` sees later recoveries, an idle machine has "
            "fewer gaps.",
        [VERDICT_INVALID] =
            "Nothing can be concluded of the system: the fault was not proven, the system was not "
            "well before it, or the trial did not show what the outage showed. See the proof below "
            "and `report.txt`; `blackstart plan` shows what should have been done to which host.",
        [VERDICT_NOT_JUDGED] = "Nothing was injected, so that there was nothing to judge by.",
    };
    buf_printf(out, "\n**Next:** %s\n", next[a->verdict]);
}

static void put_dirt(struct buf *out, const struct analysis *a)
{
    if (!a->dirty)
        return;
    buf_puts(out, "\n**A host was left dirty.** To put it back by hand:\n\n");
    struct markdown_rows r = {out, 0, 0, ""};
    for (size_t i = 0; i < a->n_hosts; i++) {
        size_t k;
        const json_t *one;
        json_array_foreach(a->hosts[i].left, k, one)
        {
            if (!markdown_row_begins(&r))
                continue;
            buf_puts(out, "- ");
            markdown_put(out, a->hosts[i].name);
            buf_puts(out, ": ");
            markdown_put_code(out, json_string_value(one));
            buf_puts(out, "\n");
        }
    }
    markdown_rows_end(&r);
}

/* Those that did not pass first: of many trials not all have a row. */
static void put_trials(struct buf *out, const struct analysis *a)
{
    struct markdown_rows r = {out, 0, 0, "\n| verdict | trial | why |\n| --- | --- | --- |\n"};
    if (a->n_trials < 2)
        return;
    buf_puts(out, "\n### Trials\n");
    for (int passed = 0; passed < 2; passed++)
        for (size_t i = 0; i < a->n_trials; i++) {
            const struct analysis_trial *t = &a->trials[i];
            if ((t->verdict == VERDICT_PASS) != passed || !markdown_row_begins(&r))
                continue;
            put_verdict(out, t->verdict);
            buf_printf(out, "%u%s | ", t->trial, t->fault_free ? ", without a fault" : "");
            markdown_put(out, t->why);
            buf_puts(out, " |\n");
        }
    markdown_rows_end(&r);
}

static void put_time(struct buf *out, int64_t ns)
{
    if (ns == HISTORY_UNKNOWN)
        buf_puts(out, "?");
    else if (ns == SPAN_OPEN)
        buf_puts(out, "open");
    else
        buf_printf(out, "%.3f s", (double)ns / 1e9);
}

static void put_span(struct buf *out, const struct span *s)
{
    put_time(out, s->lo);
    buf_puts(out, " .. ");
    put_time(out, s->hi);
    buf_puts(out, " | ");
}

static void put_outages(struct buf *out, const struct analysis *a)
{
    struct markdown_rows r = {out, 0, 0,
                              "\n### What users saw\n\n"
                              "| trial | probe | failed from | until | seen as | at the time |\n"
                              "| --- | --- | --- | --- | --- | --- |\n"};
    for (size_t i = 0; i < a->n_trials; i++)
        for (size_t k = 0; k < a->trials[i].n_probes; k++)
            for (size_t n = 0; n < a->trials[i].probes[k].n_outages; n++) {
                const struct analysis_outage *o = &a->trials[i].probes[k].outages[n];
                if (!markdown_row_begins(&r))
                    continue;
                buf_printf(out, "| %u | ", a->trials[i].trial);
                markdown_put_cell(out, a->trials[i].probes[k].label);
                put_span(out, &o->onset);
                put_span(out, &o->recovery);
                buf_printf(out, "%s%s | ", sample_result_word(o->first_result),
                           o->recovered ? "" : ", never recovered");
                markdown_put(out, o->faults[0] != '\0' ? o->faults : "no fault");
                buf_puts(out, " |\n");
            }
    markdown_rows_end(&r);
}

/* Lost writes, a ledger of a trial each. */
static void put_ledgers(struct buf *out, const struct analysis *a)
{
    struct markdown_rows r = {
        out, 0, 0,
        "\n### Acknowledged writes\n\n"
        "| trial | ledger | acknowledged | at risk | lost | phantom | duplicate | what |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |\n"};
    for (size_t i = 0; i < a->n_trials; i++)
        for (size_t k = 0; k < a->trials[i].n_ledgers; k++) {
            const struct analysis_ledger *l = &a->trials[i].ledgers[k];
            if (!markdown_row_begins(&r))
                continue;
            buf_printf(out, "| %u | ", a->trials[i].trial);
            markdown_put_cell(out, l->name);
            buf_printf(out, "%u | %u | ", l->acknowledged, l->at_risk);
            if (!l->known)
                buf_puts(out, "not known");
            else if (l->lost_lower == l->lost_upper)
                buf_printf(out, "%u", l->lost_lower);
            else
                buf_printf(out, "%u .. %u", l->lost_lower, l->lost_upper);
            buf_printf(out, " | %u | %u | ", l->phantoms, l->duplicates);
            markdown_put(out, l->known ? l->sentence : l->why);
            buf_puts(out, " |\n");
        }
    markdown_rows_end(&r);
}

/* Of each load and part of a trial a line. */
static void put_loads(struct buf *out, const struct analysis *a)
{
    struct markdown_rows r = {
        out, 0, 0,
        "\n### Loads\n\n"
        "| trial | load | phase | successes/s | attempts each | p99, ms | given up |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"};
    for (size_t i = 0; i < a->n_trials; i++)
        for (size_t k = 0; k < a->trials[i].n_loads * LOAD_PHASES; k++) {
            const struct analysis_load *l = &a->trials[i].loads[k / LOAD_PHASES];
            const struct analysis_load_counts *c = &l->phases[k % LOAD_PHASES];
            if (c->length_ns == 0 || !markdown_row_begins(&r))
                continue;
            buf_printf(out, "| %u | ", a->trials[i].trial);
            markdown_put_cell(out, l->name);
            buf_printf(out, "%s | %.1f | ", load_phase_word((enum load_phase)(k % LOAD_PHASES)),
                       analysis_load_rate(c));
            if (c->ok > 0)
                buf_printf(out, "%.2f | %.1f", analysis_load_effort(c), (double)c->p99_ns / 1e6);
            else
                buf_puts(out, "- | -");
            buf_printf(out, " | %lld |\n", (long long)c->failed);
        }
    markdown_rows_end(&r);
}

/* Where vantages saw different things, and probers that were not well. */
static void put_doubts(struct buf *out, const struct analysis *a)
{
    struct markdown_rows r = {out, 0, 0, "\n### Vantages and probers\n\n"};
    for (size_t i = 0; i < a->n_trials; i++) {
        const struct analysis_trial *t = &a->trials[i];
        for (size_t k = 0; k < t->matrix.n_disagreements; k++) {
            if (!markdown_row_begins(&r))
                continue;
            buf_printf(out, "- trial %u: ", t->trial);
            markdown_put(out, t->matrix.disagreements[k]);
            buf_puts(out, "\n");
        }
        for (size_t k = 0; k < t->n_health; k++) {
            if (!t->health[k].suspect || !markdown_row_begins(&r))
                continue;
            buf_printf(out, "- trial %u: the prober at ", t->trial);
            markdown_put(out, t->health[k].vantage);
            buf_puts(out, " was not well: ");
            markdown_put(out, t->health[k].why);
            buf_puts(out, "\n");
        }
    }
    markdown_rows_end(&r);
}

static void put_evidence(struct buf *out, const struct history_evidence *e)
{
    const char *name;
    json_t *value;
    CLEANUP_BUF struct buf text = BUF_INIT(4096);
    if (e == NULL)
        return;
    buf_puts(&text, e->what != NULL ? e->what : "");
    json_object_foreach((json_t *)e->items, name, value)
        buf_printf(&text, " %s=%" JSON_INTEGER_FORMAT, name, json_integer_value(value));
    markdown_put(out, buf_text(&text));
}

static void put_admissions(struct buf *out, const struct analysis *a)
{
    struct markdown_rows r = {out, 0, 0,
                              "\n### Asked before\n\n| trial | step | fault | outcome |\n"
                              "| --- | --- | --- | --- |\n"};
    for (size_t i = 0; i < a->n_trials; i++)
        for (size_t k = 0; k < a->trials[i].n_admissions; k++) {
            const struct analysis_admission *n = &a->trials[i].admissions[k];
            if (!markdown_row_begins(&r))
                continue;
            buf_printf(out, "| %u | %" PRId64 " | ", a->trials[i].trial, n->step);
            markdown_put_cell(out, n->fault);
            markdown_put_cell(out, n->sentence);
            buf_puts(out, "\n");
        }
    markdown_rows_end(&r);
}

/* From one instant to another, or nothing. */
static void put_length(struct buf *out, int64_t from, int64_t to)
{
    if (from != HISTORY_UNKNOWN && to != HISTORY_UNKNOWN)
        buf_printf(out, "%.3f s | ", (double)(to - from) / 1e9);
    else
        buf_puts(out, "- | ");
}

static void put_tasks(struct buf *out, const struct analysis *a)
{
    struct markdown_rows r = {
        out, 0, 0,
        "\n### Runbook\n\n| trial | step | command | host | began | person (stated) | "
        "command took |\n| --- | --- | --- | --- | --- | --- | --- |\n"};
    for (size_t i = 0; i < a->n_trials; i++)
        for (size_t k = 0; k < a->trials[i].n_tasks; k++) {
            const struct analysis_task *n = &a->trials[i].tasks[k];
            if (!markdown_row_begins(&r))
                continue;
            buf_printf(out, "| %u | %" PRId64 ".%" PRId64 " | ", a->trials[i].trial, n->step,
                       n->number);
            markdown_put_cell(out, n->name);
            markdown_put_cell(out, n->hosts);
            put_time(out, n->begin_ns);
            buf_puts(out, " | ");
            put_length(out, n->begin_ns, n->typed_ns);
            put_length(out, n->typed_ns, n->end_ns);
            buf_puts(out, "\n");
        }
    markdown_rows_end(&r);
}

static void put_injections(struct buf *out, const struct analysis *a)
{
    struct markdown_rows r = {out, 0, 0,
                              "\n| trial | fault | host | proven | evidence |\n"
                              "| --- | --- | --- | --- | --- |\n"};
    buf_puts(out, "\n### Proof of injection\n");
    if (a->n_injections == 0)
        buf_puts(out, "\nNothing was injected.\n");
    for (int proven = 0; proven < 2; proven++)
        for (size_t i = 0; i < a->n_injections; i++) {
            const struct analysis_injection *n = &a->injections[i];
            if (n->proven != proven || !markdown_row_begins(&r))
                continue;
            buf_printf(out, "| %u | ", n->trial);
            markdown_put_cell(out, n->of->fault);
            markdown_put_cell(out, n->of->host);
            markdown_put_cell(out, n->proven ? "yes" : n->why != NULL ? n->why : "no");
            put_evidence(out, n->evidence);
            buf_puts(out, " |\n");
        }
    markdown_rows_end(&r);
}

static void put_hosts(struct buf *out, const struct analysis *a)
{
    struct markdown_rows r = {out, 0, 0,
                              "\n### Proof of clean-up\n\n| host | state |\n| --- | --- |\n"};
    for (size_t i = 0; i < a->n_hosts; i++) {
        const struct analysis_host *h = &a->hosts[i];
        if (!markdown_row_begins(&r))
            continue;
        buf_puts(out, "| ");
        markdown_put_cell(out, h->name);
        buf_printf(out, "%s |\n", !h->known ? "not looked at" : h->clean ? "clean" : "NOT CLEAN");
    }
    markdown_rows_end(&r);
}

static void put_origin(struct buf *out, const struct report *report)
{
    const struct history *h = report->history;
    buf_puts(out, "\n### Where this comes from\n\nScenario ");
    markdown_put_code(out, h->file);
    buf_puts(out, ", sha256 ");
    markdown_put_code(out, h->sha256);
    buf_puts(out, "; run ");
    markdown_put_code(out, h->run);
    buf_puts(out, " of ");
    markdown_put(out, h->wall);
    buf_printf(out, ", seed %" PRIu64 "%s; blackstart ", h->seed,
               h->no_fault ? ", without faults" : "");
    markdown_put(out, h->version);
    buf_puts(out, " on ");
    markdown_put(out, h->kernel);
    buf_puts(out, ", ");
    markdown_put(out, h->machine);
    buf_puts(out, ". Made from the journal alone; `blackstart report DIR` makes it again.\n");
}

static void put_line(void *ctx, const char *label, const char *text)
{
    struct markdown_rows *r = ctx;
    if (!markdown_row_begins(r))
        return;
    buf_printf(r->out, "- %s: ", label);
    markdown_put(r->out, text);
    buf_puts(r->out, "\n");
}

int report_render_markdown(const struct report *report, struct buf *out, struct err *err)
{
    const struct analysis *a = report->analysis;
    (void)err;
    buf_printf(out, "## %s %s: ", sign(a->verdict), verdict_word(a->verdict));
    markdown_put(out, report->history->scenario);
    buf_puts(out, "\n\n");
    markdown_put(out, a->why);
    buf_puts(out, "\n");
    put_dirt(out, a);
    struct markdown_rows reproduced = {out, 0, 0, "\n"};
    reproduced_lines(report->scenario, put_line, &reproduced);
    markdown_rows_end(&reproduced);
    put_symptoms(out, a);
    put_targets(out, a);
    struct markdown_rows proved = {out, 0, 0, "\n"};
    for (size_t i = 0; i < a->n_sentences; i++) {
        if (!markdown_row_begins(&proved))
            continue;
        buf_puts(out, "- ");
        markdown_put(out, a->sentences[i]);
        buf_puts(out, "\n");
    }
    markdown_rows_end(&proved);
    put_next(out, a);
    put_trials(out, a);
    put_outages(out, a);
    put_ledgers(out, a);
    put_loads(out, a);
    put_doubts(out, a);
    put_admissions(out, a);
    put_tasks(out, a);
    put_injections(out, a);
    put_hosts(out, a);
    put_origin(out, report);
    return 0;
}
