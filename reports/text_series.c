/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.txt: what the trials say together, short. */
#include "reports/figure.h"
#include "reports/text_parts.h"

static void put_quantiles(struct buf *out, const struct analysis_summary *s)
{
    const struct analysis_quantile *missing = NULL;
    for (size_t i = 0; i < ANALYSIS_QUANTILES; i++) {
        const struct analysis_quantile *q = &s->quantiles[i];
        if (!q->known && missing == NULL && s->n < q->needs)
            missing = q;
        if (!q->known)
            continue;
        buf_printf(out, "    p%u %s ", q->percent, s->side == AT_LEAST ? "at least" : "at most");
        figure_put(out, s->unit, q->bound);
        buf_puts(out, "\n");
    }
    if (missing != NULL)
        buf_printf(out, "    no p%u: it needs %u trials\n", missing->percent, missing->needs);
}

static void put_summary(struct buf *out, const struct analysis_summary *s)
{
    buf_printf(out,
               "  %s%s%s%s%s%s%s: %zu trials, %u passed, %u missed, %u undecided; %u never came "
               "to their end; %zu left out\n",
               s->measure, s->of[0] != '\0' ? " of " : "", s->of,
               s->from[0] != '\0' ? " from " : "", s->from, s->detail[0] != '\0' ? " " : "",
               s->detail, s->n, s->passes, s->misses, s->undecided, s->censored, s->n_left_out);
    if (s->median_known) {
        buf_puts(out, "    median ");
        figure_put(out, s->unit, s->median_lower);
        buf_puts(out, " .. ");
        figure_put(out, s->unit, s->median_upper);
        buf_puts(out, "\n");
    } else if (s->n < s->median_needs) {
        buf_printf(out, "    no median: it needs %u trials\n", s->median_needs);
    }
    put_quantiles(out, s);
    for (size_t i = 0; i < s->n; i++) {
        buf_printf(out, "    trial %u: ", s->values[i].trial);
        figure_put(out, s->unit, s->values[i].lower);
        buf_puts(out, " .. ");
        figure_put(out, s->unit, s->values[i].upper);
        buf_printf(out, " %s\n", verdict_word(s->values[i].verdict));
    }
    for (size_t i = 0; i < s->n_left_out; i++)
        buf_printf(out, "    trial %u left out: %s\n", s->left_out[i].trial, s->left_out[i].why);
    if (s->order_known)
        buf_printf(out, "    order: %s\n", s->order);
}

void text_put_series(struct buf *out, const struct analysis *a)
{
    bool any = false;
    for (size_t i = 0; i < a->n_summaries; i++)
        any = any || a->summaries[i].n + a->summaries[i].n_left_out > 1;
    if (!any)
        return;
    buf_puts(out, "\nover trials (bounds with 95 % confidence)\n");
    for (size_t i = 0; i < a->n_summaries; i++)
        put_summary(out, &a->summaries[i]);
}
