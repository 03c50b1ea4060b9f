/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all of it rests on: the rules, the services' own words, the scenario, and how to make it
 * again. */
#include "reports/html_parts.h"

#include <inttypes.h>
#include <string.h>

enum { LOG_LINES_MAX = 20, LOG_LINE_MAX = 600 };

static void put_item(struct html *h, const char *text)
{
    buf_puts(h->out, "<li>");
    html_text(h->out, text);
    buf_puts(h->out, "</li>\n");
}

void html_rules(struct html *h)
{
    const struct analysis *a = h->report->analysis;
    buf_puts(h->out, "<ul class=\"plain\">");
    for (size_t i = 0; i < a->n_notes; i++)
        put_item(h, a->notes[i]);
    put_item(h, "a target passes only if the whole interval meets its limit, fails only if the "
                "whole interval misses it, and is inconclusive otherwise");
    put_item(h, "a trial whose fault is not proven, or whose baseline was already bad, is invalid "
                "and is excluded; recoveries by a person or by the run itself are shown and "
                "excluded from what is proven of automatic ones");
    buf_puts(h->out, "</ul>\n");
}

static void put_log(struct html *h, const struct history_event *e)
{
    const json_t *lines = json_object_get(e->members, "lines");
    size_t n = json_array_size(lines);
    buf_puts(h->out, "<h3>");
    html_text(h->out, json_string_value(json_object_get(e->members, "service")));
    buf_puts(h->out, " on ");
    html_text(h->out, json_string_value(json_object_get(e->members, "host")));
    buf_puts(h->out, "</h3><pre>");
    for (size_t i = 0; i < n && i < LOG_LINES_MAX; i++) {
        if (!html_text_upto(h->out, json_string_value(json_array_get(lines, i)), LOG_LINE_MAX))
            buf_puts(h->out, "\xe2\x80\xa6");
        buf_puts(h->out, "\n");
    }
    buf_puts(h->out, "</pre>\n");
    if (n > LOG_LINES_MAX)
        buf_printf(h->out, "<p class=\"soft small\">%zu more lines stand in logs/.</p>\n",
                   n - LOG_LINES_MAX);
}

void html_logs(struct html *h)
{
    const struct history *of = h->report->history;
    size_t left = 0;
    for (size_t i = 0; i < of->n_events; i++) {
        if (strcmp(of->events[i].ev, "log") != 0)
            continue;
        if (h->out->len == 0)
            buf_puts(h->out, "<p class=\"soft small\">The first lines since the steady state.</p>"
                             "\n");
        if (h->out->len < HTML_LOGS_MAX)
            put_log(h, &of->events[i]);
        else
            left++;
    }
    if (left != 0)
        buf_printf(h->out, "<p class=\"soft small\">%zu more services' lines stand in logs/.</p>\n",
                   left);
}

void html_scenario(struct html *h)
{
    const struct history *of = h->report->history;
    if (of->text == NULL || of->text[0] == '\0')
        return;
    buf_puts(h->out, "<dl class=\"facts\"><dt>File</dt><dd>");
    html_text(h->out, of->file);
    buf_puts(h->out, "</dd><dt>SHA-256</dt><dd><code>");
    html_text(h->out, of->sha256);
    buf_puts(h->out, "</code></dd>");
    const char *name;
    json_t *value;
    const json_t *vars = json_object_get(of->start, "vars");
    if (json_object_size(vars) != 0) {
        buf_puts(h->out, "<dt>Variables</dt><dd><code>");
        json_object_foreach((json_t *)vars, name, value)
            html_textf(h->out, "%s=%s ", name, json_string_value(value));
        buf_puts(h->out, "</code></dd>");
    }
    buf_puts(h->out, "</dl><pre>");
    bool whole = html_text_upto(h->out, of->text, HTML_SCENARIO_MAX);
    buf_puts(h->out, "</pre>\n");
    if (!whole)
        buf_puts(h->out, "<p class=\"soft small\">Cut here; the journal's first line has the whole "
                         "of it.</p>\n");
    const char *other = json_string_value(json_object_get(of->start, "other"));
    if (other == NULL)
        return;
    buf_puts(h->out, "<h3>The file of its hosts</h3><pre>");
    (void)html_text_upto(h->out, other, HTML_SCENARIO_MAX / 2);
    buf_puts(h->out, "</pre>\n");
}

static void put_fact(struct html *h, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    buf_printf(h->out, "<dt>%s</dt><dd>", name);
    html_text(h->out, value);
    buf_puts(h->out, "</dd>");
}

void html_origin(struct html *h)
{
    const struct history *of = h->report->history;
    buf_puts(h->out, "<dl class=\"facts\">");
    put_fact(h, "Run", of->run);
    put_fact(h, "Begun", of->wall);
    put_fact(h, "Blackstart", of->version);
    put_fact(h, "Kernel", of->kernel);
    put_fact(h, "Machine", of->machine);
    buf_printf(h->out, "<dt>Seed</dt><dd>%" PRIu64 "</dd>", of->seed);
    put_fact(h, "Error", of->error);
    buf_puts(h->out, "</dl>\n<p>Everything on this page was computed from the run's journal and "
                     "its sample files, and is computed again by:</p>\n<pre>blackstart report DIR"
                     "</pre>\n<p class=\"soft small\">DIR is the directory in which this file "
                     "lies.</p>\n");
}
