/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the trials say together of each target. */
#include "analysis/analysis_parts.h"
#include "analysis/ranks.h"
#include "analysis/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double confidence = 0.95;
enum { ORDER_MIN = 8 };
static const unsigned percents[ANALYSIS_QUANTILES] = {50, 90, 95, 99};
static const double order_alpha = 0.025; /* each of trend and autocorrelation: 5 % together */
static const double order_z = 2.2414;    /* the same of a standard normal */

/* Why a trial says nothing of target k; NULL: it counts. */
static const char *left_out(const struct analysis_trial *t, size_t k)
{
    if (t->verdict == VERDICT_INVALID || t->stopped || !analysis_symptoms_shown(t))
        return t->why;
    if (k >= t->n_targets)
        return "not judged";
    const struct analysis_target *g = &t->targets[k];
    if (t->n_waves == 0 || t->waves[0].injected.hi == HISTORY_UNKNOWN ||
        g->verdict == VERDICT_NOT_JUDGED || g->verdict == VERDICT_INVALID)
        return g->why;
    return g->automatic ? NULL : "brought back by hand, no automatic recovery";
}

/* Where the interval alone would have decided, something was not seen: nothing is known of its good
 * side then. */
static struct analysis_figure figure_of(const struct analysis_trial *t,
                                        const struct analysis_target *g)
{
    struct analysis_figure f = {
        .trial = t->trial, .lower = g->lower, .upper = g->upper, .verdict = g->verdict};
    enum verdict by_bounds = g->side == AT_LEAST ? verdict_at_least(g->lower, g->upper, g->limit)
                                                 : verdict_at_most(g->lower, g->upper, g->limit);
    f.censored = g->side == AT_MOST && isinf(g->upper) && t->of->abort_why == NULL &&
                 t->of->failed_step == NULL;
    if (g->verdict != VERDICT_INCONCLUSIVE || by_bounds == VERDICT_INCONCLUSIVE)
        return f;
    if (g->side == AT_MOST)
        f.upper = INFINITY;
    else
        f.lower = 0;
    return f;
}

static void values_fill(struct analysis_maker *m, struct analysis_summary *s, size_t k)
{
    const struct analysis *a = m->a;
    s->values = analysis_array(m, a->n_trials, sizeof(*s->values));
    s->left_out = analysis_array(m, a->n_trials, sizeof(*s->left_out));
    for (size_t i = 0; s->values != NULL && s->left_out != NULL && i < a->n_trials; i++) {
        const struct analysis_trial *t = &a->trials[i];
        if (t->fault_free)
            continue;
        const char *why = left_out(t, k);
        if (why != NULL) {
            s->left_out[s->n_left_out++] = (struct analysis_left_out){t->trial, why};
            continue;
        }
        const struct analysis_figure f = figure_of(t, &t->targets[k]);
        s->values[s->n++] = f;
        s->passes += f.verdict == VERDICT_PASS;
        s->misses += f.verdict == VERDICT_FAIL;
        s->undecided += f.verdict == VERDICT_INCONCLUSIVE;
        s->censored += f.censored;
    }
}

