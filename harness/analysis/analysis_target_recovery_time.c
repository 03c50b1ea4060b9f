/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the fault, the first impact or the heal until only good slots follow. */
#include "analysis/analysis_target.h"

#include <math.h>
#include <string.h>

/* First and last outage that concern a wave; NULL when none does. */
struct concern {
    const struct analysis_outage *first, *last;
    size_t n;
    size_t left_out; /* of planned steps */
    bool gap_at_edge;
};

static struct concern outages_of(const struct analysis_trial *t, const struct analysis_probe *p,
                                 size_t wave)
{
    struct concern c = {NULL, NULL, 0, 0, false};
    int64_t from = t->waves[wave].injected.lo;
    int64_t next = wave + 1 < t->n_waves && t->waves[wave + 1].injected.lo != HISTORY_UNKNOWN
                       ? t->waves[wave + 1].injected.lo
                       : SPAN_OPEN;
    for (size_t i = 0; i < p->n_outages; i++) {
        const struct analysis_outage *o = &p->outages[i];
        if (o->wave < 0 || o->recovery.hi <= from || o->onset.hi >= next)
            continue;
        if (o->planned) {
            c.left_out++;
            continue;
        }
        c.first = c.first == NULL ? o : c.first;
        c.last = o;
        c.n++;
        c.gap_at_edge = c.gap_at_edge || o->gap_at_edge;
    }
    return c;
}

static void no_impact(struct analysis_maker *m, const struct analysis_trial *t,
                      const struct analysis_probe *p, size_t left_out, struct analysis_target *ret)
{
    char missed[32];
    /* What was announced is no impact of a fault's. */
    bool only_planned = left_out != 0 && p->impact == IMPACT_EXPECTED && p->n_vantages <= 1;
    ret->lower = 0;
    ret->upper = p->missed_ns >= 0 ? target_seconds(p->missed_ns) : INFINITY;
    if (!p->enough) {
        ret->verdict = VERDICT_INCONCLUSIVE;
        ret->why = analysis_text(m, "no impact seen, but %u of %u slots are missing", p->gaps,
                                 p->scheduled);
    } else if (only_planned || target_expects_impact(t, p)) {
        ret->verdict = VERDICT_INVALID;
        ret->why = "no impact seen, though the scenario expects one: nothing to recover from";
    } else {
        ret->verdict = verdict_at_most(ret->lower, ret->upper, ret->limit);
        ret->why =
            analysis_text(m, "no impact seen; an outage shorter than %s could have been missed",
                          analysis_time(p->missed_ns, missed));
    }
}

/* By which word the interval was reached, and what else a reader must know of this recovery. */
static const char *remark(const struct analysis_outage *o, const struct analysis_target *ret)
{
    if (!o->automatic)
        return "; brought back by hand, no automatic recovery";
    if (strcmp(ret->from, "fault") == 0 && o->recovered && !o->under_fault)
        return "; it recovered only once the fault was removed";
    return "";
}

static void recovery_words(struct analysis_maker *m, const struct analysis_outage *o,
                           struct analysis_target *ret)
{
    char lower[32], upper[32], limit[32];
    analysis_time((int64_t)(ret->lower * (double)NS_PER_SEC), lower);
    analysis_time((int64_t)(ret->limit * (double)NS_PER_SEC), limit);
    if (!isinf(ret->upper))
        analysis_time((int64_t)(ret->upper * (double)NS_PER_SEC), upper);
    const char *more = remark(o, ret);
    if (ret->verdict == VERDICT_PASS)
        ret->why = analysis_text(m, "upper bound %s is within %s%s", upper, limit, more);
    else if (ret->verdict == VERDICT_FAIL)
        ret->why = analysis_text(m, "lower bound %s is beyond %s%s%s", lower, limit,
                                 o->recovered ? "" : "; it never recovered", more);
    else if (!o->recovered)
        ret->why = analysis_text(
            m, "not recovered for good when the observation ended; lower bound %s", lower);
    else
        ret->why = analysis_text(m, "the limit %s lies between the bounds %s and %s%s", limit,
                                 lower, upper, more);
}

static bool from_heal(struct analysis_maker *m, const struct analysis_wave *w,
                      const struct analysis_outage *o, struct span *ret,
                      struct analysis_target *target)
{
    if (w->undone.lo == HISTORY_UNKNOWN || w->undone.hi == HISTORY_UNKNOWN) {
        target->lower = 0;
        target->upper = INFINITY;
        target->verdict = VERDICT_INCONCLUSIVE;
        target->why = analysis_text(m, "%s was never seen to be removed", w->faults);
        return false;
    }
    if (o->recovered && o->recovery.hi <= w->undone.lo) {
        target->lower = target->upper = 0;
        target->verdict = VERDICT_PASS;
        target->why = "recovered before the fault was removed";
        return false;
    }
    *ret = (struct span){target_minus(o->recovery.lo, w->undone.hi),
                         target_minus(o->recovery.hi, w->undone.lo)};
    return true;
}

