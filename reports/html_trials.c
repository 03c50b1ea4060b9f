/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables with a line per trial, outage or prober. Nothing is dropped from them but by their length,
 * which they say. */
#include "reports/html_timeline.h"

#include <math.h>

static void put_target_cell(struct html *h, const struct analysis_target *t)
{
    buf_printf(h->out, "<td class=\"n %s\">", html_verdict_class(t->verdict));
    if (isnan(t->lower)) {
        html_verdict_word(h, t->verdict);
    } else {
        figure_put(h->out, t->unit, t->lower);
        buf_puts(h->out, " to ");
        figure_put(h->out, t->unit, t->upper);
    }
    buf_puts(h->out, "</td>");
}

static void put_trial(struct html *h, const struct analysis_trial *t, size_t targets)
{
    buf_printf(h->out, "<tr><th scope=\"row\" class=\"n\">%u%s</th><td>", t->trial,
               t->fault_free ? ", no fault" : "");
    html_verdict_word(h, t->verdict);
    buf_puts(h->out, "<span class=\"why\">");
    html_text(h->out, t->why);
    buf_puts(h->out, "</span></td>");
    for (size_t k = 0; k < targets; k++)
        if (k < t->n_targets)
            put_target_cell(h, &t->targets[k]);
        else
            buf_puts(h->out, "<td></td>");
    buf_puts(h->out, "</tr>\n");
}

/* Its head names the scenario's targets, so it cannot be a fixed list. */
static void put_head(struct html *h, size_t targets)
{
    const struct analysis *a = h->report->analysis;
    buf_puts(h->out, "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"All trials\">"
                     "<table><caption>All trials, in their order</caption><thead><tr>"
                     "<th scope=\"col\" class=\"n\">Trial</th><th scope=\"col\">Verdict</th>");
    for (size_t k = 0; k < targets; k++) {
        buf_puts(h->out, "<th scope=\"col\" class=\"n\">");
        html_measure(h->out, a->targets[k].measure);
        buf_puts(h->out, "<span class=\"why\">");
        html_text(h->out, a->targets[k].of);
        buf_puts(h->out, "</span></th>");
    }
    buf_puts(h->out, "</tr></thead><tbody>\n");
}

void html_trials(struct html *h)
{
    const struct analysis *a = h->report->analysis;
    size_t targets = 0;
    if (a->n_trials < 2)
        return;
    while (targets < a->n_targets && targets < 6 && !isnan(a->targets[targets].limit))
        targets++;
    put_head(h, targets);
    for (size_t i = 0; i < a->n_trials && i < HTML_ROWS_MAX; i++)
        put_trial(h, &a->trials[i], targets);
    html_table_end(h);
    html_rows_left(h, a->n_trials, HTML_ROWS_MAX);
}

static void put_span(struct html *h, const struct timeline_view *v, const struct span *s)
{
    char lo[32], hi[32];
    buf_printf(h->out, "<td class=\"n\">%s to %s</td>", timeline_since(v, s->lo, lo),
               timeline_since(v, s->hi, hi));
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
    buf_printf(h->out, "<tr><td class=\"n\">%u</td><th scope=\"row\">", v->t->trial);
    html_text(h->out, p->name);
    buf_puts(h->out, "</th>");
    put_span(h, v, &o->onset);
    put_span(h, v, &o->recovery);
    buf_printf(h->out, "<td class=\"n\">%s to %s</td><td class=\"n\">%u</td><td>",
               html_duration(o->bad_ns.lo, lo), html_duration(o->bad_ns.hi, hi), o->bad_slots);
    buf_printf(h->out, "%s; first seen as %s", ended_how(o), sample_result_word(o->first_result));
    if (o->dips > 1)
        buf_printf(h->out, "; flapping, %u times bad", o->dips);
    if (o->faults != NULL && o->faults[0] != '\0') {
        buf_puts(h->out, "<span class=\"why\">");
        html_textf(h->out, "under %s", o->faults);
        buf_puts(h->out, "</span>");
    }
    buf_puts(h->out, "</td></tr>\n");
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
    for (size_t i = 0; i < t->n_probes; i++) {
        const struct analysis_probe *p = &t->probes[i];
        char most[32];
        if (p->impacted || *left == 0)
            continue;
        (*left)--;
        buf_puts(h->out, "<li>");
        html_textf(h->out, "%s: no impact seen in trial %u, ", p->name, t->trial);
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
                         HTML_COLUMNS("#Trial", "Probe", "#Failed from", "#Good again from",
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

static void put_health(struct html *h, const struct analysis_trial *t)
{
    const struct history_trial *of = t->of;
    char cpu[32];
    buf_printf(h->out, "<tr><th scope=\"row\" class=\"n\">%u</th>", t->trial);
    if (of->sent >= 0)
        buf_printf(h->out,
                   "<td class=\"n\">%lld</td><td class=\"n\">%lld</td><td class=\"n\">%lld</td>"
                   "<td class=\"n\">%s</td>",
                   (long long)of->sent, (long long)of->late, (long long)of->gaps,
                   html_duration(of->cpu_ns, cpu));
    else
        buf_puts(h->out, "<td class=\"n\" colspan=\"4\">the prober was lost before it told</td>");
    buf_puts(h->out, "</tr>\n");
}

void html_health(struct html *h)
{
    const struct analysis *a = h->report->analysis;
    if (a->n_trials == 0)
        return;
    html_table_begin(h, "What the prober says of itself, in each trial",
                     HTML_COLUMNS("#Trial", "#Sent", "#Late", "#Gaps", "#Processor time"));
    for (size_t i = 0; i < a->n_trials && i < HTML_ROWS_MAX; i++)
        put_health(h, &a->trials[i]);
    html_table_end(h);
    html_rows_left(h, a->n_trials, HTML_ROWS_MAX);
    buf_puts(h->out, "<p class=\"soft small\">Late: sent more than a quarter of its interval after "
                     "it was due. A gap was sent more than a whole interval late, or not at all: "
                     "it says nothing of the system.</p>\n");
}
