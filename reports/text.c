/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.txt: the verdict first, then what it rests on. */
#include "base/utf8.h"
#include "reports/event.h"
#include "reports/figure.h"
#include "reports/letter.h"
#include "reports/reproduced.h"
#include "reports/text_parts.h"

#include <inttypes.h>
#include <string.h>

static const struct report_paint plain = {.off = NULL};

enum { LOG_LINES_MAX = 20, LOG_COLUMNS_MAX = 240, OUTPUT_LINES_MAX = 10 };

void text_put_time(struct buf *out, int64_t ns)
{
    if (ns == HISTORY_UNKNOWN)
        buf_puts(out, "?");
    else if (ns == SPAN_OPEN)
        buf_puts(out, "open");
    else
        buf_printf(out, "%.3f s", (double)ns / 1e9);
}

static void put_items(struct buf *out, const json_t *items)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)items, name, value)
        buf_printf(out, " %s=%" JSON_INTEGER_FORMAT, name, json_integer_value(value));
}

void text_put_evidence(struct buf *out, const struct history_evidence *e)
{
    if (e == NULL || e->items == NULL)
        return;
    buf_printf(out, "      evidence:%s", e->what != NULL ? " " : "");
    buf_puts(out, e->what != NULL ? e->what : "");
    put_items(out, e->items);
    buf_puts(out, "\n");
}

static void put_injections(struct buf *out, const struct analysis *a)
{
    buf_puts(out, "\nproof of injection\n");
    if (a->n_injections == 0)
        buf_puts(out, "  nothing was injected\n");
    for (size_t k = 0; k < a->n_injections; k++) {
        const struct history_injection *i = a->injections[k].of;
        if (text_put_phases(out, a, k))
            continue;
        buf_printf(out, "  trial %u, %s: %s on %s: %s%s%s\n", a->injections[k].trial, i->id,
                   i->fault, i->host, a->injections[k].proven ? "proven" : "NOT PROVEN: ",
                   a->injections[k].proven || a->injections[k].why == NULL ? ""
                                                                           : a->injections[k].why,
                   i->foreign ? "; something was changed by others and left" : "");
        buf_puts(out, "      asked ");
        text_put_time(out, i->asked_ns);
        buf_puts(out, ", verified active ");
        text_put_time(out, i->active_ns);
        buf_puts(out, ", revert asked ");
        text_put_time(out, i->revert_asked_ns);
        buf_puts(out, ", verified gone ");
        text_put_time(out, i->undone_ns);
        bool moment = i->ended_by != NULL && strcmp(i->ended_by, "instant") == 0;
        if (moment)
            buf_puts(out, "; a moment, which nothing ends\n");
        else
            buf_printf(out, ", ended by %s\n", i->ended_by != NULL ? i->ended_by : "?");
        text_put_evidence(out, a->injections[k].evidence);
        if (i->error != NULL)
            buf_printf(out, "      error: %s\n", i->error);
    }
}

static void put_texts(struct buf *out, const char *head, const json_t *list)
{
    const json_t *one;
    size_t i;
    json_array_foreach(list, i, one) if (json_is_string(one))
        buf_printf(out, "      %s %s\n", head, json_string_value(one));
}

static void put_hosts(struct buf *out, const struct analysis *a)
{
    buf_puts(out, "\nproof of clean-up\n");
    for (size_t i = 0; i < a->n_hosts; i++) {
        const struct analysis_host *h = &a->hosts[i];
        const char *state = !h->known ? "not looked at" : h->clean ? "clean" : "NOT CLEAN";
        buf_printf(out, "  %s: %s\n", h->name, state);
        put_texts(out, "differs:", h->differences);
        put_texts(out, "left:", h->left);
        put_texts(out, "written by others, not judged:", h->listed);
    }
}

static void put_outage(struct buf *out, const struct analysis_outage *o)
{
    buf_puts(out, "      failed from ");
    text_put_time(out, o->onset.lo);
    buf_puts(out, " .. ");
    text_put_time(out, o->onset.hi);
    buf_puts(out, " until ");
    text_put_time(out, o->recovery.lo);
    buf_puts(out, " .. ");
    text_put_time(out, o->recovery.hi);
    buf_printf(out, ": %u bad slots, first %s%s%s%s%s\n", o->bad_slots,
               sample_result_word(o->first_result), o->dips > 1 ? ", flapping" : "",
               o->recovered ? "" : ", never recovered",
               o->under_fault ? ", recovered under the fault" : "",
               o->automatic ? "" : ", brought back by a person or the run itself");
}

