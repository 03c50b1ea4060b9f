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

static int print_result(const struct report *report, bool json, bool written, struct err *err)
{
    CLEANUP_BUF struct buf out = BUF_INIT(REPORT_MAX);
    if (json) {
        if (report_render_json(report, &out, err) < 0)
            return -1;
        (void)fputs(buf_text(&out), stdout);
        return 0;
    }
    report_print_verdict(report, &out);
    (void)printf("%s%s%s", terminal_style(stdout, verdict_style(report->analysis->verdict)),
                 buf_text(&out), terminal_style(stdout, STYLE_PLAIN));
    if (written)
        (void)printf("report: %s/report.txt\n", report->dir);
    return 0;
}

int cmd_judge(const char *dir, bool json, struct err *err)
{
    CLEANUP_HISTORY struct history *history = NULL;
    CLEANUP_ANALYSIS struct analysis *analysis = NULL;
    struct scenario *scenario = NULL;
    if (history_load(dir, &history, err) < 0 || scenario_of(history, &scenario, err) < 0)
        return -1;
    int rc = analysis_make(scenario, history, &analysis, err);
    if (rc == 0) {
        struct report report = {
            .scenario = scenario, .history = history, .analysis = analysis, .dir = dir};
        struct err unwritten;
        bool written = report_write_all(&report, &unwritten) == 0;
        rc = print_result(&report, json, written, err);
        (void)fflush(stdout); /* before what is said of it */
        if (rc == 0 && !written) {
            *err = unwritten;
            if (analysis->dirty)
                err->code = ERR_DIRTY;
            rc = -1;
        }
    }
    scenario_free(scenario);
    return rc < 0 ? -1 : analysis->exit_status;
}
