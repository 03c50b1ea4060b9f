/* SPDX-License-Identifier: GPL-2.0-or-later */
/* result.json: times in seconds since the run's start; null where the journal has none. */
#include "reports/figure.h"
#include "reports/json_compact.h"
#include "reports/json_parts.h"
#include "reports/json_series.h"
#include "reports/reproduced.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *copy(const json_t *value)
{
    return value != NULL ? json_deep_copy(value) : json_null();
}

/* limit, lower and upper bear their unit in their names: upper_s. */
static void put_figure(json_t *o, const char *name, const struct analysis_target *t, double value)
{
    char key[32];
    (void)snprintf(key, sizeof(key), "%s%s", name, figure_suffix(t->unit));
    (void)json_object_set_new(o, key, figure(value));
}

static json_t *target_json(const struct analysis_target *t)
{
    json_t *o = json_pack("{s:o, s:o, s:s}", "measure", text(t->measure), "of", text(t->of), "unit",
                          figure_unit(t->unit));
    if (t->from != NULL && t->from[0] != '\0')
        (void)json_object_set_new(o, "from", text(t->from));
    if (t->vantage != NULL && t->vantage[0] != '\0')
        (void)json_object_set_new(o, "vantage", text(t->vantage));
    if (t->detail != NULL && t->detail[0] != '\0')
        (void)json_object_set_new(o, "detail", text(t->detail));
    (void)json_object_set_new(o, "side", json_string(figure_side(t)));
    put_figure(o, "limit", t, t->limit);
    put_figure(o, "lower", t, t->lower);
    put_figure(o, "upper", t, t->upper);
    (void)json_object_set_new(o, "verdict", json_string(verdict_word(t->verdict)));
    (void)json_object_set_new(o, "why", text(t->why));
    (void)json_object_set_new(o, "trial", json_integer(t->trial));
    (void)json_object_set_new(o, "automatic", json_boolean(t->automatic));
    return o;
}

/* The target's figures; what it came to is the symptom's state. */
static json_t *symptom_json(const struct analysis_symptom *s)
{
    json_t *o = target_json(&s->target);
    (void)json_object_del(o, "verdict");
    (void)json_object_del(o, "automatic");
    (void)json_object_set_new(o, "shows", text(s->shows));
    (void)json_object_set_new(o, "expects", json_string(s->missed ? "missed" : "met"));
    (void)json_object_set_new(o, "state", json_string(symptom_word(s->state)));
    (void)json_object_set_new(o, "why", text(s->why));
    return o;
}

json_t *json_symptoms(const struct analysis_symptom *list, size_t n)
{
    json_t *a = json_array();
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(a, symptom_json(&list[i]));
    return a;
}

json_t *json_shown(const struct analysis *a)
{
    json_t *list = json_array();
    for (size_t i = 0; i < a->n_symptoms; i++) {
        const struct analysis_shown *s = &a->shown[i];
        (void)json_array_append_new(
            list,
            json_pack("{s:o, s:i, s:i, s:i, s:i, s:i, s:o}", "shows", text(s->shows), "n",
                      (int)s->n, "shown", (int)s->shown, "not_shown", (int)s->not_shown,
                      "undecided", (int)s->undecided, "left_out", (int)s->left_out, "without_fault",
                      s->dry_known ? json_string(symptom_word(s->dry)) : json_null()));
    }
    return list;
}

static json_t *injection_json(const struct analysis_injection *a)
{
    const struct history_injection *i = a->of;
    json_t *o = json_object();
    const struct history_evidence *e = a->evidence;
    (void)json_object_set_new(o, "id", text(i->id));
    (void)json_object_set_new(o, "trial", json_integer(a->trial));
    (void)json_object_set_new(o, "fault", text(i->fault));
    (void)json_object_set_new(o, "host", text(i->host));
    (void)json_object_set_new(o, "args", copy(i->args));
    (void)json_object_set_new(o, "asked_s", seconds(i->asked_ns));
    (void)json_object_set_new(o, "active_s", seconds(i->active_ns));
    (void)json_object_set_new(o, "revert_asked_s", seconds(i->revert_asked_ns));
    (void)json_object_set_new(o, "reverted_s", seconds(i->undone_ns));
    (void)json_object_set_new(o, "ended_by", text(i->ended_by));
    (void)json_object_set_new(o, "evidence",
                              e != NULL && e->items != NULL ? copy(e->items) : json_object());
    (void)json_object_set_new(o, "what", text(e != NULL ? e->what : NULL));
    (void)json_object_set_new(o, "proven", json_boolean(a->proven));
    (void)json_object_set_new(o, "why", text(a->proven ? NULL : a->why));
    (void)json_object_set_new(o, "restored_by",
                              i->restored_by != RESTORED_BY_NOBODY
                                  ? text(restored_by_word(i->restored_by))
                                  : json_null());
    (void)json_object_set_new(o, "error", text(i->error));
    if (i->wave > 0)
        (void)json_object_set_new(o, "wave", json_integer(i->wave));
    if (i->phase > 0)
        (void)json_object_set_new(o, "phase", json_integer(i->phase));
    return o;
}