/* A recovery that the abort brought about says only that there was none before. */
static struct span censored(const struct analysis_trial *t, struct span recovery)
{
    int64_t cut = analysis_cut_at(t->of);
    if (recovery.hi <= cut)
        return recovery;
    return (struct span){recovery.lo < cut ? recovery.lo : cut, SPAN_OPEN};
}

static void recovery_of_wave(struct analysis_maker *m, const struct analysis_trial *t,
                             const struct analysis_probe *p, const struct analysis_wave *w,
                             struct concern c, enum measured_from from, struct analysis_target *ret)
{
    if (c.last == NULL) {
        no_impact(m, t, p, c.left_out, ret);
        if (analysis_cut_at(t->of) != SPAN_OPEN) {
            ret->upper = INFINITY;
            target_cut_short(m, t, "no impact was seen until then", ret);
        }
        return;
    }
    struct span end = censored(t, c.last->recovery);
    struct span s = {target_minus(end.lo, w->injected.hi), target_minus(end.hi, w->injected.lo)};
    if (from == FROM_IMPACT)
        s = (struct span){target_minus(end.lo, c.first->onset.hi),
                          target_minus(end.hi, c.first->onset.lo)};
    ret->automatic = c.last->automatic;
    if (from == FROM_HEAL && !from_heal(m, w, c.last, &s, ret))
        return;
    ret->lower = target_seconds(s.lo);
    ret->upper = target_seconds(s.hi);
    ret->verdict = verdict_at_most(ret->lower, ret->upper, ret->limit);
    recovery_words(m, c.last, ret);
    if (c.n > 1)
        ret->why = analysis_text(m, "%s (the last of %zu outages, with %u bad slots)", ret->why,
                                 c.n, c.last->bad_slots);
    if (analysis_cut_at(t->of) != SPAN_OPEN &&
        (end.hi == SPAN_OPEN || end.hi > analysis_cut_at(t->of) - m->s->stable_for.ns))
        target_cut_short(m, t, "not recovered for good until then", ret);
    if (c.gap_at_edge || !p->enough) {
        ret->verdict = VERDICT_INCONCLUSIVE;
        ret->why = c.gap_at_edge
                       ? "the prober itself stalled at an edge of the outage"
                       : analysis_text(m, "%u of %u slots are missing: the prober itself stalled",
                                       p->gaps, p->scheduled);
    }
}

static void recovery_judge(struct analysis_maker *m, const struct analysis_trial *t,
                           const struct analysis_probe *p, enum measured_from from,
                           struct analysis_target *ret)
{
    for (size_t w = 0; w < t->n_waves; w++) {
        struct analysis_target one = *ret;
        one.automatic = true;
        struct concern c = outages_of(t, p, w);
        recovery_of_wave(m, t, p, &t->waves[w], c, from, &one);
        if (c.left_out != 0)
            one.why = analysis_text(m, "%s; left out: %zu outage%s in a planned step", one.why,
                                    c.left_out, c.left_out == 1 ? " that lies" : "s that lie");
        if (t->n_waves > 1)
            one.why = analysis_text(m, "%s: %s", t->waves[w].faults, one.why);
        if (w == 0 || one.verdict > ret->verdict ||
            (one.verdict == ret->verdict && one.upper > ret->upper))
            *ret = one;
    }
}

static void judge(struct analysis_maker *m, const struct target_case *c,
                  struct analysis_target *ret)
{
    recovery_judge(m, c->t, &c->t->probes[c->probe], c->of->from, ret);
}

static void show(struct analysis_maker *m, const struct target_case *c, struct analysis_target *ret)
{
    const struct analysis_probe *p = &c->t->probes[c->probe];
    (void)m;
    if (!p->impacted && p->enough && p->missed_ns >= 0)
        ret->upper = target_seconds(p->missed_ns);
}

static double limit(const struct scenario_target *of)
{
    return target_seconds(of->within.ns);
}

static const char *from(const struct scenario_target *of)
{
    static const char *const words[] = {"fault", "impact", "heal"};
    return words[of->from];
}

static const char *nothing(const struct scenario_target *of)
{
    (void)of;
    return "without a fault there is nothing to recover from";
}

const struct target_judging target_recovery_time = {.most = INFINITY,
                                                    .limit = limit,
                                                    .from = from,
                                                    .judge = judge,
                                                    .show = show,
                                                    .nothing = nothing};
