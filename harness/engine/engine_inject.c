/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Groups of injections: roles are asked, all are prepared, then all applied, roles asked again;
 * losing one reverts all. An instant fault stays open until what it ended is back.
 */
#include "engine/engine_parts.h"

#include <stdlib.h>

static const int64_t evidence_first_ns = 250 * INT64_C(1000000);
static const int64_t evidence_every_ns = INT64_C(1000000000);

static bool is_open(const struct engine_injection *i)
{
    return i->state != INJECTION_NEW && i->state != INJECTION_OVER;
}

static bool holds_lease(const struct engine_injection *i)
{
    return i->state >= INJECTION_PREPARED && i->state <= INJECTION_ACTIVE;
}

/* Can anything on that host come back by itself? */
static bool host_restarts(const struct engine *e, size_t host)
{
    const struct lab_spec *lab = e->scenario->lab;
    for (size_t s = 0; lab != NULL && s < lab->n_services; s++)
        for (size_t h = 0; h < lab->services[s].n_hosts; h++)
            if (lab->services[s].restart != RESTART_NEVER &&
                strcmp(lab->services[s].hosts[h], e->plan->hosts[host].name) == 0)
                return true;
    return false;
}

/* What is over as soon as it is done leaves nothing to be removed: to heal it is to start what did
 * not come back, and a service's own restart policy has its chance first, until recovery was seen
 * or the observation is over. */
static bool is_left_alone(const struct engine *e, const struct engine_injection *i)
{
    bool planned = e->groups[i->group].ends_ns != INT64_MAX && !e->stopping;
    return i->state == INJECTION_ACTIVE && !planned && !e->hurry && !e->chance_over &&
           e->plan->steps[i->step].step->fault->lifetime == LIFETIME_INSTANT &&
           host_restarts(e, i->host);
}

bool inject_waits(const struct engine *e)
{
    for (size_t i = 0; i < e->n_injections; i++)
        if (is_open(&e->injections[i]) && !is_left_alone(e, &e->injections[i]))
            return true;
    return false;
}

bool inject_holds(const struct engine *e)
{
    for (size_t i = 0; i < e->n_injections; i++)
        if (e->injections[i].state == INJECTION_ACTIVE && !is_left_alone(e, &e->injections[i]))
            return true;
    return false;
}

size_t inject_count_open(const struct engine *e)
{
    size_t n = 0;
    for (size_t i = 0; i < e->n_injections; i++)
        n += is_open(&e->injections[i]);
    return n;
}

bool inject_over(const struct engine *e)
{
    return inject_count_open(e) == 0;
}

void inject_drop(struct engine *e)
{
    for (size_t i = 0; i < e->n_injections; i++)
        free(e->injections[i].args);
    e->n_injections = 0;
    e->n_groups = 0;
    unfold_drop(e);
}

static bool all_in(const struct engine *e, const struct group *g, enum injection_state state)
{
    for (size_t i = g->first; i < g->first + g->n; i++)
        if (e->injections[i].state != state)
            return false;
    return true;
}

static bool any_in(const struct engine *e, const struct group *g, enum injection_state state)
{
    for (size_t i = g->first; i < g->first + g->n; i++)
        if (e->injections[i].state == state)
            return true;
    return false;
}

void inject_go_on(struct engine *e, struct cursor *c)
{
    if (e->options.hold && !e->held)
        engine_begin_hold(e);
    if (unfold_is(e, c->step))
        unfold_on(e, c->step, c);
    else if (e->plan->steps[c->step].step->wait_end)
        c->wait = CURSOR_GROUP;
    else
        step_next(e, c, "end");
}

/* The roles are asked again once: later waves and phases are what the first was meant to be. */
static void group_is_on(struct engine *e, const struct group *g, struct cursor *c)
{
    if (c == NULL) {
        unfold_on(e, g->step, NULL);
        return;
    }
    c->roles = g->wave > 1 ? 0 : c->recheck;
    c->fresh_ns = e->now;
    c->wait = CURSOR_RECHECK;
    if (c->roles != 0)
        roles_ask(e, c);
    else
        inject_go_on(e, c);
}

static void group_active(struct engine *e, struct group *g)
{
    g->active = true;
    for (size_t i = g->first; i < g->first + g->n; i++)
        if (e->injections[i].active_ns > g->active_ns)
            g->active_ns = e->injections[i].active_ns;
    if (g->for_ns > 0)
        g->ends_ns = g->active_ns + g->for_ns;
    for (size_t i = g->first; i < g->first + g->n; i++)
        e->injections[i].ends_ns = g->ends_ns;
    g->evidence_ns = e->now + evidence_first_ns;
    if (e->first_ns < 0)
        e->first_ns = g->active_ns;
    e->went_out = true;
    admission_executed(e, g);
    group_is_on(e, g, g->cursor != PLAN_NONE ? &e->cursors[g->cursor] : NULL);
}

