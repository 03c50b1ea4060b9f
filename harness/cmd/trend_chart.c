/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/trend_chart.h"

#include "base/cleanup.h"
#include "cmd/when.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    CHART_MAX = 400,
    WHEN_WIDTH = 16,
    VERDICT_WIDTH = 12,
    FIGURES_WIDTH = 24,
    BESIDE = WHEN_WIDTH + VERDICT_WIDTH + FIGURES_WIDTH + 6, /* the drawing */
    CELLS_MIN = 10,
    INDENT = 2,
    FAR = 5
};

struct scale {
    double from, to;
    size_t cells;
    bool limit_drawn;
    bool stacked; /* too narrow for one line a run: three */
};

/* Over all figures, and the limit unless it lies so far off that nothing else could be told apart;
 * times from 0 on, so that a length is a time. */
static void scale_fill(const struct trend *t, double limit, struct scale *ret)
{
    double least = INFINITY, most = -INFINITY;
    bool open = false;
    for (size_t i = 0; i < t->n; i++) {
        const struct trend_point *p = &t->points[i];
        open = open || isinf(p->upper);
        if (isfinite(p->lower)) {
            least = fmin(least, p->lower);
            most = fmax(most, isfinite(p->upper) ? p->upper : p->lower);
        }
    }
    if (strcmp(t->unit, "s") == 0 || least > most)
        least = 0;
    if (least > most)
        most = isfinite(limit) ? limit : 1;
    double spread = fmax(most - least, 1e-9);
    if (open)
        most += spread / 10; /* there is more behind it */
    ret->limit_drawn =
        isfinite(limit) && limit <= most + FAR * spread && limit >= least - FAR * spread;
    ret->from = ret->limit_drawn ? fmin(least, limit) : least;
    ret->to = ret->limit_drawn ? fmax(most, limit) : most;
    if (ret->to - ret->from < 1e-9)
        ret->to = ret->from + 1e-9;
}

static size_t cell_of(const struct scale *s, double value)
{
    double at = (value - s->from) / (s->to - s->from) * (double)(s->cells - 1);
    return at <= 0 ? 0 : at >= (double)(s->cells - 1) ? s->cells - 1 : (size_t)(at + 0.5);
}

/* "[====]", "|" where it fits one cell, "[===>" where it is open. */
static void draw(const struct scale *s, const struct trend_point *p, double limit,
                 char line[CHART_MAX])
{
    memset(line, ' ', s->cells);
    line[s->cells] = '\0';
    if (s->limit_drawn)
        line[cell_of(s, limit)] = ':';
    if (!isfinite(p->lower))
        return;
    size_t from = cell_of(s, p->lower);
    size_t to = isfinite(p->upper) ? cell_of(s, p->upper) : s->cells - 1;
    for (size_t i = from; i <= to; i++)
        line[i] = '=';
    line[from] = from < to ? '[' : '|';
    if (!isfinite(p->upper))
        line[to] = '>';
    else if (from < to)
        line[to] = ']';
}

static void put_interval(const struct trend *t, const struct trend_point *p, struct buf *out)
{
    if (isnan(p->lower)) {
        buf_puts(out, "not measured");
        return;
    }
    trend_print_figure(t->unit, p->lower, out);
    buf_puts(out, " .. ");
    trend_print_figure(t->unit, p->upper, out);
    if (p->stopped)
        buf_printf(out, ", stopped after %" PRId64 " trial%s", p->trials,
                   p->trials == 1 ? "" : "s");
}

static void put_left_out(const struct trend *t, struct buf *out)
{
    if (t->left_out != 0)
        buf_printf(out,
                   "(left out: %" PRId64 " run%s stopped before a trial with a fault had ended)\n",
                   t->left_out, t->left_out == 1 ? "" : "s");
}

static void put_changes(const struct trend_point *p, struct buf *out)
{
    const char *between = "";
    if ((p->changes & TREND_SCENARIO) != 0) {
        buf_puts(out, "another text of the scenario");
        between = ", ";
    }
    if ((p->changes & TREND_SETUP) != 0) {
        buf_puts(out, "other variables or another lab");
        between = ", ";
    }
    if ((p->changes & TREND_PACKAGES) != 0) {
        buf_printf(out, "%sother versions of packages", between);
        between = ", ";
    }
    if ((p->changes & TREND_VERSION) != 0)
        buf_printf(out, "%sblackstart %s", between, p->version);
}

