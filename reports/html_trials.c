/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables with a line per trial or outage. Nothing is dropped from them but by their length, which
 * they say. */
#include "reports/html_timeline.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>

enum { TARGETS_SHOWN = 8, COLUMN_NAME_MAX = 200 };

static void put_target_cell(struct html *h, const struct analysis_target *t)
{
    html_cell(h);
    if (isnan(t->lower)) {
        html_verdict_word(h, t->verdict);
        return;
    }
    figure_put(h->out, t->unit, t->lower);
    buf_puts(h->out, " to ");
    figure_put(h->out, t->unit, t->upper);
    if (t->verdict != VERDICT_PASS) {
        buf_puts(h->out, "<br/>");
        html_verdict_word(h, t->verdict);
    }
}

static void put_trial(struct html *h, const struct analysis_trial *t, size_t targets)
{
    html_row(h);
    html_cellf(h, "%u%s", t->trial, t->fault_free ? ", no fault" : "");
    html_cell(h);
    html_verdict_word(h, t->verdict);
    if (t->verdict != VERDICT_PASS) {
        buf_puts(h->out, "<span class=\"why\">");
        html_text(h->out, t->why);
        buf_puts(h->out, "</span>");
    }
    for (size_t k = 0; k < targets && k < t->n_targets; k++)
        put_target_cell(h, &t->targets[k]);
    for (size_t k = t->n_targets; k < targets; k++)
        html_cell(h);
}

void html_trials(struct html *h)
{
    const struct analysis *a = h->report->analysis;
    char texts[TARGETS_SHOWN][COLUMN_NAME_MAX];
    const char *names[TARGETS_SHOWN + 2] = {"!Trial", "Verdict"};
    size_t n = 0;
    if (a->n_trials < 2)
        return;
    for (; n < a->n_targets && n < TARGETS_SHOWN && !isnan(a->targets[n].limit); n++) {
        CLEANUP_BUF struct buf name = BUF_INIT(1 << 16);
        figure_put_target(&name, &a->targets[n]);
        (void)snprintf(texts[n], sizeof(texts[n]), "#%s", buf_text(&name));
        texts[n][1] = (char)toupper((unsigned char)texts[n][1]);
        for (char *p = texts[n]; *p != '\0' && *p != ' '; p++)
            if (*p == '_')
                *p = ' ';
        names[n + 2] = texts[n];
    }
    html_table_begin(h, "All trials, in their order", (struct html_columns){names, n + 2});
    for (size_t i = 0; i < a->n_trials && i < HTML_ROWS_MAX; i++)
        put_trial(h, &a->trials[i], n);
    html_table_end(h);
    html_rows_left(h, a->n_trials, HTML_ROWS_MAX);
}

static void put_span(struct html *h, const struct timeline_view *v, const struct span *s)
{
    char lo[32], hi[32];
    html_cell(h);
    buf_printf(h->out, "%s to %s", timeline_since(v, s->lo, lo), timeline_since(v, s->hi, hi));
}

static const char *ended_how(const struct analysis_outage *o)
{
    if (!o->recovered)
        return "never recovered";
    if (!o->automatic)
        return "brought back by a person or the run itself";
    return o->under_fault ? "recovered under the fault" : "recovered";
}

static void put_outage(struct html *h, const struct timeline_view *v,
                       const struct analysis_probe *p, const struct analysis_outage *o)
{
    char lo[32], hi[32];
    html_row(h);
    html_trial_cell(h, v->t->trial);
    html_cell(h);
    html_text(h->out, p->label);
    put_span(h, v, &o->onset);
    put_span(h, v, &o->recovery);
    html_cellf(h, "%s to %s", html_duration(o->bad_ns.lo, lo), html_duration(o->bad_ns.hi, hi));
    html_cellf(h, "%u", o->bad_slots);
    html_cellf(h, "%s; first seen as %s", ended_how(o), sample_result_word(o->first_result));
    if (o->dips > 1)
        buf_printf(h->out, "; flapping, %u times bad", o->dips);
    if (o->faults != NULL && o->faults[0] != '\0') {
        buf_puts(h->out, "<span class=\"why\">under ");
        html_text(h->out, o->faults);
        buf_puts(h->out, "</span>");
    }
}

static size_t outages_of(struct html *h, const struct analysis_trial *t, size_t before)
{
    struct timeline_view v = {.t = t, .zero = html_zero(t)};
    size_t n = before;
    for (size_t i = 0; i < t->n_probes; i++)
        for (size_t k = 0; k < t->probes[i].n_outages; k++)
            if (n++ < HTML_ROWS_MAX)
                put_outage(h, &v, &t->probes[i], &t->probes[i].outages[k]);
    return n;
}

static void put_missed(struct html *h, const struct analysis_trial *t, size_t *left)
{
    struct timeline_view v = {.t = t, .zero = html_zero(t)};
    for (size_t i = 0; i < t->n_probes; i++) {
        const struct analysis_probe *p = &t->probes[i];
        char most[32], first[32], last[32];
        if (p->signal && *left != 0) {
            (*left)--;
            buf_puts(h->out, "<li>");
            html_textf(h->out, "the signal %s, in trial %u: first there between %s and %s",
                       p->label, t->trial, timeline_since(&v, p->detected.lo, first),
                       timeline_since(&v, p->detected.hi, last));
            buf_puts(h->out, "</li>");
        }
        if (p->impacted || p->signal || *left == 0)
            continue;
        (*left)--;
        buf_puts(h->out, "<li>");
        html_textf(h->out, "%s: no impact seen in trial %u, ", p->label, t->trial);
        if (p->missed_ns >= 0)
            buf_printf(h->out, "and one of up to %s could have been missed</li>",
                       html_duration(p->missed_ns, most));
        else
            buf_puts(h->out, "but too little was seen to say so</li>");
    }
}

static bool any_outage(const struct analysis *a)
{
    for (size_t i = 0; i < a->n_trials; i++)
        for (size_t k = 0; k < a->trials[i].n_probes; k++)
            if (a->trials[i].probes[k].n_outages != 0)
                return true;
    return false;
}

void html_outages(struct html *h)
{
    const struct analysis *a = h->report->analysis;
    size_t n = 0, left = 40;
    if (a->n_trials == 0)
        return;
    if (any_outage(a)) {
        html_table_begin(h,
                         "Times since the fault was asked for; each lies in its interval. Bad in "
                         "all: the sum of an outage's dips",
                         HTML_COLUMNS("#Trial", "!Probe", "#Failed from", "#Good again from",
                                      "#Bad in all", "#Bad slots", "How it ended"));
        for (size_t i = 0; i < a->n_trials; i++)
            n = outages_of(h, &a->trials[i], n);
        html_table_end(h);
        html_rows_left(h, n, HTML_ROWS_MAX);
    }
    buf_puts(h->out, "<ul class=\"plain small\">");
    for (size_t i = 0; i < a->n_trials; i++)
        put_missed(h, &a->trials[i], &left);
    if (left == 40)
        buf_puts(h->out, "<li>Every probe saw an impact in every trial.</li>");
    buf_puts(h->out, "</ul>\n");
}
