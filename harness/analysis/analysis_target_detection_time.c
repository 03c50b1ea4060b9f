/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the first impact, or the fault, until the system's own signal is there. */
#include "analysis/analysis_target.h"

#include <math.h>
#include <string.h>

struct first_impact {
    struct span at; /* the first; lo is INT64_MAX: none was seen */
    bool enough;    /* none came before that, unseen */
    bool expected;  /* by the scenario */
};

static struct first_impact impact_find(const struct target_case *c)
{
    struct first_impact ret = {{SPAN_OPEN, SPAN_OPEN}, true, false};
    for (size_t i = 0; i < c->t->n_probes; i++) {
        const struct analysis_probe *p = &c->t->probes[i];
        if (p->signal || (c->of->impact_on != NULL && strcmp(p->name, c->of->impact_on) != 0))
            continue;
        ret.enough = ret.enough && p->enough;
        ret.expected = ret.expected || p->impact == IMPACT_EXPECTED;
        size_t k = 0;
        while (k < p->n_outages && p->outages[k].wave < 0)
            k++;
        if (k == p->n_outages)
            continue;
        const struct span *onset = &p->outages[k].onset;
        ret.at.lo = onset->lo < ret.at.lo ? onset->lo : ret.at.lo;
        ret.at.hi = onset->hi < ret.at.hi ? onset->hi : ret.at.hi;
    }
    return ret;
}

static void words(struct analysis_maker *m, const struct span *detected,
                  struct analysis_target *ret)
{
    char lower[32], upper[32], limit[32];
    (void)analysis_time(llround(ret->lower * 1e9), lower);
    (void)analysis_time(llround(ret->limit * 1e9), limit);
    if (!isinf(ret->upper))
        (void)analysis_time(llround(ret->upper * 1e9), upper);
    if (ret->verdict == VERDICT_PASS)
        ret->why = analysis_text(m, "upper bound %s is within %s", upper, limit);
    else if (ret->verdict == VERDICT_FAIL)
        ret->why = analysis_text(m, "lower bound %s is beyond %s%s", lower, limit,
                                 detected->hi == SPAN_OPEN ? "; the signal never came" : "");
    else if (detected->hi == SPAN_OPEN)
        ret->why = analysis_text(
            m, "the signal had not come when the observation ended; lower bound %s", lower);
    else
        ret->why =
            analysis_text(m, "the limit %s lies between the bounds %s and %s", limit, lower, upper);
}

/* Nothing was felt: what can be said is how long it was from the fault, if the signal came. */
static void without_impact(struct analysis_maker *m, const struct first_impact *impact,
                           const struct span *detected, const struct span *from_fault,
                           struct analysis_target *ret)
{
    char upper[32];
    ret->lower = 0;
    ret->upper = target_seconds(from_fault->hi);
    if (impact->expected && impact->enough) {
        ret->verdict = VERDICT_INVALID;
        ret->why = "no impact seen, though the scenario expects one: nothing to detect";
    } else if (detected->hi == SPAN_OPEN) {
        ret->verdict = VERDICT_INCONCLUSIVE;
        ret->why = "no impact seen, and no signal: nothing to detect";
    } else {
        ret->verdict = verdict_at_most(ret->lower, ret->upper, ret->limit);
        ret->why = analysis_text(m, "detected without an impact seen, at most %s after the fault",
                                 analysis_time(from_fault->hi, upper));
    }
}

static void judge_from(struct analysis_maker *m, const struct target_case *c,
                       const struct span *detected, struct analysis_target *ret)
{
    const struct span *in = &c->t->waves[0].injected;
    struct first_impact impact = impact_find(c);
    struct span s = {target_minus(detected->lo, in->hi), target_minus(detected->hi, in->lo)};
    if (c->of->from == FROM_IMPACT && impact.at.hi == SPAN_OPEN) {
        without_impact(m, &impact, detected, &s, ret);
        return;
    }
    if (c->of->from == FROM_IMPACT)
        s = (struct span){target_minus(detected->lo, impact.at.hi),
                          target_minus(detected->hi, impact.enough ? impact.at.lo : in->lo)};
    ret->lower = target_seconds(s.lo);
    ret->upper = target_seconds(s.hi);
    ret->verdict = verdict_at_most(ret->lower, ret->upper, ret->limit);
    words(m, detected, ret);
    if (c->of->from == FROM_IMPACT && detected->hi <= impact.at.lo)
        ret->why = analysis_text(m, "%s: it was there before any impact", ret->why);
}

static void judge(struct analysis_maker *m, const struct target_case *c,
                  struct analysis_target *ret)
{
    const struct analysis_probe *p = &c->t->probes[c->probe];
    struct span detected = p->detected;
    int64_t cut = analysis_cut_at(c->t->of);
    /* What came once all had been taken back says only that it had not come before. */
    if (detected.hi > cut)
        detected = (struct span){detected.lo < cut ? detected.lo : cut, SPAN_OPEN};
    judge_from(m, c, &detected, ret);
    if (!p->enough && ret->verdict != VERDICT_INVALID) {
        ret->verdict = VERDICT_INCONCLUSIVE;
        ret->why =
            analysis_text(m, "%u of %u slots of the signal are missing", p->gaps, p->scheduled);
    }
    if (cut != SPAN_OPEN && detected.hi == SPAN_OPEN)
        target_cut_short(m, c->t, "the signal had not come until then", ret);
}

static void show(struct analysis_maker *m, const struct target_case *c, struct analysis_target *ret)
{
    (void)m, (void)c, (void)ret; /* without a fault there is nothing to detect */
}

static double limit(const struct scenario_target *of)
{
    return target_seconds(of->within.ns);
}

static const char *from(const struct scenario_target *of)
{
    return of->from == FROM_FAULT ? "fault" : "impact";
}

static const char *detail(struct analysis_maker *m, const struct scenario_target *of)
{
    return of->impact_on != NULL ? analysis_text(m, "on %s", of->impact_on) : "";
}

static const char *nothing(const struct scenario_target *of)
{
    (void)of;
    return "without a fault there is nothing to detect";
}

const struct target_judging target_detection_time = {.most = INFINITY,
                                                     .limit = limit,
                                                     .from = from,
                                                     .detail = detail,
                                                     .judge = judge,
                                                     .show = show,
                                                     .nothing = nothing};
