/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal-ctk.json: the run as a Chaos Toolkit journal, for tools that read those. The hypothesis
 * is the targets: "before" is whether the steady state held, "after" is what each target came to.
 * An activity is an injection; its rollback is the revert. What ledgers and probers measured in a
 * trial, and whether it showed what the outage showed, are activities too, of the kind that only
 * looks.
 */
#include "base/clock.h"
#include "reports/figure.h"
#include "reports/json_parts.h"
#include "reports/letter.h"
#include "reports/measured.h"
#include "reports/report.h"
#include "reports/wall.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 8192 };

/* Its times have no zone, and are UTC. */
static json_t *when(const struct history *h, int64_t t)
{
    CLEANUP_BUF struct buf text = BUF_INIT(64);
    wall_put(&text, h, t);
    return json_stringn(buf_text(&text), text.len != 0 ? text.len - 1 : 0);
}

static void put_times(json_t *o, const struct history *h, int64_t from, int64_t to)
{
    if (from == HISTORY_UNKNOWN)
        from = to;
    double took = (double)(wall_ns(h, to) - wall_ns(h, from)) / 1e9;
    (void)json_object_set_new(o, "start", when(h, from));
    (void)json_object_set_new(o, "end", when(h, took < 0 ? from : to));
    (void)json_object_set_new(o, "duration", json_real(took < 0 ? 0 : took));
}

/* Chaos Toolkit knows three kinds of provider; arguments and what stands for the module are ours.
 */
static json_t *activity(const char *type, const char *name, const char *module, const char *func,
                        json_t *arguments)
{
    return json_pack("{s:s, s:o, s:{s:s, s:s, s:o, s:o}}", "type", type, "name", letter_json(name),
                     "provider", "type", "python", "module", module, "func", letter_json(func),
                     "arguments", arguments != NULL ? arguments : json_object());
}

static json_t *target_activity(const struct analysis_target *t)
{
    CLEANUP_BUF struct buf name = BUF_INIT(TEXT_MAX);
    figure_put_target(&name, t);
    return activity("probe", buf_text(&name), "blackstart.targets", t->measure, NULL);
}

static json_t *target_run(const struct report *report, const struct analysis_target *t)
{
    CLEANUP_BUF struct buf output = BUF_INIT(TEXT_MAX);
    figure_put_interval(&output, t);
    buf_printf(&output, ": %s", t->why != NULL ? t->why : "");
    bool pass = t->verdict == VERDICT_PASS;
    json_t *o = json_pack("{s:o, s:o, s:s, s:b, s:s}", "activity", target_activity(t), "output",
                          letter_json(buf_text(&output)), "status",
                          t->verdict == VERDICT_NOT_JUDGED || pass || t->verdict == VERDICT_FAIL
                              ? "succeeded"
                              : "failed",
                          "tolerance_met", pass, "blackstart_verdict", verdict_word(t->verdict));
    put_times(o, report->history, report->history->end_ns, report->history->end_ns);
    return o;
}

/* What was done to a host, or taken back. */
static json_t *injection_run(const struct report *report, const struct analysis_injection *a,
                             bool back)
{
    const struct history_injection *i = a->of;
    json_t *arguments = i->args != NULL ? json_deep_copy(i->args) : json_object();
    CLEANUP_BUF struct buf name = BUF_INIT(TEXT_MAX);
    (void)json_object_set_new(arguments, "blackstart_host", letter_json(i->host));
    buf_printf(&name, "%s%s on %s", back ? "take back " : "", i->fault, i->host);
    bool ok = back ? i->reverted && i->undone_ns != HISTORY_UNKNOWN : i->applied && a->proven;
    const char *output = back ? i->what : a->evidence != NULL ? a->evidence->what : a->why;
    json_t *o =
        json_pack("{s:o, s:o, s:s}", "activity",
                  activity("action", buf_text(&name), "blackstart.faults", i->fault, arguments),
                  "output", letter_json(output), "status", ok ? "succeeded" : "failed");
    if (!ok && (i->error != NULL || a->why != NULL))
        (void)json_object_set_new(
            o, "exception", json_pack("[o]", letter_json(i->error != NULL ? i->error : a->why)));
    if (back)
        put_times(o, report->history, i->revert_asked_ns, i->undone_ns);
    else
        put_times(o, report->history, i->asked_ns, i->active_ns);
    return o;
}