static void put_heading(const struct trend *t, const char *scenario, double limit, struct buf *out)
{
    buf_printf(out, "%s: ", scenario);
    trend_print_name(
        &(struct earlier_target){
            .measure = t->measure, .of = t->of, .from = t->from, .detail = t->detail},
        out);
    buf_printf(out, " over %zu run%s", t->n, t->n == 1 ? "" : "s");
    if (isfinite(limit)) {
        buf_printf(out, ", %s ", t->at_least ? "at least" : "at most");
        trend_print_figure(t->unit, limit, out);
    }
    buf_puts(out, "\n");
}

static void put_axis(const struct trend *t, const struct scale *s, double limit, struct buf *out)
{
    CLEANUP_BUF struct buf from = BUF_INIT(64);
    CLEANUP_BUF struct buf to = BUF_INIT(64);
    trend_print_figure(t->unit, s->from, &from);
    trend_print_figure(t->unit, s->to, &to);
    size_t used = from.len + to.len;
    int left = s->stacked ? INDENT : WHEN_WIDTH + VERDICT_WIDTH + 4;
    buf_printf(out, "%*s%s%*s%s\n", left, "", buf_text(&from),
               s->cells > used ? (int)(s->cells - used) : 1, "", buf_text(&to));
    if (s->limit_drawn)
        buf_puts(out, "(: is the target)\n");
    else if (isfinite(limit))
        buf_puts(out, "(the target lies outside of the drawing)\n");
}

static double limit_of(const struct trend *t)
{
    return t->n != 0 ? t->points[t->n - 1].limit : NAN;
}

static void put_row(const struct trend *t, const struct trend_point *p, const struct scale *s,
                    const struct trend_chart *how, struct buf *out)
{
    char when[WHEN_TEXT], line[CHART_MAX];
    when_print(p->wall, when);
    draw(s, p, p->limit, line);
    const char *begin = how->style(p->verdict), *end = how->style(NULL);
    for (size_t n = s->cells; s->stacked && n > 0 && line[n - 1] == ' '; n--)
        line[n - 1] = '\0';
    if (s->stacked)
        buf_printf(out, "%s  %s%s%s\n%*s%s%s%s\n%*s", when, begin, p->verdict, end, INDENT, "",
                   begin, line, end, INDENT, "");
    else
        buf_printf(out, "%-*s  %s%-*s%s  %s%s%s  ", WHEN_WIDTH, when, begin, VERDICT_WIDTH,
                   p->verdict, end, begin, line, end);
    put_interval(t, p, out);
    buf_puts(out, "\n");
}

static void scale_width(size_t columns, struct scale *ret)
{
    ret->stacked = columns < BESIDE + CELLS_MIN;
    ret->cells = columns - (ret->stacked ? INDENT : BESIDE);
    if (columns < INDENT + CELLS_MIN)
        ret->cells = CELLS_MIN;
    else if (ret->cells >= CHART_MAX)
        ret->cells = CHART_MAX - 1;
}

void trend_chart_print(const struct trend *t, const char *scenario, const struct trend_chart *how,
                       struct buf *out)
{
    struct scale s;
    scale_width(how->columns, &s);
    double limit = limit_of(t);
    scale_fill(t, limit, &s);
    put_heading(t, scenario, limit, out);
    for (size_t i = 0; i < t->n; i++) {
        const struct trend_point *p = &t->points[i];
        if (p->changes != 0) {
            buf_puts(out, "-- ");
            put_changes(p, out);
            buf_puts(out, "\n");
        }
        put_row(t, p, &s, how, out);
    }
    put_axis(t, &s, limit, out);
    put_left_out(t, out);
}

void trend_print_plain(const struct trend *t, const char *scenario, struct buf *out)
{
    put_heading(t, scenario, limit_of(t), out);
    for (size_t i = 0; i < t->n; i++) {
        const struct trend_point *p = &t->points[i];
        buf_printf(out, "%s  %-*s  %s  ", p->wall, VERDICT_WIDTH, p->verdict, p->run);
        put_interval(t, p, out);
        if (p->changes != 0) {
            buf_puts(out, "  (");
            put_changes(p, out);
            buf_puts(out, ")");
        }
        buf_puts(out, "\n");
    }
    put_left_out(t, out);
}
