/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace.json: the body of an OTLP/HTTP request to /v1/traces, as the OpenTelemetry protocol writes
 * JSON (ids as hexadecimal digits, 64-bit numbers as strings, enums as numbers). Run > trial >
 * steps, injections, outages, ledgers, probers. Ids come from the run's own, so that a file made
 * again is the same and a collector that gets it twice has it once.
 */
#include "base/digest.h"
#include "reports/figure.h"
#include "reports/letter.h"
#include "reports/measured.h"
#include "reports/otlp.h"
#include "reports/report.h"
#include "reports/wall.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What collectors take in one request (20 MiB) and keep of one span, by default. */
enum { DETAILS_MAX = 10000, EVENTS_MAX = 128 };

/* Ids are made of these: a new one comes last. */
enum span_kind {
    SPAN_RUN,
    SPAN_TRIAL,
    SPAN_STEP,
    SPAN_INJECTION,
    SPAN_OUTAGE,
    SPAN_TRACE,
    SPAN_LEDGER,
    SPAN_PROBER
};
enum { OTLP_INTERNAL = 1, OTLP_STATUS_UNSET = 0, OTLP_STATUS_OK = 1, OTLP_STATUS_ERROR = 2 };

struct trace {
    const struct report *report;
    json_t *spans;
    uint64_t seed;
    char id[33], run[17];
    size_t details, dropped;
    int events_dropped; /* of the span that is being made */
};

struct span_ids {
    char id[17], parent[17];
};

/* Spreads the bits of a digest: collectors sample by parts of an id. Never 0, which is no id. */
static uint64_t mixed(uint64_t d)
{
    d ^= d >> 30;
    d *= UINT64_C(0xbf58476d1ce4e5b9);
    d ^= d >> 27;
    d *= UINT64_C(0x94d049bb133111eb);
    d ^= d >> 31;
    return d != 0 ? d : 1;
}

static void span_id(const struct trace *t, enum span_kind kind, uint64_t trial, uint64_t index,
                    char ret[17])
{
    const uint64_t parts[] = {kind, trial, index};
    uint64_t d = t->seed;
    digest_add(&d, parts, sizeof(parts));
    (void)snprintf(ret, 17, "%016" PRIx64, mixed(d));
}

static void trace_ids(struct trace *t)
{
    const struct history *h = t->report->history;
    const char *const parts[] = {h->run, h->wall, h->sha256};
    t->seed = DIGEST_START;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        digest_text(&t->seed, parts[i] != NULL ? parts[i] : "");
    span_id(t, SPAN_TRACE, 0, 0, t->id);
    span_id(t, SPAN_TRACE, 0, 1, t->id + 16);
    span_id(t, SPAN_RUN, 0, 0, t->run);
}

static json_t *nanos(const struct trace *t, int64_t ns)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRId64, wall_ns(t->report->history, ns));
    return json_string(text);
}

/* False once there is no room. */
static bool has_room(struct trace *t)
{
    t->details += t->details < DETAILS_MAX;
    return t->details < DETAILS_MAX;
}

/* The same, of a span: what is left out is counted. */
static bool has_room_for_span(struct trace *t)
{
    bool room = has_room(t);
    t->dropped += !room;
    return room;
}

static void add_event(struct trace *t, json_t *events, int64_t at, const char *name,
                      json_t *attributes)
{
    if (at == HISTORY_UNKNOWN || json_array_size(events) >= EVENTS_MAX || !has_room(t)) {
        t->events_dropped += at != HISTORY_UNKNOWN;
        json_decref(attributes);
        return;
    }
    (void)json_array_append_new(events,
                                json_pack("{s:o, s:o, s:o}", "timeUnixNano", nanos(t, at), "name",
                                          letter_json(name), "attributes", attributes));
}