/* What was looked at over a trial. Takes activity and figures. */
static json_t *look_run(const struct report *report, const struct analysis_trial *t,
                        json_t *activity_of, const char *output, const char *why_not,
                        json_t *figures)
{
    json_t *o = json_pack("{s:o, s:o, s:s, s:i, s:o}", "activity", activity_of, "output",
                          letter_json(output), "status", why_not == NULL ? "succeeded" : "failed",
                          "blackstart_trial", (int)t->trial, "blackstart_figures", figures);
    if (why_not != NULL)
        (void)json_object_set_new(o, "exception", json_pack("[o]", letter_json(why_not)));
    put_times(o, report->history, t->start_ns, t->end_ns);
    return o;
}

/* Figures as in result.json, but for the list of writes, which may be long. */
static void put_ledgers(json_t *runs, const struct report *report, const struct analysis_trial *t)
{
    json_t *figures = json_ledgers(t);
    for (size_t i = 0; i < t->n_ledgers; i++) {
        const struct analysis_ledger *l = &t->ledgers[i];
        json_t *of = json_incref(json_array_get(figures, i));
        CLEANUP_BUF struct buf name = BUF_INIT(TEXT_MAX);
        buf_printf(&name, "read ledger %s back", l->name);
        (void)json_object_del(of, "writes");
        (void)json_array_append_new(
            runs, look_run(report, t,
                           activity("probe", buf_text(&name), "blackstart.ledgers", l->kind, NULL),
                           l->sentence, l->known ? NULL : l->why, of));
    }
    json_decref(figures);
}

static void put_probers(json_t *runs, const struct report *report, const struct analysis_trial *t)
{
    json_t *figures = json_health(t);
    for (size_t i = 0; i < t->n_health; i++) {
        const struct analysis_health *h = &t->health[i];
        CLEANUP_BUF struct buf name = BUF_INIT(TEXT_MAX), output = BUF_INIT(TEXT_MAX);
        buf_printf(&name, "the prober at %s keeps time", h->vantage);
        measured_put_prober(&output, h);
        (void)json_array_append_new(
            runs, look_run(report, t,
                           activity("probe", buf_text(&name), "blackstart.probers", "health", NULL),
                           buf_text(&output), h->suspect ? h->why : NULL,
                           json_incref(json_array_get(figures, i))));
    }
    json_decref(figures);
}

/* What the outage showed that is reproduced: a look that succeeds where it tells, either way. */
static void put_symptoms(json_t *runs, const struct report *report, const struct analysis_trial *t)
{
    json_t *figures = json_symptoms(t->symptoms, t->n_symptoms);
    for (size_t i = 0; i < t->n_symptoms; i++) {
        const struct analysis_symptom *s = &t->symptoms[i];
        bool told = s->state == SYMPTOM_SHOWN || s->state == SYMPTOM_NOT_SHOWN;
        CLEANUP_BUF struct buf name = BUF_INIT(TEXT_MAX), output = BUF_INIT(TEXT_MAX);
        buf_printf(&name, "symptom %zu: %s", i + 1, s->shows);
        buf_printf(&output, "%s: ", symptom_word(s->state));
        figure_put_symptom(&output, s);
        json_t *o = look_run(
            report, t,
            activity("probe", buf_text(&name), "blackstart.symptoms", s->target.measure, NULL),
            buf_text(&output), told ? NULL : s->why, json_incref(json_array_get(figures, i)));
        (void)json_object_set_new(o, "blackstart_symptom", json_string(symptom_word(s->state)));
        (void)json_array_append_new(runs, o);
    }
    json_decref(figures);
}

/* All that was done and looked at, in the order of kinds. */
static json_t *all_runs(const struct report *report)
{
    const struct analysis *a = report->analysis;
    json_t *runs = json_array();
    for (size_t i = 0; i < a->n_injections; i++)
        (void)json_array_append_new(runs, injection_run(report, &a->injections[i], false));
    for (size_t i = 0; i < a->n_trials; i++) {
        put_symptoms(runs, report, &a->trials[i]);
        put_ledgers(runs, report, &a->trials[i]);
        put_probers(runs, report, &a->trials[i]);
    }
    return runs;
}

static json_t *steady_before(const struct report *report)
{
    const struct history *h = report->history;
    bool held = h->n_trials != 0;
    json_t *probes = json_array();
    for (size_t i = 0; i < h->n_trials; i++) {
        const struct history_trial *t = &h->trials[i];
        held = held && t->steady_known && t->steady_held;
        json_t *o = json_pack(
            "{s:o, s:o, s:s, s:b}", "activity",
            activity("probe", "all probes are good", "blackstart.steady", "steady", NULL), "output",
            letter_json(t->steady_why), "status", t->steady_known ? "succeeded" : "failed",
            "tolerance_met", t->steady_known && t->steady_held);
        put_times(o, h, t->start_ns, t->steady_ns);
        (void)json_array_append_new(probes, o);
    }
    return json_pack("{s:b, s:o}", "steady_state_met", held, "probes", probes);
}

