/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/plan_parts.h"

#include "scenario/inventory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLAN_ARENA_MAX = 16 * 1024 * 1024, RUN_LIMIT_DEFAULT_S = 60 };

int64_t plan_limit(struct duration within)
{
    return within.ns > 0 ? within.ns : RUN_LIMIT_DEFAULT_S * INT64_C(1000000000);
}

int64_t plan_run_limit(const struct scenario_step *step)
{
    return plan_limit(step->within);
}

size_t plan_host_index(const struct plan *plan, const char *name)
{
    size_t i = 0;
    while (i < plan->n_hosts && strcmp(plan->hosts[i].name, name) != 0)
        i++;
    return i;
}

void plan_set_addrs(struct plan *plan, size_t host, const struct addr *addrs, size_t n)
{
    struct plan_host *h = &plan->hosts[host];
    h->n_addrs = n < 2 ? n : 2;
    memcpy(h->addrs, addrs, h->n_addrs * sizeof(*addrs));
}

const char *plan_step_role(const struct plan_step *step, size_t k)
{
    const struct scenario_step *s = step->step;
    if (s->kind != STEP_FAULT)
        return NULL;
    size_t n = 0;
    for (const char *role; s->hosts != NULL && (role = selector_role(s->hosts, n)) != NULL; n++)
        if (n == k)
            return role;
    return s->peers != NULL ? selector_role(s->peers, k - n) : NULL;
}

/* The host on which the probes stand, which no fault may touch. */
static const char vantage[] = "client";

static void put_host(struct plan *plan, const char *name, const char *const *labels,
                     size_t n_labels)
{
    plan->hosts[plan->n_hosts++] = (struct plan_host){.name = name,
                                                      .labels = labels,
                                                      .n_labels = n_labels,
                                                      .has_agent = strcmp(name, vantage) != 0};
}

/* Until a lab is up its addresses are not known: each host has two that are nobody's, so that a
 * plan for people can turn them into names again. */
static int build_hosts(struct plan *plan, struct err *err)
{
    const struct lab_spec *lab = plan->scenario->lab;
    const struct inventory *inventory = plan->scenario->inventory;
    size_t n = lab != NULL ? lab->n_hosts : inventory != NULL ? inventory->n_hosts : 0;
    if (n > PLAN_HOSTS_MAX)
        return make_error(err, ERR_LIMIT, 0, "%zu hosts; at most %d", n, (int)PLAN_HOSTS_MAX);
    plan->hosts = arena_array(&plan->arena, n != 0 ? n : 1, sizeof(*plan->hosts));
    if (plan->hosts == NULL)
        return make_error(err, ERR_LIMIT, 0, "out of memory for the plan");
    for (size_t i = 0; lab != NULL && i < n; i++) {
        const uint8_t last = (uint8_t)(i + 1);
        const struct addr stand_ins[] = {{4, 32, {[3] = last}}, {6, 128, {1, [15] = last}}};
        put_host(plan, lab->hosts[i].name, lab->hosts[i].labels, lab->hosts[i].n_labels);
        plan_set_addrs(plan, i, stand_ins, 2);
    }
    for (size_t i = 0; lab == NULL && i < n; i++) {
        const struct inventory_host *h = &inventory->hosts[i];
        put_host(plan, h->name, h->labels, h->n_labels);
        plan_set_addrs(plan, i, h->addrs, h->n_addresses);
    }
    return 0;
}

static size_t count_steps(const struct scenario_step *steps, size_t n)
{
    size_t total = n;
    for (size_t i = 0; i < n; i++)
        for (size_t b = 0; b < steps[i].n_branches; b++)
            total += count_steps(steps[i].branches[b].steps, steps[i].branches[b].n);
    return total;
}

static void name_change(const struct scenario_step *s, char *out, size_t size)
{
    char model[120], text[64];
    (void)load_shape_print_model(s->args, model, sizeof(model));
    (void)snprintf(out, size, "%s: %s%s%s", s->fault->name, model,
                   s->length.ns == 0 ? " until the steps end" : " for ",
                   s->length.ns == 0 ? "" : duration_print(s->length, text, sizeof(text)));
}

