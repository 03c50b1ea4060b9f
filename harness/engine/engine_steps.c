/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps: one cursor for each list under way. */
#include "engine/engine_parts.h"

#include <stdio.h>

static const int64_t role_poll_ns = 200 * INT64_C(1000000);

static const struct scenario_step *step_of(const struct engine *e, const struct cursor *c)
{
    return e->plan->steps[c->step].step;
}

static struct cursor *cursor_new(struct engine *e, uint32_t step, uint32_t parent)
{
    for (size_t i = 0; i < CURSORS_MAX; i++)
        if (!e->cursors[i].used) {
            e->cursors[i] = (struct cursor){.used = true, .step = step, .parent = parent};
            return &e->cursors[i];
        }
    engine_abort(e, "error", "more than %d branches side by side", (int)CURSORS_MAX);
    return NULL;
}

void steps_begin(struct engine *e)
{
    if (e->plan->first != PLAN_NONE)
        (void)cursor_new(e, e->plan->first, PLAN_NONE);
}

void steps_drop(struct engine *e)
{
    memset(e->cursors, 0, sizeof(e->cursors));
}

bool steps_over(const struct engine *e)
{
    for (size_t i = 0; i < CURSORS_MAX; i++)
        if (e->cursors[i].used)
            return false;
    return true;
}

void step_next(struct engine *e, struct cursor *c, const char *how)
{
    engine_emit(e, ACTION_STEP, c->step, how);
    c->step = e->plan->steps[c->step].next;
    c->wait = CURSOR_READY;
}

/* What the step was waiting for did not come: the trial goes no further. */
void step_fail(struct engine *e, struct cursor *c, const char *why)
{
    if (e->options.hold && !c->failed && !inject_over(e)) {
        c->failed = true;
        (void)snprintf(c->why, sizeof(c->why), "%s", why);
        engine_begin_hold(e);
        return;
    }
    engine_explain(engine_emit(e, ACTION_STEP, c->step, "failed"), "%s", why);
    engine_stop_trial(e);
}

bool steps_spared(const struct engine *e)
{
    return e->refused && !e->went_out;
}

/* Without a fault nothing goes bad, no role moves, and no signal is given. */
static bool waits_for_harm(const struct engine *e, const struct scenario_step *s)
{
    size_t probe = s->probe != NULL ? watch_find(e, s->probe) : SIZE_MAX;
    return s->probe == NULL || !s->good ||
           (probe < e->scenario->n_probes && e->scenario->probes[probe].signal);
}

static void begin_wait_until(struct engine *e, struct cursor *c)
{
    const struct scenario_step *s = step_of(e, c);
    c->until = e->now + s->within.ns;
    if ((e->fault_free || steps_spared(e)) && waits_for_harm(e, s)) {
        step_next(e, c, "skipped");
        return;
    }
    c->wait = s->probe != NULL ? CURSOR_PROBE : CURSOR_ROLE_CHANGE;
    c->ask_ns = e->now;
}

static void begin_run(struct engine *e, struct cursor *c)
{
    if (e->fault_free || (steps_spared(e) && step_of(e, c)->recovery)) {
        step_next(e, c, "skipped");
        return;
    }
    c->wait = CURSOR_RUN;
    engine_emit(e, ACTION_RUN, c->step, NULL);
}

static void begin_parallel(struct engine *e, struct cursor *c)
{
    const struct plan_step *p = &e->plan->steps[c->step];
    uint32_t self = (uint32_t)(c - e->cursors);
    c->wait = CURSOR_CHILDREN;
    for (size_t b = 0; b < p->step->n_branches && !e->stopping; b++)
        if (p->first[b] != PLAN_NONE && cursor_new(e, p->first[b], self) != NULL)
            c->children++;
}

static void begin_heal(struct engine *e, struct cursor *c)
{
    inject_heal(e, e->plan->steps[c->step].heals);
    c->wait = CURSOR_GROUP;
    c->group = SIZE_MAX;
}

static void begin_step(struct engine *e, struct cursor *c)
{
    const struct scenario_step *s = step_of(e, c);
    c->since = e->now;
    c->checked = c->approved = c->refused = false;
    engine_emit(e, ACTION_STEP, c->step, "begin");
    switch (s->kind) {
    case STEP_WAIT:
        c->wait = CURSOR_TIME;
        c->until = e->now + s->length.ns;
        break;
    case STEP_WAIT_UNTIL:
        begin_wait_until(e, c);
        break;
    case STEP_RUN:
        begin_run(e, c);
        break;
    case STEP_RUNBOOK:
        runbook_begin(e, c);
        break;
    case STEP_PARALLEL:
        begin_parallel(e, c);
        break;
    case STEP_HEAL:
        begin_heal(e, c);
        break;
    case STEP_FAULT:
        inject_begin(e, c);
        break;
    }
}

