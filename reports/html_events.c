/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A trial's events: numbered marks below its charts, and the table that the numbers stand for. */
#include "base/utf8.h"
#include "reports/event.h"
#include "reports/html_timeline.h"

#include <stdio.h>
#include <string.h>

enum { OUTPUT_LINES_MAX = 10, OUTPUT_MAX = 4 << 10, MARKS_APART = 12 };

static const struct history_injection *injection_of(const struct analysis_trial *t, const char *id)
{
    for (size_t i = 0; id != NULL && i < t->n_injections; i++)
        if (strcmp(t->injections[i].of->id, id) == 0)
            return t->injections[i].of;
    return NULL;
}

/* As event_text(), and of which fault and host. */
static bool event_words(const struct analysis_trial *t, const struct history_event *e,
                        struct buf *out)
{
    char text[512];
    if (event_text(e, text, sizeof(text)) == NULL)
        return false;
    const json_t *id = json_object_get(e->members, "injection");
    const struct history_injection *i = injection_of(t, json_string_value(id));
    buf_puts(out, text);
    if (i != NULL)
        buf_printf(out, ": %s on %s", i->fault, i->host);
    return true;
}

/* Events of this trial, in order; its first comes with *at 0. */
static const struct history_event *next_event(const struct html *h, const struct analysis_trial *t,
                                              size_t *at, struct buf *words)
{
    const struct history *of = h->report->history;
    uint32_t trial = (uint32_t)(t->of - of->trials);
    for (; *at < of->n_events; (*at)++) {
        const struct history_event *e = &of->events[*at];
        buf_drop(words, words->len);
        if (e->trial == trial && event_words(t, e, words)) {
            (*at)++;
            return e;
        }
    }
    return NULL;
}

static void put_mark(struct html *h, double x, double y, unsigned from, unsigned to)
{
    char text[40];
    if (to > from)
        (void)snprintf(text, sizeof(text), "%u\xe2\x80\x93%u", from, to);
    else
        (void)snprintf(text, sizeof(text), "%u", from);
    bool left = x > 94;
    svg_text(h->out, "mk", left ? SVG_END : SVG_START, x + (left ? -0.4 : 0.4), y + 4, text);
}

/* Marks too close for two numbers share one; each has its line. */
void html_event_marks(struct html *h, const struct analysis_trial *t, const struct svg_axis *axis,
                      double y)
{
    struct timeline_view v = {.t = t, .zero = html_zero(t), .axis = *axis};
    CLEANUP_BUF struct buf words = BUF_INIT(1 << 16);
    const struct history_event *e;
    unsigned n = 0, from = 0;
    double x = -1, last = -1;
    for (size_t at = 0; n < HTML_ROWS_MAX && (e = next_event(h, t, &at, &words)) != NULL;) {
        double here = timeline_x(&v, e->t, 0);
        n++;
        if (x < 0 || here - x > MARKS_APART) {
            if (x >= 0)
                put_mark(h, x, y, from, n - 1);
            x = here;
            from = n;
        }
        if (here != last)
            svg_line(h->out, "event", here, y - 7, here, y + 7);
        last = here;
    }
    if (x >= 0)
        put_mark(h, x, y, from, n);
}

static void put_output(struct html *h, const json_t *output)
{
    const char *text = json_string_value(output);
    if (text == NULL || text[0] == '\0')
        return;
    buf_puts(h->out, "<pre>");
    (void)html_text_upto(h->out, utf8_last_lines(text, OUTPUT_LINES_MAX), OUTPUT_MAX);
    buf_puts(h->out, "</pre>");
}

void html_events(struct html *h, const struct analysis_trial *t)
{
    struct timeline_view v = {.t = t, .zero = html_zero(t)};
    CLEANUP_BUF struct buf words = BUF_INIT(1 << 16);
    const struct history_event *e;
    unsigned n = 0;
    buf_puts(h->out, "<details><summary>The events that the numbers below the charts stand for"
                     "</summary>\n");
    html_table_begin(h, "Events, in seconds since the charts' zero",
                     HTML_COLUMNS("#No.", "#Time", "Event"));
    for (size_t at = 0; (e = next_event(h, t, &at, &words)) != NULL;) {
        char time[32];
        if (n++ >= HTML_ROWS_MAX)
            continue;
        html_row(h);
        html_cellf(h, "%u", n);
        html_cellf(h, "%s", timeline_since(&v, e->t, time));
        html_cell(h);
        html_text(h->out, buf_text(&words));
        put_output(h, json_object_get(e->members, "output"));
    }
    html_table_end(h);
    html_rows_left(h, n, HTML_ROWS_MAX);
    buf_puts(h->out, "</details>\n");
}