static void heal_one(struct engine *e, size_t i)
{
    struct engine_injection *injection = &e->injections[i];
    if (!is_open(injection) || injection->state == INJECTION_REVERTING)
        return;
    if (injection->state == INJECTION_ACTIVE) /* the last moment to see it at work */
        engine_emit(e, ACTION_EVIDENCE, i, NULL);
    injection->state = INJECTION_REVERTING;
    engine_emit(e, ACTION_REVERT, i, NULL);
}

static void heal_group(struct engine *e, const struct group *g)
{
    for (size_t i = g->first; i < g->first + g->n; i++)
        heal_one(e, i);
}

/* All prepared: apply all. All applied: the group is active. */
static void group_step(struct engine *e, struct group *g)
{
    if (e->stopping)
        return;
    if (g->refused) {
        if (!any_in(e, g, INJECTION_PREPARING))
            heal_group(e, g);
        return;
    }
    if (!g->applying && all_in(e, g, INJECTION_PREPARED)) {
        g->applying = e->touched = true;
        if (g->cursor != PLAN_NONE)
            e->cursors[g->cursor].wait = CURSOR_APPLY;
        for (size_t i = g->first; i < g->first + g->n; i++) {
            e->injections[i].state = INJECTION_APPLYING;
            engine_emit(e, ACTION_APPLY, i, NULL);
        }
    } else if (g->applying && !g->active && all_in(e, g, INJECTION_ACTIVE)) {
        group_active(e, g);
    }
}

void inject_heal_rest(struct engine *e, bool open_ended)
{
    for (size_t i = 0; i < e->n_injections; i++) {
        const struct engine_injection *injection = &e->injections[i];
        const struct group *g = &e->groups[injection->group];
        bool meant = !open_ended || (g->ends_ns == INT64_MAX && g->for_ns == 0);
        if (meant && !is_left_alone(e, injection))
            heal_one(e, i);
    }
}

/* Who waits until it is on, waits until it is gone instead. */
static void release_cursors(struct engine *e, uint32_t step)
{
    for (size_t i = 0; i < CURSORS_MAX; i++) {
        struct cursor *c = &e->cursors[i];
        if (c->used && c->wait >= CURSOR_PREPARE && c->wait <= CURSOR_UNFOLD &&
            (step == PLAN_NONE || c->step == step))
            c->wait = CURSOR_GROUP;
    }
}

void inject_heal(struct engine *e, uint32_t step)
{
    unfold_heal(e, step);
    release_cursors(e, step);
    for (size_t g = 0; g < e->n_groups; g++)
        if (step == PLAN_NONE || e->groups[g].step == step)
            heal_group(e, &e->groups[g]);
}

static void close_injection(struct engine *e, struct engine_injection *i)
{
    if (!is_open(i))
        return;
    i->state = INJECTION_OVER;
    struct group *g = &e->groups[i->group];
    if (!all_in(e, g, INJECTION_OVER))
        return;
    g->over = true;
    e->heal_ns = e->now;
}

static void on_prepared(struct engine *e, struct engine_injection *i, const struct event *event)
{
    if (event->ok) {
        if (i->state == INJECTION_PREPARING)
            i->state = INJECTION_PREPARED;
        group_step(e, &e->groups[i->group]);
        return;
    }
    /* Prepare changes nothing, so that there is nothing to revert; but a revert may be under way.
     */
    if (i->state == INJECTION_PREPARING)
        close_injection(e, i);
    if (event->refused) {
        admission_refused(e, &e->groups[i->group], i->host, event->text);
        group_step(e, &e->groups[i->group]);
        return;
    }
    engine_abort(e, "error", "%s on %s: %s", e->plan->steps[i->step].step->fault->name,
                 e->plan->hosts[i->host].name, event->text != NULL ? event->text : "not prepared");
}

static void on_applied(struct engine *e, struct engine_injection *i, const struct event *event)
{
    if (!event->ok) {
        engine_abort(e, "error", "%s on %s: %s", e->plan->steps[i->step].step->fault->name,
                     e->plan->hosts[i->host].name,
                     event->text != NULL ? event->text : "not applied");
        return;
    }
    if (i->state != INJECTION_APPLYING)
        return;
    i->state = INJECTION_ACTIVE;
    i->active_ns = event->at_ns;
    group_step(e, &e->groups[i->group]);
}

