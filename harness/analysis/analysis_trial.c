/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One trial: whether it may be judged at all, and its verdict. */
#include "analysis/analysis_parts.h"

#include <stdlib.h>
#include <string.h>

static const char journal_ends[] = "the journal ends before the run does";

static const char *baseline_bad(struct analysis_maker *m, const struct analysis_trial *t,
                                const struct probe_slots *slots)
{
    if (t->of->steady_known && !t->of->steady_held)
        return analysis_text(m, "the baseline was already bad%s%s; nothing was injected",
                             t->of->steady_why != NULL ? ": " : "",
                             t->of->steady_why != NULL ? t->of->steady_why : "");
    size_t i = 0;
    while (i < t->n_probes && (slots[i].bad_before == 0 || t->n_waves == 0))
        i++;
    if (i == t->n_probes)
        return NULL;
    if (t->probes[i].signal)
        return analysis_text(m, "the signal %s was there before the fault", t->probes[i].label);
    return analysis_text(m, "the baseline was bad: %s failed %u times before the fault",
                         t->probes[i].label, slots[i].bad_before);
}

/* "step 2 failed: ..."; the number is for those who have the file before them. */
static const char *step_failed(struct analysis_maker *m, const struct history_trial *of)
{
    if (of->failed_number == HISTORY_UNKNOWN)
        return analysis_text(m, "a step failed: %s", of->failed_step);
    return analysis_text(m, "step %lld failed: %s", (long long)of->failed_number, of->failed_step);
}

static const char *aborted(struct analysis_maker *m, const struct history_trial *of)
{
    return analysis_text(m, "aborted (%s)%s%s", of->abort_why, of->abort_what != NULL ? ": " : "",
                         of->abort_what != NULL ? of->abort_what : "");
}

int64_t analysis_cut_at(const struct history_trial *of)
{
    if (of->failed_step != NULL && (of->abort_why == NULL || of->failed_ns < of->abort_ns))
        return of->failed_ns;
    return of->abort_why != NULL ? of->abort_ns : SPAN_OPEN;
}

const char *analysis_cut_why(struct analysis_maker *m, const struct history_trial *of)
{
    return of->abort_why != NULL ? aborted(m, of) : step_failed(m, of);
}

const char *analysis_invalid(struct analysis_maker *m, const struct analysis_trial *t)
{
    for (size_t i = 0; i < t->of->n_roles; i++) {
        const struct history_role *r = &t->of->roles[i];
        if (strcmp(r->when, "after-apply") == 0 && !r->ok)
            return analysis_text(
                m,
                "the role %s had moved when the fault was active: it hit another host than meant",
                r->role);
    }
    for (size_t w = 0; w < t->n_waves; w++)
        if (!t->waves[w].proven)
            return analysis_text(m, "the fault is not proven: %s", t->waves[w].why);
    if (t->n_waves == 0 && !t->fault_free && t->of->abort_why == NULL && t->of->outcome != NULL &&
        analysis_injects(m->s))
        return t->of->failed_step == NULL
                   ? "no fault was injected"
                   : analysis_text(m, "%s; no fault was injected", step_failed(m, t->of));
    return NULL;
}

static void targets_overrule(struct analysis_trial *t, enum verdict v, const char *why)
{
    t->verdict = v;
    t->why = why;
    for (size_t i = 0; i < t->n_targets; i++) {
        t->targets[i].verdict = v;
        t->targets[i].why = why;
    }
}

/* Nothing of it counts. */
static void trial_drop(struct analysis_trial *t, enum verdict v, const char *why)
{
    targets_overrule(t, v, why);
    analysis_symptoms_drop(t, why);
}

static void worse(struct analysis_trial *t, enum verdict v, const char *why)
{
    if (v > t->verdict) {
        t->verdict = v;
        t->why = why;
    }
}

static const char *guard_fired(struct analysis_maker *m, const struct history_trial *of)
{
    const char *what = of->guard_what;
    return analysis_text(m, "the guard on %s fired%s%s", of->guard_probe, what != NULL ? ": " : "",
                         what != NULL ? what : "");
}

static void trial_sum(struct analysis_maker *m, struct analysis_trial *t)
{
    t->verdict = VERDICT_PASS;
    t->why = t->n_waves != 0 ? "every target was met" : "no fault was injected; no impact seen";
    if (analysis_spared(t))
        t->why = analysis_text(m, "every target was met; %s", t->waves[0].faults);
    /* First, since what targets could not show then is a consequence. */
    if (t->of->abort_why != NULL)
        worse(t, VERDICT_INCONCLUSIVE, aborted(m, t->of));
    enum verdict v = VERDICT_NOT_JUDGED;
    const char *dry = analysis_symptoms_dry(m, t, &v);
    if (dry != NULL)
        worse(t, v, dry);
    for (size_t i = 0; i < t->n_targets; i++) {
        const struct analysis_target *g = &t->targets[i];
        if (g->verdict > t->verdict)
            worse(t, g->verdict,
                  analysis_text(m, "%s%s%s: %s", g->measure, g->of[0] != '\0' ? " of " : "", g->of,
                                g->why));
    }
    const char *stalled = t->n_waves != 0 ? analysis_stalled(m, t) : NULL;
    if (stalled != NULL)
        worse(t, VERDICT_INCONCLUSIVE, stalled);
    if (t->of->guard_probe != NULL)
        worse(t, VERDICT_FAIL, guard_fired(m, t->of));
    if (t->of->failed_step != NULL)
        worse(t, VERDICT_INCONCLUSIVE, step_failed(m, t->of));
    if (t->of->outcome == NULL)
        worse(t, VERDICT_INCONCLUSIVE, m->h->error != NULL ? m->h->error : journal_ends);
}