static json_t *rollout_json(const struct analysis_rollout *r)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:I, s:I, s:o, s:o, s:f, s:f, s:f}", "step",
                     (json_int_t)r->step, "fault", text(r->fault), "state", text(r->state), "why",
                     r->why[0] != '\0' ? text(r->why) : json_null(), "wave", (json_int_t)r->wave,
                     "waves", (json_int_t)r->waves, "reached", copy(r->reached), "spared",
                     copy(r->spared), "reach", r->reach, "blast_radius_lower", r->blast_lower,
                     "blast_radius_upper", r->blast_upper);
}

static json_t *rollouts_json(const struct analysis_trial *t)
{
    json_t *list = json_array();
    for (size_t i = 0; i < t->n_rollouts; i++)
        (void)json_array_append_new(list, rollout_json(&t->rollouts[i]));
    return list;
}

/* A host that nobody compared with what it was, such as a client without an agent, is neither clean
 * nor dirty. */
static json_t *host_json(const struct analysis_host *h)
{
    return json_pack("{s:o, s:o, s:b, s:o, s:o, s:o}", "name", text(h->name), "clean",
                     h->known ? json_boolean(h->clean) : json_null(), "known", h->known,
                     "differences", h->differences != NULL ? copy(h->differences) : json_array(),
                     "left", h->left != NULL ? copy(h->left) : json_array(), "listed",
                     h->listed != NULL ? copy(h->listed) : json_array());
}

static json_t *outage_json(const struct analysis_outage *o)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:b, s:b, s:b, s:i, s:i, s:s, s:o}", "onset_lower_s",
                     seconds(o->onset.lo), "onset_upper_s", seconds(o->onset.hi),
                     "recovery_lower_s", seconds(o->recovery.lo), "recovery_upper_s",
                     seconds(o->recovery.hi), "recovered", o->recovered, "automatic", o->automatic,
                     "under_fault", o->under_fault, "dips", (int)o->dips, "bad_slots",
                     (int)o->bad_slots, "seen_as", sample_result_word(o->first_result), "faults",
                     text(o->faults));
}

static json_t *probe_json(const struct analysis_probe *p)
{
    json_t *outages = json_array();
    for (size_t i = 0; i < p->n_outages; i++)
        (void)json_array_append_new(outages, outage_json(&p->outages[i]));
    json_t *o = json_pack("{s:o, s:o, s:o, s:b, s:i, s:i, s:i, s:i, s:i}", "name", text(p->name),
                          "from", text(p->from), "rule", text(p->rule), "impacted", p->impacted,
                          "scheduled", (int)p->scheduled, "good", (int)p->good, "bad", (int)p->bad,
                          "gaps", (int)p->gaps, "late", (int)p->late);
    (void)json_object_set_new(o, "every_s", seconds(p->every_ns));
    (void)json_object_set_new(o, "availability_lower", figure(p->availability_lo));
    (void)json_object_set_new(o, "availability_upper", figure(p->availability_hi));
    (void)json_object_set_new(o, "baseline_p50_s",
                              p->baseline_p50_ns < 0 ? json_null() : seconds(p->baseline_p50_ns));
    (void)json_object_set_new(o, "baseline_p99_s",
                              p->baseline_p99_ns < 0 ? json_null() : seconds(p->baseline_p99_ns));
    (void)json_object_set_new(o, "largest_missed_s",
                              p->missed_ns < 0 ? json_null() : seconds(p->missed_ns));
    (void)json_object_set_new(o, "outages", outages);
    (void)json_object_set_new(o, "signal", json_boolean(p->signal));
    if (p->signal) {
        (void)json_object_set_new(o, "detected_lower_s", seconds(p->detected.lo));
        (void)json_object_set_new(o, "detected_upper_s", seconds(p->detected.hi));
        return o;
    }
    (void)json_object_set_new(o, "outage_lower_s", seconds(p->lost.lo));
    (void)json_object_set_new(o, "outage_upper_s", seconds(p->lost.hi));
    return o;
}

static json_t *trial_json(const struct analysis_trial *t)
{
    json_t *targets = json_array(), *probes = json_array();
    for (size_t i = 0; i < t->n_targets; i++)
        (void)json_array_append_new(targets, target_json(&t->targets[i]));
    for (size_t i = 0; i < t->n_probes; i++)
        (void)json_array_append_new(probes, probe_json(&t->probes[i]));
    json_t *o = json_pack(
        "{s:i, s:b, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "trial", (int)t->trial,
        "fault_free", t->fault_free, "verdict", verdict_word(t->verdict), "why", text(t->why),
        "start_s", seconds(t->start_ns), "end_s", seconds(t->end_ns), "targets", targets, "probes",
        probes, "rollouts", rollouts_json(t), "matrix", json_matrix(t), "probers", json_health(t));
    (void)json_object_set_new(o, "outage_lower_s", figure(t->outage_lower));
    (void)json_object_set_new(o, "outage_upper_s", figure(t->outage_upper));
    (void)json_object_set_new(o, "ledgers", json_ledgers(t));
    (void)json_object_set_new(o, "loads", json_traffic(t));
    (void)json_object_set_new(o, "admissions", json_admissions(t));
    (void)json_object_set_new(o, "runbook", json_tasks(t));
    (void)json_object_set_new(o, "symptoms", json_symptoms(t->symptoms, t->n_symptoms));
    return o;
}