static json_t *steady_after(const struct report *report)
{
    const struct analysis *a = report->analysis;
    json_t *probes = json_array();
    for (size_t i = 0; i < a->n_targets; i++)
        (void)json_array_append_new(probes, target_run(report, &a->targets[i]));
    return json_pack("{s:b, s:o}", "steady_state_met", a->verdict == VERDICT_PASS, "probes",
                     probes);
}

/* runs: what came of the method. */
static json_t *experiment(const struct report *report, const json_t *runs)
{
    const struct analysis *a = report->analysis;
    const struct history *h = report->history;
    json_t *hypothesis = json_array(), *method = json_array(), *rollbacks = json_array();
    const char *title = h->scenario != NULL ? h->scenario : h->file;
    const char *what = report->scenario->description;
    for (size_t i = 0; i < a->n_targets; i++) {
        json_t *probe = target_activity(&a->targets[i]);
        (void)json_object_set_new(probe, "tolerance", json_true());
        (void)json_array_append_new(hypothesis, probe);
    }
    size_t k;
    const json_t *run;
    json_array_foreach(runs, k, run)(void)
        json_array_append(method, json_object_get(run, "activity"));
    return json_pack("{s:s, s:o, s:o, s:[s], s:{s:s, s:o}, s:o, s:o}", "version", "1.0.0", "title",
                     letter_json(title), "description", letter_json(what != NULL ? what : title),
                     "tags", "blackstart", "steady-state-hypothesis", "title",
                     "every target is met", "probes", hypothesis, "method", method, "rollbacks",
                     rollbacks);
}

/* What Chaos Toolkit calls a run that found the system deviating, one that did not get so far, and
 * one that was stopped. */
static const char *status_word(const struct report *report)
{
    const struct history *h = report->history;
    enum verdict v = report->analysis->verdict;
    if (h->aborted)
        return history_stopped(h) ? "interrupted" : "aborted";
    return v == VERDICT_INCONCLUSIVE || v == VERDICT_INVALID ? "failed" : "completed";
}

static json_t *journal(const struct report *report)
{
    const struct analysis *a = report->analysis;
    const struct history *h = report->history;
    json_t *runs = all_runs(report), *rollbacks = json_array(), *o = json_object();
    CLEANUP_BUF struct buf platform = BUF_INIT(TEXT_MAX);
    buf_printf(&platform, "Linux-%s-%s", h->kernel != NULL ? h->kernel : "",
               h->machine != NULL ? h->machine : "");
    for (size_t i = 0; i < a->n_injections; i++)
        if (a->injections[i].of->revert_asked_ns != HISTORY_UNKNOWN)
            (void)json_array_append_new(rollbacks, injection_run(report, &a->injections[i], true));
    (void)json_object_set_new(o, "chaoslib-version", json_string("1.0.0"));
    (void)json_object_set_new(o, "blackstart-version", letter_json(h->version));
    (void)json_object_set_new(o, "blackstart-run", letter_json(h->run));
    (void)json_object_set_new(o, "blackstart-verdict", json_string(verdict_word(a->verdict)));
    (void)json_object_set_new(o, "blackstart-symptoms", json_shown(a));
    (void)json_object_set_new(o, "platform", letter_json(buf_text(&platform)));
    (void)json_object_set_new(o, "node", json_string("blackstart"));
    (void)json_object_set_new(o, "experiment", experiment(report, runs));
    put_times(o, h, 0, h->end_ns);
    (void)json_object_set_new(o, "status", json_string(status_word(report)));
    (void)json_object_set_new(o, "deviated", json_boolean(a->verdict == VERDICT_FAIL));
    (void)json_object_set_new(o, "steady_states",
                              json_pack("{s:o, s:o, s:[]}", "before", steady_before(report),
                                        "after", steady_after(report), "during"));
    (void)json_object_set_new(o, "run", runs);
    (void)json_object_set_new(o, "rollbacks", rollbacks);
    return o;
}

int report_render_ctk(const struct report *report, struct buf *out, struct err *err)
{
    json_t *o = journal(report);
    char *dumped = json_dumps(o, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
    json_decref(o);
    if (dumped == NULL)
        return make_error(err, ERR_LIMIT, 0, "out of memory for the journal");
    buf_puts(out, dumped);
    buf_puts(out, "\n");
    free(dumped);
    return 0;
}