/* Takes attributes and events. A span that never ended ends with the journal. */
static void add_span(struct trace *t, const struct span_ids *ids, const char *name,
                     const struct span *when, json_t *attributes, json_t *events, int status,
                     const char *message)
{
    int64_t lo = wall_ns(t->report->history, when->lo), hi = wall_ns(t->report->history, when->hi);
    json_t *o =
        json_pack("{s:s, s:s, s:o, s:i, s:o, s:o, s:o, s:o}", "traceId", t->id, "spanId", ids->id,
                  "name", letter_json(name), "kind", OTLP_INTERNAL, "startTimeUnixNano",
                  nanos(t, when->lo), "endTimeUnixNano", nanos(t, hi < lo ? when->lo : when->hi),
                  "attributes", attributes, "events", events);
    if (ids->parent[0] != '\0')
        (void)json_object_set_new(o, "parentSpanId", json_string(ids->parent));
    if (t->events_dropped != 0)
        (void)json_object_set_new(o, "droppedEventsCount", json_integer(t->events_dropped));
    t->events_dropped = 0;
    json_t *state = json_pack("{s:i}", "code", status);
    if (status == OTLP_STATUS_ERROR && message != NULL)
        (void)json_object_set_new(state, "message", letter_json(message));
    (void)json_object_set_new(o, "status", state);
    (void)json_array_append_new(t->spans, o);
}

static int status_of(enum verdict v)
{
    return v == VERDICT_PASS         ? OTLP_STATUS_OK
           : v == VERDICT_NOT_JUDGED ? OTLP_STATUS_UNSET
                                     : OTLP_STATUS_ERROR;
}

/* What a target came to, as an event where its trial ends. */
static void add_target(struct trace *t, json_t *events, int64_t at,
                       const struct analysis_target *target)
{
    json_t *list = json_array();
    CLEANUP_BUF struct buf name = BUF_INIT(4096);
    figure_put_target(&name, target);
    otlp_text(list, "blackstart.target", buf_text(&name));
    otlp_text(list, "blackstart.verdict", verdict_word(target->verdict));
    otlp_text(list, "blackstart.unit", figure_unit(target->unit));
    otlp_real(list, "blackstart.lower", target->lower);
    otlp_real(list, "blackstart.upper", target->upper);
    otlp_real(list, "blackstart.limit", target->limit);
    otlp_text(list, "blackstart.why", target->why);
    add_event(t, events, at, "target", list);
}

/* all: over the run's trials; NULL: of one trial. */
static void add_symptom(struct trace *t, json_t *events, int64_t at,
                        const struct analysis_symptom *s, const struct analysis_shown *all)
{
    json_t *list = json_array();
    CLEANUP_BUF struct buf name = BUF_INIT(4096);
    figure_put_target(&name, &s->target);
    otlp_text(list, "blackstart.symptom", s->shows);
    otlp_text(list, "blackstart.state", symptom_word(s->state));
    otlp_text(list, "blackstart.target", buf_text(&name));
    otlp_text(list, "blackstart.expects", s->missed ? "missed" : "met");
    otlp_text(list, "blackstart.unit", figure_unit(s->target.unit));
    otlp_real(list, "blackstart.lower", s->target.lower);
    otlp_real(list, "blackstart.upper", s->target.upper);
    otlp_real(list, "blackstart.limit", s->target.limit);
    otlp_text(list, "blackstart.why", s->why);
    if (all != NULL) {
        otlp_int(list, "blackstart.trials", all->n);
        otlp_int(list, "blackstart.trials_shown", all->shown);
        otlp_text(list, "blackstart.without_fault", all->dry_known ? symptom_word(all->dry) : NULL);
    }
    add_event(t, events, at, "symptom", list);
}

