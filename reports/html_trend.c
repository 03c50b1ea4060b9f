/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Earlier runs of the same scenario, as the journal lists them: the main target's interval in each,
 * the oldest first, this run last. */
#include "analysis/trend.h"
#include "reports/html_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PITCH = 16, TOP = 22 };

static struct svg_axis axis_of(const struct trend *t, double times)
{
    struct svg_axis axis = {.lo = 0, .hi = 0};
    for (size_t i = 0; i < t->n; i++) {
        const struct trend_point *p = &t->points[i];
        const double values[] = {p->lower, p->upper, p->limit};
        for (size_t k = 0; k < 3; k++)
            if (isfinite(values[k]) && values[k] * times > axis.hi)
                axis.hi = values[k] * times;
    }
    axis.hi = axis.hi > 0 ? axis.hi * 1.08 : 1;
    return axis;
}

static enum verdict verdict_of(const char *word)
{
    for (int v = VERDICT_NOT_JUDGED; v <= VERDICT_FAIL; v++)
        if (word != NULL && strcmp(verdict_word((enum verdict)v), word) == 0)
            return (enum verdict)v;
    return VERDICT_NOT_JUDGED;
}

static void put_point(struct html *h, const struct trend *t, const struct trend_point *p,
                      const struct svg_axis *axis, double times, double y)
{
    CLEANUP_BUF struct buf title = BUF_INIT(1 << 12);
    bool last = p == &t->points[t->n - 1];
    double to = isinf(p->upper) ? 100 : 100 * svg_share(axis, p->upper * times);
    double from = 100 * svg_share(axis, p->lower * times);
    buf_printf(&title, "%s, %s: ", p->run, p->wall);
    trend_print_figure(t->unit, p->lower, &title);
    buf_puts(&title, " .. ");
    trend_print_figure(t->unit, p->upper, &title);
    buf_printf(&title, ", %s%s%s%s%s", p->verdict, p->stopped ? "; stopped before its end" : "",
               (p->changes & TREND_SCENARIO) != 0 ? "; another text of the scenario" : "",
               (p->changes & TREND_PACKAGES) != 0 ? "; other versions of packages" : "",
               (p->changes & TREND_VERSION) != 0 ? "; another version of Blackstart" : "");
    svg_group_begin(h->out, html_verdict_class(verdict_of(p->verdict)), buf_text(&title));
    svg_rect(h->out, "iv", from, y + 4, to - from, PITCH - 8);
    svg_line(h->out, "ivline", from, y + (last ? 1 : 4), from, y + PITCH - (last ? 1 : 4));
    svg_line(h->out, isinf(p->upper) ? "ivopen" : "ivline", to, y + (last ? 1 : 4), to,
             y + PITCH - (last ? 1 : 4));
    if (isfinite(p->limit))
        svg_line(h->out, "limit", 100 * svg_share(axis, p->limit * times), y,
                 100 * svg_share(axis, p->limit * times), y + PITCH);
    svg_group_end(h->out);
}

static void put_dates(struct html *h, const struct trend *t, int height)
{
    svg_begin(h->out, "ax x5", height);
    for (size_t i = 0; i < t->n; i++) {
        char day[16];
        (void)snprintf(day, sizeof(day), "%.10s", t->points[i].wall);
        bool last = t->this_run && i + 1 == t->n;
        svg_text(h->out, last ? "tf" : "tk", SVG_END, 92, TOP + PITCH * (double)i + 12,
                 last ? "this run" : day);
    }
    svg_end(h->out);
}

static void put_drawing(struct html *h, const struct trend *t)
{
    double times = strcmp(t->unit, "share") == 0 ? 100 : 1, ticks[SVG_TICKS_MAX];
    struct svg_axis axis = axis_of(t, times);
    double bottom = TOP + PITCH * (double)t->n + 3;
    int height = (int)bottom + 22;
    size_t n = svg_ticks(&axis, 6, ticks);
    put_dates(h, t, height);
    svg_begin(h->out, "in", height);
    for (size_t i = 0; i < n; i++) {
        char text[40];
        double x = 100 * svg_share(&axis, ticks[i]);
        (void)snprintf(text, sizeof(text), "%.*f %s", svg_tick_digits(ticks, n), ticks[i],
                       strcmp(t->unit, "share") == 0   ? "%"
                       : strcmp(t->unit, "count") == 0 ? ""
                                                       : t->unit);
        svg_line(h->out, "grid", x, TOP, x, bottom);
        svg_text(h->out, "tk",
                 x < 4    ? SVG_START
                 : x > 95 ? SVG_END
                          : SVG_MIDDLE,
                 x, bottom + 17, text);
    }
    svg_line(h->out, "base", 0, bottom, 100, bottom);
    for (size_t i = 0; i < t->n; i++)
        if (!isnan(t->points[i].lower))
            put_point(h, t, &t->points[i], &axis, times, TOP + PITCH * (double)i);
    svg_end(h->out);
}

static void put_trend(struct html *h, const struct trend *t)
{
    CLEANUP_BUF struct buf line = BUF_INIT(1 << 12);
    struct earlier_target of = {
        .measure = t->measure, .of = t->of, .from = t->from, .detail = t->detail};
    CLEANUP_BUF struct buf name = BUF_INIT(1 << 12);
    trend_print_comparison(t, &line);
    trend_print_name(&of, &name);
    buf_puts(h->out, "<figure><figcaption><strong>");
    html_text(h->out, buf_text(&name));
    buf_puts(h->out, "</strong><span class=\"soft\">Each run's interval, dashed the limit it was "
                     "judged by. ");
    html_text(h->out, buf_text(&line));
    buf_puts(h->out, "</span></figcaption><div class=\"plot\" role=\"img\" aria-label=\"");
    html_text(h->out, line.len != 0 ? buf_text(&line) : buf_text(&name));
    buf_puts(h->out, "\">");
    put_drawing(h, t);
    buf_puts(h->out, "</div></figure>\n");
}

void html_trend(struct html *h)
{
    struct arena arena = ARENA_INIT(1 << 20);
    struct trend trend = {.n = 0};
    struct err why;
    if (trend_of_run(h->report->history, h->report->analysis, TREND_MAIN, &arena, &trend, &why) ==
            0 &&
        trend.n > 1)
        put_trend(h, &trend);
    arena_free(&arena);
}
