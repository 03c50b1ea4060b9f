/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fault step and the roles' holders -> injections on hosts. */
#include "engine/plan.h"
#include "engine/plan_parts.h"

#include <stdlib.h>
#include <string.h>

struct collector {
    const struct plan *plan;
    const struct fault *fault;
    struct plan_injections *out;
};

static int add_injection(void *ctx, const char *host, const void *args, struct err *err)
{
    struct collector *c = ctx;
    size_t h = plan_host_index(c->plan, host);
    if (h == c->plan->n_hosts)
        return make_error(err, ERR_NOT_FOUND, 0, "%s: there is no host %s", c->fault->name, host);
    if (!c->plan->hosts[h].has_agent)
        return make_error(err, ERR_REFUSED, 0,
                          "%s on %s: the probes look from there, so no fault may touch it",
                          c->fault->name, host);
    if (c->out->n == PLAN_INJECTIONS_MAX)
        return make_error(err, ERR_LIMIT, 0, "%s: more than %d injections in one step",
                          c->fault->name, (int)PLAN_INJECTIONS_MAX);
    void *copy = calloc(1, c->fault->args_size != 0 ? c->fault->args_size : 1);
    if (copy == NULL)
        return make_error(err, ERR_LIMIT, 0, "out of memory for an injection");
    if (c->fault->args_size != 0)
        memcpy(copy, args, c->fault->args_size);
    c->out->list[c->out->n++] = (struct plan_injection){.host = h, .args = copy};
    return 0;
}

static const struct param *hosts_param(const struct fault *fault)
{
    for (size_t i = 0; i < fault->n_params; i++)
        if (fault->params[i].type == PARAM_HOSTS)
            return &fault->params[i];
    return NULL;
}

/* For rows without an expand of their own: the same on each host, with all peers' addresses. */
static int expand_plainly(const struct fault *fault, const struct expand_in *in,
                          const struct expand_out *out, struct err *err)
{
    unsigned char *args = calloc(1, fault->args_size != 0 ? fault->args_size : 1);
    if (args == NULL)
        return make_error(err, ERR_LIMIT, 0, "out of memory for an injection");
    if (fault->args_size != 0)
        memcpy(args, in->args, fault->args_size);
    const struct param *p = hosts_param(fault);
    struct addrs *peers = p != NULL ? (struct addrs *)(void *)(args + p->offset) : NULL;
    int rc = 0;
    for (size_t h = 0; rc == 0 && h < in->n_hosts; h++) {
        if (peers != NULL) {
            peers->n = 0;
            for (size_t i = 0; i < in->n_peers; i++)
                for (size_t a = 0; a < in->peers[i].n_addrs && peers->n < ADDRS_MAX; a++)
                    if (strcmp(in->peers[i].name, in->hosts[h].name) != 0)
                        peers->a[peers->n++] = in->peers[i].addrs[a];
        }
        rc = out->add(out->ctx, in->hosts[h].name, args, err);
    }
    free(args);
    return rc;
}

static size_t resolve(const struct plan *plan, const struct selector *s, uint64_t seed,
                      const struct role_holder *roles, size_t n_roles, struct expand_host *ret,
                      struct err *err)
{
    struct selector_host hosts[PLAN_HOSTS_MAX];
    bool chosen[PLAN_HOSTS_MAX] = {false};
    for (size_t i = 0; i < plan->n_hosts; i++)
        hosts[i] = (struct selector_host){.name = plan->hosts[i].name,
                                          .labels = plan->hosts[i].labels,
                                          .n_labels = plan->hosts[i].n_labels};
    if (selector_resolve(s, hosts, plan->n_hosts, roles, n_roles, seed, chosen, err) < 0)
        return 0;
    size_t n = 0;
    for (size_t i = 0; i < plan->n_hosts; i++)
        if (chosen[i])
            ret[n++] = (struct expand_host){.name = plan->hosts[i].name,
                                            .addrs = plan->hosts[i].addrs,
                                            .n_addrs = plan->hosts[i].n_addrs,
                                            .has_agent = plan->hosts[i].has_agent};
    if (n == 0)
        (void)make_error(err, ERR_NOT_FOUND, 0, "the step's hosts: nobody is chosen");
    return n;
}