static bool advance_probe(struct engine *e, struct cursor *c)
{
    const struct scenario_step *s = step_of(e, c);
    size_t probe = watch_find(e, s->probe);
    bool known = probe < e->scenario->n_probes;
    /* A signal says all by being there once. */
    int64_t length = known && e->scenario->probes[probe].signal ? 0 : e->scenario->stable_for.ns;
    bool met =
        known && (s->good ? watch_good(e, probe, c->since, length) : watch_bad(e, probe, c->since));
    if (met)
        step_next(e, c, "end");
    else if (e->now >= c->until)
        step_fail(e, c,
                  s->good ? "the probe did not become good within the limit"
                          : "the probe did not become bad within the limit");
    return met || e->stopping;
}

static size_t role_of(const struct engine *e, const char *name)
{
    size_t r = 0;
    while (r < e->scenario->n_roles && strcmp(e->scenario->roles[r].name, name) != 0)
        r++;
    return r;
}

static bool advance_role(struct engine *e, struct cursor *c)
{
    if (e->now >= c->until) {
        step_fail(e, c, "the role did not change within the limit");
        return e->stopping;
    }
    size_t r = role_of(e, step_of(e, c)->role);
    if (r < e->scenario->n_roles && e->now >= c->ask_ns && !e->roles[r].asking) {
        c->ask_ns = e->now + role_poll_ns;
        c->roles = 1u << r;
        role_ask(e, r);
    }
    return false;
}

/* All groups of the fault step that the cursor waits for, or heals. */
static bool groups_ended(const struct engine *e, const struct cursor *c)
{
    uint32_t step = c->group != SIZE_MAX ? c->step : e->plan->steps[c->step].heals;
    for (size_t g = 0; g < e->n_groups; g++)
        if ((step == PLAN_NONE || e->groups[g].step == step) && !e->groups[g].over)
            return false;
    return !unfold_pending(e, step);
}

/* True when the cursor went on. */
static bool advance_cursor(struct engine *e, struct cursor *c)
{
    bool go = false;
    if (c->failed) {
        step_fail(e, c, c->why);
        return true;
    }
    switch (c->wait) {
    case CURSOR_READY:
        begin_step(e, c);
        return true;
    case CURSOR_PROBE:
        return advance_probe(e, c);
    case CURSOR_ROLE_CHANGE:
        return advance_role(e, c);
    case CURSOR_TIME:
        go = e->now >= c->until;
        break;
    case CURSOR_GROUP:
        go = groups_ended(e, c);
        break;
    case CURSOR_CHILDREN:
        go = c->children == 0;
        break;
    case CURSOR_REFUSED:
        go = e->groups[c->group].over;
        break;
    case CURSOR_TAKES:
        if (e->now >= c->until)
            runbook_type(e, c);
        break;
    case CURSOR_APPROVAL:
        return admission_advance(e, c);
    case CURSOR_RUN:
    case CURSOR_CHECK:
    case CURSOR_UNFOLD:
        break;
    case CURSOR_SELECT:
    case CURSOR_PREPARE:
    case CURSOR_APPLY:
    case CURSOR_RECHECK:
        return inject_advance(e, c);
    }
    if (go)
        step_next(e, c, c->refused ? "refused" : "end");
    return go;
}

bool steps_advance(struct engine *e)
{
    bool went = false;
    for (size_t i = 0; i < CURSORS_MAX && !e->stopping && !e->holding; i++) {
        struct cursor *c = &e->cursors[i];
        if (!c->used)
            continue;
        if (c->step != PLAN_NONE) {
            went = advance_cursor(e, c) || went;
            continue;
        }
        c->used = false;
        if (c->parent != PLAN_NONE)
            e->cursors[c->parent].children--;
        went = true;
    }
    return went;
}

void steps_ran(struct engine *e, const struct event *event)
{
    for (size_t i = 0; i < CURSORS_MAX; i++) {
        struct cursor *c = &e->cursors[i];
        if (!c->used || c->wait != CURSOR_RUN || c->step != event->index)
            continue;
        if (step_of(e, c)->kind == STEP_RUNBOOK)
            runbook_ran(e, c, event);
        else if (event->ok)
            step_next(e, c, "end");
        else
            step_fail(e, c, event->text != NULL ? event->text : "the command failed");
    }
}

void steps_shift(struct engine *e, int64_t by)
{
    for (size_t i = 0; i < CURSORS_MAX; i++)
        e->cursors[i].until += by;
}

int64_t steps_deadline(const struct engine *e)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < CURSORS_MAX && !e->stopping && !e->holding; i++) {
        const struct cursor *c = &e->cursors[i];
        if (!c->used)
            continue;
        if (c->wait == CURSOR_TIME || c->wait == CURSOR_PROBE || c->wait == CURSOR_ROLE_CHANGE ||
            c->wait == CURSOR_APPROVAL || c->wait == CURSOR_TAKES)
            next = earlier(next, c->until);
        if (c->wait == CURSOR_ROLE_CHANGE || (c->wait == CURSOR_SELECT && c->ask_ns > e->now))
            next = earlier(next, c->ask_ns > e->now ? c->ask_ns : c->until);
        if (c->wait == CURSOR_SELECT)
            next = earlier(next, c->until);
    }
    return next;
}
