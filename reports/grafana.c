/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * annotations.json: an array of bodies for Grafana's POST /api/annotations, a region each: the run,
 * each wave of faults, each outage. Times are milliseconds since 1970.
 */
#include "base/clock.h"
#include "reports/letter.h"
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

int report_render_grafana(const struct report *report, struct buf *out, struct err *err)
{
    const struct analysis *a = report->analysis;
    json_t *list = json_array();
    add_run(list, report);
    for (size_t i = 0; i < a->n_trials; i++) {
        for (size_t k = 0; k < a->trials[i].n_waves; k++)
            add_wave(list, report, &a->trials[i].waves[k]);
        for (size_t k = 0; k < a->trials[i].n_probes; k++)
            add_outages(list, report, &a->trials[i].probes[k]);
    }
    char *dumped = list != NULL ? json_dumps(list, JSON_INDENT(1)) : NULL;
    json_decref(list);
    if (dumped == NULL)
        return make_error(err, ERR_LIMIT, 0, "out of memory for the annotations");
    buf_puts(out, dumped);
    buf_puts(out, "\n");
    free(dumped);
    return 0;
}
