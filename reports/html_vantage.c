/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each vantage saw of each endpoint, and how well the probers kept their schedule. */
#include "reports/html_parts.h"

#include <inttypes.h>
#include <math.h>

static void put_cell(struct html *h, const struct analysis_trial *t, const struct analysis_cell *c)
{
    char lo[32], hi[32];
    html_row(h);
    html_trial_cell(h, t->trial);
    html_cell(h);
    html_text(h->out, t->probes[c->probe].name);
    html_cellf(h, "%s", t->probes[c->probe].from);
    html_cellf(h, "%s", c->host);
    html_cell(h);
    if (c->scheduled == 0)
        buf_puts(h->out, "nothing was measured");
    else if (c->good_hi > c->good_lo)
        buf_printf(h->out, "%.3f to %.3f\xc2\xa0%%", c->good_lo * 100, c->good_hi * 100);
    else
        buf_printf(h->out, "%.3f\xc2\xa0%%", c->good_lo * 100);
    html_cellf(h, "%u", c->scheduled);
    html_cellf(h, "%u", c->bad);
    html_cellf(h, "%u", c->gaps);
    html_cell(h);
    if (c->outages != 0)
        html_textf(h->out, "%u, bad for %s to %s, first as %s", c->outages,
                   html_duration(c->bad_ns.lo, lo), html_duration(c->bad_ns.hi, hi),
                   sample_result_word(c->first_result));
    else
        buf_puts(h->out, "none");
}

static void put_stands(struct html *h, const struct analysis_matrix *x)
{
    buf_puts(h->out, "<ul class=\"plain small\">");
    for (size_t i = 0; i < x->n_vantages; i++) {
        buf_puts(h->out, "<li>");
        html_textf(h->out, "%s: %s", x->vantages[i].host, x->vantages[i].stands);
        buf_puts(h->out, "</li>");
    }
    buf_puts(h->out, "</ul>\n");
}

static size_t put_disagreements(struct html *h, const struct analysis_trial *t, size_t before)
{
    for (size_t i = 0; i < t->matrix.n_disagreements; i++) {
        if (before++ >= HTML_ROWS_MAX / 4)
            continue;
        buf_puts(h->out,
                 before == 1 ? "<h3>Where they disagree</h3><ul class=\"plain\"><li>" : "<li>");
        html_textf(h->out, "trial %u: %s", t->trial, t->matrix.disagreements[i]);
        buf_puts(h->out, "</li>\n");
    }
    return before;
}

/* The trial that is shown in full; of the others what their vantages disagree on. */
void html_matrix(struct html *h)
{
    const struct analysis *a = h->report->analysis;
    const struct analysis_trial *t = html_shown_trial(a);
    size_t n = 0;
    if (t == NULL || (t->matrix.n_vantages < 2 && t->matrix.n_cells <= t->n_probes))
        return;
    put_stands(h, &t->matrix);
    html_table_begin(h,
                     "From the fault to the end of observation, as each vantage saw each endpoint",
                     HTML_COLUMNS("#Trial", "!Probe", "Vantage", "Endpoint", "#Good", "#Slots",
                                  "#Bad", "#Not known", "Outages"));
    for (size_t i = 0; i < t->matrix.n_cells && i < HTML_ROWS_MAX; i++)
        put_cell(h, t, &t->matrix.cells[i]);
    html_table_end(h);
    html_rows_left(h, t->matrix.n_cells, HTML_ROWS_MAX);
    for (size_t i = 0; i < a->n_trials; i++)
        n = put_disagreements(h, &a->trials[i], n);
    buf_puts(h->out, n != 0 ? "</ul>\n" : "");
    html_rows_left(h, n, HTML_ROWS_MAX / 4);
}

static const char *late(int64_t ns, char text[32])
{
    return ns < 0 ? "?" : html_duration(ns, text);
}