static void name_fault(const struct scenario_step *s, char *out, size_t size)
{
    char hosts[80] = "", length[40], text[64], unfold[100];
    if (s->load != NULL) {
        name_change(s, out, size);
        return;
    }
    if (s->hosts != NULL)
        (void)selector_print(s->hosts, hosts, sizeof(hosts));
    if (s->fault->lifetime == LIFETIME_INSTANT)
        length[0] = '\0'; /* a moment, which nothing ends */
    else if (s->length.ns == 0)
        (void)snprintf(length, sizeof(length), " until the steps end");
    else
        (void)snprintf(length, sizeof(length), " for %s",
                       duration_print(s->length, text, sizeof(text)));
    plan_name_unfold(s, unfold, sizeof(unfold));
    (void)snprintf(out, size, "fault %s on %s%s%s", s->fault->name, hosts, length, unfold);
}

static void name_step(const struct scenario_step *s, char *out, size_t size)
{
    char text[64];
    switch (s->kind) {
    case STEP_FAULT:
        name_fault(s, out, size);
        break;
    case STEP_WAIT:
        (void)snprintf(out, size, "wait %s", duration_print(s->length, text, sizeof(text)));
        break;
    case STEP_WAIT_UNTIL:
        if (s->probe != NULL)
            (void)snprintf(out, size, "wait until %s is %s, at most %s", s->probe,
                           s->good ? "good" : "bad", duration_print(s->within, text, sizeof(text)));
        else
            (void)snprintf(out, size, "wait until the %s has changed, at most %s", s->role,
                           duration_print(s->within, text, sizeof(text)));
        break;
    case STEP_RUN:
        (void)snprintf(out, size, "run %s", s->n_command != 0 ? s->command[0] : "");
        break;
    case STEP_RUNBOOK:
        (void)snprintf(out, size, "runbook of %zu commands, by a person's hand", s->n_tasks);
        break;
    case STEP_PARALLEL:
        (void)snprintf(out, size, "%zu branches side by side", s->n_branches);
        break;
    case STEP_HEAL:
        (void)snprintf(out, size, "heal %s", s->name != NULL ? s->name : "everything");
        break;
    }
}

/* Puts a list of steps into the table; *ret_first is the index of its first. */
static int build_list(struct plan *plan, const struct scenario_step *steps, size_t n,
                      uint32_t depth, uint32_t *ret_first, struct err *err)
{
    *ret_first = PLAN_NONE;
    uint32_t before = PLAN_NONE;
    for (size_t i = 0; i < n; i++) {
        uint32_t at = (uint32_t)plan->n_steps++;
        struct plan_step *p = &plan->steps[at];
        *p = (struct plan_step){
            .step = &steps[i], .number = at + 1, .depth = depth, .next = PLAN_NONE};
        p->heals = PLAN_NONE;
        name_step(&steps[i], p->what, sizeof(p->what));
        if (before == PLAN_NONE)
            *ret_first = at;
        else
            plan->steps[before].next = at;
        before = at;
        if (steps[i].n_branches == 0)
            continue;
        uint32_t *first = arena_array(&plan->arena, steps[i].n_branches, sizeof(*first));
        if (first == NULL)
            return make_error(err, ERR_LIMIT, 0, "out of memory for the plan");
        p->first = first;
        for (size_t b = 0; b < steps[i].n_branches; b++)
            if (build_list(plan, steps[i].branches[b].steps, steps[i].branches[b].n, depth + 1,
                           &first[b], err) < 0)
                return -1;
    }
    return 0;
}

static int link_heals(struct plan *plan, struct err *err)
{
    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct scenario_step *s = plan->steps[i].step;
        if (s->kind != STEP_HEAL || s->name == NULL)
            continue;
        for (size_t f = 0; f < plan->n_steps; f++) {
            const struct scenario_step *other = plan->steps[f].step;
            if (other->kind == STEP_FAULT && other->name != NULL &&
                strcmp(other->name, s->name) == 0)
                plan->steps[i].heals = (uint32_t)f;
        }
        if (plan->steps[i].heals == PLAN_NONE)
            return make_error(err, ERR_INPUT, 0, "heal: there is no fault step named %s", s->name);
    }
    return 0;
}

