/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a target's figures lie over the trials: each trial a dot in the middle of its interval, the
 * interval as a line through it, beside the limit. One that was not seen to end is an arrow.
 */
#include "reports/html_parts.h"

#include <math.h>
#include <stdio.h>

enum { TOP = 22, TRIALS_MAX = 2000, TITLES_MAX = 300, TALLEST = 560, LEFT_OUT_MAX = 20 };

struct figure {
    const struct analysis_summary *sum;
    struct svg_axis axis;
    double times, pitch;
    size_t rows;
};

/* Limit and figures, and some room beside them. */
static struct svg_axis axis_of(const struct analysis_summary *sum, double times)
{
    double most = isnan(sum->limit) ? 0 : sum->limit, least = most;
    for (size_t i = 0; i < sum->n; i++) {
        const struct analysis_figure *v = &sum->values[i];
        least = v->lower < least ? v->lower : least;
        most = v->lower > most ? v->lower : most;
        most = isfinite(v->upper) && v->upper > most ? v->upper : most;
    }
    double room = (most - least) * 0.06;
    bool share = sum->unit == UNIT_SHARE;
    struct svg_axis axis = {.lo = share && least > room ? times * (least - room) : 0,
                            .hi = times * (most > least ? most + room : most * 1.1 + 0.01)};
    if (share && axis.hi > 100)
        axis.hi = 100;
    /* A dot at an end is seen whole. */
    double dot = (axis.hi - axis.lo) * 0.015;
    if (times * least < axis.lo + dot)
        axis.lo -= dot;
    if (times * most > axis.hi - dot)
        axis.hi += dot;
    return axis;
}

static struct figure figure_make(const struct analysis_summary *sum)
{
    struct figure f = {.sum = sum, .times = sum->unit == UNIT_SHARE ? 100 : 1};
    f.axis = axis_of(sum, f.times);
    f.rows = sum->n < TRIALS_MAX ? sum->n : TRIALS_MAX;
    f.pitch = f.rows != 0 ? TALLEST / (double)f.rows : 14;
    f.pitch = f.pitch > 14 ? 14 : f.pitch < 1.2 ? 1.2 : f.pitch;
    return f;
}

static double share(const struct figure *f, double value)
{
    return svg_share(&f->axis, value * f->times);
}

static double row_y(const struct figure *f, size_t row)
{
    return f->pitch * ((double)row + 0.5);
}

/* Many trials share an element: those of one verdict, and of those the ones that ended. */
struct alike {
    enum verdict verdict;
    bool open;
};

static void whisker(struct html *h, const struct figure *f, const struct analysis_figure *v,
                    double y)
{
    svg_path_to(h->out, 'M', share(f, v->lower), y);
    buf_puts(h->out, "H");
    svg_number(h->out, SVG_LAYER_WIDTH * (isinf(v->upper) ? 1 : share(f, v->upper)));
}

static void dot(struct html *h, const struct figure *f, const struct analysis_figure *v, double y)
{
    double lo = share(f, v->lower);
    svg_path_to(h->out, 'M', isinf(v->upper) ? lo : (lo + share(f, v->upper)) / 2, y);
    buf_puts(h->out, "h0");
}

typedef void mark(struct html *h, const struct figure *f, const struct analysis_figure *v,
                  double y);

/* One path with the marks of all trials of a kind. */
static void put_marks(struct html *h, const struct figure *f, struct alike k, const char *class,
                      mark *put)
{
    bool any = false;
    for (size_t i = 0; i < f->rows; i++) {
        const struct analysis_figure *v = &f->sum->values[i];
        if (v->verdict != k.verdict || isinf(v->upper) != k.open)
            continue;
        if (!any)
            svg_path_begin(h->out, class);
        any = true;
        put(h, f, v, row_y(f, i));
    }
    if (any)
        svg_path_end(h->out);
}

static void put_many(struct html *h, const struct figure *f)
{
    for (int v = VERDICT_NOT_JUDGED; v <= VERDICT_FAIL; v++)
        for (int open = 0; open < 2; open++) {
            struct alike k = {(enum verdict)v, open != 0};
            svg_group_begin(h->out, html_verdict_class(k.verdict), NULL);
            put_marks(h, f, k, open ? "whisk censored" : "whisk", whisker);
            put_marks(h, f, k, open ? "dot tiny hollow" : "dot tiny", dot);
            svg_group_end(h->out);
        }
}

