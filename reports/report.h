/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run's reports, made from its journal alone: one renderer is one function and one row. They
 * format what analysis found and judge nothing. A file is written whole or not at all.
 */
#ifndef BLACKSTART_REPORTS_REPORT_H
#define BLACKSTART_REPORTS_REPORT_H

#include "analysis/analysis.h"
#include "base/buf.h"
#include "journal/history.h"

enum { REPORT_MAX = 64 << 20, REPORT_RENDERERS_MAX = 32 };

struct report {
    const struct scenario *scenario;
    const struct history *history;
    const struct analysis *analysis;
    const char *dir; /* as the person gave it: part of the command that recomputes */
};

struct report_renderer {
    const char *name, *file;
    const char *summary; /* what is in it, one sentence */
    const char *reader;  /* who takes it, and how: one or two sentences for docs/reports.md */
    int (*render)(const struct report *report, struct buf *out, struct err *err);
};
extern const struct report_renderer report_renderers[];
extern const size_t report_n_renderers;

/* A set of renderers: bit i is row i of the table. */
#define REPORT_ALL UINT32_MAX

/* "junit,markdown", or "all"; NULL is all. */
int report_select(const char *names, uint32_t *ret, struct err *err) MUST_CHECK;
/* The table's names, with commas between, for a command's help. */
void report_put_names(struct buf *out);
/* docs/reports.md. */
void report_doc(struct buf *out);

/* result.json's content; the caller decrefs. */
json_t *report_json(const struct report *report);
int report_render_json(const struct report *report, struct buf *out, struct err *err) MUST_CHECK;
int report_render_text(const struct report *report, struct buf *out, struct err *err) MUST_CHECK;
int report_render_junit(const struct report *report, struct buf *out, struct err *err) MUST_CHECK;
int report_render_markdown(const struct report *report, struct buf *out,
                           struct err *err) MUST_CHECK;
int report_render_metrics(const struct report *report, struct buf *out, struct err *err) MUST_CHECK;
int report_render_trace(const struct report *report, struct buf *out, struct err *err) MUST_CHECK;
int report_render_grafana(const struct report *report, struct buf *out, struct err *err) MUST_CHECK;
int report_render_ctk(const struct report *report, struct buf *out, struct err *err) MUST_CHECK;
int report_render_html(const struct report *report, struct buf *out, struct err *err) MUST_CHECK;

/* What is put before a verdict's word and other parts, and `off` behind; NULL: nothing. */
struct report_paint {
    const char *verdicts[VERDICT_FAIL + 1];
    const char *why, *alarm, *off;
};
/* What stands at a run's end on a terminal: the verdict, what decided each target, and what is left
 * to be done by hand. paint may be NULL. */
void report_print_verdict(const struct report *report, const struct report_paint *paint,
                          struct buf *out);

/* Renders one; more than REPORT_MAX is an error. */
int report_render(const struct report *report, const struct report_renderer *r, struct buf *out,
                  struct err *err) MUST_CHECK;
/* Renders those that are in the set into the directory. */
int report_write(const struct report *report, uint32_t set, struct err *err) MUST_CHECK;
/* Writes beside, flushes to the disk, renames. */
int report_write_file(const char *dir, const char *name, const char *data, size_t len,
                      struct err *err) MUST_CHECK;

#endif
