/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * annotations.json: an array of bodies for Grafana's POST /api/annotations, a region each: the run,
 * each wave of faults, each outage, each symptom of a trial that was to show it, the writes of a
 * ledger that are not as they should be, a prober that was not well. Times are milliseconds since
 * 1970.
 */
#include "base/clock.h"
#include "reports/figure.h"
#include "reports/letter.h"
#include "reports/measured.h"
#include "reports/report.h"
#include "reports/wall.h"

#include <stdlib.h>

/* Each is a request of its own, and a line on somebody's dashboard. */
enum { ANNOTATIONS_MAX = 1000, TEXT_MAX = 4096 };

static json_t *millis(const struct history *h, int64_t t)
{
    return json_integer((json_int_t)(wall_ns(h, t) / NS_PER_MS));
}

static json_t *tag(const char *name, const char *value)
{
    CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
    buf_printf(&text, "%s:%s", name, value != NULL ? value : "");
    return letter_json(buf_text(&text));
}

/* tags: those of the annotation alone, which this takes. */
static void add(json_t *list, const struct report *report, int64_t from, int64_t to, json_t *tags,
                const char *text)
{
    const struct history *h = report->history;
    int64_t begin = from == HISTORY_UNKNOWN ? to : from;
    if (begin == HISTORY_UNKNOWN || json_array_size(list) >= ANNOTATIONS_MAX) {
        json_decref(tags);
        return;
    }
    (void)json_array_insert_new(tags, 0, json_string("blackstart"));
    (void)json_array_append_new(tags, tag("scenario", h->scenario));
    (void)json_array_append_new(tags, tag("run", h->run));
    bool ends = wall_ns(h, to) >= wall_ns(h, begin);
    (void)json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o}", "time", millis(h, begin),
                                                "timeEnd", millis(h, ends ? to : begin), "tags",
                                                tags, "text", letter_json(text)));
}

static void add_run(json_t *list, const struct report *report)
{
    const struct analysis *a = report->analysis;
    CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
    buf_printf(&text, "%s: %s", verdict_word(a->verdict), a->why != NULL ? a->why : "");
    measured_put_sums(&text, a);
    for (size_t i = 0; i < a->n_symptoms; i++)
        if (a->shown[i].sentence[0] != '\0')
            buf_printf(&text, "; %s", a->shown[i].sentence);
    add(list, report, 0, report->history->end_ns,
        json_pack("[s, o]", "run", tag("verdict", verdict_word(a->verdict))), buf_text(&text));
}

static void add_wave(json_t *list, const struct report *report, const struct analysis_wave *w)
{
    CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
    buf_printf(&text, "fault: %s%s", w->faults, w->proven ? "" : " (not proven)");
    if (w->injected.lo != HISTORY_UNKNOWN)
        add(list, report, w->injected.lo, w->undone.hi, json_pack("[s]", "fault"), buf_text(&text));
}

static void add_outages(json_t *list, const struct report *report, const struct analysis_probe *p)
{
    for (size_t i = 0; i < p->n_outages; i++) {
        const struct analysis_outage *o = &p->outages[i];
        CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
        buf_printf(&text, "outage: %s: %s%s", p->name, sample_result_word(o->first_result),
                   o->recovered ? "" : ", never recovered");
        add(list, report, o->onset.lo, o->recovery.hi,
            json_pack("[s, o]", "outage", tag("probe", p->name)), buf_text(&text));
    }
}

/* As long as its trial: a symptom is judged by a target, whose window the text names. */
static void add_symptom(json_t *list, const struct report *report, const struct analysis_trial *t,
                        const struct analysis_symptom *s)
{
    const char *state = symptom_word(s->state);
    CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
    buf_printf(&text, "symptom: %s: %s: ", s->shows, state);
    figure_put_symptom(&text, s);
    buf_printf(&text, "; %s", s->why);
    add(list, report, t->start_ns, t->end_ns, json_pack("[s, o]", "symptom", tag("state", state)),
        buf_text(&text));
}

/* A region for each fate, and one where nothing is known. */
static void add_ledger(json_t *list, const struct report *report, const struct analysis_trial *t,
                       const struct analysis_ledger *l)
{
    struct measured_fate fates[MEASURED_FATES];
    measured_fates(l, fates);
    for (int i = 0; i < MEASURED_FATES; i++) {
        const char *word = write_fate_word((enum write_fate)i);
        CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
        buf_printf(&text, "ledger %s: %u %s: %s", l->name, fates[i].n, word, l->sentence);
        if (fates[i].n != 0)
            add(list, report, fates[i].when.lo, fates[i].when.hi,
                json_pack("[s, o, o]", "writes", tag("ledger", l->name), tag("fate", word)),
                buf_text(&text));
    }
    CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
    buf_printf(&text, "ledger %s: %s", l->name, l->sentence);
    if (!l->known)
        add(list, report, t->start_ns, t->end_ns,
            json_pack("[s, o, s]", "writes", tag("ledger", l->name), "fate:not known"),
            buf_text(&text));
}

static void add_prober(json_t *list, const struct report *report, const struct analysis_trial *t,
                       const struct analysis_health *h)
{
    CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
    measured_put_prober(&text, h);
    if (h->suspect)
        add(list, report, t->start_ns, t->end_ns,
            json_pack("[s, o]", "prober", tag("vantage", h->vantage)), buf_text(&text));
}

static void add_trial(json_t *list, const struct report *report, const struct analysis_trial *t)
{
    for (size_t k = 0; k < t->n_waves; k++)
        add_wave(list, report, &t->waves[k]);
    for (size_t k = 0; k < t->n_probes; k++)
        add_outages(list, report, &t->probes[k]);
    bool asked = !t->fault_free || report->history->no_fault;
    for (size_t k = 0; asked && k < t->n_symptoms; k++)
        add_symptom(list, report, t, &t->symptoms[k]);
    for (size_t k = 0; k < t->n_ledgers; k++)
        add_ledger(list, report, t, &t->ledgers[k]);
    for (size_t k = 0; k < t->n_health; k++)
        add_prober(list, report, t, &t->health[k]);
}

int report_render_grafana(const struct report *report, struct buf *out, struct err *err)
{
    const struct analysis *a = report->analysis;
    json_t *list = json_array();
    add_run(list, report);
    for (size_t i = 0; i < a->n_trials; i++)
        add_trial(list, report, &a->trials[i]);
    char *dumped = list != NULL ? json_dumps(list, JSON_INDENT(1)) : NULL;
    json_decref(list);
    if (dumped == NULL)
        return make_error(err, ERR_LIMIT, 0, "out of memory for the annotations");
    buf_puts(out, dumped);
    buf_puts(out, "\n");
    free(dumped);
    return 0;
}