static void add_injection(struct trace *t, const struct span_ids *ids,
                          const struct analysis_injection *a)
{
    const struct history_injection *i = a->of;
    json_t *list = json_array(), *events = json_array();
    char *args = i->args != NULL ? json_dumps(i->args, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    const char *name;
    json_t *value;
    otlp_text(list, "blackstart.injection", i->id);
    otlp_text(list, "blackstart.fault", i->fault);
    otlp_text(list, "blackstart.host", i->host);
    otlp_text(list, "blackstart.args", args);
    otlp_bool(list, "blackstart.proven", a->proven);
    otlp_text(list, "blackstart.ended_by", i->ended_by);
    if (a->evidence != NULL) {
        otlp_text(list, "blackstart.evidence", a->evidence->what);
        json_object_foreach((json_t *)a->evidence->items, name, value)
        {
            char key[128];
            (void)snprintf(key, sizeof(key), "blackstart.evidence.%s", name);
            CLEANUP_BUF struct buf clean = BUF_INIT(1024);
            for (const char *k = key; *k != '\0';)
                letter_put(&clean, letter_next(&k));
            otlp_int(list, buf_text(&clean), json_integer_value(value));
        }
    }
    add_event(t, events, i->active_ns, "verified active", json_array());
    add_event(t, events, i->revert_asked_ns, "revert asked", json_array());
    free(args);
    const char *why = i->error != NULL ? i->error : a->why;
    add_span(t, ids, i->fault, &(struct span){i->asked_ns, i->undone_ns}, list, events,
             a->proven ? OTLP_STATUS_OK : OTLP_STATUS_ERROR, why);
}

static void add_outage(struct trace *t, const struct span_ids *ids, const struct analysis_probe *p,
                       const struct analysis_outage *o)
{
    json_t *list = json_array();
    CLEANUP_BUF struct buf name = BUF_INIT(4096);
    buf_printf(&name, "outage of %s", p->name);
    otlp_text(list, "blackstart.probe", p->name);
    otlp_text(list, "blackstart.vantage", p->from);
    otlp_text(list, "blackstart.seen_as", sample_result_word(o->first_result));
    otlp_text(list, "blackstart.faults", o->faults);
    otlp_bool(list, "blackstart.recovered", o->recovered);
    otlp_int(list, "blackstart.bad_slots", o->bad_slots);
    otlp_int(list, "blackstart.dips", o->dips);
    otlp_real(list, "blackstart.onset_upper_s", (double)o->onset.hi / 1e9);
    otlp_real(list, "blackstart.recovery_lower_s", (double)o->recovery.lo / 1e9);
    add_span(t, ids, buf_text(&name), &(struct span){o->onset.lo, o->recovery.hi}, list,
             json_array(), OTLP_STATUS_ERROR, sample_result_word(o->first_result));
}

/* Where a step that begins at event k ended. */
static const struct history_event *step_end(const struct history *h, size_t k)
{
    const json_t *number = json_object_get(h->events[k].members, "step");
    for (size_t i = k + 1; i < h->n_events && h->events[i].trial == h->events[k].trial; i++) {
        const json_t *members = h->events[i].members;
        const char *state = json_string_value(json_object_get(members, "state"));
        if (strcmp(h->events[i].ev, "step") == 0 && state != NULL && strcmp(state, "begin") != 0 &&
            json_equal(json_object_get(members, "step"), number))
            return &h->events[i];
    }
    return NULL;
}

static void add_step(struct trace *t, const struct span_ids *ids, size_t k, int64_t otherwise)
{
    const struct history *h = t->report->history;
    const struct history_event *begin = &h->events[k], *end = step_end(h, k);
    const char *what = json_string_value(json_object_get(begin->members, "what"));
    const char *state =
        end != NULL ? json_string_value(json_object_get(end->members, "state")) : NULL;
    bool failed = state != NULL && strcmp(state, "failed") == 0;
    const char *why = end != NULL ? json_string_value(json_object_get(end->members, "what")) : NULL;
    json_t *list = json_array();
    otlp_text(list, "blackstart.state", state != NULL ? state : "not ended");
    add_span(t, ids, what != NULL ? what : "step",
             &(struct span){begin->t, end != NULL ? end->t : otherwise}, list, json_array(),
             failed ? OTLP_STATUS_ERROR : OTLP_STATUS_UNSET, why);
}

/* The events of a trial that are moments; steps are spans. */
static json_t *trial_events(struct trace *t, size_t i)
{
    static const struct {
        const char *ev, *what;
    } rows[] = {{"steady", "why"},        {"role", "host"},  {"rollout", "state"},
                {"probe.state", "probe"}, {"guard", "what"}, {"abort", "what"},
                {"hold", "state"},        {"renew", "host"}, {"admission", "what"},
                {"runbook", "name"}};
    const struct history *h = t->report->history;
    const struct analysis_trial *trial = &t->report->analysis->trials[i];
    json_t *events = json_array();
    for (size_t k = 0; k < trial->of->n_events; k++)
        for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
            const struct history_event *e = &h->events[trial->of->first_event + k];
            if (strcmp(rows[r].ev, e->ev) != 0)
                continue;
            json_t *list = json_array();
            const char *state = json_string_value(json_object_get(e->members, "state"));
            otlp_text(list, "blackstart.what",
                      json_string_value(json_object_get(e->members, rows[r].what)));
            otlp_text(list, "blackstart.state", state);
            add_event(t, events, e->t, e->ev, list);
        }
    for (size_t k = 0; k < trial->n_symptoms; k++)
        add_symptom(t, events, trial->end_ns, &trial->symptoms[k], NULL);
    for (size_t k = 0; k < trial->n_targets; k++)
        add_target(t, events, trial->end_ns, &trial->targets[k]);
    return events;
}

