/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The section: the trial that decided in full, all trials as strips, the other trials folded. */
#include "reports/html_timeline.h"

#include <stdio.h>

enum { OUTAGES_MAX = 60, FAULT_NAME_Y = 34 };

int64_t html_zero(const struct analysis_trial *t)
{
    if (t->n_waves != 0 && t->waves[0].injected.lo != HISTORY_UNKNOWN)
        return t->waves[0].injected.lo;
    return t->of->steady_known ? t->of->steady_ns : t->of->start_ns;
}

double timeline_x(const struct timeline_view *v, int64_t ns, double otherwise)
{
    if (ns == HISTORY_UNKNOWN || ns == SPAN_OPEN)
        return otherwise;
    return 100 * svg_share(&v->axis, ((double)ns - (double)v->zero) / 1e9);
}

const char *timeline_since(const struct timeline_view *v, int64_t ns, char ret[32])
{
    if (ns == HISTORY_UNKNOWN || ns == SPAN_OPEN)
        return html_time(ns, ret);
    (void)snprintf(ret, 32, "%+.3f\xc2\xa0s", ((double)ns - (double)v->zero) / 1e9);
    return ret;
}

static bool is_instant(const struct analysis_trial *t)
{
    for (size_t i = 0; i < t->n_injections; i++) {
        const char *by = t->injections[i].of->ended_by;
        if (by == NULL || by[0] != 'i')
            return false;
    }
    return t->n_injections != 0;
}

/* Of a fault that came and went, each time that it was there; on several hosts it was so at once.
 */
static void put_phases(struct html *h, const struct timeline_view *v, const struct analysis_wave *w,
                       double y, double height)
{
    for (size_t i = 0; i < v->t->n_injections; i++) {
        const struct history_injection *of = v->t->injections[i].of;
        if (of->phase <= 0 || v->t->injections[i].place != 0 || of->active_ns == HISTORY_UNKNOWN ||
            of->active_ns < w->injected.lo)
            continue;
        double from = timeline_x(v, of->active_ns, 0), to = timeline_x(v, of->undone_ns, 100);
        svg_rect(h->out, "fault", from, y, to - from, height);
    }
}

static void put_fault(struct html *h, const struct timeline_view *v, const struct analysis_wave *w,
                      double y, double height)
{
    char asked[32], on[32], revert[32], off[32];
    CLEANUP_BUF struct buf title = BUF_INIT(1 << 16);
    bool instant = is_instant(v->t);
    double from = timeline_x(v, w->injected.lo, 0);
    double to = instant ? from : timeline_x(v, w->undone.hi, 100);
    buf_printf(&title, "%s: asked %s, verified active %s", w->faults,
               timeline_since(v, w->injected.lo, asked), timeline_since(v, w->injected.hi, on));
    if (!instant)
        buf_printf(&title, "; revert asked %s, verified gone %s",
                   timeline_since(v, w->undone.lo, revert), timeline_since(v, w->undone.hi, off));
    svg_group_begin(h->out, "f", buf_text(&title));
    if (w->phases > 0)
        put_phases(h, v, w, y, height);
    else
        svg_rect(h->out, "fault", from, y, to - from, height);
    svg_line(h->out, "faultedge", from, y, from, y + height);
    if (w->undone.hi != HISTORY_UNKNOWN && !instant)
        svg_line(h->out, "faultedge", to, y, to, y + height);
    svg_group_end(h->out);
}

/* A name is cut at the chart's edge, and left out where the one before has not ended yet. */
static void put_fault_names(struct html *h, const struct timeline_view *v)
{
    double last = -100;
    for (size_t i = 0; i < v->t->n_waves; i++) {
        double x = timeline_x(v, v->t->waves[i].injected.lo, 0);
        if (x - last < 34)
            continue;
        last = x;
        bool left = x > 62; /* no room to its right */
        svg_text(h->out, "tf", left ? SVG_END : SVG_START, x, FAULT_NAME_Y, v->t->waves[i].faults);
    }
}

void timeline_faults(struct html *h, const struct timeline_view *v, double y, double height,
                     bool names)
{
    for (size_t i = 0; i < v->t->n_waves; i++)
        put_fault(h, v, &v->t->waves[i], y, height);
    if (names)
        put_fault_names(h, v);
}

void timeline_outage_text(struct buf *out, const struct timeline_view *v,
                          const struct analysis_outage *o)
{
    char a[32], b[32], c[32], d[32];
    buf_printf(out, "failed from %s .. %s until %s .. %s", timeline_since(v, o->onset.lo, a),
               timeline_since(v, o->onset.hi, b), timeline_since(v, o->recovery.lo, c),
               timeline_since(v, o->recovery.hi, d));
}

static void put_span(struct html *h, const struct timeline_view *v, const struct span *s, double y,
                     double height)
{
    double from = timeline_x(v, s->lo, 0), to = timeline_x(v, s->hi, 100);
    svg_rect(h->out, "unsure", from, y, to - from, height);
    svg_line(h->out, "unsureedge", from, y, from, y + height);
    svg_line(h->out, "unsureedge", to, y, to, y + height);
}

