/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One probe over all trials: a line each, all from the same zero, so that they can be compared. */
#include "reports/html_timeline.h"

#include <stdio.h>

enum { PITCH = 18, TOP = 6, STRIPS_MAX = 120, OUTAGES_MAX = 40 };

static struct timeline_view view_of(const struct analysis *a, size_t probe)
{
    struct timeline_view v = {.axis = {.lo = 0, .hi = 0}};
    for (size_t i = 0; i < a->n_trials; i++) {
        const struct timeline *l = &a->trials[i].probes[probe].timeline;
        double lo = ((double)l->from_ns - (double)html_zero(&a->trials[i])) / 1e9;
        double hi = lo + (double)l->bin_ns * (double)l->n / 1e9;
        if (l->n == 0)
            continue;
        v.axis.lo = lo < v.axis.lo ? lo : v.axis.lo;
        v.axis.hi = hi > v.axis.hi ? hi : v.axis.hi;
    }
    if (!(v.axis.lo < v.axis.hi))
        v.axis.hi = v.axis.lo + 1;
    return v;
}

static void put_gaps(struct html *h, const struct timeline_view *v, const struct timeline *l,
                     double y, double height)
{
    unsigned n = 0;
    for (size_t k = 0, end; k < l->n; k = end) {
        for (end = k; end < l->n && l->bins[end].gaps != 0; end++)
            ;
        if (end > k && n++ < OUTAGES_MAX) {
            double from = timeline_x(v, l->from_ns + (int64_t)k * l->bin_ns, 0);
            double to = timeline_x(v, l->from_ns + (int64_t)end * l->bin_ns, 100);
            svg_rect(h->out, "gap", from, y, to - from, height);
        }
        end = end > k ? end : k + 1;
    }
}

/* Certainly bad between the two uncertain ends, and never narrower than two pixels. */
static void put_outages(struct html *h, const struct timeline_view *v,
                        const struct analysis_probe *p, double y, double height)
{
    for (size_t i = 0; i < p->n_outages && i < OUTAGES_MAX; i++) {
        const struct analysis_outage *o = &p->outages[i];
        CLEANUP_BUF struct buf title = BUF_INIT(512);
        double from = timeline_x(v, o->onset.hi, 0), to = timeline_x(v, o->recovery.lo, 100);
        double first = timeline_x(v, o->onset.lo, 0), last = timeline_x(v, o->recovery.hi, 100);
        timeline_outage_text(&title, v, o);
        svg_group_begin(h->out, "u", buf_text(&title));
        svg_rect(h->out, "unsure", first, y, last - first, height);
        svg_rect(h->out, "bad", from, y, to - from, height);
        svg_line(h->out, "badmin", (from + to) / 2, y, (from + to) / 2, y + height);
        svg_group_end(h->out);
    }
}

static void put_strip(struct html *h, struct timeline_view *v, size_t probe, double y)
{
    const struct analysis_probe *p = &v->t->probes[probe];
    double from = timeline_x(v, p->timeline.from_ns, 0);
    double to =
        timeline_x(v, p->timeline.from_ns + (int64_t)p->timeline.n * p->timeline.bin_ns, 100);
    timeline_faults(h, v, y + 1, PITCH - 2, false);
    svg_rect(h->out, "good", from, y + 6, to - from, PITCH - 12);
    put_gaps(h, v, &p->timeline, y + 6, PITCH - 12);
    put_outages(h, v, p, y + 3, PITCH - 6);
}

static void put_names(struct html *h, size_t n, int height)
{
    const struct analysis *a = h->report->analysis;
    svg_begin(h->out, "ax x4", height);
    for (size_t i = 0; i < n; i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "%s%u", a->trials[i].fault_free ? "no fault " : "",
                       a->trials[i].trial);
        svg_text(h->out, "tk", SVG_END, 86, TOP + PITCH * (double)i + PITCH / 2.0 + 4,
                 a->trials[i].fault_free ? "none" : text);
    }
    svg_end(h->out);
}

void timeline_strips(struct html *h, size_t probe)
{
    const struct analysis *a = h->report->analysis;
    size_t n = a->n_trials < STRIPS_MAX ? a->n_trials : STRIPS_MAX;
    struct timeline_view v = view_of(a, probe);
    int bottom = TOP + PITCH * (int)n + 2;
    buf_puts(h->out, "<figure><figcaption><strong>");
    html_text(h->out, a->trials[0].probes[probe].label);
    buf_puts(h->out, "</strong><span class=\"soft\">A line for each trial, by its number. ");
    buf_puts(h->out, a->trials[0].fault_free ? "\"none\" is the one without a fault." : "");
    buf_puts(h->out,
             "</span></figcaption><div class=\"plot\" role=\"img\" aria-label=\"Outages of ");
    html_text(h->out, a->trials[0].probes[probe].label);
    buf_printf(h->out, " in %zu trials; the table under Outages has the figures\">", n);
    put_names(h, n, bottom + 24);
    svg_begin(h->out, "in", bottom + 24);
    timeline_axis(h, &v.axis, TOP, bottom);
    for (size_t i = 0; i < n; i++) {
        v.t = &a->trials[i];
        v.zero = html_zero(v.t);
        put_strip(h, &v, probe, TOP + PITCH * (double)i);
    }
    svg_end(h->out);
    buf_puts(h->out, "</div></figure>\n");
    if (n < a->n_trials)
        buf_printf(h->out, "<p class=\"soft small\">The first %zu of %zu trials.</p>\n", n,
                   a->n_trials);
}