static void put_one(struct html *h, const struct figure *f, const struct analysis_figure *v,
                    double y)
{
    CLEANUP_BUF struct buf title = BUF_INIT(256);
    buf_printf(&title, "trial %u: ", v->trial);
    figure_put(&title, f->sum->unit, v->lower);
    buf_puts(&title, " .. ");
    figure_put(&title, f->sum->unit, v->upper);
    buf_printf(&title, ", %s", verdict_word(v->verdict));
    svg_group_begin(h->out, html_verdict_class(v->verdict), buf_text(&title));
    svg_path_begin(h->out, isinf(v->upper) ? "whisk censored" : "whisk");
    whisker(h, f, v, y);
    svg_path_end(h->out);
    svg_path_begin(h->out, isinf(v->upper) ? "dot hollow" : "dot");
    dot(h, f, v, y);
    svg_path_end(h->out);
    svg_group_end(h->out);
}

static void put_limit(struct html *h, const struct figure *f, double bottom)
{
    if (isnan(f->sum->limit))
        return;
    CLEANUP_BUF struct buf text = BUF_INIT(128);
    bool least = f->sum->side == AT_LEAST;
    double x = 100 * share(f, f->sum->limit);
    buf_printf(&text, "limit: %s ", least ? "at least" : "at most");
    figure_put(&text, f->sum->unit, f->sum->limit);
    svg_rect(h->out, "beyond", least ? 0 : x, TOP - 4, least ? x : 100 - x, bottom - TOP + 4);
    svg_line(h->out, "limit", x, TOP - 4, x, bottom);
    svg_text(h->out, "tl", x > 50 ? SVG_END : SVG_START, x, 12, buf_text(&text));
}

static void put_axis(struct html *h, const struct figure *f, double y)
{
    static const char *const units[] = {
        [UNIT_SECONDS] = " s", [UNIT_SHARE] = " %", [UNIT_COUNT] = ""};
    double ticks[SVG_TICKS_MAX];
    size_t n = svg_ticks(&f->axis, 6, ticks);
    for (size_t i = 0; i < n; i++) {
        char text[40];
        double x = 100 * svg_share(&f->axis, ticks[i]);
        (void)snprintf(text, sizeof(text), "%.*f%s", svg_tick_digits(ticks, n), ticks[i],
                       units[f->sum->unit]);
        svg_line(h->out, "grid", x, TOP, x, y);
        svg_text(h->out, "tk", x < 4 ? SVG_START : x > 95 ? SVG_END : SVG_MIDDLE, x, y + 17, text);
    }
    svg_line(h->out, "base", 0, y, 100, y);
}

/* Where the median lies. */
static void put_median(struct html *h, const struct figure *f, double bottom)
{
    if (!f->sum->median_known)
        return;
    double from = 100 * share(f, f->sum->median_lower), to = 100 * share(f, f->sum->median_upper);
    svg_rect(h->out, "median", from, TOP, to - from, bottom - TOP);
    svg_line(h->out, "medianline", from, TOP, from, bottom);
    svg_line(h->out, "medianline", to, TOP, to, bottom);
}

/* Numbers of the trials at the side, where there is room for them. */
static void put_names(struct html *h, const struct figure *f, int height)
{
    size_t every = f->pitch >= 12 ? 1 : f->pitch >= 2 ? 10 : 50;
    svg_begin(h->out, "ax x4", height);
    for (size_t i = 0; i < f->rows; i++) {
        char text[32];
        if (i != 0 && (i + 1) % every != 0)
            continue;
        (void)snprintf(text, sizeof(text), "%u", f->sum->values[i].trial);
        svg_text(h->out, "tk", SVG_END, 86, TOP + row_y(f, i) + 4, text);
    }
    svg_end(h->out);
}

