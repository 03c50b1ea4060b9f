/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the resource.* kinds share: limits of a service's control group, lowered and put back. The
 * undo record holds the group by identity and, for each file, what it said and what it is to say; a
 * file that says neither was changed by others, and stays.
 */
#ifndef BLACKSTART_AGENTS_FAULTS_RESOURCE_H
#define BLACKSTART_AGENTS_FAULTS_RESOURCE_H

#include "agents/host/cgroup.h"

#include "agents/host/bearer.h"

#include <linux/capability.h>

enum { RESOURCE_SETTINGS_MAX = 4 };

#define RESOURCE_CAPS                                                                              \
    ((UINT64_C(1) << CAP_SYS_PTRACE) | (UINT64_C(1) << CAP_DAC_READ_SEARCH) |                      \
     (UINT64_C(1) << CAP_DAC_OVERRIDE))

struct resource_setting {
    char file[40];
    char key[24]; /* what its line begins with; "": the file is one line */
    char was[CGROUP_VALUE_MAX], ours[CGROUP_VALUE_MAX];
};

struct resource_limits {
    struct cgroup group;
    uint32_t n, reserved;
    struct resource_setting v[RESOURCE_SETTINGS_MAX];
};

/* For prepare: reads what the file says. `none`: what a key without a line means. */
int resource_note(struct resource_limits *limits, int dir, const char *file, const char *key,
                  const char *none, const char *ours, struct err *err) MUST_CHECK;
/* As a number; all that is none ("max", "-1") is the largest. */
uint64_t resource_number(const char *text);

int resource_apply(const struct resource_limits *limits, struct err *err) MUST_CHECK;
/* Is the group there, and all of them as we made them? */
int resource_is_ours(const struct resource_limits *limits, bool *ret, struct err *err) MUST_CHECK;
/* A limit is kept by the group, and the guardian watches over its lease; a bearer (NULL: none)
 * keeps its own. */
int resource_renew(const struct fault_host *host, const struct undo *undo,
                   const struct resource_limits *limits, const struct proc_id *bearer,
                   int64_t lease_ns, struct err *err) MUST_CHECK;
int resource_revert(const struct resource_limits *limits, struct revert_report *ret,
                    struct err *err) MUST_CHECK;

/* A bearer that can enter the group (NULL: none): its cgroup.procs is BEARER_FD in it. */
int resource_bear(const struct fault_host *host, const struct undo *undo,
                  const struct cgroup *group, void (*body)(struct bearer *self, void *arg),
                  void *arg, struct proc_id *ret, struct err *err) MUST_CHECK;
/* In the bearer. */
int resource_enter(int procs, struct err *err) MUST_CHECK;
int resource_unbear(const struct fault_host *host, const struct undo *undo,
                    const struct proc_id *bearer, struct revert_report *ret,
                    struct err *err) MUST_CHECK;

#endif
