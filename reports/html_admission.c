/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What steps asked before they went out, and a person's commands. */
#include "reports/html_parts.h"

static void put_time(struct html *h, const struct analysis_trial *t, int64_t ns)
{
    if (ns == HISTORY_UNKNOWN)
        html_cellf(h, "-");
    else
        html_cellf(h, "%+.3f s", (double)(ns - html_zero(t)) / 1e9);
}

static void put_span(struct html *h, int64_t from, int64_t to)
{
    if (from == HISTORY_UNKNOWN || to == HISTORY_UNKNOWN)
        html_cellf(h, "-");
    else
        html_cellf(h, "%.3f s", (double)(to - from) / 1e9);
}

static void put_admission(struct html *h, const struct analysis_trial *t,
                          const struct analysis_admission *a)
{
    html_row(h);
    html_trial_cell(h, t->trial);
    html_cellf(h, "%s, step %lld", a->fault, (long long)a->step);
    html_cellf(h, "%s",
               a->checked_ns != HISTORY_UNKNOWN ? "passed"
               : a->check_ns != HISTORY_UNKNOWN ? "not passed"
                                                : "-");
    html_cellf(h, "%s", a->approver[0] != '\0' ? a->approver : "-");
    put_span(h, a->asked_ns, a->answered_ns);
    put_time(h, t, a->at_ns);
    html_cellf(h, "%s", a->sentence);
}

void html_admissions(struct html *h)
{
    const struct analysis *a = h->report->analysis;
    size_t n = 0, rows = 0;
    for (size_t i = 0; i < a->n_trials; i++)
        n += a->trials[i].n_admissions;
    if (n == 0)
        return;
    html_table_begin(
        h, "Steps that asked before they went out",
        HTML_COLUMNS("#Trial", "!Fault", "Check", "Asked", "#Waited", "#At", "Outcome"));
    for (size_t i = 0; i < a->n_trials; i++)
        for (size_t k = 0; k < a->trials[i].n_admissions && rows < HTML_ROWS_MAX; k++, rows++)
            put_admission(h, &a->trials[i], &a->trials[i].admissions[k]);
    html_table_end(h);
    html_rows_left(h, n, rows);
}

static void put_task(struct html *h, const struct analysis_trial *t, const struct analysis_task *k)
{
    html_row(h);
    html_trial_cell(h, t->trial);
    html_cellf(h, "%lld.%lld %s", (long long)k->step, (long long)k->number, k->name);
    html_cellf(h, "%s", k->hosts);
    put_time(h, t, k->begin_ns);
    put_span(h, k->begin_ns, k->typed_ns);
    put_span(h, k->typed_ns, k->end_ns);
    html_cellf(h, "%s%s%s", k->state, k->why[0] != '\0' ? ": " : "", k->why);
}

void html_tasks(struct html *h)
{
    const struct analysis *a = h->report->analysis;
    size_t n = 0, rows = 0;
    for (size_t i = 0; i < a->n_trials; i++)
        n += a->trials[i].n_tasks;
    if (n == 0)
        return;
    html_table_begin(
        h, "What a person did, and how long it took: the person's part is stated",
        HTML_COLUMNS("#Trial", "!Command", "Host", "#Began", "#Person", "#Command took", "Ended"));
    for (size_t i = 0; i < a->n_trials; i++)
        for (size_t k = 0; k < a->trials[i].n_tasks && rows < HTML_ROWS_MAX; k++, rows++)
            put_task(h, &a->trials[i], &a->trials[i].tasks[k]);
    html_table_end(h);
    html_rows_left(h, n, rows);
}
