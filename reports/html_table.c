/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What sections put together from: verdicts as words, tables, a bound beside its limit. */
#include "reports/html_parts.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *class, *symbol;
} looks[] = {
    [VERDICT_NOT_JUDGED] = {"v-none", "\xe2\x80\x93"}, /* a dash */
    [VERDICT_PASS] = {"v-pass", "\xe2\x9c\x93"},       /* a check mark */
    [VERDICT_INCONCLUSIVE] = {"v-inconclusive", "?"},
    [VERDICT_INVALID] = {"v-invalid", "\xe2\x8a\x98"}, /* a circle, struck through */
    [VERDICT_FAIL] = {"v-fail", "\xe2\x9c\x97"},       /* a cross */
};

const char *html_verdict_class(enum verdict v)
{
    return looks[v].class;
}

void html_verdict_as(struct html *h, enum verdict v, const char *word)
{
    buf_printf(h->out, "<span class=\"v %s\"><span aria-hidden=\"true\">%s</span> %s</span>",
               looks[v].class, looks[v].symbol, word);
}

void html_verdict_word(struct html *h, enum verdict v)
{
    html_verdict_as(h, v, verdict_word(v));
}

static bool is_mark(char c)
{
    return c == '#' || c == '~' || c == '!';
}

static const char *column_class(char mark)
{
    return mark == '#' ? " class=\"n\"" : mark == '~' ? " class=\"graph\"" : "";
}