int plan_expand(const struct plan *plan, size_t step, uint32_t trial,
                const struct role_holder *roles, size_t n_roles, struct plan_injections *ret,
                struct err *err)
{
    const struct scenario_step *s = plan->steps[step].step;
    struct expand_host hosts[PLAN_HOSTS_MAX], peers[PLAN_HOSTS_MAX];
    size_t n_peers = 0;
    size_t n =
        resolve(plan, s->hosts, plan_draw(plan->seed, trial, step, 0), roles, n_roles, hosts, err);
    if (n == 0)
        return -1;
    if (s->peers != NULL) {
        n_peers = resolve(plan, s->peers, plan_draw(plan->seed, trial, step, 1), roles, n_roles,
                          peers, err);
        if (n_peers == 0)
            return wrap_error(err, "%s", "peers");
    }
    struct plan_injections out = {.list = calloc(PLAN_INJECTIONS_MAX, sizeof(*out.list))};
    if (out.list == NULL)
        return make_error(err, ERR_LIMIT, 0, "out of memory for an injection");
    struct collector collector = {.plan = plan, .fault = s->fault, .out = &out};
    struct expand_out sink = {.ctx = &collector, .add = add_injection};
    struct expand_in in = {.hosts = hosts,
                           .n_hosts = n,
                           .peers = peers,
                           .n_peers = n_peers,
                           .args = s->args,
                           .args_size = s->fault->args_size};
    int rc = s->fault->expand != NULL ? s->fault->expand(&in, &sink, err)
                                      : expand_plainly(s->fault, &in, &sink, err);
    if (rc == 0 && out.n == 0)
        rc = make_error(err, ERR_NOT_FOUND, 0, "%s: there is nothing to do on any host",
                        s->fault->name);
    if (rc < 0) {
        plan_injections_free(&out);
        return -1;
    }
    if (waves_given(&s->waves))
        plan_put_waves(&s->waves, plan_draw(plan->seed, trial, step, 2), &out);
    *ret = out;
    return 0;
}

void plan_injections_free(struct plan_injections *i)
{
    for (size_t k = 0; k < i->n; k++)
        free(i->list[k].args);
    free(i->list);
    *i = (struct plan_injections){0};
}

bool plan_chosen_by(const struct plan *plan, const struct selector *s, bool *chosen)
{
    struct selector_host hosts[PLAN_HOSTS_MAX];
    struct err err;
    for (size_t h = 0; h < plan->n_hosts; h++)
        hosts[h] = (struct selector_host){.name = plan->hosts[h].name,
                                          .labels = plan->hosts[h].labels,
                                          .n_labels = plan->hosts[h].n_labels};
    return selector_resolve(s, hosts, plan->n_hosts, NULL, 0, 0, chosen, &err) == 0;
}

/* The host that a plan for people assumes to hold the role: the first that could. */
static const char *assumed_holder(const struct plan *plan, const char *role)
{
    const struct scenario *s = plan->scenario;
    for (size_t i = 0; i < s->n_roles; i++) {
        if (strcmp(s->roles[i].name, role) != 0)
            continue;
        bool chosen[PLAN_HOSTS_MAX] = {false};
        if (!plan_chosen_by(plan, s->roles[i].hosts, chosen))
            return NULL;
        for (size_t h = 0; h < plan->n_hosts; h++)
            if (chosen[h])
                return plan->hosts[h].name;
    }
    return NULL;
}

int plan_expand_assumed(const struct plan *plan, size_t step, struct plan_injections *ret,
                        struct role_holder *roles, size_t *n_roles, struct err *err)
{
    *n_roles = 0;
    const char *role;
    for (size_t k = 0; (role = plan_step_role(&plan->steps[step], k)) != NULL; k++) {
        bool known = false;
        for (size_t i = 0; i < *n_roles; i++)
            known = known || strcmp(roles[i].role, role) == 0;
        if (!known && *n_roles < PLAN_ROLES_MAX)
            roles[(*n_roles)++] =
                (struct role_holder){.role = role, .host = assumed_holder(plan, role)};
    }
    return plan_expand(plan, step, 0, roles, *n_roles, ret, err);
}
