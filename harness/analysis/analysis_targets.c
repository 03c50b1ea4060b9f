/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Targets of one valid trial: an interval each, judged by its bounds. */
#include "analysis/analysis_parts.h"

#include <math.h>
#include <string.h>

static double seconds(int64_t ns)
{
    return ns == SPAN_OPEN ? INFINITY : (double)ns / (double)NS_PER_SEC;
}

static int64_t at_least_zero(int64_t ns)
{
    return ns > 0 ? ns : 0;
}

static int64_t minus(int64_t hi, int64_t lo)
{
    return hi == SPAN_OPEN ? SPAN_OPEN : at_least_zero(hi - lo);
}

/* First and last outage that concern a wave; NULL when none does. */
struct concern {
    const struct analysis_outage *first, *last;
    size_t n;
    bool gap_at_edge;
};

static struct concern outages_of(const struct analysis_trial *t, const struct analysis_probe *p,
                                 size_t wave)
{
    struct concern c = {NULL, NULL, 0, false};
    int64_t from = t->waves[wave].injected.lo;
    int64_t next = wave + 1 < t->n_waves && t->waves[wave + 1].injected.lo != HISTORY_UNKNOWN
                       ? t->waves[wave + 1].injected.lo
                       : SPAN_OPEN;
    for (size_t i = 0; i < p->n_outages; i++) {
        const struct analysis_outage *o = &p->outages[i];
        if (o->wave < 0 || o->recovery.hi <= from || o->onset.hi >= next)
            continue;
        c.first = c.first == NULL ? o : c.first;
        c.last = o;
        c.n++;
        c.gap_at_edge = c.gap_at_edge || o->gap_at_edge;
    }
    return c;
}