static int build_steps(struct plan *plan, struct err *err)
{
    const struct scenario *s = plan->scenario;
    size_t n = count_steps(s->steps, s->n_steps);
    if (n > PLAN_STEPS_MAX)
        return make_error(err, ERR_LIMIT, 0, "%zu steps; at most %d", n, (int)PLAN_STEPS_MAX);
    plan->steps = arena_array(&plan->arena, n != 0 ? n : 1, sizeof(*plan->steps));
    if (plan->steps == NULL)
        return make_error(err, ERR_LIMIT, 0, "out of memory for the plan");
    if (build_list(plan, s->steps, s->n_steps, 0, &plan->first, err) < 0)
        return -1;
    return link_heals(plan, err);
}

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

struct span {
    int64_t least, most;
};

/* A gate may end the waves at the first. */
static struct span time_fault(const struct plan_step *p, struct span at, struct span *faults)
{
    const struct scenario_step *s = p->step;
    int64_t asked = approval_wait_ns(&s->approval), roll = plan_roll_ns(p);
    at = (struct span){at.least + asked,
                       at.most + asked +
                           (s->check.n_command != 0 ? plan_limit(s->check.within) : 0)};
    if (s->approval.by != NULL && !approval_given(&s->approval))
        return at;
    int64_t least = at.least + (s->waves.probe != NULL && roll != 0 ? s->waves.bake.ns : roll);
    if (step_asks(s)) /* it may be refused */
        least = at.least;
    struct span done = {least + (s->waves.heal != 0 || step_asks(s) ? 0 : s->length.ns),
                        at.most + roll + s->length.ns};
    faults->least = max64(faults->least, done.least);
    faults->most = max64(faults->most, done.most);
    return s->wait_end ? done : (struct span){least, at.most + roll};
}

static int64_t runbook_most_ns(const struct scenario_step *s)
{
    int64_t most = runbook_least_ns(s);
    for (size_t i = 0; i < s->n_tasks; i++)
        most += plan_limit(s->tasks[i].within);
    return most;
}

/* When each step begins; returns when the list ends, and moves *faults to the end of the latest. */
static struct span time_list(struct plan *plan, uint32_t first, struct span at, struct span *faults)
{
    for (uint32_t i = first; i != PLAN_NONE; i = plan->steps[i].next) {
        struct plan_step *p = &plan->steps[i];
        const struct scenario_step *s = p->step;
        p->at_least_ns = at.least;
        p->at_most_ns = at.most;
        struct span end = at;
        if (s->kind == STEP_FAULT) {
            end = time_fault(p, at, faults);
        } else if (s->kind == STEP_WAIT) {
            end = (struct span){at.least + s->length.ns, at.most + s->length.ns};
        } else if (s->kind == STEP_WAIT_UNTIL) {
            end.most += s->within.ns;
        } else if (s->kind == STEP_RUN) {
            end.most += plan_run_limit(s);
        } else if (s->kind == STEP_RUNBOOK) {
            end.least += runbook_least_ns(s);
            end.most += runbook_most_ns(s);
        } else if (s->kind == STEP_HEAL && p->heals == PLAN_NONE) {
            faults->least = at.least;
        }
        for (size_t b = 0; b < s->n_branches; b++) {
            struct span branch = time_list(plan, p->first[b], at, faults);
            end.least = max64(end.least, branch.least);
            end.most = max64(end.most, branch.most);
        }
        at = end;
    }
    return at;
}

/* Shortest phases and pauses come most often. */
static int check_phases(const struct plan_step *p, size_t n, struct err *err)
{
    const struct scenario_flap *f = &p->step->flap;
    int64_t both = f->on.ns + f->off.ns;
    int64_t phases = p->step->length.ns / (both - both / 1000000 * f->jitter.ppm) + 1;
    long long injections = phases * (int64_t)n;
    if (injections > PLAN_TRIAL_INJECTIONS_MAX)
        return make_error(err, ERR_LIMIT, 0,
                          "step %u: it would come and go in up to %lld injections; a trial has at "
                          "most %d",
                          p->number, injections, (int)PLAN_TRIAL_INJECTIONS_MAX);
    return 0;
}

