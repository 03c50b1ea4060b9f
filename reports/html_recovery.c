/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a target's figures lie over the trials: each trial a dot in the middle of its interval, the
 * interval as a line through it, beside the limit. One that was not seen to end is an arrow.
 */
#include "reports/html_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TOP = 22, TRIALS_MAX = 2000, TITLES_MAX = 300, TALLEST = 560 };

struct figure {
    size_t target;
    const struct analysis_target *sum;
    struct svg_axis axis;
    double times, pitch;
    size_t n;
};

/* Trials whose figure counts, as the sentences count them. */
static const struct analysis_target *figure_of(const struct analysis_trial *t, size_t target)
{
    if (t->fault_free || target >= t->n_targets || isnan(t->targets[target].lower))
        return NULL;
    return &t->targets[target];
}

static struct figure figure_make(const struct analysis *a, size_t target)
{
    const struct analysis_target *sum = &a->targets[target];
    struct figure f = {.target = target, .sum = sum, .times = sum->unit == UNIT_SHARE ? 100 : 1};
    double most = isnan(sum->limit) ? 0 : sum->limit, least = most;
    for (size_t i = 0; i < a->n_trials; i++) {
        const struct analysis_target *t = figure_of(&a->trials[i], target);
        if (t == NULL)
            continue;
        f.n++;
        least = t->lower < least ? t->lower : least;
        most = isfinite(t->upper) && t->upper > most ? t->upper : t->lower > most ? t->lower : most;
    }
    double room = (most - least) * 0.06;
    f.axis.lo = sum->unit == UNIT_SECONDS ? 0 : f.times * (least - room > 0 ? least - room : 0);
    f.axis.hi = f.times * (most + (most > least ? room : most * 0.1 + 0.01));
    if (sum->unit == UNIT_SHARE && f.axis.hi > 100)
        f.axis.hi = 100;
    f.pitch = f.n != 0 ? TALLEST / (double)f.n : 14;
    f.pitch = f.pitch > 14 ? 14 : f.pitch < 1.2 ? 1.2 : f.pitch;
    return f;
}

static double share(const struct figure *f, double value)
{
    return svg_share(&f->axis, value * f->times);
}

static void put_title(struct html *h, const struct analysis_trial *trial,
                      const struct analysis_target *t)
{
    CLEANUP_BUF struct buf text = BUF_INIT(256);
    buf_printf(&text, "trial %u: ", trial->trial);
    figure_put(&text, t->unit, t->lower);
    buf_puts(&text, " .. ");
    figure_put(&text, t->unit, t->upper);
    buf_printf(&text, ", %s", verdict_word(t->verdict));
    buf_puts(h->out, "<title>");
    html_text(h->out, buf_text(&text));
    buf_puts(h->out, "</title>");
}

/* Many trials share an element: those of one verdict, and of those the ones that ended. */
struct kind {
    enum verdict verdict;
    bool open;
};

static bool is_kind(const struct analysis_target *t, struct kind k)
{
    return t->verdict == k.verdict && isinf(t->upper) == k.open;
}

static void whisker(struct html *h, const struct figure *f, const struct analysis_target *t,
                    double y)
{
    svg_path_to(h->out, 'M', share(f, t->lower), y);
    buf_puts(h->out, "H");
    svg_number(h->out, SVG_LAYER_WIDTH * (isinf(t->upper) ? 1 : share(f, t->upper)));
}

static void dot(struct html *h, const struct figure *f, const struct analysis_target *t, double y)
{
    double lo = share(f, t->lower);
    svg_path_to(h->out, 'M', isinf(t->upper) ? lo : (lo + share(f, t->upper)) / 2, y);
    buf_puts(h->out, "h0");
}

typedef void mark(struct html *h, const struct figure *f, const struct analysis_target *t,
                  double y);

/* One path with the marks of all trials of a kind. */
static void put_marks(struct html *h, const struct figure *f, struct kind k, const char *class,
                      mark *put)
{
    const struct analysis *a = h->report->analysis;
    bool any = false;
    size_t row = 0;
    for (size_t i = 0; i < a->n_trials && row < TRIALS_MAX; i++) {
        const struct analysis_target *t = figure_of(&a->trials[i], f->target);
        if (t == NULL)
            continue;
        double y = f->pitch * ((double)row++ + 0.5);
        if (!is_kind(t, k))
            continue;
        if (!any)
            svg_path_begin(h->out, class);
        any = true;
        put(h, f, t, y);
    }
    if (any)
        svg_path_end(h->out);
}