static int compare(const void *left, const void *right)
{
    const double *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

/* All of it stands on the ends of the figures that can only make it weaker. */
void analysis_summary_bounds(struct analysis_summary *s, double *lower, double *upper)
{
    uint32_t n = (uint32_t)s->n, lo, hi;
    for (size_t i = 0; i < s->n; i++) {
        lower[i] = s->values[i].lower;
        upper[i] = s->values[i].upper;
    }
    qsort(lower, n, sizeof(*lower), compare);
    qsort(upper, n, sizeof(*upper), compare);
    s->share_proven = stats_share_proven(n, n - s->passes, confidence);
    s->median_known = stats_median_interval(n, confidence, &lo, &hi);
    if (s->median_known) {
        s->median_lower = lower[lo];
        s->median_upper = upper[hi];
    }
    for (size_t i = 0; i < ANALYSIS_QUANTILES; i++) {
        struct analysis_quantile *q = &s->quantiles[i];
        size_t below, at;
        stats_quantile_ranks(n, percents[i] / 100.0, confidence, &below, &at);
        q->known = at <= n;
        if (q->known)
            q->bound = s->side == AT_MOST ? upper[at - 1] : lower[n - at];
    }
}

/* What may be expected of the autocorrelation of trials that are independent. */
static double order_centre(const struct analysis_summary *s)
{
    return -1 / (double)s->n;
}

static double order_within(const struct analysis_summary *s)
{
    return order_z / sqrt((double)s->n);
}

void analysis_summary_order(struct analysis_summary *s, const double *v)
{
    s->order_known = s->n >= ORDER_MIN;
    if (!s->order_known)
        return;
    s->lag1 = ranks_lag1(v, s->n);
    s->trend = ranks_trend(v, s->n, &s->trend_p);
    s->order_shown = s->trend_p < order_alpha || fabs(s->lag1 - order_centre(s)) > order_within(s);
}

static const char *order_text(struct analysis_maker *m, const struct analysis_summary *s)
{
    double least = order_centre(s) - order_within(s), most = order_centre(s) + order_within(s);
    if (!s->order_known)
        return "";
    if (s->trend_p < order_alpha)
        return analysis_text(m,
                             "figures %s with the order of trials (tau %.2f, p %.4f): the trials "
                             "were not alike, and no claim on n of them holds",
                             s->trend > 0 ? "rise" : "fall", s->trend, s->trend_p);
    if (s->order_shown)
        return analysis_text(m,
                             "successive trials are not independent (autocorrelation %.2f, outside "
                             "%.2f .. %.2f): no claim on n of them holds",
                             s->lag1, least, most);
    return analysis_text(m,
                         "no trend in the order of trials (tau %.2f, p %.2f), no autocorrelation "
                         "(%.2f, within %.2f .. %.2f)",
                         s->trend, s->trend_p, s->lag1, least, most);
}

static const char *figure_text(struct analysis_maker *m, const struct analysis_summary *s, double v)
{
    if (isinf(v))
        return "open";
    if (s->unit == UNIT_SECONDS)
        return analysis_text(m, "%.3f s", v);
    return s->unit == UNIT_SHARE ? analysis_text(m, "%.3f %%", v * 100)
                                 : analysis_text(m, "%.0f", v);
}

static const char *median_text(struct analysis_maker *m, const struct analysis_summary *s)
{
    if (!s->median_known)
        return "";
    if (isinf(s->median_upper))
        return analysis_text(m, "; the median is more than %s", figure_text(m, s, s->median_lower));
    return analysis_text(m, "; the median lies between %s and %s",
                         figure_text(m, s, s->median_lower), figure_text(m, s, s->median_upper));
}

/* Of the quantiles that n gives the furthest that says anything. */
static const char *quantile_text(struct analysis_maker *m, const struct analysis_summary *s)
{
    for (size_t i = ANALYSIS_QUANTILES; i-- > 1;)
        if (s->quantiles[i].known && !isinf(s->quantiles[i].bound))
            return analysis_text(m, "; %u %% of runs have %s %s", s->quantiles[i].percent,
                                 s->side == AT_MOST ? "at most" : "at least",
                                 figure_text(m, s, s->quantiles[i].bound));
    return "";
}

/* A series that stops at what it has seen is no sample of fixed size: the claims on n do not hold.
 */
static bool planned(const struct analysis_maker *m)
{
    return m->h->plan.at_most != 0;
}

/* What the number of trials proves; nothing where it was not fixed before, or they are not sound.
 */
static const char *no_proof(const struct analysis_maker *m)
{
    if (m->a->series.invalid)
        return "the series is invalid, and proves nothing";
    if (planned(m))
        return "the plan says what that proves, since their number was not fixed before";
    return m->a->stopped ? "the run was stopped, so that their number was not fixed before, and "
                           "proves nothing of other runs"
                         : NULL;
}

/* Rounded down: no more is claimed than is proven. */
static const char *sentence_of(struct analysis_maker *m, const struct analysis_summary *s)
{
    const char *name =
        analysis_text(m, "%s%s%s", s->measure, s->of[0] != '\0' ? " of " : "", s->of);
    const char *undecided = "", *out = "";
    if (s->undecided != 0)
        undecided = analysis_text(m, " (%u undecided, which count as missed)", s->undecided);
    if (s->n_left_out != 0)
        out = analysis_text(m, "; %zu left out", s->n_left_out);
    const char *none = no_proof(m);
    if (none != NULL)
        return analysis_text(m, "%s: %u of %zu trials passed%s%s; %s", name, s->passes, s->n,
                             undecided, out, none);
    return analysis_text(m,
                         "%s: %u of %zu trials passed%s; that proves, with 95 %% confidence, that "
                         "at least %.1f %% of runs do%s%s%s",
                         name, s->passes, s->n, undecided, floor(1000 * s->share_proven) / 10,
                         median_text(m, s), quantile_text(m, s), out);
}

static void summary_fill(struct analysis_maker *m, struct analysis_summary *s, size_t k)
{
    s->order = s->sentence = "";
    for (size_t i = 0; i < ANALYSIS_QUANTILES; i++)
        s->quantiles[i] = (struct analysis_quantile){
            .percent = percents[i],
            .needs = (uint32_t)stats_quantile_needs(percents[i] / 100.0, confidence)};
    s->median_needs = stats_median_needs(confidence);
    values_fill(m, s, k);
    double *lower = analysis_array(m, s->n, sizeof(*lower));
    double *upper = analysis_array(m, s->n, sizeof(*upper));
    if (lower == NULL || upper == NULL)
        return;
    if (no_proof(m) == NULL)
        analysis_summary_bounds(s, lower, upper);
    for (size_t i = 0; i < s->n; i++)
        lower[i] = (s->values[i].lower + s->values[i].upper) / 2;
    analysis_summary_order(s, lower);
    s->order = order_text(m, s);
    if (s->n >= 2)
        s->sentence = sentence_of(m, s);
}

void analysis_summaries(struct analysis_maker *m)
{
    struct analysis *a = m->a;
    size_t n = m->s->n_targets < a->n_targets ? m->s->n_targets : a->n_targets;
    a->summaries = analysis_array(m, n, sizeof(*a->summaries));
    for (size_t k = 0; a->summaries != NULL && k < n; k++) {
        const struct analysis_target *g = &a->targets[k];
        struct analysis_summary *s = &a->summaries[a->n_summaries++];
        *s = (struct analysis_summary){.measure = g->measure,
                                       .of = g->of,
                                       .from = g->from,
                                       .detail = g->detail,
                                       .unit = g->unit,
                                       .side = g->side,
                                       .limit = g->limit};
        summary_fill(m, s, k);
    }
}

void analysis_sentences(struct analysis_maker *m)
{
    struct analysis *a = m->a;
    a->sentences = analysis_array(m, a->n_symptoms + 2 * a->n_summaries + 1, sizeof(*a->sentences));
    for (size_t k = 0; a->sentences != NULL && k < a->n_symptoms; k++)
        if (a->shown[k].sentence[0] != '\0')
            a->sentences[a->n_sentences++] = a->shown[k].sentence;
    for (size_t k = 0; a->sentences != NULL && k < a->n_summaries; k++) {
        const struct analysis_summary *s = &a->summaries[k];
        if (s->sentence[0] != '\0')
            a->sentences[a->n_sentences++] = s->sentence;
        if (s->order_shown)
            a->sentences[a->n_sentences++] = analysis_text(
                m, "%s%s%s: %s", s->measure, s->of[0] != '\0' ? " of " : "", s->of, s->order);
    }
    if (a->sentences != NULL && a->series.why[0] != '\0')
        a->sentences[a->n_sentences++] = a->series.why;
}