void timeline_unsure(struct html *h, const struct timeline_view *v, const struct analysis_probe *p,
                     double y, double height)
{
    for (size_t i = 0; i < p->n_outages && i < OUTAGES_MAX; i++) {
        CLEANUP_BUF struct buf title = BUF_INIT(512);
        timeline_outage_text(&title, v, &p->outages[i]);
        svg_group_begin(h->out, "u", buf_text(&title));
        put_span(h, v, &p->outages[i].onset, y, height);
        put_span(h, v, &p->outages[i].recovery, y, height);
        svg_group_end(h->out);
    }
}

void timeline_axis(struct html *h, const struct svg_axis *axis, double top, double y)
{
    double ticks[SVG_TICKS_MAX];
    size_t n = svg_ticks(axis, 6, ticks);
    for (size_t i = 0; i < n; i++) {
        char text[40];
        double x = 100 * svg_share(axis, ticks[i]);
        (void)snprintf(text, sizeof(text), "%.*f s", svg_tick_digits(ticks, n), ticks[i]);
        svg_line(h->out, "grid", x, top, x, y);
        svg_line(h->out, "base", x, y, x, y + 4);
        svg_text(h->out, "tk", x < 4 ? SVG_START : x > 95 ? SVG_END : SVG_MIDDLE, x, y + 17, text);
    }
    svg_line(h->out, "base", 0, y, 100, y);
}

static struct timeline_view view_of(const struct analysis_trial *t)
{
    struct timeline_view v = {.t = t, .zero = html_zero(t), .axis = {.lo = -1, .hi = 1}};
    bool any = false;
    for (size_t i = 0; i < t->n_probes; i++) {
        const struct timeline *l = &t->probes[i].timeline;
        double lo = ((double)l->from_ns - (double)v.zero) / 1e9;
        double hi = lo + (double)l->bin_ns * (double)l->n / 1e9;
        if (l->n == 0)
            continue;
        v.axis.lo = !any || lo < v.axis.lo ? lo : v.axis.lo;
        v.axis.hi = !any || hi > v.axis.hi ? hi : v.axis.hi;
        any = true;
    }
    return v;
}

static bool has_slots(const struct analysis_trial *t)
{
    for (size_t i = 0; i < t->n_probes; i++)
        if (t->probes[i].timeline.n != 0)
            return true;
    return false;
}

static void put_trial(struct html *h, const struct analysis_trial *t)
{
    struct timeline_view v = view_of(t);
    for (size_t i = 0; i < t->n_probes; i++)
        if (t->probes[i].timeline.n != 0)
            timeline_chart(h, &v, &t->probes[i]);
    html_events(h, t);
}

static void put_legend(struct html *h)
{
    static const struct {
        const char *class, *text;
    } rows[] = {
        {"good", "good"},
        {"bad", "bad"},
        {"gap", "not known: the prober's own gap"},
        {"fault", "the fault stands"},
        {"unsure", "where onset or recovery lies"},
        {"band", "latency of good answers from the time they were due: line median, band to p99"}};
    buf_puts(h->out, "<ul class=\"legend\">");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        buf_printf(h->out,
                   "<li><svg width=\"14\" height=\"12\" aria-hidden=\"true\" focusable=\"false\">"
                   "<rect class=\"%s\" width=\"14\" height=\"12\"/></svg>%s</li>",
                   rows[i].class, rows[i].text);
    buf_puts(h->out, "</ul>\n");
}

static void put_others(struct html *h, const struct analysis_trial *shown)
{
    const struct analysis *a = h->report->analysis;
    size_t left = 0;
    for (size_t i = 0; i < a->n_trials; i++) {
        const struct analysis_trial *t = &a->trials[i];
        if (t == shown || !has_slots(t))
            continue;
        if (h->out->len > HTML_CHARTS_MAX) {
            left++;
            continue;
        }
        buf_puts(h->out, "<details><summary>The same of ");
        html_trial_name(h, t);
        buf_puts(h->out, ": ");
        html_verdict_word(h, t->verdict);
        buf_puts(h->out, "</summary>\n");
        put_trial(h, t);
        buf_puts(h->out, "</details>\n");
    }
    if (left != 0)
        buf_printf(h->out,
                   "<p class=\"soft small\">The charts of %zu more trials are left out, to keep "
                   "this file small; the strips above show them all.</p>\n",
                   left);
}

void html_timelines(struct html *h)
{
    const struct analysis *a = h->report->analysis;
    const struct analysis_trial *t = html_shown_trial(a);
    if (t == NULL || !has_slots(t))
        return;
    buf_printf(h->out,
               "<p class=\"soft small\">Seconds since %s. <span class=\"hint\">Move over a chart, "
               "or reach it with Tab and use the arrow keys, for the values of an instant.</span>"
               "</p>\n",
               t->n_waves == 0       ? "the steady state was reached"
               : t->waves[0].refused ? "the step was refused"
                                     : "the fault was asked for");
    put_legend(h);
    if (a->n_trials > 1) {
        buf_puts(h->out, "<h3>All trials</h3>\n");
        for (size_t i = 0; i < t->n_probes; i++)
            if (!t->probes[i].signal)
                timeline_strips(h, i);
        buf_puts(h->out, "<h3>In full: ");
        html_trial_name(h, t);
        buf_puts(h->out, html_decider(a) != NULL ? ", which decided</h3>\n" : "</h3>\n");
    }
    put_trial(h, t);
    put_others(h, t);
}