/* Its proof may have been on its way. */
static bool cut_off(const struct analysis_maker *m, const struct analysis_trial *t)
{
    return (!m->h->ended || m->h->error != NULL) && t->of->outcome == NULL &&
           t->of->abort_why == NULL;
}

static bool proven(const struct analysis_trial *t)
{
    for (size_t w = 0; w < t->n_waves; w++)
        if (!t->waves[w].proven)
            return false;
    return true;
}

/* "host n1 died": what was on it, or known by its agent, its fault's proof too, went with it. */
static const char *proof_lost(struct analysis_maker *m, const struct history_trial *of)
{
    const char *why = of->abort_why != NULL ? of->abort_why : "";
    const char *what = of->abort_what != NULL ? of->abort_what : "";
    if (strcmp(why, "host died") == 0)
        return analysis_text(m, "%s before the fault was proven", what[0] != '\0' ? what : why);
    if (strcmp(why, "agent lost") == 0)
        return analysis_text(m, "agent lost before the fault was proven: %s", what);
    return NULL;
}

/* In the words of whoever stopped it, which are those of a run stopped before its first trial. */
static const char *stopped_by(const struct history_trial *of)
{
    bool told = of->abort_what != NULL && of->abort_what[0] != '\0';
    return told ? of->abort_what : "stopped by the person";
}

/* Why nothing of the trial counts, and as what; NULL: it does. */
static const char *dropped(struct analysis_maker *m, const struct analysis_trial *t,
                           const struct probe_slots *slots, enum verdict *ret_verdict)
{
    *ret_verdict = VERDICT_INVALID;
    const char *why = baseline_bad(m, t, slots);
    if (why != NULL)
        return why;
    *ret_verdict = VERDICT_INCONCLUSIVE;
    if (t->stopped)
        return stopped_by(t->of);
    if (cut_off(m, t) && !proven(t))
        return m->h->error != NULL ? m->h->error : journal_ends;
    const char *lost = proof_lost(m, t->of);
    if (lost != NULL && !proven(t))
        return lost;
    *ret_verdict = VERDICT_INVALID;
    return analysis_invalid(m, t);
}

static void trial_judge(struct analysis_maker *m, struct analysis_trial *t,
                        const struct probe_slots *slots)
{
    enum verdict v;
    analysis_targets(m, t, slots);
    analysis_symptoms(m, t, slots);
    const char *why = dropped(m, t, slots, &v);
    if (why != NULL) {
        trial_drop(t, v, why);
        return;
    }
    why = analysis_symptoms_lack(m, t, &v);
    if (why != NULL)
        targets_overrule(t, v, why);
    else
        trial_sum(m, t);
}

void analysis_trial(struct analysis_maker *m, const struct history_trial *of,
                    struct analysis_trial *ret)
{
    *ret = (struct analysis_trial){.trial = of->trial,
                                   .fault_free = of->fault_free || m->h->no_fault,
                                   .stopped = history_trial_stopped(of),
                                   .of = of,
                                   .why = "",
                                   .start_ns = of->start_ns,
                                   .end_ns = of->end_ns};
    analysis_admissions(m, ret);
    analysis_waves(m, ret);
    ret->probes = analysis_array(m, m->s->n_probes, sizeof(*ret->probes));
    struct probe_slots *slots = calloc(m->s->n_probes + 1, sizeof(*slots));
    if (ret->probes == NULL || slots == NULL) {
        m->no_memory = true;
        free(slots);
        return;
    }
    for (size_t i = 0; i < m->s->n_probes; i++, ret->n_probes++)
        analysis_probe(m, ret, i, &slots[i]);
    analysis_rollouts(m, ret);
    analysis_ledgers(m, ret);
    analysis_loads(m, ret);
    if (!m->no_memory && !m->failed) {
        analysis_matrix(m, ret, slots);
        analysis_health(m, ret, slots);
        struct analysis_share lost = analysis_outage_seconds(m, ret, slots, ret->n_probes, 0);
        ret->outage_lower = lost.lower;
        ret->outage_upper = lost.upper;
    }
    if (!m->no_memory && !m->failed)
        trial_judge(m, ret, slots);
    for (size_t i = 0; i < m->s->n_probes; i++)
        free(slots[i].slots);
    free(slots);
}