/* Where the hosts cannot be told yet, what is printed then says why. */
static int build_unfolds(struct plan *plan, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; i < plan->n_steps && rc == 0; i++) {
        struct plan_injections list = {0};
        struct role_holder roles[PLAN_ROLES_MAX];
        size_t n_roles = 0;
        struct err unknown;
        const struct scenario_step *s = plan->steps[i].step;
        if (s->kind != STEP_FAULT || (!waves_given(&s->waves) && s->flap.on.ns == 0) ||
            plan_expand_assumed(plan, i, &list, roles, &n_roles, &unknown) != 0)
            continue;
        plan->steps[i].n_waves = list.n_waves;
        if (s->flap.on.ns > 0)
            rc = check_phases(&plan->steps[i], list.n, err);
        plan_injections_free(&list);
    }
    return rc;
}

static void time_plan(struct plan *plan)
{
    const struct scenario *s = plan->scenario;
    struct span faults = {0, 0};
    struct span steps = time_list(plan, plan->first, (struct span){0, 0}, &faults);
    plan->steps_least_ns = max64(steps.least, faults.least);
    plan->steps_most_ns = max64(steps.most, faults.most);
    for (size_t i = 0; i < s->n_targets; i++)
        plan->window_ns = max64(plan->window_ns, s->targets[i].over.ns);
    for (size_t i = 0; i < s->n_symptoms; i++)
        if (s->symptoms[i].n_targets != 0)
            plan->window_ns = max64(plan->window_ns, s->symptoms[i].targets[0].over.ns);
    int64_t least = max64(plan->steps_least_ns + s->stable_for.ns, plan->window_ns);
    int64_t most = max64(plan->steps_most_ns + s->observe.ns, plan->window_ns);
    int64_t n = plan_trials(s->trials);
    int64_t fewest = n;
    if (s->sequential.at_most != 0)
        fewest = plan_trials(scenario_sequential_least(&s->sequential));
    plan->trial_least_ns = s->steady_for.ns + plan->steps_least_ns;
    plan->least_ns = fewest * (s->steady_for.ns + least);
    plan->most_ns = n * (s->steady_within.ns + most);
    if (s->deadline.ns > 0 && plan->most_ns > s->deadline.ns)
        plan->most_ns = s->deadline.ns;
    if (plan->least_ns > plan->most_ns)
        plan->least_ns = plan->most_ns;
}

/* What is wrong with the arguments beyond bounds is known before anything is made. */
static int check_faults(const struct plan *plan, struct err *err)
{
    for (size_t i = 0; i < plan->n_steps; i++) {
        const struct scenario_step *s = plan->steps[i].step;
        if (s->kind == STEP_FAULT && s->fault->check != NULL && s->fault->check(s->args, err) < 0)
            return wrap_error(err, "step %u, %s", plan->steps[i].number, s->fault->name);
    }
    return 0;
}

int plan_build(const struct scenario *scenario, uint64_t seed, struct plan **ret, struct err *err)
{
    struct plan *plan = calloc(1, sizeof(*plan));
    if (plan == NULL)
        return make_error(err, ERR_LIMIT, 0, "out of memory for the plan");
    plan->arena = ARENA_INIT(PLAN_ARENA_MAX);
    plan->scenario = scenario;
    plan->seed = seed;
    if (build_hosts(plan, err) < 0 || build_steps(plan, err) < 0 || check_faults(plan, err) < 0 ||
        build_unfolds(plan, err) < 0) {
        plan_free(plan);
        return -1;
    }
    time_plan(plan);
    *ret = plan;
    return 0;
}

void plan_free(struct plan *plan)
{
    if (plan == NULL)
        return;
    arena_free(&plan->arena);
    free(plan);
}
