/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the HTML report share: the page in the making, and a function per section. A
 * section that has nothing to say writes nothing. Everything that is not ours goes through
 * html_text.h.
 */
#ifndef BLACKSTART_REPORTS_HTML_PARTS_H
#define BLACKSTART_REPORTS_HTML_PARTS_H

#include "reports/figure.h"
#include "reports/html_text.h"
#include "reports/report.h"
#include "reports/svg.h"

/* The file stays below HTML_MAX: what grows with a run's length is cut at these, and says so. */
enum {
    HTML_MAX = 2 << 20,
    HTML_CHARTS_MAX = 700 << 10,   /* no further trial's charts begin behind this */
    HTML_SCENARIO_MAX = 200 << 10, /* of the page, for the scenario's text */
    HTML_ROWS_MAX = 400,           /* of one table */
    HTML_LOGS_MAX = 100 << 10
};

/* A column's name that begins with '#' is that of numbers, with '~' is left out where it is
 * narrow, with '!' is what a row is of. */
struct html_columns {
    const char *const *names;
    size_t n;
};
#define HTML_COLUMNS(...)                                                                          \
    ((struct html_columns){(const char *const[]){__VA_ARGS__},                                     \
                           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)})

struct html {
    const struct report *report;
    struct buf *out;
    struct html_columns columns; /* of the table in the making */
    size_t column;               /* the next */
    const char *open;            /* what ends the open cell; NULL: none is */
};

/* NULL-terminated lists of lines. */
extern const char *const html_style[];
extern const char *const html_script[];

/*
 * A table: rows, and in each the cells in the columns' order, whose content is what is written
 * until the next of these calls. Where the page is narrow a row is a small list with the columns'
 * names. The names must live until the table's end.
 */
void html_table_begin(struct html *h, const char *label, struct html_columns columns);
void html_row(struct html *h);
void html_cell(struct html *h);
/* The cell of a column "#Trial", which is left out where there is one trial. */
void html_trial_cell(struct html *h, uint32_t trial);
/* A cell of these words. */
void html_cellf(struct html *h, const char *fmt, ...) PRINTF_LIKE(2, 3);
void html_table_end(struct html *h);
/* "N more rows; result.json has all", if there are. */
void html_rows_left(struct html *h, size_t n, size_t shown);

/* <span class="v ...">symbol word</span> */
void html_verdict_word(struct html *h, enum verdict v);
/* The same look with another word. */
void html_verdict_as(struct html *h, enum verdict v, const char *word);
const char *html_verdict_class(enum verdict v);

/* Which target gave the run its verdict, and whose trial is shown in full. */
const struct analysis_target *html_decider(const struct analysis *a);
const struct analysis_trial *html_shown_trial(const struct analysis *a);
/* When the first fault was asked for, or the steady state began: the zero of a trial's charts. */
int64_t html_zero(const struct analysis_trial *t);
/* "trial 3", "the fault-free trial". */
void html_trial_name(struct html *h, const struct analysis_trial *t);
/* An interval beside its limit, on an axis of its own. */
void html_bound(struct html *h, const struct analysis_target *t, bool large);

void html_verdict(struct html *h);
void html_symptoms(struct html *h);
void html_targets(struct html *h);
void html_timelines(struct html *h);
void html_events(struct html *h, const struct analysis_trial *t);
/* The lane of numbered marks of a chart; y is its middle. */
void html_event_marks(struct html *h, const struct analysis_trial *t, const struct svg_axis *axis,
                      double y);
void html_recoveries(struct html *h);
void html_trials(struct html *h);
void html_outages(struct html *h);
void html_injections(struct html *h);
void html_rollouts(struct html *h);
/* html_admission.c */
void html_admissions(struct html *h);
void html_tasks(struct html *h);
void html_cleanup(struct html *h);
void html_ledgers(struct html *h);
void html_loads(struct html *h);
void html_matrix(struct html *h);
void html_health(struct html *h);
void html_trend(struct html *h);
void html_rules(struct html *h);
void html_logs(struct html *h);
void html_scenario(struct html *h);
void html_origin(struct html *h);

#endif