static void put_seconds(struct buf *out, double lower, double upper)
{
    figure_put(out, UNIT_SECONDS, lower);
    buf_puts(out, " .. ");
    figure_put(out, UNIT_SECONDS, upper);
}

static void put_signal(struct buf *out, const struct analysis_probe *p)
{
    buf_printf(out, "    signal %s from %s, %s, every %.3f s: ", p->name, p->from, p->rule,
               (double)p->every_ns / 1e9);
    buf_puts(out, p->detected.hi != SPAN_OPEN ? "there from " : "silent until ");
    text_put_time(out, p->detected.lo);
    if (p->detected.hi != SPAN_OPEN) {
        buf_puts(out, " .. ");
        text_put_time(out, p->detected.hi);
    }
    buf_printf(out, " (%u slots, %u gaps)\n", p->scheduled, p->gaps);
}

static void put_lost(struct buf *out, const struct span *lost)
{
    buf_puts(out, "      away for ");
    text_put_time(out, lost->lo);
    buf_puts(out, " .. ");
    text_put_time(out, lost->hi);
    buf_puts(out, "\n");
}

/* From when its slots count. */
static const char *origin(const struct analysis_trial *t)
{
    return t->n_waves == 0 ? "steady state" : t->waves[0].refused ? "refusal" : "fault";
}

static void put_probe(struct buf *out, const struct analysis_probe *p, const char *since)
{
    if (p->signal) {
        put_signal(out, p);
        return;
    }
    buf_printf(out, "    %s from %s, %s, every %.3f s\n", p->name, p->from,
               p->rule != NULL ? p->rule : "", (double)p->every_ns / 1e9);
    buf_printf(out, "      %u slots since the %s: %u good, %u bad, %u gaps, %u late", p->scheduled,
               since, p->good, p->bad, p->gaps, p->late);
    if (p->baseline_p99_ns >= 0)
        buf_printf(out, "; before it %.1f ms median, %.1f ms p99 (%u)",
                   (double)p->baseline_p50_ns / 1e6, (double)p->baseline_p99_ns / 1e6,
                   p->baseline_n);
    buf_puts(out, "\n");
    for (size_t i = 0; i < p->n_outages; i++)
        put_outage(out, &p->outages[i]);
    if (p->n_outages != 0)
        put_lost(out, &p->lost);
    if (!p->impacted && p->missed_ns >= 0)
        buf_printf(out, "      no impact seen; one of up to %.3f s could have been missed\n",
                   (double)p->missed_ns / 1e9);
    else if (!p->impacted)
        buf_puts(out, "      no impact seen, but too little was seen to say so\n");
}

static void put_trials(struct buf *out, const struct analysis *a)
{
    buf_puts(out, "\ntrials\n");
    for (size_t i = 0; i < a->n_trials; i++) {
        const struct analysis_trial *t = &a->trials[i];
        buf_printf(out, "  trial %u%s: %s: %s\n", t->trial,
                   t->fault_free ? ", without a fault" : "", verdict_word(t->verdict),
                   t->why != NULL ? t->why : "");
        if (a->n_trials > 1)
            text_put_symptoms(out, t->symptoms, t->n_symptoms, &plain);
        if (a->n_trials > 1)
            for (size_t k = 0; k < t->n_targets; k++)
                text_put_target(out, &t->targets[k], &plain, &(struct text_columns){0, 0});
        for (size_t k = 0; k < t->n_probes; k++)
            put_probe(out, &t->probes[k], origin(t));
        buf_puts(out, "    all services: ");
        put_seconds(out, t->outage_lower, t->outage_upper);
        buf_puts(out, " of a full outage, by weight\n");
        text_put_matrix(out, t);
        text_put_ledgers(out, t);
        text_put_loads(out, t);
        text_put_health(out, t);
    }
}