static void put_many(struct html *h, const struct figure *f)
{
    for (int v = VERDICT_NOT_JUDGED; v <= VERDICT_FAIL; v++)
        for (int open = 0; open < 2; open++) {
            struct kind k = {(enum verdict)v, open != 0};
            svg_group_begin(h->out, html_verdict_class(k.verdict), NULL);
            put_marks(h, f, k, open ? "whisk censored" : "whisk", whisker);
            put_marks(h, f, k, open ? "dot tiny hollow" : "dot tiny", dot);
            svg_group_end(h->out);
        }
}

static void put_one(struct html *h, const struct figure *f, const struct analysis_trial *trial,
                    const struct analysis_target *t, double y)
{
    svg_group_begin(h->out, html_verdict_class(t->verdict), NULL);
    put_title(h, trial, t);
    svg_path_begin(h->out, isinf(t->upper) ? "whisk censored" : "whisk");
    whisker(h, f, t, y);
    svg_path_end(h->out);
    svg_path_begin(h->out, isinf(t->upper) ? "dot hollow" : "dot");
    dot(h, f, t, y);
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
    buf_printf(&text, "limit: %s ", figure_side(f->sum));
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

/* Numbers of the trials at the side, where there is room for them. */
static void put_names(struct html *h, const struct figure *f, int height)
{
    const struct analysis *a = h->report->analysis;
    size_t row = 0;
    svg_begin(h->out, "ax x4", height);
    for (size_t i = 0; i < a->n_trials && row < TRIALS_MAX; i++) {
        char text[32];
        if (figure_of(&a->trials[i], f->target) == NULL)
            continue;
        row++;
        if (f->pitch < 12 && row % (f->pitch < 2 ? 50 : 10) != 0 && row != 1)
            continue;
        (void)snprintf(text, sizeof(text), "%u", a->trials[i].trial);
        svg_text(h->out, "tk", SVG_END, 86, TOP + f->pitch * ((double)row - 0.5) + 4, text);
    }
    svg_end(h->out);
}

static void put_drawing(struct html *h, const struct figure *f)
{
    const struct analysis *a = h->report->analysis;
    double tall = f->pitch * (double)(f->n < TRIALS_MAX ? f->n : TRIALS_MAX) + 4;
    int height = TOP + (int)tall + 24;
    size_t row = 0;
    put_names(h, f, height);
    svg_begin(h->out, "in dots", height);
    put_axis(h, f, TOP + tall);
    put_limit(h, f, TOP + tall);
    svg_layer_begin(h->out, TOP, tall);
    for (size_t i = 0; f->n <= TITLES_MAX && i < a->n_trials; i++) {
        const struct analysis_target *t = figure_of(&a->trials[i], f->target);
        if (t != NULL)
            put_one(h, f, &a->trials[i], t, f->pitch * ((double)row++ + 0.5));
    }
    if (f->n > TITLES_MAX)
        put_many(h, f);
    svg_layer_end(h->out);
    svg_end(h->out);
}

static void put_figure(struct html *h, const struct figure *f)
{
    const struct analysis_target *t = f->sum;
    buf_puts(h->out, "<figure><figcaption><strong>");
    html_measure(h->out, t->measure);
    buf_puts(h->out, t->of[0] != '\0' ? " of " : "");
    html_text(h->out, t->of);
    buf_puts(h->out, t->from[0] != '\0' ? ", from the " : "");
    html_text(h->out, t->from);
    buf_printf(h->out,
               "</strong><span class=\"soft\">%zu trials, in their order. The line through a dot "
               "is the interval in which the truth lies; a dashed line that reaches the edge had "
               "not ended when observation did.</span></figcaption>",
               f->n);
    buf_puts(h->out, "<div class=\"plot\" role=\"img\" aria-label=\"Intervals of each trial beside "
                     "the limit; the table under Trials has the figures\">");
    put_drawing(h, f);
    buf_puts(h->out, "</div></figure>\n");
    html_rows_left(h, f->n, TRIALS_MAX);
}

void html_recoveries(struct html *h)
{
    const struct analysis *a = h->report->analysis;
    for (size_t k = 0; k < a->n_targets; k++) {
        struct figure f = figure_make(a, k);
        if (f.n < 2 || isnan(a->targets[k].limit))
            continue;
        put_figure(h, &f);
    }
    if (h->out->len == 0)
        return;
    for (size_t i = 0; i < a->n_sentences; i++) {
        buf_puts(h->out, "<p>");
        html_textf(h->out, "%s.", a->sentences[i]);
        buf_puts(h->out, "</p>\n");
    }
}
