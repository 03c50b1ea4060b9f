/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cmd_judge.h"

#include "base/cleanup.h"
#include "cmd/judged.h"
#include "cmd/terminal.h"
#include "reports/report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum style verdict_style(enum verdict v)
{
    return v == VERDICT_PASS ? STYLE_GREEN : v == VERDICT_FAIL ? STYLE_RED : STYLE_YELLOW;
}

static int print_one(const struct report *report, const struct report_renderer *r, struct err *err)
{
    CLEANUP_BUF struct buf out = BUF_INIT(REPORT_MAX);
    if (report_render(report, r, &out, err) < 0)
        return -1;
    if (isatty(STDOUT_FILENO) == 1)
        terminal_put(stdout, buf_text(&out));
    else
        (void)fwrite(buf_text(&out), 1, out.len, stdout);
    return 0;
}

/* The renderer of that name, if it is in the set. */
static const struct report_renderer *rendered(uint32_t set, const char *name)
{
    for (size_t i = 0; i < report_n_renderers; i++)
        if ((set >> i & 1) != 0 && (name == NULL || strcmp(report_renderers[i].name, name) == 0))
            return &report_renderers[i];
    return NULL;
}

/* Where the reports lie, by the one that people read. */
static void print_where(const struct report *report, uint32_t set)
{
    const struct report_renderer *shown = rendered(set, "html");
    if (shown == NULL)
        shown = rendered(set, "text");
    if (shown == NULL)
        shown = rendered(set, NULL);
    if (shown != NULL)
        (void)printf("report: %s/%s\n", report->dir, shown->file);
}

static void print_verdict(const struct report *report)
{
    CLEANUP_BUF struct buf out = BUF_INIT(REPORT_MAX);
    struct report_paint paint = {.why = terminal_style(stdout, STYLE_DIM),
                                 .alarm = terminal_style(stdout, STYLE_RED),
                                 .off = terminal_style(stdout, STYLE_PLAIN)};
    for (int v = VERDICT_NOT_JUDGED; v <= VERDICT_FAIL; v++)
        paint.verdicts[v] = terminal_style(stdout, verdict_style((enum verdict)v));
    report_print_verdict(report, &paint, &out);
    terminal_put_styled(stdout, buf_text(&out));
}

/* One that could not be written is told after the verdict. */
static int write_and_print(const struct judge *j, const struct report *report, struct err *err)
{
    struct err unwritten;
    bool written = report_write(report, j->reports, &unwritten) == 0;
    if (j->silent) {
        ; /* what is printed is another's */
    } else if (j->json) {
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
    return j->json && !j->silent ? COMMAND_TOLD : -1;
}

int cmd_judge(const struct judge *j, struct err *err)
{
    CLEANUP_JUDGED struct judged run = {.history = NULL};
    if (judged_load(j->dir, &run, err) < 0)
        return -1;
    const struct report report = {
        .scenario = run.scenario, .history = run.history, .analysis = run.analysis, .dir = j->dir};
    int rc =
        j->print != NULL ? print_one(&report, j->print, err) : write_and_print(j, &report, err);
    cmd_store_record(&j->store, j->dir, run.history, run.analysis);
    return rc < 0 ? rc : run.analysis->exit_status;
}
