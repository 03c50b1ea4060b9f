/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole trials against the plan that was stated before the first of them. */
#include "analysis/analysis_parts.h"
#include "analysis/sequential.h"

#include <math.h>
#include <string.h>

/* Whether the trial counts against the system: a target was missed, or what it waits for never
 * came. */
static bool missed(const struct analysis *a, const struct analysis_trial *t)
{
    if (t->verdict == VERDICT_FAIL)
        return true;
    for (size_t k = 0; k < a->n_summaries; k++)
        for (size_t i = 0; i < a->summaries[k].n; i++)
            if (a->summaries[k].values[i].trial == t->trial && a->summaries[k].values[i].censored)
                return true;
    return false;
}

static bool left_out(const struct analysis *a, const struct analysis_trial *t)
{
    for (size_t k = 0; k < a->n_summaries; k++)
        for (size_t i = 0; i < a->summaries[k].n_left_out; i++)
            if (a->summaries[k].left_out[i].trial == t->trial)
                return true;
    return false;
}

static void count(struct analysis_series *s, const struct analysis *a,
                  const struct analysis_trial *t)
{
    s->trial = t->trial;
    if (missed(a, t))
        s->misses++;
    else if (t->verdict == VERDICT_PASS && !left_out(a, t))
        s->passes++;
    else
        s->undecided++;
}

static void decide(const struct history_plan *p, struct analysis_series *s)
{
    const struct sequential_plan plan = {p->good, p->bad, p->alpha, p->beta};
    static const enum analysis_decision decisions[] = {[SEQUENTIAL_OPEN] = DECISION_OPEN,
                                                       [SEQUENTIAL_ACCEPT] = DECISION_ACCEPT,
                                                       [SEQUENTIAL_REJECT] = DECISION_REJECT};
    s->decision = decisions[sequential_decide(&plan, s->passes, s->misses)];
    if (s->decision == DECISION_OPEN &&
        (s->undecided > p->undecided || s->passes + s->misses + s->undecided >= p->at_most))
        s->decision = DECISION_CANNOT;
}

/* Rounded up: no less is said than is so. */
static double percent_up(double share)
{
    return ceil(1000 * share) / 10;
}

static void words(struct analysis_maker *m)
{
    const struct history_plan *p = &m->h->plan;
    const struct sequential_plan plan = {p->good, p->bad, p->alpha, p->beta};
    struct analysis_series *s = &m->a->series;
    uint32_t n = s->passes + s->misses;
    if (s->invalid)
        s->why = "the series is invalid, and the plan decides nothing";
    else if (s->decision == DECISION_ACCEPT)
        s->why = analysis_text(
            m,
            "accepted after trial %u: %u of %u passed; a system of which only %.4g %% of runs pass "
            "is accepted by this plan in %.1f %% of series",
            s->trial, s->passes, n, 100 * p->bad,
            percent_up(sequential_errors(&plan, p->at_most).beta));
    else if (s->decision == DECISION_REJECT)
        s->why = analysis_text(
            m,
            "rejected after trial %u: %u of %u missed; a system of which %.4g %% of runs pass is "
            "rejected by this plan in %.1f %% of series",
            s->trial, s->misses, n, 100 * p->good,
            percent_up(sequential_errors(&plan, p->at_most).alpha));
    else if (s->decision == DECISION_CANNOT && s->undecided > p->undecided)
        s->why = analysis_text(
            m, "not decided: %u trials were inconclusive or invalid, and the plan allows %u",
            s->undecided, p->undecided);
    else
        s->why = analysis_text(
            m, "not decided: %u of %u passed after %u trials%s", s->passes, n, n + s->undecided,
            s->decision == DECISION_CANNOT ? ", and the plan allows no more" : "");
}

/* What was missed is shown, and does not fail a series that was accepted with it. */
static void targets_accept(struct analysis_maker *m)
{
    struct analysis *a = m->a;
    for (size_t k = 0; k < a->n_targets; k++) {
        struct analysis_target *g = &a->targets[k];
        if (g->verdict <= VERDICT_PASS)
            continue;
        g->why = analysis_text(m, "trial %u: %s: %s; the series is accepted with it", g->trial,
                               verdict_word(g->verdict), g->why);
        g->verdict = VERDICT_PASS;
    }
}

/* A run that was ended before its end has its own reason. */
static void verdict_take(struct analysis_maker *m)
{
    struct analysis *a = m->a;
    const char *worst = a->why;
    if (a->series.invalid || m->h->aborted || m->h->error != NULL || !m->h->ended)
        return;
    a->why = a->series.why;
    if (a->series.decision == DECISION_OPEN && a->verdict > VERDICT_PASS && worst[0] != '\0')
        a->why = analysis_text(m, "%s; %s", a->series.why, worst);
    a->verdict = a->series.decision == DECISION_REJECT   ? VERDICT_FAIL
                 : a->series.decision == DECISION_ACCEPT ? VERDICT_PASS
                                                         : VERDICT_INCONCLUSIVE;
    if (a->series.decision == DECISION_ACCEPT)
        targets_accept(m);
}

void analysis_series(struct analysis_maker *m)
{
    struct analysis *a = m->a;
    struct analysis_series *s = &a->series;
    s->why = "";
    if (m->h->plan.at_most == 0 || m->h->no_fault)
        return;
    s->decision = DECISION_OPEN;
    for (size_t i = 0; i < a->n_trials && s->decision == DECISION_OPEN && !s->invalid; i++) {
        const struct analysis_trial *t = &a->trials[i];
        if (t->fault_free || t->stopped || t->of->outcome == NULL)
            continue;
        count(s, a, t);
        decide(&m->h->plan, s);
    }
    if (s->invalid)
        s->decision = DECISION_CANNOT;
    words(m);
    verdict_take(m);
}
