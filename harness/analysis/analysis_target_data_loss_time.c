/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/analysis_target.h"

#include <math.h>

static double limit(const struct scenario_target *of)
{
    return (double)of->within.ns / (double)NS_PER_SEC;
}

static void judge(struct analysis_maker *m, const struct target_case *c,
                  struct analysis_target *ret)
{
    (void)m;
    (void)c;
    ret->verdict = VERDICT_INCONCLUSIVE;
    ret->why = "the ledger was never read back";
}

static void show(struct analysis_maker *m, const struct target_case *c, struct analysis_target *ret)
{
    judge(m, c, ret);
}

const struct target_judging target_data_loss_time = {
    .whole = true, .most = INFINITY, .limit = limit, .judge = judge, .show = show};
