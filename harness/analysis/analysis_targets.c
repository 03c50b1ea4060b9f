/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Targets of one valid trial: an interval each, judged by its bounds. */
#include "analysis/analysis_target.h"

#include <math.h>
#include <string.h>

/* A line of targets.def with its judging. */
struct target_row {
    const char *measure;
    enum analysis_unit unit;
    enum analysis_side side;
    const struct target_judging *how;
};

#define TARGET(word, name, unit, side, doc) [TARGET_##word] = {#name, unit, side, &target_##name},
static const struct target_row rows[] = {
#include "scenario/targets.def"
};
#undef TARGET

double target_seconds(int64_t ns)
{
    return ns == SPAN_OPEN ? INFINITY : (double)ns / (double)NS_PER_SEC;
}

int64_t target_minus(int64_t hi, int64_t lo)
{
    if (hi == SPAN_OPEN)
        return SPAN_OPEN;
    return hi > lo ? hi - lo : 0;
}

void target_cut_short(struct analysis_maker *m, const struct analysis_trial *t, const char *so_far,
                      struct analysis_target *ret)
{
    if (ret->verdict == VERDICT_FAIL)
        return;
    ret->verdict = VERDICT_INCONCLUSIVE;
    ret->why = analysis_text(m, "%s; %s", analysis_cut_why(m, t->of), so_far);
}

bool target_is_cut(const struct analysis_trial *t, int64_t over_ns)
{
    int64_t cut = analysis_cut_at(t->of);
    return cut != SPAN_OPEN && (over_ns == 0 || t->waves[0].injected.hi + over_ns > cut);
}

bool target_expects_impact(const struct analysis_trial *t, const struct analysis_probe *p)
{
    bool elsewhere = false;
    for (size_t i = 0; i < t->n_probes; i++)
        elsewhere = elsewhere || (t->probes[i].impacted && strcmp(t->probes[i].name, p->name) == 0);
    return p->impact == IMPACT_EXPECTED && !elsewhere && !analysis_spared(t);
}

/* Listed in a dry trial only. */
static void signal_judge(const struct analysis_probe *p, struct analysis_target *ret)
{
    bool silent = p->detected.hi == SPAN_OPEN;
    ret->verdict = !silent ? VERDICT_INVALID : p->enough ? VERDICT_PASS : VERDICT_INCONCLUSIVE;
    ret->why = silent ? "the signal stayed silent" : "the signal came without any fault";
}

static void impact_judge(struct analysis_maker *m, const struct analysis_trial *t,
                         const struct analysis_probe *p, struct analysis_target *ret)
{
    char at[32] = "";
    bool dry = t->n_waves == 0;
    int64_t after = -1;
    for (size_t i = 0; i < p->n_outages && after < 0; i++)
        if (p->outages[i].wave >= 0)
            after = target_minus(p->outages[i].onset.hi, t->waves[p->outages[i].wave].injected.lo);
    char missed[32];
    if (p->signal) {
        signal_judge(p, ret);
    } else if (p->impacted && !dry) {
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
        ret->verdict = target_expects_impact(t, p) && !dry ? VERDICT_INVALID : VERDICT_PASS;
        ret->why =
            analysis_text(m, "no impact seen; an outage shorter than %s could have been missed",
                          analysis_time(p->missed_ns, missed));
    }
}

/* Not the probe's name alone: its vantages are told apart from run to run too. */
static const char *subject(const struct analysis_maker *m, const struct target_case *c)
{
    if (c->of->ledger != NULL)
        return c->of->ledger;
    if (c->of->probe != NULL && c->probe < m->s->n_probes)
        return scenario_probe_label(&m->s->probes[c->probe]);
    return c->of->probe != NULL ? c->of->probe : "";
}

const struct target_judging *target_judging_of(enum target_kind kind)
{
    return rows[kind].how;
}

void target_judge(struct analysis_maker *m, const struct analysis_trial *t,
                  const struct probe_slots *slots, const struct scenario_target *of,
                  struct analysis_target *ret)
{
    const struct target_row *row = &rows[of->kind];
    const struct target_judging *how = row->how;
    const struct target_case c = {.t = t,
                                  .slots = slots,
                                  .of = of,
                                  .probe = scenario_probe_find(m->s, of->probe, of->vantage)};
    *ret = (struct analysis_target){.measure = row->measure,
                                    .of = subject(m, &c),
                                    .vantage = of->vantage != NULL ? of->vantage : "",
                                    .from = how->from != NULL ? how->from(of) : "",
                                    .detail = how->detail != NULL ? how->detail(m, of) : "",
                                    .unit = row->unit,
                                    .side = row->side,
                                    .limit = how->limit(of),
                                    .lower = 0,
                                    .upper = how->most,
                                    .trial = t->trial,
                                    .automatic = true,
                                    .verdict = VERDICT_NOT_JUDGED,
                                    .why = "no fault was injected"};
    bool known = how->whole || c.probe < t->n_probes;
    if (t->n_waves == 0 && t->fault_free) {
        if (known)
            how->show(m, &c, ret);
        /* Beside it stands what the same measure says under the fault. */
        ret->verdict = VERDICT_NOT_JUDGED;
        ret->why = "no fault was injected: this is what was seen without one";
        return;
    }
    if (t->n_waves == 0 || t->waves[0].injected.lo == HISTORY_UNKNOWN ||
        t->waves[0].injected.hi == HISTORY_UNKNOWN)
        return;
    if (analysis_spared(t) && of->kind == TARGET_DETECTION) {
        ret->why = analysis_text(m, "%s: there was nothing to detect", t->waves[0].faults);
        return;
    }
    if (known) {
        how->judge(m, &c, ret);
        return;
    }
    ret->verdict = VERDICT_INCONCLUSIVE;
    ret->why = "the scenario has no such probe";
}

void analysis_targets(struct analysis_maker *m, struct analysis_trial *t,
                      const struct probe_slots *slots)
{
    t->targets = analysis_array(m, m->s->n_targets + m->s->n_probes, sizeof(*t->targets));
    for (size_t i = 0; t->targets != NULL && i < m->s->n_targets; i++) {
        target_judge(m, t, slots, &m->s->targets[i], &t->targets[t->n_targets++]);
    }
    for (size_t i = 0; t->targets != NULL && i < t->n_probes; i++) {
        const struct analysis_probe *p = &t->probes[i];
        if (p->impact == IMPACT_ALLOWED && t->n_waves != 0)
            continue;
        struct analysis_target *ret = &t->targets[t->n_targets++];
        *ret = (struct analysis_target){.measure = "impact",
                                        .of = p->label,
                                        .vantage = p->n_vantages > 1 ? p->from : "",
                                        .from = "",
                                        .detail = "",
                                        .unit = UNIT_SECONDS,
                                        .limit = NAN,
                                        .lower = NAN,
                                        .upper = NAN,
                                        .trial = t->trial,
                                        .automatic = true};
        impact_judge(m, t, p, ret);
    }
}