static json_t *texts(const char *const *list, size_t n)
{
    json_t *a = json_array();
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(a, text(list[i]));
    return a;
}

/* What the compact form has not goes at once: ten thousand whole trials need much memory. */
static json_t *injections_json(const struct analysis *a, bool compact)
{
    json_t *list = json_array();
    for (size_t i = 0; i < a->n_injections; i++) {
        json_t *o = injection_json(&a->injections[i]);
        (void)json_array_append_new(list, compact ? json_prune(o, "injections") : o);
    }
    return list;
}

static json_t *trials_json(const struct analysis *a, bool compact)
{
    json_t *list = json_array();
    for (size_t i = 0; i < a->n_trials; i++) {
        json_t *o = trial_json(&a->trials[i]);
        (void)json_array_append_new(list, compact ? json_prune(o, "trials") : o);
    }
    return list;
}

static json_t *series_json(const struct analysis *a, bool compact)
{
    json_t *list = json_summaries(a), *one;
    size_t i;
    json_array_foreach(list, i, one)
    {
        if (compact)
            (void)json_prune(one, "series");
    }
    return list;
}

json_t *report_json(const struct report *report)
{
    const struct analysis *a = report->analysis;
    const struct history *h = report->history;
    json_t *targets = json_array(), *hosts = json_array();
    bool compact = json_is_compact(a);
    for (size_t i = 0; i < a->n_targets; i++)
        (void)json_array_append_new(targets, target_json(&a->targets[i]));
    for (size_t i = 0; i < a->n_hosts; i++)
        (void)json_array_append_new(hosts, host_json(&a->hosts[i]));
    json_t *o = json_object();
    (void)json_object_set_new(o, "verdict", json_string(verdict_word(a->verdict)));
    (void)json_object_set_new(o, "why", text(a->why));
    (void)json_object_set_new(o, "exit", json_integer(a->exit_status));
    (void)json_object_set_new(o, "scenario", text(h->scenario));
    (void)json_object_set_new(o, "scenario_sha256", text(h->sha256));
    if (report->scenario->variant != NULL)
        (void)json_object_set_new(o, "variant", text(report->scenario->variant));
    if (report->scenario->outage.title != NULL)
        (void)json_object_set_new(o, "reproduces", reproduced_json(report->scenario));
    (void)json_object_set_new(o, "run", text(h->run));
    (void)json_object_set_new(o, "wall", text(h->wall));
    (void)json_object_set_new(o, "version", text(h->version));
    (void)json_object_set_new(o, "kernel", text(h->kernel));
    (void)json_object_set_new(o, "machine", text(h->machine));
    (void)json_object_set_new(o, "seed", json_integer((json_int_t)h->seed));
    (void)json_object_set_new(o, "no_fault", json_boolean(h->no_fault));
    (void)json_object_set_new(o, "aborted", json_boolean(h->aborted));
    (void)json_object_set_new(o, "stopped", json_boolean(a->stopped));
    (void)json_object_set_new(o, "error", text(h->error));
    (void)json_object_set_new(o, "symptoms", json_symptoms(a->symptoms, a->n_symptoms));
    (void)json_object_set_new(o, "symptoms_shown", json_shown(a));
    (void)json_object_set_new(o, "targets", targets);
    (void)json_object_set_new(o, "injections", injections_json(a, compact));
    (void)json_object_set_new(o, "hosts", hosts);
    (void)json_object_set_new(o, "trials", trials_json(a, compact));
    (void)json_object_set_new(o, "series", series_json(a, compact));
    (void)json_object_set_new(o, "sequential", json_sequential(report));
    (void)json_object_set_new(o, "proves", texts(a->sentences, a->n_sentences));
    (void)json_object_set_new(o, "notes", texts(a->notes, a->n_notes));
    (void)json_object_set_new(o, "earlier", json_earlier(report));
    (void)json_object_set_new(o, "form", json_string(compact ? "compact" : "full"));
    (void)json_object_set_new(o, "form_left_out", compact ? json_left_out() : json_array());
    return o;
}

int report_render_json(const struct report *report, struct buf *out, struct err *err)
{
    json_t *o = report_json(report);
    size_t layout = json_is_compact(report->analysis) ? JSON_COMPACT : JSON_INDENT(2);
    char *dumped = json_dumps(o, layout | JSON_REAL_PRECISION(12));
    json_decref(o);
    if (dumped == NULL)
        return make_error(err, ERR_LIMIT, 0, "out of memory for the result");
    buf_puts(out, dumped);
    buf_puts(out, "\n");
    free(dumped);
    return 0;
}
