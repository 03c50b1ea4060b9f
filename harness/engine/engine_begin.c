/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a fault step begins: roles are asked, hosts are found, a group is prepared. */
#include "engine/engine_parts.h"

#include <stdio.h>
#include <stdlib.h>

static const int64_t role_limit_ns = 10 * INT64_C(1000000000);

static bool add_injection(struct engine *e, const struct group_of *of,
                          const struct plan_injection *one)
{
    size_t size = e->plan->steps[of->step].step->fault->args_size;
    struct engine_injection *i = &e->injections[e->n_injections];
    *i = (struct engine_injection){.step = of->step,
                                   .group = e->n_groups - 1,
                                   .trial = e->trial,
                                   .wave = of->wave,
                                   .phase = of->phase,
                                   .for_ns = of->for_ns,
                                   .host = one->host,
                                   .args = calloc(1, size != 0 ? size : 1),
                                   .state = INJECTION_PREPARING,
                                   .ends_ns = INT64_MAX};
    if (i->args == NULL) {
        engine_abort(e, "error", "out of memory for an injection");
        return false;
    }
    if (size != 0)
        memcpy(i->args, one->args, size);
    (void)snprintf(i->id, sizeof(i->id), "i%u", ++e->next_id);
    engine_emit(e, ACTION_PREPARE, e->n_injections++, NULL);
    return true;
}

bool inject_group(struct engine *e, struct cursor *c, const struct group_of *of)
{
    if (e->n_groups == GROUPS_MAX || e->n_injections + of->n > ENGINE_INJECTIONS_MAX) {
        engine_abort(e, "error", "more than %d injections in one trial",
                     (int)ENGINE_INJECTIONS_MAX);
        return false;
    }
    if (inject_over(e))
        e->renew_ns = e->now + e->options.lease_ns / 3;
    e->groups[e->n_groups++] =
        (struct group){.step = of->step,
                       .first = e->n_injections,
                       .n = of->n,
                       .cursor = c != NULL ? (uint32_t)(c - e->cursors) : PLAN_NONE,
                       .wave = of->wave,
                       .phase = of->phase,
                       .for_ns = of->for_ns,
                       .ends_ns = INT64_MAX,
                       .evidence_ns = INT64_MAX};
    if (c != NULL) {
        c->group = e->n_groups - 1;
        c->wait = CURSOR_PREPARE;
    }
    for (size_t i = 0; i < of->n; i++)
        if (!add_injection(e, of, &of->list[i]))
            return false;
    return true;
}

bool inject_expand(struct engine *e, const struct cursor *c, struct plan_injections *ret)
{
    struct role_holder roles[PLAN_ROLES_MAX];
    struct err err;
    for (size_t r = 0; r < e->scenario->n_roles; r++)
        roles[r] = (struct role_holder){.role = e->scenario->roles[r].name,
                                        .host = e->roles[r].host < e->plan->n_hosts
                                                    ? e->plan->hosts[e->roles[r].host].name
                                                    : NULL};
    if (plan_expand(e->plan, c->step, e->trial, roles, e->scenario->n_roles, ret, &err) == 0)
        return true;
    engine_abort(e, "error", "step %u: %s", c->step + 1, err.msg);
    return false;
}

static void begin_groups(struct engine *e, struct cursor *c)
{
    struct plan_injections list = {0};
    if (!inject_expand(e, c, &list))
        return;
    if (unfold_is(e, c->step)) {
        unfold_begin(e, c, &list);
        return;
    }
    (void)inject_group(e, c,
                       &(struct group_of){.step = c->step,
                                          .list = list.list,
                                          .n = list.n,
                                          .for_ns = e->plan->steps[c->step].step->length.ns});
    plan_injections_free(&list);
}

/* Without a fault its time passes all the same. */
static void begin_dry(struct engine *e, struct cursor *c)
{
    const struct scenario_step *s = e->plan->steps[c->step].step;
    int64_t asked = e->now + approval_wait_ns(&s->approval);
    bool refused = s->approval.by != NULL && !approval_given(&s->approval);
    if (e->first_ns < 0)
        e->first_ns = asked;
    int64_t rolled = refused ? asked : asked + plan_roll_ns(&e->plan->steps[c->step]);
    int64_t end = refused ? asked : rolled + s->length.ns;
    if (end > e->dry_ends_ns)
        e->dry_ends_ns = end;
    if (!s->wait_end && rolled == e->now) {
        step_next(e, c, "skipped");
        return;
    }
    c->wait = CURSOR_TIME;
    c->until = s->wait_end ? end : rolled;
}

void inject_selected(struct engine *e, struct cursor *c)
{
    if (e->fault_free)
        begin_dry(e, c);
    else if (!admission_checks(e, c))
        begin_groups(e, c);
}

void inject_begin(struct engine *e, struct cursor *c)
{
    if (!e->fault_free && admission_asks(e, c))
        return;
    roles_find(e, c);
    c->wait = CURSOR_SELECT;
    c->fresh_ns = e->now;
    c->until = e->now + role_limit_ns;
    if (c->roles != 0)
        roles_ask(e, c);
    else
        inject_selected(e, c);
}

bool inject_advance(struct engine *e, struct cursor *c)
{
    if (c->wait != CURSOR_SELECT && c->wait != CURSOR_RECHECK)
        return false;
    if (c->wait == CURSOR_SELECT && e->now >= c->until) {
        roles_fail(e, c);
        return e->stopping;
    }
    if (e->now >= c->ask_ns)
        roles_ask(e, c);
    return false;
}