/* Nobody there can be asked any more; a new agent, if the host lives, replays what this one left.
 */
static void close_host(struct engine *e, size_t host)
{
    for (size_t i = 0; i < e->n_injections; i++)
        if (e->injections[i].host == host)
            close_injection(e, &e->injections[i]);
}

static void on_agent_lost(struct engine *e, const struct event *event)
{
    engine_abort(e, "agent lost", "%s: %s", e->plan->hosts[event->index].name,
                 event->text != NULL ? event->text : "its agent is gone");
    close_host(e, event->index);
}

/* What ran on it does not come back: recovery is not waited for. */
static void on_host_died(struct engine *e, const struct event *event)
{
    e->hurry = true;
    close_host(e, event->index);
    engine_abort(e, "host died", "host %s died", e->plan->hosts[event->index].name);
}

void inject_event(struct engine *e, const struct event *event)
{
    if (event->kind == EVENT_AGENT_LOST) {
        on_agent_lost(e, event);
        return;
    }
    if (event->kind == EVENT_HOST_DIED) {
        on_host_died(e, event);
        return;
    }
    if (event->index >= e->n_injections)
        return;
    struct engine_injection *i = &e->injections[event->index];
    switch (event->kind) {
    case EVENT_PREPARED:
        on_prepared(e, i, event);
        break;
    case EVENT_APPLIED:
        on_applied(e, i, event);
        break;
    case EVENT_REVERTED:
        close_injection(e, i);
        break;
    case EVENT_INJECTION_ENDED:
    case EVENT_LAPSED: /* what follows would measure something else */
        if (is_open(i) && i->state != INJECTION_REVERTING)
            engine_stop_trial(e);
        break;
    case EVENT_START:
    case EVENT_TICK:
    case EVENT_BASELINE:
    case EVENT_PROBE:
    case EVENT_ROLE:
    case EVENT_AGENT_LOST:
    case EVENT_HOST_DIED:
    case EVENT_RAN:
    case EVENT_CHECKED:
    case EVENT_CLEAN:
    case EVENT_DRAINED:
    case EVENT_NEXT:
    case EVENT_GO_ON:
    case EVENT_INTERRUPT:
    case EVENT_ERROR:
        break;
    }
}

static void renew(struct engine *e)
{
    uint64_t hosts = 0;
    bool any = false;
    for (size_t i = 0; i < e->n_injections; i++)
        if (holds_lease(&e->injections[i])) {
            hosts |= UINT64_C(1) << e->injections[i].host;
            any = true;
        }
    if (!any || e->now < e->renew_ns)
        return;
    for (size_t h = 0; h < e->plan->n_hosts; h++)
        if (hosts & (UINT64_C(1) << h))
            engine_emit(e, ACTION_RENEW, h, NULL);
    e->renew_ns = e->now + e->options.lease_ns / 3;
}

bool inject_tick(struct engine *e)
{
    renew(e);
    for (size_t g = 0; g < e->n_groups; g++) {
        struct group *group = &e->groups[g];
        if (!group->active || group->over)
            continue;
        if (!e->holding && e->now >= group->ends_ns)
            heal_group(e, group);
        if (e->now < group->evidence_ns)
            continue;
        group->evidence_ns = e->now + evidence_every_ns;
        for (size_t i = group->first; i < group->first + group->n; i++)
            if (e->injections[i].state == INJECTION_ACTIVE)
                engine_emit(e, ACTION_EVIDENCE, i, NULL);
    }
    unfold_tick(e);
    return false;
}

void inject_shift(struct engine *e, int64_t by)
{
    for (size_t g = 0; g < e->n_groups; g++)
        if (e->groups[g].ends_ns != INT64_MAX)
            e->groups[g].ends_ns += by;
    for (size_t i = 0; i < e->n_injections; i++)
        if (e->injections[i].ends_ns != INT64_MAX)
            e->injections[i].ends_ns += by;
    unfold_shift(e, by);
}

int64_t inject_deadline(const struct engine *e)
{
    int64_t next = unfold_deadline(e);
    for (size_t g = 0; g < e->n_groups; g++) {
        const struct group *group = &e->groups[g];
        if (!group->active || !any_in(e, group, INJECTION_ACTIVE))
            continue;
        next = earlier(next, group->evidence_ns);
        if (!e->holding)
            next = earlier(next, group->ends_ns);
    }
    for (size_t i = 0; i < e->n_injections; i++)
        if (holds_lease(&e->injections[i]))
            next = earlier(next, e->renew_ns);
    return next;
}
