/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was planned, by the steps in the journal: when the faults of a trial without any would have
 * been there, and the steps that say so of themselves. */
#include "analysis/analysis_parts.h"

#include <string.h>

bool analysis_injects(const struct scenario *s)
{
    for (uint32_t number = 1;; number++) {
        const struct scenario_step *step = scenario_step_find(s, number);
        if (step == NULL || step->kind == STEP_FAULT)
            return step != NULL;
    }
}

/* A `step` line of this trial. */
struct step_event {
    int64_t t;
    const struct scenario_step *of; /* NULL: none that the scenario has */
    bool begin;
};

/* at: in the trial's events. */
static bool step_event_next(const struct analysis_maker *m, const struct analysis_trial *t,
                            size_t *at, struct step_event *ret)
{
    for (; *at < t->of->n_events; ++*at) {
        const struct history_event *e = &m->h->events[t->of->first_event + *at];
        if (strcmp(e->ev, "step") != 0)
            continue;
        json_int_t number = json_integer_value(json_object_get(e->members, "step"));
        const char *state = json_string_value(json_object_get(e->members, "state"));
        *ret = (struct step_event){.t = e->t,
                                   .of = number > 0 ? scenario_step_find(m->s, (uint32_t)number)
                                                    : NULL,
                                   .begin = state != NULL && strcmp(state, "begin") == 0};
        ++*at;
        return true;
    }
    return false;
}

/* What heals a fault that has no length: a heal, or the end of the steps. */
static int64_t healed_at(const struct analysis_maker *m, const struct analysis_trial *t, size_t at,
                         const struct step_event *fault)
{
    struct step_event e;
    int64_t last = fault->t;
    while (step_event_next(m, t, &at, &e)) {
        bool heals = e.begin && e.of != NULL && e.of->kind == STEP_HEAL;
        if (heals && (e.of->name == NULL ||
                      (fault->of->name != NULL && strcmp(e.of->name, fault->of->name) == 0)))
            return e.t;
        last = e.t;
    }
    return last;
}

/* When the step was over; not before `otherwise`, which it is where the journal ends first. */
static int64_t step_over(const struct analysis_maker *m, const struct analysis_trial *t, size_t at,
                         const struct scenario_step *step, int64_t otherwise)
{
    struct step_event e;
    while (step_event_next(m, t, &at, &e))
        if (e.of == step && !e.begin)
            return e.t > otherwise ? e.t : otherwise;
    return otherwise;
}

/* From the first of its injections to the end of the last. The step's own time has passed without a
 * fault as it would have with one: what it asks is waited for, then its waves go out, and with
 * `wait_end` the fault's length. */
static struct span fault_span(const struct analysis_maker *m, const struct analysis_trial *t,
                              size_t at, const struct step_event *fault)
{
    const struct scenario_step *s = fault->of;
    int64_t asked = fault->t + approval_wait_ns(&s->approval);
    if (s->approval.by != NULL && !approval_given(&s->approval))
        return (struct span){asked, asked};
    bool moment = s->fault != NULL && s->fault->lifetime == LIFETIME_INSTANT;
    int64_t over = step_over(m, t, at, s, asked);
    if (s->length.ns > 0)
        return (struct span){asked, s->wait_end && over > asked ? over : over + s->length.ns};
    return (struct span){asked, moment ? over : healed_at(m, t, at, fault)};
}

/* A scenario that injects nothing acts by its steps. */
static struct span steps_span(const struct analysis_maker *m, const struct analysis_trial *t)
{
    const struct history_trial *of = t->of;
    int64_t end = of->until_ns != HISTORY_UNKNOWN ? of->until_ns
                  : of->end_ns != HISTORY_UNKNOWN ? of->end_ns
                                                  : m->h->end_ns;
    struct span ret = {of->steady_known ? of->steady_ns : of->start_ns, end};
    struct step_event e;
    bool any = false;
    for (size_t at = 0; step_event_next(m, t, &at, &e); any = true)
        ret = (struct span){any ? ret.lo : e.t, e.t};
    return ret;
}

struct analysis_wave analysis_planned(const struct analysis_maker *m,
                                      const struct analysis_trial *t)
{
    struct span all = steps_span(m, t), faults = {HISTORY_UNKNOWN, HISTORY_UNKNOWN};
    struct step_event e;
    for (size_t at = 0; step_event_next(m, t, &at, &e);) {
        if (!e.begin || e.of == NULL || e.of->kind != STEP_FAULT)
            continue;
        struct span one = fault_span(m, t, at, &e);
        faults.lo = faults.lo == HISTORY_UNKNOWN || one.lo < faults.lo ? one.lo : faults.lo;
        faults.hi = one.hi > faults.hi ? one.hi : faults.hi;
    }
    const struct span *is = faults.lo != HISTORY_UNKNOWN ? &faults : &all;
    return (struct analysis_wave){.faults = "nothing",
                                  .n_groups = 1,
                                  .injected = {is->lo, is->lo},
                                  .undone = {is->hi, is->hi},
                                  .proven = true,
                                  .why = ""};
}

/* Steps that are planned, one behind the other or side by side, with no other between them. */
struct planned_steps {
    struct span when;
    uint32_t under_way;
    bool any;
};

static void planned_add(struct planned_steps *p, const struct step_event *e)
{
    if (e->begin && !p->any)
        *p = (struct planned_steps){.when.lo = e->t, .any = true};
    if (e->begin)
        p->under_way++;
    else if (p->under_way > 0)
        p->under_way--;
    p->when.hi = e->t;
}

static bool planned_holds(const struct planned_steps *p, const struct analysis_outage *o)
{
    return p->any && p->under_way == 0 && o->onset.lo >= p->when.lo && o->recovery.hi <= p->when.hi;
}

bool analysis_in_planned(const struct analysis_maker *m, const struct analysis_trial *t,
                         const struct analysis_outage *o)
{
    struct planned_steps p = {.any = false};
    struct step_event e;
    bool in = false;
    for (size_t at = 0; o->recovered && !in && step_event_next(m, t, &at, &e);) {
        if (e.of != NULL && e.of->planned) {
            planned_add(&p, &e);
        } else if (p.under_way == 0) {
            in = planned_holds(&p, o);
            p.any = false;
        }
    }
    return in || (o->recovered && planned_holds(&p, o));
}