static void put_drawing(struct html *h, const struct figure *f)
{
    double tall = f->pitch * (double)f->rows + 4;
    int height = TOP + (int)tall + 24;
    put_names(h, f, height);
    svg_begin(h->out, "in dots", height);
    put_axis(h, f, TOP + tall);
    put_median(h, f, TOP + tall);
    put_limit(h, f, TOP + tall);
    svg_layer_begin(h->out, TOP, tall);
    for (size_t i = 0; f->rows <= TITLES_MAX && i < f->rows; i++)
        put_one(h, f, &f->sum->values[i], row_y(f, i));
    if (f->rows > TITLES_MAX)
        put_many(h, f);
    svg_layer_end(h->out);
    svg_end(h->out);
}

static void put_caption(struct html *h, const struct analysis_summary *s)
{
    buf_puts(h->out, "<figcaption><strong>");
    html_measure(h->out, s->measure);
    buf_puts(h->out, s->of[0] != '\0' ? " of " : "");
    html_text(h->out, s->of);
    buf_puts(h->out, s->from[0] != '\0' ? ", from the " : s->detail[0] != '\0' ? " " : "");
    html_text(h->out, s->from[0] != '\0' ? s->from : s->detail);
    buf_printf(h->out,
               "</strong><span class=\"soft\">%zu trials, in their order: %u passed, %u missed, %u "
               "could not be told. The line through a dot is the interval in which the truth lies",
               s->n, s->passes, s->misses, s->undecided);
    if (s->censored != 0)
        buf_printf(h->out,
                   "; %u, faint and dashed up to the edge, had not ended when observation "
                   "did",
                   s->censored);
    buf_puts(h->out, s->median_known ? "; the band is where the median lies.</span></figcaption>"
                                     : ".</span></figcaption>");
}

static void put_quantiles(struct html *h, const struct analysis_summary *s)
{
    buf_puts(h->out, "<ul class=\"plain\">");
    if (s->sentence[0] != '\0') {
        buf_puts(h->out, "<li>");
        html_textf(h->out, "%s.", s->sentence);
        buf_puts(h->out, "</li>");
    }
    for (size_t i = 0; i < ANALYSIS_QUANTILES; i++) {
        const struct analysis_quantile *q = &s->quantiles[i];
        if (!q->known)
            continue;
        buf_printf(h->out, "<li>%u %% of runs are %s ", q->percent,
                   s->side == AT_MOST ? "at most" : "at least");
        figure_put(h->out, s->unit, q->bound);
        buf_puts(h->out, ", with 95 % confidence.</li>");
    }
    if (!s->median_known && s->n > 1)
        buf_printf(h->out, "<li>A median's bounds need %u trials.</li>", s->median_needs);
    if (s->order[0] != '\0') {
        buf_puts(h->out, "<li>");
        html_textf(h->out, "%s.", s->order);
        buf_puts(h->out, "</li>");
    }
    for (size_t i = 0; i < s->n_left_out && i < LEFT_OUT_MAX; i++) {
        buf_puts(h->out, "<li>");
        html_textf(h->out, "Not counted: trial %u: %s", s->left_out[i].trial, s->left_out[i].why);
        buf_puts(h->out, "</li>");
    }
    buf_puts(h->out, "</ul>\n");
    html_rows_left(h, s->n_left_out, LEFT_OUT_MAX);
}

static void put_figure(struct html *h, const struct analysis_summary *s)
{
    struct figure f = figure_make(s);
    buf_puts(h->out, "<figure>");
    put_caption(h, s);
    buf_puts(h->out, "<div class=\"plot\" role=\"img\" aria-label=\"Intervals of each trial beside "
                     "the limit; the table under Trials has the figures\">");
    put_drawing(h, &f);
    buf_puts(h->out, "</div></figure>\n");
    html_rows_left(h, s->n, TRIALS_MAX);
    put_quantiles(h, s);
}

void html_recoveries(struct html *h)
{
    const struct analysis *a = h->report->analysis;
    size_t n = 0;
    for (size_t k = 0; k < a->n_summaries; k++)
        if (a->summaries[k].n > 1)
            n++;
    if (n == 0)
        return;
    if (a->series.why != NULL && a->series.why[0] != '\0') {
        buf_puts(h->out, "<p>");
        html_textf(h->out, "%s.", a->series.why);
        buf_puts(h->out, "</p>\n");
    }
    for (size_t k = 0; k < a->n_summaries; k++)
        if (a->summaries[k].n > 1)
            put_figure(h, &a->summaries[k]);
}