/* What a run step's command said last; all that was kept of it stands in the journal. */
static void put_output(struct buf *out, const json_t *output)
{
    const char *text = json_string_value(output);
    for (const char *p = text != NULL ? utf8_last_lines(text, OUTPUT_LINES_MAX) : ""; *p != '\0';) {
        size_t len = strcspn(p, "\n");
        buf_printf(out, "               | %.*s%s\n",
                   (int)(len < LOG_COLUMNS_MAX ? len : LOG_COLUMNS_MAX), p,
                   len < LOG_COLUMNS_MAX ? "" : "...");
        p += len + (p[len] == '\n');
    }
}

static void put_timeline(struct buf *out, const struct history *h)
{
    buf_puts(out, "\ntimeline (seconds since the run's start)\n");
    for (size_t i = 0; i < h->n_events; i++) {
        char text[300];
        if (event_text(&h->events[i], text, sizeof(text)) != NULL)
            buf_printf(out, "  %9.3f  %s\n", (double)h->events[i].t / 1e9, text);
        put_output(out, json_object_get(h->events[i].members, "output"));
    }
}

/* A log's first lines since the steady state; all of them stand in logs/. */
static void put_log(struct buf *out, const json_t *lines)
{
    size_t n = json_array_size(lines);
    for (size_t i = 0; i < n && i < LOG_LINES_MAX; i++) {
        const char *line = json_string_value(json_array_get(lines, i));
        size_t len = line != NULL ? strlen(line) : 0, kept = 0;
        for (size_t columns = 0; kept < len && columns < LOG_COLUMNS_MAX; columns++) {
            size_t one = utf8_decode(line + kept, len - kept, NULL);
            kept += one != 0 ? one : 1;
        }
        buf_printf(out, "      | %.*s%s\n", (int)kept, line != NULL ? line : "",
                   kept < len ? "..." : "");
    }
    if (n > LOG_LINES_MAX)
        buf_printf(out, "      ... %zu more\n", n - LOG_LINES_MAX);
}

static void put_logs(struct buf *out, const struct history *h)
{
    bool any = false;
    for (size_t i = 0; i < h->n_events; i++) {
        const struct history_event *e = &h->events[i];
        if (strcmp(e->ev, "log") != 0)
            continue;
        if (!any)
            buf_puts(out, "\nthe services' log lines around the impact (all of them: logs/)\n");
        any = true;
        const char *host = json_string_value(json_object_get(e->members, "host"));
        const char *service = json_string_value(json_object_get(e->members, "service"));
        buf_printf(out, "  %s, %s\n", host != NULL ? host : "?", service != NULL ? service : "?");
        put_log(out, json_object_get(e->members, "lines"));
    }
}

static void put_line(void *ctx, const char *label, const char *text)
{
    struct buf *out = ctx;
    buf_printf(out, "%-10s %s\n", label, text);
}

static void put_head(struct buf *out, const struct report *report)
{
    const struct history *h = report->history;
    buf_printf(out, "\nscenario   %s (%s)\n           sha256 %s\n", h->scenario, h->file,
               h->sha256);
    buf_printf(out, "run        %s, %s, seed %" PRIu64 "%s\n", h->run, h->wall, h->seed,
               h->no_fault ? ", without faults" : "");
    buf_printf(out, "made by    blackstart %s on %s, %s\n", h->version, h->kernel, h->machine);
    if (h->error != NULL)
        buf_printf(out, "error      %s\n", h->error);
    reproduced_lines(report->scenario, put_line, out);
}

static void put_all(struct buf *out, const struct report *report)
{
    const struct analysis *a = report->analysis;
    report_print_verdict(report, NULL, out);
    put_head(out, report);
    text_put_series(out, a);
    put_trials(out, a);
    text_put_admissions(out, a);
    text_put_rollouts(out, a);
    put_injections(out, a);
    put_hosts(out, a);
    put_timeline(out, report->history);
    put_logs(out, report->history);
    buf_puts(out, "\nrules and notes\n");
    for (size_t i = 0; i < a->n_notes; i++)
        buf_printf(out, "  %s\n", a->notes[i]);
    buf_puts(out, "\nmade again from the journal by: blackstart report DIR, with this directory\n");
}

/* Names, outputs and log lines come from anywhere, and the report is read on a terminal. */
int report_render_text(const struct report *report, struct buf *out, struct err *err)
{
    CLEANUP_BUF struct buf raw = BUF_INIT(REPORT_MAX);
    (void)err;
    put_all(&raw, report);
    letter_put_lines(out, buf_text(&raw));
    out->failed = out->failed || raw.failed;
    return 0;
}