void html_table_begin(struct html *h, const char *label, struct html_columns columns)
{
    if (strcmp(columns.names[0], "#Trial") == 0 && h->report->analysis->n_trials < 2)
        columns = (struct html_columns){columns.names + 1, columns.n - 1};
    h->columns = columns;
    h->column = 0;
    h->open = NULL;
    buf_puts(h->out, "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"");
    html_text(h->out, label);
    buf_puts(h->out, "\"><table><caption>");
    html_text(h->out, label);
    buf_puts(h->out, "</caption><thead><tr>");
    for (size_t i = 0; i < columns.n; i++) {
        const char *name = columns.names[i];
        buf_printf(h->out, "<th scope=\"col\"%s>", column_class(name[0]));
        html_text(h->out, name + is_mark(name[0]));
        buf_puts(h->out, "</th>");
    }
    buf_puts(h->out, "</tr></thead><tbody>\n");
}

static void cell_end(struct html *h)
{
    buf_puts(h->out, h->open != NULL ? h->open : "");
    h->open = NULL;
}

static void row_end(struct html *h)
{
    cell_end(h);
    buf_puts(h->out, h->column != 0 ? "</tr>\n" : "");
    h->column = 0;
}

void html_row(struct html *h)
{
    row_end(h);
    buf_puts(h->out, "<tr>");
}

void html_cell(struct html *h)
{
    const char *name = h->column < h->columns.n ? h->columns.names[h->column] : "";
    cell_end(h);
    h->column++;
    if (name[0] == '!') {
        buf_puts(h->out, "<th scope=\"row\">");
        h->open = "</th>";
        return;
    }
    buf_printf(h->out, "<td%s data-l=\"", column_class(name[0]));
    html_text(h->out, name + is_mark(name[0]));
    buf_puts(h->out, "\">");
    h->open = "</td>";
}

void html_trial_cell(struct html *h, uint32_t trial)
{
    if (h->report->analysis->n_trials < 2)
        return;
    html_cell(h);
    buf_printf(h->out, "%u", trial);
}

void html_cellf(struct html *h, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    html_cell(h);
    html_text(h->out, text);
}

void html_table_end(struct html *h)
{
    row_end(h);
    buf_puts(h->out, "</tbody></table></div>\n");
}

void html_rows_left(struct html *h, size_t n, size_t shown)
{
    if (n > shown)
        buf_printf(h->out,
                   "<p class=\"soft small\">%zu more are not shown here; result.json has them "
                   "all.</p>\n",
                   n - shown);
}

void html_trial_name(struct html *h, const struct analysis_trial *t)
{
    buf_printf(h->out, "trial %u%s", t->trial, t->fault_free ? " (without a fault)" : "");
}

/* A target's figures in the unit that people read, on an axis from 0. */
struct bound {
    const struct analysis_target *t;
    struct svg_axis axis;
    double times;
    int top, height;
};

static double shown(const struct bound *b, double value)
{
    return 100 * svg_share(&b->axis, value * b->times);
}

static struct bound bound_of(const struct analysis_target *t, bool large)
{
    struct bound b = {.t = t, .axis = {.lo = 0, .hi = 1}, .times = t->unit == UNIT_SHARE ? 100 : 1};
    const double values[] = {t->limit, t->lower, t->upper};
    double most = 0;
    for (size_t i = 0; i < 3; i++)
        most = isfinite(values[i]) && values[i] > most ? values[i] : most;
    if (t->unit == UNIT_SHARE)
        b.axis.hi = most > 1 ? most * 100 : 100;
    else if (most > 0)
        b.axis.hi = t->unit == UNIT_COUNT && most < 5 ? 5 : most * 1.12; /* ticks: whole numbers */
    b.top = large ? 20 : 0;
    b.height = large ? 30 : 20;
    return b;
}

/* The limit's line, what lies beyond it, and its name on the side that has the room. */
static void put_limit(struct html *h, const struct bound *b, bool large)
{
    bool least = b->t->side == AT_LEAST;
    double x = shown(b, b->t->limit);
    svg_rect(h->out, "beyond", least ? 0 : x, b->top, least ? x : 100 - x, b->height);
    svg_line(h->out, "limit", x, b->top - (large ? 4 : 0), x, b->top + b->height);
    if (!large)
        return;
    CLEANUP_BUF struct buf text = BUF_INIT(128);
    buf_printf(&text, "limit: %s ", figure_side(b->t));
    figure_put(&text, b->t->unit, b->t->limit);
    svg_text(h->out, "tl", x > 50 ? SVG_END : SVG_START, x, 12, buf_text(&text));
}

static void put_axis(struct html *h, const struct bound *b)
{
    static const char *const units[] = {
        [UNIT_SECONDS] = " s", [UNIT_SHARE] = " %", [UNIT_COUNT] = ""};
    double ticks[SVG_TICKS_MAX], y = b->top + b->height;
    size_t n = svg_ticks(&b->axis, 5, ticks);
    for (size_t i = 0; i < n; i++) {
        char text[40];
        double x = 100 * svg_share(&b->axis, ticks[i]);
        (void)snprintf(text, sizeof(text), "%.*f%s", svg_tick_digits(ticks, n), ticks[i],
                       units[b->t->unit]);
        svg_line(h->out, "base", x, y, x, y + 4);
        svg_text(h->out, "tk", x < 4 ? SVG_START : x > 94 ? SVG_END : SVG_MIDDLE, x, y + 17, text);
    }
}

void html_bound(struct html *h, const struct analysis_target *t, bool large)
{
    if (isnan(t->lower) || isnan(t->limit) || (t->limit <= 0 && t->upper <= 0))
        return;
    struct bound b = bound_of(t, large);
    int bar = large ? 14 : 8;
    double from = shown(&b, t->lower), to = shown(&b, t->upper);
    double y = b.top + (b.height - bar) / 2.0;
    svg_begin(h->out, html_verdict_class(t->verdict), b.top + b.height + (large ? 22 : 1));
    put_limit(h, &b, large);
    svg_line(h->out, "base", 0, b.top + b.height, 100, b.top + b.height);
    svg_rect(h->out, "iv", from, y, to - from, bar);
    svg_line(h->out, "ivline", from, y, from, y + bar);
    svg_line(h->out, isinf(t->upper) ? "ivopen" : "ivline", to, y, to, y + bar);
    if (large)
        put_axis(h, &b);
    svg_end(h->out);
}
