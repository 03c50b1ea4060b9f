/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/service.h"
#include "base/clock.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

/* Longer than the patience that most services have with themselves. */
static const int64_t STOP_WAIT_NS = 4 * NS_PER_SEC;

static const struct param params[] = {
    SERVICE_CHOICE,
};

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    return service_prepare(host, args, true, undo, err);
}

static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    struct service_undo *u = (void *)undo->data;
    (void)args;
    u->told = 1;
    return service_order(host, HOSTCTL_STOP, u->service.s, STOP_WAIT_NS, err);
}

static int is_stopped(const struct fault_host *host, const struct service_undo *u, bool *ret,
                      struct err *err)
{
    struct hostctl_look look;
    if (service_look(host, u->service.s, &look, err) != 0)
        return -1;
    *ret = !service_is_up(look.state) && look.pid == 0;
    return 0;
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    const struct service_undo *u = service_record(undo, err);
    return u == NULL ? -1 : is_stopped(host, u, ret_active, err);
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct service_undo *u = service_record(undo, err);
    bool stopped;
    if (u == NULL || is_stopped(host, u, &stopped, err) != 0)
        return -1;
    memset(ret, 0, sizeof(*ret));
    ret->n = 1;
    ret->items[0] = (struct evidence_item){"stopped", stopped};
    ret->proven = stopped;
    (void)snprintf(ret->what, sizeof(ret->what), "%s is %s", u->service.s,
                   stopped ? "stopped" : "not stopped");
    return 0;
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct service_undo *u = service_record(undo, err);
    memset(ret, 0, sizeof(*ret));
    if (u == NULL || service_bring_back(host, u->service.s, true, ret, err) != 0)
        return -1;
    if (ret->what[0] == '\0')
        (void)snprintf(ret->what, sizeof(ret->what), "%s runs already", u->service.s);
    return 0;
}

const struct fault fault_service_stop = {
    .name = "service.stop",
    .summary = "Stops a service and keeps it stopped.",
    .doc = "The host's service manager is told to stop the service, as an operator would: it gets "
           "its stop signal and its time to end, and the manager's restart policy does not bring "
           "it back. In a lab that is the host's init; on a real host systemd, where a timer, a "
           "socket or another unit that wants it may still start it (service.mask keeps it from "
           "that). At the end of the fault it is started, unless the system itself has done so. "
           "In a lab one that takes longer than 3 s is killed; on a real host the fault fails with "
           "one "
           "that takes more than 4 s, and it is started again.",
    .example = "- fault: service.stop\n"
               "  hosts: n1\n"
               "  service: web\n"
               "  for: 5s\n",
    .footprint = "the service and its processes",
    .touches = TOUCHES_PROCESSES,
    .caps = UINT64_C(1) << CAP_SYS_PTRACE,
    .lifetime = LIFETIME_GUARDIAN,
    .evidence_class = EVIDENCE_STATE,
    .bound_ms = SERVICE_BOUND_MS(2),
    FAULT_PARAMS(struct service_args, params),
    .supported = service_supported,
    .prepare = prepare,
    .apply = apply,
    .verify = verify,
    .evidence = evidence,
    .revert = revert,
};
