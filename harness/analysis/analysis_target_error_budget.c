/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The share of an error budget that the outage used. Of a period's requests the SLO allows
 * (1 - slo) to be bad; at a constant rate of requests, as the probe's own, bad requests over those
 * are
 *
 *     lost time / ((1 - slo) * period)
 *
 * Source: Beyer, Murphy, Rensin, Kawahara, Thorne (eds.), The Site Reliability Workbook, O'Reilly
 * 2018, chapters 2 (error budget: the share of bad events that the SLO leaves) and 5 (how much of
 * it is consumed).
 */
#include "analysis/analysis_target.h"

#include <math.h>

static double budget_seconds(const struct scenario_target *of)
{
    return (1000000 - of->slo.ppm) / 1e6 * target_seconds(of->period.ns);
}

static void bounds(struct analysis_maker *m, const struct target_case *c,
                   struct analysis_target *ret)
{
    struct analysis_share lost = analysis_outage_seconds(m, c->t, c->slots, c->probe, 0);
    ret->lower = lost.lower / budget_seconds(c->of);
    ret->upper = lost.upper / budget_seconds(c->of);
}

static void words(struct analysis_maker *m, const struct target_case *c,
                  struct analysis_target *ret)
{
    const struct analysis_probe *p = &c->t->probes[c->probe];
    bool fail = ret->verdict == VERDICT_FAIL;
    if (!fail && isinf(ret->upper))
        ret->why = analysis_text(
            m, "not recovered for good when the observation ended; lower bound %.3f%%",
            ret->lower * 100);
    else if (ret->verdict == VERDICT_INCONCLUSIVE)
        ret->why = analysis_text(m, "the limit %.3f%% lies between the bounds %.3f%% and %.3f%%",
                                 ret->limit * 100, ret->lower * 100, ret->upper * 100);
    else
        ret->why = analysis_text(m,
                                 "%s bound %.3f%% of the %.1f s that the budget allows is %s "
                                 "%.3f%%; %u requests were bad",
                                 fail ? "lower" : "upper", (fail ? ret->lower : ret->upper) * 100,
                                 budget_seconds(c->of), fail ? "beyond" : "within",
                                 ret->limit * 100, p->bad);
}

static void judge(struct analysis_maker *m, const struct target_case *c,
                  struct analysis_target *ret)
{
    const struct analysis_probe *p = &c->t->probes[c->probe];
    bounds(m, c, ret);
    ret->verdict = verdict_at_most(ret->lower, ret->upper, ret->limit);
    words(m, c, ret);
    if (!p->enough) {
        ret->verdict = VERDICT_INCONCLUSIVE;
        ret->why = analysis_text(m, "%u of %u slots are missing", p->gaps, p->scheduled);
    }
    if (!target_is_cut(c->t, 0))
        return;
    ret->upper = INFINITY;
    target_cut_short(m, c->t, "what would have come is not known", ret);
}

static const char *detail(struct analysis_maker *m, const struct scenario_target *of)
{
    char slo[32], period[40];
    return analysis_text(m, "of %s over %s", ratio_print(of->slo, slo, sizeof(slo)),
                         duration_print(of->period, period, sizeof(period)));
}

static double limit(const struct scenario_target *of)
{
    return of->limit.ppm / 1e6;
}

const struct target_judging target_error_budget = {
    .most = INFINITY, .limit = limit, .detail = detail, .judge = judge, .show = bounds};