static void add_steps(struct trace *t, size_t trial, struct span_ids *ids)
{
    const struct history *h = t->report->history;
    const struct history_trial *of = t->report->analysis->trials[trial].of;
    uint64_t n = 0;
    for (size_t k = of->first_event; k < of->first_event + of->n_events; k++) {
        const char *state = json_string_value(json_object_get(h->events[k].members, "state"));
        if (strcmp(h->events[k].ev, "step") != 0 || state == NULL || strcmp(state, "begin") != 0)
            continue;
        span_id(t, SPAN_STEP, trial, n++, ids->id);
        if (has_room_for_span(t))
            add_step(t, ids, k, t->report->analysis->trials[trial].end_ns);
    }
}

/* A write that is not as it should be is an event; as many as there is room for. */
static void add_ledger(struct trace *t, const struct span_ids *ids, const struct span *when,
                       const struct analysis_ledger *l)
{
    json_t *list = json_array(), *events = json_array();
    CLEANUP_BUF struct buf name = BUF_INIT(4096);
    buf_printf(&name, "ledger %s", l->name);
    measured_ledger(list, l);
    for (size_t i = 0; i < l->n_writes; i++) {
        const struct analysis_write *w = &l->writes[i];
        json_t *of = json_array();
        otlp_int(of, "blackstart.write", (int64_t)w->id);
        otlp_text(of, "blackstart.fate", write_fate_word(w->fate));
        otlp_text(of, "blackstart.why", w->why);
        add_event(t, events, w->sent_ns, "write", of);
    }
    int status = measured_is_amiss(l) || !l->known ? OTLP_STATUS_ERROR : OTLP_STATUS_OK;
    add_span(t, ids, buf_text(&name), when, list, events, status, l->sentence);
}

static void add_prober(struct trace *t, const struct span_ids *ids, const struct span *when,
                       const struct analysis_health *h)
{
    json_t *list = json_array();
    CLEANUP_BUF struct buf name = BUF_INIT(4096);
    buf_printf(&name, "prober at %s", h->vantage);
    measured_prober(list, h);
    add_span(t, ids, buf_text(&name), when, list, json_array(),
             h->suspect ? OTLP_STATUS_ERROR : OTLP_STATUS_OK, h->why);
}

/* What was measured over the whole of a trial. */
static void add_measured(struct trace *t, size_t trial, struct span_ids *ids)
{
    const struct analysis_trial *a = &t->report->analysis->trials[trial];
    const struct span when = {a->start_ns, a->end_ns};
    for (size_t i = 0; i < a->n_ledgers; i++) {
        span_id(t, SPAN_LEDGER, trial, i, ids->id);
        if (has_room_for_span(t))
            add_ledger(t, ids, &when, &a->ledgers[i]);
    }
    for (size_t i = 0; i < a->n_health; i++) {
        span_id(t, SPAN_PROBER, trial, i, ids->id);
        if (has_room_for_span(t))
            add_prober(t, ids, &when, &a->health[i]);
    }
}

static void add_details(struct trace *t, size_t trial, const char *parent)
{
    const struct analysis_trial *a = &t->report->analysis->trials[trial];
    struct span_ids ids;
    uint64_t n = 0;
    (void)snprintf(ids.parent, sizeof(ids.parent), "%s", parent);
    for (size_t i = 0; i < a->n_injections; i++) {
        span_id(t, SPAN_INJECTION, trial, i, ids.id);
        if (a->injections[i].of->asked_ns != HISTORY_UNKNOWN && has_room_for_span(t))
            add_injection(t, &ids, &a->injections[i]);
    }
    for (size_t p = 0; p < a->n_probes; p++)
        for (size_t i = 0; i < a->probes[p].n_outages; i++) {
            span_id(t, SPAN_OUTAGE, trial, n++, ids.id);
            if (has_room_for_span(t))
                add_outage(t, &ids, &a->probes[p], &a->probes[p].outages[i]);
        }
    add_measured(t, trial, &ids);
    add_steps(t, trial, &ids);
}

