/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Acknowledged writes that are absent: data_loss counts them, data_loss_time is the time whose
 * writes they are. */
#include "analysis/analysis_target.h"

#include <math.h>

static double limit_count(const struct scenario_target *of)
{
    return of->at_most;
}

static double limit_time(const struct scenario_target *of)
{
    return (double)of->within.ns / (double)NS_PER_SEC;
}

static const struct analysis_ledger *bounds(const struct target_case *c,
                                            struct analysis_target *ret)
{
    const struct analysis_ledger *l = analysis_ledger_find(c->t, c->of->ledger);
    if (l == NULL)
        return NULL;
    bool time = c->of->kind == TARGET_DATA_LOSS_TIME;
    double upper = time ? target_seconds(l->loss_ns.hi) : (double)l->lost_upper;
    ret->lower = time ? target_seconds(l->loss_ns.lo) : (double)l->lost_lower;
    ret->upper = l->known ? upper : (double)INFINITY;
    return l;
}

static void judge(struct analysis_maker *m, const struct target_case *c,
                  struct analysis_target *ret)
{
    const struct analysis_ledger *l = bounds(c, ret);
    if (l == NULL) {
        ret->verdict = VERDICT_INCONCLUSIVE;
        ret->why = "the scenario has no such ledger";
        return;
    }
    /* Missing data is never good news; what is known to be gone stays gone. */
    const char *doubt = analysis_ledger_doubt(m, c->t, l);
    ret->verdict =
        l->known ? verdict_at_most(ret->lower, ret->upper, ret->limit) : VERDICT_INCONCLUSIVE;
    ret->why = l->sentence;
    if (doubt != NULL && ret->verdict != VERDICT_FAIL) {
        ret->verdict = VERDICT_INCONCLUSIVE;
        ret->why = doubt;
    }
    if (target_is_cut(c->t, 0))
        target_cut_short(m, c->t, ret->why, ret);
}

static void show(struct analysis_maker *m, const struct target_case *c, struct analysis_target *ret)
{
    (void)m;
    (void)bounds(c, ret);
}

const struct target_judging target_data_loss = {
    .whole = true, .most = INFINITY, .limit = limit_count, .judge = judge, .show = show};

const struct target_judging target_data_loss_time = {
    .whole = true, .most = INFINITY, .limit = limit_time, .judge = judge, .show = show};
