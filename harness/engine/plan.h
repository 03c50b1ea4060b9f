/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario + catalogue + hosts -> ordered, timed steps. Pure: no clock, no I/O. Roles are found at
 * run time, so a fault step is expanded into injections when their holders are known; before that,
 * a plan for people assumes the first candidate and says so. The seed alone decides what is drawn.
 */
#ifndef BLACKSTART_PLAN_H
#define BLACKSTART_PLAN_H

#include "base/arena.h"
#include "scenario/scenario.h"
#include "scenario/selector.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    PLAN_NONE = 0x7fffffff,
    PLAN_HOSTS_MAX = 64,
    PLAN_STEPS_MAX = 256,
    PLAN_ROLES_MAX = 8,
    PLAN_INJECTIONS_MAX = 256, /* of one step; of each of its phases */
    PLAN_TRIAL_INJECTIONS_MAX = 512
};

struct plan_host {
    const char *name;
    const char *const *labels;
    size_t n_labels;
    struct addr addrs[2]; /* IPv4, IPv6; known once the lab is up */
    size_t n_addrs;
    bool has_agent; /* all but `client` */
};

/* One list of steps is a chain through `next`; a parallel step names the first of each branch. */
struct plan_step {
    const struct scenario_step *step;
    uint32_t number; /* from 1, in the order of the file */
    uint32_t depth;
    uint32_t next;
    const uint32_t *first; /* PARALLEL: n_branches of them */
    uint32_t heals;        /* HEAL by name: index of the fault step; PLAN_NONE: all */
    uint32_t n_waves;      /* FAULT: of its waves, as the roles are assumed; 0: it has none */
    int64_t at_least_ns, at_most_ns; /* when it begins, after the steady state held */
    char what[160];                  /* "fault network.partition on the leader for 8s" */
};

struct plan {
    struct arena arena;
    const struct scenario *scenario;
    uint64_t seed;
    struct plan_host *hosts;
    size_t n_hosts;
    struct plan_step *steps; /* in the order of the file */
    size_t n_steps;
    uint32_t first;
    int64_t steps_least_ns, steps_most_ns; /* from the first step to the end of the last fault */
    int64_t window_ns;                     /* the longest availability window, from the fault */
    int64_t least_ns, most_ns;             /* all trials; most is never above the deadline */
    int64_t trial_least_ns;                /* the shortest that one trial with faults can be */
};

/* The scenario must outlive the plan. */
int plan_build(const struct scenario *scenario, uint64_t seed, struct plan **ret,
               struct err *err) MUST_CHECK;
void plan_free(struct plan *plan); /* NULL is allowed */

size_t plan_host_index(const struct plan *plan, const char *name); /* n_hosts when there is none */
void plan_set_addrs(struct plan *plan, size_t host, const struct addr *addrs, size_t n);

/* How many trials a run of n asked ones has: a series begins with a fault-free one. */
static inline uint32_t plan_trials(uint32_t asked)
{
    return asked > 1 ? asked + 1 : 1;
}

/* How long a run step's command may take; one whose own limit this is. */
int64_t plan_run_limit(const struct scenario_step *step);
int64_t plan_limit(struct duration within);

/* The k-th role that a fault step's hosts and peers mention; NULL past the last. */
const char *plan_step_role(const struct plan_step *step, size_t k);

struct plan_injection {
    size_t host;
    void *args;    /* fault->args_size bytes */
    uint32_t wave; /* from 1; 0: the step has no waves */
};
/* With waves: in their order. */
struct plan_injections {
    struct plan_injection *list;
    size_t n;
    uint32_t n_waves;
};

/*
 * What fault step `step` does to which host in `trial`, given who holds the roles. ERR_NOT_FOUND
 * when a selector chooses nobody, ERR_REFUSED when the fault would reach a host without an agent.
 * Free with plan_injections_free.
 */
int plan_expand(const struct plan *plan, size_t step, uint32_t trial,
                const struct role_holder *roles, size_t n_roles, struct plan_injections *ret,
                struct err *err) MUST_CHECK;
void plan_injections_free(struct plan_injections *i);
/* The same for people, before the roles are known: the first who could has each. */
int plan_expand_assumed(const struct plan *plan, size_t step, struct plan_injections *ret,
                        struct role_holder *roles, size_t *n_roles, struct err *err) MUST_CHECK;

/* How long phase `phase` (from 0) of a flapping step is on, and the pause behind it. */
struct plan_phase {
    int64_t on_ns, off_ns;
};
struct plan_phase plan_phase(const struct plan *plan, size_t step, uint32_t trial, uint32_t phase);

/* From the first wave to the last; 0 for other steps. */
static inline int64_t plan_roll_ns(const struct plan_step *step)
{
    return step->n_waves > 1 ? (int64_t)(step->n_waves - 1) * step->step->waves.bake.ns : 0;
}

/* The plan for people (caller frees) and for machines. */
int plan_print(const struct plan *plan, char **ret, struct err *err) MUST_CHECK;
int plan_json(const struct plan *plan, json_t **ret, struct err *err) MUST_CHECK;

#endif