static void no_impact(struct analysis_maker *m, const struct analysis_probe *p,
                      struct analysis_target *ret)
{
    char missed[32];
    ret->lower = 0;
    ret->upper = p->missed_ns >= 0 ? seconds(p->missed_ns) : INFINITY;
    if (!p->enough) {
        ret->verdict = VERDICT_INCONCLUSIVE;
        ret->why = analysis_text(m, "no impact seen, but %u of %u slots are missing", p->gaps,
                                 p->scheduled);
    } else if (p->impact == IMPACT_EXPECTED) {
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
    *ret = (struct span){at_least_zero(o->recovery.lo - w->undone.hi),
                         minus(o->recovery.hi, w->undone.lo)};
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

/* What the trial did not live to show is not known: a target that seems met may still have been
 * missed, while one that is missed stays so. */
static void cut_short(struct analysis_maker *m, const struct analysis_trial *t, const char *so_far,
                      struct analysis_target *ret)
{
    if (ret->verdict == VERDICT_FAIL)
        return;
    ret->verdict = VERDICT_INCONCLUSIVE;
    ret->why = analysis_text(m, "%s; %s", analysis_cut_why(m, t->of), so_far);
}

static void recovery_of_wave(struct analysis_maker *m, const struct analysis_trial *t,
                             const struct analysis_probe *p, size_t wave, enum measured_from from,
                             struct analysis_target *ret)
{
    const struct analysis_wave *w = &t->waves[wave];
    struct concern c = outages_of(t, p, wave);
    if (c.last == NULL) {
        no_impact(m, p, ret);
        if (analysis_cut_at(t->of) != SPAN_OPEN) {
            ret->upper = INFINITY;
            cut_short(m, t, "no impact was seen until then", ret);
        }
        return;
    }
    struct span end = censored(t, c.last->recovery);
    struct span s = {at_least_zero(end.lo - w->injected.hi), minus(end.hi, w->injected.lo)};
    if (from == FROM_IMPACT)
        s = (struct span){at_least_zero(end.lo - c.first->onset.hi),
                          minus(end.hi, c.first->onset.lo)};
    ret->automatic = c.last->automatic;
    if (from == FROM_HEAL && !from_heal(m, w, c.last, &s, ret))
        return;
    ret->lower = seconds(s.lo);
    ret->upper = seconds(s.hi);
    ret->verdict = verdict_at_most(ret->lower, ret->upper, ret->limit);
    recovery_words(m, c.last, ret);
    if (c.n > 1)
        ret->why = analysis_text(m, "%s (the last of %zu outages, with %u bad slots)", ret->why,
                                 c.n, c.last->bad_slots);
    if (analysis_cut_at(t->of) != SPAN_OPEN &&
        (end.hi == SPAN_OPEN || end.hi > analysis_cut_at(t->of) - m->s->stable_for.ns))
        cut_short(m, t, "not recovered for good until then", ret);
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
        recovery_of_wave(m, t, p, w, from, &one);
        if (t->n_waves > 1)
            one.why = analysis_text(m, "%s: %s", t->waves[w].faults, one.why);
        if (w == 0 || one.verdict > ret->verdict ||
            (one.verdict == ret->verdict && one.upper > ret->upper))
            *ret = one;
    }
}

static void availability_judge(struct analysis_maker *m, const struct analysis_trial *t,
                               const struct slot_range *r, int64_t until,
                               const struct scenario_target *of, struct analysis_target *ret)
{
    const struct span *in = &t->waves[0].injected;
    ret->lower = 1;
    ret->upper = 0;
    struct slot_count c = {0, 0, 0, 0, 0};
    bool missing = false;
    /* The window begins somewhere between command and verified reply: both ends are tried. */
    for (int i = 0; i < 2; i++) {
        int64_t from = i == 0 ? in->lo : in->hi;
        int64_t to = of->over.ns > 0 ? from + of->over.ns : SPAN_OPEN;
        c = analysis_slots_count(r, from, to, of->over.ns > 0 ? SPAN_OPEN : until);
        missing = missing || c.scheduled == 0 || (uint64_t)c.gaps * 100 > c.scheduled;
        if (c.scheduled == 0)
            continue;
        double lower = (double)c.good / c.scheduled;
        double upper = (double)(c.good + c.gaps) / c.scheduled;
        ret->lower = lower < ret->lower ? lower : ret->lower;
        ret->upper = upper > ret->upper ? upper : ret->upper;
    }
    ret->verdict = verdict_at_least(ret->lower, ret->upper, ret->limit);
    const char *side = ret->verdict == VERDICT_FAIL ? "upper bound" : "lower bound";
    double bound = ret->verdict == VERDICT_FAIL ? ret->upper : ret->lower;
    ret->why =
        analysis_text(m, "%s %.3f%% of %u slots, %s %.3f%%", side, bound * 100, c.scheduled,
                      ret->verdict == VERDICT_PASS ? "at least" : "against", ret->limit * 100);
    if (missing) {
        ret->verdict = VERDICT_INCONCLUSIVE;
        ret->why =
            analysis_text(m, "%u of %u slots of the window are missing", c.gaps, c.scheduled);
    }
}

struct analysis_share analysis_blast(const struct analysis_trial *t)
{
    uint64_t all = 0, hit = 0, unknown = 0;
    for (size_t i = 0; i < t->n_probes; i++) {
        const struct analysis_probe *p = &t->probes[i];
        all += p->weight;
        hit += p->impacted ? p->weight : 0;
        unknown += !p->impacted && !p->enough ? p->weight : 0;
    }
    if (all == 0)
        return (struct analysis_share){0, 1};
    return (struct analysis_share){(double)hit / (double)all,
                                   (double)(hit + unknown) / (double)all};
}

static void blast_judge(struct analysis_maker *m, const struct analysis_trial *t,
                        struct analysis_target *ret)
{
    struct analysis_share share = analysis_blast(t);
    ret->lower = share.lower;
    ret->upper = share.upper;
    ret->verdict = verdict_at_most(ret->lower, ret->upper, ret->limit);
    ret->why = analysis_text(m, "%.1f%% of the probes' weight was impacted, against at most %.1f%%",
                             ret->lower * 100, ret->limit * 100);
    if (ret->verdict == VERDICT_INCONCLUSIVE)
        ret->why = analysis_text(m, "between %.1f%% and %.1f%% of the probes' weight was impacted",
                                 ret->lower * 100, ret->upper * 100);
}

/* Without a fault nothing is judged, but what was seen is shown: beside it stands what the same
 * measure says under the fault. */
static void dry_show(struct analysis_maker *m, const struct analysis_trial *t,
                     const struct probe_slots *slots, size_t i, const struct scenario_target *of,
                     struct analysis_target *ret)
{
    if (of->kind == TARGET_BLAST) {
        blast_judge(m, t, ret);
    } else if (i < t->n_probes && of->kind == TARGET_RECOVERY) {
        const struct analysis_probe *p = &t->probes[i];
        bool quiet = !p->impacted && p->enough && p->missed_ns >= 0;
        ret->upper = quiet ? seconds(p->missed_ns) : INFINITY;
    } else if (i < t->n_probes) {
        struct slot_range r = analysis_range(m, i, &slots[i]);
        int64_t end = of->over.ns > 0 ? slots[i].from + of->over.ns : SPAN_OPEN;
        struct slot_count c = analysis_slots_count(
            &r, slots[i].from, end < slots[i].until ? end : slots[i].until, slots[i].until);
        if (c.scheduled != 0) {
            ret->lower = (double)c.good / c.scheduled;
            ret->upper = (double)(c.good + c.gaps) / c.scheduled;
        }
    }
    ret->verdict = VERDICT_NOT_JUDGED;
    ret->why = "no fault was injected: this is what was seen without one";
}

static void impact_judge(struct analysis_maker *m, const struct analysis_trial *t,
                         const struct analysis_probe *p, struct analysis_target *ret)
{
    char at[32] = "";
    bool dry = t->n_waves == 0;
    int64_t after = -1;
    for (size_t i = 0; i < p->n_outages && after < 0; i++)
        if (p->outages[i].wave >= 0)
            after = minus(p->outages[i].onset.hi, t->waves[p->outages[i].wave].injected.lo);
    char missed[32];
    if (p->impacted && !dry) {
        ret->verdict = p->impact == IMPACT_NONE ? VERDICT_FAIL : VERDICT_PASS;
        ret->why = after > 0 ? analysis_text(m, "first impact at most %s after the command",
                                             analysis_time(after, at))
                             : "it was bad already when the command was given";
    } else if (p->impacted) {
        ret->verdict = VERDICT_INVALID;
        ret->why = "impact without any fault";
    } else if (!p->enough) {
        ret->verdict = VERDICT_INCONCLUSIVE;
        ret->why = analysis_text(m, "no impact seen, but %u of %u slots are missing", p->gaps,
                                 p->scheduled);
    } else {
        ret->verdict = p->impact == IMPACT_EXPECTED && !dry ? VERDICT_INVALID : VERDICT_PASS;
        ret->why =
            analysis_text(m, "no impact seen; an outage shorter than %s could have been missed",
                          analysis_time(p->missed_ns, missed));
    }
}

/* Of what is counted over a time: nothing is known of what lies behind the cut. */
static void count_cut(struct analysis_maker *m, const struct analysis_trial *t,
                      const struct scenario_target *of, struct analysis_target *ret)
{
    int64_t cut = analysis_cut_at(t->of);
    bool all_seen = of->kind == TARGET_AVAILABILITY && of->over.ns > 0 &&
                    t->waves[0].injected.hi + of->over.ns <= cut;
    if (cut == SPAN_OPEN || all_seen)
        return;
    if (of->kind == TARGET_AVAILABILITY && ret->verdict != VERDICT_FAIL)
        ret->lower = 0;
    if (of->kind == TARGET_BLAST)
        ret->upper = 1;
    cut_short(m, t, "what would have come is not known", ret);
}

static size_t probe_index(const struct scenario *s, const char *name)
{
    for (size_t i = 0; name != NULL && i < s->n_probes; i++)
        if (strcmp(s->probes[i].name, name) == 0)
            return i;
    return s->n_probes;
}

static void target_judge(struct analysis_maker *m, const struct analysis_trial *t,
                         const struct probe_slots *slots, const struct scenario_target *of,
                         struct analysis_target *ret)
{
    static const char *const measures[] = {"recovery_time", "availability", "blast_radius"};
    static const char *const froms[] = {"fault", "impact", "heal"};
    size_t i = probe_index(m->s, of->probe);
    *ret = (struct analysis_target){.measure = measures[of->kind],
                                    .of = of->probe != NULL ? of->probe : "",
                                    .from = of->kind == TARGET_RECOVERY ? froms[of->from] : "",
                                    .unit = of->kind == TARGET_RECOVERY ? UNIT_SECONDS : UNIT_SHARE,
                                    .limit = of->kind == TARGET_RECOVERY ? seconds(of->within.ns)
                                                                         : of->limit.ppm / 1e6,
                                    .lower = 0,
                                    .upper = of->kind == TARGET_RECOVERY ? INFINITY : 1,
                                    .trial = t->trial,
                                    .automatic = true,
                                    .verdict = VERDICT_NOT_JUDGED,
                                    .why = "no fault was injected"};
    if (t->n_waves == 0 && t->fault_free) {
        dry_show(m, t, slots, i, of, ret);
        return;
    }
    if (t->n_waves == 0 || t->waves[0].injected.lo == HISTORY_UNKNOWN ||
        t->waves[0].injected.hi == HISTORY_UNKNOWN)
        return;
    if (of->kind == TARGET_BLAST) {
        blast_judge(m, t, ret);
        count_cut(m, t, of, ret);
    } else if (i == m->s->n_probes) {
        ret->verdict = VERDICT_INCONCLUSIVE;
        ret->why = "the scenario has no such probe";
    } else if (of->kind == TARGET_RECOVERY) {
        recovery_judge(m, t, &t->probes[i], of->from, ret);
    } else {
        struct slot_range r = analysis_range(m, i, &slots[i]);
        availability_judge(m, t, &r, slots[i].until, of, ret);
        count_cut(m, t, of, ret);
    }
}

void analysis_targets(struct analysis_maker *m, struct analysis_trial *t,
                      const struct probe_slots *slots)
{
    t->targets = analysis_array(m, m->s->n_targets + m->s->n_probes, sizeof(*t->targets));
    for (size_t i = 0; t->targets != NULL && i < m->s->n_targets; i++)
        target_judge(m, t, slots, &m->s->targets[i], &t->targets[t->n_targets++]);
    for (size_t i = 0; t->targets != NULL && i < t->n_probes; i++) {
        const struct analysis_probe *p = &t->probes[i];
        if (p->impact == IMPACT_ALLOWED && t->n_waves != 0)
            continue;
        struct analysis_target *ret = &t->targets[t->n_targets++];
        *ret = (struct analysis_target){.measure = "impact",
                                        .of = p->name,
                                        .from = "",
                                        .unit = UNIT_SECONDS,
                                        .limit = NAN,
                                        .lower = NAN,
                                        .upper = NAN,
                                        .trial = t->trial,
                                        .automatic = true};
        impact_judge(m, t, p, ret);
    }
}
