/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lost share of the service, integrated over time. */
#include "analysis/analysis_target.h"

#include <math.h>

/* Of one probe in the window that begins at `from`; `to` SPAN_OPEN: to the end of observation. */
static struct analysis_share probe_lost(struct analysis_maker *m, const struct probe_slots *slots,
                                        size_t probe, int64_t from, int64_t to)
{
    struct slot_range r = analysis_range(m, probe, &slots[probe]);
    struct span lost = analysis_lost(&r, from, to, slots[probe].until);
    return (struct analysis_share){target_seconds(lost.lo), target_seconds(lost.hi)};
}

static struct analysis_share one_probe(struct analysis_maker *m, const struct analysis_trial *t,
                                       const struct probe_slots *slots, size_t i, int64_t over_ns)
{
    const struct analysis_probe *p = &t->probes[i];
    if (over_ns <= 0)
        return (struct analysis_share){target_seconds(p->lost.lo), target_seconds(p->lost.hi)};
    /* The window begins somewhere between command and verified reply: both are tried. */
    const struct span *in = &t->waves[0].injected;
    struct analysis_share a = probe_lost(m, slots, i, in->lo, in->lo + over_ns);
    struct analysis_share b = probe_lost(m, slots, i, in->hi, in->hi + over_ns);
    return (struct analysis_share){fmin(a.lower, b.lower), fmax(a.upper, b.upper)};
}

struct analysis_share analysis_outage_seconds(struct analysis_maker *m,
                                              const struct analysis_trial *t,
                                              const struct probe_slots *slots, size_t probe,
                                              int64_t over_ns)
{
    struct analysis_share sum = {0, 0};
    double weights = 0;
    if (probe < t->n_probes)
        return one_probe(m, t, slots, probe, over_ns);
    for (size_t i = 0, n; i < t->n_probes; i += n) {
        const struct analysis_probe *p = &t->probes[i];
        struct analysis_share one = {0, 0};
        /* Of a service's vantages, which stand together, the worst: no mean hides a part. */
        for (n = 0; i + n < t->n_probes && (n == 0 || p[n].vantage != 0); n++) {
            struct analysis_share at = one_probe(m, t, slots, i + n, over_ns);
            one.lower = fmax(one.lower, at.lower);
            one.upper = fmax(one.upper, at.upper);
        }
        if (p->signal)
            continue;
        sum.lower += p->weight * one.lower;
        sum.upper += p->weight * one.upper;
        weights += p->weight;
    }
    if (weights <= 0)
        return (struct analysis_share){0, INFINITY};
    return (struct analysis_share){sum.lower / weights, sum.upper / weights};
}

/* The first of the target's probes of whose window too much is missing; NULL: none. */
static const struct analysis_probe *missing(struct analysis_maker *m, const struct target_case *c,
                                            struct slot_count *ret)
{
    for (size_t i = 0; i < c->t->n_probes; i++) {
        if (c->t->probes[i].signal || (c->probe < c->t->n_probes && i != c->probe))
            continue;
        const struct probe_slots *p = &c->slots[i];
        struct slot_range r = analysis_range(m, i, p);
        int64_t from = c->t->waves[0].injected.lo;
        int64_t to = c->of->over.ns > 0 ? c->t->waves[0].injected.hi + c->of->over.ns : SPAN_OPEN;
        *ret = analysis_slots_count(&r, from, to, to != SPAN_OPEN ? SPAN_OPEN : p->until);
        if (ret->scheduled == 0 || (uint64_t)ret->gaps * 100 > ret->scheduled)
            return &c->t->probes[i];
    }
    return NULL;
}

/* What the lower bound takes for away, where a rate is among what it rests on. */
static const char *of_rate(const struct analysis_maker *m, const struct target_case *c,
                           const struct analysis_target *ret)
{
    bool any = false;
    for (size_t i = 0; i < c->t->n_probes; i++)
        any = any || ((c->probe >= c->t->n_probes || i == c->probe) && !c->t->probes[i].signal &&
                      m->s->probes[i].expect.rate.given);
    return any && ret->lower > 0 ? "; what came back for less than a rate's window counts as away"
                                 : "";
}

static void words(struct analysis_maker *m, const struct target_case *c,
                  struct analysis_target *ret)
{
    const char *more = of_rate(m, c, ret);
    if (ret->verdict == VERDICT_FAIL)
        ret->why = analysis_text(m, "lower bound %.3f s of a full outage is beyond %.3f s%s",
                                 ret->lower, ret->limit, more);
    else if (isinf(ret->upper))
        ret->why = analysis_text(
            m, "not recovered for good when the observation ended; lower bound %.3f s%s",
            ret->lower, more);
    else if (ret->verdict == VERDICT_PASS)
        ret->why = analysis_text(m, "upper bound %.3f s of a full outage is within %.3f s",
                                 ret->upper, ret->limit);
    else
        ret->why = analysis_text(m, "the limit %.3f s lies between the bounds %.3f s and %.3f s%s",
                                 ret->limit, ret->lower, ret->upper, more);
}

static void judge(struct analysis_maker *m, const struct target_case *c,
                  struct analysis_target *ret)
{
    struct analysis_share lost =
        analysis_outage_seconds(m, c->t, c->slots, c->probe, c->of->over.ns);
    struct slot_count n;
    ret->lower = lost.lower;
    ret->upper = lost.upper;
    ret->verdict = verdict_at_most(ret->lower, ret->upper, ret->limit);
    words(m, c, ret);
    const struct analysis_probe *p = missing(m, c, &n);
    if (p != NULL) {
        ret->verdict = VERDICT_INCONCLUSIVE;
        ret->why = analysis_text(m, "%u of %u slots of %s in the window are missing", n.gaps,
                                 n.scheduled, p->label);
    }
    if (!target_is_cut(c->t, c->of->over.ns))
        return;
    ret->upper = INFINITY;
    target_cut_short(m, c->t, "what would have come is not known", ret);
}

static void show(struct analysis_maker *m, const struct target_case *c, struct analysis_target *ret)
{
    struct analysis_share lost = analysis_outage_seconds(m, c->t, c->slots, c->probe, 0);
    ret->lower = lost.lower;
    ret->upper = lost.upper;
}

static const char *detail(struct analysis_maker *m, const struct scenario_target *of)
{
    char over[40];
    return of->over.ns > 0
               ? analysis_text(m, "over %s", duration_print(of->over, over, sizeof(over)))
               : "";
}

static double limit(const struct scenario_target *of)
{
    return target_seconds(of->within.ns);
}

const struct target_judging target_outage_seconds = {.whole = true,
                                                     .most = INFINITY,
                                                     .limit = limit,
                                                     .detail = detail,
                                                     .judge = judge,
                                                     .show = show};
