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

enum { REPORT_MAX = 64 << 20 };

struct report {
    const struct scenario *scenario;
    const struct history *history;
    const struct analysis *analysis;
    const char *dir; /* as the person gave it: part of the command that recomputes */
};

struct report_renderer {
    const char *name, *file;
    int (*render)(const struct report *report, struct buf *out, struct err *err);
};
extern const struct report_renderer report_renderers[];
extern const size_t report_n_renderers;

/* result.json's content; the caller decrefs. */
json_t *report_json(const struct report *report);
int report_render_json(const struct report *report, struct buf *out, struct err *err) MUST_CHECK;
int report_render_text(const struct report *report, struct buf *out, struct err *err) MUST_CHECK;

/* What stands at a run's end on a terminal: one line per target, and the verdict. */
void report_print_verdict(const struct report *report, struct buf *out);

/* Renders all into the directory. */
int report_write_all(const struct report *report, struct err *err) MUST_CHECK;
/* Writes beside, flushes to the disk, renames. */
int report_write_file(const char *dir, const char *name, const char *data, size_t len,
                      struct err *err) MUST_CHECK;

#endif
