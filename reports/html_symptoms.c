/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a reproduced outage showed, and whether the trials did. */
#include "reports/html_parts.h"

static void put_why(struct html *h, const struct analysis_symptom *s)
{
    CLEANUP_BUF struct buf target = BUF_INIT(4096);
    figure_put_target(&target, &s->target);
    buf_puts(h->out, "<span class=\"why\">");
    html_textf(h->out, "%s must be %s. %s", buf_text(&target), s->missed ? "missed" : "met",
               s->why);
    buf_puts(h->out, "</span>");
}

static void put_state(struct html *h, const struct analysis_symptom *s,
                      const struct analysis_shown *all)
{
    html_verdict_as(h, figure_symptom_verdict(s->state), symptom_word(s->state));
    if (all->n + all->left_out > 1)
        buf_printf(h->out, "<span class=\"why\">shown in %u of %u trials</span>", all->shown,
                   all->n);
    if (all->dry_known && all->n + all->left_out != 0)
        buf_printf(h->out, "<span class=\"why\">without a fault: %s</span>",
                   symptom_word(all->dry));
}

static void put_symptom(struct html *h, const struct analysis_symptom *s,
                        const struct analysis_shown *all)
{
    const struct analysis_target *t = &s->target;
    html_row(h);
    html_cell(h);
    html_text(h->out, s->shows);
    put_why(h, s);
    html_cell(h);
    put_state(h, s, all);
    html_cell(h);
    figure_put_interval(h->out, t);
    html_cell(h);
    buf_printf(h->out, "%s ", figure_side(t));
    figure_put(h->out, t->unit, t->limit);
    html_cell(h);
    html_bound(h, t, false);
}

void html_symptoms(struct html *h)
{
    const struct analysis *a = h->report->analysis;
    if (a->n_symptoms == 0)
        return;
    html_table_begin(
        h, "What the outage showed: a trial that does not show it is invalid",
        HTML_COLUMNS("!Symptom", "Shown", "#Measured", "#Limit", "~Interval and limit"));
    for (size_t i = 0; i < a->n_symptoms; i++)
        put_symptom(h, &a->symptoms[i], &a->shown[i]);
    html_table_end(h);
}
