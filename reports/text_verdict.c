/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verdict and what decided it: the head of report.txt, and what a run ends with on a terminal.
 */
#include "analysis/trend.h"
#include "reports/figure.h"
#include "reports/letter.h"
#include "reports/text_parts.h"

#include <math.h>
#include <string.h>

/* Wider ones stand by themselves: all others would be torn apart. */
enum { NAME_COLUMNS_MAX = 48, INTERVAL_COLUMNS_MAX = 32, LINE_MAX_BYTES = 4096 };

static const struct report_paint plain = {.off = NULL};

static const char *of(const char *style)
{
    return style != NULL ? style : "";
}

/* All but our own words comes from elsewhere: a service's message must not paint the terminal. */
static void put_clean(struct buf *out, const struct buf *raw)
{
    letter_put_lines(out, buf_text(raw));
}

static void put_columns(struct buf *out, const struct buf *raw, size_t columns)
{
    put_clean(out, raw);
    if (raw->len < columns)
        buf_printf(out, "%*s", (int)(columns - raw->len), "");
}

static void name_of(const struct analysis_target *t, struct buf *ret)
{
    figure_put_target(ret, t);
    if (!isnan(t->lower) || !isnan(t->limit)) /* an impact is seen or not, and has no figure */
        buf_puts(ret, ": ");
}

static void interval_of(const struct analysis_target *t, struct buf *ret)
{
    if (isnan(t->lower) && isnan(t->limit))
        return;
    figure_put_interval(ret, t);
    buf_puts(ret, isnan(t->limit) ? "" : ", ");
}

void text_put_target(struct buf *out, const struct analysis_target *t,
                     const struct report_paint *paint, const struct text_columns *columns)
{
    CLEANUP_BUF struct buf name = BUF_INIT(LINE_MAX_BYTES), interval = BUF_INIT(LINE_MAX_BYTES);
    CLEANUP_BUF struct buf why = BUF_INIT(LINE_MAX_BYTES);
    name_of(t, &name);
    interval_of(t, &interval);
    buf_printf(out, "  %s%-12s%s ", of(paint->verdicts[t->verdict]), verdict_word(t->verdict),
               of(paint->off));
    put_columns(out, &name, interval.len != 0 ? columns->name : 0);
    put_columns(out, &interval, isnan(t->limit) ? 0 : columns->interval);
    if (!isnan(t->limit)) {
        buf_printf(out, "%s ", figure_side(t));
        figure_put(out, t->unit, t->limit);
    }
    buf_printf(&why, "%s%s", t->why != NULL ? t->why : "",
               t->automatic ? "" : " (not an automatic recovery)");
    buf_printf(out, "\n               %s", of(paint->why));
    put_clean(out, &why);
    buf_printf(out, "%s\n", of(paint->off));
}

static struct text_columns columns_of(const struct analysis *a)
{
    struct text_columns c = {0, 0};
    for (size_t i = 0; i < a->n_targets; i++) {
        CLEANUP_BUF struct buf name = BUF_INIT(LINE_MAX_BYTES), interval = BUF_INIT(LINE_MAX_BYTES);
        name_of(&a->targets[i], &name);
        interval_of(&a->targets[i], &interval);
        if (interval.len != 0 && name.len > c.name && name.len <= NAME_COLUMNS_MAX)
            c.name = name.len;
        if (interval.len > c.interval && interval.len <= INTERVAL_COLUMNS_MAX)
            c.interval = interval.len;
    }
    return c;
}

/* With earlier runs of the same experiment; nothing where there are none. */
static void put_comparison(struct buf *out, const struct report *report)
{
    CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
    CLEANUP_BUF struct buf line = BUF_INIT(1 << 12);
    struct trend trend;
    struct err why;
    if (trend_of_run(report->history, report->analysis, TREND_MAIN, &arena, &trend, &why) != 0)
        return;
    trend_print_comparison(&trend, &line);
    if (line.len == 0)
        return;
    buf_puts(out, "  ");
    put_clean(out, &line);
    buf_puts(out, "\n");
}

/* What is left to be done by hand, in the place where nobody overlooks it. */
static void put_dirt(struct buf *out, const struct analysis *a, const struct report_paint *paint)
{
    buf_printf(out, "  %sA HOST WAS LEFT DIRTY%s; by hand:\n", of(paint->alarm), of(paint->off));
    for (size_t i = 0; i < a->n_hosts; i++) {
        const struct analysis_host *h = &a->hosts[i];
        size_t k;
        const json_t *one;
        json_array_foreach(h->left, k, one)
        {
            CLEANUP_BUF struct buf line = BUF_INIT(1 << 16);
            buf_printf(&line, "    %s: %s\n", h->name, json_string_value(one));
            put_clean(out, &line);
        }
        if (h->known && !h->clean && json_array_size(h->left) == 0)
            buf_printf(out, "    %s: see what differs in report.txt\n", h->name);
    }
}

void report_print_verdict(const struct report *report, const struct report_paint *given,
                          struct buf *out)
{
    const struct analysis *a = report->analysis;
    const struct report_paint *paint = given != NULL ? given : &plain;
    const struct text_columns columns = columns_of(a);
    CLEANUP_BUF struct buf why = BUF_INIT(1 << 16);
    buf_printf(out, "%s%s%s: ", of(paint->verdicts[a->verdict]), verdict_word(a->verdict),
               of(paint->off));
    buf_printf(&why, "%s\n", a->why != NULL ? a->why : "");
    put_clean(out, &why);
    text_put_symptoms(out, a->symptoms, a->n_symptoms, paint);
    for (size_t i = 0; i < a->n_targets; i++)
        text_put_target(out, &a->targets[i], paint, &columns);
    for (size_t i = 0; i < a->n_sentences; i++) {
        buf_puts(out, "  ");
        letter_put_lines(out, a->sentences[i]);
        buf_puts(out, "\n");
    }
    put_comparison(out, report);
    if (a->dirty)
        put_dirt(out, a, paint);
}
