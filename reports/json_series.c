/* SPDX-License-Identifier: GPL-2.0-or-later */
/* result.json: what the trials say together. An open bound is null. */
#include "reports/json_series.h"
#include "reports/figure.h"
#include "reports/json_parts.h"

#include <stdio.h>

static void put(json_t *o, const char *name, const struct analysis_summary *s, double value)
{
    char key[40];
    (void)snprintf(key, sizeof(key), "%s%s", name, figure_suffix(s->unit));
    (void)json_object_set_new(o, key, figure(value));
}

static json_t *value_json(const struct analysis_summary *s, const struct analysis_figure *f)
{
    json_t *o = json_pack("{s:i, s:s, s:b}", "trial", (int)f->trial, "verdict",
                          verdict_word(f->verdict), "censored", f->censored);
    put(o, "lower", s, f->lower);
    put(o, "upper", s, f->upper);
    return o;
}

static json_t *median_json(const struct analysis_summary *s)
{
    json_t *o = json_pack("{s:b, s:i}", "known", s->median_known, "needs", (int)s->median_needs);
    if (s->median_known) {
        put(o, "lower", s, s->median_lower);
        put(o, "upper", s, s->median_upper);
    }
    return o;
}

static json_t *quantile_json(const struct analysis_summary *s, const struct analysis_quantile *q)
{
    json_t *o = json_pack("{s:i, s:b, s:i}", "percent", (int)q->percent, "known", q->known, "needs",
                          (int)q->needs);
    if (q->known)
        put(o, s->side == AT_LEAST ? "at_least" : "at_most", s, q->bound);
    return o;
}

static json_t *order_json(const struct analysis_summary *s)
{
    if (!s->order_known)
        return json_null();
    return json_pack("{s:f, s:f, s:f, s:b, s:s}", "lag1", s->lag1, "trend", s->trend, "trend_p",
                     s->trend_p, "shown", s->order_shown, "what", s->order);
}

static json_t *summary_json(const struct analysis_summary *s)
{
    json_t *values = json_array(), *out = json_array(), *quantiles = json_array();
    for (size_t i = 0; i < s->n; i++)
        (void)json_array_append_new(values, value_json(s, &s->values[i]));
    for (size_t i = 0; i < s->n_left_out; i++)
        (void)json_array_append_new(out, json_pack("{s:i, s:o}", "trial", (int)s->left_out[i].trial,
                                                   "why", text(s->left_out[i].why)));
    for (size_t i = 0; i < ANALYSIS_QUANTILES; i++)
        (void)json_array_append_new(quantiles, quantile_json(s, &s->quantiles[i]));
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "measure", s->measure, "of", s->of,
                          "from", s->from, "detail", s->detail, "unit", figure_unit(s->unit),
                          "side", s->side == AT_LEAST ? "at least" : "at most");
    put(o, "limit", s, s->limit);
    (void)json_object_set_new(o, "n", json_integer((json_int_t)s->n));
    (void)json_object_set_new(o, "passes", json_integer(s->passes));
    (void)json_object_set_new(o, "misses", json_integer(s->misses));
    (void)json_object_set_new(o, "undecided", json_integer(s->undecided));
    (void)json_object_set_new(o, "censored", json_integer(s->censored));
    (void)json_object_set_new(o, "values", values);
    (void)json_object_set_new(o, "left_out", out);
    (void)json_object_set_new(o, "share_proven", json_real(s->share_proven));
    (void)json_object_set_new(o, "median", median_json(s));
    (void)json_object_set_new(o, "quantiles", quantiles);
    (void)json_object_set_new(o, "order", order_json(s));
    (void)json_object_set_new(o, "proves", text(s->sentence));
    return o;
}

json_t *json_summaries(const struct analysis *a)
{
    json_t *list = json_array();
    for (size_t i = 0; i < a->n_summaries; i++)
        (void)json_array_append_new(list, summary_json(&a->summaries[i]));
    return list;
}

static const char *decision_word(enum analysis_decision d)
{
    static const char *const words[] = {[DECISION_NO_PLAN] = "no plan",
                                        [DECISION_OPEN] = "open",
                                        [DECISION_ACCEPT] = "accepted",
                                        [DECISION_REJECT] = "rejected",
                                        [DECISION_CANNOT] = "cannot tell"};
    return words[d];
}

json_t *json_sequential(const struct report *report)
{
    const struct history_plan *p = &report->history->plan;
    const struct analysis_series *s = &report->analysis->series;
    if (s->decision == DECISION_NO_PLAN)
        return json_null();
    return json_pack("{s:f, s:f, s:f, s:f, s:i, s:i, s:s, s:i, s:i, s:i, s:i, s:o}", "good",
                     p->good, "bad", p->bad, "alpha", p->alpha, "beta", p->beta, "at_most",
                     (int)p->at_most, "undecided_allowed", (int)p->undecided, "decision",
                     decision_word(s->decision), "after_trial", (int)s->trial, "passes",
                     (int)s->passes, "misses", (int)s->misses, "undecided", (int)s->undecided,
                     "why", text(s->why));
}