static void put_share(struct html *h, double share)
{
    if (isnan(share))
        html_cellf(h, "?");
    else
        html_cellf(h, "%.1f\xc2\xa0%%", share * 100);
}

/* Of all that its probes ask. */
static void put_served(struct html *h, const struct analysis_health *p)
{
    html_cell(h);
    for (size_t i = 0; i < p->n_served; i++) {
        const struct analysis_served *s = &p->served[i];
        buf_puts(h->out, i != 0 ? "<br>" : "");
        html_text(h->out, s->probe);
        buf_puts(h->out, " at ");
        html_text(h->out, s->host);
        if (!isnan(s->share)) {
            buf_printf(h->out, ": %.1f\xc2\xa0%% of %" PRId64, s->share * 100, s->grown);
            continue;
        }
        buf_puts(h->out, ": ? <span class=\"why\">");
        html_text(h->out, s->why);
        buf_puts(h->out, "</span>");
    }
}

static void put_health(struct html *h, const struct analysis_trial *t,
                       const struct analysis_health *p, bool asked)
{
    char p50[32], p99[32], most[32];
    html_row(h);
    html_trial_cell(h, t->trial);
    html_cell(h);
    html_text(h->out, p->vantage);
    if (p->suspect) {
        buf_puts(h->out, "<span class=\"why v-inconclusive\"><span class=\"v\">suspect:</span> ");
        html_text(h->out, p->why);
        buf_puts(h->out, "</span>");
    }
    html_cellf(h, "%u", p->sent);
    html_cellf(h, "%u", p->late);
    html_cellf(h, "%u", p->gaps);
    html_cellf(h, "%s, %s, %s", late(p->late_p50_ns, p50), late(p->late_p99_ns, p99),
               late(p->late_max_ns, most));
    if (p->null_n >= 0)
        html_cellf(h, "%s, %s, %s", late(p->null_p50_ns, p50), late(p->null_p99_ns, p99),
                   late(p->null_max_ns, most));
    else
        html_cellf(h, "?");
    html_cellf(h, "%.1f", p->per_second);
    put_share(h, p->cpu_share);
    put_share(h, p->steal_share);
    put_share(h, p->pressure_share);
    if (asked)
        put_served(h, p);
}

static bool any_served(const struct analysis *a)
{
    bool any = false;
    for (size_t i = 0; i < a->n_trials && !any; i++)
        for (size_t k = 0; k < a->trials[i].n_health; k++)
            any = any || a->trials[i].health[k].n_served != 0;
    return any;
}

void html_health(struct html *h)
{
    const struct analysis *a = h->report->analysis;
    size_t n = 0;
    bool asked = any_served(a);
    const struct html_columns with =
        HTML_COLUMNS("#Trial", "!Vantage", "#Sent", "#Late", "#Gaps", "#Sent after due",
                     "#Null server", "#Requests per second", "#Processor", "#Steal", "#Pressure",
                     "Share of what the service saw");
    html_table_begin(h, "What each prober says of itself; of delays: median, p99, most",
                     (struct html_columns){with.names, with.n - !asked});
    for (size_t i = 0; i < a->n_trials; i++)
        for (size_t k = 0; k < a->trials[i].n_health; k++)
            if (n++ < HTML_ROWS_MAX)
                put_health(h, &a->trials[i], &a->trials[i].health[k], asked);
    html_table_end(h);
    html_rows_left(h, n, HTML_ROWS_MAX);
    buf_puts(h->out,
             "<p class=\"soft small\">Late: sent more than a quarter of its interval after "
             "it was due. A gap was sent more than a whole interval late, or not at all: it "
             "says nothing of the system. The null server is the prober's own, beside it: "
             "what is slow there is not the system's doing. Pressure: tasks of its machine "
             "waited for a processor.</p>\n");
    if (asked)
        buf_puts(h->out,
                 "<p class=\"soft small\">The service's own count, when the trial began and "
                 "when it ended: how far it grew, and how much of that the probe's own "
                 "answered requests were.</p>\n");
}
