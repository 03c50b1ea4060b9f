/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps that unfold into groups that follow each other: waves over the hosts, each after a bake and
 * through a gate, and phases in time, on and off. Between two groups nothing is open or only the
 * earlier waves are.
 */
#include "engine/engine_parts.h"

#include <stdio.h>

static const int64_t gate_grace_ns = INT64_C(1000000000);

static const struct scenario_step *step_at(const struct engine *e, size_t step)
{
    return e->plan->steps[step].step;
}

bool unfold_is(const struct engine *e, size_t step)
{
    const struct scenario_step *s = step_at(e, step);
    return s->kind == STEP_FAULT && (waves_given(&s->waves) || s->flap.on.ns > 0);
}

static bool is_pending(const struct engine *e, size_t step)
{
    return e->unfolds[step].used && !e->unfolds[step].over;
}

bool unfold_pending(const struct engine *e, uint32_t step)
{
    for (size_t i = 0; i < e->plan->n_steps; i++)
        if ((step == PLAN_NONE || step == i) && is_pending(e, i))
            return true;
    return false;
}

void unfold_drop(struct engine *e)
{
    for (size_t i = 0; i < PLAN_STEPS_MAX; i++)
        if (e->unfolds[i].used)
            plan_injections_free(&e->unfolds[i].list);
    memset(e->unfolds, 0, sizeof(e->unfolds));
}

static void say(struct engine *e, size_t step, const char *what, const char *why)
{
    struct action *a = engine_emit(e, ACTION_ROLLOUT, step, what);
    a->host = e->unfolds[step].next;
    if (why != NULL)
        engine_explain(a, "%s", why);
}

static void next_wave(struct engine *e, size_t step, struct cursor *c)
{
    struct unfold *u = &e->unfolds[step];
    const struct plan_injection *first = &u->list.list[u->listed];
    size_t n = 0;
    while (u->listed + n < u->list.n && first[n].wave == first->wave)
        n++;
    u->next++;
    u->listed += n;
    u->at_ns = INT64_MAX;
    say(e, step, "wave", NULL);
    (void)inject_group(e, c,
                       &(struct group_of){.step = step, .list = first, .n = n, .wave = u->next});
    u->group = e->n_groups - 1;
}

static void next_phase(struct engine *e, size_t step, struct cursor *c)
{
    struct unfold *u = &e->unfolds[step];
    int64_t on = plan_phase(e->plan, step, e->trial, u->next).on_ns;
    int64_t left = u->ends_ns != INT64_MAX ? u->ends_ns - e->now : step_at(e, step)->length.ns;
    u->next++;
    u->at_ns = INT64_MAX;
    (void)inject_group(e, c,
                       &(struct group_of){.step = step,
                                          .list = u->list.list,
                                          .n = u->list.n,
                                          .phase = u->next,
                                          .for_ns = on < left ? on : left});
    u->group = e->n_groups - 1;
}

static void next_group(struct engine *e, size_t step, struct cursor *c)
{
    if (waves_given(&step_at(e, step)->waves))
        next_wave(e, step, c);
    else
        next_phase(e, step, c);
}

void unfold_begin(struct engine *e, struct cursor *c, struct plan_injections *list)
{
    e->unfolds[c->step] = (struct unfold){.used = true, .list = *list, .ends_ns = INT64_MAX};
    *list = (struct plan_injections){0};
    next_group(e, c->step, c);
}

/* The cursor that rolls the waves out; NULL when it waits for something else. */
static struct cursor *roller(struct engine *e, size_t step)
{
    for (size_t i = 0; i < CURSORS_MAX; i++)
        if (e->cursors[i].used && e->cursors[i].step == step && e->cursors[i].wait == CURSOR_UNFOLD)
            return &e->cursors[i];
    return NULL;
}

static void step_goes_on(struct engine *e, struct cursor *c)
{
    if (step_at(e, c->step)->wait_end)
        c->wait = CURSOR_GROUP;
    else
        step_next(e, c, "end");
}

static void group_ends(struct engine *e, struct group *g, int64_t at)
{
    g->ends_ns = at;
    for (size_t i = g->first; i < g->first + g->n; i++)
        e->injections[i].ends_ns = at;
}

/* No other wave follows: those that are on end together. */
static void waves_end(struct engine *e, size_t step, int64_t since, const char *what,
                      const char *why)
{
    int64_t length = step_at(e, step)->length.ns;
    struct cursor *c = roller(e, step);
    e->unfolds[step].over = true;
    say(e, step, what, why);
    for (size_t g = 0; g < e->n_groups && length > 0; g++)
        if (e->groups[g].step == step)
            group_ends(e, &e->groups[g], since + length);
    if (strcmp(what, "healed") == 0)
        inject_heal(e, (uint32_t)step);
    else if (c != NULL)
        step_goes_on(e, c);
}

void unfold_on(struct engine *e, size_t step, struct cursor *c)
{
    struct unfold *u = &e->unfolds[step];
    const struct scenario_step *s = step_at(e, step);
    int64_t active = e->groups[u->group].active_ns;
    if (waves_given(&s->waves)) {
        c->wait = CURSOR_UNFOLD;
        u->at_ns = active + s->waves.bake.ns;
        if (u->next == u->list.n_waves)
            waves_end(e, step, active, "done", NULL);
        return;
    }
    if (u->ends_ns == INT64_MAX)
        u->ends_ns = active + s->length.ns;
    if (e->groups[u->group].ends_ns > u->ends_ns)
        group_ends(e, &e->groups[u->group], u->ends_ns);
    if (c != NULL)
        step_goes_on(e, c);
}

