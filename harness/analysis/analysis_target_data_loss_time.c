/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The time whose acknowledged writes are absent. */
#include "analysis/analysis_target.h"

#include <math.h>

static double limit(const struct scenario_target *of)
{
    return (double)of->within.ns / (double)NS_PER_SEC;
}

static const struct analysis_ledger *bounds(const struct target_case *c,
                                            struct analysis_target *ret)
{
    const struct analysis_ledger *l = analysis_ledger_find(c->t, c->of->ledger);
    if (l == NULL)
        return NULL;
    ret->lower = target_seconds(l->loss_ns.lo);
    ret->upper = l->known ? target_seconds(l->loss_ns.hi) : (double)INFINITY;
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

const struct target_judging target_data_loss_time = {
    .whole = true, .most = INFINITY, .limit = limit, .judge = judge, .show = show};