static void add_trial(struct trace *t, size_t i)
{
    const struct analysis_trial *trial = &t->report->analysis->trials[i];
    json_t *list = json_array();
    struct span_ids ids;
    char name[32];
    span_id(t, SPAN_TRIAL, i, 0, ids.id);
    (void)snprintf(ids.parent, sizeof(ids.parent), "%s", t->run);
    (void)snprintf(name, sizeof(name), "trial %u", trial->trial);
    otlp_int(list, "blackstart.trial", trial->trial);
    otlp_bool(list, "blackstart.fault_free", trial->fault_free);
    otlp_text(list, "blackstart.verdict", verdict_word(trial->verdict));
    otlp_text(list, "blackstart.why", trial->why);
    json_t *events = trial_events(t, i);
    add_span(t, &ids, name, &(struct span){trial->start_ns, trial->end_ns}, list, events,
             status_of(trial->verdict), trial->why);
    add_details(t, i, ids.id);
}

/* Where there is not room for all, those that did not pass have it first. */
static void add_trials(struct trace *t)
{
    const struct analysis *a = t->report->analysis;
    for (int passed = 0; passed < 2; passed++)
        for (size_t i = 0; i < a->n_trials; i++)
            if ((a->trials[i].verdict == VERDICT_PASS) == passed)
                add_trial(t, i);
    t->details = 0; /* the run's own span has room */
}

static void add_run(struct trace *t)
{
    const struct history *h = t->report->history;
    const struct analysis *a = t->report->analysis;
    struct span_ids ids = {.parent = ""};
    json_t *list = json_array(), *events = json_array();
    CLEANUP_BUF struct buf name = BUF_INIT(4096);
    (void)snprintf(ids.id, sizeof(ids.id), "%s", t->run);
    buf_printf(&name, "run %s", h->scenario != NULL ? h->scenario : "");
    otlp_text(list, "blackstart.run", h->run);
    otlp_text(list, "blackstart.scenario", h->scenario);
    otlp_text(list, "blackstart.scenario.sha256", h->sha256);
    otlp_int(list, "blackstart.seed", (int64_t)(h->seed & INT64_MAX));
    otlp_text(list, "blackstart.verdict", verdict_word(a->verdict));
    otlp_text(list, "blackstart.why", a->why);
    otlp_int(list, "blackstart.exit", a->exit_status);
    otlp_bool(list, "blackstart.dirty", a->dirty);
    if (t->dropped != 0)
        otlp_int(list, "blackstart.spans_left_out", (int64_t)t->dropped);
    for (size_t i = 0; i < a->n_symptoms; i++)
        add_symptom(t, events, h->end_ns, &a->symptoms[i], &a->shown[i]);
    for (size_t i = 0; i < a->n_targets; i++)
        add_target(t, events, h->end_ns, &a->targets[i]);
    add_span(t, &ids, buf_text(&name), &(struct span){0, h->end_ns}, list, events,
             status_of(a->verdict), a->why);
}

int report_render_trace(const struct report *report, struct buf *out, struct err *err)
{
    const struct history *h = report->history;
    struct trace t = {.report = report, .spans = json_array()};
    json_t *resource = json_array();
    trace_ids(&t);
    add_trials(&t);
    add_run(&t);
    otlp_text(resource, "service.name", "blackstart");
    otlp_text(resource, "service.version", h->version);
    otlp_text(resource, "service.instance.id", h->run);
    otlp_text(resource, "os.type", "linux");
    otlp_text(resource, "os.version", h->kernel);
    otlp_text(resource, "host.arch", h->machine);
    json_t *o =
        json_pack("{s:[{s:{s:o}, s:[{s:{s:s, s:o}, s:o}]}]}", "resourceSpans", "resource",
                  "attributes", resource, "scopeSpans", "scope", "name", "blackstart", "version",
                  letter_json(h->version != NULL ? h->version : ""), "spans", t.spans);
    char *dumped = o != NULL ? json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
    json_decref(o);
    if (dumped == NULL)
        return make_error(err, ERR_LIMIT, 0, "out of memory for the trace");
    buf_puts(out, dumped);
    buf_puts(out, "\n");
    free(dumped);
    return 0;
}