void unfold_refused(struct engine *e, size_t step, struct cursor *c, const char *why)
{
    struct unfold *u = &e->unfolds[step];
    const struct scenario_step *s = step_at(e, step);
    if (!waves_given(&s->waves)) {
        u->over = true;
        return;
    }
    u->next--; /* the refused wave did not begin */
    bool heals = s->waves.heal != 0 && u->next != 0;
    waves_end(e, step, e->now, heals ? "healed" : u->next != 0 ? "stopped" : "refused", why);
    if (c != NULL && u->next != 0 && (heals || s->wait_end))
        c->wait = CURSOR_GROUP;
}

void unfold_heal(struct engine *e, uint32_t step)
{
    for (size_t i = 0; i < e->plan->n_steps; i++) {
        if ((step != PLAN_NONE && step != i) || !is_pending(e, i))
            continue;
        e->unfolds[i].over = true;
        if (waves_given(&step_at(e, i)->waves))
            say(e, i, "ended", "the trial or a heal ended it");
    }
}

enum gate { GATE_WAITS, GATE_OPEN, GATE_SHUT };

/* Judged by the slots that were due in the last part of the bake, when all of them are known. */
static enum gate gate_look(const struct engine *e, size_t step, char *why, size_t size)
{
    const struct scenario_waves *w = &step_at(e, step)->waves;
    size_t probe = w->probe != NULL ? watch_find(e, w->probe) : e->scenario->n_probes;
    if (probe == e->scenario->n_probes)
        return GATE_OPEN;
    const struct probe_watch *p = &e->probes[probe];
    int64_t end = e->unfolds[step].at_ns;
    int64_t from = end - (w->last.ns > 0 ? w->last.ns : w->bake.ns);
    bool as_meant = p->seen && p->good == w->good;
    int64_t against = as_meant ? p->before_ns : p->last_ns;
    if (p->seen && against >= from) {
        char got[64];
        watch_explain(e, probe, got, sizeof(got));
        (void)snprintf(why, size, "%s was %s%s", w->probe, w->good ? "bad" : "good",
                       w->good ? got : "");
        return GATE_SHUT;
    }
    if (as_meant && p->last_ns >= end)
        return GATE_OPEN;
    const struct scenario_probe *of = &e->scenario->probes[probe];
    if (e->now < end + of->every.ns + of->timeout.ns + gate_grace_ns)
        return GATE_WAITS;
    (void)snprintf(why, size, "%s was not measured to the end of the bake", w->probe);
    return GATE_SHUT;
}

static void tick_waves(struct engine *e, size_t step)
{
    char why[160];
    struct cursor *c = roller(e, step);
    if (c == NULL || e->now < e->unfolds[step].at_ns)
        return;
    enum gate gate = gate_look(e, step, why, sizeof(why));
    if (gate == GATE_OPEN)
        next_wave(e, step, c);
    else if (gate == GATE_SHUT)
        waves_end(e, step, e->now, step_at(e, step)->waves.heal != 0 ? "healed" : "stopped", why);
}

static void tick_phases(struct engine *e, size_t step)
{
    struct unfold *u = &e->unfolds[step];
    if (!e->groups[u->group].over)
        return;
    if (u->at_ns == INT64_MAX) {
        u->at_ns = e->now + plan_phase(e->plan, step, e->trial, u->next - 1).off_ns;
        if (u->at_ns + plan_phase(e->plan, step, e->trial, u->next).on_ns / 2 > u->ends_ns)
            u->over = true;
    }
    if (!u->over && e->now >= u->at_ns)
        next_phase(e, step, NULL);
}

void unfold_tick(struct engine *e)
{
    for (size_t i = 0; i < e->plan->n_steps && !e->holding && !e->stopping; i++) {
        if (!is_pending(e, i))
            continue;
        if (waves_given(&step_at(e, i)->waves))
            tick_waves(e, i);
        else
            tick_phases(e, i);
    }
}

void unfold_shift(struct engine *e, int64_t by)
{
    for (size_t i = 0; i < e->plan->n_steps; i++) {
        struct unfold *u = &e->unfolds[i];
        if (u->at_ns != INT64_MAX)
            u->at_ns += by;
        if (u->ends_ns != INT64_MAX)
            u->ends_ns += by;
    }
}

int64_t unfold_deadline(const struct engine *e)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < e->plan->n_steps && !e->holding && !e->stopping; i++) {
        int64_t at = e->unfolds[i].at_ns;
        if (!is_pending(e, i) || at == INT64_MAX)
            continue;
        const struct scenario_waves *w = &step_at(e, i)->waves;
        size_t probe = w->probe != NULL ? watch_find(e, w->probe) : e->scenario->n_probes;
        /* Behind the bake only samples and the last moment to wait for them matter. */
        if (e->now >= at && probe < e->scenario->n_probes)
            at += e->scenario->probes[probe].every.ns + e->scenario->probes[probe].timeout.ns +
                  gate_grace_ns;
        next = earlier(next, at);
    }
    return next;
}

const struct plan_injections *engine_rollout(const struct engine *e, size_t step,
                                             uint32_t *ret_begun)
{
    *ret_begun = e->unfolds[step].next;
    return &e->unfolds[step].list;
}
