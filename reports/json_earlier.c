/* SPDX-License-Identifier: GPL-2.0-or-later */
/* result.json: the run beside earlier ones, which its journal lists. */
#include "analysis/trend.h"
#include "reports/json_parts.h"

#include <stdio.h>
#include <string.h>

/* As figures elsewhere: one in seconds bears its unit in its name. */
static void put(json_t *o, const char *name, const struct trend *t, double value)
{
    char key[40];
    (void)snprintf(key, sizeof(key), "%s%s", name, strcmp(t->unit, "s") == 0 ? "_s" : "");
    (void)json_object_set_new(o, key, figure(value));
}

static json_t *changes_json(unsigned changes)
{
    static const struct {
        enum trend_change is;
        const char *word;
    } rows[] = {{TREND_SCENARIO, "scenario"},
                {TREND_SETUP, "setup"},
                {TREND_VERSION, "version"},
                {TREND_PACKAGES, "packages"}};
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if ((changes & rows[i].is) != 0)
            (void)json_array_append_new(list, json_string(rows[i].word));
    return list;
}

static json_t *point_json(const struct trend *t, const struct trend_point *p)
{
    json_t *o = json_pack("{s:o, s:o, s:o, s:o, s:I, s:b, s:b, s:o}", "run", text(p->run), "wall",
                          text(p->wall), "version", text(p->version), "verdict", text(p->verdict),
                          "trials", (json_int_t)p->trials, "stopped", p->stopped, "same", p->same,
                          "changes", changes_json(p->changes));
    put(o, "limit", t, p->limit);
    put(o, "lower", t, p->lower);
    put(o, "upper", t, p->upper);
    return o;
}

/* This run is not among its points: its figures stand with the target. */
static json_t *trend_json(const struct trend *t)
{
    json_t *points = json_array();
    size_t n = t->n - (t->this_run ? 1 : 0);
    CLEANUP_BUF struct buf line = BUF_INIT(1 << 12);
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(points, point_json(t, &t->points[i]));
    trend_print_comparison(t, &line);
    json_t *o = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:s, s:I, s:o, s:o}", "measure", text(t->measure), "of",
        text(t->of), "from", text(t->from), "detail", text(t->detail), "unit", text(t->unit),
        "side", t->at_least ? "at least" : "at most", "same", (json_int_t)t->n_same, "sentence",
        line.len != 0 ? text(buf_text(&line)) : json_null(), "runs", points);
    if (t->n_same != 0) {
        put(o, "same_lower", t, t->same_lower);
        put(o, "same_upper", t, t->same_upper);
    }
    return o;
}

json_t *json_earlier(const struct report *report)
{
    const struct earlier *e = &report->history->earlier;
    json_t *targets = json_array(), *line = json_null();
    if (!e->known) {
        json_decref(targets);
        return line;
    }
    for (size_t k = 0; k <= report->analysis->n_targets; k++) {
        CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
        CLEANUP_BUF struct buf words = BUF_INIT(1 << 12);
        bool main = k == report->analysis->n_targets;
        struct trend t = {.n = 0};
        struct err why;
        if (trend_of_run(report->history, report->analysis, main ? TREND_MAIN : k, &arena, &t,
                         &why) != 0 ||
            t.n <= (t.this_run ? 1U : 0U))
            continue;
        trend_print_comparison(&t, &words);
        if (!main)
            (void)json_array_append_new(targets, trend_json(&t));
        else if (words.len != 0)
            line = text(buf_text(&words));
    }
    return json_pack("{s:I, s:I, s:I, s:o, s:o}", "listed", (json_int_t)e->n, "older",
                     (json_int_t)e->older, "stopped", (json_int_t)e->stopped, "comparison", line,
                     "targets", targets);
}
