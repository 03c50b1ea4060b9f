/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fault step and the roles' holders -> injections on hosts. */
#include "engine/plan.h"
#include "engine/plan_parts.h"

#include <stdlib.h>
#include <string.h>

enum { ADDRESS_TEXT = 56 };

struct collector {
    const struct plan *plan;
    const struct fault *fault;
    bool load; /* done by a load's process, which stands where the probes do */
    struct plan_injections *out;
};

static int add_injection(void *ctx, const char *host, const void *args, struct err *err)
{
    struct collector *c = ctx;
    size_t h = plan_host_index(c->plan, host);
    if (h == c->plan->n_hosts)
        return make_error(err, ERR_NOT_FOUND, 0, "%s: there is no host %s", c->fault->name, host);
    if (!c->plan->hosts[h].has_agent && !c->load)
        return make_error(err, ERR_REFUSED, 0,
                          "%s on %s: the probes look from there, so no fault may touch it",
                          c->fault->name, host);
    if (c->fault->check != NULL && c->fault->check(args, err) < 0)
        return wrap_error(err, "%s on %s", c->fault->name, host);
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

/* Each address once: what lies in a network of the list is not named by itself. */
static void add_peer(struct addrs *peers, const struct addr *a)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < peers->n; i++)
        if (addr_contains(&peers->a[i], a))
            return;
    for (uint32_t i = 0; i < peers->n; i++)
        if (!addr_contains(a, &peers->a[i]))
            peers->a[kept++] = peers->a[i];
    peers->n = kept;
    if (kept < ADDRS_MAX)
        peers->a[peers->n++] = *a;
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
    const struct param *p = param_find_hosts(fault->params, fault->n_params);
    struct addrs *peers = p != NULL ? (struct addrs *)(void *)(args + p->offset) : NULL;
    int rc = 0;
    for (size_t h = 0; rc == 0 && h < in->n_hosts; h++) {
        if (peers != NULL) {
            peers->n = 0;
            for (size_t i = 0; i < in->n_peers; i++)
                for (size_t a = 0; a < in->peers[i].n_addrs; a++)
                    if (strcmp(in->peers[i].name, in->hosts[h].name) != 0)
                        add_peer(peers, &in->peers[i].addrs[a]);
        }
        rc = out->add(out->ctx, in->hosts[h].name, args, err);
    }
    free(args);
    return rc;
}

/* Who holds the roles, and which drawing it is. */
struct moment {
    const struct role_holder *roles;
    size_t n_roles, step;
    uint32_t trial;
};

static int resolve(const struct plan *plan, const struct selector *s, const struct moment *m,
                   uint64_t use, struct expand_host *ret, size_t *ret_n, struct err *err)
{
    struct selector_host hosts[PLAN_HOSTS_MAX];
    bool chosen[PLAN_HOSTS_MAX] = {false};
    uint64_t seed = plan_draw(plan->seed, m->trial, m->step, use);
    for (size_t i = 0; i < plan->n_hosts; i++)
        hosts[i] = (struct selector_host){.name = plan->hosts[i].name,
                                          .labels = plan->hosts[i].labels,
                                          .n_labels = plan->hosts[i].n_labels};
    if (selector_resolve(s, hosts, plan->n_hosts, m->roles, m->n_roles, seed, chosen, err) < 0)
        return -1;
    *ret_n = 0;
    for (size_t i = 0; i < plan->n_hosts; i++)
        if (chosen[i])
            ret[(*ret_n)++] = (struct expand_host){.name = plan->hosts[i].name,
                                                   .addrs = plan->hosts[i].addrs,
                                                   .n_addrs = plan->hosts[i].n_addrs,
                                                   .has_agent = plan->hosts[i].has_agent};
    return 0;
}

/* What is no host's stands behind the hosts. */
static size_t add_addresses(const struct selector *s, char names[][ADDRESS_TEXT],
                            struct expand_host *ret)
{
    size_t n = 0;
    for (const struct selector *one; n < SELECTOR_LIST_MAX && (one = selector_addr(s, n)) != NULL;
         n++)
        ret[n] = (struct expand_host){.name = addr_print(&one->addr, names[n], ADDRESS_TEXT),
                                      .addrs = &one->addr,
                                      .n_addrs = 1};
    return n;
}

int plan_expand(const struct plan *plan, size_t step, uint32_t trial,
                const struct role_holder *roles, size_t n_roles, struct plan_injections *ret,
                struct err *err)
{
    const struct scenario_step *s = plan->steps[step].step;
    struct expand_host hosts[PLAN_HOSTS_MAX], peers[PLAN_HOSTS_MAX + SELECTOR_LIST_MAX];
    char names[SELECTOR_LIST_MAX][ADDRESS_TEXT];
    const struct moment now = {roles, n_roles, step, trial};
    size_t n = 0, n_peers = 0;
    if (resolve(plan, s->hosts, &now, 0, hosts, &n, err) < 0)
        return -1;
    if (s->peers != NULL && resolve(plan, s->peers, &now, 1, peers, &n_peers, err) < 0)
        return wrap_error(err, "%s", "peers");
    n_peers += add_addresses(s->peers, names, &peers[n_peers]);
    struct plan_injections out = {.list = calloc(PLAN_INJECTIONS_MAX, sizeof(*out.list))};
    if (out.list == NULL)
        return make_error(err, ERR_LIMIT, 0, "out of memory for an injection");
    struct collector collector = {
        .plan = plan, .fault = s->fault, .load = s->load != NULL, .out = &out};
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
