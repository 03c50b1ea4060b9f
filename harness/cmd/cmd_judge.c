/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cmd_judge.h"

#include "agents/faults/catalogue.h"
#include "base/cleanup.h"
#include "cmd/terminal.h"
#include "reports/report.h"

#include <stdio.h>
#include <string.h>

enum { VARS_MAX = 256 };

/* The scenario as it was run: its text, its lab's text and its variables stand in the journal. */
static int scenario_of(const struct history *h, struct scenario **ret, struct err *err)
{
    struct scenario_set sets[VARS_MAX];
    size_t n = 0;
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(h->start, "vars"), name, value)
    {
        if (n < VARS_MAX && json_is_string(value))
            sets[n++] = (struct scenario_set){name, json_string_value(value)};
    }
    const json_t *other = json_object_get(h->start, "other");
    const json_t *text = json_object_get(h->start, "text");
    struct problems problems = {0};
    int rc = scenario_parse_whole(h->file, h->text, json_string_length(text),
                                  json_string_value(other), json_string_length(other),
                                  &fault_catalogue, sets, n, ret, &problems, err);
    problems_free(&problems);
    return rc < 0 ? wrap_error(err, "the journal's scenario") : 0;
}

static enum style verdict_style(enum verdict v)
{
    return v == VERDICT_PASS ? STYLE_GREEN : v == VERDICT_FAIL ? STYLE_RED : STYLE_YELLOW;
}

static int print_one(const struct report *report, const struct report_renderer *r, struct err *err)
{
    CLEANUP_BUF struct buf out = BUF_INIT(REPORT_MAX);
    if (report_render(report, r, &out, err) < 0)
        return -1;
    (void)fwrite(buf_text(&out), 1, out.len, stdout);
    return 0;
}

/* Where the reports lie, by the one that people read. */
static void print_where(const struct report *report, uint32_t set)
{
    const struct report_renderer *shown = NULL;
    for (size_t i = 0; i < report_n_renderers; i++)
        if ((set >> i & 1) != 0 && (shown == NULL || strcmp(report_renderers[i].name, "text") == 0))
            shown = &report_renderers[i];
    if (shown != NULL)
        (void)printf("report: %s/%s\n", report->dir, shown->file);
}

static void print_verdict(const struct report *report)
{
    CLEANUP_BUF struct buf out = BUF_INIT(REPORT_MAX);
    report_print_verdict(report, &out);
    (void)printf("%s%s%s", terminal_style(stdout, verdict_style(report->analysis->verdict)),
                 buf_text(&out), terminal_style(stdout, STYLE_PLAIN));
}

/* One that could not be written is told after the verdict. */
static int write_and_print(const struct judge *j, const struct report *report, struct err *err)
{
    struct err unwritten;
    bool written = report_write(report, j->reports, &unwritten) == 0;
    if (j->json) {
        CLEANUP_BUF struct buf out = BUF_INIT(REPORT_MAX);
        if (report_render_json(report, &out, err) < 0)
            return -1;
        (void)fputs(buf_text(&out), stdout);
    } else {
        print_verdict(report);
        if (written)
            print_where(report, j->reports);
    }
    (void)fflush(stdout); /* before what is said of it */
    if (written)
        return 0;
    *err = unwritten;
    if (report->analysis->dirty)
        err->code = ERR_DIRTY;
    return -1;
}

int cmd_judge(const struct judge *j, struct err *err)
{
    CLEANUP_HISTORY struct history *history = NULL;
    CLEANUP_ANALYSIS struct analysis *analysis = NULL;
    struct scenario *scenario = NULL;
    if (history_load(j->dir, &history, err) < 0 || scenario_of(history, &scenario, err) < 0)
        return -1;
    int rc = analysis_make(scenario, history, &analysis, err);
    if (rc == 0) {
        struct report report = {
            .scenario = scenario, .history = history, .analysis = analysis, .dir = j->dir};
        rc =
            j->print != NULL ? print_one(&report, j->print, err) : write_and_print(j, &report, err);
    }
    scenario_free(scenario);
    return rc < 0 ? -1 : analysis->exit_status;
}
