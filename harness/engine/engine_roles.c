/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has a role: asked before a fault, after it and in waits, and what the answers mean. */
#include "engine/engine_parts.h"

#include <stdio.h>

static const int64_t role_poll_ns = 200 * INT64_C(1000000);

void role_ask(struct engine *e, size_t role)
{
    struct role_watch *r = &e->roles[role];
    if (r->asking)
        return;
    r->asking = true;
    r->asked_ns = e->now;
    engine_emit(e, ACTION_ASK_ROLE, role, NULL);
}

void roles_ask(struct engine *e, struct cursor *c)
{
    for (size_t r = 0; r < e->scenario->n_roles; r++)
        if (c->roles & (1u << r))
            role_ask(e, r);
    c->ask_ns = e->now + role_poll_ns;
}

static uint32_t role_bit(const struct engine *e, const char *name)
{
    for (size_t r = 0; r < e->scenario->n_roles; r++)
        if (strcmp(e->scenario->roles[r].name, name) == 0)
            return 1u << r;
    return 0;
}

/* What the fault itself names is asked again after the apply; what later steps watch for a change,
 * and whom probes ask, needs to be known before it. */
void roles_find(const struct engine *e, struct cursor *c)
{
    const char *role;
    c->recheck = c->roles = 0;
    for (size_t k = 0; (role = plan_step_role(&e->plan->steps[c->step], k)) != NULL; k++)
        c->recheck |= role_bit(e, role);
    for (size_t i = 0; i < e->plan->n_steps; i++) {
        const struct scenario_step *s = e->plan->steps[i].step;
        if (s->kind == STEP_WAIT_UNTIL && s->probe == NULL && s->role != NULL)
            c->roles |= role_bit(e, s->role);
    }
    for (size_t i = 0; i < e->scenario->n_probes; i++)
        if (e->scenario->probes[i].endpoints == ENDPOINTS_ROLE)
            c->roles |= role_bit(e, e->scenario->probes[i].role);
    c->roles |= c->recheck;
}

/* Names the first role that is still not known, and who say that they have it. */
void roles_fail(struct engine *e, struct cursor *c)
{
    size_t r = (size_t)__builtin_ctz(c->roles);
    uint64_t holders = e->roles[r].holders;
    char who[80] = "", why[sizeof(c->why)];
    for (size_t h = 0; h < e->plan->n_hosts; h++)
        if (holders & (UINT64_C(1) << h)) {
            size_t used = strlen(who);
            (void)snprintf(who + used, sizeof(who) - used, "%s%.32s", used != 0 ? ", " : "",
                           e->plan->hosts[h].name);
        }
    (void)snprintf(why, sizeof(why), "no single host has the role %.32s (%.48s%s)",
                   e->scenario->roles[r].name, holders != 0 ? who : "nobody",
                   holders != 0 ? " say so" : " says so");
    step_fail(e, c, why);
}

/* What an answer means to a cursor: the action that says so, or NULL when it says nothing yet. */
static struct action *judge_answer(struct engine *e, const struct cursor *c, size_t role,
                                   uint64_t holders)
{
    struct role_watch *r = &e->roles[role];
    bool one = holders != 0 && (holders & (holders - 1)) == 0;
    size_t first = holders != 0 ? (size_t)__builtin_ctzll(holders) : SIZE_MAX;
    bool known = r->host < PLAN_HOSTS_MAX;
    uint64_t others = known ? holders & ~(UINT64_C(1) << r->host) : 0;
    struct action *said = NULL;
    if (c->wait == CURSOR_RECHECK) {
        said = engine_emit(e, ACTION_ROLE, role, "after-apply");
        said->ok = others == 0;
    } else if (c->wait == CURSOR_SELECT && one) {
        said = engine_emit(e, ACTION_ROLE, role, "select");
        r->host = first;
        others = 0;
    } else if (c->wait == CURSOR_ROLE_CHANGE && others != 0) {
        said = engine_emit(e, ACTION_ROLE, role, "step");
    } else if (!known && one) {
        r->host = first;
    }
    if (said != NULL)
        said->host = others != 0 ? (size_t)__builtin_ctzll(others) : first;
    return said;
}

static void take_answer(struct engine *e, struct cursor *c, size_t role, uint64_t holders)
{
    const struct action *said = judge_answer(e, c, role, holders);
    if (said == NULL)
        return;
    bool ok = said->ok;
    c->roles &= ~(1u << role);
    if (!ok)
        engine_stop_trial(e);
    else if (c->wait == CURSOR_ROLE_CHANGE)
        step_next(e, c, "end");
    else if (c->roles == 0 && c->wait == CURSOR_SELECT)
        inject_selected(e, c);
    else if (c->roles == 0 && c->wait == CURSOR_RECHECK)
        inject_go_on(e, c);
}

void role_event(struct engine *e, const struct event *event)
{
    if (event->index >= e->scenario->n_roles)
        return;
    e->roles[event->index].asking = false;
    e->roles[event->index].holders = event->holders;
    for (size_t i = 0; i < CURSORS_MAX && !e->stopping; i++) {
        struct cursor *c = &e->cursors[i];
        bool waits = c->used && (c->wait == CURSOR_SELECT || c->wait == CURSOR_RECHECK ||
                                 c->wait == CURSOR_ROLE_CHANGE);
        if (!waits || !(c->roles & (1u << event->index)))
            continue;
        if (event->at_ns < c->fresh_ns)
            c->ask_ns = e->now;
        else
            take_answer(e, c, event->index, event->holders);
    }
}
