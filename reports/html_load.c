/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each load got: its successes and attempts over time, and before, during and after the
 * faults. */
#include "reports/html_timeline.h"

#include <math.h>
#include <stdio.h>

enum { HEIGHT = 150, TITLE = 13, TOP = 44, DEPTH = 72, AXIS_Y = 126, FAULT_Y = 40 };

struct course {
    struct timeline_view view;
    const struct analysis_load *l;
    struct svg_axis rate;
};

static double per_second(const struct analysis_load_second *s, int64_t n)
{
    return s->to_ns > s->from_ns ? (double)n / ((double)(s->to_ns - s->from_ns) / 1e9) : 0;
}

static double down(const struct course *c, double rate)
{
    return DEPTH * (1 - svg_share(&c->rate, rate));
}

static double share(const struct course *c, int64_t ns)
{
    return svg_share(&c->view.axis, ((double)ns - (double)c->view.zero) / 1e9);
}

static struct course course_of(const struct analysis_trial *t, const struct analysis_load *l)
{
    struct course c = {.view = {.t = t, .zero = html_zero(t)}, .l = l, .rate = {.lo = 0, .hi = 1}};
    c.view.axis.lo = ((double)l->seconds[0].from_ns - (double)c.view.zero) / 1e9;
    c.view.axis.hi = ((double)l->seconds[l->n_seconds - 1].to_ns - (double)c.view.zero) / 1e9;
    if (c.view.axis.hi <= c.view.axis.lo)
        c.view.axis.hi = c.view.axis.lo + 1;
    for (size_t i = 0; i < l->n_seconds; i++) {
        double most = per_second(&l->seconds[i], l->seconds[i].counts.attempts);
        c.rate.hi = most > c.rate.hi ? most : c.rate.hi;
    }
    return c;
}

static void put_side(struct html *h, const struct course *c)
{
    double ticks[SVG_TICKS_MAX];
    size_t n = svg_ticks(&c->rate, 3, ticks);
    svg_begin(h->out, "ax x4", HEIGHT);
    for (size_t i = 0; i < n; i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "%g", ticks[i]);
        svg_text(h->out, "tk", SVG_END, 86, TOP + down(c, ticks[i]) + 4, text);
    }
    svg_end(h->out);
}

static void put_drawing(struct html *h, const struct course *c)
{
    const struct analysis_load *l = c->l;
    svg_begin(h->out, "in", HEIGHT);
    timeline_axis(h, &c->view.axis, TOP, AXIS_Y);
    timeline_faults(h, &c->view, FAULT_Y, AXIS_Y - FAULT_Y, true);
    svg_layer_begin(h->out, TOP, DEPTH);
    svg_path_begin(h->out, "good");
    for (size_t i = 0; i < l->n_seconds; i++) {
        const struct analysis_load_second *s = &l->seconds[i];
        if (s->counts.ok != 0)
            svg_path_box(h->out, share(c, s->from_ns), down(c, per_second(s, s->counts.ok)),
                         share(c, s->to_ns), DEPTH);
    }
    svg_path_end(h->out);
    svg_path_begin(h->out, "p50");
    for (size_t i = 0; i < l->n_seconds; i++) {
        const struct analysis_load_second *s = &l->seconds[i];
        double y = down(c, per_second(s, s->counts.attempts));
        svg_path_to(h->out, i == 0 ? 'M' : 'L', share(c, s->from_ns), y);
        svg_path_to(h->out, 'L', share(c, s->to_ns), y);
    }
    svg_path_end(h->out);
    svg_layer_end(h->out);
    svg_text(h->out, "tl", SVG_START, 0, TITLE, "Successes a second; the line: attempts");
    svg_end(h->out);
}

static void put_chart(struct html *h, const struct analysis_trial *t, const struct analysis_load *l)
{
    struct course c = course_of(t, l);
    buf_puts(h->out, "<figure><figcaption><strong>");
    html_text(h->out, l->name);
    buf_puts(h->out, "</strong><span class=\"soft\">");
    html_textf(h->out, "%s, from %s: %s.", l->kind, l->from, l->model);
    buf_puts(h->out, "</span></figcaption><div class=\"plot\" role=\"img\" aria-label=\"");
    html_textf(h->out, "Successes and attempts of %s over time", l->name);
    buf_puts(h->out, "\">");
    put_side(h, &c);
    put_drawing(h, &c);
    buf_puts(h->out, "</div></figure>\n");
}

static void put_time(struct html *h, int64_t ns)
{
    char text[32];
    html_cellf(h, "%s", ns < 0 ? "-" : html_duration(ns, text));
}

static void put_failures(struct html *h, const struct analysis_load_counts *c)
{
    bool any = false;
    html_cell(h);
    for (size_t i = 0; i < ANALYSIS_LOAD_FAILURES; i++) {
        if (c->failures[i] == 0)
            continue;
        html_textf(h->out, "%s%lld %s", any ? ", " : "", (long long)c->failures[i],
                   load_failure_words[i]);
        any = true;
    }
    if (!any)
        buf_puts(h->out, "none");
}

static void put_phase(struct html *h, const struct analysis_trial *t, const struct analysis_load *l,
                      enum load_phase p)
{
    const struct analysis_load_counts *c = &l->phases[p];
    html_row(h);
    html_trial_cell(h, t->trial);
    html_cell(h);
    html_text(h->out, l->name);
    html_cellf(h, "%s, %.1f s", load_phase_word(p), (double)c->length_ns / 1e9);
    html_cellf(h, "%.1f", analysis_load_rate(c));
    if (c->ok > 0)
        html_cellf(h, "%.2f", analysis_load_effort(c));
    else
        html_cellf(h, "-");
    put_time(h, c->p50_ns);
    put_time(h, c->p99_ns);
    put_time(h, c->most_ns);
    html_cellf(h, "%lld", (long long)c->failed);
    put_failures(h, c);
    html_cellf(h, "%.0f %%", 100 * analysis_load_cpu(c));
}

static void put_trial(struct html *h, const struct analysis_trial *t, size_t *rows)
{
    for (size_t i = 0; i < t->n_loads; i++)
        for (size_t p = 0; p < LOAD_PHASES; p++)
            if (t->loads[i].phases[p].length_ns > 0 && (*rows)++ < HTML_ROWS_MAX)
                put_phase(h, t, &t->loads[i], (enum load_phase)p);
}

void html_loads(struct html *h)
{
    const struct analysis *a = h->report->analysis;
    const struct analysis_trial *shown = html_shown_trial(a);
    size_t rows = 0;
    if (a->n_trials == 0 || a->trials[0].n_loads == 0)
        return;
    for (size_t i = 0; shown != NULL && i < shown->n_loads; i++)
        if (shown->loads[i].n_seconds != 0 && h->out->len < HTML_CHARTS_MAX)
            put_chart(h, shown, &shown->loads[i]);
    html_table_begin(h,
                     "What each load got before, during and after the faults; the share of a "
                     "processor is its own",
                     HTML_COLUMNS("#Trial", "!Load", "Phase", "#Successes/s", "#Attempts each",
                                  "#Median", "#p99", "#Worst", "#Given up", "~Failed attempts",
                                  "#Its CPU"));
    for (size_t i = 0; i < a->n_trials; i++)
        put_trial(h, &a->trials[i], &rows);
    html_table_end(h);
    html_rows_left(h, rows, HTML_ROWS_MAX);
}
