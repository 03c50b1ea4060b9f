/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The share of scheduled slots that were good. */
#include "analysis/analysis_target.h"

static void decide(struct analysis_maker *m, const struct slot_count *c, bool missing,
                   struct analysis_target *ret)
{
    ret->verdict = verdict_at_least(ret->lower, ret->upper, ret->limit);
    const char *side = ret->verdict == VERDICT_FAIL ? "upper bound" : "lower bound";
    double bound = ret->verdict == VERDICT_FAIL ? ret->upper : ret->lower;
    ret->why =
        analysis_text(m, "%s %.3f%% of %u slots, %s %.3f%%", side, bound * 100, c->scheduled,
                      ret->verdict == VERDICT_PASS ? "at least" : "against", ret->limit * 100);
    if (missing) {
        ret->verdict = VERDICT_INCONCLUSIVE;
        ret->why =
            analysis_text(m, "%u of %u slots of the window are missing", c->gaps, c->scheduled);
    }
}

static void judge(struct analysis_maker *m, const struct target_case *of_case,
                  struct analysis_target *ret)
{
    const struct scenario_target *of = of_case->of;
    const struct probe_slots *p = &of_case->slots[of_case->probe];
    const struct slot_range range = analysis_range(m, of_case->probe, p), *r = &range;
    struct target_window windows[2];
    if (!target_windows(of_case, windows)) {
        ret->verdict = VERDICT_INCONCLUSIVE;
        ret->why = target_never_removed;
        return;
    }
    ret->lower = 1;
    ret->upper = 0;
    struct slot_count c = {0, 0, 0, 0, 0};
    bool missing = false;
    /* The window begins somewhere between command and verified reply: both ends are tried. */
    for (int i = 0; i < 2; i++) {
        c = analysis_slots_count(r, windows[i].from, windows[i].to,
                                 of->over.ns > 0 ? SPAN_OPEN : p->until);
        missing = missing || c.scheduled == 0 || (uint64_t)c.gaps * 100 > c.scheduled;
        if (c.scheduled == 0)
            continue;
        double lower = (double)c.good / c.scheduled;
        double upper = (double)(c.good + c.gaps) / c.scheduled;
        ret->lower = lower < ret->lower ? lower : ret->lower;
        ret->upper = upper > ret->upper ? upper : ret->upper;
    }
    decide(m, &c, missing, ret);
    if (!target_is_cut(of_case->t, of->over.ns))
        return;
    if (ret->verdict != VERDICT_FAIL)
        ret->lower = 0;
    target_cut_short(m, of_case->t, "what would have come is not known", ret);
}

static void show(struct analysis_maker *m, const struct target_case *c, struct analysis_target *ret)
{
    const struct probe_slots *p = &c->slots[c->probe];
    struct slot_range r = analysis_range(m, c->probe, p);
    int64_t end = c->of->over.ns > 0 ? p->from + c->of->over.ns : SPAN_OPEN;
    struct slot_count n =
        analysis_slots_count(&r, p->from, end < p->until ? end : p->until, p->until);
    if (n.scheduled == 0)
        return;
    ret->lower = (double)n.good / n.scheduled;
    ret->upper = (double)(n.good + n.gaps) / n.scheduled;
}

static double limit(const struct scenario_target *of)
{
    return of->limit.ppm / 1e6;
}

const struct target_judging target_availability = {
    .most = 1, .limit = limit, .detail = target_window_text, .judge = judge, .show = show};
