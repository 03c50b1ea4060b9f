/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/resource.h"
#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

enum { FORMAT = 1 };

struct args {
    struct name service;
    int64_t leave;
};

static const struct param params[] = {
    P(struct args, PARAM_NAME, service, .required = true,
      .doc = "The lab's service, or the systemd unit."),
    P(struct args, PARAM_INT, leave, .def = "0", .min = 0, .max = 4000,
      .doc = "How many more processes and threads it can start, from those that it has when the "
             "fault begins."),
};

struct processes_undo {
    uint32_t version, reserved;
    uint64_t refused; /* before */
    struct resource_limits limits;
};
_Static_assert(sizeof(struct processes_undo) <= UNDO_DATA_MAX, "fits the undo record");

static int supported(struct fault_host *host, struct err *err)
{
    return cgroup_supported(host, CGROUP_PIDS, err);
}

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct args *a = args;
    struct processes_undo *u = (void *)undo->data;
    char ours[CGROUP_VALUE_MAX];
    CLEANUP_FD int dir = -1;
    memset(u, 0, sizeof(*u));
    u->version = FORMAT;
    undo->size = sizeof(*u);
    if (cgroup_find(host, a->service.s, CGROUP_PIDS, &u->limits.group, err) != 0 ||
        cgroup_open(&u->limits.group, &dir, err) != 0)
        return -1;
    uint64_t limit = cgroup_count(dir, "pids.current", "") + (uint64_t)a->leave;
    u->refused = cgroup_count(dir, "pids.events", "max");
    (void)snprintf(ours, sizeof(ours), "%llu", (unsigned long long)limit);
    if (resource_note(&u->limits, dir, "pids.max", "", "", ours, err) != 0)
        return -1;
    if (limit >= resource_number(u->limits.v[0].was))
        return make_error(err, ERR_NOT_FOUND, 0, "%s may not have more than %s processes as it is",
                          a->service.s, u->limits.v[0].was);
    return 0;
}

static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct processes_undo *u = (const void *)undo->data;
    (void)host, (void)args;
    return resource_apply(&u->limits, err);
}

static const struct processes_undo *read_undo(const struct undo *undo, struct err *err)
{
    return undo_record(undo, FORMAT, sizeof(struct processes_undo), err);
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    const struct processes_undo *u = read_undo(undo, err);
    (void)host;
    return u == NULL ? -1 : resource_is_ours(&u->limits, ret_active, err);
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct processes_undo *u = read_undo(undo, err);
    CLEANUP_FD int dir = -1;
    bool active;
    if (u == NULL || verify(host, undo, &active, err) != 0 ||
        cgroup_open(&u->limits.group, &dir, err) != 0)
        return -1;
    uint64_t now = dir >= 0 ? cgroup_count(dir, "pids.current", "") : 0;
    uint64_t refused = dir >= 0 ? cgroup_count(dir, "pids.events", "max") : 0;
    memset(ret, 0, sizeof(*ret));
    ret->n = 3;
    ret->items[0] = (struct evidence_item){"limited", active};
    ret->items[1] = (struct evidence_item){"processes", now};
    ret->items[2] =
        (struct evidence_item){"refused", refused > u->refused ? refused - u->refused : 0};
    ret->proven = active;
    (void)snprintf(ret->what, sizeof(ret->what),
                   "%llu processes and threads, at most %.20s; %llu starts refused",
                   (unsigned long long)now, u->limits.v[0].ours,
                   (unsigned long long)ret->items[2].value);
    return 0;
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct processes_undo *u = read_undo(undo, err);
    (void)host;
    memset(ret, 0, sizeof(*ret));
    return u == NULL ? -1 : resource_revert(&u->limits, ret, err);
}

const struct fault fault_resource_processes = {
    .name = "resource.processes",
    .summary = "Lets a service start no more processes and threads.",
    .doc = "Lowers the limit of the service's control group (pids.max) to what it has, and as many "
           "more as it is left: then fork and clone fail with EAGAIN. What runs goes on. How often "
           "the kernel refused is counted. The group is the service's own, of a lab or of "
           "systemd; it has to run when the fault begins. A unit that systemd starts anew gets a "
           "new group, without the limit. At the end the limit is as before; one that others "
           "changed meanwhile stays.",
    .example = "- fault: resource.processes\n"
               "  hosts: n1\n"
               "  service: web\n"
               "  leave: 1\n"
               "  for: 5s\n",
    .footprint = "pids.max of the service's control group",
    .touches = TOUCHES_GROUPS,
    .caps = RESOURCE_CAPS,
    .lifetime = LIFETIME_GUARDIAN,
    .evidence_class = EVIDENCE_STATE,
    FAULT_PARAMS(struct args, params),
    .supported = supported,
    .prepare = prepare,
    .apply = apply,
    .verify = verify,
    .evidence = evidence,
    .revert = revert,
};
