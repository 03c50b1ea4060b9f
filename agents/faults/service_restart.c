/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/service.h"
#include "base/clock.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

static const int64_t RESTART_WAIT_NS = 4 * NS_PER_SEC;

static const struct param params[] = {
    SERVICE_CHOICE,
};

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    return service_prepare(host, args, true, undo, err);
}

/* A service that ended and does not come up again has been restarted: what becomes of it is what
 * the run measures. */
static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    struct service_undo *u = (void *)undo->data;
    (void)args;
    u->told = 1;
    int rc = service_order(host, HOSTCTL_RESTART, u->service.s, RESTART_WAIT_NS, err);
    return rc != 0 && proc_has_ended(host, &u->main) ? 0 : rc;
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    const struct service_undo *u = service_record(undo, err);
    if (u == NULL)
        return -1;
    *ret_active = u->told != 0 && proc_has_ended(host, &u->main);
    return 0;
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct service_undo *u = service_record(undo, err);
    struct hostctl_look look;
    if (u == NULL || service_look(host, u->service.s, &look, err) != 0)
        return -1;
    bool ended = u->told != 0 && proc_has_ended(host, &u->main);
    bool started = ended && look.pid > 0;
    memset(ret, 0, sizeof(*ret));
    ret->n = 2;
    ret->items[0] = (struct evidence_item){"ended", ended};
    ret->items[1] = (struct evidence_item){"started", started};
    ret->proven = ended;
    (void)snprintf(ret->what, sizeof(ret->what), "%s: process %d %s%s", u->service.s,
                   u->main.host_pid, ended ? "ended" : "runs on",
                   started ? ", and another runs" : "");
    return 0;
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct service_undo *u = service_record(undo, err);
    memset(ret, 0, sizeof(*ret));
    if (u == NULL || service_bring_back(host, u->service.s, false, ret, err) != 0)
        return -1;
    if (ret->what[0] == '\0')
        (void)snprintf(ret->what, sizeof(ret->what), "%s runs", u->service.s);
    return 0;
}

const struct fault fault_service_restart = {
    .name = "service.restart",
    .summary = "Restarts a service.",
    .doc = "The host's service manager (a lab's init, or systemd) is told to stop the service and "
           "to start it again, as an operator or an update would. The end of its main process is "
           "the proof. It cannot be taken back; a service that has not come up again by the end of "
           "the fault is started once more.",
    .example = "- fault: service.restart\n"
               "  hosts: n1\n"
               "  service: web\n"
               "  for: 5s\n",
    .footprint = "the service and its processes",
    .touches = TOUCHES_PROCESSES,
    .caps = UINT64_C(1) << CAP_SYS_PTRACE,
    .lifetime = LIFETIME_INSTANT,
    .evidence_class = EVIDENCE_EVENT,
    .bound_ms = SERVICE_BOUND_MS(2),
    FAULT_PARAMS(struct service_args, params),
    .supported = service_supported,
    .prepare = prepare,
    .apply = apply,
    .verify = verify,
    .evidence = evidence,
    .revert = revert,
};
