/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of the writes: in each trial and ledger, and each write that has a fate. */
#include "reports/html_timeline.h"

#include <inttypes.h>

enum { WRITES_OPEN_MAX = 20 };

static void put_range(struct html *h, uint32_t lower, uint32_t upper)
{
    if (upper > lower)
        html_cellf(h, "%u to %u", lower, upper);
    else
        html_cellf(h, "%u", lower);
}

static void put_ledger(struct html *h, const struct analysis_trial *t,
                       const struct analysis_ledger *l)
{
    html_row(h);
    html_trial_cell(h, t->trial);
    html_cell(h);
    html_text(h->out, l->name);
    buf_puts(h->out, "<span class=\"why\">");
    html_text(h->out, l->sentence);
    if (!l->known)
        html_textf(h->out, " (not known: %s)", l->why);
    buf_puts(h->out, "</span>");
    html_cellf(h, "%u", l->written);
    html_cellf(h, "%u", l->acknowledged);
    html_cellf(h, "%u", l->at_risk);
    put_range(h, l->lost_lower, l->lost_upper);
    html_cellf(h, "%u", l->phantoms);
    html_cellf(h, "%u", l->duplicates);
    html_cellf(h, "%u (%u there)", l->unknown, l->unknown_present);
}

static void put_view(struct html *h, const struct analysis_trial *t,
                     const struct analysis_ledger *l, const struct analysis_view *v)
{
    html_row(h);
    html_trial_cell(h, t->trial);
    html_cell(h);
    html_text(h->out, l->name);
    html_cellf(h, "from %s: %s", v->vantage, v->name);
    if (!v->read) {
        html_cellf(h, "not read: %s", v->why);
        return;
    }
    html_cellf(h, "%u", v->present);
    html_cellf(h, "%u", v->absent);
    html_cellf(h, "%u", v->phantoms);
    html_cellf(h, "%u", v->duplicates);
}

static void put_write(struct html *h, const struct analysis_trial *t,
                      const struct analysis_ledger *l, const struct analysis_write *w)
{
    struct timeline_view v = {.t = t, .zero = html_zero(t)};
    char sent[32], done[32];
    html_row(h);
    html_trial_cell(h, t->trial);
    html_cell(h);
    html_text(h->out, l->name);
    html_cellf(h, "%" PRIu64, w->id);
    html_cellf(h, "%s%s%s", write_fate_word(w->fate), w->why[0] != '\0' ? ": " : "", w->why);
    html_cellf(h, "%s to %s", timeline_since(&v, w->sent_ns, sent),
               timeline_since(&v, w->done_ns, done));
}

typedef size_t rows(struct html *h, const struct analysis_trial *t, const struct analysis_ledger *l,
                    size_t before);

static size_t ledger_rows(struct html *h, const struct analysis_trial *t,
                          const struct analysis_ledger *l, size_t before)
{
    if (before < HTML_ROWS_MAX)
        put_ledger(h, t, l);
    return before + 1;
}

static size_t view_rows(struct html *h, const struct analysis_trial *t,
                        const struct analysis_ledger *l, size_t before)
{
    for (size_t i = 0; i < l->n_views; i++)
        if (before + i < HTML_ROWS_MAX / 2)
            put_view(h, t, l, &l->views[i]);
    return before + l->n_views;
}

static size_t write_rows(struct html *h, const struct analysis_trial *t,
                         const struct analysis_ledger *l, size_t before)
{
    for (size_t i = 0; i < l->n_writes; i++)
        if (before + i < HTML_ROWS_MAX / 2)
            put_write(h, t, l, &l->writes[i]);
    return before + l->n_writes;
}

static size_t put_rows(struct html *h, rows *put)
{
    const struct analysis *a = h->report->analysis;
    size_t n = 0;
    for (size_t i = 0; i < a->n_trials; i++)
        for (size_t k = 0; k < a->trials[i].n_ledgers; k++)
            n = put(h, &a->trials[i], &a->trials[i].ledgers[k], n);
    return n;
}

static size_t all_writes(const struct analysis *a)
{
    size_t n = 0;
    for (size_t i = 0; i < a->n_trials; i++)
        for (size_t k = 0; k < a->trials[i].n_ledgers; k++)
            n += a->trials[i].ledgers[k].n_writes;
    return n;
}

/* Many are opened by who wants to see them: they would hide what comes below. */
static void put_writes(struct html *h)
{
    size_t n = all_writes(h->report->analysis);
    bool many = n > WRITES_OPEN_MAX;
    if (n == 0)
        return;
    if (many)
        buf_printf(h->out, "<details><summary>The %zu writes one by one</summary>\n", n);
    html_table_begin(h, "Each write with such a fate, and when it was sent and answered",
                     HTML_COLUMNS("#Trial", "!Ledger", "#Write", "Fate", "#Sent and answered"));
    (void)put_rows(h, write_rows);
    html_table_end(h);
    html_rows_left(h, n, HTML_ROWS_MAX / 2);
    if (many)
        buf_puts(h->out, "</details>\n");
}

void html_ledgers(struct html *h)
{
    const struct analysis *a = h->report->analysis;
    size_t n = 0;
    for (size_t i = 0; i < a->n_trials; i++)
        n += a->trials[i].n_ledgers;
    if (n == 0)
        return;
    html_table_begin(h,
                     "Acknowledged writes that were absent, and others that should not be there, "
                     "after recovery",
                     HTML_COLUMNS("#Trial", "!Ledger", "#Written", "#Acknowledged", "#At risk",
                                  "#Lost", "#Phantoms", "#Duplicates", "#Unknown"));
    n = put_rows(h, ledger_rows);
    html_table_end(h);
    html_rows_left(h, n, HTML_ROWS_MAX);
    html_table_begin(
        h, "What each view showed in its last full read",
        HTML_COLUMNS("#Trial", "!Ledger", "View", "#There", "#Absent", "#Phantoms", "#Duplicates"));
    (void)put_rows(h, view_rows);
    html_table_end(h);
    put_writes(h);
}
